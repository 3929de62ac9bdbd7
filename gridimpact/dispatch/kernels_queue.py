"""Compiled queue: step by step, cars that want power share what the limits leave, knowing only the present."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    StayArrays,
    arrival_soc,
    battery_step,
    charge_limit,
    full_rate,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_sharing import Line, Room, Rule, equally, in_turn, new_line

FIRST_COME, EARLIEST_DEPARTURE, LEAST_LAXITY, LAST_COME = 0, 1, 2, 3
LONGEST_REMAINING, ROUND_ROBIN, EQUAL_SHARE = 4, 5, 6


@compiled
def hours_needed(soc: float, target: float, i: int, s: StayArrays, b: BatteryArrays) -> float:
    """Return the charging time to the target at constant full power [h]."""
    return float((target - soc) / full_rate(s.p_charge_kw[i], s.vehicle[i], b))


@compiled
def _key(i: int, t: int, hours: float, turn: float, rule: Rule, s: StayArrays) -> float:
    """Return what the queue is ordered by, least first."""
    if rule.order == FIRST_COME:
        return float(s.start[i])
    if rule.order == EARLIEST_DEPARTURE:
        return float(s.end[i])
    if rule.order == LAST_COME:
        return -float(s.start[i])
    if rule.order == LONGEST_REMAINING:
        return -hours
    if rule.order == ROUND_ROBIN:
        return turn
    return float((s.end[i] - t) * rule.dt_h - hours)


@compiled
def _sort(n: int, line: Line, s: StayArrays) -> None:
    """Sort by key, then departure, then vehicle; the line of the step before is nearly sorted already."""
    for j in range(1, n):
        i, want, key = line.stay[j], line.want[j], line.key[j]
        k = j - 1
        while k >= 0 and (
            line.key[k] > key
            or (line.key[k] == key and (s.end[line.stay[k]], line.stay[k]) > (s.end[i], i))
        ):
            line.stay[k + 1], line.want[k + 1], line.key[k + 1] = (
                line.stay[k],
                line.want[k],
                line.key[k],
            )
            k -= 1
        line.stay[k + 1], line.want[k + 1], line.key[k + 1] = i, want, key


@compiled
def _wishes(
    n: int,
    t: int,
    line: Line,
    soc: FloatArray,
    s: StayArrays,
    b: BatteryArrays,
    rule: Rule,
    ceiling_kw: FloatArray,
) -> int:
    """Write what every plugged-in car wants and its key; return how many still want anything."""
    kept = 0
    for j in range(n):
        i = line.stay[j]
        v = s.vehicle[i]
        if s.end[i] <= t:
            continue
        target = min(s.soc_target[i], b.soc_max[v])
        wish = charge_limit(soc[v], rule.dt_h, s.p_charge_kw[i], target, v, b)
        if wish <= 0.0:
            continue
        hours = hours_needed(soc[v], target, i, s, b)
        line.stay[kept] = i
        line.key[kept] = _key(i, t, hours, line.turn[v], rule, s)
        line.want[kept] = wish if ceiling_kw.shape[0] == 0 else min(wish, ceiling_kw[t, v])
        kept += 1
    return kept


@compiled
def _left(n: int, t: int, line: Line, s: StayArrays) -> int:
    """Return how many cars are left when those that departed are taken off the line."""
    kept = 0
    for j in range(n):
        if s.end[line.stay[j]] > t:
            line.stay[kept] = line.stay[j]
            kept += 1
    return kept


@compiled
def run_queue(
    soc_initial: FloatArray,
    controlled: BoolArray,
    s: StayArrays,
    b: BatteryArrays,
    room: Room,
    rule: Rule,
    ceiling_kw: FloatArray,
    p_kw: FloatArray,
) -> None:
    """Fill `p_kw` (time, vehicle) with what the queue gives; `ceiling_kw` is empty or of the same shape."""
    soc = soc_initial.copy()
    line = new_line(soc.size, room.group.shape[0], room.site.shape[0])
    coming, next_stay, n = np.argsort(s.start, kind="mergesort"), 0, 0
    for t in range(p_kw.shape[0]):
        while next_stay < coming.size and s.start[coming[next_stay]] <= t:
            i = coming[next_stay]
            v = s.vehicle[i]
            next_stay += 1
            if controlled[v]:
                soc[v], _ = arrival_soc(soc[v], i, s, b)
                if s.end[i] > t and s.p_charge_kw[i] > b.idle_kw[v]:
                    # The stay before, if any, ends now: its place is taken first.
                    n = _left(n, t, line, s)
                    line.stay[n], line.turn[v] = i, t - 1.0
                    n += 1
        n = _wishes(n, t, line, soc, s, b, rule, ceiling_kw)
        if n == 0:
            continue
        _sort(n, line, s)
        if rule.order == EQUAL_SHARE:
            equally(n, t, line, room, rule, s, b.idle_kw)
        else:
            in_turn(n, t, line, room, rule, s, b.idle_kw)
        for j in range(n):
            v = s.vehicle[line.stay[j]]
            p_kw[t, v] = line.got[j]
            if line.got[j] > 0.0:
                line.turn[v] = t
                soc[v] = battery_step(soc[v], line.got[j], rule.dt_h, v, b)
