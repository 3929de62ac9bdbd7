"""One strategy planned on one request, and what it promised checked before anything is solved."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InfeasibleDispatch
from gridimpact.records import Dispatch, PlanRequest

TOLERANCE_KW = 1e-6


def plan(strategy: Strategy, request: PlanRequest) -> Dispatch:
    """Return the dispatch of a strategy.

    Raises
    ------
    InfeasibleDispatch
        If the strategy breaks a bound no strategy may break: power outside a stay or over the
        charger, a state of charge outside 0..1, discharge by one that says it never does.

    Notes
    -----
    The check costs little and makes a faulty strategy of a user's own visible at once.
    """
    dispatch = strategy.plan(request)
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
        "leaves the battery outside 0..1": (dispatch.soc < -1e-9) | (dispatch.soc > 1.0 + 1e-9),
    }
    for what, where in faults.items():
        if where.any():
            step, car = (int(i[0]) for i in np.nonzero(where))
            message = (
                f"strategy {strategy.name!r}: power of vehicle {request.vehicle_id[car]!r} {what} "
                f"at step {step} ({power[step, car]:.3f} kW); mend the strategy's plan"
            )
            raise InfeasibleDispatch(message)
    return dispatch
