"""Vehicle to home: cars that supply the house they stand at, and nobody else."""

from __future__ import annotations

from gridimpact.dispatch.v2h.backup import Backup
from gridimpact.dispatch.v2h.evening_peak import EveningPeak
from gridimpact.dispatch.v2h.self_consumption import SelfConsumption
from gridimpact.dispatch.v2h.time_of_use import TimeOfUse

__all__ = ["Backup", "EveningPeak", "SelfConsumption", "TimeOfUse"]
