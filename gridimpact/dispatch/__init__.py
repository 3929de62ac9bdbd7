"""Charging strategies: what they ask for, and what batteries and chargers make of it."""

from __future__ import annotations

from gridimpact.dispatch import g2v
from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.mix import Mix
from gridimpact.dispatch.strategy import Foresight, Strategy, label
from gridimpact.dispatch.uncontrolled import Uncontrolled, uncontrolled_dispatch

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
]
