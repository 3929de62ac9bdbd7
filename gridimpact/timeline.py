"""The one time axis of a study: UTC start, constant step, count, and the local zone for calendars.

A step is the interval ``[t, t + dt)``. Inside the package time is naive UTC; local time is asked
for only by calendars, tariffs and reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import InputError


@dataclass(frozen=True)
class Timeline:
    """A regular time axis.

    Parameters
    ----------
    start : numpy.datetime64
        First step's begin, naive UTC.
    step_s : int
        Step in seconds, a divisor of one day.
    count : int
        Number of steps.
    zone : str
        IANA name of the local zone.

    Examples
    --------
    >>> time = Timeline.year(2016, step="15min", zone="Europe/Berlin")
    >>> time.count, time.dt_h
    (35136, 0.25)
    >>> str(time.start)
    '2015-12-31T23:00:00'
    """

    start: np.datetime64
    step_s: int
    count: int
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Check step, count and zone, and keep the start in whole seconds."""
        if self.step_s <= 0 or 86_400 % self.step_s:
            message = (
                f"step of {self.step_s} s does not divide a day; choose e.g. 60, 300, 900 or 3600 s"
            )
            raise InputError(message)
        if self.count < 1:
            message = f"a timeline needs at least one step, got {self.count}"
            raise InputError(message)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"zone {self.zone!r} is unknown; use an IANA name such as 'Europe/Berlin'"
            raise InputError(message) from error
        object.__setattr__(self, "start", self.start.astype("datetime64[s]"))

    @classmethod
    def year(cls, year: int, *, step: str = "15min", zone: str = "UTC") -> Timeline:
        """Return the local calendar year."""
        return cls.between(f"{year}-01-01", f"{year + 1}-01-01", step=step, zone=zone)

    @classmethod
    def days(cls, first: str, count: int, *, step: str = "15min", zone: str = "UTC") -> Timeline:
        """Return `count` local days from the local date `first`."""
        begin = pd.Timestamp(first)
        return cls.between(
            first, str((begin + pd.Timedelta(days=count)).date()), step=step, zone=zone
        )

    @classmethod
    def between(cls, first: str, last: str, *, step: str = "15min", zone: str = "UTC") -> Timeline:
        """Return the steps from local midnight of `first` up to, not including, that of `last`."""
        try:
            step_s = int(pd.Timedelta(step).total_seconds())
            # A bad zone is reported by the constructor, with its own words.
            known = cls(np.datetime64("2000-01-01"), step_s, 1, zone).zone
            bounds = [
                pd.Timestamp(day).tz_localize(known).tz_convert("UTC").tz_localize(None)
                for day in (first, last)
            ]
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            message = f"cannot read the period {first!r} to {last!r} with step {step!r}: {error}"
            raise InputError(message) from error
        if bounds[1] <= bounds[0]:
            message = (
                f"the period {first} to {last} ends before it begins; give the first day first"
            )
            raise InputError(message)
        count = int((bounds[1] - bounds[0]).total_seconds() // step_s)
        return cls(np.datetime64(bounds[0], "s"), step_s, count, zone)

    @property
    def dt_h(self) -> float:
        """Step [h]."""
        return self.step_s / 3600.0

    @property
    def steps_per_day(self) -> int:
        """Steps in 24 hours."""
        return 86_400 // self.step_s

    @property
    def end(self) -> np.datetime64:
        """End of the last step, naive UTC."""
        return self.start + np.timedelta64(self.step_s * self.count, "s")

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        """Begin of each step, naive UTC, shape (time,)."""
        offsets = np.arange(self.count, dtype=np.int64) * self.step_s
        times = self.start + offsets.astype("timedelta64[s]")
        times.flags.writeable = False
        return times

    @cached_property
    def local(self) -> pd.DatetimeIndex:
        """Begin of each step in the local zone."""
        return pd.DatetimeIndex(self.times).tz_localize("UTC").tz_convert(self.zone)

    @cached_property
    def local_hour(self) -> NDArray[np.float64]:
        """Local clock hour at the begin of each step, 0 to 24."""
        local = self.local
        hours = np.asarray(
            local.hour + local.minute / 60.0 + local.second / 3600.0, dtype=np.float64
        )
        return hours

    @cached_property
    def local_day(self) -> NDArray[np.int64]:
        """Number of the local calendar day of each step, counted from the first."""
        days = np.asarray(self.local.tz_localize(None).normalize(), dtype="datetime64[D]")
        return cast("NDArray[np.int64]", (days - days[0]).astype(np.int64))

    @cached_property
    def weekday(self) -> NDArray[np.int64]:
        """Local day of the week, Monday is 0."""
        return np.asarray(self.local.dayofweek, dtype=np.int64)

    @property
    def is_year(self) -> bool:
        """Whether the axis covers at least 364 days, so that annual figures may be given."""
        return self.step_s * self.count >= 364 * 86_400

    def part(self, first: int, count: int) -> Timeline:
        """Return `count` steps from step `first` on."""
        if first < 0 or count < 1 or first + count > self.count:
            message = (
                f"steps {first} to {first + count} lie outside the timeline of {self.count} steps"
            )
            raise InputError(message)
        start = self.start + np.timedelta64(self.step_s * first, "s")
        return Timeline(start, self.step_s, count, self.zone)

    def step_of(self, moment: Any) -> NDArray[np.int64]:
        """Return the nearest step boundary of naive UTC moments; may lie outside ``0..count``."""
        offset = (np.asarray(moment, dtype="datetime64[s]") - self.start).astype(np.int64)
        return cast("NDArray[np.int64]", np.floor_divide(2 * offset + self.step_s, 2 * self.step_s))

    def __str__(self) -> str:
        """Return period, step and zone in one line."""
        local = self.local
        return f"{local[0]:%Y-%m-%d %H:%M} + {self.count} x {self.step_s // 60} min, {self.zone}"
