"""Compiled arithmetic of convex marginal costs: monotone polylines of energy against cost per kWh.

A convex piecewise linear or quadratic function is kept as the graph of its slope: vertices ``(x, y)``
that rise in both. Adding a step to a plan is then a merge of two graphs, exact and without a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

F = TypeVar("F", bound=Callable[..., Any])
compiled = cast(Callable[[F], F], njit(cache=True, nogil=True))
"""Compile a function for the processor; nothing is compiled until the first call."""

MAX_STEP_VERTICES = 8
"""Vertices of the marginal cost of one step."""

_SAME = 1e-13


class Graph(NamedTuple):
    """Buffers of a graph; the number of vertices goes beside them."""

    x: FloatArray
    y: FloatArray


class Device(NamedTuple):
    """One battery in the units of the graphs."""

    eta_charge: float
    eta_discharge: float
    wear: float
    """Cost of one kWh delivered at the meter [currency/kWh]."""
    dt_h: float
    penalty: float
    """Cost of one kWh missing at a departure [currency/kWh]."""


@compiled
def discharge_pays(down_kw: float, meter: FloatArray, device: Device) -> bool:
    """Return whether a step allows discharge without paying for charging at the same time."""
    kink, low, high = meter[1], min(meter[2], meter[3]), meter[3]
    left = (low if kink >= 0.0 else high) - device.wear
    right = low if kink > 0.0 else high
    return bool(down_kw > 0.0 and left * device.eta_discharge <= right / device.eta_charge + _SAME)


@compiled
def step_graph(down_kw: float, up_kw: float, meter: FloatArray, device: Device, out: Graph) -> int:
    """Write the marginal cost per kWh of the battery's change in one step; return its vertices.

    `meter` holds slope, kink, low and high: a kW more at net power x costs slope x + low below the kink
    and slope x + high above it. Where charging would pay more than discharging costs, discharge is
    left out, so that nothing is gained by doing both.
    """
    slope, kink, low, high = meter[0], meter[1], min(meter[2], meter[3]), meter[3]
    to_discharge, factor = device.dt_h / device.eta_discharge, device.eta_discharge
    n = 0
    if discharge_pays(down_kw, meter, device):
        first = (low if -down_kw < kink else high) - device.wear
        out.x[n], out.y[n] = -down_kw * to_discharge, (first - slope * down_kw) * factor
        n += 1
        if -down_kw < kink < 0.0:
            at, x = slope * kink - device.wear, kink * to_discharge
            out.x[n], out.y[n] = x, (low + at) * factor
            out.x[n + 1], out.y[n + 1] = x, (high + at) * factor
            n += 2
        out.x[n], out.y[n] = 0.0, ((low if kink >= 0.0 else high) - device.wear) * factor
        n += 1
    to_charge = device.eta_charge * device.dt_h
    out.x[n], out.y[n] = 0.0, (low if kink > 0.0 else high) / device.eta_charge
    n += 1
    if up_kw > 0.0:
        if 0.0 < kink < up_kw:
            at, x = slope * kink, kink * to_charge
            out.x[n], out.y[n] = x, (low + at) / device.eta_charge
            out.x[n + 1], out.y[n + 1] = x, (high + at) / device.eta_charge
            n += 2
        last = (low if up_kw <= kink else high) + slope * up_kw
        out.x[n], out.y[n] = up_kw * to_charge, last / device.eta_charge
        n += 1
    return n


@compiled
def turned(graph: Graph, n: int, out: Graph) -> None:
    """Write the graph of the same function of minus its argument."""
    for k in range(n):
        out.x[k], out.y[k] = -graph.x[n - 1 - k], -graph.y[n - 1 - k]


@compiled
def abscissa(graph: Graph, n: int, k: int, at: float) -> float:
    """Return where a graph whose next vertex is `k` stands at the ordinate `at`."""
    if k == 0:
        return float(graph.x[0])
    if k == n:
        return float(graph.x[n - 1])
    rise = graph.y[k] - graph.y[k - 1]
    if rise <= 0.0:
        return float(graph.x[k - 1])
    share = (at - graph.y[k - 1]) / rise
    return float(graph.x[k - 1] + share * (graph.x[k] - graph.x[k - 1]))


@compiled
def merge(later: Graph, n: int, step: Graph, m: int, out: Graph, after: FloatArray) -> int:
    """Write the slope of the least sum of two functions whose arguments add up; return its vertices.

    `after` receives the part of `later` at each vertex, the smallest one where several are as good.
    """
    i, j, count = 0, 0, 0
    while i < n or j < m:
        if j < m and (i == n or step.y[j] <= later.y[i]):
            level, own = step.y[j], step.x[j]
            other = abscissa(later, n, i, level)
            j += 1
        else:
            level, other = later.y[i], later.x[i]
            own = abscissa(step, m, j, level)
            i += 1
        out.x[count], out.y[count], after[count] = own + other, level, other
        count += 1
    return count


@compiled
def height(graph: Graph, n: int, at: float, right: bool) -> float:
    """Return the slope at `at`, from the right or from the left where it jumps; constant outside."""
    x, y = graph.x, graph.y
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if x[middle] < at or (right and x[middle] == at):
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return float(y[0])
    if low == n:
        return float(y[n - 1])
    run = x[low] - x[low - 1]
    return float(y[low - 1] + (at - x[low - 1]) / run * (y[low] - y[low - 1]))


@compiled
def tidy(graph: Graph, n: int) -> int:
    """Keep both coordinates rising and drop vertices that change nothing; return the vertices left."""
    x, y = graph.x, graph.y
    count = 0
    for k in range(n):
        a, b = x[k], y[k]
        if count > 0:
            a, b = max(a, x[count - 1]), max(b, y[count - 1])
            if a - x[count - 1] <= _SAME and b - y[count - 1] <= _SAME:
                continue
        if count > 1:
            run, rise = a - x[count - 2], b - y[count - 2]
            across = x[count - 1] - x[count - 2]
            straight = (
                run > _SAME and abs(y[count - 2] + rise / run * across - y[count - 1]) <= _SAME
            )
            if rise <= _SAME or run <= _SAME or straight:
                count -= 1
        x[count], y[count] = a, b
        count += 1
    return count


@compiled
def clip(graph: Graph, n: int, low: float, high: float, penalty: float, out: Graph) -> int:
    """Write the part of a graph between two abscissae; return its vertices.

    Where nothing is left, the nearer end stays, with a slope that leads back to the lost domain.
    """
    x, y = graph.x, graph.y
    if x[0] >= high:
        out.x[0], out.y[0] = high, min(y[0], -penalty)
        return 1
    if x[n - 1] <= low:
        out.x[0], out.y[0] = low, y[n - 1]
        return 1
    count = 0
    if x[0] < low:
        out.x[0], out.y[0] = low, height(graph, n, low, True)
        count = 1
    for k in range(n):
        if x[k] > high:
            break
        if x[k] > low or (x[k] == low and x[0] == low):
            out.x[count], out.y[count] = x[k], y[k]
            count += 1
    if x[n - 1] > high and out.x[count - 1] < high:
        out.x[count], out.y[count] = high, height(graph, n, high, False)
        count += 1
    return count


@compiled
def want(graph: Graph, n: int, need: float, penalty: float, out: Graph) -> int:
    """Write a graph with a penalty per unit below `need`; return its vertices."""
    x, y = graph.x, graph.y
    count = 0
    for k in range(n):
        if x[k] < need:
            out.x[count], out.y[count] = x[k], y[k] - penalty
            count += 1
    if count > 0 and need <= x[n - 1]:
        level = height(graph, n, need, False)
        out.x[count], out.y[count] = need, level - penalty
        out.x[count + 1], out.y[count + 1] = need, level
        count += 2
    for k in range(n):
        if x[k] >= need:
            out.x[count], out.y[count] = x[k], y[k]
            count += 1
    return count
