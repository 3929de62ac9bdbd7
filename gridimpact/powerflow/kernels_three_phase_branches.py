"""Compiled branch currents of the three-phase engine, their results, and the power balance.

Lanes are innermost in blocks, as in `kernels_three_phase`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_three_phase import (
    WIDTH,
    add_place,
    compiled,
    draw,
    set_block,
)
from gridimpact.powerflow.three_phase_layout import (
    LINE,
    TRANSFORMER,
    WINDING,
    Branches,
    Chains,
    Results,
    Rules,
    System,
    Verdicts,
)

_U = np.uint64
_H = _U(WIDTH)
_PAIR = _U(2 * WIDTH)
_SIX = _U(6 * WIDTH)


@compiled
def balance(v: Any, s: Any, system: System, missing: Any, i: Any) -> None:
    """Start the currents missing at every place with those of its elements and its shunts."""
    checks, slots = system.checks, system.slots
    for place in checks.place:
        o = _U(place) * _SIX
        for j in range(6 * WIDTH):
            missing[o + _U(j)] = 0.0
    for k in range(checks.shunt.shape[0]):
        o = _U(checks.shunt[k]) * _SIX
        set_block(checks.y[k], v, o, i, _U(0))
        add_place(i, _U(0), missing, o)
    for k in range(slots.row.shape[0]):
        draw(v, s, slots, k, i)
        o = _U(slots.row[k]) * _PAIR
        for j in range(2 * WIDTH):
            missing[o + _U(j)] += i[_U(j)]
        if slots.other[k] >= 0:
            o = _U(slots.other[k]) * _PAIR
            for j in range(2 * WIDTH):
                missing[o + _U(j)] -= i[_U(j)]


@compiled
def lost(v: Any, at: Any, i: Any, to: Any, losses: Any) -> None:
    """Add the power that currents carry at the voltages from position ``at`` on."""
    for phase in range(3):
        c = _U(phase) * _PAIR
        for j in range(WIDTH):
            k, m = at + c + _U(j), to + c + _U(j)
            losses[_U(j)] += v[k] * i[m] + v[k + _H] * i[m + _H]


@compiled
def largest(i: Any, at: Any, size: Any) -> None:
    """Write the current of each phase, of neutral and of the worst phase into ``size``."""
    for j in range(WIDTH):
        k, m = at + _U(j), _U(j)
        ar, ai, br, bi = i[k], i[k + _H], i[k + _U(2) * _H], i[k + _U(3) * _H]
        cr, ci = i[k + _U(4) * _H], i[k + _U(5) * _H]
        a, b, c = ar * ar + ai * ai, br * br + bi * bi, cr * cr + ci * ci
        nr, ni = ar + br + cr, ai + bi + ci
        size[m], size[m + _H], size[m + _U(2) * _H] = np.sqrt(a), np.sqrt(b), np.sqrt(c)
        size[m + _U(3) * _H] = np.sqrt(nr * nr + ni * ni)
        # Written so that a NaN in any phase is kept.
        worst = a if not a <= b else b
        size[m + _U(4) * _H] = np.sqrt(worst if not worst <= c else c)


@compiled
def worst_phase(i: Any, size: Any) -> None:
    """Write the current of the worst phase into the fifth part of ``size``."""
    for j in range(WIDTH):
        m = _U(j)
        ar, ai, br, bi = i[m], i[m + _H], i[m + _U(2) * _H], i[m + _U(3) * _H]
        cr, ci = i[m + _U(4) * _H], i[m + _U(5) * _H]
        a, b, c = ar * ar + ai * ai, br * br + bi * bi, cr * cr + ci * ci
        worst = a if not a <= b else b
        size[m + _U(4) * _H] = np.sqrt(worst if not worst <= c else c)


@compiled
def chains(lane0: int, v: Any, system: System, missing: Any, work: Any, out: Results) -> None:
    """Work out the one current of each chain, add it to the balance and write its lines."""
    i, size, losses = work
    lines = system.chains
    for c in range(lines.f.shape[0]):
        if lines.f[c] < 0:
            size[:] = 0.0
        else:
            f, t = _U(lines.f[c]) * _SIX, _U(lines.t[c]) * _SIX
            for j in range(6 * WIDTH):
                i[_SIX + _U(j)] = v[f + _U(j)] - v[t + _U(j)]
            set_block(lines.y[c], i, _SIX, i, _U(0))
            if lines.counted[c]:
                lost(i, _SIX, i, _U(0), losses)
            for j in range(6 * WIDTH):
                missing[f + _U(j)] += i[_U(j)]
            for j in range(6 * WIDTH):
                missing[t + _U(j)] -= i[_U(j)]
            if out.line_i.shape[0] > 0:
                largest(i, _U(0), size)
            elif out.line.shape[0] > 0:
                worst_phase(i, size)
        write_lines(lane0, lines, c, size, out)


@compiled
def write_lines(lane0: int, lines: Chains, c: int, size: Any, out: Results) -> None:
    """Write loadings and currents of the lines of a chain."""
    if out.line.shape[0] > 0:
        for k in range(lines.start[c], lines.start[c + 1]):
            line, scale = lines.line[k], lines.scale[k]
            for j in range(min(WIDTH, out.line.shape[0] - lane0)):
                out.line[lane0 + j, line] = size[4 * WIDTH + j] * scale
    if out.line_i.shape[0] > 0:
        for k in range(lines.start[c], lines.start[c + 1]):
            for j in range(min(WIDTH, out.line_i.shape[0] - lane0)):
                for phase in range(4):
                    value = size[phase * WIDTH + j] * lines.base_ka[k]
                    out.line_i[lane0 + j, lines.line[k], phase] = value


@compiled
def branches(
    lane0: int, v: Any, system: System, rules: Rules, missing: Any, work: Any, out: Results
) -> None:
    """Work out the currents of all other branches, add them to the balance and write their results."""
    i, size, losses = work
    lines = system.branches
    for b in range(lines.f.shape[0]):
        f, t, y = _U(lines.f[b]) * _SIX, _U(lines.t[b]) * _SIX, lines.y[b]
        for end in range(2):
            to = _U(end) * _SIX
            set_block(y[2 * end], v, f, i, to)
            set_block(y[2 * end + 1], v, t, i, _U(2) * _SIX)
            add_place(i, _U(2) * _SIX, i, to)
            largest(i, to, size[5 * WIDTH * end :])
        add_place(i, _U(0), missing, f)
        add_place(i, _SIX, missing, t)
        lost(v, f, i, _U(0), losses)
        lost(v, t, i, _SIX, losses)
        if lines.kind[b] == LINE:
            write_line(lane0, lines, b, size, out)
        elif lines.kind[b] == TRANSFORMER:
            write_transformer(lane0, lines, b, size, out)
            write_power(lane0, lines, b, v, i, rules.base_kva, out)
        elif lines.kind[b] == WINDING and out.winding.shape[0] > 0:
            write_winding(lane0, lines, b, size, out)


@compiled
def write_line(lane0: int, lines: Branches, b: int, size: Any, out: Results) -> None:
    """Write loading and currents of a line of two unequal ends."""
    place, high, low = lines.place[b], lines.scale[b, 0], lines.scale[b, 1]
    for j in range(min(WIDTH, out.line.shape[0] - lane0)):
        first, second = size[4 * WIDTH + j] * high, size[9 * WIDTH + j] * low
        out.line[lane0 + j, place] = second if second > first else first
    for j in range(min(WIDTH, out.line_i.shape[0] - lane0)):
        for phase in range(4):
            first = size[phase * WIDTH + j] * lines.base_ka[b, 0]
            second = size[(5 + phase) * WIDTH + j] * lines.base_ka[b, 1]
            out.line_i[lane0 + j, place, phase] = second if second > first else first


@compiled
def write_transformer(lane0: int, lines: Branches, b: int, size: Any, out: Results) -> None:
    """Write loadings of a transformer."""
    place, high, low = lines.place[b], lines.scale[b, 0], lines.scale[b, 1]
    for j in range(min(WIDTH, out.transformer.shape[0] - lane0)):
        first, second = size[4 * WIDTH + j] * high, size[9 * WIDTH + j] * low
        out.transformer[lane0 + j, place] = second if second > first else first
    for j in range(min(WIDTH, out.phase_loading.shape[0] - lane0)):
        for phase in range(3):
            first, second = size[phase * WIDTH + j] * high, size[(5 + phase) * WIDTH + j] * low
            out.phase_loading[lane0 + j, place, phase] = second if second > first else first


@compiled
def write_power(
    lane0: int, lines: Branches, b: int, v: Any, i: Any, base_kva: float, out: Results
) -> None:
    """Write power into the high-voltage side of a transformer and out of its low-voltage phases."""
    place, f, t = lines.place[b], 6 * WIDTH * lines.f[b], 6 * WIDTH * lines.t[b]
    lanes = max(out.transformer_p.shape[0], out.transformer_q.shape[0])
    for j in range(min(WIDTH, max(lanes, out.phase_p.shape[0], out.phase_q.shape[0]) - lane0)):
        p, q = 0.0, 0.0
        for phase in range(3):
            k, m = f + 2 * WIDTH * phase + j, 2 * WIDTH * phase + j
            p += v[k] * i[m] + v[k + WIDTH] * i[m + WIDTH]
            q += v[k + WIDTH] * i[m] - v[k] * i[m + WIDTH]
            k, m = t + 2 * WIDTH * phase + j, (6 + 2 * phase) * WIDTH + j
            if out.phase_p.shape[0] > 0:
                into = v[k] * i[m] + v[k + WIDTH] * i[m + WIDTH]
                out.phase_p[lane0 + j, place, phase] = -into * base_kva
            if out.phase_q.shape[0] > 0:
                into = v[k + WIDTH] * i[m] - v[k] * i[m + WIDTH]
                out.phase_q[lane0 + j, place, phase] = -into * base_kva
        if out.transformer_p.shape[0] > 0:
            out.transformer_p[lane0 + j, place] = p * base_kva
        if out.transformer_q.shape[0] > 0:
            out.transformer_q[lane0 + j, place] = q * base_kva


@compiled
def write_winding(lane0: int, lines: Branches, b: int, size: Any, out: Results) -> None:
    """Raise the loading of a three-winding transformer to that of one of its windings."""
    place, high, low = lines.place[b], lines.scale[b, 0], lines.scale[b, 1]
    for j in range(min(WIDTH, out.winding.shape[0] - lane0)):
        # The scale at the star point is 0, so that the end at the terminal counts.
        first, second = size[4 * WIDTH + j] * high, size[9 * WIDTH + j] * low
        found = second if second > first else first
        if not found <= out.winding[lane0 + j, place]:
            out.winding[lane0 + j, place] = found


@compiled
def ease(checks: Any, missing: Any, i: Any) -> None:
    """Count what is missing behind stiff sources as sources of even stiffness would leave it."""
    for k in range(checks.held.shape[0]):
        o = _U(checks.held[k]) * _SIX
        set_block(checks.ease[k], missing, o, i, _U(0))
        for j in range(6 * WIDTH):
            missing[o + _U(j)] = i[_U(j)]


@compiled
def judge(lane0: int, v: Any, missing: Any, system: System, rules: Rules, out: Verdicts) -> None:
    """Write the largest power missing, also over what may be missing, of every lane."""
    checks, count = system.checks, min(WIDTH, out.residual.shape[0] - lane0)
    worst, excess = np.zeros(WIDTH), np.zeros(WIDTH)
    for n in range(checks.unknown):
        allowed = rules.residual + 10.0 * rules.tolerance * checks.stiffness[n]
        for phase in range(3):
            o = _U(checks.place[n]) * _SIX + _U(phase) * _PAIR
            for j in range(WIDTH):
                k, m = o + _U(j), _U(j)
                square = v[k] * v[k] + v[k + _H] * v[k + _H]
                gap = missing[k] * missing[k] + missing[k + _H] * missing[k + _H]
                gap = np.sqrt(gap * square)
                # Written so that a NaN is kept as the largest gap.
                worst[m] = worst[m] if gap <= worst[m] else gap
                share = gap / allowed
                excess[m] = excess[m] if share <= excess[m] else share
    for j in range(count):
        out.residual[lane0 + j] = worst[j] * rules.base_kva
        out.excess[lane0 + j] = excess[j]
