"""Compiled bound of one step's charging power that falls near full, on graphs of marginal cost.

The taper bounds the energy after a step by a line in the energy before it; the bound is kept exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.kernels_graph import FloatArray, Graph, compiled, height, tidy

IntArray = NDArray[np.int64]


class Scratch(NamedTuple):
    """Work space of one battery's plan."""

    a: Graph
    b: Graph
    step: Graph
    mirror: Graph
    after: FloatArray
    kept: Graph
    """Graphs of all plugged-in steps, one after the other."""
    begin: IntArray
    """(time,) first vertex of each step in `kept`."""
    size: IntArray
    """(time,) vertices of each step in `kept`."""


@compiled
def scratch(steps: int) -> Scratch:
    """Return work space for a window of `steps`."""
    size = 24 * steps + 64
    whole = steps * (10 * steps + 64)
    return Scratch(
        Graph(np.empty(size), np.empty(size)),
        Graph(np.empty(size), np.empty(size)),
        Graph(np.empty(8), np.empty(8)),
        Graph(np.empty(8), np.empty(8)),
        np.empty(size),
        Graph(np.empty(whole), np.empty(whole)),
        np.zeros(steps, dtype=np.int64),
        np.zeros(steps, dtype=np.int64),
    )


@compiled
def restrict(w: Scratch, n: int, later: Graph, m: int, k: int, line: tuple[float, float]) -> int:
    """Bound the energy after the step by `line`; from graph a into graph b, return its vertices or 0.

    Graph a is the merge of `later` (m vertices) and the step (k vertices) without the bound. Where the
    bound holds the step back, the slope of the total is that of ``later(line(e)) + step(line(e) - e)``.
    It returns 0, and nothing is written that counts, where the bound holds back nothing.
    """
    ratio, offset = line
    begin = (offset - w.step.x[k - 1]) / (1.0 - ratio)
    lost, end = (later.x[0] - offset) / ratio, (later.x[m - 1] - offset) / ratio
    top = w.a.x[n - 1]
    count = _head(w, n, begin) if lost <= begin else 0
    at, end = max(begin, lost), min(end, top)
    bound, free_from = lost > begin, at
    i, j = 0, k - 1
    while i < m and later.x[i] <= ratio * at + offset:
        i += 1
    while j >= 0 and w.step.x[j] >= (ratio - 1.0) * at + offset:
        j -= 1
    while at < end:
        by_later = (later.x[i] - offset) / ratio if i < m else math.inf
        by_step = (offset - w.step.x[j]) / (1.0 - ratio) if j >= 0 else math.inf
        stop = min(by_later, by_step, end)
        if stop > at:
            gain = _gain((k, m), w.step, later, (i, j + 1), (at, stop, ratio, offset))
            if gain[0] < 0.0 or gain[1] < 0.0:
                bound = True
                count = _free(w, n, free_from, at, count)
                count = _piece(w, n, gain, (at, stop, ratio), count)
                free_from = stop
            at = stop
        if by_later <= stop:
            i += 1
        if by_step <= stop:
            j -= 1
    if not bound:
        return 0
    count = _free(w, n, free_from, at, count)
    if at < top or count == 0:
        w.b.x[count], w.b.y[count] = at, height(w.a, n, at, True)
        count += 1
    for v in range(_after(w.a.x, n, at), n):
        w.b.x[count], w.b.y[count] = w.a.x[v], w.a.y[v]
        count += 1
    return tidy(w.b, count)


@compiled
def _gain(
    sizes: tuple[int, int],
    step: Graph,
    later: Graph,
    place: tuple[int, int],
    span: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """Return what a little more would cost at both ends of a piece, and the step's part of it."""
    k, m = sizes
    low, high, ratio, offset = span
    cost_low = segment(step, place[1], k, (ratio - 1.0) * low + offset)
    cost_high = segment(step, place[1], k, (ratio - 1.0) * high + offset)
    first = segment(later, place[0], m, ratio * low + offset) + cost_low
    last = segment(later, place[0], m, ratio * high + offset) + cost_high
    return first, last, cost_low, cost_high


@compiled
def _piece(
    w: Scratch,
    n: int,
    gain: tuple[float, float, float, float],
    span: tuple[float, float, float],
    count: int,
) -> int:
    """Write one piece, on which both slopes are straight and the bound holds; return the vertices."""
    first, last, cost_low, cost_high = gain
    low, high, ratio = span
    cross = high
    if first * last < 0.0:
        cross = low + first / (first - last) * (high - low)
    middle = -(cost_low + (cost_high - cost_low) * (cross - low) / (high - low))
    if first >= 0.0:
        count = _free(w, n, low, cross, count)
        w.b.x[count], w.b.y[count] = cross, middle
    else:
        w.b.x[count], w.b.y[count] = low, ratio * first - cost_low
    count += 1
    if last >= 0.0:
        w.b.x[count], w.b.y[count] = cross, middle
        return _free(w, n, cross, high, count + 1)
    w.b.x[count], w.b.y[count] = high, ratio * last - cost_high
    return count + 1


@compiled
def _after(x: FloatArray, n: int, at: float) -> int:
    """Return the first of `n` rising abscissae that lies beyond `at`."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if x[middle] <= at:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def segment(graph: Graph, k: int, m: int, at: float) -> float:
    """Return the ordinate at `at` on the segment that ends at vertex `k` of a graph of `m` vertices."""
    if k == 0:
        return float(graph.y[0])
    if k >= m:
        return float(graph.y[m - 1])
    run = graph.x[k] - graph.x[k - 1]
    if run <= 0.0:
        return float(graph.y[k])
    share = (at - graph.x[k - 1]) / run
    return float(graph.y[k - 1] + share * (graph.y[k] - graph.y[k - 1]))


@compiled
def _free(w: Scratch, n: int, low: float, high: float, count: int) -> int:
    """Write a piece on which the bound does not matter; return the vertices so far."""
    if high <= low:
        return count
    w.b.x[count], w.b.y[count] = low, height(w.a, n, low, True)
    count += 1
    for v in range(_after(w.a.x, n, low), n):
        if w.a.x[v] >= high:
            break
        w.b.x[count], w.b.y[count] = w.a.x[v], w.a.y[v]
        count += 1
    w.b.x[count], w.b.y[count] = high, height(w.a, n, high, False)
    return count + 1


@compiled
def _head(w: Scratch, n: int, end: float) -> int:
    """Write the piece up to `end`; return its vertices."""
    count = 0
    while count < n and w.a.x[count] <= end:
        w.b.x[count], w.b.y[count] = w.a.x[count], w.a.y[count]
        count += 1
    w.b.x[count], w.b.y[count] = end, height(w.a, n, end, False)
    return count + 1
