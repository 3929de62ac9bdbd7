"""Compiled recursion of the thermal model; plain functions above, loops below.

The plain functions also work on numpy arrays where they hold no branch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridimpact.records import FloatArray

NEAR = 1.0e-6
"""Relative distance below which the difference quotient is replaced by its limit."""


def ultimate_top_oil_rise(loading: Any, rise_rated: Any, ratio: Any, exponent_n: Any) -> Any:
    """Return the top-oil rise a constant loading settles at [K]; numbers or arrays."""
    return rise_rated * ((loading * loading * ratio + 1.0) / (ratio + 1.0)) ** exponent_n


def corrected_time_constant(tau_rated: float, u: float, v: float, exponent_n: float) -> float:
    """Return the time constant between two rises given relative to the rated rise."""
    if exponent_n == 1.0:
        return tau_rated
    low, high = min(u, v), max(u, v)
    low = max(low, 0.0)
    if high <= 0.0:
        return tau_rated
    if high - low <= NEAR * high:
        middle = 0.5 * (low + high)
        limit: float = tau_rated * exponent_n * middle ** ((exponent_n - 1.0) / exponent_n)
        return limit
    power = 1.0 / exponent_n
    tau: float = tau_rated * (high - low) / (high**power - low**power)
    return tau


_ultimate = njit(ultimate_top_oil_rise, cache=True, nogil=True)
_tau = njit(corrected_time_constant, cache=True, nogil=True)


@njit(cache=True, nogil=True)
def advance(
    rise: float,
    gradient: float,
    loading: float,
    plate: FloatArray,
    dt_h: float,
    corrected: bool,
) -> tuple[float, float]:
    """Return top-oil rise and hot-spot gradient one step later.

    `plate` holds rated top-oil rise, rated gradient, n, m, both time constants [h] and loss ratio.
    """
    rise_rated, gradient_rated = plate[0], plate[1]
    exponent_n, exponent_m = plate[2], plate[3]
    ultimate = _ultimate(loading, rise_rated, plate[6], exponent_n)
    tau = plate[4]
    if corrected:
        tau = _tau(tau, ultimate / rise_rated, rise / rise_rated, exponent_n)
    rise = ultimate + (rise - ultimate) * np.exp(-dt_h / tau)
    target = gradient_rated * loading ** (2.0 * exponent_m)
    gradient = target + (gradient - target) * np.exp(-dt_h / plate[5])
    return rise, gradient


@njit(cache=True, nogil=True)
def run_series(
    loading: FloatArray,
    ambient: FloatArray,
    plates: FloatArray,
    state: FloatArray,
    dt_h: float,
    corrected: bool,
    lagged: bool,
    out: FloatArray,
) -> None:
    """Walk (scenario, time, transformer) and fill `out` with top oil and hot spot.

    `state` is (3, scenario, transformer): rise, gradient and the ambient they stand on; it is
    moved to the end of the series. `ambient` is (time, transformer), `out` is
    (2, scenario, time, transformer).
    """
    scenarios, steps, transformers = loading.shape
    for s in range(scenarios):
        for e in range(transformers):
            rise, gradient, before = state[0, s, e], state[1, s, e], state[2, s, e]
            for t in range(steps):
                air = ambient[t, e]
                if lagged:
                    rise += before - air
                before = air
                rise, gradient = advance(
                    rise, gradient, loading[s, t, e], plates[e], dt_h, corrected
                )
                out[0, s, t, e] = air + rise
                out[1, s, t, e] = air + rise + gradient
            state[0, s, e], state[1, s, e], state[2, s, e] = rise, gradient, before
