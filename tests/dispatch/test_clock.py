"""Local clock windows: over midnight, on some days, and where the clocks change."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch.clock import Window, clock_s, next_time, read_windows
from gridimpact.errors import InputError
from gridimpact.timeline import Timeline

BERLIN = "Europe/Berlin"


def hours(timeline, mask):
    return timeline.local_hour[mask].tolist()


def test_a_night_window_belongs_to_the_day_on_which_it_begins():
    week = Timeline.days("2016-01-04", 7, step="1h", zone=BERLIN)
    night = Window("22:00", "02:00", days=("fri",))
    inside = night.inside(week)
    assert hours(week, inside) == [22.0, 23.0, 0.0, 1.0]
    assert set(week.weekday[inside]) == {4, 5}
    assert np.unique(night.begun_on(week)[inside]).size == 1


def test_a_date_and_a_whole_day():
    week = Timeline.days("2016-01-04", 3, step="1h", zone=BERLIN)
    inside = Window("00:00", "24:00", dates=("2016-01-05",)).inside(week)
    assert np.flatnonzero(inside).tolist() == list(range(24, 48))
    assert Window("06:00", "06:00").inside(week).all()


def test_the_local_clock_counts_when_summer_time_begins_and_ends():
    spring = Timeline.days("2016-03-26", 2, step="30min", zone=BERLIN)
    skipped = next_time(spring, clock_s("02:30", "start"))
    # 02:30 does not exist on 27 March: the step at 03:00 stands for it.
    assert spring.local_hour[skipped[40]] == 3.0
    autumn = Timeline.days("2016-10-29", 3, step="30min", zone=BERLIN)
    half_past_two = np.unique(next_time(autumn, clock_s("02:30", "start")))
    days = autumn.local_day[half_past_two[half_past_two < autumn.count]]
    assert days.tolist() == [0, 1, 2]


def test_the_next_time_is_the_step_itself_or_later():
    day = Timeline.days("2016-01-04", 1, step="1h")
    assert next_time(day, clock_s("06:00", "start")).tolist() == [6] * 7 + [24] * 17
    assert next_time(day, clock_s("05:30", "start"))[0] == 6


@pytest.mark.parametrize(
    "given", ["24:30", "7:00", 700, "ab:cd", None], ids=["late", "short", "number", "text", "none"]
)
def test_times_that_are_none_are_refused(given):
    with pytest.raises(InputError, match="local time"):
        clock_s(given, "start")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([["22:00"]], "pair"),
        ([{"start": "22:00"}], "start and end"),
        ([{"start": "22:00", "end": "06:00", "day": "mon"}], "days"),
        ([{"start": "22:00", "end": "06:00", "days": ["someday"]}], "someday"),
        ([{"start": "22:00", "end": "06:00", "dates": "31 October"}], "date"),
    ],
)
def test_windows_that_cannot_be_read_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        read_windows(given, "cheap")


def test_one_pair_is_one_window():
    assert read_windows(["22:00", "06:00"], "cheap") == read_windows([["22:00", "06:00"]], "cheap")
    assert str(read_windows({"start": "22:00", "end": "06:00", "days": "mon"}, "x")[0]) == (
        "22:00-06:00 mon"
    )
