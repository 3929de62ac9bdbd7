"""Compiled relaxation of chargers that answer to voltages which they move themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.records import FloatArray, IntArray

_SWEEPS = 500
_HALVINGS = 50
_STILL_KW = 1e-7
"""Largest move of a sweep that counts as none [kW]."""


@compiled
def allowed(volt: float, size: float, least: float, rated: float, curve: Any) -> float:
    """Return the magnitude a charger may have at a voltage [kW]."""
    share = np.interp(volt, curve[0], curve[1])
    return float(max(min(size, share * rated), least))


@compiled
def own_rest(
    volt: float, slope: float, size: float, least: float, rated: float, curve: Any
) -> float:
    """Return where one charger comes to rest; `volt` is its voltage without its own power."""
    if allowed(volt + slope * size, size, least, rated, curve) >= size:
        return size
    low, high = least, size
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if allowed(volt + slope * middle, size, least, rated, curve) > middle:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@compiled
def relax(
    power: FloatArray, cars: Any, charger: IntArray, volts: FloatArray, effect: Any, curve: Any
) -> None:
    """Bring all chargers to rest on voltages that move linearly, one after the other until none moves.

    `power` (vehicle,) begins where `volts` (charger,) was measured and ends at rest. `cars` holds what is
    wanted, what is insisted on and the rated power; `effect` how a kW moves voltages, and which way.
    """
    size, least, rated = cars
    slope, sign = effect
    now = volts.copy()
    for _ in range(_SWEEPS):
        largest = 0.0
        for v in range(power.size):
            c = charger[v]
            if c < 0 or size[v] <= 0.0:
                continue
            own = sign * max(slope[c, c], 0.0)
            at_rest = own_rest(now[c] - own * power[v], own, size[v], least[v], rated[v], curve)
            move = at_rest - power[v]
            if move != 0.0:
                for other in range(now.size):
                    now[other] += sign * slope[other, c] * move
                power[v] = at_rest
                largest = max(largest, abs(move))
        if largest < _STILL_KW:
            break
