"""Local clock times of strategies: daily windows, their days, and the next time a clock shows an hour.

A step belongs to a window when it begins inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, IntArray
from gridimpact.timeline import Timeline

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAY_S = 86_400

_MONDAY = 3
"""1 January 1970 was a Thursday, with Monday as 0."""


def clock_s(text: Any, where: str) -> int:
    """Return the seconds after midnight of a local time written as "HH:MM".

    Raises
    ------
    InputError
        If it is no time from 00:00 to 24:00.

    Examples
    --------
    >>> clock_s("06:30", "start")
    23400
    """
    hours, _, minutes = str(text).partition(":")
    if len(hours) == 2 and len(minutes) == 2 and hours.isdigit() and minutes.isdigit():
        found = int(hours) * 3600 + int(minutes) * 60
        if int(minutes) < 60 and found <= DAY_S:
            return found
    message = f'{where} is {text!r}, give a local time from "00:00" to "24:00", quoted'
    raise InputError(message)


def wall_s(timeline: Timeline) -> IntArray:
    """Return the local clock at the begin of each step [s since 1970], (time,)."""
    naive = np.asarray(timeline.local.tz_localize(None), dtype="datetime64[s]")
    return np.asarray(naive.astype(np.int64))


def next_time(timeline: Timeline, clock: int) -> IntArray:
    """Return, for each step, the first step from it on that reaches a time of day [s after midnight].

    The number of steps stands for never. A time that the spring skips is reached by the step after the
    gap; the hour that the autumn repeats is reached once.

    Examples
    --------
    >>> hours = Timeline.days("2016-01-04", 2, step="12h")
    >>> next_time(hours, 0).tolist()
    [0, 2, 2, 4]
    """
    passed = (wall_s(timeline) - clock) // DAY_S
    begun = np.maximum.accumulate(np.concatenate([[passed[0]], passed]))
    reached = passed > begun[:-1]
    reached[0] = (wall_s(timeline)[0] - clock) % DAY_S == 0
    steps = np.where(reached, np.arange(timeline.count), timeline.count)
    return np.asarray(np.minimum.accumulate(steps[::-1])[::-1], dtype=np.int64)


@dataclass(frozen=True)
class Window:
    """A span of the local day, on all days or some.

    Parameters
    ----------
    start, end : str
        Local times "HH:MM". An end not after the start lies on the next day; equal times are a whole day.
    days : tuple of str
        Days on which the window begins, "mon" to "sun"; empty for every day.
    dates : tuple of str
        Local dates "YYYY-MM-DD" on which the window begins; empty for every date.

    Raises
    ------
    InputError
        If a time, day or date cannot be read.
    """

    start: str
    end: str
    days: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check times, days and dates."""
        clock_s(self.start, "start of a window")
        clock_s(self.end, "end of a window")
        object.__setattr__(self, "days", day_names(self.days))
        object.__setattr__(self, "dates", tuple(str(date) for date in as_tuple(self.dates)))
        for date in self.dates:
            try:
                np.datetime64(date, "D")
            except ValueError as error:
                message = f"date {date!r} of a window is unknown; write it as 2019-10-31"
                raise InputError(message) from error

    def inside(self, timeline: Timeline) -> BoolArray:
        """Return which steps begin inside the window, (time,)."""
        return np.asarray(self.begun_on(timeline) >= 0)

    def begun_on(self, timeline: Timeline) -> IntArray:
        """Return the local day [days since 1970] on which the window of each step began, -1 outside."""
        wall = wall_s(timeline)
        day, second = wall // DAY_S, wall % DAY_S
        start, end = clock_s(self.start, "start") % DAY_S, clock_s(self.end, "end")
        if start < end:
            inside, began = (second >= start) & (second < end), day
        else:
            inside = (second >= start) | (second < end)
            began = np.where(second >= start, day, day - 1)
        if self.days:
            weekdays = [DAYS.index(name) for name in self.days]
            inside &= np.isin((began + _MONDAY) % 7, weekdays)
        if self.dates:
            wanted = np.array(self.dates, dtype="datetime64[D]").astype(np.int64)
            inside &= np.isin(began, wanted)
        return np.asarray(np.where(inside, began, -1))

    def __str__(self) -> str:
        """Return the times, and the days where they are given."""
        when = " ".join((*self.days, *self.dates))
        return f"{self.start}-{self.end}" + (f" {when}" if when else "")


def as_tuple(given: Any) -> tuple[Any, ...]:
    """Return what a study file gives for a list: nothing, one entry or several."""
    if given is None:
        return ()
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        return (given,)
    return tuple(given)


def day_names(days: Any) -> tuple[str, ...]:
    """Return names of weekdays, checked.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    names = tuple(str(day).lower()[:3] for day in as_tuple(days))
    for name, given in zip(names, as_tuple(days), strict=True):
        if name not in DAYS:
            message = f"day {given!r} is unknown; use {', '.join(DAYS)}"
            raise InputError(message)
    return names


def read_windows(given: Any, where: str, kind: type[Any] = Window) -> tuple[Any, ...]:
    """Return windows from pairs ``["22:00", "06:00"]``, mappings with ``start`` and ``end``, or windows.

    Parameters
    ----------
    given : object
        One entry or several.
    where : str
        Setting, for messages.
    kind : type
        `Window`, or a record that has more fields.

    Raises
    ------
    InputError
        If an entry has another form or an unknown key.

    Examples
    --------
    >>> [str(window) for window in read_windows([["22:00", "06:00"]], "cheap")]
    ['22:00-06:00']
    """
    entries = as_tuple(given)
    if len(entries) == 2 and all(isinstance(part, str) for part in entries):
        entries = (entries,)
    return tuple(_read_window(entry, where, kind) for entry in entries)


def _read_window(entry: Any, where: str, kind: type[Any]) -> Any:
    """Return one window of a kind."""
    if isinstance(entry, kind):
        return entry
    known = [item.name for item in fields(kind)]
    if isinstance(entry, Mapping):
        unknown = sorted(set(entry) - set(known))
        if not unknown and {"start", "end"} <= set(entry):
            return kind(**entry)
    elif isinstance(entry, list | tuple) and len(entry) == 2:
        return kind(str(entry[0]), str(entry[1]))
    message = (
        f'{where} holds {entry!r}; give a pair such as ["22:00", "06:00"], or start and end, with any of '
        f"{', '.join(known[2:])}"
    )
    raise InputError(message)
