"""Compiled recursion of IEC 60076-7: three exponential states, exact at any step."""

from __future__ import annotations

import numpy as np
from numba import njit

from gridimpact.records import FloatArray


@njit(cache=True, nogil=True)
def run_iec(
    loading: FloatArray,
    ambient: FloatArray,
    plates: FloatArray,
    state: FloatArray,
    dt_h: float,
    out: FloatArray,
) -> None:
    """Walk (scenario, time, transformer) and fill `out` with top oil and hot spot.

    `plates` holds rated top-oil rise, rated gradient, x, y, both time constants [h], loss ratio, k11,
    k21 and k22; `state` is (3, scenario, transformer): top oil and both parts of the gradient, moved
    to the end of the series. `ambient` is (time, transformer), `out` (2, scenario, time, transformer).
    """
    scenarios, steps, transformers = loading.shape
    for e in range(transformers):
        rise, gradient = plates[e, 0], plates[e, 1]
        x, y, ratio, k21 = plates[e, 2], plates[e, 3], plates[e, 6], plates[e, 8]
        oil_left = np.exp(-dt_h / (plates[e, 7] * plates[e, 4]))
        fast_left = np.exp(-dt_h / (plates[e, 9] * plates[e, 5]))
        slow_left = np.exp(-dt_h * plates[e, 9] / plates[e, 4])
        for s in range(scenarios):
            oil, fast, slow = state[0, s, e], state[1, s, e], state[2, s, e]
            for t in range(steps):
                k = loading[s, t, e]
                end = ambient[t, e] + rise * ((1.0 + ratio * k * k) / (1.0 + ratio)) ** x
                oil = end + (oil - end) * oil_left
                over = gradient * k**y
                fast = k21 * over + (fast - k21 * over) * fast_left
                slow = (k21 - 1.0) * over + (slow - (k21 - 1.0) * over) * slow_left
                out[0, s, t, e] = oil
                out[1, s, t, e] = oil + fast - slow
            state[0, s, e], state[1, s, e], state[2, s, e] = oil, fast, slow
