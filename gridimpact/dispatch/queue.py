"""Who charges first when not all can: order of a queue, and the sharing of headroom in that order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    StayArrays,
    arrival_soc,
    charge_limit,
    soc_step,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ORDERS: Mapping[str, int] = MappingProxyType(
    {"first_come": 0, "earliest_departure": 1, "least_laxity": 2}
)
"""Orders of a queue by name."""


class Room(NamedTuple):
    """What a queue shares: limits less everything that is not in the queue."""

    group: FloatArray
    """(group, time) [kW]"""
    site: FloatArray
    """(site, time) [kW]"""
    first_group: IntArray
    """(stay,) place in `groups` where the groups of the stay begin."""
    group_count: IntArray
    groups: IntArray
    site_of: IntArray
    """(stay,)"""


def laxity_h(
    departure_h: ArrayLike, now_h: ArrayLike, energy_kwh: ArrayLike, p_max_kw: ArrayLike
) -> FloatArray:
    """Return the time a car can wait and still charge in full: time left less charging time [h].

    Parameters
    ----------
    departure_h, now_h : array_like
        Moments [h].
    energy_kwh : array_like
        Energy still to draw at the meter [kWh].
    p_max_kw : array_like
        Highest power [kW].

    Returns
    -------
    ndarray
        Laxity [h]; negative where the target is out of reach.

    Examples
    --------
    >>> float(laxity_h(12.0, 4.0, 10.0, 5.0))
    6.0
    """
    left = np.asarray(departure_h, dtype=np.float64) - np.asarray(now_h, dtype=np.float64)
    return np.asarray(left - np.asarray(energy_kwh) / np.asarray(p_max_kw))


def first_come(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by arrival; ties go to the earlier departure, then as given."""
    return _ranked(arrival_h, departure_h)


def earliest_departure(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by departure; ties as given."""
    return _ranked(departure_h, departure_h)


def least_laxity(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by laxity; ties go to the earlier departure, then as given.

    Examples
    --------
    >>> least_laxity([0, 0, 0], [2, 2, 3], [1, 1, 0]).tolist()
    [2, 0, 1]
    """
    return _ranked(laxity, departure_h)


def _ranked(key: ArrayLike, departure_h: ArrayLike) -> IntArray:
    """Return the order by key, then departure, then position."""
    return np.asarray(np.lexsort((np.asarray(departure_h), np.asarray(key))), dtype=np.int64)


def _hours_needed(soc: float, target: float, i: int, s: Any, b: Any) -> float:
    """Return the charging time to the target at constant full power [h]."""
    v = s.vehicle[i]
    return float((target - soc) * b.capacity_kwh[v] / (b.eta_charge[v] * s.p_charge_kw[i]))


hours_needed = njit(cache=True)(_hours_needed)


def _served(key: Any, end: Any) -> Any:
    """Return the order by key, then departure, then position, by two stable sorts."""
    by_end = np.argsort(end, kind="mergesort")
    return by_end[np.argsort(key[by_end], kind="mergesort")]


served = njit(cache=True)(_served)


def _share(i: int, t: int, want: float, room: Any) -> float:
    """Take what stay `i` wants at step `t` from the room of its site and groups; return what it got."""
    got = min(want, room.site[room.site_of[i], t])
    begin = room.first_group[i]
    for k in range(begin, begin + room.group_count[i]):
        got = min(got, room.group[room.groups[k], t])
    got = max(got, 0.0)
    room.site[room.site_of[i], t] -= got
    for k in range(begin, begin + room.group_count[i]):
        room.group[room.groups[k], t] -= got
    return float(got)


share = njit(cache=True)(_share)


def _plugged(t: int, s: Any, b: Any, current: Any, following: Any, soc: Any) -> int:
    """Bring departures and arrivals of step `t` up to date; return how many cars are plugged in."""
    count = 0
    for v in range(soc.size):
        while following[v] < s.vehicle.size and s.vehicle[following[v]] == v:
            i = following[v]
            if s.start[i] > t:
                break
            soc[v], _ = arrival_soc(soc[v], i, s, b)
            current[v] = i
            following[v] += 1
        if current[v] >= 0 and s.end[current[v]] <= t:
            current[v] = -1
        if current[v] >= 0:
            count += 1
    return count


plugged = njit(cache=True)(_plugged)


def _run_queue(
    soc_initial: Any, controlled: Any, dt_h: float, s: Any, b: Any, room: Any, order: int, p_kw: Any
) -> None:
    """Fill `p_kw` (time, vehicle) with what the queue gives, step by step, knowing only the present."""
    vehicles = soc_initial.size
    soc = soc_initial.copy()
    current = np.full(vehicles, -1)
    following = np.searchsorted(s.vehicle, np.arange(vehicles))
    stay, want = np.empty(vehicles, dtype=np.int64), np.empty(vehicles)
    key, end = np.empty(vehicles), np.empty(vehicles)
    for t in range(p_kw.shape[0]):
        plugged(t, s, b, current, following, soc)
        n = 0
        for v in range(vehicles):
            i = current[v]
            if i < 0 or not controlled[v] or s.p_charge_kw[i] <= 0.0:
                continue
            target = min(s.soc_target[i], b.soc_max[v])
            wish = charge_limit(soc[v], dt_h, s.p_charge_kw[i], target, v, b)
            if wish > 0.0:
                waits = (s.end[i] - t) * dt_h - hours_needed(soc[v], target, i, s, b)
                stay[n], want[n], end[n] = i, wish, s.end[i]
                key[n] = s.start[i] if order == 0 else (s.end[i] if order == 1 else waits)
                n += 1
        for place in served(key[:n], end[:n]):
            i = stay[place]
            v = s.vehicle[i]
            got = share(i, t, want[place], room)
            p_kw[t, v] = got
            soc[v] = soc_step(soc[v], got, dt_h, b.capacity_kwh[v], b.eta_charge[v], 1.0)


run_queue = njit(cache=True)(_run_queue)


def queue_power(
    soc_initial: FloatArray,
    controlled: NDArray[np.bool_],
    dt_h: float,
    stays: StayArrays,
    batteries: BatteryArrays,
    room: Room,
    order: str,
    steps: int,
) -> FloatArray:
    """Return the power a queue gives each vehicle [kW], (time, vehicle).

    Parameters
    ----------
    soc_initial : ndarray
        (vehicle,) before the first step.
    controlled : ndarray of bool
        (vehicle,) in the queue.
    dt_h : float
        Step [h].
    stays, batteries : StayArrays, BatteryArrays
        As the kernels take them.
    room : Room
        Headroom shared; what the queue uses is taken off in place.
    order : str
        A name of `ORDERS`.
    steps : int
        Number of steps.

    Returns
    -------
    ndarray
        Each step shares the headroom in the order of the queue, full power to each until it is used up.
    """
    p_kw = np.zeros((steps, soc_initial.size))
    run_queue(
        np.array(soc_initial, dtype=np.float64),
        np.array(controlled, dtype=np.bool_),
        dt_h,
        stays,
        batteries,
        room,
        ORDERS[order],
        p_kw,
    )
    return p_kw
