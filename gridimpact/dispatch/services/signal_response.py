"""What a fleet makes of a signal: late by its latency, and no faster than its ramp."""

from __future__ import annotations

import numpy as np
from numba import njit

from gridimpact.errors import InputError
from gridimpact.records import FloatArray


def followed(
    values: FloatArray, step_s: int, latency_s: float = 0.0, ramp_per_s: float = np.inf
) -> FloatArray:
    """Return the response to a signal, in units of the offered band.

    Parameters
    ----------
    values : ndarray
        (tick,) signal, -1..1.
    step_s : int
        Time of one value [s].
    latency_s : float
        Time from signal to response [s]; rounded up to whole ticks.
    ramp_per_s : float
        Highest change of the response, in bands per second.

    Returns
    -------
    ndarray
        (tick,) response, -1..1; nothing before the first signal arrives.

    Raises
    ------
    InputError
        If latency or ramp is out of range.

    Examples
    --------
    >>> followed(np.array([1.0, 1.0, -1.0]), 4, latency_s=3.0).tolist()
    [0.0, 1.0, 1.0]
    """
    if not 0.0 <= latency_s <= 3600.0 or not ramp_per_s > 0.0:
        message = f"latency_s is {latency_s} and ramp_per_s {ramp_per_s}; give 0 to 3600 s, and a ramp above 0"
        raise InputError(message)
    late = int(np.ceil(latency_s / step_s - 1e-9))
    response = np.zeros(values.size)
    response[late:] = values[: values.size - late]
    if np.isfinite(ramp_per_s):
        ramp(response, ramp_per_s * step_s)
    return response


def _ramp(response: FloatArray, most: float) -> None:
    """Limit the change from tick to tick, in place."""
    now = 0.0
    for k in range(response.size):
        now += min(max(response[k] - now, -most), most)
        response[k] = now


ramp = njit(cache=True)(_ramp)
