"""Strategies of the family `v2h` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import v2h
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    v2h.SelfConsumption(enrolled=1.0),
    v2h.TimeOfUse(enrolled=1.0),
    v2h.TimeOfUse(enrolled=1.0, reserve_soc=0.6),
    v2h.EveningPeak(enrolled=1.0),
    v2h.EveningPeak("16:30", "20:00", "20:00", "16:30", reserve_soc=0.5, enrolled=0.7),
    v2h.Backup(0.95, longest_h=12.0, enrolled=1.0),
]

CURTAILS: tuple[str, ...] = ()
"""Names of strategies that may leave a target unmet to keep a limit."""
