"""A fleet's power shared step by step: one level for all, each car's own limits first."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.connection import Connection
from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    Rules,
    StayArrays,
    battery_step,
    charge_limit,
    full_rate,
    needed_before,
    within_limits,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_presence import Presence, move_on

_ROUNDS = 100
"""Most halvings of a level: below the last digit of any power."""

_MUCH = 1e9
"""A power [kW] above all limits."""


@compiled
def _poured(level: float, rank: FloatArray, speed: FloatArray, most: FloatArray) -> float:
    """Return the sum of ``clip((level - rank) speed, 0, most)``."""
    total = 0.0
    for k in range(rank.size):
        total += min(max((level - rank[k]) * speed[k], 0.0), most[k])
    return total


@compiled
def share_out(
    wanted: float, rank: FloatArray, speed: FloatArray, most: FloatArray, power: FloatArray
) -> None:
    """Write powers up to `most` that sum to `wanted` where they can, the lowest rank first.

    A power raises its car's rank by power over speed; all that are served end the step at one level.
    """
    below, above, room = np.inf, -np.inf, 0.0
    for k in range(rank.size):
        below = min(below, rank[k])
        above = max(above, rank[k] + most[k] / speed[k])
        room += most[k]
    if wanted <= 0.0 or wanted >= room:
        for k in range(rank.size):
            power[k] = most[k] if wanted > 0.0 else 0.0
        return
    for _ in range(_ROUNDS):
        level = 0.5 * (below + above)
        if level <= below or level >= above:
            break
        if _poured(level, rank, speed, most) < wanted:
            below = level
        else:
            above = level
    left = wanted
    for k in range(rank.size):
        power[k] = min(max((below - rank[k]) * speed[k], 0.0), most[k])
        left -= power[k]
    # What the last digit of the level leaves goes to whoever has room, in the order of ids.
    for k in range(rank.size):
        more = min(max(left, 0.0), most[k] - power[k])
        power[k] += more
        left -= more


@compiled
def _share_step(
    wanted: float,
    by_level: bool,
    low: FloatArray,
    high: FloatArray,
    rank: FloatArray,
    speed: FloatArray,
    power: FloatArray,
) -> None:
    """Write the power of each car of one step; rank and speed are (2, car): charging, discharging."""
    base = np.maximum(low, 0.0)
    total = base.sum()
    charges = wanted >= total
    way = 0 if charges else 1
    most = high - base if charges else base - low
    extra = abs(wanted - total)
    if by_level:
        share_out(extra, rank[way], speed[way], most, power)
    else:
        room = most.sum()
        power[:] = most * (min(extra / room, 1.0) if room > 0.0 else 0.0)
    for k in range(power.size):
        power[k] = base[k] + power[k] if charges else base[k] - power[k]


@compiled
def run_disaggregation(
    wanted: FloatArray,
    here: Presence,
    own: BoolArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    how: tuple[bool, bool, Connection],
    asked: FloatArray,
) -> None:
    """Fill `asked` (time, vehicle) with the fleet's power.

    `how` is by level, up to the target only, and within which connections.
    """
    cars = here.soc.size
    rules, free = Rules(True, True, how[1]), Rules(False, True, how[1])
    rank, speed = np.empty((2, cars)), np.empty((2, cars))
    low, high, power = np.empty(cars), np.empty(cars), np.empty(cars)
    who = np.empty(cars, dtype=np.int64)
    for t in range(wanted.size):
        move_on(t, s, b, here)
        n = 0
        for v in range(cars):
            i, soc = here.current[v], here.soc[v]
            if i < 0:
                continue
            target, p_max = min(s.soc_target[i], b.soc_max[v]), s.p_charge_kw[i]
            if not own[v]:
                drawn = charge_limit(soc, dt_h, p_max, max(target, soc), v, b)
                here.soc[v] = battery_step(soc, drawn, dt_h, v, b)
                continue
            left, rate = (s.end[i] - t) * dt_h, full_rate(p_max, v, b)
            need = needed_before(target, left - dt_h, rate, b.soc_knee[v], b.taper_fraction[v])
            site = how[2].site[i]
            feed, draw = how[2].spare_kw[t, site], how[2].room_kw[t, site]
            low[n] = within_limits(-min(feed, _MUCH), soc, need, i, dt_h, s, b, rules)
            high[n] = max(within_limits(min(draw, _MUCH), soc, need, i, dt_h, s, b, rules), low[n])
            # Rank is laxity for charging, and less surplus over floor and need for discharging.
            rank[0, n] = left - ((target - soc) / rate if rate > 0.0 else 0.0)
            rank[1, n] = max(max(s.soc_reserve[i], b.soc_min[v]), need) - soc
            speed[0, n] = max(p_max, 1e-6) / dt_h
            speed[1, n] = b.capacity_kwh[v] * b.eta_discharge[v] / dt_h
            who[n] = v
            n += 1
        _share_step(wanted[t], how[0], low[:n], high[:n], rank[:, :n], speed[:, :n], power[:n])
        for k in range(n):
            v = who[k]
            asked[t, v] = within_limits(
                power[k], here.soc[v], -1.0, here.current[v], dt_h, s, b, free
            )
            here.soc[v] = battery_step(here.soc[v], asked[t, v], dt_h, v, b)
