"""With what each stay began, told by a dispatch."""

from __future__ import annotations

import numpy as np

from gridimpact.records import Dispatch, FloatArray, PlanRequest


def arrival_states(request: PlanRequest, found: Dispatch) -> FloatArray:
    """Return the state of charge at the begin of every stay, (stay,).

    Parameters
    ----------
    request : PlanRequest
        Stays sorted by vehicle and start.
    found : Dispatch
        Of that request.

    Returns
    -------
    ndarray
        The given state of charge, or that of the departure before less the trip, what was charged
        elsewhere added [1].
    """
    stays = request.stays
    owner, capacity = stays.vehicle, request.batteries.capacity_kwh[stays.vehicle]
    driven = (stays.trip_kwh - found.away_kwh) / capacity
    arrival = np.clip(stays.soc_arrival, 0.0, 1.0)
    open_ = np.isnan(stays.soc_arrival)
    before = found.soc_initial[owner].astype(np.float64)
    went = stays.start > 0
    before[went] = found.soc[stays.start[went] - 1, owner[went]]
    arrival[open_] = (before - driven)[open_]
    # A stay without a step leaves no trace in the series; the next one at that moment begins with it.
    same = np.concatenate([owner[1:] == owner[:-1], [False]])[: owner.size]
    touch = same & (stays.end <= stays.start) & (np.roll(stays.start, -1) == stays.start)
    for k in np.flatnonzero(touch & np.roll(open_, -1)):
        arrival[k + 1] = arrival[k] - driven[k + 1]
    return np.asarray(arrival)
