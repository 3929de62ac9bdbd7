"""Compiled exact plan of one battery over many steps, by dynamic programming on marginal costs.

Backward: the graph of the value of stored energy at the end of each step. Forward: the step that this
value asks for.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.kernels_graph import (
    Device,
    FloatArray,
    Graph,
    clip,
    compiled,
    merge,
    step_graph,
    tidy,
    turned,
    want,
)
from gridimpact.dispatch.kernels_taper import Scratch, restrict, segment

BoolArray = NDArray[np.bool_]

TOWED = 10.0
"""Energy that a trip lacks costs this many times the energy missing at a departure."""
_TIE = 1e-11
"""Costs per kWh closer than this are the same [currency/kWh]."""


class Storage(NamedTuple):
    """Batteries of a window, arrays over (vehicle, time) [kW, kWh]."""

    up_kw: FloatArray
    """Highest draw at the meter, 0 while away."""
    down_kw: FloatArray
    """Highest feed at the meter, a magnitude."""
    ratio: FloatArray
    """With `offset_kwh` the taper: energy after a step that charges <= ratio * before + offset; 2 is none."""
    offset_kwh: FloatArray
    lower_kwh: FloatArray
    """Least energy at the end of the step."""
    upper_kwh: FloatArray
    need_kwh: FloatArray
    """Energy wanted at the end of the step, missing it costs the penalty; -1 asks for nothing."""
    drain_kwh: FloatArray
    """Driven before the step, as planned."""
    trip_kwh: FloatArray
    """Driven before the step, as it takes place; never empties the battery below `floor_kwh`."""
    arrival_kwh: FloatArray
    """Energy at the begin of the step where it is given, else NaN."""
    plugged: BoolArray
    meter: FloatArray
    """(vehicle, time, 4) slope, kink, low and high marginal cost at the meter."""


class Cells(NamedTuple):
    """Batteries of a window, arrays over (vehicle,)."""

    eta_charge: FloatArray
    eta_discharge: FloatArray
    wear: FloatArray
    """[currency/kWh] delivered at the meter."""
    floor_kwh: FloatArray
    initial_kwh: FloatArray
    value: FloatArray
    """Worth of a kWh left at the end of the window [currency/kWh]."""


@compiled
def backward(s: Storage, v: int, value: float, device: Device, w: Scratch) -> None:
    """Fill `w.kept` with the slope of the cost to come at the end of every plugged-in step."""
    steps = s.up_kw.shape[1]
    top = s.upper_kwh[v].max()
    w.a.x[0], w.a.y[0], w.a.x[1], w.a.y[1] = 0.0, -value, top, -value
    n, used = 2, 0
    for t in range(steps - 1, -1, -1):
        if not s.plugged[v, t]:
            continue
        if s.need_kwh[v, t] >= 0.0:
            n = tidy(w.b, want(w.a, n, s.need_kwh[v, t], device.penalty, w.b))
            _copy(w.b, n, w.a)
        room = Graph(w.kept.x[used:], w.kept.y[used:])
        n = clip(w.a, n, s.lower_kwh[v, t], s.upper_kwh[v, t], device.penalty, room)
        w.begin[t], w.size[t] = used, n
        later = Graph(w.kept.x[used : used + n], w.kept.y[used : used + n])
        used += n
        n = _before(s, v, t, later, device, w)
        if not math.isnan(s.arrival_kwh[v, t]):
            w.a.x[0], w.a.y[0], w.a.x[1], w.a.y[1] = 0.0, 0.0, top, 0.0
            n = 2
        elif s.drain_kwh[v, t] > 0.0:
            n = _shift(w, n, s.drain_kwh[v, t], device.penalty)


@compiled
def _before(s: Storage, v: int, t: int, later: Graph, device: Device, w: Scratch) -> int:
    """Write the graph before step `t` into graph a; return its vertices."""
    m = later.x.size
    if s.up_kw[v, t] <= 0.0 and s.down_kw[v, t] <= 0.0:
        _copy(later, m, w.a)
        return m
    k = step_graph(s.down_kw[v, t], s.up_kw[v, t], s.meter[v, t], device, w.step)
    turned(w.step, k, w.mirror)
    n = merge(later, m, w.mirror, k, w.a, w.after)
    ratio, offset = s.ratio[v, t], s.offset_kwh[v, t]
    if ratio < 1.0:
        begin = (offset - w.step.x[k - 1]) / (1.0 - ratio)
        if begin < w.a.x[n - 1] and ratio * begin + offset < later.x[m - 1]:
            bound = restrict(w, n, later, m, k, (ratio, offset))
            if bound > 0:
                _copy(w.b, bound, w.a)
                return bound
    return tidy(w.a, n)


@compiled
def _shift(w: Scratch, n: int, drain: float, penalty: float) -> int:
    """Book a trip before the graph in a; return its vertices."""
    w.b.x[0], w.b.y[0] = 0.0, min(w.a.y[0], -TOWED * penalty)
    w.b.x[1], w.b.y[1] = w.a.x[0] + drain, w.b.y[0]
    for k in range(n):
        w.b.x[k + 2], w.b.y[k + 2] = w.a.x[k] + drain, w.a.y[k]
    n = tidy(w.b, n + 2)
    _copy(w.b, n, w.a)
    return n


@compiled
def _copy(source: Graph, n: int, out: Graph) -> None:
    """Copy the vertices of a graph."""
    for k in range(n):
        out.x[k], out.y[k] = source.x[k], source.y[k]


@compiled
def choose(before: float, later: Graph, step: Graph, k: int, line: tuple[float, float]) -> float:
    """Return the energy after a step that costs least, the highest one where several do."""
    m = later.x.size
    most = before + step.x[k - 1]
    if line[0] < 1.0:
        most = max(min(most, line[0] * before + line[1]), before)
    low, high = max(later.x[0], before + step.x[0]), min(later.x[m - 1], most)
    if high <= low:
        return float(most if later.x[0] > most else low)
    at, i, j = low, 0, 0
    while i < m and later.x[i] <= at:
        i += 1
    while j < k and before + step.x[j] <= at:
        j += 1
    while at < high:
        stop = min(later.x[i] if i < m else math.inf, before + step.x[j] if j < k else math.inf)
        stop = min(stop, high)
        first = segment(later, i, m, at) + segment(step, j, k, at - before)
        last = segment(later, i, m, stop) + segment(step, j, k, stop - before)
        if last > _TIE:
            share = (_TIE - first) / (last - first) if first < _TIE else 0.0
            return float(at + share * (stop - at))
        at = stop
        while i < m and later.x[i] <= at:
            i += 1
        while j < k and before + step.x[j] <= at:
            j += 1
    return float(high)


@compiled
def forward(
    s: Storage, c: Cells, v: int, device: Device, w: Scratch, p_kw: FloatArray, energy: FloatArray
) -> None:
    """Write power at the meter (time,) and energy at the end of each step (time,) of vehicle `v`."""
    state = c.initial_kwh[v]
    for t in range(p_kw.size):
        p_kw[t] = 0.0
        if s.plugged[v, t]:
            if not math.isnan(s.arrival_kwh[v, t]):
                state = s.arrival_kwh[v, t]
            elif s.trip_kwh[v, t] > 0.0:
                state = max(min(c.floor_kwh[v], state), state - s.trip_kwh[v, t])
            if s.up_kw[v, t] > 0.0 or s.down_kw[v, t] > 0.0:
                k = step_graph(s.down_kw[v, t], s.up_kw[v, t], s.meter[v, t], device, w.step)
                later = Graph(
                    w.kept.x[w.begin[t] : w.begin[t] + w.size[t]],
                    w.kept.y[w.begin[t] : w.begin[t] + w.size[t]],
                )
                line = (s.ratio[v, t], s.offset_kwh[v, t])
                change = choose(state, later, w.step, k, line) - state
                factor = 1.0 / device.eta_charge if change > 0.0 else device.eta_discharge
                p_kw[t] = change * factor / device.dt_h
                state += change
        energy[t] = state
