"""Room in which each car may move: as soon as possible, as late as possible, and their sum over a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from gridimpact.dispatch.execute import battery_arrays, full_power, stay_arrays
from gridimpact.dispatch.kernels import (
    battery_step,
    charge_limit,
    discharge_limit,
    full_rate,
    needed_before,
)
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray, PlanRequest

__all__ = ["FleetFlexibility", "Flexibility", "flexibility", "flexibility_by_group", "summed"]


_BOUNDS = ("e_min_kwh", "e_max_kwh", "p_min_kw", "p_max_kw")


@dataclass(frozen=True)
class Flexibility:
    """Bounds of energy and power of each car, arrays over (time, vehicle).

    Energy is what charging has put into the battery less what discharging took from it, counted from
    the first step and, in each stay, from the state of charge that uncontrolled charging arrives with.
    Trips do not count, so the bounds hold their last values while a car is away.
    """

    e_min_kwh: FloatArray
    """At the end of the step: as late as possible, down to the floor first where the car can feed."""
    e_max_kwh: FloatArray
    """At the end of the step: as soon as possible."""
    p_min_kw: FloatArray
    """Lowest power at the meter, negative feeds; no lower than the energy bounds can follow."""
    p_max_kw: FloatArray
    """Highest power at the meter."""
    dt_h: float


@dataclass(frozen=True)
class FleetFlexibility:
    """Sum of the bounds of several cars, arrays over (time,)."""

    e_min_kwh: FloatArray
    e_max_kwh: FloatArray
    p_min_kw: FloatArray
    p_max_kw: FloatArray
    dt_h: float
    cars: int


def flexibility(request: PlanRequest, *, ceiling: str = "target") -> Flexibility:
    """Return the flexibility envelope of every car.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    ceiling : str
        "target": no charging beyond the stay's target; "max": up to the battery's maximum.

    Returns
    -------
    Flexibility
        Energy bounds [kWh] and power bounds [kW], (time, vehicle).

    Raises
    ------
    InputError
        If `ceiling` is unknown.

    Notes
    -----
    The upper bound is full power from arrival. The lower one is the higher of two paths: down at full
    feed to the stay's reserve (no lower than the battery's minimum), and the path from which full power
    still reaches the target, or what full power from arrival reaches of it. Both paths can be followed.
    Power bounds are those of the charger, narrowed to what leads from inside the energy bounds of one
    step to inside those of the next.
    """
    if ceiling not in ("target", "max"):
        message = f"ceiling {ceiling!r} is unknown; use 'target' or 'max'"
        raise InputError(message)
    everywhere = np.ones(request.stays.vehicle.size, dtype=np.bool_)
    return _flexibility(request, ceiling, everywhere)


def summed(found: Flexibility, cars: BoolArray | None = None) -> FleetFlexibility:
    """Return the sum of the envelopes of some cars, of all for None.

    Parameters
    ----------
    found : Flexibility
        Of every car.
    cars : ndarray of bool, optional
        (vehicle,) those to add up.

    Returns
    -------
    FleetFlexibility
        Bounds of the fleet, (time,): every plan of the cars lies inside them. The reverse holds only
        where all cars have one window and need it for the same share of its time; `disaggregate`
        tells what is left over.
    """
    chosen = np.ones(found.e_min_kwh.shape[1], dtype=np.bool_) if cars is None else cars
    sums = {name: np.asarray(getattr(found, name)[:, chosen].sum(axis=1)) for name in _BOUNDS}
    return FleetFlexibility(dt_h=found.dt_h, cars=int(np.count_nonzero(chosen)), **sums)


def flexibility_by_group(
    request: PlanRequest, *, ceiling: str = "target"
) -> dict[str, FleetFlexibility]:
    """Return the envelope of the cars of each group of chargers, a feeder or a transformer, by its name.

    A car counts in a group during the stays at the group's chargers.
    """
    found = {}
    for name, member in zip(request.group_id, request.group_member, strict=True):
        inside = np.asarray(member, dtype=np.bool_)[request.stays.charger]
        found[name] = summed(_flexibility(request, ceiling, inside))
    return found


def _flexibility(request: PlanRequest, ceiling: str, counted: BoolArray) -> Flexibility:
    """Return the envelope of the stays counted; the others give nothing."""
    _, _, states = full_power(request)
    shape = (request.timeline.count, len(request.vehicle_id))
    bounds = {name: np.zeros(shape) for name in _BOUNDS}
    fill_bounds(
        (states.soc_arrival, states.soc_full_power, np.ascontiguousarray(counted)),
        request.timeline.dt_h,
        stay_arrays(request),
        battery_arrays(request),
        ceiling == "max",
        tuple(bounds.values()),
    )
    return Flexibility(dt_h=request.timeline.dt_h, **bounds)


def _bounds_of_power(
    before: tuple[float, float], after: tuple[float, float], dt_h: float, i: int, s: Any, b: Any
) -> tuple[float, float]:
    """Return the lowest and highest power that lead from energy bounds to the next, both (low, high)."""
    v = s.vehicle[i]
    gain = (after[1] - before[0]) * b.capacity_kwh[v] / dt_h
    drop = (after[0] - before[1]) * b.capacity_kwh[v] / dt_h
    highest = gain / b.eta_charge[v] + b.idle_kw[v] if gain > 1e-12 else 0.0
    lowest = drop / b.eta_charge[v] + b.idle_kw[v] if drop > 1e-12 else 0.0
    if drop < 0.0:
        lowest = max(min(drop * b.eta_discharge[v] + b.idle_kw[v], 0.0), -s.p_discharge_kw[i])
    return min(lowest, s.p_charge_kw[i]), min(highest, s.p_charge_kw[i])


power_bounds = njit(cache=True)(_bounds_of_power)


def _fill_bounds(known: Any, dt_h: float, s: Any, b: Any, to_max: bool, bounds: Any) -> None:
    """Write the bounds of every stay, and hold the energy bounds from each departure on."""
    soc_arrival, soc_full, counted = known
    e_min, e_max, p_min, p_max = bounds
    held = np.zeros((2, e_min.shape[1]))
    done = np.zeros(e_min.shape[1], dtype=np.int64)
    for i in range(s.vehicle.size):
        if not counted[i]:
            continue
        v, first, last = s.vehicle[i], s.start[i], s.end[i]
        cap, begin = b.capacity_kwh[v], soc_arrival[i]
        target = min(s.soc_target[i], b.soc_max[v])
        need = min(target, soc_full[i])
        top = max(b.soc_max[v] if to_max else target, begin)
        floor = max(s.soc_reserve[i], b.soc_min[v])
        rate = full_rate(s.p_charge_kw[i], v, b)
        for t in range(done[v], first):
            e_min[t, v], e_max[t, v] = held[0, v], held[1, v]
        low, down, high = begin, begin, begin
        for t in range(first, last):
            drawn = charge_limit(high, dt_h, s.p_charge_kw[i], top, v, b)
            up = battery_step(high, drawn, dt_h, v, b)
            fed = discharge_limit(down, dt_h, s.p_discharge_kw[i], floor, v, b)
            down = battery_step(down, -fed, dt_h, v, b)
            ahead = (last - 1 - t) * dt_h
            latest = needed_before(need, ahead, rate, b.soc_knee[v], b.taper_fraction[v])
            kept = min(max(down, latest), up)
            e_min[t, v] = held[0, v] + (kept - begin) * cap
            e_max[t, v] = held[1, v] + (up - begin) * cap
            p_min[t, v], p_max[t, v] = power_bounds((low, high), (kept, up), dt_h, i, s, b)
            low, high = kept, up
        held[0, v] += (low - begin) * cap
        held[1, v] += (high - begin) * cap
        done[v] = last
    for v in range(done.size):
        for t in range(done[v], e_min.shape[0]):
            e_min[t, v], e_max[t, v] = held[0, v], held[1, v]


fill_bounds = njit(cache=True)(_fill_bounds)
