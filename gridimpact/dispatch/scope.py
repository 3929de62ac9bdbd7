"""Which cars a strategy acts on, found from its settings without a plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.mix import Mix
from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.records import BoolArray, PlanRequest


def cars_of(strategy: Strategy, request: PlanRequest) -> BoolArray:
    """Return which vehicles a strategy controls, found without a plan, (vehicle,)."""
    record: Any = strategy
    if isinstance(strategy, Uncontrolled):
        return np.zeros(len(request.vehicle_id), dtype=np.bool_)
    if isinstance(strategy, Mix):
        chosen = strategy.assigned(request)
        all_in = not isinstance(strategy.rest, Uncontrolled)
        return np.asarray((chosen < len(strategy.strategies)) | all_in)
    if isinstance(getattr(record, "strategy", None), Strategy):
        return cars_of(record.strategy, request)
    if hasattr(record, "controls"):
        named: BoolArray = record.controls(request)
        return named
    share = getattr(record, "enrolled", 1.0)
    return enrolled_vehicles(request, share, site_kinds=getattr(record, "site_kinds", None))


def own_use_cars(strategy: Strategy, request: PlanRequest) -> BoolArray:
    """Return which vehicles may feed no more than their site draws, (vehicle,), found without a plan."""
    record: Any = strategy
    if isinstance(strategy, Mix):
        chosen = strategy.assigned(request)
        parts = (*(part for part, _ in strategy.strategies), strategy.rest)
        keeps = [(chosen == k) & own_use_cars(part, request) for k, part in enumerate(parts)]
        return np.asarray(np.any(keeps, axis=0))
    for name in ("strategy", "base"):
        if isinstance(getattr(record, name, None), Strategy):
            return own_use_cars(getattr(record, name), request)
    return np.full(len(request.vehicle_id), bool(getattr(record, "own_use", False)))
