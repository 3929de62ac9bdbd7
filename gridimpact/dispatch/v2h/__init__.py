"""Vehicle to home: cars that supply the house they stand at, and nobody else."""

from __future__ import annotations

from gridimpact.dispatch.v2h.self_consumption import SelfConsumption
from gridimpact.dispatch.v2h.time_of_use import TimeOfUse

__all__ = ["SelfConsumption", "TimeOfUse"]
