"""Compiled fixed point of the three-phase engine: a block of lanes at once, lanes innermost.

Voltages and currents are flat: each row, ``3 * place + phase``, holds `WIDTH` real parts, then
`WIDTH` imaginary parts. A block multiplies the three values of a place in one loop over lanes, so
that they are loaded once. Nothing is reordered, so the bits of a lane depend on that lane alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from gridimpact.powerflow.kernels_response import respond
from gridimpact.powerflow.three_phase_layout import (
    BETWEEN,
    SAME,
    TURNED,
    Batch,
    Factors,
    Rules,
    Slots,
    System,
)

F = TypeVar("F", bound=Callable[..., Any])

WIDTH = 32  # Lanes in a block: wide enough for the vector unit, small enough for the cache.

# Unsigned positions spare the compiler the case of negative ones: so it vectorises.
_U = np.uint64
_H = _U(WIDTH)
_PAIR = _U(2 * WIDTH)
_SIX = _U(6 * WIDTH)
_MANY = 1e6
_THIRD = 1.0 / 3.0

# Division follows IEEE 754 instead of raising. Products and sums are not fused: that costs nothing
# here, and the compiler would fuse them differently at the edges of a loop.
compiled = cast(Callable[[F], F], njit(cache=True, nogil=True, error_model="numpy"))


@compiled
def gather(lane0: int, batch: Batch, slots: Slots, s: Any) -> None:
    """Sum the elements of a block of lanes into slots, drawn power per unit.

    ``s`` is flat, `Slots.parts` a slot: first of P, then of Q. Lanes beyond the last draw only what
    the network itself draws.
    """
    parts, half = slots.parts, slots.parts // 2
    s[:] = 0.0
    for k in range(slots.row.shape[0]):
        for j in range(WIDTH):
            s[parts * WIDTH * k + j] = slots.fixed[k, 0]
            s[(parts * k + half) * WIDTH + j] = slots.fixed[k, 1]
    for j in range(min(WIDTH, batch.p.shape[0] - lane0)):
        for e in range(slots.element.shape[0]):
            p, q = batch.p[lane0 + j, slots.element[e]], batch.q[lane0 + j, slots.element[e]]
            at = parts * WIDTH * slots.slot[e] + j
            for k in range(half):
                s[at + k * WIDTH] += p * slots.share_p[e, k]
                s[at + (half + k) * WIDTH] += q * slots.share_q[e, k]


@compiled
def set_block(y: Any, known: Any, at: Any, out: Any, to: Any) -> None:
    """Write a block times the three values from position ``at`` into ``out`` from ``to`` on."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7], y[8]
    b0, b1, b2, b3, b4 = y[9], y[10], y[11], y[12], y[13]
    b5, b6, b7, b8 = y[14], y[15], y[16], y[17]
    for j in range(WIDTH):
        f, o = at + _U(j), to + _U(j)
        ar, ai = known[f], known[f + _H]
        br, bi = known[f + _U(2) * _H], known[f + _U(3) * _H]
        cr, ci = known[f + _U(4) * _H], known[f + _U(5) * _H]
        out[o] = a0 * ar - b0 * ai + a1 * br - b1 * bi + a2 * cr - b2 * ci
        out[o + _H] = a0 * ai + b0 * ar + a1 * bi + b1 * br + a2 * ci + b2 * cr
        out[o + _U(2) * _H] = a3 * ar - b3 * ai + a4 * br - b4 * bi + a5 * cr - b5 * ci
        out[o + _U(3) * _H] = a3 * ai + b3 * ar + a4 * bi + b4 * br + a5 * ci + b5 * cr
        out[o + _U(4) * _H] = a6 * ar - b6 * ai + a7 * br - b7 * bi + a8 * cr - b8 * ci
        out[o + _U(5) * _H] = a6 * ai + b6 * ar + a7 * bi + b7 * br + a8 * ci + b8 * cr


@compiled
def take_block(y: Any, known: Any, at: Any, out: Any, to: Any) -> None:
    """Subtract a block times the three values from position ``at`` from ``out`` from ``to`` on."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7], y[8]
    b0, b1, b2, b3, b4 = y[9], y[10], y[11], y[12], y[13]
    b5, b6, b7, b8 = y[14], y[15], y[16], y[17]
    for j in range(WIDTH):
        f, o = at + _U(j), to + _U(j)
        ar, ai = known[f], known[f + _H]
        br, bi = known[f + _U(2) * _H], known[f + _U(3) * _H]
        cr, ci = known[f + _U(4) * _H], known[f + _U(5) * _H]
        out[o] -= a0 * ar - b0 * ai + a1 * br - b1 * bi + a2 * cr - b2 * ci
        out[o + _H] -= a0 * ai + b0 * ar + a1 * bi + b1 * br + a2 * ci + b2 * cr
        out[o + _U(2) * _H] -= a3 * ar - b3 * ai + a4 * br - b4 * bi + a5 * cr - b5 * ci
        out[o + _U(3) * _H] -= a3 * ai + b3 * ar + a4 * bi + b4 * br + a5 * ci + b5 * cr
        out[o + _U(4) * _H] -= a6 * ar - b6 * ai + a7 * br - b7 * bi + a8 * cr - b8 * ci
        out[o + _U(5) * _H] -= a6 * ai + b6 * ar + a7 * bi + b7 * br + a8 * ci + b8 * cr


@compiled
def add_place(known: Any, at: Any, out: Any, to: Any) -> None:
    """Add the three values from position ``at`` to ``out`` from ``to`` on."""
    for j in range(6 * WIDTH):
        out[to + _U(j)] += known[at + _U(j)]


@compiled
def draw(v: Any, s: Any, slots: Slots, k: int, i: Any) -> None:
    """Write the current drawn at a slot at the voltages ``v`` into ``i``, real parts first."""
    a, base = _U(slots.row[k]) * _PAIR, _U(slots.parts * k) * _H
    delta = slots.other[k] >= 0
    b = _U(slots.other[k]) * _PAIR if delta else a
    for j in range(WIDTH):
        m = _U(j)
        i[m], i[m + _H] = v[a + m], v[a + m + _H]
    if delta:
        for j in range(WIDTH):
            m = _U(j)
            i[m] -= v[b + m]
            i[m + _H] -= v[b + m + _H]
    if slots.parts == 2:
        for j in range(WIDTH):
            m = _U(j)
            vr, vi, p, q = i[m], i[m + _H], s[base + m], s[base + m + _H]
            inverse = 1.0 / (vr * vr + vi * vi)
            i[m], i[m + _H] = (p * vr + q * vi) * inverse, (p * vi - q * vr) * inverse
        return
    scale = _THIRD if delta else 1.0
    for j in range(WIDTH):
        m, n = _U(j), base + _U(j)
        vr, vi = i[m], i[m + _H]
        square = vr * vr + vi * vi
        inverse, z = 1.0 / square, square * scale
        size = np.sqrt(z)
        p = s[n] + s[n + _H] * size + s[n + _U(2) * _H] * z
        q = s[n + _U(3) * _H] + s[n + _U(4) * _H] * size + s[n + _U(5) * _H] * z
        i[m], i[m + _H] = (p * vr + q * vi) * inverse, (p * vi - q * vr) * inverse


@compiled
def forward(factors: Factors, slots: Slots, s: Any, v: Any, x: Any, i: Any) -> None:
    """Write the currents fed in at ``v``, forward substituted, into ``x``."""
    x[: factors.kept * 6 * WIDTH] = 0.0
    for k in range(slots.row.shape[0]):
        draw(v, s, slots, k, i)
        o = _U(slots.row[k]) * _PAIR
        for j in range(2 * WIDTH):
            x[o + _U(j)] -= i[_U(j)]
        if slots.other[k] >= 0:
            o = _U(slots.other[k]) * _PAIR
            for j in range(2 * WIDTH):
                x[o + _U(j)] += i[_U(j)]
    lower = factors.lower
    for place in range(factors.kept):
        o = _U(place) * _SIX
        for e in range(lower.start[place], lower.start[place + 1]):
            if lower.plain[e]:
                add_place(x, _U(lower.place[e]) * _SIX, x, o)
            else:
                take_block(lower.y[e], x, _U(lower.place[e]) * _SIX, x, o)


@compiled
def settle(new: Any, v: Any, o: Any, active: Any, step: Any) -> None:
    """Move a place's active lanes to their new voltages; ``step`` keeps the largest change squared."""
    for phase in range(3):
        c = _U(phase) * _PAIR
        for j in range(WIDTH):
            m, k, n = _U(j), o + c + _U(j), c + _U(j)
            vr, vi, nr, ni = v[k], v[k + _H], new[n], new[n + _H]
            change = (nr - vr) * (nr - vr) + (ni - vi) * (ni - vi)
            # Written so that a NaN is kept as the largest change.
            step[m] = step[m] if change <= step[m] else change
            v[k] = nr if active[m] > 0 else vr
            v[k + _H] = ni if active[m] > 0 else vi


@compiled
def backward(factors: Factors, x: Any, v: Any, new: Any, active: Any, step: Any) -> None:
    """Substitute backward into the active lanes of ``v``; ``step`` gets the largest change squared."""
    upper = factors.upper
    for j in range(WIDTH):
        step[j] = 0.0
    for place in range(factors.kept - 1, -1, -1):
        o = _U(place) * _SIX
        set_block(factors.pivot[place], x, o, new, _U(0))
        for e in range(upper.start[place], upper.start[place + 1]):
            if upper.plain[e]:
                add_place(v, _U(upper.place[e]) * _SIX, new, _U(0))
            else:
                take_block(upper.y[e], v, _U(upper.place[e]) * _SIX, new, _U(0))
        settle(new, v, o, active, step)


@compiled
def iterate(lane0: int, batch: Batch, system: System, rules: Rules, state: Any, taken: Any) -> None:
    """Bring every lane of a block to its own fixed point; a lane that has arrived is frozen."""
    v, s, x, q, new = state
    active, step = np.ones(WIDTH), np.zeros(WIDTH)
    limit = rules.tolerance * rules.tolerance
    for j in range(WIDTH):
        taken[j] = -1
    for iteration in range(rules.max_iterations):
        forward(system.factors, system.slots, s, v, x, new)
        backward(system.factors, x, v, new, active, step)
        respond(lane0, batch, system.response, v, q, s, active, step)
        left = 0
        for j in range(WIDTH):
            if active[j] > 0 and limit < step[j] < _MANY:
                left += 1
            elif active[j] > 0:
                active[j] = 0.0
                taken[j] = iteration + 1 if step[j] <= limit else -1
        if left == 0:
            break


@compiled
def recover(factors: Factors, v: Any, new: Any) -> None:
    """Write the places that were left out of the iteration, which draw nothing."""
    free = factors.free
    for k in range(free.kind.shape[0]):
        o, f = _U(factors.kept + k) * _SIX, _U(free.first[k]) * _SIX
        t, kind = _U(max(free.second[k], 0)) * _SIX, free.kind[k]
        if kind == SAME:
            continue
        if kind == BETWEEN:
            share = free.share[k]
            for j in range(6 * WIDTH):
                first = v[f + _U(j)]
                v[o + _U(j)] = first + share * (v[t + _U(j)] - first)
        elif kind == TURNED:
            way = new[6 * WIDTH :]
            for j in range(6 * WIDTH):
                way[_U(j)] = v[t + _U(j)] - v[f + _U(j)]
            set_block(free.y[k, 0], way, _U(0), new, _U(0))
            for j in range(6 * WIDTH):
                v[o + _U(j)] = v[f + _U(j)] + new[_U(j)]
        else:
            set_block(free.y[k, 0], v, f, new, _U(0))
            if free.second[k] >= 0:
                set_block(free.y[k, 1], v, t, new, _SIX)
                add_place(new, _SIX, new, _U(0))
            for j in range(6 * WIDTH):
                v[o + _U(j)] = new[_U(j)]
