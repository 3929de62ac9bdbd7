"""When a unit that feeds must trip at abnormal voltage, by category of IEEE 1547-2018."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray

MUST_TRIP: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "I": ((1.20, 0.16), (1.10, 2.0), (0.70, 2.0), (0.45, 0.16)),
        "II": ((1.20, 0.16), (1.10, 2.0), (0.70, 10.0), (0.45, 0.16)),
        "III": ((1.20, 0.16), (1.10, 13.0), (0.88, 21.0), (0.50, 2.0)),
    }
)
"""Default settings of OV2, OV1, UV1 and UV2: voltage [pu] and clearing time [s] (IEEE 1547-2018, 6.4.1,
Tables 11, 12 and 13)."""


def trip_time_s(vm_pu: FloatArray, category: str = "III") -> FloatArray:
    """Return how long a voltage may last until a unit must have tripped [s]; infinite inside the band.

    Parameters
    ----------
    vm_pu : ndarray
        Voltages of any shape [pu]; NaN where unknown, which never trips.
    category : str
        Abnormal performance category "I", "II" or "III".

    Raises
    ------
    InputError
        If the category is unknown.

    Notes
    -----
    Default settings; a network operator may set others within the ranges of the same tables. Trips at
    abnormal frequency (Table 18) do not arise in a power flow of constant frequency, and harmonic
    current distortion (7.3) is out of scope.

    Examples
    --------
    >>> trip_time_s(np.array([1.0, 1.12, 1.25, 0.8]), "III").tolist()
    [inf, 13.0, 0.16, 21.0]
    """
    if category not in MUST_TRIP:
        message = f"category {category!r} is unknown; use one of {', '.join(MUST_TRIP)}"
        raise InputError(message)
    vm = np.asarray(vm_pu, dtype=np.float64)
    high2, high1, low1, low2 = MUST_TRIP[category]
    time = np.full(vm.shape, np.inf)
    # A voltage at or beyond a threshold trips; the outer threshold is the quicker one.
    for (threshold, clears), beyond in (
        (high1, vm >= high1[0]),
        (high2, vm >= high2[0]),
        (low1, vm <= low1[0]),
        (low2, vm <= low2[0]),
    ):
        del threshold
        time = np.where(beyond, np.minimum(time, clears), time)
    return time


def must_trip(vm_pu: FloatArray, step_s: float, category: str = "III") -> BoolArray:
    """Return where a voltage that lasts a whole step makes a unit trip, the shape of `vm_pu`.

    Examples
    --------
    >>> must_trip(np.array([1.09, 1.11]), 900.0).tolist()
    [False, True]
    """
    return np.asarray(trip_time_s(vm_pu, category) <= step_s)
