"""Top-oil and hot-spot temperature after IEEE C57.91 Clause 7, as a whole series and as one step.

Both forms share one recursion, so stepping through a series gives the same numbers bit by bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.inputs import (
    STARTS,
    checked_loading,
    oil_and_hot_spot_apart_k,
    settled,
)
from gridimpact.ageing.insulation import ageing_rates
from gridimpact.ageing.kernels import corrected_time_constant, run_series
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.thermal_state import (
    EDITION_2011,
    Clause7,
    ThermalSeries,
    ThermalState,
    cold_state,
    steady_state,
)
from gridimpact.errors import InputError
from gridimpact.records import FloatArray


def oil_time_constant_between(
    tau_rated: float, start_over_rated: float, ultimate_over_rated: float, exponent_n: float
) -> float:
    """Return the oil's time constant between two rises, in the unit of `tau_rated`.

    Parameters
    ----------
    tau_rated : float
        Time constant at rated load.
    start_over_rated, ultimate_over_rated : float
        Rise at the start and rise it settles at, over the rated rise [1].
    exponent_n : float
        Exponent of the top-oil rise.

    Notes
    -----
    ``tau (u - v) / (u**(1/n) - v**(1/n))`` (C57.91-2011, equation 16); its limit
    ``tau n v**((n-1)/n)`` where both meet, `tau_rated` where n is 1 or both are zero.

    Examples
    --------
    >>> round(oil_time_constant_between(171.302, 25.6 / 41.6, 20.2302 / 41.6, 0.9), 2)
    164.77
    """
    return corrected_time_constant(tau_rated, ultimate_over_rated, start_over_rated, exponent_n)


def thermal_series(
    loading_pu: FloatArray,
    ambient_c: FloatArray,
    plate: Nameplate,
    dt_h: float,
    *,
    start: str | ThermalState = "steady",
    model: Clause7 = EDITION_2011,
) -> ThermalSeries:
    """Return temperatures and ageing over a whole series.

    Parameters
    ----------
    loading_pu : numpy.ndarray
        (scenario, time, transformer) current over rated current [pu], no NaN: see `bridge_failed`.
    ambient_c : numpy.ndarray
        (time,) or (time, transformer) outdoor air [degC]; the enclosure's rise is added here.
    plate : Nameplate
        Thermal data.
    dt_h : float
        Step [h].
    start : str or ThermalState
        ``"steady"`` at the first step's loading, ``"cold"`` as the air, ``"periodic"`` where the
        series repeats itself, or a given state.
    model : Clause7
        Open choices of the clause.

    Returns
    -------
    ThermalSeries
        Values at the end of each step.

    Raises
    ------
    InputError
        If shapes do not fit, a value is NaN, infinite or a loading is negative, or the start is unknown.

    Notes
    -----
    IEEE C57.91-2011, Clause 7. Each step is solved exactly by exponentials and stable at any length;
    what longer steps cost is in ``docs/step_size.md``. Validity:
    mineral-oil ONAN units, balanced load, constant tap, no moisture, harmonics or cold-oil viscosity.

    Examples
    --------
    >>> plate = Nameplate.preset("ieee_65c")
    >>> series = thermal_series(np.ones((1, 96, 1)), np.full(96, 30.0), plate, 0.25)
    >>> float(series.hot_spot_c[0, -1, 0].round(9)), float(series.ageing_rate[0, -1, 0].round(9))
    (110.0, 1.0)
    """
    loading, ambient = checked_loading(loading_pu, ambient_c, plate, dt_h)
    initial = _start_state(start, loading, ambient, plate)
    if isinstance(start, str) and start == "periodic":
        initial = settled(
            initial,
            lambda state: _run(state, loading, ambient, plate, dt_h, model)[1],
            oil_and_hot_spot_apart_k,
        )
    out, final = _run(initial, loading, ambient, plate, dt_h, model)
    rate = ageing_rates(out[1], plate.insulation)
    return ThermalSeries(out[0], out[1], rate, initial, final)


def thermal_step(
    state: ThermalState,
    loading_pu: FloatArray,
    ambient_c: ArrayLike,
    plate: Nameplate,
    dt_h: float,
    *,
    model: Clause7 = EDITION_2011,
) -> ThermalState:
    """Return the state one step later; the same recursion as `thermal_series`.

    Parameters
    ----------
    state : ThermalState
        State at the begin of the step.
    loading_pu : numpy.ndarray
        (scenario, transformer) current over rated current in this step [pu].
    ambient_c : array_like
        Outdoor air in this step, a number or (transformer,) [degC].
    plate : Nameplate
        Thermal data.
    dt_h : float
        Step [h].
    model : Clause7
        Open choices of the clause.

    Examples
    --------
    >>> plate = Nameplate.preset("ieee_65c")
    >>> state = cold_state(1, 20.0, plate)
    >>> thermal_step(state, np.ones((1, 1)), 20.0, plate, 100.0).hot_spot_c.round(6)
    array([[100.]])
    """
    one = np.asarray(loading_pu, dtype=np.float64)[:, None, :]
    air = np.broadcast_to(np.asarray(ambient_c, dtype=np.float64), (1, one.shape[2]))
    loading, ambient = checked_loading(one, air, plate, dt_h)
    _check_state(state, loading)
    return _run(state, loading, ambient, plate, dt_h, model)[1]


def _check_state(state: ThermalState, loading: FloatArray) -> None:
    """Refuse a state whose shape does not fit the loading."""
    shape = (loading.shape[0], loading.shape[2])
    if state.top_oil_rise_k.shape != shape or state.gradient_k.shape != shape:
        message = (
            f"thermal state has shape {state.top_oil_rise_k.shape}, (scenario, transformer) = {shape} "
            "is needed"
        )
        raise InputError(message)


def _start_state(
    start: str | ThermalState, loading: FloatArray, ambient: FloatArray, plate: Nameplate
) -> ThermalState:
    """Return the state before the first step."""
    if isinstance(start, ThermalState):
        _check_state(start, loading)
        return start
    outdoor = ambient[0] - plate.enclosure_rise_k
    if start == "cold":
        return cold_state(loading.shape[0], outdoor, plate)
    if start in STARTS:
        return steady_state(loading[:, 0, :], outdoor, plate)
    message = f"start {start!r} is unknown; use one of {', '.join(STARTS)} or a ThermalState"
    raise InputError(message)


def _run(
    initial: ThermalState,
    loading: FloatArray,
    ambient: FloatArray,
    plate: Nameplate,
    dt_h: float,
    model: Clause7,
) -> tuple[FloatArray, ThermalState]:
    """Run the recursion and return (2, scenario, time, transformer) and the final state."""
    shape = initial.top_oil_rise_k.shape
    air = np.broadcast_to(initial.ambient_c, shape)
    state = np.stack([initial.top_oil_rise_k, initial.gradient_k, air]).astype(np.float64)
    out = np.empty((2, *loading.shape))
    run_series(
        loading,
        ambient,
        plate.packed,
        state,
        float(dt_h),
        model.exponent_corrected,
        model.ambient_lagged,
        out,
    )
    return out, ThermalState(state[0], state[1], state[2])
