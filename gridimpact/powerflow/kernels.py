"""Compiled inner loops of the batched engine: a block of lanes at once.

Voltages and currents are flat: each row holds `WIDTH` real parts, then `WIDTH` imaginary parts.
Nothing is reordered, so the bits of a lane depend on that lane alone.
"""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.powerflow.kernels_gather import gather, scale
from gridimpact.powerflow.kernels_response import Response, respond
from gridimpact.powerflow.kernels_results import (
    complete,
    drawn,
    write_answers,
    write_branches,
    write_checks,
    write_rows,
)
from gridimpact.powerflow.kernels_vector import (
    TILE,
    above,
    inner,
    load,
    pick,
    root,
    splat,
    store,
)
from gridimpact.powerflow.layout import (
    WIDTH,
    Batch,
    Factors,
    Loads,
    Results,
    Rules,
    System,
    Work,
)

_PAIR = 2 * WIDTH
_MANY = 1e6
"""Square of a step from which a lane is given up."""

_PULL = 0.7
"""Share of its drop by which a change of voltage comes back; about so much along any feeder."""

_FAST, _RESERVE = 0.04, 16.0
"""Squares: a step that shrinks at least fivefold tells the next one; it is counted four times as large."""


@inner
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


@inner
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


@inner
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


@inner
def followed(factors: Factors, row: int, z: Any) -> tuple[Any, Any]:
    """Return the voltage of a row that follows from its current and from the rows after it.

    It takes the place of the current in ``z``.
    """
    upper, o, c = factors.upper, row * _PAIR, factors.parent[row] * _PAIR
    gr, gi = splat(factors.gain_re[row]), splat(factors.gain_im[row])
    kr, ki = load(z, o), load(z, o + WIDTH)
    re, im = load(z, c) + (kr * gr - ki * gi), load(z, c + WIDTH) + (kr * gi + ki * gr)
    for k in range(upper.start[row], upper.start[row + 1]):
        c, yr, yi = upper.row[k] * _PAIR, splat(upper.re[k]), splat(upper.im[k])
        kr, ki = load(z, c), load(z, c + WIDTH)
        re, im = re - (yr * kr - yi * ki), im - (yr * ki + yi * kr)
    store(z, o, re)
    store(z, o + WIDTH, im)
    return re, im


@inner
def backward_idle(factors: Factors, z: Any, v: Any, pull: float) -> None:
    """Write the voltages that follow from the currents ``z``, parents first, as `backward` does."""
    one, own = splat(1.0), splat(pull)
    for back in range(factors.kept):
        row = factors.kept - 1 - back
        re, im = followed(factors, row, z)
        drop = re - one
        store(v, row * _PAIR, re - (drop * drop + im * im) * own)
        store(v, row * _PAIR + WIDTH, im)


@inner
def backward(factors: Factors, z: Any, v: Any, work: Work, pull: float) -> None:
    """Write them in the active lanes only; ``work.step`` gets the largest change squared.

    Each goes ``pull`` times its own drop further than it follows: where power is constant, about so
    much of a change comes back with the next one.
    """
    largest, going = splat(0.0), above(load(work.active, 0), splat(0.0))
    own = splat(pull)
    for back in range(factors.kept):
        row = factors.kept - 1 - back
        o = row * _PAIR
        vr, vi = load(v, o), load(v, o + WIDTH)
        re, im = followed(factors, row, z)
        dr, di = re - vr, im - vi
        change = dr * dr + di * di
        largest = pick(above(change, largest), change, largest)
        ar, ai = own - re * own, im * own
        re, im = re + (ar * dr - ai * di), im - (ar * di + ai * dr)
        store(v, o, pick(going, re, vr))
        store(v, o + WIDTH, pick(going, im, vi))
    store(work.step, 0, largest)


@inner
def settle(iteration: int, limit: float, work: Work, predicted: bool) -> int:
    """Freeze the lanes that have arrived or are lost; return how many go on."""
    left = 0
    for j in range(WIDTH):
        step, before = work.step[j], work.before[j]
        work.before[j] = step
        if work.active[j] == 0.0:
            continue
        arrived = step <= limit
        if predicted and step <= _FAST * before:
            arrived = arrived or _RESERVE * step * step <= limit * before
        if not arrived and limit < step < _MANY:
            left += 1
            continue
        work.active[j] = 0.0
        work.taken[j] = iteration + 1 if arrived else -1
    return left


@inner
def iterate(
    lane0: int, batch: Batch, system: System, response: Response, rules: Rules, work: Work
) -> None:
    """Bring every lane of a block to its own fixed point; a lane that has arrived is frozen."""
    factors, loads, answering = system.factors, system.loads, response.column.shape[0]
    s, v, z = work.s, work.v, work.z
    work.active[:] = 1.0
    work.before[:] = 0.0
    work.taken[:] = -1
    limit = (rules.tolerance / system.units.largest) ** 2
    known = system.units.idle and answering == 0 and loads.parts == 2
    begin, pull = 0, _PULL if known else 0.0
    if system.units.idle:
        forward_idle(factors, loads, s, z)
        backward_idle(factors, z, v, pull)
        begin = 1
    for iteration in range(begin, rules.max_iterations):
        forward(factors, loads, s, v, z)
        backward(factors, z, v, work, pull)
        if answering > 0:
            respond(lane0, batch, response, v, work.q, s, work.active, work.step)
        if settle(iteration, limit, work, answering == 0) == 0:
            break


@inner
def begin(lane0: int, lanes: int, system: System, whole: bool, work: Work) -> None:
    """Write the voltages each lane starts from; where these are ones, those of the sources suffice."""
    start, v, z = system.start, work.v, work.z
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
        store(z, o, load(v, o))
        store(z, o + WIDTH, load(v, o + WIDTH))


@inner
def solve_block(
    lane0: int,
    power: tuple[Any, Any],
    batch: Batch,
    system: System,
    response: Response,
    rules: Rules,
    work: Work,
    out: Results,
) -> bool:
    """Solve a block of lanes; return whether its power is finite."""
    gather(lane0, power, system.loads, work)
    sound: bool = scale(system.loads, system.units, work.s)
    begin(lane0, batch.p.shape[0], system, rules.max_iterations == 0, work)
    if rules.max_iterations > 0:
        work.q[:] = 0.0
        iterate(lane0, batch, system, response, rules, work)
        complete(system.factors, work.v)
    write_branches(lane0, system, rules.base_kva, work, out)
    write_checks(system, rules, work)
    write_rows(lane0, system, rules.base_kva, work, out)
    write_answers(lane0, work.q, response, out)
    for j in range(min(WIDTH, batch.p.shape[0] - lane0)):
        out.iterations[lane0 + j] = work.taken[j]
    return sound


@njit(cache=True, nogil=True, error_model="numpy")
def solve_blocks(
    span: tuple[int, int],
    batch: Batch,
    system: System,
    response: Response,
    rules: Rules,
    out: Results,
) -> bool:
    """Solve the blocks of lanes from one number up to another one (``span``).

    Without iterations the start is taken as the solution. Returns whether the power of these blocks
    is finite.
    """
    rows, sound = system.start.shape[2] + 1, True
    work = Work(
        s=np.empty((system.factors.kept + 1) * system.loads.parts * WIDTH),
        v=np.zeros(rows * _PAIR),
        z=np.zeros(rows * _PAIR),
        q=np.zeros(response.memory * WIDTH),
        tiles=np.empty(2 * TILE * TILE),
        active=np.empty(WIDTH),
        step=np.empty(WIDTH),
        before=np.empty(WIDTH),
        taken=np.zeros(WIDTH, dtype=np.int64),
        end=np.empty(5 * WIDTH),
        worst=np.empty(5 * WIDTH),
    )
    power = batch.p.reshape(-1), batch.q.reshape(-1)
    for number in range(span[0], span[1]):
        block = solve_block(number * WIDTH, power, batch, system, response, rules, work, out)
        sound = sound and block
    return sound
