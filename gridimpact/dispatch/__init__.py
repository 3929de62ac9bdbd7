"""Charging strategies: what they ask for, and what batteries and chargers make of it.

The families `g2v`, `v2g`, `v2h`, `v2b` and `grid_aware`, and the rooms `services` and `aggregator`, are
loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gridimpact.dispatch.contract import check_contract
from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.forecast_error import WithForecastError
from gridimpact.dispatch.many import plan_many
from gridimpact.dispatch.mix import Mix
from gridimpact.dispatch.receding import Receding
from gridimpact.dispatch.strategy import Foresight, Strategy, label, plan_in_id_order
from gridimpact.dispatch.uncontrolled import Uncontrolled, uncontrolled_dispatch

if TYPE_CHECKING:
    from gridimpact.dispatch import aggregator, g2v, grid_aware, services, v2b, v2g, v2h

__all__ = [
    "FAMILIES",
    "Foresight",
    "Mix",
    "Receding",
    "Strategy",
    "Uncontrolled",
    "WithForecastError",
    "aggregator",
    "check_contract",
    "enrolled_vehicles",
    "execute",
    "g2v",
    "grid_aware",
    "label",
    "plan_in_id_order",
    "plan_many",
    "services",
    "uncontrolled_dispatch",
    "v2b",
    "v2g",
    "v2h",
]

FAMILIES = ("g2v", "v2g", "v2h", "v2b", "grid_aware")
"""Rooms of strategies."""

_ROOMS = (*FAMILIES, "aggregator", "services")


def __getattr__(name: str) -> Any:
    """Load a family of strategies or services on first use."""
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
