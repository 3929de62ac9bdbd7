"""Strategies of the family `g2v` that the contract tests run, one line each."""

from __future__ import annotations

from gridimpact.dispatch import g2v
from gridimpact.dispatch.strategy import Strategy

STRATEGIES: list[Strategy] = [
    g2v.ValleyFilling(),
    g2v.ValleyFilling(enrolled=0.5),
    g2v.DecentralisedValleyFilling(missed=0.1),
    g2v.TransformerLimit(),
    g2v.TransformerLimit(0.6, order="earliest_departure", enrolled=0.7),
    g2v.TransformerLimit(0.6, order="first_come"),
    g2v.TransformerLimit(0.6, order="round_robin"),
    g2v.TransformerLimit(0.6, order="equal_share", min_kw=1.4, step_kw=0.23),
    g2v.PriceCharging(),
    g2v.DelayedStart(),
    g2v.OvernightWindow(days=("mon",), enrolled=0.7),
    g2v.LastMinute(reserve_h=1.5),
    g2v.AverageRate(),
    g2v.TimeOfUse(),
    g2v.TimeOfUse(cheap=[["22:00", "06:00"]]),
    g2v.LoadControl(restart_h=2.0, obeys=0.7),
    g2v.PvFollowing(),
    g2v.Regulation(),
    g2v.Regulation(0.8, product="down", point=0.5, sustain_h=2.0, enrolled=0.7),
    g2v.SpinningReserve(("02:00", "2016-01-04T09:00"), rebound="spread"),
    g2v.Dimming(0.8, events=[["17:00", "19:00"]]),
]

CURTAILS: tuple[str, ...] = ("g2v_transformer_limit", "g2v_dimming")
"""Names of strategies that may leave a target unmet to keep a limit."""
