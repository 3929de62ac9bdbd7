"""From parked hours to sessions: who plugs in, and the state of charge that decides it.

The charging assumed here only shapes the habit; the study's strategies charge the cars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.fleet.trips import Tours
from gridimpact.records import BoolArray, FloatArray, IntArray

SHORTEST_STAY_H = 0.5
"""Nobody plugs in for less [h]."""
SHORT_STOP_H = 1.5
"""On stops shorter than this only a driver with a low battery plugs in [h]."""
ALWAYS_BELOW_SOC = 0.4
"""At or below this state of charge every driver plugs in."""
SHARE_AT_TARGET = 0.5
"""Share of arrivals at the target state of charge that are plugged in all the same."""


@dataclass(frozen=True)
class Parking:
    """Stays at the own charger, arrays (car, stay) in order of time; NaN where a car has fewer."""

    arrive_h: FloatArray
    leave_h: FloatArray
    km: FloatArray
    """Distance since the previous stay."""
    day: IntArray
    away: BoolArray
    """The car was on a longer absence before this stay."""


@dataclass(frozen=True)
class Cars:
    """What the habit needs of each car, arrays (car,)."""

    capacity_kwh: FloatArray
    p_charge_kw: FloatArray
    eta_charge: FloatArray
    soc_target: FloatArray
    soc_min: FloatArray


@dataclass(frozen=True)
class Plugged:
    """Plugged-in stays, arrays (stay,) by car and time."""

    car: IntArray
    arrive_h: FloatArray
    leave_h: FloatArray
    trip_kwh: FloatArray
    """Battery energy since the previous plugged-in stay."""
    soc_arrival: FloatArray
    """State of charge under uncontrolled charging."""


def parked(tours: Tours, days: int) -> Parking:
    """Return the stays at home between tours; the first begins with the first day.

    Parameters
    ----------
    tours : Tours
        Absences.
    days : int
        Days covered; the last stay ends with them.
    """
    absent = np.isnan(tours.leave_h)
    order = np.argsort(absent, axis=1, kind="stable")
    leave = np.take_along_axis(tours.leave_h, order, axis=1)
    arrive = np.take_along_axis(tours.arrive_h, order, axis=1)
    km = np.take_along_axis(tours.km, order, axis=1)
    day = np.take_along_axis(tours.day, order, axis=1)
    away = np.take_along_axis(tours.away, order, axis=1)
    # A return after midnight may pass the next leaving; times never run backwards.
    arrive = np.fmax.accumulate(arrive, axis=1)
    arrive[np.isnan(leave)] = np.nan
    cars = leave.shape[0]
    leave = np.concatenate([leave, np.full((cars, 1), np.nan)], axis=1)
    gone = np.isnan(leave)
    first_gap = np.argmax(gone, axis=1)
    leave[np.arange(cars), first_gap] = 24.0 * days
    nothing = np.zeros((cars, 1))
    return Parking(
        arrive_h=np.concatenate([nothing, arrive], axis=1),
        leave_h=leave,
        km=np.concatenate([nothing, km], axis=1),
        day=np.concatenate([nothing.astype(np.int64), day], axis=1),
        away=np.concatenate([nothing.astype(bool), away], axis=1),
    )


def plug_in_share(soc: FloatArray, soc_target: FloatArray) -> FloatArray:
    """Return the probability that a driver plugs in on arrival.

    Parameters
    ----------
    soc : numpy.ndarray
        State of charge on arrival.
    soc_target : numpy.ndarray
        Usual state of charge on leaving.

    Notes
    -----
    1 at or below `ALWAYS_BELOW_SOC`, `SHARE_AT_TARGET` at the target, linear in between. Assumption, set so
    that cars of 15 kWh a day plug in on about 70 % of days, as in measured British home charging.
    """
    span = np.maximum(soc_target - ALWAYS_BELOW_SOC, 1e-9)
    fullness = np.clip((soc - ALWAYS_BELOW_SOC) / span, 0.0, 1.0)
    return np.asarray(1.0 - (1.0 - SHARE_AT_TARGET) * fullness, dtype=np.float64)


def plug_in(parking: Parking, trip_kwh: FloatArray, u: FloatArray | None, cars: Cars) -> Plugged:
    """Return the stays on which cars are plugged in.

    Parameters
    ----------
    parking : Parking
        Stays at the charger.
    trip_kwh : numpy.ndarray
        (car, stay) battery energy driven before each stay [kWh].
    u : numpy.ndarray or None
        (car, stay) uniform numbers for the habit; None plugs in on every stay.
    cars : Cars
        Batteries and powers.
    """
    count, stays = parking.arrive_h.shape
    soc = cars.soc_target.copy()
    since = np.zeros(count)
    taken = np.zeros((count, stays), dtype=bool)
    booked = np.zeros((count, stays))
    reached = np.full((count, stays), np.nan)
    hours = parking.leave_h - parking.arrive_h
    worth = np.nan_to_num(hours, nan=-1.0) >= SHORTEST_STAY_H
    short = np.zeros_like(worth) if u is None else hours < SHORT_STOP_H
    rate = cars.p_charge_kw * cars.eta_charge / cars.capacity_kwh
    for stay in range(stays):
        soc = np.maximum(soc - trip_kwh[:, stay] / cars.capacity_kwh, cars.soc_min)
        since += trip_kwh[:, stay]
        willing = True if u is None else u[:, stay] < plug_in_share(soc, cars.soc_target)
        plugs = worth[:, stay] & willing & (~short[:, stay] | (soc <= ALWAYS_BELOW_SOC))
        taken[:, stay] = plugs
        booked[:, stay] = since
        reached[:, stay] = soc
        charged = np.minimum(soc + rate * np.nan_to_num(hours[:, stay]), cars.soc_target)
        soc = np.where(plugs, np.maximum(charged, soc), soc)
        since = np.where(plugs, 0.0, since)
    car, stay_number = np.nonzero(taken)
    return Plugged(
        car=car,
        arrive_h=parking.arrive_h[taken],
        leave_h=parking.leave_h[car, stay_number],
        trip_kwh=booked[taken],
        soc_arrival=reached[taken],
    )
