"""Compiled inner loops of the batched engine: a block of lanes at once.

Voltages and currents are flat: each row holds `WIDTH` real parts, then `WIDTH` imaginary parts.
Nothing is reordered, so the bits of a lane depend on that lane alone.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.powerflow.kernels_response import Response, respond
from gridimpact.powerflow.kernels_results import (
    complete,
    drawn,
    write_answers,
    write_branches,
    write_checks,
    write_rows,
)
from gridimpact.powerflow.kernels_vector import above, load, pick, root, splat, store
from gridimpact.powerflow.layout import (
    WIDTH,
    Batch,
    Factors,
    Loads,
    Results,
    Rules,
    System,
    Units,
)

_PAIR = 2 * WIDTH
_MANY = 1e6
"""Square of a step from which a lane is given up."""

_FAST, _RESERVE = 0.04, 16.0
"""Squares: a step that shrinks at least fivefold tells the next one; it is counted four times as large."""

# Division follows IEEE 754 instead of raising, so that a lane without a solution harms no other.
_inner = njit(nogil=True, error_model="numpy")


@_inner
def gather(lane0: int, batch: Batch, loads: Loads, units: Units, s: Any) -> None:
    """Sum the elements of a block of lanes into rows, drawn power in the rows' units.

    ``s`` is flat, `Loads.parts` a row: constant power (, current and impedance part) of P, then of Q.
    Lanes beyond the last draw only what the network itself draws.
    """
    s[:] = 0.0
    size, half = loads.parts * WIDTH, loads.parts // 2 * WIDTH
    for j in range(min(WIDTH, batch.p.shape[0] - lane0)):
        for e in range(loads.row.shape[0]):
            if loads.row[e] < 0:
                continue
            p, q = batch.p[lane0 + j, e], batch.q[lane0 + j, e]
            at = size * loads.row[e] + j
            if loads.parts == 2:
                s[at] += p
                s[at + WIDTH] += q
                continue
            for k in range(3):
                s[at + k * WIDTH] += p * loads.share_p[e, k]
                s[at + half + k * WIDTH] += q * loads.share_q[e, k]
    for row in range(loads.loaded.shape[0]):
        if not loads.loaded[row]:
            continue
        own_re, own_im, grow = loads.fixed_re[row], loads.fixed_im[row], 1.0
        for k in range(loads.parts // 2):
            re, im = splat(units.power_re[row] * grow), splat(units.power_im[row] * grow)
            at = size * row + k * WIDTH
            p = load(s, at) * splat(loads.scale) + splat(own_re)
            q = load(s, at + half) * splat(loads.scale) + splat(own_im)
            store(s, at, p * re - q * im)
            store(s, at + half, p * im + q * re)
            own_re, own_im, grow = 0.0, 0.0, grow * np.sqrt(units.v_square[row])


@_inner
def carried(factors: Factors, row: int, z: Any) -> tuple[Any, Any]:
    """Return the current that a row takes on from the rows before it."""
    more, lower, c = factors.more, factors.lower, factors.child[row] * _PAIR
    re, im = load(z, c), load(z, c + WIDTH)
    for k in range(more.start[row], more.start[row + 1]):
        c = more.row[k] * _PAIR
        re, im = re + load(z, c), im + load(z, c + WIDTH)
    for k in range(lower.start[row], lower.start[row + 1]):
        c, yr, yi = lower.row[k] * _PAIR, splat(lower.re[k]), splat(lower.im[k])
        kr, ki = load(z, c), load(z, c + WIDTH)
        re, im = re - (yr * kr - yi * ki), im - (yr * ki + yi * kr)
    return re, im


@_inner
def forward_idle(factors: Factors, loads: Loads, s: Any, z: Any) -> None:
    """Add up, children first, the currents drawn at voltages of one into ``z``."""
    one = splat(1.0)
    for row in range(factors.kept):
        o = row * _PAIR
        re, im = carried(factors, row, z)
        if loads.loaded[row]:
            p, q = drawn(s, row, loads.parts, one, one)
            re, im = re - p, im + q
        store(z, o, re)
        store(z, o + WIDTH, im)


@_inner
def forward(factors: Factors, loads: Loads, s: Any, v: Any, z: Any) -> None:
    """Add up, children first, the currents drawn at voltages ``v`` into ``z``."""
    one = splat(1.0)
    for row in range(factors.kept):
        o = row * _PAIR
        re, im = carried(factors, row, z)
        if loads.loaded[row]:
            vr, vi = load(v, o), load(v, o + WIDTH)
            square = vr * vr + vi * vi
            size = root(square) if loads.parts > 2 else square
            p, q = drawn(s, row, loads.parts, size, square)
            inverse = one / square
            re, im = re - (p * vr + q * vi) * inverse, im - (p * vi - q * vr) * inverse
        store(z, o, re)
        store(z, o + WIDTH, im)


@_inner
def followed(factors: Factors, row: int, z: Any, v: Any) -> tuple[Any, Any]:
    """Return the voltage of a row that follows from its current and from the rows after it."""
    upper, o, c = factors.upper, row * _PAIR, factors.parent[row] * _PAIR
    gr, gi = splat(factors.gain_re[row]), splat(factors.gain_im[row])
    kr, ki = load(z, o), load(z, o + WIDTH)
    re, im = load(v, c) + (kr * gr - ki * gi), load(v, c + WIDTH) + (kr * gi + ki * gr)
    for k in range(upper.start[row], upper.start[row + 1]):
        c, yr, yi = upper.row[k] * _PAIR, splat(upper.re[k]), splat(upper.im[k])
        kr, ki = load(v, c), load(v, c + WIDTH)
        re, im = re - (yr * kr - yi * ki), im - (yr * ki + yi * kr)
    return re, im


@_inner
def backward_idle(factors: Factors, z: Any, v: Any) -> None:
    """Write the voltages that follow from the currents ``z``, parents first."""
    for back in range(factors.kept):
        row = factors.kept - 1 - back
        re, im = followed(factors, row, z, v)
        store(v, row * _PAIR, re)
        store(v, row * _PAIR + WIDTH, im)


@_inner
def backward(factors: Factors, z: Any, v: Any, active: Any, step: Any) -> None:
    """Write them in the active lanes only; ``step`` gets the largest change squared."""
    largest, going = splat(0.0), above(load(active, 0), splat(0.0))
    for back in range(factors.kept):
        row = factors.kept - 1 - back
        o = row * _PAIR
        vr, vi = load(v, o), load(v, o + WIDTH)
        re, im = followed(factors, row, z, v)
        dr, di = re - vr, im - vi
        change = dr * dr + di * di
        largest = pick(above(change, largest), change, largest)
        store(v, o, pick(going, re, vr))
        store(v, o + WIDTH, pick(going, im, vi))
    store(step, 0, largest)


@_inner
def settle(iteration: int, limit: float, state: Any, predicted: bool, taken: Any) -> int:
    """Freeze the lanes that have arrived or are lost; return how many go on.

    ``state`` holds, lane by lane, whether it is active, its step and its step before, squared.
    """
    left = 0
    for j in range(WIDTH):
        step, before = state[WIDTH + j], state[2 * WIDTH + j]
        state[2 * WIDTH + j] = step
        if state[j] == 0.0:
            continue
        arrived = step <= limit
        if predicted and step <= _FAST * before:
            arrived = arrived or _RESERVE * step * step <= limit * before
        if not arrived and limit < step < _MANY:
            left += 1
            continue
        state[j] = 0.0
        taken[j] = iteration + 1 if arrived else -1
    return left


@_inner
def iterate(
    lane0: int,
    batch: Batch,
    system: System,
    response: Response,
    rules: Rules,
    work: tuple[Any, Any, Any, Any, Any],
) -> None:
    """Bring every lane of a block to its own fixed point; a lane that has arrived is frozen."""
    s, v, z, q, taken = work
    factors, loads, answering = system.factors, system.loads, response.column.shape[0]
    state = np.zeros(3 * WIDTH)
    active, step = state[:WIDTH], state[WIDTH : 2 * WIDTH]
    active[:] = 1.0
    taken[:] = -1
    limit = (rules.tolerance / system.units.largest) ** 2
    begin = 0
    if system.units.idle:
        forward_idle(factors, loads, s, z)
        backward_idle(factors, z, v)
        begin = 1
    for iteration in range(begin, rules.max_iterations):
        forward(factors, loads, s, v, z)
        backward(factors, z, v, active, step)
        if answering > 0:
            respond(lane0, batch, response, v, q, s, active, step)
        if settle(iteration, limit, state, answering == 0, taken) == 0:
            break


@_inner
def begin(lane0: int, lanes: int, system: System, whole: bool, v: Any) -> None:
    """Write the voltages each lane starts from; where these are ones, those of the sources suffice."""
    start = system.start
    shared = start.shape[0] == 1
    first = 0 if whole or not system.units.idle else system.unknown
    for row in range(first, start.shape[2]):
        o = row * _PAIR
        store(v, o, splat(start[0, 0, row]))
        store(v, o + WIDTH, splat(start[0, 1, row]))
        if not shared:
            for j in range(min(WIDTH, lanes - lane0)):
                v[o + j] = start[lane0 + j, 0, row]
                v[o + WIDTH + j] = start[lane0 + j, 1, row]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_blocks(
    span: tuple[int, int],
    batch: Batch,
    system: System,
    response: Response,
    rules: Rules,
    out: Results,
) -> None:
    """Solve every so many blocks of lanes from a first one on (``span``).

    Without iterations the start is taken as the solution.
    """
    first, stride = span
    rows, lanes = system.start.shape[2], batch.p.shape[0]
    s = np.empty(system.factors.kept * system.loads.parts * WIDTH)
    v, z = np.zeros((rows + 1) * _PAIR), np.zeros((rows + 1) * _PAIR)
    q, taken = np.zeros(response.memory * WIDTH), np.zeros(WIDTH, dtype=np.int64)
    worst = np.empty(5 * WIDTH)
    for lane0 in range(first * WIDTH, lanes, stride * WIDTH):
        gather(lane0, batch, system.loads, system.units, s)
        begin(lane0, lanes, system, rules.max_iterations == 0, v)
        if rules.max_iterations > 0:
            q[:] = 0.0
            iterate(lane0, batch, system, response, rules, (s, v, z, q, taken))
            complete(system.factors, v)
        write_branches(lane0, v, z, system, rules.base_kva, out)
        write_checks(v, z, s, system, rules, worst)
        write_rows(lane0, z, worst, system, rules.base_kva, out)
        write_answers(lane0, q, response, out)
        for j in range(min(WIDTH, lanes - lane0)):
            out.iterations[lane0 + j] = taken[j]
