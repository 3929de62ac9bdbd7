"""Cars stepped one step at a time: what each wants now, and what became of its battery.

What a car wants follows from its base plan: the power that brings its battery back to where the plan has
it at the end of the step. Energy held back is so made up as soon as it is allowed, and a car that is on
its plan wants just what the plan says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.execute import battery_arrays, stay_arrays
from gridimpact.dispatch.kernels import (
    BatteryArrays,
    StayArrays,
    battery_step,
    charge_limit,
    discharge_limit,
    full_rate,
    mean_power,
    needed_before,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_presence import Presence, move_on, presence
from gridimpact.dispatch.kernels_queue import hours_needed
from gridimpact.records import Dispatch, FloatArray, PlanRequest

_OFF_PLAN = 1e-12
"""A state of charge this near to the plan's is on the plan: its power is taken bit by bit."""


class BasePlan(NamedTuple):
    """What the cars want without the grid, (time, vehicle)."""

    p_kw: FloatArray
    soc: FloatArray
    soc_before: FloatArray
    """State of charge on the plan at the begin of each step, trips of the plan booked."""


class Wants(NamedTuple):
    """What the cars want at one step, (vehicle,), written in place."""

    p_kw: FloatArray
    """Positive draws, negative feeds."""
    least_kw: FloatArray
    """Power that the guard insists on; minus infinity without one."""
    rated_kw: FloatArray
    laxity_h: FloatArray


class Scene(NamedTuple):
    """All that stays the same from step to step."""

    stays: StayArrays
    batteries: BatteryArrays
    base: BasePlan
    dt_h: float
    guard: bool


@compiled
def want(t: int, v: int, i: int, soc: float, scene: Scene, out: Wants) -> None:
    """Write what vehicle `v` in stay `i` wants at step `t`."""
    s, b, base, dt_h = scene.stays, scene.batteries, scene.base, scene.dt_h
    limit = charge_limit(soc, dt_h, s.p_charge_kw[i], b.soc_max[v], v, b)
    planned = base.p_kw[t, v]
    wanted = min(planned, limit)
    if abs(soc - base.soc_before[t, v]) > _OFF_PLAN:
        back = mean_power(soc, base.soc[t, v], dt_h, v, b)
        wanted = min(max(back, min(planned, 0.0)), limit if planned >= 0.0 else 0.0)
    if wanted < 0.0:
        floor = max(s.soc_reserve[i], b.soc_min[v])
        wanted = -min(-wanted, discharge_limit(soc, dt_h, s.p_discharge_kw[i], floor, v, b))
    target = min(s.soc_target[i], b.soc_max[v])
    least = -np.inf
    if scene.guard:
        later = (s.end[i] - 1 - t) * dt_h
        rate = full_rate(s.p_charge_kw[i], v, b)
        need = needed_before(target, later, rate, b.soc_knee[v], b.taper_fraction[v])
        least = min(mean_power(soc, need, dt_h, v, b), limit)
        wanted = max(wanted, least)
    out.p_kw[v] = wanted + 0.0
    out.least_kw[v] = least
    out.rated_kw[v] = s.p_charge_kw[i] if wanted >= 0.0 else s.p_discharge_kw[i]
    out.laxity_h[v] = np.inf
    if s.p_charge_kw[i] > b.idle_kw[v]:
        left = hours_needed(soc, max(target, soc), i, s, b)
        out.laxity_h[v] = (s.end[i] - t) * dt_h - left


@compiled
def begin(t: int, scene: Scene, here: Presence, out: Wants) -> None:
    """Let cars arrive and leave at step `t` and write what those plugged in want."""
    move_on(t, scene.stays, scene.batteries, here)
    for v in range(here.soc.size):
        i = here.current[v]
        if i < 0:
            out.p_kw[v], out.least_kw[v], out.rated_kw[v] = 0.0, -np.inf, 0.0
            out.laxity_h[v] = np.inf
        else:
            want(t, v, i, here.soc[v], scene, out)


@compiled
def advance(p_kw: FloatArray, scene: Scene, here: Presence) -> None:
    """Move the batteries of cars plugged in; power that only feeds the loss of conversion becomes 0."""
    for v in range(here.soc.size):
        if here.current[v] >= 0:
            if 0.0 < p_kw[v] <= scene.batteries.idle_kw[v]:
                p_kw[v] = 0.0
            here.soc[v] = battery_step(here.soc[v], p_kw[v], scene.dt_h, v, scene.batteries)


@compiled
def run_firm(
    caps_kw: FloatArray, scene: Scene, here: Presence, out: Wants, p_kw: FloatArray
) -> None:
    """Fill `p_kw` with what the cars want, each stay's draw and feed at most its caps, (2, stay)."""
    for t in range(p_kw.shape[0]):
        begin(t, scene, here, out)
        for v in range(p_kw.shape[1]):
            i = here.current[v]
            if i >= 0:
                power = min(max(out.p_kw[v], -caps_kw[1, i]), caps_kw[0, i])
                p_kw[t, v] = max(power, out.least_kw[v]) if scene.guard else power
        advance(p_kw[t], scene, here)


class Cars:
    """The cars of all scenarios side by side; vehicle k of scenario s stands at ``s * vehicles + k``.

    Parameters
    ----------
    requests : sequence of PlanRequest
        One per scenario, of one timeline and as many vehicles each.
    plans : sequence of Dispatch
        What the cars want, by scenario.
    guard : bool
        Whether targets go before limits.
    """

    def __init__(
        self, requests: Sequence[PlanRequest], plans: Sequence[Dispatch], *, guard: bool
    ) -> None:
        vehicles = len(requests[0].vehicle_id)
        stays, batteries = _joined(requests, vehicles)
        before = [_soc_before(r, p) for r, p in zip(requests, plans, strict=True)]
        columns = ([p.p_kw for p in plans], [p.soc for p in plans], before)
        base = BasePlan(*(np.ascontiguousarray(np.concatenate(c, axis=1)) for c in columns))
        self.scene = Scene(stays, batteries, base, requests[0].timeline.dt_h, guard)
        self.here = presence(np.concatenate([r.soc_initial for r in requests]), stays)
        self.wants = Wants(*(np.zeros(self.here.soc.size) for _ in Wants._fields))

    def begin(self, t: int) -> None:
        """Let cars arrive and leave; `wants` and `here.current` then hold for step `t`."""
        begin(t, self.scene, self.here, self.wants)

    def advance(self, p_kw: FloatArray) -> None:
        """Move the batteries by the power delivered, (vehicle,) [kW]."""
        advance(p_kw, self.scene, self.here)


def firm_power(
    request: PlanRequest, plan: Dispatch, caps_kw: FloatArray, *, guard: bool
) -> FloatArray:
    """Return power where every stay keeps to limits of its own, (time, vehicle) [kW].

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    plan : Dispatch
        What the cars want.
    caps_kw : ndarray
        (2, stay) highest draw and highest feed, magnitudes; infinite for no limit.
    guard : bool
        Raise power where the target would be missed else.
    """
    cars = Cars([request], [plan], guard=guard)
    p_kw = np.zeros((request.timeline.count, len(request.vehicle_id)))
    caps = np.ascontiguousarray(caps_kw, dtype=np.float64)
    run_firm(caps, cars.scene, cars.here, cars.wants, p_kw)
    return p_kw


def _joined(requests: Sequence[PlanRequest], vehicles: int) -> tuple[StayArrays, BatteryArrays]:
    """Return stays and batteries of all scenarios one after the other."""
    stays = [stay_arrays(request) for request in requests]
    columns = {
        name: np.concatenate([getattr(part, name) for part in stays])
        for name in StayArrays._fields
        if name != "vehicle"
    }
    vehicle = np.concatenate([part.vehicle + k * vehicles for k, part in enumerate(stays)])
    held = [battery_arrays(request) for request in requests]
    return StayArrays(vehicle=vehicle, **columns), BatteryArrays(
        *(np.concatenate([getattr(part, name) for part in held]) for name in BatteryArrays._fields)
    )


def _soc_before(request: PlanRequest, plan: Dispatch) -> FloatArray:
    """Return the plan's state of charge at the begin of each step inside stays, (time, vehicle)."""
    held, power = request.batteries, plan.p_kw
    net = np.where(power > 0.0, np.maximum(power - held.idle_kw, 0.0) * held.eta_charge, 0.0)
    net += np.where(power < 0.0, (power - held.idle_kw) / held.eta_discharge, 0.0)
    return np.asarray(plan.soc - net * request.timeline.dt_h / held.capacity_kwh)
