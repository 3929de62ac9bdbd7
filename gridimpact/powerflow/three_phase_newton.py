"""Newton's method in rectangular coordinates for the few lanes the fixed point does not bring home.

It works on the places that are iterated alone, all others eliminated, and balances currents.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.three_phase_layout import Slots
from gridimpact.records import ComplexArray, FloatArray, IntArray

_HALVINGS = 8

_SLOW, _PATIENCE = 0.9, 3
"""A lane is given up when the current missing falls by less than a tenth three steps in a row."""


def solve_newton(
    reduced: Any,
    slots: Slots,
    drawn: ComplexArray,
    start: tuple[ComplexArray, ComplexArray],
    limits: tuple[float, int],
) -> ComplexArray | None:
    """Return the voltages of the iterated places in one lane, None where the method fails.

    Parameters
    ----------
    reduced : scipy.sparse array
        (row, row + source row) admittance of the iterated places [pu].
    slots : Slots
        Where power is drawn.
    drawn : numpy.ndarray
        (3, slot) power drawn at 1 pu [pu]: constant power, constant current, constant impedance.
    start : tuple of numpy.ndarray
        Voltages of the rows to begin with, and those of the sources.
    limits : tuple
        Largest step [pu] of the last iteration, and steps before the lane is given up.

    Notes
    -----
    A step that does not lessen the current missing is halved, at most eight times. The method
    fails where that does not help or helps little three times in a row, where the Jacobian is
    singular, or at the last step allowed.
    """
    tolerance, iterations = limits
    count = len(start[0])
    inner = reduced[:, :count].tocsr()
    feed = np.asarray(reduced[:, count:] @ start[1]).ravel()
    v, slow = start[0], 0
    with np.errstate(all="ignore"):
        missing = _missing(inner, feed, slots, drawn, v)
        for _ in range(iterations):
            step = _step(inner, slots, drawn, v, missing)
            if step is None:
                return None
            for halving in range(_HALVINGS + 1):
                part = step / 2**halving
                found = _missing(inner, feed, slots, drawn, v + part)
                # At the rounding floor the gap no longer falls, but the step is then below tolerance.
                small = float(np.abs(part).max(initial=0.0)) <= tolerance
                if small or _gap(found) < _gap(missing):
                    break
            else:
                return None
            v = v + part
            if halving == 0 and small:
                return np.asarray(v, dtype=np.complex128)
            slow = slow + 1 if _gap(found) > _SLOW * _gap(missing) else 0
            if slow == _PATIENCE:
                return None
            missing = found
    return None


def _gap(missing: ComplexArray) -> float:
    return float(np.linalg.norm(missing))


def _terminal(slots: Slots, v: ComplexArray) -> tuple[ComplexArray, FloatArray]:
    """Return the voltage across each slot, and the voltage that counts as 1 pu."""
    delta = slots.other >= 0
    across = v[slots.row] - np.where(delta, v[np.where(delta, slots.other, 0)], 0.0)
    return across, np.where(delta, np.sqrt(3.0), 1.0)


def _missing(
    inner: Any, feed: ComplexArray, slots: Slots, drawn: ComplexArray, v: ComplexArray
) -> ComplexArray:
    """Return the current missing at each row [pu]."""
    across, rated = _terminal(slots, v)
    size = np.abs(across) / rated
    current = np.conj((drawn[0] + drawn[1] * size + drawn[2] * size**2) / across)
    found = np.asarray(inner @ v + feed, dtype=np.complex128)
    np.add.at(found, slots.row, current)
    delta = slots.other >= 0
    np.add.at(found, slots.other[delta], -current[delta])
    return found


def _slopes(slots: Slots, drawn: ComplexArray, v: ComplexArray) -> FloatArray:
    """Return how each slot's current follows its voltage, (2, 2, slot): real, imaginary by the same."""
    across, rated = _terminal(slots, v)
    x, y, square = across.real, across.imag, np.abs(across) ** 2
    size = np.sqrt(square) / rated
    power = drawn[0] + drawn[1] * size + drawn[2] * size**2
    rise = (drawn[1] + 2 * drawn[2] * size) / (np.sqrt(square) * rated)
    by_x, by_y = rise * x, rise * y
    found = np.empty((2, 2, len(x)))
    for column, (moved, unit) in enumerate(((by_x, 1.0), (by_y, 1j))):
        # The current is conj(power / across); across changes by `unit`, its conjugate by conj(unit).
        change = np.conj(moved / across - power * unit / across**2)
        found[0, column], found[1, column] = change.real, change.imag
    return found


def _step(
    inner: Any, slots: Slots, drawn: ComplexArray, v: ComplexArray, missing: ComplexArray
) -> ComplexArray | None:
    """Return the Newton step, None where there is none."""
    from scipy.sparse import bmat, coo_array
    from scipy.sparse.linalg import splu

    count = len(v)
    slopes, delta = _slopes(slots, drawn, v), slots.other >= 0
    a, b = slots.row, slots.other[delta]
    rows = np.concatenate([a, b, b, a[delta]])
    columns = np.concatenate([a, b, a[delta], b])
    load = [
        [
            coo_array(
                (
                    np.concatenate([value, value[delta], -value[delta], -value[delta]]),
                    (rows, columns),
                ),
                (count, count),
            )
            for value in row
        ]
        for row in slopes
    ]
    jacobian = bmat(
        [
            [inner.real + load[0][0], load[0][1] - inner.imag],
            [inner.imag + load[1][0], inner.real + load[1][1]],
        ],
        format="csc",
    )
    try:
        step = splu(jacobian).solve(-np.concatenate([missing.real, missing.imag]))
    except (RuntimeError, ValueError):
        return None
    if not np.isfinite(step).all():
        return None
    return np.asarray(step[:count] + 1j * step[count:], dtype=np.complex128)


def reduced_admittance(
    matrix: tuple[list[dict[int, ComplexArray]], list[ComplexArray | None]],
    kept: list[int],
    slack: IntArray,
    tie: dict[int, ComplexArray],
) -> Any:
    """Return the admittance between places, sources last, as scipy CSR.

    Parameters
    ----------
    matrix : tuple of list
        Blocks beside the diagonal by node, and what each node loses to earth.
    kept : list of int
        Nodes whose rows are wanted.
    slack : numpy.ndarray
        Nodes of the sources.
    tie : dict
        Further admittance to earth by node.
    """
    from scipy.sparse import csr_array

    off, loss = matrix
    column = {int(k): i for i, k in enumerate([*kept, *slack])}
    rows, columns, values = [], [], []
    for i, k in enumerate(kept):
        diagonal = -sum(off[k].values(), np.zeros((3, 3), dtype=np.complex128))
        for extra in (loss[k], tie.get(k)):
            if extra is not None:
                diagonal = diagonal + extra
        for j, block in [(k, diagonal), *off[k].items()]:
            rows.append(i)
            columns.append(column[j])
            values.append(block)
    at, phase = np.array(rows, dtype=np.int64), np.arange(3)
    to = np.array(columns, dtype=np.int64)
    row = np.broadcast_to(3 * at[:, None, None] + phase[:, None], (len(at), 3, 3))
    col = np.broadcast_to(3 * to[:, None, None] + phase, (len(at), 3, 3))
    data = np.array(values, dtype=np.complex128).reshape(-1)
    shape = (3 * len(kept), 3 * len(column))
    return csr_array((data, (row.ravel(), col.ravel())), shape=shape)
