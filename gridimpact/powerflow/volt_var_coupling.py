"""By how much reactive power drawn at one place lowers the voltage at another, at no load.

An element that draws reactive power lowers its own voltage and that of its neighbours. Each answers
with what this will cause already counted in, so that no curve, however steep, makes it overshoot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.records import ComplexArray, FloatArray, IntArray

_NEIGHBOURS = 256
"""Elements whose answers each element counts in one by one; those of weaker ones it counts as its own."""

_COLUMNS = 256
"""Right-hand sides solved at once."""


@dataclass(frozen=True)
class Terminals:
    """Where elements measure and answer, by rows of a linear system; -1 where there is none."""

    row: IntArray
    """(answering, 3)"""
    other: IntArray
    """(answering, 3) rows measured against, -1 to earth."""
    share: FloatArray
    """(answering, 3) weights; all zero without supply."""


@dataclass(frozen=True)
class Coupling:
    """Drop of the voltages measured by answers at 1 pu [pu/kvar], rows compressed."""

    own: FloatArray
    start: IntArray
    near: IntArray
    drop: FloatArray


def alone(count: int) -> Coupling:
    """Return the coupling of elements that move no voltage."""
    start = np.zeros(count + 1, dtype=np.int64)
    return Coupling(np.zeros(count), start, start[:0], np.zeros(0))


def coupling(matrix: Any, feed: ComplexArray, terminals: Terminals, scale: float) -> Coupling:
    """Return by how much answers lower the voltages measured, at no load.

    Parameters
    ----------
    matrix : scipy.sparse array
        (row, row) admittance between the unknown rows [pu].
    feed : numpy.ndarray
        (row,) current of the sources into the unknown rows [pu].
    terminals : Terminals
        Rows of `matrix`; -1 also at a source, whose voltage does not move.
    scale : float
        Per unit of the rows' power per kvar.

    Notes
    -----
    A current ``conj(s / v)`` drawn at row j moves the voltage at row i by ``-Z_ij conj(s / v_j)``, so that
    reactive power lowers the magnitude by ``Im(conj(u_i) Z_ij u_j) / |v_j|`` with ``u = v / |v|``. A singular
    matrix gives no drops: elements then answer as if the voltage stood still.
    """
    from scipy.sparse.linalg import splu

    count = len(terminals.row)
    try:
        factors = splu(matrix)
    except (RuntimeError, ValueError):
        return alone(count)
    incidence, weight = _incidence(terminals, matrix.shape[0])
    idle = incidence @ factors.solve(feed)
    size = np.abs(idle)
    turn = np.where(size > 0, idle / np.where(size > 0, size, 1.0), 1.0)
    columns = incidence.T.tocsc()
    reach = np.empty((incidence.shape[0], incidence.shape[0]))
    for first in range(0, reach.shape[1], _COLUMNS):
        part = slice(first, first + _COLUMNS)
        z = incidence @ factors.solve(columns[:, part].toarray().astype(np.complex128))
        reach[:, part] = (turn.conj()[:, None] * z * turn[part]).imag
    drops = weight @ (weight @ reach.T).T * scale
    return _nearest(np.where(np.isfinite(drops), drops, 0.0))


def _incidence(terminals: Terminals, rows: int) -> tuple[Any, Any]:
    """Return terminals by rows, and elements by terminals with their weights."""
    from scipy.sparse import coo_array

    count = len(terminals.row)
    element, phase = np.nonzero((terminals.share > 0) & (terminals.row >= 0))
    first, second = terminals.row[element, phase], terminals.other[element, phase]
    pair = second >= 0
    size = np.where(pair, 1 / np.sqrt(3.0), 1.0)
    number = np.arange(len(element))
    values = np.concatenate([size, -size[pair]])
    places = (np.concatenate([number, number[pair]]), np.concatenate([first, second[pair]]))
    incidence = coo_array((values, places), (len(element), rows)).tocsr()
    share = terminals.share[element, phase]
    return incidence, coo_array((share, (element, number)), (count, len(element))).tocsr()


def _nearest(drops: FloatArray) -> Coupling:
    """Keep the strongest neighbours of each element; what is left out counts as the element's own."""
    count = len(drops)
    size = np.abs(drops)
    np.fill_diagonal(size, 0.0)
    kept = size > 0
    if count > _NEIGHBOURS + 1:
        floor = np.partition(size, count - _NEIGHBOURS, axis=1)[:, count - _NEIGHBOURS]
        kept &= (size >= floor[:, None]) | (size >= floor[None, :])
    own = np.clip(np.diagonal(drops), 0.0, None) + np.where(kept, 0.0, size).sum(axis=1)
    start = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Coupling(own, start, np.nonzero(kept)[1].astype(np.int64), drops[kept])
