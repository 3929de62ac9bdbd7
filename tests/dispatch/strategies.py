"""Every strategy that the contract tests run, one line each in the list of its family."""

from __future__ import annotations

from gridimpact.dispatch import Mix, Receding, WithForecastError, g2v, v2g, v2h
from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.uncontrolled import Uncontrolled
from tests.dispatch import (
    strategies_g2v,
    strategies_grid_aware,
    strategies_v2b,
    strategies_v2g,
    strategies_v2h,
)

FAMILIES = (
    strategies_g2v,
    strategies_v2g,
    strategies_v2h,
    strategies_v2b,
    strategies_grid_aware,
)

STRATEGIES: list[Strategy] = [
    Uncontrolled(),
    *(strategy for family in FAMILIES for strategy in family.STRATEGIES),
    Mix({g2v.ValleyFilling(): 0.4, g2v.PriceCharging(): 0.3}, rest=g2v.TransformerLimit()),
    Mix({v2g.PeakShaving(): 0.3, v2h.TimeOfUse(): 0.4}),
    Receding(g2v.ValleyFilling(enrolled=0.7)),
    Receding(v2g.PeakShaving(0.2, enrolled=1.0), every="3h", load="noisy"),
    WithForecastError(g2v.ValleyFilling(), departure_h=1.0),
]
"""All of them."""

CURTAILS = {
    "mix",
    WithForecastError(g2v.ValleyFilling()).name,
    *(name for family in FAMILIES for name in family.CURTAILS),
}
"""Names of strategies that may leave a target unmet to keep a limit."""
