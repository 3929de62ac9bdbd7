"""A synthetic regulation signal: at a rail half of the time, and not neutral in energy over hours.

Its five numbers were set on the statistics of 24 evenings of the regulation that the Californian operator
dispatched to a battery in 2016 (one value every 4 s; Gehbauer, Stosic and Black, American Modelica
Conference 2020). That record changes in 19 % of its ticks, moves by 26 bands an hour, its hourly means
have a standard deviation of 0.48, and its autocorrelation is 0.86 after a minute, 0.45 after a quarter of
an hour and nothing after an hour. It stays at full power 35 % of the time and at one more level, 0.6, a
further 20 %: counted together, half of the time at a rail.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import njit
from scipy.signal import lfilter

from gridimpact.dispatch.services.signal import Signal
from gridimpact.errors import InputError
from gridimpact.records import FloatArray
from gridimpact.timeline import Timeline

SLOW_S, FAST_S = (1200.0, 30.0), (40.0, 10.0)
"""Time constants of the two imbalances, of reversion and of smoothing."""
FAST_SHARE = 0.3
"""Share of the faster imbalance in the standard deviation."""
GAIN = 1.45
"""Imbalance over the band: its standard deviation is beyond the rails, so that half of the time is there."""
DEAD_BAND = 0.1
"""A new set-point is sent when it differs by more than this."""
_DAY_S = 86_400


def synthetic_regulation(timeline: Timeline, step_s: int = 4, seed: int = 0) -> Signal:
    """Return a regulation signal over a timeline.

    Parameters
    ----------
    timeline : Timeline
        Time to cover; a UTC day has the same signal in every timeline, to rounding.
    step_s : int
        Time of one value [s], a divisor of the timeline's step.
    seed : int
        Of the draw.

    Returns
    -------
    Signal
        Positive is regulation up.

    Raises
    ------
    InputError
        If `step_s` is outside 1..60 or does not divide the timeline's step.

    Notes
    -----
    Two independent Ornstein-Uhlenbeck processes, both smoothed, are added, multiplied by a gain,
    cut at the rails and held until they have moved by a dead band.

    Validity
    --------
    A fast signal that saturates, as batteries are sent. Filtered signals that are neutral within minutes,
    such as the one PJM offered, move state of charge less.
    """
    if not 1 <= step_s <= 60 or timeline.step_s % step_s:
        message = (
            f"step_s is {step_s}; give whole seconds from 1 to 60 that divide the timeline's "
            f"{timeline.step_s} s, such as 4"
        )
        raise InputError(message)
    first = timeline.start.astype("datetime64[D]").astype(np.int64)
    last = (timeline.end - np.timedelta64(1, "s")).astype("datetime64[D]").astype(np.int64)
    count = _DAY_S // step_s + (_DAY_S % step_s > 0)
    # The day before lets both processes forget where they began.
    days = range(int(first) - 1, int(last) + 1)
    noise = np.concatenate([_noise(day, count, seed) for day in days], axis=1)
    slow, fast = _imbalance(noise[0], SLOW_S, step_s), _imbalance(noise[1], FAST_S, step_s)
    weight = float(np.sqrt(1.0 - FAST_SHARE**2))
    values = np.empty(noise.shape[1])
    hold(GAIN * (weight * slow + FAST_SHARE * fast), DEAD_BAND, values)
    begin = np.datetime64(int(first), "D").astype("datetime64[s]")
    skip = count + int((timeline.start - begin).astype(np.int64)) // step_s
    total = timeline.count * (timeline.step_s // step_s)
    return Signal("synthetic", timeline.start, step_s, values[skip : skip + total])


def _noise(day: int, count: int, seed: int) -> FloatArray:
    """Return the noise of one UTC day, (2, tick)."""
    digest = hashlib.sha256(f"regulation|{day}".encode()).digest()
    sequence = np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")])
    return np.random.default_rng(sequence).standard_normal((2, count))


def _imbalance(noise: FloatArray, times_s: tuple[float, float], step_s: float) -> FloatArray:
    """Return white noise as a smoothed Ornstein-Uhlenbeck process of unit variance."""
    revert, smooth = times_s
    kept, lag = (float(np.exp(-step_s / tau)) for tau in times_s)
    process = lfilter([float(np.sqrt(1.0 - kept * kept))], [1.0, -kept], noise)
    smoothed = lfilter([1.0 - lag], [1.0, -lag], process)
    return np.asarray(smoothed * np.sqrt((revert + smooth) / revert), dtype=np.float64)


def _hold(asked: FloatArray, dead_band: float, sent: FloatArray) -> None:
    """Write what is sent: cut at the rails, and held until it moved by the dead band."""
    now = 0.0
    for k in range(asked.size):
        value = min(max(asked[k], -1.0), 1.0)
        if abs(value) >= 1.0 or abs(value - now) > dead_band:
            now = value
        sent[k] = now


hold = njit(cache=True)(_hold)
