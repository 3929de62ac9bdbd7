"""Compiled voltage results of the three-phase engine and the loop over blocks of lanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_three_phase import (
    WIDTH,
    compiled,
    gather,
    iterate,
    recover,
)
from gridimpact.powerflow.kernels_three_phase_branches import balance, branches, chains, ease, judge
from gridimpact.powerflow.three_phase_layout import Batch, Results, Rules, System, Verdicts

_U = np.uint64
_H = _U(WIDTH)
_PAIR = _U(2 * WIDTH)
_SIX = _U(6 * WIDTH)
_HALF_ROOT3 = 0.5 * np.sqrt(3.0)


@compiled
def write_voltages(
    lane0: int, v: Any, system: System, size: Any, out: Results, verdicts: Verdicts
) -> None:
    """Write phase voltages and the voltage range of every lane."""
    low, high = np.full(WIDTH, np.inf), np.zeros(WIDTH)
    for bus in range(system.bus_place.shape[0]):
        if system.bus_place[bus] < 0:
            continue
        o = _U(system.bus_place[bus]) * _SIX
        for phase in range(3):
            c = _U(phase) * _H
            for j in range(WIDTH):
                k, m = o + _U(2) * c + _U(j), c + _U(j)
                size[m] = np.sqrt(v[k] * v[k] + v[k + _H] * v[k + _H])
            for j in range(WIDTH):
                m, found = _U(j), size[c + _U(j)]
                low[m] = found if found < low[m] else low[m]
                high[m] = high[m] if found <= high[m] else found
        for j in range(min(WIDTH, out.vm.shape[0] - lane0)):
            out.vm[lane0 + j, bus, 0] = size[j]
            out.vm[lane0 + j, bus, 1] = size[WIDTH + j]
            out.vm[lane0 + j, bus, 2] = size[2 * WIDTH + j]
    for j in range(min(WIDTH, verdicts.vm_low.shape[0] - lane0)):
        verdicts.vm_low[lane0 + j], verdicts.vm_high[lane0 + j] = low[j], high[j]


@compiled
def write_unbalance(lane0: int, v: Any, system: System, out: Results) -> None:
    """Write negative over positive sequence voltage at every bus."""
    for bus in range(system.bus_place.shape[0]):
        o = 6 * WIDTH * system.bus_place[bus]
        for j in range(min(WIDTH, out.unbalance.shape[0] - lane0) if o >= 0 else 0):
            ar, ai, br, bi = v[o + j], v[o + WIDTH + j], v[o + 2 * WIDTH + j], v[o + 3 * WIDTH + j]
            cr, ci = v[o + 4 * WIDTH + j], v[o + 5 * WIDTH + j]
            re, im = ar - 0.5 * (br + cr), ai - 0.5 * (bi + ci)
            turn_re, turn_im = _HALF_ROOT3 * (bi - ci), _HALF_ROOT3 * (br - cr)
            positive = np.hypot(re - turn_re, im + turn_im)
            negative = np.hypot(re + turn_re, im - turn_im)
            out.unbalance[lane0 + j, bus] = 100.0 * negative / positive


@compiled
def write_nema(lane0: int, v: Any, system: System, out: Results) -> None:
    """Write the largest deviation of a phase-to-phase voltage from their mean at every bus."""
    for bus in range(system.bus_place.shape[0]):
        o = 6 * WIDTH * system.bus_place[bus]
        for j in range(min(WIDTH, out.nema.shape[0] - lane0) if o >= 0 else 0):
            ar, ai, br, bi = v[o + j], v[o + WIDTH + j], v[o + 2 * WIDTH + j], v[o + 3 * WIDTH + j]
            cr, ci = v[o + 4 * WIDTH + j], v[o + 5 * WIDTH + j]
            ab, bc = np.hypot(ar - br, ai - bi), np.hypot(br - cr, bi - ci)
            ca = np.hypot(cr - ar, ci - ai)
            mean = (ab + bc + ca) / 3.0
            worst = max(abs(ab - mean), abs(bc - mean), abs(ca - mean))
            out.nema[lane0 + j, bus] = 100.0 * worst / mean


@compiled
def begin(start: Any, first: int, last: int, v: Any) -> None:
    """Write the voltages that every lane begins with into some rows."""
    for row in range(first, last):
        re, im = start[0, row], start[1, row]
        for j in range(WIDTH):
            v[2 * WIDTH * row + j] = re
            v[2 * WIDTH * row + WIDTH + j] = im


@compiled
def solve_blocks(
    span: Any, batch: Batch, system: System, rules: Rules, out: Results, verdicts: Verdicts
) -> None:
    """Solve the blocks of lanes from one number up to another one (``span``).

    Without iterations the start is taken as the solution of the iterated places.
    """
    rows, lanes, slots = system.start.shape[1], batch.p.shape[0], system.slots
    s = np.empty(slots.row.shape[0] * slots.parts * WIDTH)
    v, missing = np.empty(rows * 2 * WIDTH), np.empty(rows * 2 * WIDTH)
    x, new = np.empty(system.factors.kept * 6 * WIDTH), np.empty(18 * WIDTH)
    q, size = np.zeros(system.response.memory * WIDTH), np.empty(10 * WIDTH)
    losses, taken = np.zeros(WIDTH), np.zeros(WIDTH, dtype=np.int64)
    begin(system.start, 0, rows, v)
    for lane0 in range(span[0] * WIDTH, min(span[1] * WIDTH, lanes), WIDTH):
        gather(lane0, batch, slots, s)
        begin(system.start, 0, 3 * system.factors.kept, v)
        q[:] = 0.0
        losses[:] = 0.0
        iterate(lane0, batch, system, rules, (v, s, x, q, new), taken)
        recover(system.factors, v, new)
        balance(v, s, system, missing, new)
        chains(lane0, v, system, missing, (new, size, losses), out)
        branches(lane0, v, system, rules, missing, (new, size, losses), out)
        ease(system.checks, missing, new)
        judge(lane0, v, missing, system, rules, verdicts)
        write_voltages(lane0, v, system, size, out, verdicts)
        if out.unbalance.shape[0] > 0:
            write_unbalance(lane0, v, system, out)
        if out.nema.shape[0] > 0:
            write_nema(lane0, v, system, out)
        for j in range(min(WIDTH, lanes - lane0)):
            verdicts.iterations[lane0 + j] = taken[j]
            if out.losses.shape[0] > 0:
                out.losses[lane0 + j] = losses[j] * rules.base_kva
            for e in range(verdicts.answers.shape[1]):
                verdicts.answers[lane0 + j, e] = q[e * WIDTH + j]
