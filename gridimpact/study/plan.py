"""One strategy planned on one request, and what it promised checked before anything is solved."""

from __future__ import annotations

import dataclasses

import numpy as np

from gridimpact.dispatch.execute import power_by_site, stay_arrays
from gridimpact.dispatch.kernels_bounds import surely_sound
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InfeasibleDispatch
from gridimpact.records import Dispatch, Note, PlanRequest

TOLERANCE_KW = 1e-6
TOLERANCE_SOC = 1e-9
OVER_FUSE_KW = 1e-3
"""An excess over a main fuse that is worth telling [kW]."""


def plan(strategy: Strategy, request: PlanRequest) -> Dispatch:
    """Return the dispatch of a strategy.

    Raises
    ------
    InfeasibleDispatch
        If the strategy breaks a bound no strategy may break: power outside a stay or over the charger, a state
        of charge outside 0..1, discharge by one that says it never does; or does not fit its request.

    Notes
    -----
    The check costs little and makes a faulty strategy of a user's own visible at once. Main fuses yield
    to targets: where controlled cars pass one, a note says how often and how far.
    """
    dispatch = strategy.plan(request)
    check_dispatch(strategy, request, dispatch)
    return dataclasses.replace(dispatch, notes=(*dispatch.notes, *over_fuses(request, dispatch)))


def check_dispatch(strategy: Strategy, request: PlanRequest, dispatch: Dispatch) -> None:
    """Refuse a dispatch that breaks a bound no strategy may break.

    Raises
    ------
    InfeasibleDispatch
        As `plan`.
    """
    power, soc = (np.ascontiguousarray(a, np.float64) for a in (dispatch.p_kw, dispatch.soc))
    shape = (request.timeline.count, len(request.vehicle_id))
    if not power.shape == soc.shape == shape:
        message = (
            f"strategy {strategy.name!r}: power has shape {power.shape}, state of charge {soc.shape}, the "
            f"request needs {shape}; mend the strategy's plan"
        )
        raise InfeasibleDispatch(message)
    feeds = bool(strategy.bidirectional)
    if not surely_sound(power, soc, stay_arrays(request), feeds, TOLERANCE_KW, TOLERANCE_SOC):
        _raise_faults(strategy, request, dispatch)


def _raise_faults(strategy: Strategy, request: PlanRequest, dispatch: Dispatch) -> None:
    """Raise with the first step and vehicle that break a bound, if there are any."""
    stays, power = request.stays, dispatch.p_kw
    upper, lower = np.zeros_like(power), np.zeros_like(power)
    for number in range(len(stays.start)):
        window = slice(int(stays.start[number]), int(stays.end[number]))
        car = int(stays.vehicle[number])
        upper[window, car] = stays.p_charge_kw[number]
        lower[window, car] = -stays.p_discharge_kw[number] if strategy.bidirectional else 0.0
    faults = {
        "is not finite": ~np.isfinite(power) | ~np.isfinite(dispatch.soc),
        "passes the charger or is drawn while away": power > upper + TOLERANCE_KW,
        "feeds more than the charger can, or is fed by a strategy that never feeds": power
        < lower - TOLERANCE_KW,
        "leaves the battery outside 0..1": (dispatch.soc < -TOLERANCE_SOC)
        | (dispatch.soc > 1.0 + TOLERANCE_SOC),
    }
    for what, where in faults.items():
        if where.any():
            step, car = (int(i[0]) for i in np.nonzero(where))
            message = (
                f"strategy {strategy.name!r}: power of vehicle {request.vehicle_id[car]!r} {what} "
                f"at step {step} ({power[step, car]:.3f} kW); mend the strategy's plan"
            )
            raise InfeasibleDispatch(message)


def over_fuses(request: PlanRequest, dispatch: Dispatch) -> tuple[Note, ...]:
    """Return a note where controlled cars charge although their site passes its main fuse."""
    mine = np.where(dispatch.controlled[None, :], np.maximum(dispatch.p_kw, 0.0), 0.0)
    net = request.site_load_kw + request.site_pv_kw + power_by_site(request, dispatch.p_kw)
    charging = power_by_site(request, mine) > TOLERANCE_KW
    over = np.where(charging, net - request.site_import_limit_kw[None, :], 0.0)
    passed = over > OVER_FUSE_KW
    if not passed.any():
        return ()
    hours = float(passed.sum(axis=0).max() * request.timeline.dt_h)
    text = (
        f"controlled cars charge above the main fuse of {passed.any(axis=0).sum()} sites, the worst for "
        f"{hours:g} h and by up to {over.max():.1f} kW: a target wins over the fuse, or the forecast was wrong"
    )
    return (Note("warning", dispatch.strategy, text),)
