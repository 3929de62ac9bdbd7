"""The time axis: calendars, daylight saving, boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact import InputError, Timeline


def test_a_leap_year_in_berlin_has_35136_quarter_hours():
    time = Timeline.year(2016, step="15min", zone="Europe/Berlin")
    assert time.count == 366 * 96
    assert time.is_year


def test_the_local_year_starts_an_hour_before_utc_midnight_in_berlin():
    assert str(Timeline.year(2016, zone="Europe/Berlin").times[0]) == "2015-12-31T23:00:00"


@pytest.mark.parametrize(
    ("day", "steps"), [("2016-03-27", 92), ("2016-10-30", 100), ("2016-05-01", 96)]
)
def test_days_of_clock_change_have_92_and_100_quarter_hours(day, steps):
    assert Timeline.days(day, 1, zone="Europe/Berlin").count == steps


def test_local_days_and_hours_follow_the_zone():
    time = Timeline.days("2016-03-26", 3, zone="Europe/Berlin")
    assert time.local_hour[0] == 0.0
    assert list(np.flatnonzero(np.diff(time.local_day)) + 1) == [96, 188]
    assert time.weekday[0] == 5


def test_a_moment_belongs_to_the_nearest_step_boundary():
    time = Timeline.days("2016-01-01", 1)
    moments = np.array(
        ["2016-01-01T00:07:29", "2016-01-01T00:07:31", "2015-12-31T23:00:00"], "M8[s]"
    )
    assert time.step_of(moments).tolist() == [0, 1, -4]


def test_a_part_keeps_step_and_zone():
    part = Timeline.days("2016-01-01", 2, zone="Europe/Berlin").part(96, 96)
    assert (part.count, part.zone, str(part.start)) == (96, "Europe/Berlin", "2016-01-01T23:00:00")
    assert part.end == np.datetime64("2016-01-02T23:00:00")


def test_a_part_outside_is_refused():
    with pytest.raises(InputError, match="outside the timeline"):
        Timeline.days("2016-01-01", 1).part(90, 10)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Timeline.year(2016, step="7min"), "does not divide a day"),
        (lambda: Timeline.year(2016, zone="Europe/Berlim"), "unknown"),
        (lambda: Timeline.between("2016-01-02", "2016-01-01"), "ends before it begins"),
        (lambda: Timeline.between("yesterday-ish", "2016-01-01"), "cannot read the period"),
    ],
)
def test_wrong_periods_are_refused_in_words(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_times_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        Timeline.days("2016-01-01", 1).times[0] = np.datetime64("2020-01-01")
