"""Compiled steps of elements that answer to voltage: one after the other, or all of a lane at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, error_model="numpy")

_ROUNDS = 12
"""Newton steps of such a lane within one iteration of the network."""


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
def on_curve(response: Response, e: int, x: float, at: float) -> float:
    """Return the answer where curve and line ``voltage = at - x * answer`` meet [kvar].

    A piecewise linear curve stays one when its voltages are shifted by what each answer would drop.
    """
    curve, s_ref = response.curve[e], response.s_ref[e]
    answer = s_ref * response.q[curve, 0]
    for k in range(response.v.shape[1] - 1):
        below, above = s_ref * response.q[curve, k], s_ref * response.q[curve, k + 1]
        first = response.v[curve, k] + x * below
        part = (at - first) / (response.v[curve, k + 1] + x * above - first)
        part = part if part > 0.0 else 0.0
        answer += (above - below) * (part if part < 1.0 else 1.0)
    return answer


@_compiled
def _slope(response: Response, e: int, at: float) -> float:
    """Return the slope of a curve at a voltage [kvar/pu], 0 beyond its ends."""
    curve = response.curve[e]
    for k in range(response.v.shape[1] - 1):
        first, last = response.v[curve, k], response.v[curve, k + 1]
        if first < at <= last:
            rise = response.q[curve, k + 1] - response.q[curve, k]
            return response.s_ref[e] * rise / (last - first)
    return 0.0


@_compiled
def _expect(e: int, first: int, end: int, response: Response, q: Any) -> None:
    """Write the voltage an element expects after its neighbours' answers, at its own last answer."""
    count, width = response.column.shape[0], response.width
    m, caution, at = (count + e) * width, 5 * count * width, (5 * count + 2) * width
    for j in range(first, end):
        q[at + j] = 0.0
    for n in range(response.start[e], response.start[e + 1]):
        old, drop = response.near[n] * width, response.drop[n]
        size, new = old + count * width, old + 2 * count * width
        for j in range(first, end):
            q[at + j] += drop * (q[new + j] - q[old + j]) / q[size + j]
    for j in range(first, end):
        q[at + j] = q[m + j] - q[caution + j] * q[at + j]


@_compiled
def meet(e: int, first: int, end: int, response: Response, q: Any) -> None:
    """Let one element answer in some lanes, knowing what its neighbours answered."""
    count, width = response.column.shape[0], response.width
    m, new, at = (count + e) * width, (2 * count + e) * width, (5 * count + 2) * width
    low, high, caution = (3 * count + e) * width, (4 * count + e) * width, 5 * count * width
    _expect(e, first, end, response, q)
    for j in range(first, end):
        x = q[caution + j] * response.own[e] / q[m + j]
        wanted = on_curve(response, e, x, q[at + j] + x * q[e * width + j])
        q[new + j] = min(max(wanted, q[low + j]), q[high + j])


@_compiled
def _gaps(j: int, response: Response, q: Any, gap: Any, slope: Any) -> float:
    """Write what each new answer lacks at the voltages expected, and its slope; return the largest gap."""
    count, width = response.column.shape[0], response.width
    worst = 0.0
    for e in range(count):
        new, at = (2 * count + e) * width + j, (5 * count + 2) * width + j
        low, high = q[(3 * count + e) * width + j], q[(4 * count + e) * width + j]
        _expect(e, j, j + 1, response, q)
        x = q[5 * count * width + j] * response.own[e] / q[(count + e) * width + j]
        voltage = q[at] - x * (q[new] - q[e * width + j])
        wanted = on_curve(response, e, 0.0, voltage)
        slope[e] = _slope(response, e, voltage) if low < wanted < high else 0.0
        gap[e] = min(max(wanted, low), high) - q[new]
        worst = max(worst, abs(gap[e]) / (1.0 + slope[e] * x))
    return worst


@_compiled
def settle(j: int, response: Response, q: Any) -> None:
    """Solve all elements of a lane together at the voltages expected.

    Newton steps on the piecewise linear curves, each after a round in which every element meets its
    own curve; a step that brings the answers no nearer is taken back.
    """
    count, width = response.column.shape[0], response.width
    gap, slope, trial = np.empty(count), np.empty(count), np.empty((2, count))
    for _ in range(_ROUNDS):
        for e in range(count):
            meet(e, j, j + 1, response, q)
        before = _gaps(j, response, q, gap, slope)
        if before * response.scale <= 1e-14:
            return
        move = _newton(j, response, q, gap, slope)
        for e in range(count):
            new = (2 * count + e) * width + j
            low, high = q[(3 * count + e) * width + j], q[(4 * count + e) * width + j]
            trial[0, e] = q[new]
            q[new] = min(max(q[new] + move[e], low), high)
        if not _gaps(j, response, q, gap, slope) < before:
            for e in range(count):
                q[(2 * count + e) * width + j] = trial[0, e]


@_compiled
def _newton(j: int, response: Response, q: Any, gap: Any, slope: Any) -> Any:
    """Return the step that closes the gaps where every curve goes on straight."""
    count, width = response.column.shape[0], response.width
    matrix, move = np.zeros((count, count)), gap.copy()
    caution = q[5 * count * width + j]
    for e in range(count):
        matrix[e, e] = 1.0
        if slope[e] > 0.0:
            matrix[e, e] += slope[e] * caution * response.own[e] / q[(count + e) * width + j]
            for n in range(response.start[e], response.start[e + 1]):
                other = response.near[n]
                size = q[(count + other) * width + j]
                matrix[e, other] += slope[e] * caution * response.drop[n] / size
    _solve(matrix, move)
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
        for e in range(k + 1, count):
            factor = matrix[e, k] / matrix[k, k]
            if factor != 0.0:
                x[e] -= factor * x[k]
                for c in range(k, count):
                    matrix[e, c] -= factor * matrix[k, c]
    for k in range(count - 1, -1, -1):
        for c in range(k + 1, count):
            x[k] -= matrix[k, c] * x[c]
        x[k] /= matrix[k, k]
