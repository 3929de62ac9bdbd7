"""Random numbers, calendar and energy of synthetic cars over the days of a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gridimpact.errors import InputError
from gridimpact.fleet import catalogue
from gridimpact.fleet.plugging import Parking
from gridimpact.fleet.seeding import generator
from gridimpact.fleet.trips import AWAY_SLOTS, DAY_SLOTS
from gridimpact.records import Ambient, BoolArray, FloatArray, IntArray
from gridimpact.timeline import Timeline

DAYS_BEFORE = 16
"""Days lived through before the timeline, so that holidays and habits are under way."""
DAYS_AFTER = 4
"""Days after it, so that the last stays have an end."""
TRAITS = 8
"""Lasting uniform numbers of each car."""


@dataclass(frozen=True)
class Days:
    """The local days of a timeline with a margin on both sides."""

    timeline: Timeline

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """Local dates, naive."""
        local = self.timeline.local
        first = local[0].tz_localize(None).normalize() - pd.Timedelta(days=DAYS_BEFORE)
        last = local[-1].tz_localize(None).normalize() + pd.Timedelta(days=DAYS_AFTER)
        return pd.date_range(first, last, freq="D")

    @property
    def count(self) -> int:
        """Number of days with the margins."""
        return len(self.dates)

    @cached_property
    def weekday(self) -> IntArray:
        """(day,) Monday is 0."""
        return np.asarray(self.dates.dayofweek, dtype=np.int64)

    @cached_property
    def day_type(self) -> IntArray:
        """(day,) 0 working day, 1 Saturday, 2 Sunday."""
        return np.maximum(self.weekday - 4, 0)

    @cached_property
    def counted(self) -> slice:
        """Days of the timeline without the margins."""
        return slice(DAYS_BEFORE, self.count - DAYS_AFTER)

    @cached_property
    def first_of_year(self) -> IntArray:
        """(year,) day number of 1 January of each year touched, may be negative."""
        years = sorted(set(self.dates.year))
        return np.asarray([(pd.Timestamp(y, 1, 1) - self.dates[0]).days for y in years])

    def factor(self, ambient: Ambient | None) -> FloatArray:
        """Return the consumption factor of each day by its mean temperature, 1 without a profile."""
        if ambient is None:
            return np.ones(self.count)
        temperature = np.asarray(ambient.temp_air_c, dtype=np.float64)
        if temperature.shape != (self.timeline.count,) or not np.isfinite(temperature).all():
            message = (
                f"ambient {ambient.name!r} has shape {temperature.shape} or gaps; "
                f"give {self.timeline.count} finite values on the fleet's timeline"
            )
            raise InputError(message)
        day = self.timeline.local_day
        mean = np.bincount(day, weights=temperature) / np.bincount(day)
        padded = np.pad(mean, (DAYS_BEFORE, DAYS_AFTER), mode="edge")
        return catalogue.consumption_factor(padded)

    def to_utc(self, hours: FloatArray) -> pd.DatetimeIndex:
        """Return naive UTC times of local clock hours since the first day, to the minute.

        Clock hours that do not exist when summer time begins move to the next that does.
        """
        minutes = np.round(hours * 60.0).astype("timedelta64[m]")
        local = pd.DatetimeIndex(
            np.datetime64(self.dates[0], "s") + minutes.astype("timedelta64[s]")
        )
        aware = local.tz_localize(
            self.timeline.zone,
            ambiguous=np.ones(len(local), dtype=bool),
            nonexistent="shift_forward",
        )
        return aware.tz_convert("UTC").tz_localize(None)


@dataclass(frozen=True)
class Draws:
    """Uniform numbers of some cars; a car's numbers depend on seed, kind, number and date alone."""

    trait: FloatArray
    """(car, TRAITS)"""
    day: FloatArray
    """(car, day, DAY_SLOTS)"""
    away: FloatArray
    """(car, year, *AWAY_SLOTS)"""


def draw(seed: int, kind: str, numbers: range, days: Days) -> Draws:
    """Return the uniform numbers of cars.

    Parameters
    ----------
    seed : int
        Seed of the fleet.
    kind : str
        Kind of the fleet.
    numbers : range
        Numbers of the cars.
    days : Days
        Calendar.
    """
    years = sorted(set(days.dates.year))
    trait = np.empty((len(numbers), TRAITS))
    day = np.empty((len(numbers), days.count, DAY_SLOTS))
    away = np.empty((len(numbers), len(years), *AWAY_SLOTS))
    in_year = [np.asarray(days.dates.year == year) for year in years]
    number_in_year = np.asarray(days.dates.dayofyear) - 1
    for row, number in enumerate(numbers):
        trait[row] = generator(seed, kind, number).random(TRAITS)
        for position, year in enumerate(years):
            random = generator(seed, kind, number, year)
            away[row, position] = random.random(AWAY_SLOTS)
            whole = random.random((366, DAY_SLOTS))
            day[row, in_year[position]] = whole[number_in_year[in_year[position]]]
    return Draws(trait, day, away)


def fixed_daily(
    trip_kwh: FloatArray, parking: Parking, days: Days, daily_kwh: FloatArray
) -> FloatArray:
    """Return trip energies such that each car's mean day takes `daily_kwh` from the battery.

    Parameters
    ----------
    trip_kwh : numpy.ndarray
        (car, stay) battery energy driven before each stay [kWh]; tells how a day's energy is split.
    parking : Parking
        The stays.
    days : Days
        Calendar.
    daily_kwh : numpy.ndarray
        (car,) battery energy a day [kWh].

    Notes
    -----
    Every day on which a car drives takes the same energy: `daily_kwh` over the car's share of driving days,
    counted on the timeline's working days and weekends apart, so that both have this mean. A car that
    never drives on one of them drives the whole on the other. Longer absences are not counted.
    """
    cars = parking.day.shape[0]
    row = np.arange(cars)[:, None]
    per_day = np.zeros((cars, days.count))
    ordinary = np.where(parking.away, 0.0, trip_kwh)
    np.add.at(per_day, (np.broadcast_to(row, parking.day.shape), parking.day), ordinary)
    counted = np.zeros(days.count, dtype=bool)
    counted[days.counted] = True
    weekend = days.weekday >= 5
    present = _present(parking, days)
    drives = per_day > 0
    split = ordinary / np.where(drives, per_day, 1.0)[row, parking.day]
    groups = (counted & ~weekend, counted & weekend)
    asked = [daily_kwh * (present & group).sum(axis=1) for group in groups]
    driven = [(drives & group).sum(axis=1) for group in groups]
    scaled = trip_kwh
    for own, other in ((0, 1), (1, 0)):
        wanted = asked[own] + np.where(driven[other] > 0, 0.0, asked[other])
        each = np.where(driven[own] > 0, wanted / np.maximum(driven[own], 1), daily_kwh)
        mine = (weekend if own else ~weekend)[parking.day] & ~parking.away
        scaled = np.where(mine, split * each[:, None], scaled)
    return scaled


def _present(parking: Parking, days: Days) -> BoolArray:
    """Return (car, day) whether the car is not on a longer absence."""
    present = np.ones((parking.day.shape[0], days.count), dtype=bool)
    for car, stay in zip(*np.nonzero(parking.away), strict=True):
        present[car, parking.day[car, stay] : int(parking.arrive_h[car, stay] // 24.0) + 1] = False
    return present
