"""One sparse factorisation of a network's admittance, ordered so that few rows need iterating.

Nodes without elements and with at most two neighbours are eliminated first: their part of the
forward substitution is the same in every lane and is done once. The others follow by minimum
degree, which leaves radial networks without fill.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from gridimpact.powerflow.layout import Rows, Triangles
from gridimpact.records import Admittance, BoolArray, ComplexArray, FloatArray, IntArray

_Sparse = list[dict[int, complex]]


@dataclass(frozen=True)
class Elimination:
    """The factors and what each of their rows stands for."""

    node: IntArray
    """(row,) node of the pi-model; unknown rows first, sources last."""
    tri: Triangles
    start: FloatArray
    """(2, row) voltage without any load."""
    unknown: int


def eliminate(admittance: Admittance, loaded: BoolArray) -> Elimination:
    """Return the factors of the admittance between supplied nodes that are not sources.

    Parameters
    ----------
    admittance : Admittance
        Never written to.
    loaded : numpy.ndarray
        (node,) whether an element may draw there.

    Notes
    -----
    Pivots stay on the diagonal. A pivot that vanishes leaves non-finite factors; lanes then fail
    their power balance and go to Newton, which factors anew with pivoting.
    """
    source = np.zeros(len(loaded), dtype=bool)
    source[admittance.slack_node] = True
    unknown = np.flatnonzero(admittance.supplied & ~source)
    matrix = admittance.y_bus.tocsr()
    feed = -matrix[unknown][:, admittance.slack_node] @ admittance.slack_vm_pu
    rows = _rows(matrix[unknown][:, unknown])
    constant = [complex(value) for value in np.asarray(feed).ravel()]
    free_order, upper, pivot = _eliminate_free(rows, constant, loaded[unknown])
    kept_order, lower = _eliminate_rest(rows, set(free_order), upper, pivot)
    order = np.array(kept_order + free_order[::-1], dtype=np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ordered = np.array([constant[row] for row in order], dtype=np.complex128)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / np.array([pivot[row] for row in order], dtype=np.complex128)
    tri = Triangles(
        lower=_pack([lower[row] for row in kept_order], place),
        upper=_pack([upper[row] for row in order], place),
        d_re=inverse.real.copy(),
        d_im=inverse.imag.copy(),
        c_re=ordered.real.copy(),
        c_im=ordered.imag.copy(),
        kept=len(kept_order),
    )
    start = np.concatenate([_without_load(tri, ordered, inverse), admittance.slack_vm_pu])
    node = np.concatenate([unknown[order], admittance.slack_node]).astype(np.int64)
    return Elimination(node, tri, np.stack([start.real, start.imag]), len(order))


def _rows(matrix: object) -> _Sparse:
    """Return the rows of a sparse matrix with a diagonal and a symmetric pattern."""
    from scipy.sparse import coo_array

    entries = coo_array(matrix)
    rows: _Sparse = [{index: 0j} for index in range(entries.shape[0])]
    for i, j, value in zip(*entries.coords, entries.data, strict=True):
        rows[int(i)][int(j)] = rows[int(i)].get(int(j), 0j) + complex(value)
        rows[int(j)].setdefault(int(i), 0j)
    return rows


def _strike(rows: _Sparse, k: int) -> tuple[complex, dict[int, complex], dict[int, complex]]:
    """Eliminate row and column `k`; return its pivot, its row and the column of multipliers."""
    row = rows[k]
    pivot = row.pop(k)
    scale = 1.0 / pivot if pivot else complex("nan")
    column = {}
    for i in row:
        below = rows[i]
        multiplier = below.pop(k) * scale
        column[i] = multiplier
        for j, value in row.items():
            below[j] = below.get(j, 0j) - multiplier * value
    rows[k] = {}
    return pivot, row, column


def _eliminate_free(
    rows: _Sparse, constant: list[complex], loaded: BoolArray
) -> tuple[list[int], dict[int, dict[int, complex]], dict[int, complex]]:
    """Eliminate nodes without elements that have at most two neighbours, the constants with them."""
    order: list[int] = []
    upper: dict[int, dict[int, complex]] = {}
    pivot: dict[int, complex] = {}
    queue = [(len(row) - 1, k) for k, row in enumerate(rows) if not loaded[k]]
    heapq.heapify(queue)
    while queue and queue[0][0] <= 2:
        degree, k = heapq.heappop(queue)
        if k in upper or degree != len(rows[k]) - 1:
            continue
        pivot[k], upper[k], column = _strike(rows, k)
        order.append(k)
        for i, multiplier in column.items():
            constant[i] -= multiplier * constant[k]
            if not loaded[i]:
                heapq.heappush(queue, (len(rows[i]) - 1, i))
    return order, upper, pivot


def _eliminate_rest(
    rows: _Sparse,
    done: set[int],
    upper: dict[int, dict[int, complex]],
    pivot: dict[int, complex],
) -> tuple[list[int], list[dict[int, complex]]]:
    """Eliminate all other nodes by minimum degree; return their order and the lower factor."""
    order: list[int] = []
    lower: list[dict[int, complex]] = [{} for _ in rows]
    queue = [(len(row) - 1, k) for k, row in enumerate(rows) if k not in done]
    heapq.heapify(queue)
    while queue:
        degree, k = heapq.heappop(queue)
        if k in upper or degree != len(rows[k]) - 1:
            continue
        pivot[k], upper[k], column = _strike(rows, k)
        order.append(k)
        for i, multiplier in column.items():
            lower[i][k] = multiplier
            heapq.heappush(queue, (len(rows[i]) - 1, i))
    return order, lower


def _pack(rows: list[dict[int, complex]], place: IntArray) -> Rows:
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    entries = [sorted((int(place[column]), value) for column, value in row.items()) for row in rows]
    flat = [entry for row in entries for entry in row]
    values = np.array([value for _, value in flat], dtype=np.complex128)
    columns = np.array([column for column, _ in flat], dtype=np.int64)
    return Rows(start, columns, values.real.copy(), values.imag.copy())


def _without_load(tri: Triangles, constant: ComplexArray, inverse: ComplexArray) -> ComplexArray:
    """Return the voltages of the unknown rows with nothing connected."""
    x = constant.copy()
    for row in range(tri.kept):
        part = slice(tri.lower.start[row], tri.lower.start[row + 1])
        x[row] -= (tri.lower.re[part] + 1j * tri.lower.im[part]) @ x[tri.lower.row[part]]
    backward = [*range(tri.kept - 1, -1, -1), *range(tri.kept, len(x))]
    for row in backward:
        part = slice(tri.upper.start[row], tri.upper.start[row + 1])
        x[row] -= (tri.upper.re[part] + 1j * tri.upper.im[part]) @ x[tri.upper.row[part]]
        x[row] *= inverse[row]
    return x
