"""Compiled plans of many batteries: each for itself, or together for a common load; and their reserve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels_graph import Device, FloatArray, compiled
from gridimpact.dispatch.kernels_storage import BoolArray, Cells, Storage, backward, forward
from gridimpact.dispatch.kernels_taper import Scratch, scratch

_CLOSE = 1e-9
"""Energies closer than this are the same [kWh]."""


@compiled
def device_of(c: Cells, v: int, dt_h: float, penalty: float) -> Device:
    """Return the battery of vehicle `v`."""
    return Device(c.eta_charge[v], c.eta_discharge[v], c.wear[v], dt_h, penalty)


@compiled
def plan_alone(
    s: Storage, c: Cells, dt_h: float, penalty: float, p_kw: FloatArray, energy: FloatArray
) -> None:
    """Write the least-cost plan of every vehicle for itself, (vehicle, time)."""
    w = scratch(s.up_kw.shape[1])
    for v in range(s.up_kw.shape[0]):
        device = device_of(c, v, dt_h, penalty)
        backward(s, v, c.value[v], device, w)
        forward(s, c, v, device, w, p_kw[v], energy[v])


class Common(NamedTuple):
    """Loads that many vehicles share."""

    curve: FloatArray
    """(group, time) cost of the last kW of a group's load per kW of it [currency/kWh/kW]."""
    base_kw: FloatArray
    """(group, time) load without the vehicles."""
    member: BoolArray
    """(vehicle, group, time) in which groups a vehicle's power counts."""


CHECK = 3
"""The gap to the optimum is measured after every so many rounds."""


@compiled
def plan_together(
    s: Storage,
    c: Cells,
    common: Common,
    timing: tuple[float, float, float, int],
    p_kw: FloatArray,
    energy: FloatArray,
) -> float:
    """Write the plan of least cost, where a group's load costs half the curve times its square.

    `timing` is step [h], penalty, relative gap to reach and most rounds. Every round gives each vehicle its
    best answer to all the others; the cost of the loads is smooth and the rest is each vehicle's own, so
    the rounds lead to the joint optimum. Starts from `p_kw`. Returns the gap reached: what all vehicles
    together could at most still save at the present prices, over the cost; that bounds the distance.
    """
    dt_h, penalty, goal, most = timing
    w = scratch(s.up_kw.shape[1])
    total = common.base_kw.copy()
    for v in range(s.up_kw.shape[0]):
        _add(total, common.member[v], p_kw[v], 1.0)
    gap = np.inf
    for rounds in range(1, most + 1):
        for v in range(s.up_kw.shape[0]):
            _add(total, common.member[v], p_kw[v], -1.0)
            _price(s.meter[v], common, common.member[v], total, 1.0)
            device = device_of(c, v, dt_h, penalty)
            backward(s, v, c.value[v], device, w)
            forward(s, c, v, device, w, p_kw[v], energy[v])
            _add(total, common.member[v], p_kw[v], 1.0)
        if rounds % CHECK == 0 or rounds == most:
            gap = _gap(s, c, common, (dt_h, penalty), total, (p_kw, energy), w)
            if gap <= goal:
                break
    return gap


@compiled
def _gap(
    s: Storage,
    c: Cells,
    common: Common,
    timing: tuple[float, float],
    total: FloatArray,
    plan: tuple[FloatArray, FloatArray],
    w: Scratch,
) -> float:
    """Return what the vehicles could at most still save at the present prices, over the cost."""
    steps = s.up_kw.shape[1]
    other, after = np.empty(steps), np.empty(steps)
    saved = 0.0
    for v in range(s.up_kw.shape[0]):
        _price(s.meter[v], common, common.member[v], total, 0.0)
        device = device_of(c, v, timing[0], timing[1])
        backward(s, v, c.value[v], device, w)
        forward(s, c, v, device, w, other, after)
        saved += _own_cost(s, c, v, device, plan[0][v], plan[1][v])
        saved -= _own_cost(s, c, v, device, other, after)
    cost = 0.5 * timing[0] * np.sum(common.curve * total * total)
    return float(saved / max(cost, 1e-9))


@compiled
def _own_cost(
    s: Storage, c: Cells, v: int, device: Device, p_kw: FloatArray, energy: FloatArray
) -> float:
    """Return what a plan costs a vehicle at constant prices, penalties and energy left counted."""
    cost = -c.value[v] * energy[-1]
    for t in range(p_kw.size):
        cost += (s.meter[v, t, 3] * p_kw[t] + device.wear * max(-p_kw[t], 0.0)) * device.dt_h
        if s.need_kwh[v, t] >= 0.0:
            cost += device.penalty * max(s.need_kwh[v, t] - energy[t], 0.0)
    return float(cost)


@compiled
def _add(total: FloatArray, member: BoolArray, p_kw: FloatArray, sign: float) -> None:
    """Add a vehicle's power to the loads of its groups."""
    for g in range(total.shape[0]):
        for t in range(total.shape[1]):
            if member[g, t]:
                total[g, t] += sign * p_kw[t]


@compiled
def _price(
    meter: FloatArray, common: Common, member: BoolArray, load_kw: FloatArray, bend: float
) -> None:
    """Write what a kW costs a vehicle at loads of the groups, rising with its own power by `bend`."""
    meter[:] = 0.0
    for g in range(load_kw.shape[0]):
        for t in range(load_kw.shape[1]):
            if member[g, t]:
                meter[t, 0] += bend * common.curve[g, t]
                meter[t, 2] += common.curve[g, t] * load_kw[g, t]
                meter[t, 3] = meter[t, 2]


@compiled
def keep_reserve(
    s: Storage, c: Cells, reserve_kwh: FloatArray, target_kwh: FloatArray, dt_h: float, refill: bool
) -> None:
    """Set the least energy of every step so that nothing is discharged below the reserve.

    A car that arrives below it is charged to it at once before it may discharge, or, without `refill`
    or where its target is lower, does not discharge in that stay. What a car holds on later arrivals is
    taken from its targets. Writes `lower_kwh` and `down_kw`.
    """
    for v in range(s.up_kw.shape[0]):
        held, full, mode, fresh = c.initial_kwh[v], 0.0, 0, True
        for t in range(s.up_kw.shape[1]):
            if not s.plugged[v, t]:
                fresh = True
                continue
            if fresh:
                if not math.isnan(s.arrival_kwh[v, t]):
                    held = s.arrival_kwh[v, t]
                elif s.drain_kwh[v, t] > 0.0:
                    held = max(min(c.floor_kwh[v], held), held - s.drain_kwh[v, t])
                full, mode = held, 0
                if held < reserve_kwh[v, t] - _CLOSE:
                    mode = 1 if refill and target_kwh[v, t] >= reserve_kwh[v, t] else 2
            begun = full
            line = s.ratio[v, t] * full + s.offset_kwh[v, t] if s.ratio[v, t] < 1.0 else math.inf
            full = min(full + s.up_kw[v, t] * c.eta_charge[v] * dt_h, max(line, full))
            full = max(min(full, s.upper_kwh[v, t]), begun)
            s.lower_kwh[v, t] = 0.0
            if mode == 2 or (mode == 1 and begun < reserve_kwh[v, t] - _CLOSE):
                s.down_kw[v, t] = 0.0
            if mode < 2:
                s.lower_kwh[v, t] = max(min(reserve_kwh[v, t], full) - _CLOSE, 0.0)
            fresh = s.need_kwh[v, t] >= 0.0
            if fresh:
                held = max(min(s.need_kwh[v, t], full), s.lower_kwh[v, t])


@compiled
def follow(s: Storage, c: Cells, dt_h: float, p_kw: FloatArray) -> FloatArray:
    """Return the energy at the end of each step, (vehicle, time), that a plan of powers leads to."""
    energy = np.empty_like(p_kw)
    for v in range(p_kw.shape[0]):
        state = c.initial_kwh[v]
        for t in range(p_kw.shape[1]):
            if s.plugged[v, t]:
                if not math.isnan(s.arrival_kwh[v, t]):
                    state = s.arrival_kwh[v, t]
                elif s.trip_kwh[v, t] > 0.0:
                    state = max(min(c.floor_kwh[v], state), state - s.trip_kwh[v, t])
                power = p_kw[v, t]
                factor = c.eta_charge[v] if power > 0.0 else 1.0 / c.eta_discharge[v]
                state += power * factor * dt_h
            energy[v, t] = state
    return energy
