"""Compiled recursions over time: one battery step, and every stay of a fleet one after the other.

The scalar functions are twins of `gridimpact.battery.storage`; a test holds them together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.kernels_graph import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_FLAT = 1e-12
_TINY = 1e-13
"""A state of charge closer than this to what is needed counts as reached."""
_LEAST = 1e-10
"""A gain of state of charge up to this is not worth the constant loss of the conversion."""


class BatteryArrays(NamedTuple):
    """Limits of each vehicle's battery, (vehicle,)."""

    capacity_kwh: FloatArray
    eta_charge: FloatArray
    eta_discharge: FloatArray
    soc_min: FloatArray
    soc_max: FloatArray
    soc_knee: FloatArray
    taper_fraction: FloatArray
    soc_knee_discharge: FloatArray
    taper_fraction_discharge: FloatArray
    idle_kw: FloatArray


class StayArrays(NamedTuple):
    """Plugged-in windows sorted by vehicle and start, (stay,)."""

    vehicle: IntArray
    start: IntArray
    end: IntArray
    trip_kwh: FloatArray
    soc_arrival: FloatArray
    soc_target: FloatArray
    soc_reserve: FloatArray
    p_charge_kw: FloatArray
    p_discharge_kw: FloatArray


class Rules(NamedTuple):
    """How a request is turned into power."""

    guard: bool
    keep_reserve: bool
    stop_at_target: bool


class StayStates(NamedTuple):
    """What became of each stay, (stay,): filled by `run_stays`."""

    soc_arrival: FloatArray
    soc_departure: FloatArray
    soc_full_power: FloatArray
    away_kwh: FloatArray


@compiled
def charge_gain(
    soc: float, dt_h: float, rate: float, knee: float, taper_fraction: float, soc_max: float
) -> float:
    """Return the state of charge gained by `dt_h` of full power; `rate` is eta p / capacity [1/h]."""
    room = soc_max - soc
    if room <= 0.0 or rate <= 0.0:
        return 0.0
    slope = (1.0 - taper_fraction) / (1.0 - knee) if knee < 1.0 else 0.0
    if slope <= _FLAT:
        return min(rate * dt_h, room)
    below = min((knee - soc) / rate, dt_h) if soc < knee else 0.0
    if below >= dt_h:
        return min(rate * dt_h, room)
    left = max(1.0 - slope * (max(soc, knee) - knee), 0.0)
    above = -left * math.expm1(-slope * rate * (dt_h - below)) / slope
    return min(rate * below + above, room)


@compiled
def time_above_knee(need: float, rate: float, knee: float, taper_fraction: float) -> float:
    """Return how long full power takes from the knee to `need` [h]; minus one where power never falls."""
    slope = (1.0 - taper_fraction) / (1.0 - knee) if knee < 1.0 else 0.0
    if slope <= _FLAT or need <= knee or rate <= 0.0:
        return -1.0
    left = 1.0 - slope * (need - knee)
    return -math.log(left) / (slope * rate) if left > 0.0 else np.inf


@compiled
def needed_with_tail(
    need: float, dt_h: float, rate: float, knee: float, taper_fraction: float, tail_h: float
) -> float:
    """Return the state of charge from which `dt_h` of full power reaches `need`, `tail_h` of it known.

    `tail_h` is `time_above_knee`; infinite where no time is enough.
    """
    if tail_h < 0.0:
        return need - max(rate, 0.0) * dt_h
    if tail_h == np.inf:
        return need
    if tail_h >= dt_h:
        slope = (1.0 - taper_fraction) / (1.0 - knee)
        left = 1.0 - slope * (need - knee)
        return need - left * math.expm1(slope * rate * dt_h) / slope
    return knee - rate * (dt_h - tail_h)


@compiled
def needed_before(
    need: float, dt_h: float, rate: float, knee: float, taper_fraction: float
) -> float:
    """Return the state of charge from which `dt_h` of full power reaches `need`."""
    tail_h = time_above_knee(need, rate, knee, taper_fraction)
    return float(needed_with_tail(need, dt_h, rate, knee, taper_fraction, tail_h))


@compiled
def soc_step(
    soc: float, net_kw: float, dt_h: float, capacity: float, eta_charge: float, eta_discharge: float
) -> float:
    """Return the state of charge after a step of mean power, the constant loss of conversion taken off."""
    if net_kw > 0.0:
        return soc + net_kw * eta_charge * dt_h / capacity
    return soc + net_kw / eta_discharge * dt_h / capacity


@compiled
def battery_step(soc: float, p_kw: float, dt_h: float, v: int, b: BatteryArrays) -> float:
    """Return the state of charge of vehicle `v` after a step of mean power at the meter."""
    net = max(p_kw - b.idle_kw[v], 0.0) if p_kw > 0.0 else 0.0
    if p_kw < 0.0:
        net = p_kw - b.idle_kw[v]
    return float(soc_step(soc, net, dt_h, b.capacity_kwh[v], b.eta_charge[v], b.eta_discharge[v]))


@compiled
def full_rate(p_max: float, v: int, b: BatteryArrays) -> float:
    """Return what full power at the meter puts into the battery of vehicle `v`, over capacity [1/h]."""
    return float(b.eta_charge[v] * max(p_max - b.idle_kw[v], 0.0) / b.capacity_kwh[v])


@compiled
def mean_power(soc: float, goal: float, hours: float, v: int, b: BatteryArrays) -> float:
    """Return the power at the meter that takes vehicle `v` to a state of charge in some hours; may feed [kW]."""
    gap = (goal - soc) * b.capacity_kwh[v] / hours
    if gap > 0.0:
        return float(gap / b.eta_charge[v] + b.idle_kw[v])
    return float(min(gap * b.eta_discharge[v] + b.idle_kw[v], 0.0))


@compiled
def charge_limit(
    soc: float, dt_h: float, p_max: float, top: float, v: int, b: BatteryArrays
) -> float:
    """Return the highest mean charging power of one step of vehicle `v` [kW]."""
    idle = b.idle_kw[v]
    gain = charge_gain(soc, dt_h, full_rate(p_max, v, b), b.soc_knee[v], b.taper_fraction[v], top)
    if idle > 0.0 and gain <= _LEAST:
        return 0.0
    return float(min(gain * b.capacity_kwh[v] / (b.eta_charge[v] * dt_h) + idle, p_max))


@compiled
def discharge_limit(
    soc: float, dt_h: float, p_max: float, floor: float, v: int, b: BatteryArrays
) -> float:
    """Return the highest mean feed of one step of vehicle `v` above a floor [kW], a magnitude."""
    per_hour = b.capacity_kwh[v] * b.eta_discharge[v]
    drop = max(soc - floor, 0.0)
    if b.soc_knee_discharge[v] > 0.0 and b.taper_fraction_discharge[v] < 1.0:
        # An emptying battery is a filling one seen from above.
        rate = (p_max + b.idle_kw[v]) / per_hour
        knee, fraction = 1.0 - b.soc_knee_discharge[v], b.taper_fraction_discharge[v]
        drop = min(drop, charge_gain(1.0 - soc, dt_h, rate, knee, fraction, 1.0))
    held = drop * b.capacity_kwh[v] * b.eta_discharge[v] / dt_h - b.idle_kw[v]
    return float(max(min(p_max, held), 0.0))


@compiled
def arrival_soc(soc: float, i: int, s: StayArrays, b: BatteryArrays) -> tuple[float, float]:
    """Return the state of charge on arrival at stay `i` and the energy charged elsewhere [kWh]."""
    if not math.isnan(s.soc_arrival[i]):
        return min(max(s.soc_arrival[i], 0.0), 1.0), 0.0
    v = s.vehicle[i]
    floor = min(b.soc_min[v], soc)
    left = soc - s.trip_kwh[i] / b.capacity_kwh[v]
    if left < floor:
        return floor, (floor - left) * b.capacity_kwh[v]
    return left, 0.0


@compiled
def within_limits(
    asked: float,
    soc: float,
    need: float,
    i: int,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    r: Rules,
) -> float:
    """Return the power of one step: the request within all limits, raised to what the target needs."""
    v = s.vehicle[i]
    top = max(min(s.soc_target[i], b.soc_max[v]), soc) if r.stop_at_target else b.soc_max[v]
    limit = charge_limit(soc, dt_h, s.p_charge_kw[i], top, v, b)
    power = min(asked, limit)
    if power < 0.0:
        floor = max(s.soc_reserve[i], b.soc_min[v]) if r.keep_reserve else b.soc_min[v]
        power = -min(-power, discharge_limit(soc, dt_h, s.p_discharge_kw[i], floor, v, b))
    elif power <= b.idle_kw[v]:
        power = 0.0
    if r.guard and battery_step(soc, power, dt_h, v, b) < need - _TINY:
        power = max(power, min(mean_power(soc, need, dt_h, v, b), limit))
    return float(power) + 0.0


@compiled
def run_stays(
    asked_kw: FloatArray,
    controlled: BoolArray,
    soc_initial: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    r: Rules,
    states: StayStates,
) -> tuple[FloatArray, FloatArray]:
    """Run every stay in order; return delivered power and state of charge, both (time, vehicle)."""
    steps, vehicles = asked_kw.shape
    p_kw = np.zeros((steps, vehicles))
    soc_at = np.empty((steps, vehicles))
    state = soc_initial.copy()
    done = np.zeros(vehicles, dtype=np.int64)
    for i in range(s.vehicle.size):
        v, first, last = s.vehicle[i], s.start[i], s.end[i]
        for t in range(done[v], first):
            soc_at[t, v] = state[v]
        soc, states.away_kwh[i] = arrival_soc(state[v], i, s, b)
        states.soc_arrival[i] = soc
        rate = full_rate(s.p_charge_kw[i], v, b)
        knee, fraction = b.soc_knee[v], b.taper_fraction[v]
        target = min(s.soc_target[i], b.soc_max[v])
        whole = (last - first) * dt_h
        states.soc_full_power[i] = soc + charge_gain(
            soc, whole, rate, knee, fraction, max(target, soc)
        )
        tail_h = time_above_knee(target, rate, knee, fraction) if controlled[v] else 0.0
        for t in range(first, last):
            asked = asked_kw[t, v]
            # At the target nothing more is taken: what follows would find no power and the same state.
            full = not controlled[v] or (r.stop_at_target and asked >= 0.0)
            if not (full and soc >= target):
                if controlled[v]:
                    left_h = (last - 1 - t) * dt_h
                    need = needed_with_tail(target, left_h, rate, knee, fraction, tail_h)
                    power = 0.0
                    if asked != 0.0 or (r.guard and soc < need - _TINY):
                        power = within_limits(asked, soc, need, i, dt_h, s, b, r)
                else:
                    power = charge_limit(soc, dt_h, s.p_charge_kw[i], max(target, soc), v, b)
                soc = battery_step(soc, power, dt_h, v, b)
                p_kw[t, v] = power
            soc_at[t, v] = soc
        states.soc_departure[i] = soc
        state[v] = soc
        done[v] = last
    for v in range(vehicles):
        for t in range(done[v], steps):
            soc_at[t, v] = state[v]
    return p_kw, soc_at


@compiled
def add_power(
    total: FloatArray,
    p_kw: FloatArray,
    vehicle: IntArray,
    start: IntArray,
    end: IntArray,
    target: IntArray,
) -> None:
    """Add each stay's power to the column `target` of (time, column) `total`, in the order of stays."""
    for i in range(vehicle.size):
        if target[i] >= 0:
            for t in range(start[i], end[i]):
                total[t, target[i]] += p_kw[t, vehicle[i]]
