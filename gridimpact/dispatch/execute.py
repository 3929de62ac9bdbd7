"""From what a strategy asked for to what the batteries did, with service guarded and the lack explained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    Rules,
    StayArrays,
    StayStates,
    add_power,
    run_stays,
)
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest

UNMET_KWH = 1e-7
"""Energy below this [kWh] is rounding, not a lack."""


def execute(
    request: PlanRequest,
    p_requested_kw: FloatArray,
    *,
    strategy: str,
    controlled: BoolArray,
    guard: bool = True,
    discharge_floor: str = "reserve",
    ceiling: str = "max",
    shortfall: str = "too_little_power",
) -> Dispatch:
    """Run a plan through batteries and chargers.

    Parameters
    ----------
    request : PlanRequest
        Stays, batteries and the time axis.
    p_requested_kw : ndarray
        (time, vehicle) power asked for at the meter [kW], positive draws from the grid; ignored
        outside stays and for vehicles that are not controlled.
    strategy : str
        Label of the plan.
    controlled : ndarray of bool
        (vehicle,); the others charge uncontrolled: full power until the target.
    guard : bool
        Raise power where a later start could not reach the target any more, and discharge nothing
        that the target still needs.
    discharge_floor : str
        "reserve" or "min": no discharge below the stay's reserve or below the battery's minimum.
    ceiling : str
        "max" or "target": charging on request ends at the battery's maximum or at the stay's target.
    shortfall : str
        Cause of unmet energy that full power from arrival would have met: "too_little_power" or "limit".

    Returns
    -------
    Dispatch
        Power delivered, state of charge, unmet energy and its cause.

    Raises
    ------
    InputError
        If the request has the wrong shape, is not finite or an option is unknown.

    Notes
    -----
    While power p flows, the battery gains ``eta_charge (p - idle)`` or loses ``(|p| + idle) /
    eta_discharge``; a charge request up to `idle_kw` does nothing. Charging power falls near full,
    discharging power near empty.
    The trip before a stay is booked on arrival and never takes the battery below `soc_min`; what it
    lacked is `away_kwh`. The latest start is the inverse of charging at full power, taper included.
    Where energy is unmet, the larger part names the cause: what full power from arrival would have left
    ("soc_floor" where the trip had emptied the battery, else "too_short"), or what the plan left.
    """
    _check(request, p_requested_kw, controlled, discharge_floor, ceiling)
    rules = Rules(guard, discharge_floor == "reserve", ceiling == "target")
    asked = _own(p_requested_kw, np.float64)
    p_kw, soc, states = _run(request, asked, controlled, rules)
    requested = p_requested_kw if np.all(controlled) else np.where(controlled, p_requested_kw, p_kw)
    unmet, cause = unmet_energy(request, states, shortfall)
    return Dispatch(
        strategy=strategy,
        p_requested_kw=requested,
        p_kw=p_kw,
        soc=soc,
        soc_initial=request.soc_initial,
        unmet_kwh=unmet,
        unmet_cause=cause,
        away_kwh=states.away_kwh,
        controlled=np.asarray(controlled, dtype=np.bool_),
    )


def full_power(request: PlanRequest) -> tuple[FloatArray, FloatArray, StayStates]:
    """Return power, state of charge and stay states of cars that charge at once to their target."""
    nobody = np.zeros(len(request.vehicle_id), dtype=np.bool_)
    asked = np.zeros((request.timeline.count, nobody.size))
    return _run(request, asked, nobody, Rules(False, True, True))


def battery_arrays(request: PlanRequest) -> BatteryArrays:
    """Return the batteries of a request as the kernels take them."""
    return BatteryArrays(
        *(_own(getattr(request.batteries, n), np.float64) for n in BatteryArrays._fields)
    )


def stay_arrays(request: PlanRequest) -> StayArrays:
    """Return the stays of a request as the kernels take them."""
    whole = {"vehicle", "start", "end"}
    return StayArrays(
        *(
            _own(getattr(request.stays, n), np.int64 if n in whole else np.float64)
            for n in StayArrays._fields
        )
    )


def full_power_eta(request: PlanRequest) -> FloatArray:
    """Return the charging efficiency of every stay at full power, the constant loss included, (stay,)."""
    stays, held = request.stays, request.batteries
    p_max, idle = stays.p_charge_kw, held.idle_kw[stays.vehicle]
    share = np.where(p_max > idle, 1.0 - idle / np.where(p_max > 0.0, p_max, 1.0), 1.0)
    return np.asarray(held.eta_charge[stays.vehicle] * share)


def power_by_site(request: PlanRequest, p_kw: FloatArray) -> FloatArray:
    """Return the fleet's power per site [kW], (time, site), from power per vehicle (time, vehicle)."""
    return _summed(request, p_kw, np.asarray(request.stays.site), len(request.site_id))


def power_by_charger(request: PlanRequest, p_kw: FloatArray) -> FloatArray:
    """Return the fleet's power per charger [kW], (time, charger), from power per vehicle."""
    return _summed(request, p_kw, np.asarray(request.stays.charger), len(request.charger_id))


def power_by_group(request: PlanRequest, p_kw: FloatArray) -> FloatArray:
    """Return the fleet's power per group [kW], (time, group), from power per vehicle."""
    columns = []
    for member in request.group_member:
        place = np.where(member[request.stays.charger], 0, -1)
        columns.append(_summed(request, p_kw, place, 1)[:, 0])
    if not columns:
        return np.zeros((request.timeline.count, 0))
    return np.stack(columns, axis=1)


def add_power_at(
    request: PlanRequest, p_kw: FloatArray, column: IntArray, total: FloatArray
) -> None:
    """Add the power of each stay to a column of (time, column) `total` in place, none where it is -1.

    Parameters
    ----------
    p_kw : ndarray
        (time, vehicle) [kW].
    column : ndarray of int
        (stay,)
    total : ndarray
        (time, column), contiguous.
    """
    stays = stay_arrays(request)
    add_power(
        total,
        _own(p_kw, np.float64),
        stays.vehicle,
        stays.start,
        stays.end,
        _own(column, np.int64),
    )


def _summed(request: PlanRequest, p_kw: FloatArray, place: Any, count: int) -> FloatArray:
    """Return power added up per column `place` of each stay."""
    total = np.zeros((request.timeline.count, count))
    add_power_at(request, p_kw, place, total)
    return total


def _run(
    request: PlanRequest, asked: FloatArray, controlled: BoolArray, rules: Rules
) -> tuple[FloatArray, FloatArray, StayStates]:
    """Run the kernel and return power, state of charge and the states of the stays."""
    stays = stay_arrays(request)
    states = StayStates(*(np.zeros(stays.vehicle.size) for _ in StayStates._fields))
    p_kw, soc = run_stays(
        asked,
        _own(controlled, np.bool_),
        _own(request.soc_initial, np.float64),
        request.timeline.dt_h,
        stays,
        battery_arrays(request),
        rules,
        states,
    )
    return p_kw, soc, states


def unmet_energy(
    request: PlanRequest, states: StayStates, shortfall: str
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the energy missing at each departure [kWh] and its cause."""
    capacity = request.batteries.capacity_kwh[request.stays.vehicle]
    missing = (request.stays.soc_target - states.soc_departure) * capacity
    unmet = np.where(missing > UNMET_KWH, missing, 0.0)
    anyway = (request.stays.soc_target - states.soc_full_power) * capacity
    stay_made = anyway >= 0.5 * missing
    why = np.where(states.away_kwh > 0.0, "soc_floor", "too_short")
    cause = np.where(unmet > 0.0, np.where(stay_made, why, shortfall), "")
    return unmet, tuple(cause.tolist())


def _check(
    request: PlanRequest, asked: FloatArray, controlled: BoolArray, floor: str, ceiling: str
) -> None:
    """Refuse a plan that does not fit its request."""
    shape = (request.timeline.count, len(request.vehicle_id))
    if asked.shape != shape:
        message = f"requested power has shape {asked.shape}, the request needs {shape}"
        raise InputError(message)
    if not np.all(np.isfinite(asked)):
        message = "requested power holds values that are not finite; give 0 where nothing is asked"
        raise InputError(message)
    if np.shape(controlled) != shape[1:]:
        message = f"controlled has shape {np.shape(controlled)}, the request needs {shape[1:]}"
        raise InputError(message)
    if floor not in ("reserve", "min") or ceiling not in ("max", "target"):
        message = (
            f"discharge_floor {floor!r} or ceiling {ceiling!r} is unknown;"
            " use 'reserve' or 'min', and 'max' or 'target'"
        )
        raise InputError(message)


def _own(values: Any, kind: DTypeLike) -> NDArray[Any]:
    """Return a contiguous writeable array, so that kernels are compiled for one type only."""
    array = np.ascontiguousarray(values, dtype=kind)
    return array if array.flags.writeable else array.copy()
