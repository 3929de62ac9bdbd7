"""Compiled plans of many batteries: each for itself, or together for a common load; and their reserve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels_graph import Device, FloatArray, compiled
from gridimpact.dispatch.kernels_storage import BoolArray, Cells, Storage, backward, forward
from gridimpact.dispatch.kernels_taper import scratch

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


@compiled
def plan_together(
    s: Storage,
    c: Cells,
    common: Common,
    timing: tuple[float, float, float, int],
    p_kw: FloatArray,
    energy: FloatArray,
) -> int:
    """Write the plan of least cost, where a group's load costs half the curve times its square.

    `timing` is step [h], penalty, tolerance [kW] and most rounds. Every round gives each vehicle its best
    answer to all the others; the cost of the loads is smooth and the rest is each vehicle's own, so the
    rounds end at the joint optimum. Starts from `p_kw`; returns the rounds taken.
    """
    dt_h, penalty, tolerance, most = timing
    vehicles = s.up_kw.shape[0]
    w = scratch(s.up_kw.shape[1])
    total = common.base_kw.copy()
    for v in range(vehicles):
        _add(total, common.member[v], p_kw[v], 1.0)
    for rounds in range(1, most + 1):
        moved = 0.0
        for v in range(vehicles):
            device = device_of(c, v, dt_h, penalty)
            before = p_kw[v].copy()
            _add(total, common.member[v], before, -1.0)
            _price(s.meter[v], common, common.member[v], total)
            backward(s, v, c.value[v], device, w)
            forward(s, c, v, device, w, p_kw[v], energy[v])
            _add(total, common.member[v], p_kw[v], 1.0)
            moved = max(moved, np.abs(p_kw[v] - before).max())
        if moved <= tolerance:
            return rounds
    return most


@compiled
def _add(total: FloatArray, member: BoolArray, p_kw: FloatArray, sign: float) -> None:
    """Add a vehicle's power to the loads of its groups."""
    for g in range(total.shape[0]):
        for t in range(total.shape[1]):
            if member[g, t]:
                total[g, t] += sign * p_kw[t]


@compiled
def _price(meter: FloatArray, common: Common, member: BoolArray, rest_kw: FloatArray) -> None:
    """Write what a kW costs a vehicle beside the rest of the loads."""
    meter[:] = 0.0
    for g in range(rest_kw.shape[0]):
        for t in range(rest_kw.shape[1]):
            if member[g, t]:
                meter[t, 0] += common.curve[g, t]
                meter[t, 2] += common.curve[g, t] * rest_kw[g, t]
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
