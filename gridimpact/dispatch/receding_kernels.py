"""Batteries moved on from one plan to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    IntArray,
    Rules,
    StayArrays,
    battery_step,
    full_rate,
    needed_before,
    within_limits,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_presence import Presence, move_on


class OwnUse(NamedTuple):
    """What cars that supply their own site may feed."""

    cars: BoolArray
    """(vehicle,) those bound."""
    site: IntArray
    """(stay,)"""
    load_kw: FloatArray
    """(time, site) most that they may feed together."""


@compiled
def _cut_feed(t: int, power: FloatArray, own: OwnUse, here: Presence) -> None:
    """Scale the discharge of one step down to what the sites draw."""
    fed = np.zeros(own.load_kw.shape[1])
    for v in range(power.size):
        if own.cars[v] and power[v] < 0.0:
            fed[own.site[here.current[v]]] -= power[v]
    for v in range(power.size):
        if own.cars[v] and power[v] < 0.0:
            site = own.site[here.current[v]]
            power[v] *= min(own.load_kw[t, site] / fed[site], 1.0)


@compiled
def advance(
    span: tuple[int, int],
    known: tuple[IntArray, bool],
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    here: Presence,
    own: OwnUse,
    asked: FloatArray,
) -> None:
    """Run the steps of a span; `asked` (time, vehicle) holds the plan and gets what is drawn.

    `known` is the stay of each vehicle that the plan knew, and whether it knew later ones too. A car that
    came later waits for the next plan and charges only where its target would be out of reach. What `own` binds is cut to the true load.
    """
    planned, knows_all = known
    free, waits = Rules(False, False, False), Rules(True, False, False)
    for t in range(span[0], span[1]):
        move_on(t, s, b, here)
        for v in range(here.soc.size):
            i, soc = here.current[v], here.soc[v]
            if i < 0:
                asked[t, v] = 0.0
                continue
            if knows_all or planned[v] == i:
                power = within_limits(asked[t, v], soc, -1.0, i, dt_h, s, b, free)
            else:
                target, rate = min(s.soc_target[i], b.soc_max[v]), full_rate(s.p_charge_kw[i], v, b)
                ahead = (s.end[i] - 1 - t) * dt_h
                need = needed_before(target, ahead, rate, b.soc_knee[v], b.taper_fraction[v])
                power = within_limits(0.0, soc, need, i, dt_h, s, b, waits)
            asked[t, v] = power
        _cut_feed(t, asked[t], own, here)
        for v in range(here.soc.size):
            if here.current[v] >= 0:
                here.soc[v] = battery_step(here.soc[v], asked[t, v], dt_h, v, b)
