"""Compiled loops over the stays of a fleet: powers held over a stay, and the constant power that fills it."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    IntArray,
    StayArrays,
    battery_step,
    charge_limit,
)
from gridimpact.dispatch.kernels_graph import compiled

_REACHED = 1e-13
_DUST_KW = 1e-9
"""A power below this is rounding."""

_ROUNDS = 100


@compiled
def hold(
    out: FloatArray, mask: BoolArray, column: IntArray, first: IntArray, s: StayArrays
) -> None:
    """Write each stay's full power into (time, vehicle) where its column of (time, column) `mask` allows."""
    for i in range(s.vehicle.size):
        for t in range(max(first[i], s.start[i]), s.end[i]):
            if mask[t, column[i]]:
                out[t, s.vehicle[i]] = s.p_charge_kw[i]


@compiled
def hold_value(out: FloatArray, power: FloatArray, s: StayArrays) -> None:
    """Write each stay's own constant power into (time, vehicle)."""
    for i in range(s.vehicle.size):
        for t in range(s.start[i], s.end[i]):
            out[t, s.vehicle[i]] = power[i]


@compiled
def last_drawn(p_kw: FloatArray, s: StayArrays) -> IntArray:
    """Return the step after the last one in which each stay draws power, its start where it draws none."""
    found = s.start.copy()
    for i in range(s.vehicle.size):
        for t in range(s.end[i] - 1, s.start[i] - 1, -1):
            if p_kw[t, s.vehicle[i]] > _DUST_KW:
                found[i] = t + 1
                break
    return found


@compiled
def _end_of_stay(
    power: float, soc: float, goal: float, i: int, dt_h: float, s: StayArrays, b: BatteryArrays
) -> float:
    """Return the state of charge at departure under a constant power, as far as the battery takes it."""
    v = s.vehicle[i]
    for _ in range(s.end[i] - s.start[i]):
        limit = charge_limit(soc, dt_h, s.p_charge_kw[i], goal, v, b)
        soc = battery_step(soc, min(power, limit), dt_h, v, b)
    return soc


@compiled
def constant_power(
    soc_arrival: FloatArray,
    soc_departure: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
) -> FloatArray:
    """Return the least constant power that takes each stay from its arrival to its departure, (stay,) [kW]."""
    found = np.zeros(s.vehicle.size)
    for i in range(s.vehicle.size):
        v, steps = s.vehicle[i], s.end[i] - s.start[i]
        soc, goal = soc_arrival[i], soc_departure[i]
        if steps <= 0 or goal <= soc:
            continue
        high = s.p_charge_kw[i]
        kwh = (goal - soc) * b.capacity_kwh[v]
        low = min(kwh / (b.eta_charge[v] * steps * dt_h) + b.idle_kw[v], high)
        below = _end_of_stay(low, soc, goal, i, dt_h, s, b) - goal
        if below >= -_REACHED:
            found[i] = low
            continue
        above = max(_end_of_stay(high, soc, goal, i, dt_h, s, b) - goal, 0.0)
        for _ in range(_ROUNDS):
            # The end rises less and less with the power, so the chord never passes the root.
            middle = low - below * (high - low) / (above - below)
            if above <= 0.0 or middle <= low or middle >= high:
                middle = 0.5 * (low + high)
            gap = _end_of_stay(middle, soc, goal, i, dt_h, s, b) - goal
            if gap >= -_REACHED:
                high, above = middle, max(gap, 0.0)
            else:
                low, below = middle, gap
            if high - low <= 1e-9 * high:
                break
        found[i] = high
    return found
