"""One sparse factorisation of a network's admittance, ordered so that few rows need iterating.

Nodes without elements and with at most two neighbours are eliminated first: their voltages follow
from their neighbours afterwards, exactly. The others follow by minimum degree, which leaves radial
networks without fill, and are numbered child by child, so that what belongs together lies together.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from gridimpact.powerflow.layout import Factors, Rows
from gridimpact.records import Admittance, BoolArray, ComplexArray, FloatArray, IntArray

_Sparse = list[dict[int, complex]]

_SANE = 5.0
"""Voltages without load within this factor of 1 pu may serve as units."""


@dataclass(frozen=True)
class Elimination:
    """The factors and what each of their rows stands for."""

    node: IntArray
    """(row,) node of the pi-model; unknown rows first, sources last."""
    factors: Factors
    voltage: ComplexArray
    """(row,) unit of voltage [pu]."""
    current: ComplexArray
    """(row,) current in the row's unit per current [pu]."""
    start: FloatArray
    """(1, 2, row) voltage without any load, in the units of the rows."""
    unknown: int
    idle: bool
    """Whether the units are the voltages without load."""


@dataclass(frozen=True)
class _Struck:
    """What was eliminated: pivots, rows beyond them and columns of multipliers, by node."""

    pivot: dict[int, complex]
    row: dict[int, dict[int, complex]]
    column: dict[int, dict[int, complex]]


def eliminate(admittance: Admittance, loaded: BoolArray, *, relative: bool = True) -> Elimination:
    """Return the factors of the admittance between supplied nodes.

    Parameters
    ----------
    admittance : Admittance
        Never written to.
    loaded : numpy.ndarray
        (node,) whether an element may draw there.
    relative : bool
        Count voltages in each node's voltage without load where these are sound, else per unit.

    Notes
    -----
    Without load every relative voltage is one, so that the rows of the factors sum to one; with
    units of current chosen by the transposed system, the columns do as well. A node with one
    neighbour left is then joined to it by a factor of exactly one.

    Pivots stay on the diagonal. A pivot that vanishes leaves non-finite factors; lanes then fail
    their power balance and go to Newton, which factors anew with pivoting.
    """
    source = np.zeros(len(loaded), dtype=bool)
    source[admittance.slack_node] = True
    unknown = np.flatnonzero(admittance.supplied & ~source)
    count = len(unknown)
    node = np.concatenate([unknown, admittance.slack_node]).astype(np.int64)
    rows = _rows(admittance.y_bus.tocsr()[node][:, node])
    struck = _Struck({}, {}, {})
    free = _eliminate_free(rows, np.append(loaded[unknown], source[source]), count, struck)
    kept = _children_first(_eliminate_rest(rows, count, struck), struck)
    backward = [*kept[::-1], *free[::-1]]
    idle, current = _units(struck, backward, admittance.slack_vm_pu)
    sound = relative and _sound(idle, current)
    voltage = idle if sound else np.ones(len(node), dtype=np.complex128)
    current = current if sound else np.ones(len(node), dtype=np.complex128)
    order = np.array([*kept, *free[::-1], *range(count, len(node))], dtype=np.int64)
    factors = _factors(struck, (kept, free[::-1]), order, (voltage, current), sound)
    begin = (idle / voltage)[order]
    start = np.stack([begin.real, begin.imag])[None]
    return Elimination(node[order], factors, voltage[order], current[order], start, count, sound)


def _rows(matrix: object) -> _Sparse:
    """Return the rows of a sparse matrix with a diagonal and a symmetric pattern."""
    from scipy.sparse import coo_array

    entries = coo_array(matrix)
    rows: _Sparse = [{index: 0j} for index in range(entries.shape[0])]
    places = (entries.coords[0].tolist(), entries.coords[1].tolist(), entries.data.tolist())
    for i, j, value in zip(*places, strict=True):
        rows[i][j] = rows[i].get(j, 0j) + value
        rows[j].setdefault(i, 0j)
    return rows


def _strike(rows: _Sparse, k: int, struck: _Struck) -> None:
    """Eliminate row and column `k`."""
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
    struck.pivot[k], struck.row[k], struck.column[k] = pivot, row, column


def _eliminate_free(rows: _Sparse, loaded: BoolArray, count: int, struck: _Struck) -> list[int]:
    """Eliminate nodes without elements that have at most two neighbours; return their order."""
    order: list[int] = []
    queue = [(len(rows[k]) - 1, k) for k in range(count) if not loaded[k]]
    heapq.heapify(queue)
    while queue and queue[0][0] <= 2:
        degree, k = heapq.heappop(queue)
        if k in struck.pivot or degree != len(rows[k]) - 1:
            continue
        _strike(rows, k, struck)
        order.append(k)
        for i in struck.row[k]:
            if not loaded[i]:
                heapq.heappush(queue, (len(rows[i]) - 1, i))
    return order


def _eliminate_rest(rows: _Sparse, count: int, struck: _Struck) -> list[int]:
    """Eliminate all other nodes by minimum degree; return their order."""
    order: list[int] = []
    queue = [(len(rows[k]) - 1, k) for k in range(count) if k not in struck.pivot]
    heapq.heapify(queue)
    while queue:
        degree, k = heapq.heappop(queue)
        if k in struck.pivot or degree != len(rows[k]) - 1:
            continue
        _strike(rows, k, struck)
        order.append(k)
        for i in struck.row[k]:
            if i < count:
                heapq.heappush(queue, (len(rows[i]) - 1, i))
    return order


def _children_first(order: list[int], struck: _Struck) -> list[int]:
    """Return an elimination order without new fill in which each branch of the tree is in one piece."""
    place = {k: number for number, k in enumerate(order)}
    children: dict[int, list[int]] = {k: [] for k in order}
    roots = []
    for k in order:
        later = [i for i in struck.row[k] if i in place]
        if later:
            children[min(later, key=place.__getitem__)].append(k)
        else:
            roots.append(k)
    found: list[int] = []
    stack = roots[::-1]
    while stack:
        k = stack.pop()
        found.append(k)
        stack.extend(children[k])
    return found[::-1]


def _units(
    struck: _Struck, backward: list[int], source: ComplexArray
) -> tuple[ComplexArray, ComplexArray]:
    """Return voltages without load, and the same of the transposed system."""
    count = len(backward)
    voltage, current = [0j] * (count + len(source)), [0j] * (count + len(source))
    voltage[count:] = source.tolist()
    current[count:] = source.conj().tolist()
    for k in backward:
        pivot = struck.pivot[k] or complex("nan")
        voltage[k] = -sum(value * voltage[i] for i, value in struck.row[k].items()) / pivot
        current[k] = -sum(value * current[i] for i, value in struck.column[k].items())
    return np.array(voltage, dtype=np.complex128), np.array(current, dtype=np.complex128)


def _sound(*units: ComplexArray) -> bool:
    size = np.abs(np.concatenate(units))
    return bool(np.all((size > 1 / _SANE) & (size < _SANE)))


def _factors(
    struck: _Struck,
    rows: tuple[list[int], list[int]],
    order: IntArray,
    units: tuple[ComplexArray, ComplexArray],
    sound: bool,
) -> Factors:
    """Lay the factors out by row, in the units of the rows."""
    kept, free = rows
    voltage, current = (unit.tolist() for unit in units)
    zero = len(order)
    place = np.empty(zero, dtype=np.int64)
    place[order] = np.arange(zero)
    below: dict[int, list[tuple[int, complex]]] = {k: [] for k in kept}
    joined: dict[int, list[tuple[int, complex]]] = {k: [] for k in kept}
    beyond: dict[int, list[tuple[int, complex]]] = {}
    gain, parent = [], []
    for k in kept:
        pivot = struck.pivot[k] or complex("nan")
        single = sound and len(struck.row[k]) == 1
        parent.append(int(place[next(iter(struck.row[k]))]) if single else zero)
        gain.append(1.0 / (pivot * voltage[k] * current[k]))
        beyond[k] = [] if single else _relative(struck.row[k], 1 / (pivot * voltage[k]), voltage)
        for i, value in struck.column[k].items():
            if i in below:
                single = sound and len(struck.column[k]) == 1
                target = joined if single else below
                target[i].append((k, value * current[i] / current[k]))
    first = [int(place[joined[k][0][0]]) if joined[k] else zero for k in kept]
    gains = np.array(gain, dtype=np.complex128)
    ends, share = _follow(struck, free, place, voltage)
    return Factors(
        kept=len(kept),
        child=np.array(first, dtype=np.int64),
        more=_pack([joined[k][1:] for k in kept], place),
        lower=_pack([below[k] for k in kept], place),
        parent=np.array(parent, dtype=np.int64),
        upper=_pack([beyond[k] for k in kept], place),
        gain_re=gains.real.copy(),
        gain_im=gains.imag.copy(),
        first=ends[:, 0].copy(),
        second=ends[:, 1].copy(),
        share=share.view(np.float64),
    )


def _relative(
    row: dict[int, complex], scale: complex, voltage: list[complex]
) -> list[tuple[int, complex]]:
    return [(i, value * voltage[i] * scale) for i, value in row.items()]


def _follow(
    struck: _Struck, free: list[int], place: IntArray, voltage: list[complex]
) -> tuple[IntArray, ComplexArray]:
    """Return which two rows each free row follows from, and their factors."""
    ends = np.full((len(free), 2), len(place), dtype=np.int64)
    share = np.zeros((len(free), 2), dtype=np.complex128)
    for number, k in enumerate(free):
        scale = -1.0 / ((struck.pivot[k] or complex("nan")) * voltage[k])
        for end, (i, value) in enumerate(_relative(struck.row[k], scale, voltage)):
            ends[number, end], share[number, end] = place[i], value
    return ends, share


def _pack(rows: list[list[tuple[int, complex]]], place: IntArray) -> Rows:
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    entries = [sorted((int(place[column]), value) for column, value in row) for row in rows]
    flat = [entry for row in entries for entry in row]
    values = np.array([value for _, value in flat], dtype=np.complex128)
    columns = np.array([column for column, _ in flat], dtype=np.int64)
    return Rows(start, columns, values.real.copy(), values.imag.copy())
