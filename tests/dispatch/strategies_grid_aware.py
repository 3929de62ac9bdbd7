"""Strategies of the family `grid_aware` that the contract tests run, one line each.

Without a power flow they plan as if every signal were lost.
"""

from __future__ import annotations

from gridimpact.dispatch import g2v, grid_aware, v2g
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    grid_aware.HotSpotLimit(98.0, obeys=0.5, floor_kw=0.0, guard=True),
    grid_aware.MeasuredLimit(0.8, base=g2v.ValleyFilling(), allocation="laxity"),
    grid_aware.VoltWatt(base=v2g.Arbitrage(0.3, enrolled=1.0), floor_kw=2.0),
    grid_aware.ChargingDroop(fallback="full", enrolled=0.5),
    grid_aware.OperatingEnvelope(fallback="last"),
]

CURTAILS: tuple[str, ...] = (
    "grid_aware_hot_spot_limit",
    "grid_aware_measured_limit",
    "grid_aware_volt_watt",
    "grid_aware_charging_droop",
    "grid_aware_operating_envelope",
)
"""Names of strategies that may leave a target unmet to keep a limit."""
