"""Strategies of the family `v2b` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import v2b
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    v2b.DemandCharge(per_kw_month=5.0),
    v2b.SubscribedPower(subscribed_kw=10.0, excess_per_kw_month=20.0),
    v2b.SubscribedPower(
        subscribed_kw="choose", excess_per_kw_month=20.0, subscribed_per_kw_month=4.0
    ),
    v2b.PeakCap(8.0),
    v2b.PeakCap("same_weekday", cut_share=0.1, enrolled=0.8),
]

CURTAILS: tuple[str, ...] = ()
"""Names of strategies that may leave a target unmet to keep a limit."""
