"""Charging under a ceiling of its own and the limits that cars share: main fuses and groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import execute, stay_arrays
from gridimpact.dispatch.g2v.task import ChargingTask, charging_task, groups_of_stays
from gridimpact.dispatch.kernels_sharing import Room
from gridimpact.dispatch.kernels_stays import hold
from gridimpact.dispatch.queue import Sharing, queue_power
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, Note, PlanRequest

FIRST_COME = Sharing("first_come")


def full_power_when(
    request: PlanRequest,
    mask: BoolArray,
    *,
    column: IntArray | None = None,
    first: IntArray | None = None,
) -> FloatArray:
    """Return full power of every stay in the steps that a rule allows, (time, vehicle) [kW].

    Parameters
    ----------
    request : PlanRequest
        Stays.
    mask : ndarray of bool
        (time, column) steps allowed.
    column : ndarray of int, optional
        (stay,) column of each stay; the first unless given.
    first : ndarray of int, optional
        (stay,) step before which nothing is allowed.
    """
    stays = stay_arrays(request)
    nothing = np.zeros(stays.vehicle.size, dtype=np.int64)
    out = np.zeros((request.timeline.count, len(request.vehicle_id)))
    hold(
        out,
        np.array(mask, dtype=np.bool_).reshape(request.timeline.count, -1),
        nothing if column is None else np.array(column, dtype=np.int64),
        nothing if first is None else np.array(first, dtype=np.int64),
        stays,
    )
    return out


def shared_power(
    request: PlanRequest,
    task: ChargingTask,
    controlled: BoolArray,
    sharing: Sharing,
    *,
    group_room_kw: FloatArray | None = None,
    ceiling_kw: FloatArray | None = None,
) -> FloatArray:
    """Return what the controlled cars get under main fuses and, where given, groups, (time, vehicle) [kW].

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    task : ChargingTask
        What lies around the controlled cars.
    controlled : ndarray of bool
        (vehicle,)
    sharing : Sharing
        Order and powers.
    group_room_kw : ndarray, optional
        (group, time) power left for the controlled cars of each group [kW].
    ceiling_kw : ndarray, optional
        (time, vehicle) most a car asks for [kW].
    """
    site = np.array(request.stays.site, dtype=np.int64)
    none = np.zeros(site.size, dtype=np.int64)
    if group_room_kw is None:
        room = Room(
            np.zeros((0, request.timeline.count)), task.headroom_kw.copy(), none, none, none, site
        )
    else:
        room = Room(group_room_kw.copy(), task.headroom_kw.copy(), *groups_of_stays(request), site)
    return queue_power(
        request.soc_initial,
        controlled,
        request.timeline.dt_h,
        task.stays,
        task.batteries,
        room,
        sharing,
        ceiling_kw,
    )


def charge_under(
    strategy: Strategy,
    request: PlanRequest,
    ceiling_kw: FloatArray,
    enrolled: float,
    *,
    strict: bool = False,
) -> Dispatch:
    """Return charging to the target under a ceiling and the main fuses.

    Parameters
    ----------
    strategy : Strategy
        Whose plan it is.
    request : PlanRequest
        Vehicles sorted by id.
    ceiling_kw : ndarray
        (time, vehicle) most a car may draw by the rule [kW].
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.
    strict : bool
        Keep ceiling and fuses even where the target is then missed; a note tells how many stays lack
        how much. Otherwise the driver's target wins: power is raised where a later start could not
        reach it any more.

    Returns
    -------
    Dispatch
        Cars behind one fuse are served in the order of arrival.
    """
    controlled = enrolled_vehicles(request, enrolled)
    asked = ceiling_kw
    if np.isfinite(request.site_import_limit_kw[request.stays.site]).any():
        task = charging_task(request, controlled)
        asked = shared_power(request, task, controlled, FIRST_COME, ceiling_kw=ceiling_kw)
    found = execute(
        request,
        asked,
        strategy=label(strategy),
        controlled=controlled,
        guard=not strict,
        ceiling="target",
        shortfall="limit",
    )
    if not strict:
        return found
    held_back = np.array([cause == "limit" for cause in found.unmet_cause], dtype=np.bool_)
    if not held_back.any():
        return found
    text = (
        f"{held_back.sum()} of {held_back.size} stays miss their target by "
        f"{found.unmet_kwh[held_back].sum():.1f} kWh together because the rule is kept strictly"
    )
    return replace(found, notes=(Note("warning", strategy.name, text),))
