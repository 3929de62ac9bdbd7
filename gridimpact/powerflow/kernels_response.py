"""Compiled answer of reactive power to voltage inside the iteration: a block of lanes at once, lanes innermost.

Each element solves its own curve together with the voltage drop its answer causes, so that it lands
where curve and network meet instead of overshooting; elements follow one another and see what those
before them did. A lane's bits depend on that lane alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.powerflow.kernels_response_settle import (
    ANSWER,
    BEFORE,
    CAUTION,
    EXPECTED,
    HIGH,
    LAST,
    LOW,
    MEASURED,
    MOVED,
    NEXT,
    SLOW,
    WORSE,
    YIELD,
    Response,
    lane_place,
    meet,
    on_curve,
    place,
    settle,
)

__all__ = ["Response", "respond"]

# Arrays are made here, whoever calls: said, as it is otherwise taken from the caller.
_compiled = njit(cache=True, nogil=True, error_model="numpy", _nrt=True)

_SWEEPS = 2
"""Times all elements answer within one iteration of the network."""

_SLOWLY = 0.5
"""Share of what was lacking two iterations ago at which a lane is slow: all its elements are then solved at once."""

_MANY = 256
"""Elements beyond which that is not tried, as its cost grows with their cube."""

_PATIENCE = 3
"""Times in a row that answers may come off worse before a lane goes on with more caution."""

_CAUTION = 4.0
"""Largest factor on the voltage drops expected, for lanes in which the network gives way more than that."""


@_compiled
def respond(
    lane0: int, batch: Any, response: Response, v: Any, q: Any, s: Any, active: Any, step: Any
) -> None:
    """Bring reactive power nearer to its curves at the voltages ``v`` in all active lanes of a block.

    ``q`` holds `Response.memory` rows, zero before the first call; the change goes to constant
    reactive power in ``s``. ``step`` is raised to the square of what the answers still lack [pu].
    """
    count, width = response.column.shape[0], response.width
    if count == 0:
        return
    # Caution is never 0 once the limits of this block stand.
    if q[lane_place(response, CAUTION)] == 0:
        _limits(lane0, batch, response, q)
    _measure(response, v, q)
    lack = np.zeros(width)
    _lack(response, q, lack)
    moving = _judge(response, q, lack, active, step)
    if not moving:
        return
    for _ in range(_SWEEPS):
        for e in range(count):
            meet(e, 0, width, response, q)
    slow = lane_place(response, SLOW)
    for j in range(width):
        if q[slow + j] > 0 and lack[j] > 0 and active[j] > 0 and count <= _MANY:
            settle(j, response, q)
    for e in range(count):
        _take(e, response, lack, active, q, s)


@_compiled
def _limits(lane0: int, batch: Any, response: Response, q: Any) -> None:
    """Write between what limits each answer lies, and begin without caution."""
    width, caution = response.width, lane_place(response, CAUTION)
    lanes = min(width, batch.p.shape[0] - lane0)
    for j in range(width):
        q[caution + j] = 1.0
        q[lane_place(response, LAST) + j] = np.inf
        q[lane_place(response, BEFORE) + j] = np.inf
    for e in range(response.column.shape[0]):
        low, high = place(response, LOW, e), place(response, HIGH, e)
        s_max, column = response.s_max[e], response.column[e]
        supplied = response.share[e].sum() > 0
        for j in range(lanes if supplied else 0):
            p, given = batch.p[lane0 + j, column], batch.q[lane0 + j, column]
            room = np.sqrt(max(0.0, s_max * s_max - p * p))
            q[low + j], q[high + j] = -room - given, room - given


@_compiled
def _measure(response: Response, v: Any, q: Any) -> None:
    """Write voltages measured and last answers into the working memory."""
    width = response.width
    for e in range(response.column.shape[0]):
        m, old = place(response, MEASURED, e), place(response, ANSWER, e)
        new, moved = place(response, NEXT, e), place(response, MOVED, e)
        least = 0.0 if response.share[e].sum() > 0 else 1.0
        for j in range(width):
            q[m + j], q[new + j], q[moved + j] = least, q[old + j], 0.0
        for k in range(3):
            if response.share[e, k] > 0:
                _add_voltage(response, e, k, v, q[m : m + width])


@_compiled
def _add_voltage(response: Response, e: int, k: int, v: Any, measured: Any) -> None:
    """Add one weighted voltage to what an element measures."""
    width, row, other = response.width, response.row[e, k], response.other[e, k]
    re, im = v[2 * width * row :], v[2 * width * row + width :]
    if other < 0:
        weight = response.share[e, k]
        for j in range(width):
            measured[j] += weight * np.sqrt(re[j] * re[j] + im[j] * im[j])
        return
    weight = response.share[e, k] / np.sqrt(3.0)
    less_re, less_im = v[2 * width * other :], v[2 * width * other + width :]
    for j in range(width):
        a, b = re[j] - less_re[j], im[j] - less_im[j]
        measured[j] += weight * np.sqrt(a * a + b * b)


@_compiled
def _lack(response: Response, q: Any, lack: Any) -> None:
    """Raise ``lack`` to the largest gap between answers and curves of each lane [pu]."""
    width = response.width
    x = q[lane_place(response, YIELD) : lane_place(response, YIELD) + width]
    wanted = q[lane_place(response, EXPECTED) : lane_place(response, EXPECTED) + width]
    for j in range(width):
        x[j] = 0.0
    for e in range(response.column.shape[0]):
        m, old = place(response, MEASURED, e), place(response, ANSWER, e)
        low, high = place(response, LOW, e), place(response, HIGH, e)
        on_curve(response, e, q[m : m + width], x, wanted)
        # A steep curve turns the last digit of a voltage into more than the last digit of power.
        scale = response.scale / (1.0 + 1e-3 * response.steep[e])
        for j in range(width):
            gap = abs(min(max(wanted[j], q[low + j]), q[high + j]) - q[old + j]) * scale
            # Written so that a NaN is kept as the largest gap.
            lack[j] = lack[j] if gap <= lack[j] else gap


@_compiled
def _judge(response: Response, q: Any, lack: Any, active: Any, step: Any) -> bool:
    """Raise ``step``, mark slow lanes and those that need caution; return whether anything lacks."""
    caution, last = lane_place(response, CAUTION), lane_place(response, LAST)
    before, slow = lane_place(response, BEFORE), lane_place(response, SLOW)
    worse, moving = lane_place(response, WORSE), False
    for j in range(response.width):
        if not active[j] > 0:
            continue
        gap = lack[j]
        # A lane that was slow once stays with the costlier steps.
        q[slow + j] = 1.0 if gap > _SLOWLY * q[before + j] else q[slow + j]
        q[worse + j] = q[worse + j] + 1.0 if gap > q[last + j] else 0.0
        factor = 2.0 if q[worse + j] >= _PATIENCE else 0.5
        q[caution + j] = min(max(1.0, factor * q[caution + j]), _CAUTION)
        q[before + j], q[last + j] = q[last + j], gap
        step[j] = step[j] if gap * gap <= step[j] else gap * gap
        moving = moving or gap > 0.0
    return moving


@_compiled
def _take(e: int, response: Response, lack: Any, active: Any, q: Any, s: Any) -> None:
    """Take over an element's next answer in active lanes that lack something."""
    width, old, new = response.width, place(response, ANSWER, e), place(response, NEXT, e)
    change = np.zeros(width)
    for j in range(width):
        if active[j] > 0 and lack[j] > 0:
            change[j] = (q[new + j] - q[old + j]) * response.scale
            q[old + j] = q[new + j]
    for k in range(3):
        if response.slot[e, k] >= 0:
            at = (response.parts * response.slot[e, k] + response.parts // 2) * width
            share = response.share[e, k]
            for j in range(width):
                s[at + j] += change[j] * share
