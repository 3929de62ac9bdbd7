"""Compiled inner loops of the batched engine: a block of lanes at once, lanes innermost.

Voltages and currents are flat: each row holds `WIDTH` real parts, then `WIDTH` imaginary parts.
Nothing is reordered or contracted, so the bits of a lane depend on that lane alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.powerflow.layout import (
    Batch,
    Branches,
    Loads,
    Results,
    Rows,
    Rules,
    System,
    Triangles,
)

WIDTH = 32  # Lanes in a block: wide enough for the vector unit, small enough for the cache.

# Unsigned positions spare the compiler the case of negative ones: so it vectorises.
_U = np.uint64
_H = _U(WIDTH)
_PAIR = _U(2 * WIDTH)
_MANY = 1e6

# Division follows IEEE 754 instead of raising, so that a lane without a solution harms no other.
_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def gather(lane0: int, batch: Batch, loads: Loads, s: Any) -> None:
    """Sum the elements of a block of lanes into rows, drawn power per unit.

    ``s`` is flat, six parts a row: constant power, current and impedance part of P, then of Q. Lanes
    beyond the last draw only what the network itself draws.
    """
    s[:] = 0.0
    for row in range(loads.fixed_re.shape[0]):
        for j in range(WIDTH):
            s[6 * WIDTH * row + j] = loads.fixed_re[row]
            s[6 * WIDTH * row + 3 * WIDTH + j] = loads.fixed_im[row]
    for j in range(min(WIDTH, batch.p.shape[0] - lane0)):
        for e in range(loads.row.shape[0]):
            if loads.row[e] < 0:
                continue
            p, q = batch.p[lane0 + j, e] * loads.scale, batch.q[lane0 + j, e] * loads.scale
            at = 6 * WIDTH * loads.row[e] + j
            for k in range(3 if loads.voltage_dependent else 1):
                s[at + k * WIDTH] += p * loads.share_p[e, k]
                s[at + (3 + k) * WIDTH] += q * loads.share_q[e, k]


@_compiled
def drawn(v: Any, s: Any, o: Any, dependent: bool, power: Any) -> None:
    """Write the power drawn at the voltages from position ``o`` on into ``power``."""
    base = o * _U(3)
    for j in range(WIDTH):
        m = base + _U(j)
        power[_U(j)], power[_U(j) + _H] = s[m], s[m + _U(3) * _H]
    if not dependent:
        return
    for j in range(WIDTH):
        k, m = o + _U(j), base + _U(j)
        square = v[k] * v[k] + v[k + _H] * v[k + _H]
        size = np.sqrt(square)
        power[_U(j)] += s[m + _H] * size + s[m + _U(2) * _H] * square
        power[_U(j) + _H] += s[m + _U(4) * _H] * size + s[m + _U(5) * _H] * square


@_compiled
def subtract(rows: Rows, row: int, known: Any, target: Any) -> None:
    """Subtract a sparse row times known values from the same row of ``target``."""
    o = _U(row) * _PAIR
    for k in range(rows.start[row], rows.start[row + 1]):
        other, yr, yi = _U(rows.row[k]) * _PAIR, rows.re[k], rows.im[k]
        for j in range(WIDTH):
            a, b = o + _U(j), other + _U(j)
            kr, ki = known[b], known[b + _H]
            target[a] -= yr * kr - yi * ki
            target[a + _H] -= yr * ki + yi * kr


@_compiled
def forward(tri: Triangles, loads: Loads, s: Any, v: Any, x: Any) -> None:
    """Write what sources feed less what is drawn at ``v``, forward substituted, into ``x``."""
    power = np.empty(2 * WIDTH)
    for row in range(tri.kept):
        o = _U(row) * _PAIR
        cr, ci = tri.c_re[row], tri.c_im[row]
        for j in range(WIDTH):
            x[o + _U(j)], x[o + _U(j) + _H] = cr, ci
        if loads.loaded[row]:
            drawn(v, s, o, loads.voltage_dependent, power)
            for j in range(WIDTH):
                k = o + _U(j)
                sr, si, vr, vi = power[_U(j)], power[_U(j) + _H], v[k], v[k + _H]
                inverse = 1.0 / (vr * vr + vi * vi)
                x[k] = cr - (sr * vr + si * vi) * inverse
                x[k + _H] = ci - (sr * vi - si * vr) * inverse
        subtract(tri.lower, row, x, x)


@_compiled
def backward(tri: Triangles, x: Any, v: Any, active: Any, step: Any) -> None:
    """Substitute backward into the active lanes of ``v``; ``step`` gets the largest change squared."""
    for j in range(WIDTH):
        step[j] = 0.0
    for row in range(tri.kept - 1, -1, -1):
        subtract(tri.upper, row, v, x)
        o, dr, di = _U(row) * _PAIR, tri.d_re[row], tri.d_im[row]
        for j in range(WIDTH):
            k = o + _U(j)
            vr, vi = v[k], v[k + _H]
            nr = x[k] * dr - x[k + _H] * di
            ni = x[k] * di + x[k + _H] * dr
            change = (nr - vr) * (nr - vr) + (ni - vi) * (ni - vi)
            # Written so that a NaN is kept as the largest change.
            step[_U(j)] = step[_U(j)] if change <= step[_U(j)] else change
            v[k] = nr if active[_U(j)] > 0 else vr
            v[k + _H] = ni if active[_U(j)] > 0 else vi


@_compiled
def iterate(system: System, rules: Rules, s: Any, v: Any, x: Any, taken: Any) -> None:
    """Bring every lane of a block to its own fixed point; a lane that has arrived is frozen."""
    active, step = np.ones(WIDTH), np.zeros(WIDTH)
    limit = rules.tolerance * rules.tolerance
    for j in range(WIDTH):
        taken[j] = -1
    for iteration in range(rules.max_iterations):
        forward(system.tri, system.loads, s, v, x)
        backward(system.tri, x, v, active, step)
        left = 0
        for j in range(WIDTH):
            if active[j] > 0 and limit < step[j] < _MANY:
                left += 1
            elif active[j] > 0:
                active[j] = 0.0
                taken[j] = iteration + 1 if step[j] <= limit else -1
        if left == 0:
            break


@_compiled
def complete(tri: Triangles, v: Any) -> None:
    """Write the rows that were left out of the iteration, which draw nothing."""
    for row in range(tri.kept, tri.d_re.shape[0]):
        o, dr, di = _U(row) * _PAIR, tri.d_re[row], tri.d_im[row]
        for j in range(WIDTH):
            v[o + _U(j)] = tri.c_re[row]
            v[o + _U(j) + _H] = tri.c_im[row]
        subtract(tri.upper, row, v, v)
        for j in range(WIDTH):
            k = o + _U(j)
            a, b = v[k], v[k + _H]
            v[k] = a * dr - b * di
            v[k + _H] = a * di + b * dr


@_compiled
def balance(v: Any, s: Any, system: System, missing: Any) -> None:
    """Start the power balance of every row with its elements and its admittance to ground."""
    power, lines = np.zeros(2 * WIDTH), system.lines
    for row in range(lines.shunt_re.shape[0]):
        o, g, b = _U(row) * _PAIR, lines.shunt_re[row], lines.shunt_im[row]
        drawn(v, s, o, system.loads.voltage_dependent, power)
        for j in range(WIDTH):
            k = o + _U(j)
            square = v[k] * v[k] + v[k + _H] * v[k + _H]
            missing[k] = power[_U(j)] + g * square
            missing[k + _H] = power[_U(j) + _H] - b * square


@_compiled
def flow(v: Any, lines: Branches, b: int, missing: Any, end: Any) -> None:
    """Work out a branch and add its power to the balance of both ends.

    ``end`` gets P, Q at the from-end, P, Q at the to-end, both currents in percent of rating, and
    adds up losses.
    """
    f, t, y = _U(lines.f[b]) * _PAIR, _U(lines.t[b]) * _PAIR, lines.y[b]
    y0, y1, y2, y3, y4, y5, y6, y7 = y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]
    high, low = lines.scale_f[b], lines.scale_t[b]
    for j in range(WIDTH):
        k = _U(j)
        fr, fi, tr, ti = v[f + k], v[f + k + _H], v[t + k], v[t + k + _H]
        ar, ai = y0 * fr - y1 * fi + y2 * tr - y3 * ti, y0 * fi + y1 * fr + y2 * ti + y3 * tr
        br, bi = y4 * fr - y5 * fi + y6 * tr - y7 * ti, y4 * fi + y5 * fr + y6 * ti + y7 * tr
        pf, pt = fr * ar + fi * ai, tr * br + ti * bi
        end[k], end[k + _H] = pf, fi * ar - fr * ai
        end[k + _U(2) * _H], end[k + _U(3) * _H] = pt, ti * br - tr * bi
        end[k + _U(4) * _H] = np.sqrt(ar * ar + ai * ai) * high
        end[k + _U(5) * _H] = np.sqrt(br * br + bi * bi) * low
        end[k + _U(6) * _H] += pf + pt
    for j in range(2 * WIDTH):
        missing[f + _U(j)] += end[_U(j)]
    for j in range(2 * WIDTH):
        missing[t + _U(j)] += end[_U(j) + _PAIR]


@_compiled
def write_branches(
    lane0: int, v: Any, missing: Any, lines: Branches, base_kva: float, out: Results
) -> None:
    """Write loadings, transformer power and losses of a block of lanes."""
    end, count = np.zeros(7 * WIDTH), min(WIDTH, out.residual.shape[0] - lane0)
    for b in range(lines.f.shape[0]):
        flow(v, lines, b, missing, end)
        kind, place = lines.kind[b], lines.place[b]
        wanted = out.line if kind == 1 else out.transformer
        if kind > 0 and wanted.shape[0] > 0:
            for j in range(count):
                high, low = end[4 * WIDTH + j], end[5 * WIDTH + j]
                wanted[lane0 + j, place] = low if low > high else high
        if kind == 2:
            for j in range(count):
                if out.transformer_p.shape[0] > 0:
                    out.transformer_p[lane0 + j, place] = end[j] * base_kva
                if out.transformer_q.shape[0] > 0:
                    out.transformer_q[lane0 + j, place] = end[WIDTH + j] * base_kva
    for j in range(min(count, out.losses.shape[0])):
        out.losses[lane0 + j] = end[6 * WIDTH + j] * base_kva


@_compiled
def judge(v: Any, missing: Any, system: System, rules: Rules, worst: Any) -> None:
    """Find largest gap, largest gap over the allowed one, and voltage range of every lane.

    Afterwards ``missing`` holds each row's voltage magnitude in its first part.
    """
    for j in range(4 * WIDTH):
        worst[j] = np.inf if 2 * WIDTH <= j < 3 * WIDTH else 0.0
    for row in range(system.start.shape[1]):
        o, unknown = _U(row) * _PAIR, row < system.unknown
        allowed = rules.residual + 10.0 * rules.tolerance * system.lines.stiffness[row]
        for j in range(WIDTH):
            k, m = o + _U(j), _U(j)
            size = np.sqrt(v[k] * v[k] + v[k + _H] * v[k + _H])
            if unknown:
                gap = np.sqrt(missing[k] * missing[k] + missing[k + _H] * missing[k + _H])
                # Written so that a NaN is kept as the largest gap.
                worst[m] = worst[m] if gap <= worst[m] else gap
                share = gap / allowed
                worst[m + _H] = worst[m + _H] if share <= worst[m + _H] else share
                low, high = worst[m + _U(2) * _H], worst[m + _U(3) * _H]
                worst[m + _U(2) * _H] = size if size < low else low
                worst[m + _U(3) * _H] = size if size > high else high
            missing[k] = size


@_compiled
def write_rows(
    lane0: int, size: Any, worst: Any, system: System, base_kva: float, out: Results
) -> None:
    """Write voltages and checks of a block of lanes."""
    for j in range(min(WIDTH, out.residual.shape[0] - lane0)):
        lane = lane0 + j
        out.residual[lane] = worst[j] * base_kva
        out.excess[lane] = worst[WIDTH + j]
        out.vm_low[lane], out.vm_high[lane] = worst[2 * WIDTH + j], worst[3 * WIDTH + j]
        if out.vm.shape[0] > 0:
            for bus in range(system.bus_row.shape[0]):
                row = system.bus_row[bus]
                out.vm[lane, bus] = size[row * 2 * WIDTH + j] if row >= 0 else np.nan


@_compiled
def solve_blocks(
    first: int, stride: int, batch: Batch, system: System, rules: Rules, out: Results
) -> None:
    """Solve every `stride`-th block of lanes from block `first` on.

    Without iterations the start is taken as the solution.
    """
    rows, lanes = system.start.shape[1], batch.p.shape[0]
    s = np.empty(rows * 6 * WIDTH)
    v, missing = np.empty(rows * 2 * WIDTH), np.empty(rows * 2 * WIDTH)
    taken, worst = np.zeros(WIDTH, dtype=np.int64), np.empty(4 * WIDTH)
    for lane0 in range(first * WIDTH, lanes, stride * WIDTH):
        gather(lane0, batch, system.loads, s)
        for row in range(rows):
            for j in range(WIDTH):
                v[2 * WIDTH * row + j] = system.start[0, row]
                v[2 * WIDTH * row + WIDTH + j] = system.start[1, row]
        if rules.max_iterations > 0:
            iterate(system, rules, s, v, missing, taken)
            complete(system.tri, v)
        balance(v, s, system, missing)
        write_branches(lane0, v, missing, system.lines, rules.base_kva, out)
        judge(v, missing, system, rules, worst)
        write_rows(lane0, missing, worst, system, rules.base_kva, out)
        for j in range(min(WIDTH, lanes - lane0)):
            out.iterations[lane0 + j] = taken[j]
