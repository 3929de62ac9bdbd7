"""Compiled rounds of valley filling by a broadcast price: every car moves against it and back to what it can."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.dispatch.water_filling import pour

MISSED, FRESH, LATE = 0, 1, 2
"""What a car hears in a round: nothing, the price of the round, or that of the round before."""


def _project(wish: Any, low: Any, high: Any, need: float, power: Any) -> None:
    """Write the nearest point to `wish` between the bounds that sums to `need`; all there is if too little."""
    base, cap = low - wish, high - low
    pour(base, cap, need - low.sum(), power)
    for k in range(power.size):
        power[k] += low[k]


project = njit(cache=True)(_project)


def _sharing(active: Any, pours: Any, span: Any, groups: int) -> float:
    """Return the most cars that a car shares a step with, summed over its groups."""
    begin, last = span
    busy = np.zeros((groups, last - begin))
    for i in active:
        for g in range(pours.group_count[i]):
            group = pours.groups[pours.first_group[i] + g]
            for t in range(max(pours.start[i], begin), min(pours.end[i], last)):
                busy[group, t - begin] += 1.0
    most = 1.0
    for i in active:
        for t in range(max(pours.start[i], begin), min(pours.end[i], last)):
            count = 0.0
            for g in range(pours.group_count[i]):
                count += busy[pours.groups[pours.first_group[i] + g], t - begin]
            most = max(most, count)
    return most


sharing = njit(cache=True)(_sharing)


def _priced(i: int, first: int, pours: Any, load: Any, begin: int, price: Any) -> None:
    """Write the sum of the loads of a stay's groups from step `first` on."""
    for k in range(price.size):
        price[k] = 0.0
        for g in range(pours.group_count[i]):
            price[k] += load[pours.groups[pours.first_group[i] + g], first - begin + k]


priced = njit(cache=True)(_priced)


def _open_part(i: int, pours: Any, x: Any, span: Any) -> tuple[int, int, int, float]:
    """Return first step, steps and first cell of a stay in the window, and what it still needs there."""
    first = max(pours.start[i], span[0])
    n = min(pours.end[i], span[1]) - first
    cell = pours.offset[i] + first - pours.start[i]
    need = pours.energy[i]
    for k in range(pours.offset[i], cell):
        need -= x[k]
    return first, n, cell, need


open_part = njit(cache=True)(_open_part)


def _negotiate(
    active: Any, pours: Any, bounds: Any, x: Any, total: Any, span: Any, rule: Any, heard: Any
) -> tuple[int, bool]:
    """Run the rounds of one window; return how many were used and whether the load came to rest.

    `x` (cell,) and `total` (group, time) are brought up to date in place. `rule` holds step, tolerance,
    most rounds and the calm rounds that end them; `heard` (round, car) is empty where nothing is lost.
    """
    low, high = bounds
    begin, last = span
    gamma = rule[0] / sharing(active, pours, span, total.shape[0])
    load = total[:, begin:last].copy()
    before, square, calm = load.copy(), np.sum(load * load), 0
    for rounds in range(rule[2]):
        for j in range(active.size):
            way = FRESH if heard.size == 0 else heard[rounds, j]
            if way == MISSED:
                continue
            i = active[j]
            first, n, cell, need = open_part(i, pours, x, span)
            wish, power = np.empty(n), np.empty(n)
            priced(i, first, pours, before if way == LATE else load, begin, wish)
            own = x[cell : cell + n]
            for k in range(n):
                wish[k] = own[k] - gamma * wish[k]
            project(wish, low[cell : cell + n], high[cell : cell + n], need, power)
            for k in range(n):
                for g in range(pours.group_count[i]):
                    group = pours.groups[pours.first_group[i] + g]
                    total[group, first + k] += power[k] - own[k]
                own[k] = power[k]
        before, load = load, total[:, begin:last].copy()
        now = np.sum(load * load)
        calm = calm + 1 if abs(now - square) <= rule[1] * max(now, 1e-9) else 0
        square = now
        if calm >= rule[3]:
            return rounds + 1, True
    return rule[2], False


negotiate = njit(cache=True)(_negotiate)


def _gap_of(active: Any, pours: Any, bounds: Any, x: Any, total: Any, span: Any) -> float:
    """Return the relative duality gap: what every stay's best answer to the present price would save."""
    low, high = bounds
    begin, last = span
    load = total[:, begin:last].copy()
    saved = 0.0
    for i in active:
        first, n, cell, need = open_part(i, pours, x, span)
        price = np.empty(n)
        priced(i, first, pours, load, begin, price)
        for k in range(n):
            need -= low[cell + k]
        for k in np.argsort(price):
            best = min(high[cell + k] - low[cell + k], max(need, 0.0))
            need -= best
            saved += 2.0 * price[k] * (x[cell + k] - low[cell + k] - best)
    return float(max(saved, 0.0) / max(np.sum(load * load), 1e-9))


gap_of = njit(cache=True)(_gap_of)
