"""Oil and hot-spot temperatures after Annex G of IEEE C57.91: bottom oil, duct oil and viscosity.

It asks for a test report per transformer, which distribution units seldom have; published field
measurements found it too warm for 25 kVA units, so it is not the default anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.annex_g_plate import AnnexGPlate
from gridimpact.ageing.inputs import (
    STARTS,
    checked_loading,
    settled,
)
from gridimpact.ageing.insulation import ageing_rates
from gridimpact.ageing.kernels_annex_g import (
    BOTTOM,
    DUCT,
    HOT_SPOT,
    MEAN_OIL,
    TOP,
    WINDING,
    run_annex_g,
    settle,
)
from gridimpact.errors import InputError
from gridimpact.records import FloatArray

SUBSTEP_MIN = 0.5
"""Longest substep [min]: a tenth of the usual winding time constant, as the annex asks."""


@dataclass(frozen=True)
class AnnexGState:
    """Temperatures between two steps, (6, scenario): see the properties."""

    temperatures_c: FloatArray

    def _row(self, number: int) -> FloatArray:
        return np.asarray(self.temperatures_c[number], dtype=np.float64)

    @property
    def winding_c(self) -> FloatArray:
        """Average winding [degC]."""
        return self._row(WINDING)

    @property
    def hot_spot_c(self) -> FloatArray:
        """Hot spot [degC]."""
        return self._row(HOT_SPOT)

    @property
    def mean_oil_c(self) -> FloatArray:
        """Average oil in the tank [degC]."""
        return self._row(MEAN_OIL)

    @property
    def top_oil_c(self) -> FloatArray:
        """Oil at the top of the tank [degC]."""
        return self._row(TOP)

    @property
    def bottom_oil_c(self) -> FloatArray:
        """Oil at the bottom of the tank [degC]."""
        return self._row(BOTTOM)

    @property
    def duct_oil_c(self) -> FloatArray:
        """Oil at the top of the cooling ducts [degC]."""
        return self._row(DUCT)


@dataclass(frozen=True)
class AnnexGSeries:
    """Temperatures and ageing at the end of each step, arrays (scenario, time, 1)."""

    top_oil_c: FloatArray
    hot_spot_c: FloatArray
    ageing_rate: FloatArray
    """By the plate's paper."""
    initial: AnnexGState
    final: AnnexGState


def annex_g_steady_state(
    loading_pu: ArrayLike, ambient_c: float, plate: AnnexGPlate
) -> AnnexGState:
    """Return the state a constant loading settles at.

    Parameters
    ----------
    loading_pu : array_like
        (scenario,) load over `rated_kva` [pu].
    ambient_c : float
        Outdoor air [degC].
    plate : AnnexGPlate
        Test report.

    Returns
    -------
    AnnexGState
        At rated load and ambient the hot spot and oil of the test report, to what the difference
        between guaranteed and tested winding rise leaves open.
    """
    loads = np.atleast_1d(np.asarray(loading_pu, dtype=np.float64))
    air = float(ambient_c) + plate.enclosure_rise
    found = [settle(float(load), air, plate.rated) for load in loads]
    return AnnexGState(np.stack(found, axis=1))


def annex_g_cold_state(scenarios: int, ambient_c: float, plate: AnnexGPlate) -> AnnexGState:
    """Return a transformer as cold as the air around it, as after a long outage."""
    return AnnexGState(np.full((6, scenarios), float(ambient_c) + plate.enclosure_rise))


def annex_g_series(
    loading_pu: ArrayLike,
    ambient_c: ArrayLike,
    plate: AnnexGPlate,
    dt_h: float,
    *,
    start: str | AnnexGState = "steady",
    substep_min: float = SUBSTEP_MIN,
) -> AnnexGSeries:
    """Return temperatures and ageing of one transformer over a whole series.

    Parameters
    ----------
    loading_pu : array_like
        (scenario, time, 1) load over `rated_kva` [pu], no NaN: see `bridge_failed`.
    ambient_c : array_like
        (time,) or (time, 1) outdoor air [degC]; the enclosure's rise is added here.
    plate : AnnexGPlate
        Test report.
    dt_h : float
        Step [h].
    start : str or AnnexGState
        ``"steady"`` at the first step's loading, ``"cold"`` as the air, ``"periodic"`` where the
        series repeats itself, or a given state.
    substep_min : float
        Longest step of the difference equations [min].

    Returns
    -------
    AnnexGSeries
        Values at the end of each step.

    Raises
    ------
    InputError
        If shapes do not fit, a value is NaN, infinite or negative, the start is unknown, or the
        substep is not shorter than half the winding's time constant.

    Notes
    -----
    IEEE C57.91-2011, Annex G. Loads and air are constant within a step. Winding resistance and
    liquid viscosity follow the temperature, so a load picked up in the cold starts hotter.
    """
    loading, ambient = checked_loading(loading_pu, ambient_c, plate, dt_h)
    if not 0.0 < substep_min <= 0.5 * plate.tau_winding_min:
        message = (
            f"substep_min is {substep_min} min, must be above 0 and at most half the winding's time "
            f"constant of {plate.tau_winding_min} min"
        )
        raise InputError(message)
    substeps = max(math.ceil(60.0 * dt_h / substep_min - 1e-9), 1)
    initial = _start_state(start, loading, float(ambient[0, 0]), plate)
    if isinstance(start, str) and start == "periodic":
        initial = settled(
            initial,
            lambda state: _run(state, loading, ambient, plate, dt_h, substeps)[1],
            lambda one, other: np.abs(one.temperatures_c - other.temperatures_c),
        )
    out, final = _run(initial, loading, ambient, plate, dt_h, substeps)
    rate = ageing_rates(out[1], plate.insulation)
    return AnnexGSeries(out[0], out[1], rate, initial, final)


def annex_g_step(
    state: AnnexGState,
    loading_pu: ArrayLike,
    ambient_c: float,
    plate: AnnexGPlate,
    dt_h: float,
    *,
    substep_min: float = SUBSTEP_MIN,
) -> AnnexGState:
    """Return the state one step later; the same recursion as `annex_g_series`.

    Parameters
    ----------
    state : AnnexGState
        State at the begin of the step.
    loading_pu : array_like
        (scenario, 1) load over `rated_kva` in this step [pu].
    ambient_c : float
        Outdoor air in this step [degC].
    plate : AnnexGPlate
        Test report.
    dt_h : float
        Step [h].
    substep_min : float
        Longest step of the differential equations [min].
    """
    one = np.asarray(loading_pu, dtype=np.float64)[:, None, :]
    series = annex_g_series(
        one, np.array([ambient_c]), plate, dt_h, start=state, substep_min=substep_min
    )
    return series.final


def _start_state(
    start: str | AnnexGState, loading: FloatArray, air: float, plate: AnnexGPlate
) -> AnnexGState:
    """Return the state before the first step."""
    count, outdoor = loading.shape[0], air - plate.enclosure_rise
    if isinstance(start, AnnexGState):
        if start.temperatures_c.shape != (6, count):
            message = (
                f"thermal state has shape {start.temperatures_c.shape}, (6, {count}) is needed"
            )
            raise InputError(message)
        return start
    if start == "cold":
        return annex_g_cold_state(count, outdoor, plate)
    if start in STARTS:
        return annex_g_steady_state(loading[:, 0, 0], outdoor, plate)
    message = f"start {start!r} is unknown; use one of {', '.join(STARTS)} or an AnnexGState"
    raise InputError(message)


def _run(
    initial: AnnexGState,
    loading: FloatArray,
    ambient: FloatArray,
    plate: AnnexGPlate,
    dt_h: float,
    substeps: int,
) -> tuple[FloatArray, AnnexGState]:
    """Run the recursion and return (2, scenario, time, 1) and the final state."""
    state = np.array(initial.temperatures_c, dtype=np.float64)
    one = np.ascontiguousarray(loading[:, :, 0])
    out = np.empty((2, *one.shape))
    run_annex_g(one, np.ascontiguousarray(ambient[:, 0]), plate.rated, state, dt_h, substeps, out)
    return out[..., None], AnnexGState(state)
