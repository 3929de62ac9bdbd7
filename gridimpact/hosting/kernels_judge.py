"""Compiled walks over the results of many scenarios: how far and how long each element is beyond its limit.

All of them take one part of a segment after the other and add to arrays (scenario, element); how time is
cut into parts changes no bit of what they find. NaN is beyond no limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from gridimpact.records import BoolArray, FloatArray, IntArray

F = TypeVar("F", bound=Callable[..., Any])
compiled = cast(Callable[[F], F], njit(cache=True, nogil=True))


class Band(NamedTuple):
    """Bounds of every voltage; an element is a bus, or in three phases one phase of a bus."""

    floor: FloatArray
    """(element,) fixed lower bound, -inf for none."""
    ceiling: FloatArray
    group: IntArray
    """(element,) reference its drop and rise are counted from, 0 for none."""
    source: IntArray
    """(group,) element whose voltage is the reference at the same step, -1 for a fixed one."""
    fixed: FloatArray
    drop: float
    """inf for none."""
    rise: float


class BandState(NamedTuple):
    """What is known of voltages so far; arrays (scenario, element), steps (scenario, bus)."""

    lowest: FloatArray
    highest: FloatArray
    below: FloatArray
    """Furthest below the lower bound, negative inside."""
    above: FloatArray
    steps_below: IntArray
    steps_above: IntArray


@compiled
def follow_band(voltage: FloatArray, usable: BoolArray, band: Band, state: BandState) -> None:
    """Take in voltages (scenario, time, element) of the steps that are usable, (scenario, time)."""
    scenarios, steps, count = voltage.shape
    buses = state.steps_below.shape[1]
    low, high = np.empty(len(band.source)), np.empty(len(band.source))
    for s in range(scenarios):
        least, most = state.lowest[s], state.highest[s]
        below, above = state.below[s], state.above[s]
        for t in range(steps):
            if not usable[s, t]:
                continue
            row = voltage[s, t]
            _references(row, band, low, high)
            outside = False
            for e in range(count):
                v, g = row[e], band.group[e]
                under = (band.floor[e] if band.floor[e] > low[g] else low[g]) - v
                over = v - (band.ceiling[e] if band.ceiling[e] < high[g] else high[g])
                least[e] = v if v < least[e] else least[e]
                most[e] = v if v > most[e] else most[e]
                below[e] = under if under > below[e] else below[e]
                above[e] = over if over > above[e] else above[e]
                outside |= (under > 0.0) | (over > 0.0)
            if outside:
                _count(row, band, (low, high), state.steps_below[s], state.steps_above[s], buses)


@compiled
def _references(row: FloatArray, band: Band, low: FloatArray, high: FloatArray) -> None:
    """Write the bounds that move with each reference; group 0 has none."""
    for g in range(len(band.source)):
        at = band.source[g]
        volts = row[at] if at >= 0 else band.fixed[g]
        low[g] = volts - band.drop if g > 0 and band.drop < np.inf else -np.inf
        high[g] = volts + band.rise if g > 0 and band.rise < np.inf else np.inf


@compiled
def _count(
    row: FloatArray,
    band: Band,
    moving: tuple[FloatArray, FloatArray],
    steps_below: IntArray,
    steps_above: IntArray,
    buses: int,
) -> None:
    """Count this step at every bus of which any phase is outside."""
    low, high = moving
    phases = len(row) // buses
    for b in range(buses):
        under = over = False
        for e in range(b * phases, (b + 1) * phases):
            v, g = row[e], band.group[e]
            under |= (band.floor[e] if band.floor[e] > low[g] else low[g]) - v > 0.0
            over |= v - (band.ceiling[e] if band.ceiling[e] < high[g] else high[g]) > 0.0
        steps_below[b] += under
        steps_above[b] += over


@compiled
def follow_highest(
    values: FloatArray, usable: BoolArray, limit: float, worst: FloatArray, over: IntArray
) -> None:
    """Keep the highest of (scenario, time, element) values and count the steps over a limit."""
    scenarios, steps, count = values.shape
    for s in range(scenarios):
        most, passed = worst[s], over[s]
        for t in range(steps):
            if usable[s, t]:
                row = values[s, t]
                for e in range(count):
                    v = row[e]
                    most[e] = v if v > most[e] else most[e]
                    passed[e] += v > limit


class MeanState(NamedTuple):
    """What moving means carry from one part of a segment to the next, and what they have found."""

    rest: FloatArray
    """(scenario, window - 1, element) values of the last steps."""
    rest_kind: IntArray
    """(scenario, window - 1) `SOUND`, `GAP` or `OUTSIDE`."""
    covered: IntArray
    """(scenario, element) steps of the segment up to which windows over the limit have been counted."""
    worst: FloatArray
    over: IntArray
    """(scenario, element) steps inside windows over the limit."""


SOUND, GAP, OUTSIDE = 0, 1, 2


@compiled
def follow_means(
    values: FloatArray,
    kind: IntArray,
    first: int,
    columns: IntArray,
    limit: float,
    state: MeanState,
) -> None:
    """Take in (scenario, time, element) values that begin with step `first`; `kind` (scenario, time).

    Sums over windows are put together from those of 1, 2, 4, ... steps, as
    `gridimpact.assess.moving.window_sums` does, so that every mean has the same bits.
    """
    scenarios, steps = kind.shape
    head, count = state.rest.shape[1], len(columns)
    power, total = np.empty((head + steps, count)), np.empty((steps, count))
    missing = np.empty((head + steps, count), dtype=np.bool_)
    kinds = np.empty(head + steps, dtype=np.int64)
    for s in range(scenarios):
        kinds[:head] = state.rest_kind[s]
        kinds[head:] = kind[s]
        power[:head] = state.rest[s]
        for t in range(steps):
            for k in range(count):
                power[head + t, k] = values[s, t, columns[k]]
        if head:
            state.rest[s] = power[steps:]
            state.rest_kind[s] = kinds[steps:]
        ragged = False
        for r in range(head + steps):
            for k in range(count):
                gone = kinds[r] != SOUND or np.isnan(power[r, k])
                missing[r, k] = gone
                ragged |= gone and kinds[r] == SOUND
                power[r, k] = 0.0 if gone else power[r, k]
        _sum_windows(power, total, head + 1)
        _judge_windows(total, missing, kinds, (first, ragged, limit, s), state)


@compiled
def _sum_windows(power: FloatArray, total: FloatArray, window: int) -> None:
    """Write the sum over each window into `total`, by its first row; `power` is used up."""
    steps, count = total.shape
    width, offset, rows, fresh = 1, 0, len(power), True
    while True:
        if window & width:
            for r in range(steps):
                for k in range(count):
                    total[r, k] = power[offset + r, k] + (0.0 if fresh else total[r, k])
            offset += width
            fresh = False
        if 2 * width > window:
            return
        rows -= width
        for r in range(rows):
            for k in range(count):
                power[r, k] = power[r, k] + power[r + width, k]
        width *= 2


@compiled
def _judge_windows(
    total: FloatArray,
    missing: BoolArray,
    kinds: IntArray,
    place: tuple[int, bool, float, int],
    state: MeanState,
) -> None:
    """Keep the highest mean of one scenario and count the steps inside windows over the limit."""
    first, ragged, limit, s = place
    steps, count = total.shape
    window = len(kinds) - steps + 1
    worst, over, covered = state.worst[s], state.over[s], state.covered[s]
    for t in range(steps):
        barred, gaps = False, 0
        for r in range(t, t + window):
            barred |= kinds[r] == OUTSIDE
            gaps += kinds[r] == GAP
        if barred or (not ragged and 2 * (window - gaps) < window):
            continue
        end = first + t + 1
        for k in range(count):
            known = window - gaps
            if ragged:
                known = window
                for r in range(t, t + window):
                    known -= missing[r, k]
                if 2 * known < window:
                    continue
            mean = total[t, k] / max(known, 1)
            worst[k] = mean if mean > worst[k] else worst[k]
            if mean > limit:
                over[k] += end - max(covered[k], end - window)
                covered[k] = end
