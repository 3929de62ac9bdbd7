"""Compiled answer of reactive power to voltage inside the iteration: a block of lanes at once, lanes innermost.

Each element solves its own curve together with the voltage drop its answer causes, so that it lands
where curve and network meet instead of overshooting; elements follow one another and see what those
before them did. A lane's bits depend on that lane alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.powerflow.kernels_response_settle import Response, meet, on_curve, settle

__all__ = ["Response", "respond"]

_compiled = njit(cache=True, nogil=True, error_model="numpy")

_SWEEPS = 2
"""Times all elements answer within one iteration of the network."""

_SLOW = 0.5
"""Share of what was lacking at which a lane is slow, so that all its elements are solved at once."""

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
    _measure(lane0, batch, response, v, q)
    slow = np.zeros(width)
    _lack(response, q, active, step, slow)
    for _ in range(_SWEEPS):
        for e in range(count):
            meet(e, 0, width, response, q)
    for j in range(width):
        if slow[j] > 0 and count <= _MANY:
            settle(j, response, q)
    for e in range(count):
        for j in range(width):
            old, new = e * width + j, (2 * count + e) * width + j
            change = (q[new] - q[old]) * response.scale if active[j] > 0 else 0.0
            q[old] = q[new] if active[j] > 0 else q[old]
            for k in range(3):
                if response.slot[e, k] >= 0:
                    at = response.parts * response.slot[e, k] + response.parts // 2
                    s[at * width + j] += change * response.share[e, k]


@_compiled
def _measure(lane0: int, batch: Any, response: Response, v: Any, q: Any) -> None:
    """Write voltages measured, last answers and their limits into the working memory."""
    count, width = response.column.shape[0], response.width
    lanes = min(width, batch.p.shape[0] - lane0)
    for e in range(count):
        m, new = (count + e) * width, (2 * count + e) * width
        low, high = (3 * count + e) * width, (4 * count + e) * width
        supplied = response.share[e].sum() > 0
        for j in range(width):
            q[m + j] = 0.0 if supplied else 1.0
            q[new + j], q[low + j], q[high + j] = q[e * width + j], 0.0, 0.0
        for k in range(3):
            if response.share[e, k] > 0:
                _add_voltage(response, e, k, v, q[m : m + width])
        s_max, column = response.s_max[e], response.column[e]
        for j in range(lanes if supplied else 0):
            p, given = batch.p[lane0 + j, column], batch.q[lane0 + j, column]
            room = np.sqrt(max(0.0, s_max * s_max - p * p))
            q[low + j], q[high + j] = -room - given, room - given


@_compiled
def _add_voltage(response: Response, e: int, k: int, v: Any, measured: Any) -> None:
    """Add one weighted voltage to what an element measures."""
    width, row, other = response.width, response.row[e, k], response.other[e, k]
    weight = response.share[e, k] if other < 0 else response.share[e, k] / np.sqrt(3.0)
    for j in range(width):
        re, im = v[2 * width * row + j], v[2 * width * row + width + j]
        if other >= 0:
            re -= v[2 * width * other + j]
            im -= v[2 * width * other + width + j]
        measured[j] += weight * np.sqrt(re * re + im * im)


@_compiled
def _lack(response: Response, q: Any, active: Any, step: Any, slow: Any) -> None:
    """Raise ``step`` to what the answers lack, and mark lanes in which that hardly falls."""
    count, width = response.column.shape[0], response.width
    caution, last = 5 * count * width, (5 * count + 1) * width
    steps, worse = (5 * count + 3) * width, (5 * count + 4) * width
    for j in range(width):
        worst = 0.0
        for e in range(count):
            wanted = on_curve(response, e, 0.0, q[(count + e) * width + j])
            wanted = min(
                max(wanted, q[(3 * count + e) * width + j]), q[(4 * count + e) * width + j]
            )
            # A steep curve turns the last digit of a voltage into more than the last digit of power.
            lack = abs(wanted - q[e * width + j]) * response.scale
            lack /= 1.0 + 1e-3 * response.steep[e]
            worst = worst if lack <= worst else lack
        if active[j] > 0:
            begun = q[caution + j] > 0.0
            # A lane that was slow once stays with the costlier steps.
            if begun and worst > _SLOW * q[last + j]:
                q[steps + j] = 1.0
            slow[j] = q[steps + j]
            q[worse + j] = q[worse + j] + 1.0 if begun and worst > q[last + j] else 0.0
            factor = 2.0 if q[worse + j] >= _PATIENCE else 0.5
            q[caution + j] = min(max(1.0, factor * q[caution + j]), _CAUTION)
            q[last + j] = worst
            # Written so that a NaN is kept as the largest change.
            step[j] = step[j] if worst * worst <= step[j] else worst * worst
