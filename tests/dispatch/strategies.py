"""Every strategy that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import Mix, g2v
from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.uncontrolled import Uncontrolled

STRATEGIES: list[Strategy] = [
    Uncontrolled(),
    g2v.ValleyFilling(),
    g2v.ValleyFilling(enrolled=0.5),
    g2v.TransformerLimit(),
    g2v.TransformerLimit(0.6, order="earliest_departure", enrolled=0.7),
    g2v.TransformerLimit(0.6, order="first_come"),
    g2v.PriceCharging(),
    Mix({g2v.ValleyFilling(): 0.4, g2v.PriceCharging(): 0.3}, rest=g2v.TransformerLimit()),
]
