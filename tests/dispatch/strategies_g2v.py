"""Strategies of the family `g2v` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import g2v
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    g2v.ValleyFilling(),
    g2v.ValleyFilling(enrolled=0.5),
    g2v.TransformerLimit(),
    g2v.TransformerLimit(0.6, order="earliest_departure", enrolled=0.7),
    g2v.TransformerLimit(0.6, order="first_come"),
    g2v.PriceCharging(),
]

CURTAILS: tuple[str, ...] = ("g2v_transformer_limit",)
"""Names of strategies that may leave a target unmet to keep a limit."""
