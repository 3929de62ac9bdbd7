"""Compiled counting of ten-minute means inside a band, whole week by whole week, for many scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from gridimpact.records import BoolArray, FloatArray, IntArray

F = TypeVar("F", bound=Callable[..., Any])
compiled = cast(Callable[[F], F], njit(cache=True, nogil=True))


class WeekRule(NamedTuple):
    """Band and share asked for."""

    low: float
    high: float
    share: float
    width: int
    """Steps of one mean."""


class WeekState(NamedTuple):
    """The open mean and week, and what closed weeks have found; elements as in `kernels_judge.Band`."""

    total: FloatArray
    """(scenario, element) squares in the open mean."""
    taken: IntArray
    week: IntArray
    """(scenario,) number of the open week, -1 for none."""
    inside: IntArray
    """(scenario, element) means of the open week inside the band."""
    known: IntArray
    least: FloatArray
    """(scenario, element, kept) least distances to the band of the open week, the largest of them first (a heap);
    negative outside. Length 0 where margins are not asked for."""
    size: IntArray
    weeks: IntArray
    """(scenario, bus) weeks that kept the band too seldom."""
    depth: FloatArray
    """(scenario, bus) percent missing to the share asked for in the worst of them."""
    margin: FloatArray
    """(scenario, bus) least distance to the band that was kept as often as asked; see `close_weeks`."""


@compiled
def follow_weeks(
    values: FloatArray,
    usable: BoolArray,
    week: IntArray,
    first: int,
    rule: WeekRule,
    state: WeekState,
) -> None:
    """Take in (scenario, time, element) values that begin with step `first` of a segment.

    `week`, (time,) of the whole segment, is the number of the whole week each step belongs to, -1 for none.
    A mean belongs to the week of its first step; means are root mean squares over sound steps.
    """
    scenarios, steps, count = values.shape
    for s in range(scenarios):
        for t in range(steps):
            begin = first + t - (first + t) % rule.width
            number = week[begin]
            if number != state.week[s]:
                _close(s, rule, state)
                state.week[s] = number
            if number < 0:
                continue
            last = (first + t + 1) % rule.width == 0
            for e in range(count):
                v = values[s, t, e] if usable[s, t] else np.nan
                if rule.width > 1:
                    if not np.isnan(v):
                        state.total[s, e] += v * v
                        state.taken[s, e] += 1
                    if not last:
                        continue
                    n = state.taken[s, e]
                    v = np.sqrt(state.total[s, e] / n) if n else np.nan
                    state.total[s, e] = 0.0
                    state.taken[s, e] = 0
                if not np.isnan(v):
                    state.known[s, e] += 1
                    away = min(v - rule.low, rule.high - v)
                    state.inside[s, e] += away >= 0.0
                    _keep_least(state.least[s, e], state.size[s], e, away)


@compiled
def close_weeks(rule: WeekRule, state: WeekState) -> None:
    """Judge the open week of every scenario; a mean that is not whole is dropped.

    The margin of a week is the distance that as large a share of its means keeps or exceeds as must be inside
    the band, so it is negative exactly where the week is broken.
    """
    for s in range(len(state.week)):
        _close(s, rule, state)
        state.total[s] = 0.0
        state.taken[s] = 0


@compiled
def _close(s: int, rule: WeekRule, state: WeekState) -> None:
    """Judge the open week of one scenario by the phase that keeps the band least."""
    if state.week[s] < 0:
        return
    state.week[s] = -1
    buses = state.weeks.shape[1]
    phases = state.inside.shape[1] // buses
    for b in range(buses):
        worst = np.inf
        for e in range(b * phases, (b + 1) * phases):
            known = state.known[s, e]
            if not known:
                continue
            worst = min(worst, state.inside[s, e] / known)
            held = state.size[s, e]
            if held:
                rank = min(_allowed_outside(known, rule.share), held - 1)
                margin = np.sort(state.least[s, e, :held])[rank]
                state.margin[s, b] = min(state.margin[s, b], margin)
        if worst < rule.share:
            state.weeks[s, b] += 1
            depth = abs(100.0 * worst - 100.0 * rule.share)
            state.depth[s, b] = max(state.depth[s, b], depth)
    state.inside[s] = 0
    state.known[s] = 0
    state.size[s] = 0


@compiled
def _allowed_outside(known: int, share: float) -> int:
    """Return how many of `known` means may be outside."""
    allowed = int(np.floor(known * (1.0 - share))) + 1
    while allowed > 0 and (known - allowed) / known < share:
        allowed -= 1
    return allowed


@compiled
def _keep_least(heap: FloatArray, sizes: IntArray, e: int, value: float) -> None:
    """Put a value among the least ones kept, where it belongs there."""
    size = sizes[e]
    if size < len(heap):
        k = size
        while k > 0 and heap[(k - 1) // 2] < value:
            heap[k] = heap[(k - 1) // 2]
            k = (k - 1) // 2
        heap[k] = value
        sizes[e] = size + 1
        return
    if not size or value >= heap[0]:
        return
    k = 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = value


def means_kept(means: int, share: float) -> int:
    """Return how many of the least distances of a week of `means` means must be kept for its margin.

    Examples
    --------
    >>> means_kept(672, 0.95)
    35
    """
    return min(int(np.floor(means * (1.0 - share))) + 2, means)
