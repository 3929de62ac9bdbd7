"""Top-oil and hot-spot temperature after IEC 60076-7, as a whole series and as one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.iec_plate import IecPlate
from gridimpact.ageing.inputs import (
    STARTS,
    checked_loading,
    oil_and_hot_spot_apart_k,
    settled,
)
from gridimpact.ageing.insulation import ageing_rates
from gridimpact.ageing.kernels_iec import run_iec
from gridimpact.errors import InputError
from gridimpact.records import FloatArray


@dataclass(frozen=True)
class IecState:
    """Temperatures between two steps, arrays (scenario, transformer)."""

    top_oil_c: FloatArray
    fast_k: FloatArray
    """Gradient that overshoots after a rise of load [K]."""
    slow_k: FloatArray
    """What the warming oil flow takes off it [K]."""

    @property
    def hot_spot_c(self) -> FloatArray:
        """Hot-spot temperature [degC]."""
        return self.top_oil_c + self.fast_k - self.slow_k


@dataclass(frozen=True)
class IecSeries:
    """Temperatures and ageing at the end of each step, arrays (scenario, time, transformer)."""

    top_oil_c: FloatArray
    hot_spot_c: FloatArray
    ageing_rate: FloatArray
    """By the plate's insulation."""
    initial: IecState
    final: IecState


def iec_steady_state(loading_pu: ArrayLike, ambient_c: ArrayLike, plate: IecPlate) -> IecState:
    """Return the state a constant loading settles at.

    Parameters
    ----------
    loading_pu : array_like
        (scenario, transformer) current over rated current [pu].
    ambient_c : array_like
        Outdoor air, a number or (transformer,) [degC].
    plate : IecPlate
        Thermal data.

    Examples
    --------
    >>> iec_steady_state([[1.0]], 20.0, IecPlate.preset("onaf")).hot_spot_c
    array([[98.]])
    """
    loading = np.asarray(loading_pu, dtype=np.float64)
    air = np.asarray(ambient_c, dtype=np.float64) + plate.enclosure_rise_k
    ratio = plate.loss_ratio
    rise = plate.top_oil_rise_k * ((1.0 + ratio * loading**2) / (1.0 + ratio)) ** plate.exponent_x
    gradient = plate.gradient_k * loading**plate.exponent_y
    return IecState(air + rise, plate.k21 * gradient, (plate.k21 - 1.0) * gradient)


def iec_cold_state(scenarios: int, ambient_c: ArrayLike, plate: IecPlate) -> IecState:
    """Return transformers as cold as the air around them, as after a long outage."""
    shape = (scenarios, len(plate.insulation))
    air = np.asarray(ambient_c, dtype=np.float64) + plate.enclosure_rise_k
    return IecState(np.broadcast_to(air, shape).copy(), np.zeros(shape), np.zeros(shape))


def iec_series(
    loading_pu: ArrayLike,
    ambient_c: ArrayLike,
    plate: IecPlate,
    dt_h: float,
    *,
    start: str | IecState = "steady",
) -> IecSeries:
    """Return temperatures and ageing over a whole series.

    Parameters
    ----------
    loading_pu : array_like
        (scenario, time, transformer) current over rated current [pu], no NaN: see `bridge_failed`.
    ambient_c : array_like
        (time,) or (time, transformer) outdoor air [degC]; the enclosure's rise is added here.
    plate : IecPlate
        Thermal data.
    dt_h : float
        Step [h].
    start : str or IecState
        ``"steady"`` at the first step's loading, ``"cold"`` as the air, ``"periodic"`` where the
        series repeats itself, or a given state.

    Returns
    -------
    IecSeries
        Values at the end of each step.

    Raises
    ------
    InputError
        If shapes do not fit, a value is NaN, infinite or negative, or the start is unknown.

    Notes
    -----
    IEC 60076-7:2018, 8.2.3: the three differential equations solved exactly over steps of constant load
    and air, so no step is too long for them; a step longer than the load's peaks still smooths these.
    The air reaches the oil with the oil's time constant. Validity: as Clause 7; no cold-oil viscosity.

    Examples
    --------
    >>> series = iec_series(np.ones((1, 96, 1)), np.full(96, 20.0), IecPlate.preset(), 0.25)
    >>> float(series.hot_spot_c[0, -1, 0].round(9)), float(series.ageing_rate[0, -1, 0].round(9))
    (98.0, 1.0)
    """
    loading, ambient = checked_loading(loading_pu, ambient_c, plate, dt_h)
    initial = _start_state(start, loading, ambient, plate)
    if isinstance(start, str) and start == "periodic":
        initial = settled(
            initial,
            lambda state: _run(state, loading, ambient, plate, dt_h)[1],
            oil_and_hot_spot_apart_k,
        )
    out, final = _run(initial, loading, ambient, plate, dt_h)
    return IecSeries(out[0], out[1], ageing_rates(out[1], plate.insulation), initial, final)


def iec_step(
    state: IecState, loading_pu: ArrayLike, ambient_c: ArrayLike, plate: IecPlate, dt_h: float
) -> IecState:
    """Return the state one step later; the same recursion as `iec_series`.

    Parameters
    ----------
    state : IecState
        State at the begin of the step.
    loading_pu : array_like
        (scenario, transformer) current over rated current in this step [pu].
    ambient_c : array_like
        Outdoor air in this step, a number or (transformer,) [degC].
    plate : IecPlate
        Thermal data.
    dt_h : float
        Step [h].
    """
    one = np.asarray(loading_pu, dtype=np.float64)[:, None, :]
    air = np.broadcast_to(np.asarray(ambient_c, dtype=np.float64), (1, one.shape[2]))
    loading, ambient = checked_loading(one, air, plate, dt_h)
    _check_state(state, loading)
    return _run(state, loading, ambient, plate, dt_h)[1]


def _start_state(
    start: str | IecState, loading: FloatArray, ambient: FloatArray, plate: IecPlate
) -> IecState:
    """Return the state before the first step."""
    if isinstance(start, IecState):
        _check_state(start, loading)
        return start
    outdoor = ambient[0] - plate.enclosure_rise_k
    if start == "cold":
        return iec_cold_state(loading.shape[0], outdoor, plate)
    if start in STARTS:
        return iec_steady_state(loading[:, 0, :], outdoor, plate)
    message = f"start {start!r} is unknown; use one of {', '.join(STARTS)} or an IecState"
    raise InputError(message)


def _check_state(state: IecState, loading: FloatArray) -> None:
    """Refuse a state whose shape does not fit the loading."""
    shape = (loading.shape[0], loading.shape[2])
    if state.top_oil_c.shape != shape or state.fast_k.shape != shape:
        message = f"thermal state has shape {state.top_oil_c.shape}, (scenario, transformer) = {shape} is needed"
        raise InputError(message)


def _run(
    initial: IecState, loading: FloatArray, ambient: FloatArray, plate: IecPlate, dt_h: float
) -> tuple[FloatArray, IecState]:
    """Run the recursion and return (2, scenario, time, transformer) and the final state."""
    state = np.stack([initial.top_oil_c, initial.fast_k, initial.slow_k]).astype(np.float64)
    out = np.empty((2, *loading.shape))
    run_iec(loading, ambient, plate.packed, state, float(dt_h), out)
    return out, IecState(state[0], state[1], state[2])
