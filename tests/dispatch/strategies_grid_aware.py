"""Strategies of the family `grid_aware` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = []

CURTAILS: tuple[str, ...] = ()
"""Names of strategies that may leave a target unmet to keep a limit."""
