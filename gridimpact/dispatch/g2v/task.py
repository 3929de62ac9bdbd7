"""What controlled charging has to deliver and where it may: shared by all plans that never discharge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit

from gridimpact.dispatch.execute import (
    battery_arrays,
    full_power,
    full_power_eta,
    power_by_group,
    power_by_site,
    stay_arrays,
)
from gridimpact.dispatch.kernels import BatteryArrays, StayArrays, battery_step, charge_limit
from gridimpact.records import BoolArray, FloatArray, IntArray, PlanRequest

CUT = 1e-4
"""Share of the energy that a plan may leave to the guard because the battery takes less near full."""


@dataclass(frozen=True)
class ChargingTask:
    """Needs, caps and surroundings of every stay; cells are the steps of one stay after the other.

    Attributes
    ----------
    energy_kw : ndarray
        (stay,) sum of power over its steps that brings the stay to its target, or as near to it as full
        power from arrival would; zero for vehicles that are not controlled.
    offset : ndarray of int
        (stay,) first cell.
    cap_kw : ndarray
        (cell,) highest power.
    total_kw : ndarray
        (group, time) demand of each group with the uncontrolled cars.
    headroom_kw : ndarray
        (site, time) room under the main fuse beside the site's own demand and uncontrolled cars.
    around_kw : ndarray
        (site, time) the site's own demand and uncontrolled cars less its generation.
    soc_arrival, soc_departure : ndarray
        (stay,) of charging at full power from arrival to the target.
    stays, batteries : StayArrays, BatteryArrays
        As the kernels take them.
    """

    energy_kw: FloatArray
    offset: IntArray
    cap_kw: FloatArray
    total_kw: FloatArray
    headroom_kw: FloatArray
    around_kw: FloatArray
    soc_arrival: FloatArray
    soc_departure: FloatArray
    stays: StayArrays
    batteries: BatteryArrays
    dt_h: float

    def cells(self, stay: int) -> slice:
        """Return the cells of one stay."""
        begin = int(self.offset[stay])
        return slice(begin, begin + int(self.stays.end[stay] - self.stays.start[stay]))


def charging_task(request: PlanRequest, controlled: BoolArray) -> ChargingTask:
    """Return what the controlled vehicles have to draw, and what lies around them.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    controlled : ndarray of bool
        (vehicle,); the others are added to groups and sites as uncontrolled charging.

    Returns
    -------
    ChargingTask
        A plan that fulfils it serves every stay as well as uncontrolled charging.
    """
    stays, batteries, dt_h = stay_arrays(request), battery_arrays(request), request.timeline.dt_h
    p_kw, _, states = full_power(request)
    gain = np.maximum(states.soc_departure - states.soc_arrival, 0.0)
    kwh = gain * batteries.capacity_kwh[stays.vehicle] / full_power_eta(request)
    steps = stays.end - stays.start
    others = np.where(controlled[None, :], 0.0, p_kw)
    around = request.site_load_kw + request.site_pv_kw + power_by_site(request, others)
    return ChargingTask(
        energy_kw=np.where(controlled[stays.vehicle], kwh / dt_h, 0.0),
        offset=np.concatenate([[0], np.cumsum(steps)])[:-1].astype(np.int64),
        cap_kw=np.repeat(stays.p_charge_kw, steps),
        total_kw=np.ascontiguousarray((request.background_kw + power_by_group(request, others)).T),
        headroom_kw=np.ascontiguousarray((request.site_import_limit_kw[None, :] - around).T),
        around_kw=np.ascontiguousarray(around.T),
        soc_arrival=states.soc_arrival,
        soc_departure=states.soc_departure,
        stays=stays,
        batteries=batteries,
        dt_h=dt_h,
    )


def taper_caps(task: ChargingTask, power_kw: FloatArray) -> tuple[ChargingTask, float]:
    """Return the task with the caps that the plan's own trajectory has, and what they cut off.

    Parameters
    ----------
    task : ChargingTask
        Task of the plan.
    power_kw : ndarray
        (cell,) planned power.

    Returns
    -------
    tuple
        The task with caps lowered where the battery takes less, and the share of energy cut off the plan.
    """
    cap = task.cap_kw.copy()
    cut = lower_caps(
        power_kw, cap, task.soc_arrival, task.offset, task.dt_h, task.stays, task.batteries
    )
    return replace(task, cap_kw=cap), float(cut) / max(float(power_kw.sum()), 1e-9)


def as_request(request: PlanRequest, task: ChargingTask, power_kw: FloatArray) -> FloatArray:
    """Return power per cell as power per vehicle, (time, vehicle) [kW]."""
    asked = np.zeros((request.timeline.count, len(request.vehicle_id)))
    for i in np.flatnonzero(task.energy_kw > 0.0):
        first, last = task.stays.start[i], task.stays.end[i]
        asked[first:last, task.stays.vehicle[i]] = power_kw[task.cells(int(i))]
    return asked


def groups_of_stays(request: PlanRequest) -> tuple[IntArray, IntArray, IntArray]:
    """Return, per stay, where its groups begin in a list, how many there are, and the list."""
    member = np.asarray(request.group_member, dtype=np.bool_)
    charger, group = np.nonzero(member.T)
    count = np.bincount(charger, minlength=len(request.charger_id)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(count)])[:-1].astype(np.int64)
    at = np.asarray(request.stays.charger, dtype=np.int64)
    return first[at], count[at], group.astype(np.int64)


def _lower_caps(
    power: Any, cap: Any, soc_arrival: Any, offset: Any, dt_h: float, s: Any, b: Any
) -> float:
    """Lower `cap` to the battery's limit along the planned trajectory; return the power cut off [kW]."""
    cut = 0.0
    for i in range(offset.size):
        v, soc = s.vehicle[i], soc_arrival[i]
        target = max(min(s.soc_target[i], b.soc_max[v]), soc)
        if target <= b.soc_knee[v]:
            continue
        for k in range(s.end[i] - s.start[i]):
            cell = offset[i] + k
            limit = charge_limit(soc, dt_h, s.p_charge_kw[i], b.soc_max[v], v, b)
            cut += max(power[cell] - limit, 0.0)
            cap[cell] = min(limit, s.p_charge_kw[i])
            soc = battery_step(soc, min(power[cell], limit), dt_h, v, b)
    return cut


lower_caps = njit(cache=True)(_lower_caps)
