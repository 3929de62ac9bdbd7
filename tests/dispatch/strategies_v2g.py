"""Strategies of the family `v2g` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import v2g
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    v2g.PeakShaving(0.2, enrolled=1.0),
    v2g.Arbitrage(0.3, enrolled=1.0),
    v2g.Arbitrage(enrolled=0.6),
    v2g.PeakShaving(0.2, enrolled=1.0, objective="peak"),
    v2g.LoadFollowing(reserve_soc=0.2, enrolled=1.0),
    v2g.RenewableBuffer(reserve_soc=0.2, enrolled=1.0),
    v2g.Regulation(reserve_soc=0.2, enrolled=1.0),
    v2g.Regulation(0.9, product="both", latency_s=30.0, ramp_s=60.0, enrolled=0.7),
    v2g.SpinningReserve(("05:00", "15:00"), duration_h=2.0, reserve_soc=0.2, enrolled=1.0),
    v2g.ReactiveSupport(),
    v2g.ReactiveSupport("power_factor", base="v2g.arbitrage", enrolled=0.7),
    v2g.VirtualPowerPlant(0.2, 1.0, profile_kw=(5.0, -8.0, 20.0)),
]

CURTAILS: tuple[str, ...] = ()
"""Names of strategies that may leave a target unmet to keep a limit."""
