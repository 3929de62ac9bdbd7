"""Compiled steps of elements that answer to voltage: one after the other, or all of a lane at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

# Arrays are made here, whoever calls: said, as it is otherwise taken from the caller.
_compiled = njit(cache=True, nogil=True, error_model="numpy", _nrt=True)

_ROUNDS = 8
"""Newton steps of a slow lane within one iteration of the network."""

_ENOUGH = 0.01
"""Share of the gap at which they stop: the voltages expected are no better than that."""

# Rows of an element in the state: answer, voltage measured, next answer, limits, and what moved.
ANSWER, MEASURED, NEXT, LOW, HIGH, MOVED = range(6)
# Rows of a lane, behind those of all elements.
CAUTION, LAST, BEFORE, SLOW, WORSE, EXPECTED, YIELD = range(7)
ELEMENT_ROWS, LANE_ROWS = 6, 7


class Response(NamedTuple):
    """What answers to voltage, and by how much its answer moves the voltages that are measured."""

    column: Any
    """(answering,) column of the batch's power."""
    row: Any
    """(answering, 3) rows of the voltages measured, -1 where there are fewer."""
    other: Any
    """(answering, 3) rows they are measured against, -1 to earth."""
    slot: Any
    """(answering, 3) rows of the drawn power that the answer goes to, -1 for none."""
    share: Any
    """(answering, 3) shares of power and weights of the voltages measured; all zero without supply."""
    s_max: Any
    """(answering,) [kVA]"""
    s_ref: Any
    curve: Any
    """(answering,) row of ``v`` and ``q``."""
    v: Any
    """(curve, point) [pu]"""
    q: Any
    """(curve, point) shares of ``s_ref``."""
    own: Any
    """(answering,) drop of the voltage measured by the element's own answer, at 1 pu [pu/kvar]."""
    start: Any
    """(answering + 1,) where an element's neighbours begin in ``near`` and ``drop``."""
    near: Any
    drop: Any
    """Drop by a neighbour's answer, at 1 pu [pu/kvar]."""
    steep: Any
    """(answering,) steepest slope of the curve [pu power per pu voltage]."""
    scale: float
    """Per unit of the rows' power per kvar."""
    parts: int
    """Parts a row of the drawn power has; the first half is active, each half begins with constant power."""
    width: int
    """Lanes of a block."""
    memory: int
    """Rows of ``width`` numbers in the state ``q``: first the answers [kvar], then working memory."""


@_compiled
def place(response: Response, kind: int, e: int) -> Any:
    """Return where a row of an element begins in the state."""
    return (kind * response.column.shape[0] + e) * response.width


@_compiled
def lane_place(response: Response, kind: int) -> Any:
    """Return where a row of the lanes begins in the state."""
    return (ELEMENT_ROWS * response.column.shape[0] + kind) * response.width


@_compiled
def on_curve(response: Response, e: int, at: Any, x: Any, answer: Any) -> None:
    """Write the answers where curve and lines ``voltage = at - x * answer`` meet, lane by lane [kvar].

    A piecewise linear curve stays one when its voltages are shifted by what each answer would drop.
    """
    curve, s_ref = response.curve[e], response.s_ref[e]
    least = s_ref * response.q[curve, 0]
    for j in range(len(answer)):
        answer[j] = least
    for k in range(response.v.shape[1] - 1):
        first, run = response.v[curve, k], response.v[curve, k + 1] - response.v[curve, k]
        below = s_ref * response.q[curve, k]
        rise = s_ref * response.q[curve, k + 1] - below
        if rise > 0.0:
            for j in range(len(answer)):
                part = (at[j] - first - x[j] * below) / (run + x[j] * rise)
                part = part if part > 0.0 else 0.0
                answer[j] += rise * (part if part < 1.0 else 1.0)


@_compiled
def meet(e: int, first: int, end: int, response: Response, q: Any) -> None:
    """Let one element answer in some lanes, knowing what its neighbours answered."""
    old, m = place(response, ANSWER, e), place(response, MEASURED, e)
    expected, giving = lane_place(response, EXPECTED), lane_place(response, YIELD)
    caution = q[lane_place(response, CAUTION) :]
    old_q, size = q[old + first : old + end], q[m + first : m + end]
    at, x = q[expected + first : expected + end], q[giving + first : giving + end]
    for j in range(end - first):
        at[j] = 0.0
    for n in range(response.start[e], response.start[e + 1]):
        o, drop = place(response, MOVED, response.near[n]), response.drop[n]
        moved = q[o + first : o + end]
        for j in range(end - first):
            at[j] += drop * moved[j]
    for j in range(end - first):
        x[j] = caution[first + j] * response.own[e] / size[j]
        at[j] = size[j] - caution[first + j] * at[j] + x[j] * old_q[j]
    o = place(response, NEXT, e)
    wanted = q[o + first : o + end]
    on_curve(response, e, at, x, wanted)
    _limit(e, first, end, response, q)


@_compiled
def _limit(e: int, first: int, end: int, response: Response, q: Any) -> None:
    """Keep an element's next answers within its limits and note what they move."""
    o, low, high = place(response, NEXT, e), place(response, LOW, e), place(response, HIGH, e)
    old, m, moved = (
        place(response, ANSWER, e),
        place(response, MEASURED, e),
        place(response, MOVED, e),
    )
    for j in range(first, end):
        q[o + j] = min(max(q[o + j], q[low + j]), q[high + j])
        q[moved + j] = (q[o + j] - q[old + j]) / q[m + j]


@_compiled
def _slope(response: Response, e: int, at: float) -> float:
    """Return the slope of a curve at a voltage [kvar/pu], 0 beyond its ends."""
    curve = response.curve[e]
    for k in range(response.v.shape[1] - 1):
        first, last = response.v[curve, k], response.v[curve, k + 1]
        if first < at <= last:
            rise = response.q[curve, k + 1] - response.q[curve, k]
            return float(response.s_ref[e] * rise / (last - first))
    return 0.0


@_compiled
def _gaps(j: int, response: Response, q: Any, gap: Any, slope: Any) -> Any:
    """Write what each next answer lacks at the voltages expected, and its slope; return the largest."""
    worst, caution = 0.0, q[lane_place(response, CAUTION) + j]
    none, voltage, wanted = np.zeros(1), np.empty(1), np.empty(1)
    for e in range(response.column.shape[0]):
        drop = response.own[e] * q[place(response, MOVED, e) + j]
        for n in range(response.start[e], response.start[e + 1]):
            drop += response.drop[n] * q[place(response, MOVED, response.near[n]) + j]
        size = q[place(response, MEASURED, e) + j]
        low, high = q[place(response, LOW, e) + j], q[place(response, HIGH, e) + j]
        voltage[0] = size - caution * drop
        on_curve(response, e, voltage, none, wanted)
        slope[e] = _slope(response, e, voltage[0]) if low < wanted[0] < high else 0.0
        gap[e] = min(max(wanted[0], low), high) - q[place(response, NEXT, e) + j]
        worst = max(worst, abs(gap[e]) / (1.0 + slope[e] * caution * response.own[e] / size))
    return worst


@_compiled
def settle(j: int, response: Response, q: Any) -> None:
    """Solve all elements of a lane together at the voltages expected.

    Newton steps on the piecewise linear curves, each after a round in which every element meets its
    own curve; a step that brings the answers no nearer is taken back.
    """
    count = response.column.shape[0]
    gap, slope, kept = np.empty(count), np.empty(count), np.empty(count)
    goal = -1.0
    for _ in range(_ROUNDS):
        for e in range(count):
            meet(e, j, j + 1, response, q)
        before = _gaps(j, response, q, gap, slope)
        goal = _ENOUGH * before if goal < 0.0 else goal
        if not before > goal:
            return
        move = _newton(j, response, q, gap, slope)
        for e in range(count):
            o = place(response, NEXT, e) + j
            kept[e] = q[o]
            q[o] += move[e]
            _limit(e, j, j + 1, response, q)
        after = _gaps(j, response, q, gap, slope)
        if after <= goal:
            return
        if not after < before:
            for e in range(count):
                q[place(response, NEXT, e) + j] = kept[e]
                _limit(e, j, j + 1, response, q)


@_compiled
def _newton(j: int, response: Response, q: Any, gap: Any, slope: Any) -> Any:
    """Return the step that closes the gaps where every curve goes on straight.

    Only elements on a slope hang together; the others go where they want.
    """
    count, move = response.column.shape[0], gap.copy()
    caution, number = q[lane_place(response, CAUTION) + j], np.full(count, -1)
    sloped = np.flatnonzero(slope > 0.0)
    for k in range(len(sloped)):
        number[sloped[k]] = k
    matrix, right = np.zeros((len(sloped), len(sloped))), np.empty(len(sloped))
    for k in range(len(sloped)):
        e = sloped[k]
        steep = slope[e] * caution
        matrix[k, k] = 1.0 + steep * response.own[e] / q[place(response, MEASURED, e) + j]
        right[k] = gap[e]
        for n in range(response.start[e], response.start[e + 1]):
            other = response.near[n]
            drop = steep * response.drop[n] / q[place(response, MEASURED, other) + j]
            if number[other] >= 0:
                matrix[k, number[other]] += drop
            else:
                right[k] -= drop * gap[other]
    _solve(matrix, right)
    for k in range(len(sloped)):
        move[sloped[k]] = right[k]
    return move


@_compiled
def _solve(matrix: Any, x: Any) -> None:
    """Solve a linear system in place by elimination with row pivoting."""
    count = len(x)
    for k in range(count):
        best = k
        for e in range(k + 1, count):
            best = e if abs(matrix[e, k]) > abs(matrix[best, k]) else best
        if best != k:
            for c in range(count):
                matrix[k, c], matrix[best, c] = matrix[best, c], matrix[k, c]
            x[k], x[best] = x[best], x[k]
        row = matrix[k]
        for e in range(k + 1, count):
            factor = matrix[e, k] / row[k]
            if factor != 0.0:
                x[e] -= factor * x[k]
                below = matrix[e]
                for c in range(k, count):
                    below[c] -= factor * row[c]
    for k in range(count - 1, -1, -1):
        for c in range(k + 1, count):
            x[k] -= matrix[k, c] * x[c]
        x[k] /= matrix[k, k]
