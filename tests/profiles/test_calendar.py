from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.profiles.calendar import (
    day_types,
    german_holidays,
    map_dates,
    map_times,
    wall_clock,
    weekday,
)
from gridimpact.timeline import Timeline


def year(number: int) -> np.ndarray:
    return np.arange(f"{number}-01-01", f"{number + 1}-01-01", dtype="datetime64[D]")


def test_german_holidays_of_2016_are_those_of_the_calendar() -> None:
    days = {str(day) for day in german_holidays(2016)}
    assert days == {
        "2016-01-01", "2016-03-25", "2016-03-28", "2016-05-01", "2016-05-05",
        "2016-05-16", "2016-10-03", "2016-12-25", "2016-12-26",
    }  # fmt: skip


def test_day_types_treat_holidays_as_sundays_and_christmas_eve_as_saturday_in_germany_only() -> (
    None
):
    dates = np.array(
        ["2025-12-24", "2025-12-25", "2025-10-03", "2025-10-04", "2025-10-06"], "M8[D]"
    )
    assert day_types(dates, "Europe/Berlin").tolist() == [0, 1, 1, 0, 2]
    assert day_types(dates, "America/Chicago").tolist() == [2, 2, 2, 0, 2]


@settings(max_examples=25, deadline=None)
@given(st.integers(1990, 2060), st.integers(1990, 2060))
def test_foreign_days_keep_weekday_and_season_and_never_use_29_february(
    wanted: int, source: int
) -> None:
    found = map_dates(year(wanted), year(source))
    assert (weekday(found) == weekday(year(wanted))).all()
    assert not np.isin(
        found, np.array([f"{source}-02-29"] if source % 4 == 0 else [], "M8[D]")
    ).any()
    place = (year(wanted) - year(wanted)[0]).astype(int) % 365
    away = np.abs((found - year(source)[0]).astype(int) - place)
    assert (np.minimum(away, 366 - away) <= 7).all()
    assert (np.minimum(away, 366 - away) <= 4).mean() > 0.96


def test_a_source_of_the_same_year_is_not_moved() -> None:
    time = Timeline.days("2019-03-30", 3, zone="Europe/Berlin")
    first, last = np.datetime64("2019-01-01", "s"), np.datetime64("2020-01-01", "s")
    mapping = map_times(time.times, time.zone, first, last)
    assert mapping is not None
    assert not mapping.foreign
    assert (mapping.times == time.times).all()


def test_the_hour_between_local_and_utc_new_year_comes_from_the_same_clock_a_week_later() -> None:
    time = Timeline.year(2019, step="60min", zone="Europe/Berlin")
    first, last = np.datetime64("2019-01-01", "s"), np.datetime64("2020-01-01", "s")
    mapping = map_times(time.times, time.zone, first, last)
    assert mapping is not None
    assert not mapping.foreign
    assert str(mapping.times[0]) == "2019-01-07T23:00:00"
    assert (mapping.times[1:] == time.times[1:]).all()


@pytest.mark.parametrize("target", [2016, 2017, 2024])
def test_local_clock_time_survives_the_mapping_except_in_the_hours_of_clock_change(
    target: int,
) -> None:
    time = Timeline.year(target, step="60min", zone="Europe/Berlin")
    first, last = np.datetime64("2019-01-01", "s"), np.datetime64("2020-01-01", "s")
    mapping = map_times(time.times, time.zone, first, last)
    assert mapping is not None
    assert mapping.foreign
    wanted, got = wall_clock(time.times, time.zone), wall_clock(mapping.times, time.zone)
    same = (wanted.astype(int) % 86_400) == (got.astype(int) % 86_400)
    assert (~same).sum() <= 2
    assert (weekday(wanted.astype("M8[D]")) == weekday(got.astype("M8[D]")))[same].all()


def test_half_a_year_cannot_stand_for_another_year() -> None:
    time = Timeline.year(2016, step="60min")
    assert (
        map_times(time.times, "UTC", np.datetime64("2019-01-01"), np.datetime64("2019-07-01"))
        is None
    )
