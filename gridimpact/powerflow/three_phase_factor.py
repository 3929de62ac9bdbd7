"""Block factors of a network in phase coordinates, ordered so that few places need iterating.

Nodes at which nothing draws and with at most two neighbours are eliminated first; they follow from
their neighbours afterwards, exactly. The others go by minimum degree, which leaves radial networks
without fill. Diagonal blocks are never stored: they follow from the other blocks of their row and
what the node loses to earth, so that series branches without shunts stay free of cancellation and
all their factors are plainly minus the identity.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridimpact.powerflow.three_phase_layout import (
    BETWEEN,
    FREE,
    SAME,
    TURNED,
    Blocks,
    Factors,
    Free,
)
from gridimpact.powerflow.three_phase_newton import reduced_admittance
from gridimpact.records import BoolArray, ComplexArray, FloatArray, IntArray, PhaseModel

_TRACE = 1e-13
"""Part of a block below which a sum of blocks is rounding."""

_SINGULAR = 1e-12
"""Singular values of a pivot below this part of the largest one are directions without any path."""

_MIRRORED = 1e-10
"""Part of a block below which two neighbours' blocks for one another are taken as equal."""

_I3 = np.eye(3, dtype=np.complex128)


@dataclass
class _Work:
    """A block matrix under elimination."""

    off: list[dict[int, ComplexArray]]
    """Blocks beside the diagonal."""
    loss: list[ComplexArray | None]
    """Sum of each block row: what the node loses to earth; None for exactly nothing."""
    pivot: dict[int, ComplexArray] = field(default_factory=dict)
    """Inverse pivots."""
    upper: dict[int, dict[int, ComplexArray]] = field(default_factory=dict)
    tie: dict[int, ComplexArray] = field(default_factory=dict)
    """Paths to earth given to nodes that have none in some direction."""


@dataclass(frozen=True)
class Elimination:
    """The factors and what each of their places stands for."""

    node: IntArray
    """(place,) node of the phase model; unknown first, sources last."""
    place: IntArray
    """(node,) place, that of its neighbour where the two are the same; -1 without supply."""
    factors: Factors
    start: FloatArray
    """(2, row) voltage without any load."""
    unknown: int
    reduced: Any
    """(3 * kept, 3 * (kept + sources)) scipy CSR, admittance of the places that are iterated with all others
    eliminated."""


def eliminate(model: PhaseModel, loaded: BoolArray) -> Elimination:
    """Return the block factors of the admittance between nodes that are not sources.

    Parameters
    ----------
    model : PhaseModel
        Never written to.
    loaded : numpy.ndarray
        (node,) whether an element may draw there.

    Notes
    -----
    A pivot without any path in some direction (zero sequence of a part that is nowhere earthed)
    gets one to earth there. No current flows in it as long as nothing draws in that direction, so
    it only says that the floating voltage is nil.
    """
    work = _assemble(model)
    source = np.zeros(len(loaded), dtype=bool)
    source[model.slack_node] = True
    touched = np.concatenate([model.branch_from, model.branch_to])
    unknown = np.setdiff1d(touched, model.slack_node)
    with np.errstate(all="ignore"):
        free = _eliminate_free(work, unknown, loaded | source)
        reduced = [dict(row) for row in work.off], list(work.loss)
        kept, lower = _eliminate_rest(work, unknown)
        node = np.array([*kept, *free[::-1], *model.slack_node], dtype=np.int64)
        place = np.full(len(loaded), -1, dtype=np.int64)
        place[node] = np.arange(len(node))
        factors = Factors(
            lower=_pack([lower.get(k, {}) for k in kept], place),
            upper=_pack([work.upper[k] for k in kept], place),
            pivot=flat(np.array([work.pivot[k] for k in kept]).reshape(-1, 3, 3)),
            free=_free(work, free[::-1], place),
            kept=len(kept),
        )
        start = _without_load(work, node, model)
    same = np.flatnonzero(factors.free.kind == SAME)
    # A neighbour is known before, so its own place is final by now.
    for row in same:
        place[node[factors.kept + row]] = place[node[factors.free.first[row]]]
    first, second = (
        np.where(ends >= 0, place[node[ends]], -1)
        for ends in (factors.free.first, factors.free.second)
    )
    factors = factors._replace(free=factors.free._replace(first=first, second=second))
    matrix = reduced_admittance(reduced, kept, model.slack_node, work.tie)
    return Elimination(node, place, factors, start, len(kept) + len(free), matrix)


def flat(blocks: ComplexArray) -> FloatArray:
    """Return blocks (..., 3, 3) as (..., 18): real parts, then imaginary parts."""
    shape = (*blocks.shape[:-2], 9)
    parts = [blocks.real.reshape(shape), blocks.imag.reshape(shape)]
    return np.ascontiguousarray(np.concatenate(parts, axis=-1))


def vanishing(block: ComplexArray, scale: ComplexArray) -> bool:
    """Tell whether a sum of blocks is nothing but the rounding of its terms."""
    return bool(np.abs(block).max() <= _TRACE * np.abs(scale).max())


def _assemble(model: PhaseModel) -> _Work:
    count = len(model.node_vn_kv)
    work = _Work([{} for _ in range(count)], [None] * count)
    for node in np.flatnonzero(np.abs(model.y_shunt).max(axis=(1, 2), initial=0.0) > 0):
        work.loss[node] = model.y_shunt[node].copy()
    y = model.y
    ends = zip(model.branch_from.tolist(), model.branch_to.tolist(), strict=True)
    for b, (f, t) in enumerate(ends):
        for here, there, own, mutual in (
            (f, t, y[b, :3, :3], y[b, :3, 3:]),
            (t, f, y[b, 3:, 3:], y[b, 3:, :3]),
        ):
            if here != there:
                known = work.off[here].get(there)
                work.off[here][there] = mutual.copy() if known is None else known + mutual
            lost = own + mutual
            if not vanishing(lost, own):
                known = work.loss[here]
                work.loss[here] = lost if known is None else known + lost
    return work


def _strike(work: _Work, k: int) -> dict[int, ComplexArray]:
    """Eliminate node `k`; return the column of multipliers of its neighbours."""
    row, lost = work.off[k], work.loss[k]
    pivot = -sum(row.values(), np.zeros((3, 3), dtype=np.complex128))
    if lost is not None:
        pivot = pivot + lost
    inverse = _inverse(pivot)
    # Only where the inverse is huge can a path be missing.
    if not np.abs(inverse).max() * np.abs(pivot).max() < 1e9:
        path = _missing_path(pivot)
        if path is not None:
            work.tie[k] = path
            inverse = _inverse(pivot + path)
            lost = path if lost is None else lost + path
    work.pivot[k] = inverse
    series = lost is None and len(row) == 1
    column = {}
    for i in row:
        into = work.off[i].pop(k, None)
        if into is None:
            continue
        mirrored = series and bool(np.abs(into - row[i]).max() <= _MIRRORED * np.abs(into).max())
        multiplier = -_I3 if mirrored else into @ inverse
        column[i] = multiplier
        for j, value in row.items():
            if j != i:
                known = work.off[i].get(j)
                change = -multiplier @ value
                work.off[i][j] = change if known is None else known + change
        if lost is not None:
            gain = -multiplier @ lost
            known = work.loss[i]
            work.loss[i] = gain if known is None else known + gain
    work.upper[k] = {j: -_I3 if series else inverse @ value for j, value in row.items()}
    return column


def _inverse(pivot: ComplexArray) -> ComplexArray:
    try:
        return np.asarray(np.linalg.inv(pivot), dtype=np.complex128)
    except np.linalg.LinAlgError:
        return np.full((3, 3), np.nan, dtype=np.complex128)


def _missing_path(pivot: ComplexArray) -> ComplexArray | None:
    """Return an admittance to earth in every direction in which a pivot has none, None where it has all."""
    if not np.isfinite(pivot).all():
        return None
    left, size, right = np.linalg.svd(pivot)
    none = size <= _SINGULAR * size[0]
    if not none.any():
        return None
    return np.asarray(size[0] * left[:, none] @ right[none], dtype=np.complex128)


def _eliminate_free(work: _Work, unknown: IntArray, held: BoolArray) -> list[int]:
    """Eliminate nodes at which nothing draws and that have at most two neighbours; return their order."""
    order: list[int] = []
    queue = [(len(work.off[k]), int(k)) for k in unknown if not held[k]]
    heapq.heapify(queue)
    while queue and queue[0][0] <= 2:
        degree, k = heapq.heappop(queue)
        if k in work.upper or degree != len(work.off[k]):
            continue
        around = list(work.off[k])
        _strike(work, k)
        order.append(k)
        for i in around:
            if not held[i]:
                heapq.heappush(queue, (len(work.off[i]), i))
    return order


def _eliminate_rest(
    work: _Work, unknown: IntArray
) -> tuple[list[int], dict[int, dict[int, ComplexArray]]]:
    """Eliminate all other nodes by minimum degree; return their order and the lower factor."""
    order: list[int] = []
    lower: dict[int, dict[int, ComplexArray]] = {}
    left = {int(k) for k in unknown if int(k) not in work.upper}
    queue = [(len(work.off[k]), k) for k in left]
    heapq.heapify(queue)
    while queue:
        degree, k = heapq.heappop(queue)
        if k in work.upper or degree != len(work.off[k]):
            continue
        column = _strike(work, k)
        order.append(k)
        for i, multiplier in column.items():
            if i in left:
                lower.setdefault(i, {})[k] = multiplier
                heapq.heappush(queue, (len(work.off[i]), i))
    return order, lower


def _pack(rows: list[dict[int, ComplexArray]], place: IntArray) -> Blocks:
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    entries = [
        (int(place[column]), block)
        for row in rows
        for column, block in sorted(row.items(), key=lambda entry: int(place[entry[0]]))
    ]
    blocks = np.array([block for _, block in entries], dtype=np.complex128).reshape(-1, 3, 3)
    return Blocks(
        start,
        np.array([column for column, _ in entries], dtype=np.int64),
        flat(blocks),
        ~(blocks + _I3).any(axis=(1, 2)),
    )


def _free(work: _Work, order: list[int], place: IntArray) -> Free:
    """Return how each free place follows from its neighbours."""
    count = len(order)
    kind, share = np.full(count, FREE, dtype=np.int64), np.zeros(count)
    ends = np.full((count, 2), -1, dtype=np.int64)
    blocks = np.zeros((count, 2, 3, 3), dtype=np.complex128)
    for row, k in enumerate(order):
        upper = work.upper[k]
        ends[row, : len(upper)] = [place[j] for j in upper]
        blocks[row, : len(upper)] = [-block for block in upper.values()]
        if len(upper) == 1 and not (blocks[row, 0] - _I3).any():
            kind[row] = SAME
        elif len(upper) == 2 and work.loss[k] is None:
            way = blocks[row, 1]
            part = float(way[0, 0].real)
            straight = np.abs(way - part * _I3).max() <= 1e-12
            kind[row], share[row] = (BETWEEN, part) if straight else (TURNED, 0.0)
            blocks[row, 0] = way
    return Free(kind, ends[:, 0].copy(), ends[:, 1].copy(), share, flat(blocks))


def _without_load(work: _Work, node: IntArray, model: PhaseModel) -> FloatArray:
    """Return the voltages with nothing connected, in order of places."""
    v = {int(k): model.slack_vm_pu[i] for i, k in enumerate(model.slack_node)}
    for k in reversed(work.upper):
        v[k] = -sum(
            (block @ v[j] for j, block in work.upper[k].items()),
            np.zeros(3, dtype=np.complex128),
        )
    rows = np.array([v[int(k)] for k in node], dtype=np.complex128).reshape(-1)
    return np.stack([rows.real, rows.imag])
