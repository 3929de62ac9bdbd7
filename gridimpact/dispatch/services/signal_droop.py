"""Primary response as a signal: what a droop curve asks of a fleet when frequency leaves its dead band."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.dispatch.services.signal import Signal
from gridimpact.errors import InputError


def droop_signal(
    frequency_hz: ArrayLike,
    *,
    start: np.datetime64,
    step_s: int = 1,
    nominal_hz: float = 50.0,
    dead_band_hz: float = 0.036,
    droop: float = 0.05,
) -> Signal:
    """Return the regulation that a frequency asks for.

    Parameters
    ----------
    frequency_hz : array_like
        (tick,) frequency [Hz].
    start : numpy.datetime64
        Begin of the first value, naive UTC.
    step_s : int
        Time of one value [s].
    nominal_hz : float
        50 or 60.
    dead_band_hz : float
        No response within this distance of nominal [Hz].
    droop : float
        Relative change of frequency beyond the dead band that asks for the whole band.

    Returns
    -------
    Signal
        ``(nominal - f -+ dead band) / (nominal droop)`` within -1..1: low frequency is regulation up.

    Raises
    ------
    InputError
        If a frequency is not finite or more than a tenth from nominal, or a setting is out of range.

    Notes
    -----
    The defaults are those of IEEE 1547-2018 (dead band 0.036 Hz, droop 0.05), in its formula with the dead
    band taken off the deviation. European containment reserve (Regulation (EU) 2017/1485, annex V) is fully
    active at 0.2 Hz: ``dead_band_hz=0.01, droop=0.19 / 50``.

    Examples
    --------
    >>> now = np.datetime64("2016-01-01")
    >>> droop_signal([50.0, 49.964, 48.714, 47.0, 51.286], start=now).values.round(6).tolist()
    [0.0, 0.0, 0.5, 1.0, -0.5]
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    if not (nominal_hz > 0.0 and dead_band_hz >= 0.0 and droop > 0.0):
        message = (
            f"nominal_hz {nominal_hz}, dead_band_hz {dead_band_hz}, droop {droop}: give a frequency "
            "and a droop above 0 and a dead band of 0 or more"
        )
        raise InputError(message)
    off = nominal_hz - frequency
    if not np.all(np.abs(off) <= 0.1 * nominal_hz):
        message = (
            f"frequency_hz must be finite and within a tenth of {nominal_hz} Hz; check its unit"
        )
        raise InputError(message)
    beyond = np.sign(off) * np.maximum(np.abs(off) - dead_band_hz, 0.0)
    values = np.clip(beyond / (nominal_hz * droop), -1.0, 1.0)
    return Signal("droop", start, step_s, values)
