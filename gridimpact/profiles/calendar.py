"""Calendars: where the time of a study finds its counterpart in data of another year.

Every profile that comes from a foreign year goes through `map_times`, so that weather, prices and
measured loads of one source year stay on the same days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_DAY = np.timedelta64(1, "D")
_WEEK = np.timedelta64(7 * 86_400, "s")
SATURDAY, SUNDAY, WORKDAY = 0, 1, 2
# A year of data may lack a few days and still stand for a year.
_DAYS_OF_A_YEAR = 360

Times = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Source moment of each study moment.

    Attributes
    ----------
    times : numpy.ndarray
        Naive UTC moments inside the source.
    foreign : bool
        Whether days were taken from another year.
    """

    times: Times
    foreign: bool


def wall_clock(times: Times, zone: str) -> Times:
    """Return naive local clock times of naive UTC moments.

    Examples
    --------
    >>> str(wall_clock(np.array(["2016-07-01T12:00"], "datetime64[s]"), "Europe/Berlin")[0])
    '2016-07-01T14:00:00'
    """
    local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return np.asarray(local, dtype="datetime64[s]")


def to_utc(wall: Times, zone: str) -> Times:
    """Return naive UTC of local clock times; skipped hours move forward, repeated hours are winter time."""
    local = pd.DatetimeIndex(wall).tz_localize(
        zone, ambiguous=np.zeros(len(wall), dtype=bool), nonexistent="shift_forward"
    )
    return np.asarray(local.tz_convert("UTC").tz_localize(None), dtype="datetime64[s]")


def easter(year: int) -> np.datetime64:
    """Return Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876).

    Examples
    --------
    >>> str(easter(2016)), str(easter(2025))
    ('2016-03-27', '2025-04-20')
    """
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (
        19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return np.datetime64(f"{year}-{month:02d}-{day + 1:02d}")


def german_holidays(year: int) -> Times:
    """Return the nine public holidays of the whole of Germany."""
    fixed = [
        np.datetime64(f"{year}-{day}") for day in ("01-01", "05-01", "10-03", "12-25", "12-26")
    ]
    moving = [easter(year) + np.timedelta64(days, "D") for days in (-2, 1, 39, 50)]
    return np.array(fixed + moving, dtype="datetime64[D]")


def weekday(dates: Times) -> NDArray[np.int64]:
    """Return the day of the week of dates, Monday is 0."""
    # 1970-01-01 was a Thursday.
    days = np.asarray(dates, dtype="datetime64[D]").astype(np.int64)
    return (days + 3) % 7


def day_types(dates: Times, zone: str) -> NDArray[np.int64]:
    """Return the BDEW day type of local dates: 0 Saturday, 1 Sunday or holiday, 2 working day.

    Public holidays are known for Germany (zone Europe/Berlin) only. 24 and 31 December count as
    Saturdays unless they are Sundays.
    """
    dates = np.asarray(dates, dtype="datetime64[D]")
    days = weekday(dates)
    types = np.where(days == 5, SATURDAY, np.where(days == 6, SUNDAY, WORKDAY))
    if zone == "Europe/Berlin":
        month_day = _month_day(dates)
        types[((month_day == 1224) | (month_day == 1231)) & (days != 6)] = SATURDAY
        years = np.unique(dates.astype("datetime64[Y]").astype(np.int64) + 1970)
        holidays = np.concatenate([german_holidays(int(year)) for year in years])
        types[np.isin(dates, holidays)] = SUNDAY
    return types


def _month_day(dates: Times) -> NDArray[np.int64]:
    """Return month x 100 + day."""
    months = dates.astype("datetime64[M]")
    day = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    return cast("NDArray[np.int64]", (months.astype(np.int64) % 12 + 1) * 100 + day)


def _season_day(dates: Times) -> NDArray[np.int64]:
    """Return the day of a 365-day year, 0 to 364; 29 February shares the place of the 28th."""
    place = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return cast("NDArray[np.int64]", place - (leap & (place >= 59)).astype(np.int64))


def map_dates(wanted: Times, available: Times, *, by_weekday: bool = True) -> Times:
    """Return for each wanted date the available one of the same weekday nearest in the season.

    Parameters
    ----------
    wanted, available : numpy.ndarray
        Dates (datetime64[D]); `available` holds the whole days of the source.
    by_weekday : bool
        Without it, the same day of the year is taken.

    Returns
    -------
    numpy.ndarray
        Dates out of `available`, moved by at most 3 days, by up to 6 at the turn of the year or
        where the source lacks days; NaT where the source has no such day. 29 February of the
        source is not used.
    """
    source = available[_month_day(available) != 229]
    at = np.full(365, np.datetime64("NaT"), dtype="datetime64[D]")
    # Written backwards so that the first of two years holds.
    at[_season_day(source)[::-1]] = source[::-1]
    offsets = sorted(range(-6, 7), key=lambda days: (abs(days), days))
    found = np.full(wanted.shape, np.datetime64("NaT"), dtype="datetime64[D]")
    place, day = _season_day(wanted), weekday(wanted)
    for offset in offsets:
        candidate = at[(place + offset) % 365]
        fits = np.isnat(found) & ~np.isnat(candidate)
        if by_weekday:
            fits &= weekday(candidate) == day
        found[fits] = candidate[fits]
    return found


def covers_year(first: np.datetime64, last: np.datetime64) -> bool:
    """Return whether data from `first` up to `last` may stand for another year."""
    return bool(last - first >= np.timedelta64(_DAYS_OF_A_YEAR * 86_400, "s"))


def map_times(
    times: Times, zone: str, first: np.datetime64, last: np.datetime64, *, by_weekday: bool = True
) -> Mapping | None:
    """Return where moments of a study find their counterpart in a source of another year.

    A moment the source covers stays as it is. Any other keeps its local clock time and goes to the
    source day of the same weekday nearest in the season; what then still lies outside (the hour
    between local and UTC new year) moves by whole weeks.

    Parameters
    ----------
    times : numpy.ndarray
        Naive UTC moments.
    zone : str
        Zone of the local clock.
    first, last : numpy.datetime64
        Begin of the first and end of the last step of the source, naive UTC.
    by_weekday : bool
        Keep weekdays; a typical year has none.

    Returns
    -------
    Mapping or None
        None where the source neither covers the moments nor a year.
    """
    inside = (times >= first) & (times < last)
    if bool(inside.all()):
        return Mapping(times, foreign=False)
    if not covers_year(first, last):
        return None
    wall = wall_clock(times, zone)
    dates = wall.astype("datetime64[D]")
    bounds = wall_clock(np.array([first, last]), zone).astype("datetime64[D]")
    # The last date may be a partial one: the step into whole weeks mends its missing hours.
    available = np.arange(bounds[0], bounds[1] + _DAY, _DAY)
    edge = ~inside & np.isin(dates, available)
    unique, place = np.unique(dates, return_inverse=True)
    moved = map_dates(unique, available[:-1], by_weekday=by_weekday)[place]
    target = np.where(inside | edge, dates, moved)
    if bool(np.isnat(target).any()):
        return None
    source = np.where(inside, times, to_utc(target + (wall - dates), zone))
    for _ in range(2):
        source = np.where(source < first, source + _WEEK, source)
        source = np.where(source >= last, source - _WEEK, source)
    return Mapping(source, foreign=bool((~inside & ~edge).any()))


def mapping_text(what: str, source: str, zone: str) -> str:
    """Return the sentence that names a mapping from a foreign year."""
    return (
        f"{what} of {source} are mapped to the study by weekday and season on the clock of {zone};"
        " 29 February of the source is dropped"
    )
