"""Who delivers what the fleet promised: a fleet's power shared among its cars, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.dispatch.aggregator.kernels_levels import run_disaggregation
from gridimpact.dispatch.connection import connection_shares
from gridimpact.dispatch.execute import battery_arrays, execute, stay_arrays
from gridimpact.dispatch.kernels_presence import presence
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, PlanRequest

__all__ = ["ORDERS", "Disaggregation", "disaggregate"]

ORDERS: Mapping[str, int] = MappingProxyType({"laxity": 0, "proportional": 1})
"""Ways to share by name."""


@dataclass(frozen=True)
class Disaggregation:
    """What the cars made of a fleet's power."""

    dispatch: Dispatch
    residual_kw: FloatArray
    """(time,) power asked of the fleet less what its cars draw; not zero where they cannot or must not."""

    residual_kwh: float
    """Energy not followed, both directions added."""


def disaggregate(
    request: PlanRequest,
    fleet_power_kw: ArrayLike,
    *,
    order: str = "laxity",
    controlled: BoolArray | None = None,
    ceiling: str = "max",
    strategy: str = "disaggregated",
) -> Disaggregation:
    """Share a fleet's power among the cars that are plugged in.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    fleet_power_kw : array_like
        (time,) power of the controlled cars together [kW], positive draws from the grid.
    order : str
        "laxity": charging goes to the cars with the least laxity, discharging is asked of those with the
        most surplus; equals share. "proportional": each gives the same share of what it can.
    controlled : ndarray of bool, optional
        (vehicle,) the fleet; the others charge uncontrolled and do not count.
    ceiling : str
        "max" or "target": cars may be charged to the battery's maximum or only to their target.
    strategy : str
        Label of the dispatch.

    Returns
    -------
    Disaggregation
        The dispatch and what the fleet could not follow.

    Raises
    ------
    InputError
        If the power has the wrong shape, is not finite or a word is unknown.

    Notes
    -----
    Each step knows only the cars plugged in, their state of charge, departure and target. A car's own
    limits win over the fleet's power: it charges where a later start would miss its target, and never
    discharges below its floor or what the target still needs. It keeps an equal share of what its site's
    connection leaves unless the target needs more. Within them the level of laxity after the
    step is the same for all that are served, as in smoothed least-laxity-first (Chen, Kurniawan, Nakahira,
    Chen, Low, arXiv:2102.08610), so that as many cars as possible can still be used at once later.
    Surplus is the state of charge above the floor or above what the target needs, whichever is higher.
    A fleet power within the summed envelope of `flexibility` leaves no residual where all cars have one
    window and need it for the same share of its time; in general the envelope is an outer bound.
    """
    wanted = np.ascontiguousarray(fleet_power_kw, dtype=np.float64)
    count = len(request.vehicle_id)
    if wanted.shape != (request.timeline.count,) or not np.all(np.isfinite(wanted)):
        message = (
            f"fleet power has shape {wanted.shape}, the request has {request.timeline.count} steps;"
            " give one finite value per step"
        )
        raise InputError(message)
    if order not in ORDERS:
        message = f"order {order!r} is unknown; use one of {', '.join(ORDERS)}"
        raise InputError(message)
    own = np.ones(count, dtype=np.bool_) if controlled is None else np.array(controlled)
    asked = np.zeros((wanted.size, count))
    stays = stay_arrays(request)
    run_disaggregation(
        wanted,
        presence(request.soc_initial, stays),
        own,
        request.timeline.dt_h,
        stays,
        battery_arrays(request),
        (ORDERS[order] == 0, ceiling == "target", connection_shares(request, own)),
        asked,
    )
    found = execute(request, asked, strategy=strategy, controlled=own, ceiling=ceiling)
    residual = wanted - found.p_kw[:, own].sum(axis=1)
    missed = float(np.abs(residual).sum()) * request.timeline.dt_h
    return Disaggregation(found, residual, missed)
