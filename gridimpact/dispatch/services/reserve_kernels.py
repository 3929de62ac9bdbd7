"""Compiled recursion of cars that stand by as reserve, are called, and charge again afterwards."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.connection import Connection
from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    StayArrays,
    arrival_soc,
    battery_step,
    charge_limit,
    mean_power,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.services.regulation_kernels import Span, lowest_power


class Calls(NamedTuple):
    """When and how reserve is called."""

    left_h: FloatArray
    """(time,) time the call still lasts at the step's begin [h]; zero where there is none."""
    duration_h: float
    """Time reserve must be sustained."""
    late: float
    """Share of a call's first step that passes before cars respond."""
    bidirectional: bool
    spread: bool
    """Charge after a call at the mean power to departure instead of at full power."""


class Standby(NamedTuple):
    """What cars ask for and could give, (time, vehicle) [kW]; NaN extremes are the step's mean."""

    asked_kw: FloatArray
    held_kw: FloatArray
    """Power up that is held: less drawn and more fed for the whole duration."""
    before_kw: FloatArray
    """During a call, the power drawn before it."""
    low_kw: FloatArray
    high_kw: FloatArray


@compiled
def _base(
    soc: float, left_h: float, dt_h: float, spread: bool, i: int, s: StayArrays, b: BatteryArrays
) -> float:
    """Return the charging power outside calls: full, or the mean one after a call that is spread."""
    v = s.vehicle[i]
    full = charge_limit(soc, dt_h, s.p_charge_kw[i], s.soc_target[i], v, b)
    if not spread:
        return float(full)
    return float(min(max(mean_power(soc, s.soc_target[i], left_h, v, b), 0.0), full))


@compiled
def _lowest(
    soc: float,
    hours: float,
    left_h: float,
    dt_h: float,
    i: int,
    c: Calls,
    s: StayArrays,
    b: BatteryArrays,
) -> float:
    """Return the lowest power that stay `i` can hold for some hours [kW]."""
    span = Span(hours, left_h, dt_h)
    wanted, allowed = lowest_power(soc, span, s.p_charge_kw[i], i, c.bidirectional, s, b)
    return float(min(max(wanted, allowed), s.p_charge_kw[i]))


@compiled
def run_reserve(
    c: Calls,
    controlled: BoolArray,
    soc_initial: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    around: Connection,
    out: Standby,
) -> None:
    """Run every stay of the controlled cars in order, and write what they ask for.

    Writes into `s.soc_target` what each stay aims at: no less than it came with.
    """
    state = soc_initial.copy()
    for i in range(s.vehicle.size):
        v = s.vehicle[i]
        soc, _ = arrival_soc(state[v], i, s, b)
        s.soc_target[i] = max(min(s.soc_target[i], b.soc_max[v]), soc)
        hold, before, called, spread = 0.0, 0.0, False, False
        for t in range(s.start[i], s.end[i]):
            left_h = (s.end[i] - t) * dt_h
            base = _base(soc, left_h, dt_h, spread, i, s, b)
            if not controlled[v]:
                soc = battery_step(soc, base, dt_h, v, b)
                continue
            needed = min(_lowest(soc, dt_h, left_h, dt_h, i, c, s, b), base)
            base = max(min(base, around.room_kw[t, around.site[i]]), needed)
            # Nothing is fed beyond the connection, now or at a call.
            least = min(-around.spare_kw[t, around.site[i]], 0.0)
            power = base
            if c.left_h[t] > 0.0:
                first = not called or c.left_h[t] > c.left_h[t - 1]
                if first:
                    before, called, spread = base, True, c.spread
                    hold = min(_lowest(soc, c.left_h[t], left_h, dt_h, i, c, s, b), base)
                power = max(hold, needed, least)
                out.before_kw[t, v], out.held_kw[t, v] = before, max(before - power, 0.0)
                if first:
                    out.low_kw[t, v], out.high_kw[t, v] = power, base
                    power += (base - power) * c.late
            else:
                if called:
                    out.low_kw[t, v] = min(max(hold, least), base)
                    called = False
                low = max(_lowest(soc, c.duration_h, left_h, dt_h, i, c, s, b), least)
                out.held_kw[t, v] = max(base - low, 0.0)
            if 0.0 < power <= b.idle_kw[v]:
                power = 0.0
            out.asked_kw[t, v] = power
            soc = battery_step(soc, power, dt_h, v, b)
        state[v] = soc


def nothing(shape: tuple[int, int]) -> Standby:
    """Return empty arrays to be filled."""
    out = Standby(*(np.zeros(shape) for _ in Standby._fields))
    out.low_kw[:], out.high_kw[:] = math.nan, math.nan
    return out
