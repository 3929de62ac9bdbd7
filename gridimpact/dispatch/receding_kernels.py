"""Batteries moved on from one plan to the next."""

from __future__ import annotations

from gridimpact.dispatch.kernels import (
    BatteryArrays,
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


@compiled
def advance(
    span: tuple[int, int],
    planned: IntArray,
    knows_all: bool,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    here: Presence,
    asked: FloatArray,
) -> None:
    """Run the steps of a span; `asked` (time, vehicle) holds the plan and gets what is drawn.

    `planned` (vehicle,) is the stay that the plan knew. A car that came later waits for the next plan
    and charges only where its target would be out of reach.
    """
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
            here.soc[v] = battery_step(soc, power, dt_h, v, b)
