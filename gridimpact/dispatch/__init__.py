"""Charging strategies: what they ask for, and what batteries and chargers make of it.

The families `g2v`, `v2g`, `v2h` and `v2b` are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.mix import Mix
from gridimpact.dispatch.strategy import Foresight, Strategy, label
from gridimpact.dispatch.uncontrolled import Uncontrolled, uncontrolled_dispatch

if TYPE_CHECKING:
    from gridimpact.dispatch import g2v, v2b, v2g, v2h

__all__ = [
    "Foresight",
    "Mix",
    "Strategy",
    "Uncontrolled",
    "enrolled_vehicles",
    "execute",
    "g2v",
    "label",
    "uncontrolled_dispatch",
    "v2b",
    "v2g",
    "v2h",
]

_FAMILIES = ("g2v", "v2b", "v2g", "v2h")


def __getattr__(name: str) -> Any:
    """Load a family of strategies on first use."""
    if name in _FAMILIES:
        return import_module(f"{__name__}.{name}")
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
