"""What every thermal model is given, checked and brought into one shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray

STARTS = ("steady", "cold", "periodic")
"""How a series may start beside a given state."""

PERIODIC_TOLERANCE_K = 0.01
PERIODIC_ROUNDS = 200

State = TypeVar("State")


class Plate(Protocol):
    """What all nameplates share."""

    @property
    def insulation(self) -> tuple[str, ...]:
        """(transformer,) names of ageing laws."""
        ...

    @property
    def enclosure_rise_k(self) -> FloatArray:
        """(transformer,) air around the tank over outdoor air [K]."""
        ...


class OilAndHotSpot(Protocol):
    """What the states of Clause 7 and IEC share."""

    @property
    def top_oil_c(self) -> FloatArray:
        """Top-oil temperature [degC]."""
        ...

    @property
    def hot_spot_c(self) -> FloatArray:
        """Hot-spot temperature [degC]."""
        ...


def checked_loading(
    loading_pu: ArrayLike, ambient_c: ArrayLike, plate: Plate, dt_h: float
) -> tuple[FloatArray, FloatArray]:
    """Return the loading and the ambient at the tank, both contiguous.

    Parameters
    ----------
    loading_pu : array_like
        (scenario, time, transformer) current over rated current [pu].
    ambient_c : array_like
        (time,) or (time, transformer) outdoor air [degC].
    plate : Plate
        Tells the number of transformers and what their enclosures add.
    dt_h : float
        Step [h].

    Returns
    -------
    tuple of numpy.ndarray
        (scenario, time, transformer) [pu] and (time, transformer) [degC].

    Raises
    ------
    InputError
        If shapes do not fit or a value is NaN, infinite or negative; all problems at once.
    """
    loading = np.ascontiguousarray(loading_pu, dtype=np.float64)
    ambient = np.asarray(ambient_c, dtype=np.float64)
    count = len(plate.insulation)
    if loading.ndim != 3 or loading.shape[2] != count:
        what = f"has shape {loading.shape}, must be (scenario, time, {count})"
        raise_problems([Problem("loading_pu", what)], "thermal model")
    problems = []
    if ambient.shape not in ((loading.shape[1],), (loading.shape[1], count)):
        what = f"has shape {ambient.shape}, must be ({loading.shape[1]},) or ({loading.shape[1]}, {count})"
        problems.append(Problem("ambient_c", what))
    missing = int(np.isnan(loading).sum())
    if missing:
        remedy = "bridge failed lanes with bridge_failed() and flag them"
        problems.append(Problem("loading_pu", f"{missing} values are NaN", remedy))
    if np.any(loading < 0.0) or np.any(np.isinf(loading)):
        problems.append(Problem("loading_pu", "holds negative or infinite values"))
    if not np.all(np.isfinite(ambient)):
        problems.append(Problem("ambient_c", "holds NaN or infinite values"))
    if not dt_h > 0.0:
        problems.append(Problem("dt_h", f"is {dt_h} h, must be above 0"))
    raise_problems(problems, "thermal model")
    columns = ambient if ambient.ndim == 2 else ambient[:, None]
    return loading, np.ascontiguousarray(columns + plate.enclosure_rise_k)


def settled(
    state: State, once: Callable[[State], State], moved_k: Callable[[State, State], FloatArray]
) -> State:
    """Return the state that a series ends in as it began: the series is repeated until it does.

    Parameters
    ----------
    state : State
        Where to begin.
    once : callable
        State at the end of the series that begins with a state.
    moved_k : callable
        How far two states lie apart [K], any shape.
    """
    for _ in range(PERIODIC_ROUNDS):
        after = once(state)
        apart = moved_k(after, state).max(initial=0.0)
        state = after
        if apart < PERIODIC_TOLERANCE_K:
            break
    return state


def oil_and_hot_spot_apart_k(one: OilAndHotSpot, other: OilAndHotSpot) -> FloatArray:
    """Return how far oil and hot spot of two states lie apart, added up [K]."""
    hot = np.abs(one.hot_spot_c - other.hot_spot_c)
    return np.asarray(hot + np.abs(one.top_oil_c - other.top_oil_c))
