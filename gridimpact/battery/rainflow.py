"""Cycles of a series by rainflow counting, as ASTM E1049-85 section 5.4.4 describes it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]


def _reversals(series: FloatArray, out: FloatArray) -> int:
    """Write first, turning and last points of a series; return how many."""
    count = 0
    for value in series:
        if count > 0 and value == out[count - 1]:
            continue
        if count > 1 and (out[count - 1] - out[count - 2]) * (value - out[count - 1]) > 0.0:
            out[count - 1] = value
        else:
            out[count] = value
            count += 1
    return count


reversals = njit(cache=True)(_reversals)


def _count_cycles(series: FloatArray, cycles: FloatArray) -> int:
    """Write range, mean and count of every cycle into `cycles` (rows of three); return the rows.

    `cycles` needs as many rows as the series has points. Half cycles count 0.5.
    """
    points = np.empty(series.size)
    number = reversals(series, points)
    stack = np.empty(number)
    depth, rows = 0, 0
    for k in range(number):
        stack[depth] = points[k]
        depth += 1
        while depth >= 3:
            latest = abs(stack[depth - 1] - stack[depth - 2])
            before = abs(stack[depth - 2] - stack[depth - 3])
            if latest < before:
                break
            cycles[rows, 0] = before
            cycles[rows, 1] = 0.5 * (stack[depth - 2] + stack[depth - 3])
            # A range that holds the first point is half a cycle: it was never closed from below.
            cycles[rows, 2] = 0.5 if depth == 3 else 1.0
            rows += 1
            if depth == 3:
                stack[0], stack[1] = stack[1], stack[2]
                depth = 2
            else:
                stack[depth - 3] = stack[depth - 1]
                depth -= 2
    for k in range(depth - 1):
        cycles[rows, 0] = abs(stack[k + 1] - stack[k])
        cycles[rows, 1] = 0.5 * (stack[k + 1] + stack[k])
        cycles[rows, 2] = 0.5
        rows += 1
    return rows


count_cycles = njit(cache=True)(_count_cycles)


def rainflow(series: ArrayLike) -> FloatArray:
    """Return range, mean and count of the cycles in a series.

    Parameters
    ----------
    series : array_like
        (time,) states of charge, loads or any other quantity.

    Returns
    -------
    ndarray
        (cycle, 3): range and mean in the unit of the series, and 1 for a full or 0.5 for a half cycle, in
        the order of closing; what never closes follows as half cycles.

    Notes
    -----
    ASTM E1049-85 (2017), section 5.4.4. Equal neighbours are one point.

    Examples
    --------
    >>> rainflow([-2, 1, -3, 5, -1, 3, -4, 4, -2])[:, [0, 2]].tolist()
    [[3.0, 0.5], [4.0, 0.5], [4.0, 1.0], [8.0, 0.5], [9.0, 0.5], [8.0, 0.5], [6.0, 0.5]]
    """
    values = np.ascontiguousarray(series, dtype=np.float64)
    if values.ndim != 1 or not np.all(np.isfinite(values)):
        message = "rainflow counting needs one series of finite numbers"
        raise InputError(message)
    cycles = np.empty((values.size + 1, 3))
    return cycles[: count_cycles(values, cycles)].copy()
