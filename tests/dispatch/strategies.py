"""Every strategy that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import Mix, g2v, v2b, v2g, v2h
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
    v2g.PeakShaving(0.2, enrolled=1.0),
    v2g.Arbitrage(0.3, enrolled=1.0),
    v2g.Arbitrage(enrolled=0.6),
    v2h.SelfConsumption(enrolled=1.0),
    v2h.TimeOfUse(enrolled=1.0),
    v2b.DemandCharge(per_kw_month=5.0),
    v2b.SubscribedPower(subscribed_kw=10.0, excess_per_kw_month=20.0),
    Mix({v2g.PeakShaving(): 0.3, v2h.TimeOfUse(): 0.4}),
]
