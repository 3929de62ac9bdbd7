"""Compiled work on solved blocks of lanes: rows left out, branch flows, power balance, results."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_response import Response
from gridimpact.powerflow.kernels_vector import (
    PART,
    above,
    inner,
    load,
    load_part,
    pick,
    root,
    splat,
    splat_part,
    store,
)
from gridimpact.powerflow.layout import (
    WIDTH,
    Branches,
    Factors,
    Results,
    Rules,
    System,
    Work,
)

_PAIR = 2 * WIDTH


@inner
def drawn(s: Any, row: int, parts: int, size: Any, square: Any) -> tuple[Any, Any]:
    """Return the power drawn at a row at a voltage of given size."""
    at, half = parts * WIDTH * row, parts // 2 * WIDTH
    p, q = load(s, at), load(s, at + half)
    if parts > 2:
        p = p + load(s, at + WIDTH) * size + load(s, at + 2 * WIDTH) * square
        q = q + load(s, at + half + WIDTH) * size + load(s, at + half + 2 * WIDTH) * square
    return p, q


@inner
def complete(factors: Factors, v: Any) -> None:
    """Write the rows that were left out of the iteration, which draw nothing."""
    for free in range(factors.first.shape[0]):
        o = (factors.kept + free) * _PAIR
        a, b, share = factors.first[free] * _PAIR, factors.second[free] * _PAIR, factors.share[free]
        ar, ai, br, bi = load(v, a), load(v, a + WIDTH), load(v, b), load(v, b + WIDTH)
        cr, ci, dr, di = splat(share[0]), splat(share[1]), splat(share[2]), splat(share[3])
        store(v, o, (ar * cr - ai * ci) + (br * dr - bi * di))
        store(v, o + WIDTH, (ar * ci + ai * cr) + (br * di + bi * dr))


@inner
def add_to(values: Any, at: int, re: Any, im: Any) -> None:
    """Add to a part of a row."""
    store(values, at, load_part(values, at) + re)
    store(values, at + WIDTH, load_part(values, at + WIDTH) + im)


@inner
def flow(
    v: Any, branches: Branches, b: int, missing: Any, end: Any, wanted: tuple[bool, bool]
) -> None:
    """Work out a branch and add its currents to the balance of both ends.

    ``end`` gets percent of rating and current [kA] of the worse end, P and Q at the from-end [pu], and
    adds up losses [pu]; the current and the powers only where ``wanted``.
    """
    y, percent, ka = branches.y[b], branches.percent[b], branches.ka[b]
    for part in range(0, WIDTH, PART):
        f, t = branches.f[b] * _PAIR + part, branches.t[b] * _PAIR + part
        fr, fi, tr, ti = (
            load_part(v, f),
            load_part(v, f + WIDTH),
            load_part(v, t),
            load_part(v, t + WIDTH),
        )
        yr, yi, zr, zi = splat_part(y[0]), splat_part(y[1]), splat_part(y[2]), splat_part(y[3])
        ar, ai = yr * fr - yi * fi + zr * tr - zi * ti, yr * fi + yi * fr + zr * ti + zi * tr
        yr, yi, zr, zi = splat_part(y[4]), splat_part(y[5]), splat_part(y[6]), splat_part(y[7])
        br, bi = yr * fr - yi * fi + zr * tr - zi * ti, yr * fi + yi * fr + zr * ti + zi * tr
        add_to(missing, f, ar, ai)
        add_to(missing, t, br, bi)
        high, low = ar * ar + ai * ai, br * br + bi * bi
        first, second = high * splat_part(percent[0]), low * splat_part(percent[1])
        # Written so that an end without rating leaves the branch without one.
        store(end, part, root(pick(above(first, second), first, second)))
        if wanted[0]:
            first, second = high * splat_part(ka[0]), low * splat_part(ka[1])
            store(end, WIDTH + part, root(pick(above(first, second), first, second)))
        if wanted[1]:
            pf, qf, pt, qt = (
                fr * ar + fi * ai,
                fi * ar - fr * ai,
                tr * br + ti * bi,
                ti * br - tr * bi,
            )
            w = branches.watt[b]
            af, aq = splat_part(w[0]), splat_part(w[1])
            active = pf * af - qf * aq
            store(end, 2 * WIDTH + part, active)
            store(end, 3 * WIDTH + part, pf * aq + qf * af)
            lost = active + (pt * splat_part(w[2]) - qt * splat_part(w[3]))
            store(end, 4 * WIDTH + part, load_part(end, 4 * WIDTH + part) + lost)


@inner
def put(lane0: int, place: int, end: Any, part: int, factor: float, target: Any) -> None:
    """Write one part of a branch's values into a column, where the column is wanted."""
    for j in range(min(WIDTH, target.shape[0] - lane0)):
        target[lane0 + j, place] = end[part * WIDTH + j] * factor


@inner
def write_branches(lane0: int, system: System, base_kva: float, work: Work, out: Results) -> None:
    """Write loadings, currents, transformer power and losses of a block of lanes.

    Afterwards ``work.z`` holds each row's sum of currents into branches and ground.
    """
    branches, v, missing, end = system.branches, work.v, work.z, work.end
    missing[:] = 0.0
    end[:] = 0.0
    for k in range(branches.shunt_row.shape[0]):
        o, g, b = branches.shunt_row[k] * _PAIR, branches.shunt_re[k], branches.shunt_im[k]
        for part in range(o, o + WIDTH, PART):
            vr, vi = load_part(v, part), load_part(v, part + WIDTH)
            yr, yi = splat_part(g), splat_part(b)
            add_to(missing, part, vr * yr - vi * yi, vr * yi + vi * yr)
    powers = out.transformer_p.shape[0] + out.transformer_q.shape[0] + out.losses.shape[0] > 0
    wanted = (out.line_i.shape[0] > 0, powers)
    for b in range(branches.f.shape[0]):
        flow(v, branches, b, missing, end, wanted)
        kind, place = branches.kind[b], branches.place[b]
        if kind == 1:
            put(lane0, place, end, 0, 1.0, out.line)
            put(lane0, place, end, 1, 1.0, out.line_i)
        elif kind == 2:
            put(lane0, place, end, 0, 1.0, out.transformer)
            put(lane0, place, end, 2, base_kva, out.transformer_p)
            put(lane0, place, end, 3, base_kva, out.transformer_q)
        elif kind > 2:
            for j in range(min(WIDTH, out.transformer3w.shape[0] - lane0)):
                old = out.transformer3w[lane0 + j, place]
                if kind == 3 or end[j] > old:
                    out.transformer3w[lane0 + j, place] = end[j]
    for j in range(min(WIDTH, out.losses.shape[0] - lane0)):
        out.losses[lane0 + j] = end[4 * WIDTH + j] * base_kva


@inner
def write_checks(system: System, rules: Rules, work: Work) -> None:
    """Find largest gap, largest gap over the allowed one, voltage range and sum of gaps of every lane.

    All are squares [pu]. Afterwards ``work.z`` holds each row's voltage magnitude in its first part.
    """
    v, missing, s, worst = work.v, work.z, work.s, work.worst
    gaps, shares, total = splat(0.0), splat(0.0), splat(0.0)
    low, high, parts, kept = splat(np.inf), splat(0.0), system.loads.parts, system.factors.kept
    for row in range(system.start.shape[2]):
        o = row * _PAIR
        vr, vi, ir, ii = load(v, o), load(v, o + WIDTH), load(missing, o), load(missing, o + WIDTH)
        square = vr * vr + vi * vi
        p, q = vr * ir + vi * ii, vi * ir - vr * ii
        if row < kept and system.loads.loaded[row]:
            size = root(square) if parts > 2 else square
            more_p, more_q = drawn(s, row, parts, size, square)
            p, q = p + more_p, q + more_q
        real = square * splat(system.units.v_square[row])
        if row < system.unknown:
            gap = (p * p + q * q) * splat(system.units.power_square[row])
            allowed = rules.residual + 10.0 * rules.tolerance * system.branches.stiffness[row]
            share = gap * splat(1.0 / (allowed * allowed))
            gaps, shares = (
                pick(above(gap, gaps), gap, gaps),
                pick(above(share, shares), share, shares),
            )
            low, high = pick(above(low, real), real, low), pick(above(real, high), real, high)
            total = total + gap
        store(missing, o, root(real))
    store(worst, 0, gaps)
    store(worst, WIDTH, shares)
    store(worst, 2 * WIDTH, low)
    store(worst, 3 * WIDTH, high)
    store(worst, 4 * WIDTH, total)


@inner
def write_rows(lane0: int, system: System, base_kva: float, work: Work, out: Results) -> None:
    """Write voltages and checks of a block of lanes."""
    size, worst = work.z, work.worst
    count = min(WIDTH, out.residual.shape[0] - lane0)
    for j in range(count):
        lane = lane0 + j
        # A sum keeps a NaN, which no comparison does.
        sound = 0.0 * worst[4 * WIDTH + j]
        out.residual[lane] = np.sqrt(worst[j]) * base_kva + sound
        out.excess[lane] = np.sqrt(worst[WIDTH + j]) + sound
        out.vm_low[lane] = np.sqrt(worst[2 * WIDTH + j])
        out.vm_high[lane] = np.sqrt(worst[3 * WIDTH + j])
    if out.vm.shape[0] == 0:
        return
    for bus in range(system.bus_row.shape[0]):
        row = system.bus_row[bus]
        for j in range(count):
            out.vm[lane0 + j, bus] = size[row * _PAIR + j] if row >= 0 else np.nan


@inner
def write_answers(lane0: int, q: Any, response: Response, out: Results) -> None:
    """Write the reactive power that answers to voltage."""
    for j in range(min(WIDTH, out.answer.shape[0] - lane0)):
        for e in range(response.column.shape[0]):
            out.answer[lane0 + j, e] = q[e * WIDTH + j]
