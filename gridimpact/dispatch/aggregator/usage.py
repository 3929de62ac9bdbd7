"""What contracts count: hours plugged in, power held ready, energy fed and energy owed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, PlanRequest

__all__ = ["Usage", "usage"]


@dataclass(frozen=True)
class Usage:
    """What contracts count, arrays over (vehicle,) unless told."""

    request: PlanRequest
    plugged: BoolArray
    """(time, vehicle)"""
    hours: FloatArray
    """Plugged in [h]."""
    offered_kwh: FloatArray
    """Contracted power times hours plugged in [kWh]."""
    fed_kwh: FloatArray
    """Fed at the meter."""
    owed_kwh: FloatArray
    """Missing at departures although uncontrolled charging would have put it in."""
    departures: FloatArray
    """Number of stays that end before the last step."""

    @property
    def period_h(self) -> float:
        """Length of the whole time [h]."""
        return float(self.request.timeline.count * self.request.timeline.dt_h)


def usage(
    request: PlanRequest, dispatch: Dispatch, *, power: str = "discharge", most_kw: float = np.inf
) -> Usage:
    """Return what contracts count of a dispatch.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    dispatch : Dispatch
        Of that request.
    power : str
        Contracted power of a stay: "discharge", "charge" or "both" added.
    most_kw : float
        Contracted power is at most this [kW].

    Raises
    ------
    InputError
        If `power` is unknown.
    """
    stays, dt_h = request.stays, request.timeline.dt_h
    kinds = {
        "discharge": stays.p_discharge_kw,
        "charge": stays.p_charge_kw,
        "both": stays.p_charge_kw + stays.p_discharge_kw,
    }
    if power not in kinds:
        message = f"power {power!r} is unknown; use one of {', '.join(kinds)}"
        raise InputError(message)
    shape = (request.timeline.count, len(request.vehicle_id))
    plugged = np.zeros(shape, dtype=np.bool_)
    for first, last, v in zip(stays.start, stays.end, stays.vehicle, strict=True):
        plugged[first:last, v] = True
    hours = (stays.end - stays.start) * dt_h
    free = uncontrolled_dispatch(request)

    def by_car(weights: Any) -> FloatArray:
        return np.bincount(stays.vehicle, weights=weights, minlength=shape[1]).astype(np.float64)

    return Usage(
        request=request,
        plugged=plugged,
        hours=by_car(hours),
        offered_kwh=by_car(hours * np.minimum(kinds[power], most_kw)),
        fed_kwh=np.maximum(-dispatch.p_kw, 0.0).sum(axis=0) * dt_h,
        owed_kwh=by_car(np.maximum(dispatch.unmet_kwh - free.unmet_kwh, 0.0)),
        departures=by_car(~stays.cut),
    )
