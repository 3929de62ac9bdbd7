"""Cars with a duty: municipal cars that leave in the day, employees' cars that stand at work.

All cars and days at once; hours count from local midnight of the first day.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from gridimpact.fleet.plugging import Parking
from gridimpact.fleet.trips import Drivers
from gridimpact.records import BoolArray, FloatArray, IntArray

PRIVATE_KM_A_DAY = 20.0
"""Distance of an employee's car beside commuting, mean of all days (assumption)."""


def fleet_parking(u: FloatArray, weekday: IntArray, trait: FloatArray, always: bool) -> Parking:
    """Return the depot stays of municipal cars, with the km driven before each.

    Parameters
    ----------
    u : numpy.ndarray
        (car, day, 4 or more) uniform numbers: 0 in use, 1 leaving, 2 returning, 3 distance.
    weekday : numpy.ndarray of int
        (day,) Monday is 0.
    trait : numpy.ndarray
        (car,) uniform number, the car's usual distance.
    always : bool
        Every car is used on every working day.

    Notes
    -----
    Assumption: used on 85 % of working days and 3 % of others; leaves 8:00 +- 0.7 h, back 16:00 +- 1.0 h;
    35 km a day in the median, spread 0.4 between cars and 0.4 between days.
    """
    days = u.shape[1]
    working = weekday < 5
    used = u[..., 0] < np.where(working, 1.0 if always else 0.85, 0.03)
    shift = 24.0 * np.arange(days)
    leave = np.asarray(shift + np.clip(8.0 + 0.7 * _normal(u[..., 1]), 6.0, 11.0), dtype=np.float64)
    back = np.asarray(
        shift + np.clip(16.0 + 1.0 * _normal(u[..., 2]), 12.0, 20.0), dtype=np.float64
    )
    km = 35.0 * np.exp(0.4 * _normal(trait)[:, None] + 0.4 * _normal(u[..., 3]))
    return _between_uses(used, leave, back, km)


def work_parking(u: FloatArray, weekday: IntArray, who: Drivers, always: bool) -> Parking:
    """Return the stays of employees' cars at work, with the km driven before each.

    Parameters
    ----------
    u : numpy.ndarray
        (car, day, 5 or more) uniform numbers: 0 at work, 1 arriving, 2 leaving, 3 private distance.
    weekday : numpy.ndarray of int
        (day,) Monday is 0.
    who : Drivers
        Traits; everyone here commutes.
    always : bool
        Every car comes on every working day.

    Notes
    -----
    Assumption: at work on 85 % of working days from 8:00 +- 0.6 h to 17:00 +- 0.8 h; commutes both ways plus
    20 km a day of private driving (exponentially spread) between two stays.
    """
    cars, days = u.shape[:2]
    working = weekday < 5
    present = working & (u[..., 0] < (1.0 if always else 0.85))
    shift = 24.0 * np.arange(days)
    arrive = shift + np.clip(8.0 + 0.6 * _normal(u[..., 1]), 5.5, 11.0)
    leave = shift + np.clip(17.0 + 0.8 * _normal(u[..., 2]), 13.0, 20.0)
    private = -np.log1p(-u[..., 3]) * PRIVATE_KM_A_DAY * who.distance_factor[:, None]
    driven = np.cumsum(private, axis=1)
    number = np.broadcast_to(np.arange(days), (cars, days))
    previous = np.maximum.accumulate(np.where(present, number, -1), axis=1)
    previous = np.concatenate([np.full((cars, 1), -1), previous[:, :-1]], axis=1)
    before = np.where(
        previous >= 0, np.take_along_axis(driven, np.maximum(previous, 0), axis=1), 0.0
    )
    km = driven - before + 2.0 * who.commute_km[:, None]
    hidden = ~present
    return Parking(
        arrive_h=np.where(hidden, np.nan, arrive),
        leave_h=np.where(hidden, np.nan, leave),
        km=np.where(hidden, 0.0, km),
        day=number,
        away=np.zeros((cars, days), dtype=bool),
    )


def _between_uses(used: BoolArray, leave: FloatArray, back: FloatArray, km: FloatArray) -> Parking:
    """Return the stays from each return to the next leaving; the first begins with the first day."""
    cars, days = used.shape
    starts = np.where(used, back, np.nan)
    starts = np.concatenate([np.zeros((cars, 1)), starts], axis=1)
    ends = np.where(used, leave, np.nan)
    # Reversed running minimum: the next leaving at or after each day.
    later = np.fmin.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    horizon = np.full((cars, 1), 24.0 * days)
    later = np.concatenate([later, horizon], axis=1)
    later = np.where(np.isnan(later), 24.0 * days, later)
    number = np.broadcast_to(np.arange(-1, days), (cars, days + 1))
    return Parking(
        arrive_h=starts,
        leave_h=np.where(np.isnan(starts), np.nan, later),
        km=np.concatenate([np.zeros((cars, 1)), np.where(used, km, 0.0)], axis=1),
        day=np.maximum(number, 0),
        away=np.zeros((cars, days + 1), dtype=bool),
    )


def _normal(u: FloatArray) -> FloatArray:
    return np.asarray(ndtri(np.clip(u, 1e-9, 1.0 - 1e-9)), dtype=np.float64)
