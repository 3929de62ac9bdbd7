"""Compiled recursion of Annex G of IEEE C57.91: winding, hot spot, duct and tank oil in short substeps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gridimpact.records import FloatArray

WINDING, HOT_SPOT, MEAN_OIL, TOP, BOTTOM, DUCT = range(6)
"""Rows of a state."""


@njit(cache=True, nogil=True)
def _cooled(hot: float, oil: float, rated: float, rated_oil: float, p: Any) -> float:
    """Return the heat a winding gives to the oil over that at rating [1]."""
    rise = max((hot - oil) / (rated - rated_oil), 0.0)
    if p.directed > 0.5:
        return float(rise)
    middle, middle_rated = 0.5 * (hot + oil) + 273.0, 0.5 * (rated + rated_oil) + 273.0
    thinner = math.exp(0.25 * p.viscosity_g * (1.0 / middle_rated - 1.0 / middle))
    return float(rise * math.sqrt(math.sqrt(rise)) * thinner)


@njit(cache=True, nogil=True)
def _duct_rise(winding: float, bottom: float, guess: float, p: Any) -> tuple[float, float]:
    """Return the oil's rise in the ducts and the heat that drives it, over that at rating.

    Both follow from each other. Taking the rise of the step before, as the annex prints it, swings from
    step to step at light load; two Newton steps from there find where they agree.
    """
    scale, rated_mean = p.duct - p.bottom, 0.5 * (p.duct + p.bottom)
    power = 1.0 if p.directed > 0.5 else 1.25
    rise = max(guess, 0.0)
    given = 0.0
    for _ in range(2):
        oil = bottom + 0.5 * rise
        given = _cooled(winding, oil, p.winding, rated_mean, p)
        flow = scale * given**p.x
        above = winding - oil
        slope = 0.5 * p.x * power * flow / above if above > 1e-9 else 0.0
        rise = max(rise + (flow - rise) / (1.0 + slope), 0.0)
    return rise, given


@njit(cache=True, nogil=True)
def substep(w: FloatArray, load: float, air: float, dt: float, p: Any) -> None:
    """Move the temperatures `w`, rows as above, by `dt` minutes; `p` is a `RatedPoint`."""
    square, rated_loss = load * load, p.copper_w + p.eddy_w
    warm = (w[0] + p.zero) / (p.winding_rated + p.zero)
    rise_in_duct, given = _duct_rise(w[0], w[4], w[5] - w[4], p)
    w[5] = w[4] + rise_in_duct
    beside = w[4] + p.height * rise_in_duct
    if w[5] + 0.1 < w[3]:
        beside = w[3]
    lost = square * (warm * p.copper_w + p.eddy_w / warm)
    w[0] += (lost - given * rated_loss) * dt / p.winding_heat
    hot_warm = (w[1] + p.zero) / (p.hot_spot + p.zero)
    hot_lost = square * (hot_warm * p.hot_copper_w + p.hot_eddy_w / hot_warm)
    taken = _cooled(w[1], beside, p.hot_spot, p.beside, p) * (p.hot_copper_w + p.hot_eddy_w)
    w[1] = max(w[1] + (hot_lost - taken) * dt / p.winding_heat, w[0], beside)
    total, mean_rated = rated_loss + p.stray_w + p.core_w, 0.5 * (p.top + p.bottom)
    shed = max((w[2] - air) / (mean_rated - p.air), 0.0) ** (1.0 / p.y)
    heat = given * rated_loss + p.core_w + square * p.stray_w / warm - shed * total
    w[2] += heat * dt / p.tank_heat
    apart = 0.5 * (p.top - p.bottom) * shed**p.z
    w[3], w[4] = w[2] + apart, max(w[2] - apart, air)


@njit(cache=True, nogil=True)
def run_annex_g(
    loading: FloatArray,
    ambient: FloatArray,
    p: Any,
    state: FloatArray,
    dt_h: float,
    substeps: int,
    out: FloatArray,
) -> None:
    """Walk (scenario, time) of one transformer and fill `out` with top oil and hot spot.

    `state` is (6, scenario) and is moved to the end; `ambient` is (time,), `out` (2, scenario, time).
    """
    w = np.empty(6)
    dt = 60.0 * dt_h / substeps
    for s in range(loading.shape[0]):
        for k in range(6):
            w[k] = state[k, s]
        for t in range(loading.shape[1]):
            for _ in range(substeps):
                substep(w, loading[s, t], ambient[t], dt, p)
            out[0, s, t] = w[3]
            out[1, s, t] = w[1]
        for k in range(6):
            state[k, s] = w[k]


@njit(cache=True, nogil=True)
def settle(load: float, air: float, p: Any) -> FloatArray:
    """Return the temperatures a constant load settles at."""
    w = np.array([p.winding, p.hot_spot, 0.5 * (p.top + p.bottom), p.top, p.bottom, p.duct])
    w += air - p.air
    total = p.copper_w + p.eddy_w + p.stray_w + p.core_w
    rated_loss = p.copper_w + p.eddy_w
    square = load * load
    for _ in range(400):
        before = w[0] + w[1] + w[2]
        warm = (w[0] + p.zero) / (p.winding_rated + p.zero)
        lost = square * (warm * p.copper_w + p.eddy_w / warm)
        shed = (lost + p.core_w + square * p.stray_w / warm) / total
        w[2] = air + (0.5 * (p.top + p.bottom) - p.air) * shed**p.y
        apart = 0.5 * (p.top - p.bottom) * shed**p.z
        w[3], w[4] = w[2] + apart, max(w[2] - apart, air)
        rise_in_duct = (p.duct - p.bottom) * (lost / rated_loss) ** p.x
        w[5] = w[4] + rise_in_duct
        beside = w[4] + p.height * rise_in_duct
        if w[5] + 0.1 < w[3]:
            beside = w[3]
        w[0] = _balanced(lost / rated_loss, w[0], 0.5 * (w[5] + w[4]), p.winding, p)
        hot_warm = (w[1] + p.zero) / (p.hot_spot + p.zero)
        hot = square * (hot_warm * p.hot_copper_w + p.hot_eddy_w / hot_warm)
        share = hot / (p.hot_copper_w + p.hot_eddy_w)
        w[1] = max(_beside(share, w[1], beside, p), w[0], beside)
        if abs(w[0] + w[1] + w[2] - before) < 1e-10:
            break
    return w


@njit(cache=True, nogil=True)
def _balanced(share: float, hot: float, oil: float, rated: float, p: Any) -> float:
    """Return the winding temperature that gives `share` of the rated heat to the oil."""
    return float(oil + _rise(share, hot, oil, rated, 0.5 * (p.duct + p.bottom), p))


@njit(cache=True, nogil=True)
def _beside(share: float, hot: float, oil: float, p: Any) -> float:
    """Return the hot spot that gives `share` of its rated heat to the oil beside it."""
    return float(oil + _rise(share, hot, oil, p.hot_spot, p.beside, p))


@njit(cache=True, nogil=True)
def _rise(share: float, hot: float, oil: float, rated: float, rated_oil: float, p: Any) -> float:
    """Return the rise over oil that sheds `share`, with the viscosity at the present temperatures."""
    if p.directed > 0.5:
        return float(share * (rated - rated_oil))
    middle, middle_rated = 0.5 * (hot + oil) + 273.0, 0.5 * (rated + rated_oil) + 273.0
    thinner = math.exp(0.25 * p.viscosity_g * (1.0 / middle_rated - 1.0 / middle))
    return float((share / thinner) ** 0.8 * (rated - rated_oil))
