"""Compiled recursion of cars that follow a fast signal inside every step of a plan.

In each step a car has an operating point and a band around it; all cars hear the same signal. The band is
offered before the step and kept in it: even at the rail to its end, neither the battery nor the target is
in danger, so that nothing but latency and ramp comes between signal and response.
"""

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
    StayStates,
    arrival_soc,
    battery_step,
    charge_gain,
    charge_limit,
    discharge_limit,
    full_rate,
    mean_power,
    needed_before,
)
from gridimpact.dispatch.kernels_graph import compiled

_SMALL_KW = 1e-9
_SAME_SOC = 1e-13


class Offer(NamedTuple):
    """What cars offer of what they could."""

    bidirectional: bool
    up: float
    """Share of the possible power up, 0..1."""
    down: float
    symmetric: bool
    """Both ways the smaller of the two."""
    point: float
    """Operating point over the highest charging power; NaN is the mean power that meets the target."""
    sustain_h: float
    """Time the band can be held at the rail."""


class Span(NamedTuple):
    """Times of a step [h]."""

    hours: float
    """For which a power must be held."""
    left_h: float
    """Until departure, the step included."""
    dt_h: float


class Terms(NamedTuple):
    """What is asked of whom, and where."""

    offer: Offer
    around: Connection
    response: FloatArray
    """(time, tick) in units of the band, positive is up."""


class Inside(NamedTuple):
    """What happened, (time, vehicle); filled by `run_regulation`."""

    p_kw: FloatArray
    soc: FloatArray
    point_kw: FloatArray
    low_kw: FloatArray
    high_kw: FloatArray
    cycled_kwh: FloatArray
    inner_loss_kwh: FloatArray
    nominal_kw: FloatArray
    """Band that the charger alone would allow at the operating point; NaN while away."""


@compiled
def lowest_power(
    soc: float,
    span: Span,
    p_max_kw: float,
    i: int,
    bidirectional: bool,
    s: StayArrays,
    b: BatteryArrays,
) -> tuple[float, float]:
    """Return the lowest power of stay `i` that target and battery bear for some hours [kW].

    The first is what the target asks for where later steps may charge at `p_max_kw`, the second what
    battery and charger allow at all.
    """
    v = s.vehicle[i]
    rate = full_rate(p_max_kw, v, b)
    target = s.soc_target[i]
    wanted = -np.inf
    held_h = max(span.hours, span.dt_h)
    for hours in (span.dt_h, min(held_h, span.left_h)):
        need = needed_before(target, span.left_h - hours, rate, b.soc_knee[v], b.taper_fraction[v])
        # A need that only rounding puts above what is there is met.
        if abs(need - soc) < _SAME_SOC:
            need = soc
        wanted = max(wanted, mean_power(soc, need, hours, v, b))
    floor = max(s.soc_reserve[i], b.soc_min[v])
    allowed = 0.0
    if bidirectional:
        allowed = -discharge_limit(soc, held_h, s.p_discharge_kw[i], floor, v, b)
    return wanted, allowed


@compiled
def _preferred(
    soc: float, left_h: float, i: int, o: Offer, s: StayArrays, b: BatteryArrays
) -> float:
    """Return where stay `i` would like to operate [kW]: given, or the mean power to its target."""
    v = s.vehicle[i]
    target = s.soc_target[i]
    if not math.isnan(o.point):
        point = o.point * s.p_charge_kw[i]
        return 0.0 if point > 0.0 and soc >= target else point
    mean = mean_power(soc, target, left_h, v, b)
    return mean if o.bidirectional or mean > 0.0 else 0.0


@compiled
def _band(
    soc: float,
    t: int,
    dt_h: float,
    i: int,
    o: Offer,
    around: Connection,
    s: StayArrays,
    b: BatteryArrays,
) -> tuple[float, float, float, float]:
    """Return operating point, power up, power down and the charger's own band of a step [kW]."""
    v, left_h, site = s.vehicle[i], (s.end[i] - t) * dt_h, around.site[i]
    span = Span(o.sustain_h, left_h, dt_h)
    wanted, allowed = lowest_power(soc, span, s.p_charge_kw[i], i, o.bidirectional, s, b)
    top = charge_limit(soc, max(o.sustain_h, dt_h), s.p_charge_kw[i], b.soc_max[v], v, b)
    high = min(top, around.room_kw[t, site])
    if around.room_kw[t, site] < s.p_charge_kw[i]:
        # As long as the fuse leaves no more than now, the target needs power earlier.
        sooner, _ = lowest_power(soc, span, around.room_kw[t, site], i, o.bidirectional, s, b)
        wanted = max(wanted, min(sooner, high))
    low = max(wanted, max(allowed, -around.spare_kw[t, site]))
    if low >= high:
        # The target goes before the fuse and before the service.
        full = charge_limit(soc, dt_h, s.p_charge_kw[i], b.soc_max[v], v, b)
        point = min(max(wanted, min(high, 0.0)), full)
        return (0.0 if 0.0 < point <= b.idle_kw[v] else point), 0.0, 0.0, 0.0
    point = min(max(_preferred(soc, left_h, i, o, s, b), low), high)
    up, down = o.up * (point - low), o.down * (high - point)
    feed = s.p_discharge_kw[i] if o.bidirectional else 0.0
    own_up, own_down = o.up * (point + feed), o.down * (s.p_charge_kw[i] - point)
    if o.symmetric:
        up, down, own_up = min(up, down), min(up, down), min(own_up, own_down)
        own_down = own_up
    if up + down <= _SMALL_KW:
        up, down = 0.0, 0.0
        if 0.0 < point <= b.idle_kw[v]:
            point = 0.0
    return point, up, down, own_up + own_down


@compiled
def _follow(
    point: float,
    up: float,
    down: float,
    response: FloatArray,
    dt_h: float,
    v: int,
    b: BatteryArrays,
) -> tuple[float, float, float]:
    """Return drawn and fed energy at the meter and the battery's gain of one step [kWh]."""
    drawn = fed = gain = 0.0
    idle, charged, taken = b.idle_kw[v], b.eta_charge[v], 1.0 / b.eta_discharge[v]
    for k in range(response.size):
        r = response[k]
        power = point - (up * r if r > 0.0 else down * r)
        if power > 0.0:
            drawn += power
            gain += charged * max(power - idle, 0.0)
        elif power < 0.0:
            fed -= power
            gain += taken * (power - idle)
    tick = dt_h / response.size
    return drawn * tick, fed * tick, gain * tick


@compiled
def _served(
    soc: float,
    t: int,
    dt_h: float,
    i: int,
    terms: Terms,
    s: StayArrays,
    b: BatteryArrays,
    out: Inside,
) -> float:
    """Write one step of a car in the service; return its state of charge at the end."""
    v = s.vehicle[i]
    point, up, down, nominal = _band(soc, t, dt_h, i, terms.offer, terms.around, s, b)
    out.point_kw[t, v] = point
    out.low_kw[t, v], out.high_kw[t, v] = point - up, point + down
    out.nominal_kw[t, v] = nominal
    if up == 0.0 and down == 0.0:
        out.p_kw[t, v] = point
        return float(battery_step(soc, point, dt_h, v, b))
    drawn, fed, gain = _follow(point, up, down, terms.response[t], dt_h, v, b)
    mean = (drawn - fed) / dt_h
    after = soc + gain / b.capacity_kwh[v]
    out.p_kw[t, v] = mean
    out.cycled_kwh[t, v] = min(drawn, fed)
    out.inner_loss_kwh[t, v] = (battery_step(soc, mean, dt_h, v, b) - after) * b.capacity_kwh[v]
    return float(after)


@compiled
def run_regulation(
    terms: Terms,
    controlled: BoolArray,
    soc_initial: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    states: StayStates,
    out: Inside,
) -> None:
    """Run every stay in order; cars that are not controlled charge at once to their target.

    Writes into `s.soc_target` what each stay aims at.
    """
    steps, vehicles = out.p_kw.shape
    state = soc_initial.copy()
    done = np.zeros(vehicles, dtype=np.int64)
    for i in range(s.vehicle.size):
        v, first, last = s.vehicle[i], s.start[i], s.end[i]
        out.soc[done[v] : first, v] = state[v]
        soc, states.away_kwh[i] = arrival_soc(state[v], i, s, b)
        states.soc_arrival[i] = soc
        target = max(min(s.soc_target[i], b.soc_max[v]), soc)
        # A car leaves with no less than it came with, or its next stay could be too short.
        s.soc_target[i] = target
        rate = full_rate(s.p_charge_kw[i], v, b)
        states.soc_full_power[i] = soc + charge_gain(
            soc, (last - first) * dt_h, rate, b.soc_knee[v], b.taper_fraction[v], target
        )
        for t in range(first, last):
            if controlled[v]:
                soc = _served(soc, t, dt_h, i, terms, s, b, out)
            else:
                power = charge_limit(soc, dt_h, s.p_charge_kw[i], target, v, b)
                out.p_kw[t, v] = out.low_kw[t, v] = out.high_kw[t, v] = power
                soc = battery_step(soc, power, dt_h, v, b)
            out.soc[t, v] = soc
        states.soc_departure[i] = soc
        state[v] = soc
        done[v] = last
    for v in range(vehicles):
        out.soc[done[v] : steps, v] = state[v]
