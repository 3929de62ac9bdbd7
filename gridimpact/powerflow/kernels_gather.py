"""Compiled sums of the elements of a block of lanes into the rows of the network."""

# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_vector import (
    TILE,
    fetch,
    inner,
    load,
    load_tile,
    splat,
    splat_tile,
    store,
    turn,
)
from gridimpact.powerflow.layout import WIDTH, Loads, Units, Work


@inner
def add_element(at: int, e: int, loads: Loads, tiles: Any, place: int, s: Any) -> None:
    """Add an element's power in a tile of lanes, P and then Q in ``tiles``, to its row from ``at`` on."""
    p, q = load_tile(tiles, place), load_tile(tiles, place + TILE)
    if loads.parts == 2:
        store(s, at, load_tile(s, at) + p)
        store(s, at + WIDTH, load_tile(s, at + WIDTH) + q)
        return
    for k in range(3):
        o, half = at + k * WIDTH, at + (3 + k) * WIDTH
        store(s, o, load_tile(s, o) + p * splat_tile(loads.share_p[e, k]))
        store(s, half, load_tile(s, half) + q * splat_tile(loads.share_q[e, k]))


@inner
def gather(lane0: int, power: tuple[Any, Any], loads: Loads, work: Work) -> None:
    """Sum the elements of a block of lanes into rows [kW], [kvar].

    ``work.s`` is flat, `Loads.parts` a row: constant power (, current and impedance part) of P, then of Q;
    one more row takes what changes nothing. Lanes beyond the last repeat it.
    """
    s, tiles, p, q = work.s, work.tiles, power[0], power[1]
    s[:] = 0.0
    count, size, nowhere = loads.row.shape[0], loads.parts * WIDTH, loads.loaded.shape[0]
    lanes, whole = p.shape[0] // max(1, count), count // TILE * TILE
    for part in range(0, WIDTH, TILE):
        first = min(lane0 + part, lanes - 1)
        last = min(TILE, lanes - first) - 1
        for begin in range(0, count, TILE):
            for j in range(TILE):
                after = (first + TILE + j) * count + begin
                fetch(p, after)
                fetch(q, after)
                at = (first + min(j, last)) * count + begin
                for k in range(count - begin if begin == whole else 0):
                    tiles[2 * TILE * k + j], tiles[2 * TILE * k + TILE + j] = p[at + k], q[at + k]
            if begin < whole:
                turn(p, (first * count + begin, count, last), tiles, (0, 2 * TILE))
                turn(q, (first * count + begin, count, last), tiles, (TILE, 2 * TILE))
            for k in range(min(TILE, count - begin)):
                row = loads.row[begin + k]
                at = size * (row if row >= 0 else nowhere) + part
                add_element(at, begin + k, loads, tiles, 2 * TILE * k, s)


@inner
def scale(loads: Loads, units: Units, s: Any) -> bool:
    """Turn sums of elements into the power drawn, in the rows' units; return whether all are finite."""
    size, half, rows = loads.parts * WIDTH, loads.parts // 2 * WIDTH, loads.loaded.shape[0]
    total = splat(0.0)
    for k in range(loads.parts):
        total = total + load(s, size * rows + k * WIDTH)
    for row in range(rows):
        if not loads.loaded[row]:
            continue
        own_re, own_im, grow = loads.fixed_re[row], loads.fixed_im[row], 1.0
        for k in range(loads.parts // 2):
            re, im = splat(units.power_re[row] * grow), splat(units.power_im[row] * grow)
            at = size * row + k * WIDTH
            p = load(s, at) * splat(loads.scale) + splat(own_re)
            q = load(s, at + half) * splat(loads.scale) + splat(own_im)
            total = total + (p + q)
            store(s, at, p * re - q * im)
            store(s, at + half, p * im + q * re)
            own_re, own_im, grow = 0.0, 0.0, grow * np.sqrt(units.v_square[row])
    # What is left of the row that changes nothing serves to look at the sum lane by lane.
    store(s, size * rows, total)
    sound = True
    for j in range(WIDTH):
        sound = sound and np.isfinite(s[size * rows + j])
    return sound
