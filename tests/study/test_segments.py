"""Days to solve: each counted once, each with a day of warm-up before it."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact import InputError, Timeline
from gridimpact.study.segments import choose_segments

YEAR = Timeline.year(2016, zone="Europe/Berlin")


def shape(day_of_peak: int, sunny_day: int) -> tuple[np.ndarray, np.ndarray]:
    """Return load and PV of a year with one known peak day and one known sunny day."""
    load = 10.0 + np.sin(np.arange(YEAR.count) / 96 * 2 * np.pi)
    load[YEAR.local_day == day_of_peak] += 5.0
    pv = np.zeros(YEAR.count)
    pv[YEAR.local_day == sunny_day] = -3.0
    return load, pv


def test_named_weeks_have_a_day_before_and_after_that_are_not_counted():
    segments = choose_segments(YEAR, ["2016-01-18/2016-01-24"], *shape(10, 180))
    assert len(segments) == 1
    (week,) = segments
    assert np.flatnonzero(week.counted).tolist() == list(range(96, 8 * 96))
    assert week.timeline.count == 9 * 96
    assert str(week.timeline.local[0]) == "2016-01-17 00:00:00+01:00"


def test_design_days_find_the_winter_peak_and_the_sunniest_day():
    segments = choose_segments(YEAR, "design", *shape(15, 180))
    names = " / ".join(s.name for s in segments)
    assert "winter peak" in names
    assert "most PV" in names
    counted = np.concatenate([np.arange(YEAR.count)[s.steps][s.counted] for s in segments])
    assert len(np.unique(counted)) == len(counted)
    assert {15, 180} <= set(YEAR.local_day[counted].tolist())
    assert "ordinary week" in names


def test_days_whose_margins_meet_are_solved_in_one_piece():
    days = ["2016-01-18", "2016-01-20", "2016-03-01"]
    segments = choose_segments(YEAR, days, *shape(15, 180))
    assert [int(s.counted.sum()) for s in segments] == [192, 96]
    assert not segments[0].counted[2 * 96 : 3 * 96].any()
    steps = np.concatenate([np.arange(YEAR.count)[s.steps] for s in segments])
    assert (np.diff(steps) > 0).all()


def test_the_first_day_of_all_days_warms_up():
    (everything,) = choose_segments(YEAR, "all", *shape(15, 180))
    assert everything.timeline.count == YEAR.count
    assert everything.counted.sum() == 365 * 96


def test_a_day_at_the_very_start_has_no_warm_up():
    (first,) = choose_segments(YEAR, "2016-01-01", *shape(15, 180))
    assert first.counted[:96].all()
    assert first.timeline.count == 2 * 96


@pytest.mark.parametrize("days", ["2017-01-01", "2016-02-30", ["2016-01-05/2016-01-02", "soon"]])
def test_days_outside_or_unreadable_are_refused(days):
    with pytest.raises(InputError, match="days to run"):
        choose_segments(YEAR, days, *shape(15, 180))
