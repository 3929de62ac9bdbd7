"""Trips of private cars: when they leave home, when they return, how far they went.

All cars and days at once; hours count from local midnight of the first day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from gridimpact.fleet.survey import survey
from gridimpact.records import BoolArray, FloatArray, IntArray

DAY_SLOTS = 20
"""Uniform numbers per car and day; the meaning of each stands in `day_tours`."""
AWAY_SLOTS = (6, 5)
"""Absences a car can have in a year, uniform numbers for each."""
_OUTWARD = 4
_BREAK_H = 0.33
_HOME_BREAK_H = 0.5
_BEFORE_HOME_H = 0.75
"""The last trip out leaves at least this long before the trip home."""
_FASTEST_KM_H = 110.0
_LONG_AWAY = 2
"""The first so many absences of a year are holidays, the others weekends."""


@dataclass(frozen=True)
class Tours:
    """Absences from home, arrays (car, tour) in order of time; NaN where a car has fewer."""

    leave_h: FloatArray
    arrive_h: FloatArray
    km: FloatArray
    day: IntArray
    """Day of the return that temperature is taken from."""
    away: BoolArray
    """A holiday or weekend away."""


@dataclass(frozen=True)
class Drivers:
    """Lasting traits of each car's driver, arrays (car,)."""

    worker: IntArray
    commute_km: FloatArray
    commute_h: FloatArray
    distance_factor: FloatArray


def drivers(u: FloatArray, worker_share: float) -> Drivers:
    """Return traits from uniform numbers.

    Parameters
    ----------
    u : numpy.ndarray
        (car, 4 or more) uniform numbers.
    worker_share : float
        Share of drivers who commute, 0..1.

    Notes
    -----
    Commutes are survey trips of 2 km or more. Private distance varies between drivers log-normally with
    mean 1 and a spread of 0.35 (assumption).
    """
    data = survey()
    low = float(np.interp(2.0, data.km_edges, data.km_cdf))
    km, cell = data.distance(low + u[:, 1] * (1.0 - low) * 0.98)
    hours = np.maximum(data.duration(cell, u[:, 2]) / 60.0, km / _FASTEST_KM_H)
    spread = 0.35
    factor = np.exp(spread * ndtri(np.clip(u[:, 3], 1e-9, 1.0 - 1e-9)) - spread**2 / 2)
    return Drivers((u[:, 0] < worker_share).astype(np.int64), km, hours, factor)


def day_tours(u: FloatArray, day_type: IntArray, who: Drivers, always: bool) -> Tours:
    """Return the tours of ordinary days.

    Parameters
    ----------
    u : numpy.ndarray
        (car, day, DAY_SLOTS) uniform numbers: 0 number of trips, 1 and 2 return in between, 3-6 departure and
        purpose, 7-10 distance, 11-14 duration, 15 and 16 departure home, 19 hours at work.
    day_type : numpy.ndarray of int
        (day,) position in `gridimpact.fleet.survey.DAY_TYPES`.
    who : Drivers
        Traits.
    always : bool
        Every car drives every day.

    Notes
    -----
    The last trip home leaves at a time drawn from the survey's departures home; the trips out are drawn
    from those before it and follow one another, at least 20 min apart and 4 to 9 h at work. A return leg is as long as the
    farthest leg before it. Days of four or five trips come home in between as often as the survey's share
    of trips home asks for.
    """
    data = survey()
    cars, days = u.shape[:2]
    kind = np.broadcast_to(day_type, (cars, days))
    work = np.broadcast_to(who.worker[:, None], (cars, days))
    count = data.trips(kind, u[..., 0], always)
    split = (count >= 4) & (u[..., 1] < data.split(kind, work))
    outward = np.maximum(count - 1 - split, 0)
    # Returns after the first outward trip, or on five-trip days after the second as often.
    turn = np.where(split, np.where((count == 5) & (u[..., 2] < 0.5), 2, 1), 0)
    whole = (np.zeros((cars, days)), np.full((cars, days), 24.0))
    homeward = data.homeward(kind, work, u[..., 15], whole)
    hour, purpose, km, travel_h = _legs(u, (kind, work), who, outward, homeward - _BEFORE_HOME_H)
    at_work = data.purposes.index("workplace")
    ready = np.zeros((cars, days))
    far = np.zeros((2, cars, days))
    total = np.zeros((2, cars, days))
    leave = np.full((2, cars, days), np.nan)
    arrive = np.full((2, cars, days), np.nan)
    for leg in range(_OUTWARD):
        here = leg < outward
        second = split & (leg >= turn)
        back = here & split & (leg == turn)
        bounds = (ready, hour[..., leg] - far[1])
        home = data.homeward(kind, work, u[..., 16], bounds) + far[1]
        arrive[0] = np.where(back, home, arrive[0])
        total[0] = np.where(back, total[0] + far[0], total[0])
        ready = np.where(back, home + _HOME_BREAK_H, ready)
        far = np.where(back, 0.0, far)
        start = np.maximum(hour[..., leg], ready)
        for tour, chosen in enumerate((here & ~second, here & second)):
            leave[tour] = np.where(chosen & np.isnan(leave[tour]), start, leave[tour])
            total[tour] += np.where(chosen, km[..., leg], 0.0)
        far = np.where(here, np.maximum(far, np.stack([km[..., leg], travel_h[..., leg]])), far)
        pause = np.where(purpose[..., leg] == at_work, 4.0 + 5.0 * u[..., 19], _BREAK_H)
        ready = np.where(here, start + travel_h[..., leg] + pause, ready)
    out = outward > 0
    home = np.maximum(homeward, ready) + far[1]
    for tour, chosen in enumerate((out & ~split, out & split)):
        arrive[tour] = np.where(chosen, home, arrive[tour])
        total[tour] = np.where(chosen, total[tour] + far[0], total[tour])
    shift = 24.0 * np.arange(days)
    number = np.broadcast_to(np.arange(days)[:, None], (cars, days, 2))
    return Tours(
        leave_h=_by_day(leave + shift),
        arrive_h=_by_day(arrive + shift),
        km=_by_day(total),
        day=number.reshape(cars, -1),
        away=np.zeros((cars, 2 * days), dtype=bool),
    )


def _by_day(values: FloatArray) -> FloatArray:
    """Turn (tour, car, day) into (car, day x tour)."""
    return np.moveaxis(values, 0, -1).reshape(values.shape[1], -1)


def _legs(
    u: FloatArray,
    group: tuple[IntArray, IntArray],
    who: Drivers,
    outward: IntArray,
    latest: FloatArray,
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """Return hour, purpose, km and hours of the outward legs in order of departure."""
    data = survey()
    shape = (*outward.shape, _OUTWARD)
    kind, work = (np.broadcast_to(values[..., None], shape) for values in group)
    last = np.broadcast_to(latest[..., None], shape)
    hour, purpose = data.outward(kind, work, u[..., 3:7], last)
    hour[np.arange(_OUTWARD) >= outward[..., None]] = np.inf
    order = np.argsort(hour, axis=-1, kind="stable")
    hour = np.take_along_axis(hour, order, axis=-1)
    purpose = np.take_along_axis(purpose, order, axis=-1)
    km, cell = data.distance(u[..., 7:11])
    hours = data.duration(cell, u[..., 11:15]) / 60.0
    factor = who.distance_factor[:, None, None]
    commute = purpose == data.purposes.index("workplace")
    km = np.where(commute, who.commute_km[:, None, None], km * factor)
    hours = np.where(commute, who.commute_h[:, None, None], hours)
    return hour, purpose, km, np.maximum(hours, km / _FASTEST_KM_H)


def with_absences(tours: Tours, first_day: IntArray, u: FloatArray, weekday: IntArray) -> Tours:
    """Return the tours with holidays and weekends away in the place of ordinary days.

    Parameters
    ----------
    tours : Tours
        Of ordinary days, two slots a day.
    first_day : numpy.ndarray of int
        (year,) day number of 1 January, may be negative.
    u : numpy.ndarray
        (car, year, *AWAY_SLOTS) uniform numbers: takes place, begin, length, hour of leaving, of returning.
    weekday : numpy.ndarray of int
        (day,) Monday is 0.

    Notes
    -----
    Assumption: two holidays a year with probability 0.6 each, one of them between June and September, of
    7 to 14 days, and four weekends away with probability 0.5 each.
    """
    cars = tours.leave_h.shape[0]
    days = weekday.size
    leave = tours.leave_h.reshape(cars, days, 2).copy()
    arrive = tours.arrive_h.reshape(cars, days, 2).copy()
    away = tours.away.reshape(cars, days, 2).copy()
    number = np.arange(days)
    monday = (number[0] - int(weekday[0])) % 7
    for year, begin_of_year in enumerate(first_day):
        for slot in range(AWAY_SLOTS[0]):
            takes, begin, length, out, back = np.moveaxis(u[:, year, slot], -1, 0)
            if slot < _LONG_AWAY:
                within = 152 + 115 * begin if slot == 0 else 350 * begin
                last = 7 + np.floor(8 * length)
                happens = takes < 0.6
                start = begin_of_year + np.floor(within)
            else:
                happens = takes < 0.5
                week = begin_of_year + np.floor(355 * begin)
                start = week - np.mod(week - monday, 7) + 4
                last = np.full(cars, 2.0)
            _take_away(
                (leave, arrive, away),
                happens,
                start.astype(np.int64),
                (last.astype(np.int64), out, back),
            )
    flat = (cars, 2 * days)
    gone = np.isnan(leave).reshape(flat)
    km = np.where(gone, 0.0, tours.km)
    return Tours(leave.reshape(flat), arrive.reshape(flat), km, tours.day, away.reshape(flat))


def _take_away(
    arrays: tuple[FloatArray, FloatArray, BoolArray],
    happens: BoolArray,
    start: IntArray,
    rest: tuple[IntArray, FloatArray, FloatArray],
) -> None:
    """Write one absence of each car that has it into the day arrays."""
    leave, arrive, away = arrays
    length, out, back = rest
    days = leave.shape[1]
    # An absence that began before the first day has no slot to stand in and is left out.
    for car in np.flatnonzero(happens & (start >= 0) & (start < days)):
        first = int(start[car])
        last = first + int(length[car])
        if away[car, max(first - 15, 0) : last + 1].any():
            continue
        leave[car, first : last + 1] = np.nan
        arrive[car, first : last + 1] = np.nan
        leave[car, first, 0] = 24.0 * first + 9.0 + 9.0 * out[car]
        arrive[car, first, 0] = 24.0 * last + 12.0 + 8.0 * back[car]
        away[car, first, 0] = True
