"""Compiled walk through an outage: a home or building on its own cars and its own sun."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    StayArrays,
    arrival_soc,
    battery_step,
    charge_limit,
    discharge_limit,
)
from gridimpact.dispatch.kernels_graph import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_CLOSE = 1e-9
"""Power closer than this is the same [kW]."""
_HALVINGS = 44
"""Rounds that find a moment inside a step to the last digit."""


class Islands(NamedTuple):
    """What every site has when the grid is gone."""

    load_kw: FloatArray
    """(site, time) critical load."""
    sun_kw: FloatArray
    """(site, time) generation, zero or more."""
    inverter_kw: FloatArray
    """(site,) most that all cars of a site may feed together."""
    first: IntArray
    """(site,) place in `stay` where its stays begin."""
    number: IntArray
    """(site,)"""
    stay: IntArray
    """Stays that can feed, by site."""


class Span(NamedTuple):
    """How long and by which rules an outage is followed."""

    steps: int
    day: int
    """Steps that are repeated after the last one of the request."""
    dt_h: float
    sun_charges: bool
    leave: bool


class Moment(NamedTuple):
    """State of charge before every outage."""

    soc: FloatArray
    """(time, vehicle) at the end of each step."""
    soc_arrival: FloatArray
    """(stay,)"""
    cut: BoolArray
    """(stay,) goes on beyond the last step."""


class Outcome(NamedTuple):
    """What became of each outage, (start, site); filled by `every_start`."""

    hours_full: FloatArray
    hours: FloatArray
    load_kwh: FloatArray
    served_kwh: FloatArray
    car_kwh: FloatArray
    cars: IntArray


@compiled
def arrivals(
    soc_initial: FloatArray, soc: FloatArray, s: StayArrays, b: BatteryArrays
) -> FloatArray:
    """Return the state of charge on arrival at every stay of a dispatch, (stay,)."""
    state, found = soc_initial.copy(), np.empty(s.vehicle.size)
    for i in range(s.vehicle.size):
        v = s.vehicle[i]
        found[i] = arrival_soc(state[v], i, s, b)[0]
        state[v] = soc[s.end[i] - 1, v] if s.end[i] > s.start[i] else found[i]
    return found


@compiled
def _feed(
    want_kw: float,
    here: IntArray,
    state: FloatArray,
    power: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
) -> float:
    """Share what is wanted among the cars by the energy they may give; return what they give [kW]."""
    n = here.size
    able, weight = np.zeros(n), np.zeros(n)
    for k in range(n):
        power[k] = 0.0
        if here[k] < 0:
            continue
        i = here[k]
        v = s.vehicle[i]
        able[k] = discharge_limit(state[k], dt_h, s.p_discharge_kw[i], s.soc_reserve[i], v, b)
        weight[k] = max(state[k] - s.soc_reserve[i], 0.0) * b.capacity_kwh[v] * b.eta_discharge[v]
    left = min(want_kw, able.sum())
    given = left
    for _ in range(n):
        total = 0.0
        for k in range(n):
            if able[k] - power[k] > _CLOSE:
                total += weight[k]
        if left <= _CLOSE or total <= 0.0:
            break
        share = left / total
        for k in range(n):
            if able[k] - power[k] > _CLOSE:
                more = min(share * weight[k], able[k] - power[k])
                power[k] += more
                left -= more
    for k in range(n):
        power[k] = -power[k]
    return float(given - max(left, 0.0))


@compiled
def _lasts(
    want_kw: float,
    here: IntArray,
    state: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
) -> float:
    """Return how long within a step the cars can give what is wanted [h], each within its power."""
    low, high = 0.0, dt_h
    for _ in range(_HALVINGS):
        span = 0.5 * (low + high)
        total = 0.0
        for k in range(here.size):
            if here[k] >= 0:
                i, v = here[k], s.vehicle[here[k]]
                total += discharge_limit(
                    state[k], span, s.p_discharge_kw[i], s.soc_reserve[i], v, b
                )
        if total >= want_kw:
            low = span
        else:
            high = span
    return low


@compiled
def _store(
    surplus_kw: float,
    here: IntArray,
    state: FloatArray,
    power: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
) -> None:
    """Charge the cars one after the other from what the sun leaves over."""
    left = surplus_kw
    for k in range(here.size):
        power[k] = 0.0
        if here[k] < 0:
            continue
        i = here[k]
        v = s.vehicle[i]
        most = min(left, charge_limit(state[k], dt_h, s.p_charge_kw[i], b.soc_max[v], v, b))
        if most > b.idle_kw[v]:
            power[k] = most
            left -= most


@compiled
def _present(t: int, here: IntArray, last_step: int, m: Moment, r: Span, s: StayArrays) -> float:
    """Take the cars that have left out of `here`; return what the others' chargers can feed [kW]."""
    able = 0.0
    for k in range(here.size):
        i = here[k]
        if i >= 0 and r.leave and t >= s.end[i] and not (m.cut[i] and s.end[i] >= last_step):
            here[k] = -1
        if here[k] >= 0:
            able += s.p_discharge_kw[i]
    return able


@compiled
def at_hand(t: int, site: int, h: Islands, m: Moment, s: StayArrays) -> tuple[IntArray, FloatArray]:
    """Return the stays at a site in a step and the state of charge of their cars before it."""
    found = np.empty(h.number[site], dtype=np.int64)
    n = 0
    for place in range(h.first[site], h.first[site] + h.number[site]):
        i = h.stay[place]
        if s.start[i] <= t < s.end[i]:
            found[n] = i
            n += 1
    state = np.empty(n)
    for k in range(n):
        i = found[k]
        state[k] = m.soc_arrival[i] if s.start[i] == t else m.soc[t - 1, s.vehicle[i]]
    return found[:n].copy(), state


@compiled
def carry(
    start: int,
    site: int,
    h: Islands,
    m: Moment,
    r: Span,
    s: StayArrays,
    b: BatteryArrays,
    line: FloatArray,
) -> tuple[float, float, int]:
    """Follow one outage; write load, supply and the cars' power to `line`, (3, step) [kW].

    Returns the hours in which all of the critical load is carried, the hours until the cars first give
    less than load and inverter ask for, and the number of cars at the start.
    """
    here, state = at_hand(start, site, h, m, s)
    cars, steps = here.size, h.load_kw.shape[1]
    power = np.zeros(cars)
    full, any_ = (-1.0, -1.0) if cars > 0 else (0.0, 0.0)
    for k in range(r.steps):
        t = start + k
        at = t if t < steps else steps - r.day + (t - steps) % r.day
        line[0, k], line[1, k], line[2, k] = h.load_kw[site, at], 0.0, 0.0
    for k in range(r.steps):
        t = start + k
        at = t if t < steps else steps - r.day + (t - steps) % r.day
        load, sun = line[0, k], h.sun_kw[site, at]
        able = min(_present(t, here, steps, m, r, s), h.inverter_kw[site])
        gap = load - sun
        want = min(gap, able)
        given = 0.0
        power[:] = 0.0
        if able > 0.0 and gap > 0.0:
            given = _feed(want, here, state, power, r.dt_h, s, b)
        elif able > 0.0 and r.sun_charges:
            _store(-gap, here, state, power, r.dt_h, s, b)
        supply = 0.0 if able <= 0.0 else min(load, sun + given)
        if full < 0.0 and supply < load - _CLOSE:
            full = k * r.dt_h
            if able > 0.0 and able >= gap - _CLOSE:
                full += _lasts(gap, here, state, r.dt_h, s, b)
        if any_ < 0.0 and (able <= 0.0 or given < want - _CLOSE):
            any_ = k * r.dt_h
            if able > 0.0:
                any_ += _lasts(want, here, state, r.dt_h, s, b)
        if able <= 0.0 and full >= 0.0 and any_ >= 0.0:
            # Who has left does not come back in this outage.
            break
        line[1, k], line[2, k] = supply, power.sum()
        for n in range(cars):
            if here[n] >= 0:
                state[n] = battery_step(state[n], power[n], r.dt_h, s.vehicle[here[n]], b)
    longest = r.steps * r.dt_h
    return longest if full < 0.0 else full, longest if any_ < 0.0 else any_, cars


@compiled
def every_start(
    h: Islands, m: Moment, r: Span, s: StayArrays, b: BatteryArrays, out: Outcome
) -> None:
    """Follow an outage from every step at every site; fill `out`."""
    sites, steps = h.load_kw.shape
    line = np.zeros((3, r.steps))
    for site in range(sites):
        for start in range(steps):
            full, any_, cars = carry(start, site, h, m, r, s, b, line)
            out.hours_full[start, site] = full
            out.hours[start, site] = any_
            out.cars[start, site] = cars
            for k in range(r.steps):
                out.load_kwh[start, site] += line[0, k] * r.dt_h
                out.served_kwh[start, site] += line[1, k] * r.dt_h
                out.car_kwh[start, site] += max(-line[2, k], 0.0) * r.dt_h
