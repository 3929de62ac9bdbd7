"""Every strategy that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.uncontrolled import Uncontrolled

STRATEGIES: list[Strategy] = [
    Uncontrolled(),
]
