"""How well a response follows a regulation signal, by the rule that PJM pays by.

PJM Manual 12, section 4.5.6, as two public scorers state it; they differ in how the lag is chosen, and
both ways are here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from gridimpact.errors import InputError
from gridimpact.records import FloatArray

WINDOW_S = 300
"""Longest lag, and the length of one block."""
BLOCKS = 12
"""Blocks of the hour that is scored."""
MINIMUM_SCORE = 0.25
"""No payment below."""
QUALIFYING_SCORE = 0.75
"""Score a fleet must reach in its test."""
RULES = ("sum", "correlation")


@dataclass(frozen=True, slots=True)
class RegulationScore:
    """The three parts of a score, each 0..1, and their mean."""

    delay: float
    correlation: float
    precision: float

    @property
    def score(self) -> float:
        """Mean of the three."""
        return (self.delay + self.correlation + self.precision) / 3.0

    @property
    def qualifies(self) -> bool:
        """Whether a fleet with this score would pass the test for the market."""
        return self.score >= QUALIFYING_SCORE


def regulation_score(
    signal: ArrayLike, response: ArrayLike, step_s: int = 10, rule: str = "sum"
) -> RegulationScore:
    """Return the score of a response over one hour.

    Parameters
    ----------
    signal, response : array_like
        (tick,) what was asked and what was done, in the same unit and sign.
    step_s : int
        Time of one tick [s], a divisor of 300.
    rule : str
        Lag of each block of five minutes: "sum" takes the one with the best sum of delay score and
        correlation, as the manual words it; "correlation" the one with the best correlation.

    Returns
    -------
    RegulationScore
        Delay ``1 - lag / 300 s`` and correlation, means over blocks; precision
        ``1 - mean |response - signal| / mean |signal|`` without lag, never below zero.

    Raises
    ------
    InputError
        If the series differ in length or are shorter than one block and the longest lag.

    Notes
    -----
    Blocks are whole and at most twelve, the first hour; a response is looked for up to five minutes after
    its signal, so the last five minutes given only answer. A block whose response never changes has neither
    delay score nor correlation; one whose signal is steady cannot be correlated and counts by its precision
    in place of both.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(431) / 60)
    >>> regulation_score(wave, wave).score
    1.0
    >>> round(regulation_score(wave, np.roll(wave, 1)).score, 6)
    0.955011
    """
    asked, done = (np.ascontiguousarray(v, dtype=np.float64) for v in (signal, response))
    if step_s < 1 or WINDOW_S % step_s or rule not in RULES:
        message = (
            f"step_s is {step_s} and rule {rule!r}; use a divisor of 300, 'sum' or 'correlation'"
        )
        raise InputError(message)
    per_block = WINDOW_S // step_s
    blocks = min((asked.size - per_block) // per_block, BLOCKS)
    if asked.shape != done.shape or asked.ndim != 1 or blocks < 1:
        message = (
            f"signal {asked.shape} and response {done.shape} must be as long as each other, and at least "
            f"{2 * per_block} ticks of {step_s} s"
        )
        raise InputError(message)
    parts = np.zeros((blocks, 2))
    best_lags(asked, done, per_block, rule == "sum", parts)
    used = blocks * per_block
    precision = float(likeness(asked[:used], done[:used]))
    return RegulationScore(float(parts[:, 0].mean()), float(parts[:, 1].mean()), precision)


def _correlation(asked: Any, done: Any) -> float:
    """Return Pearson's correlation, NaN where a series does not change."""
    mean_asked, mean_done = asked.mean(), done.mean()
    cross = square_asked = square_done = 0.0
    for k in range(asked.size):
        a, d = asked[k] - mean_asked, done[k] - mean_done
        cross += a * d
        square_asked += a * a
        square_done += d * d
    if square_asked <= 1e-18 or square_done <= 1e-18:
        return float(np.nan)
    return float(cross / np.sqrt(square_asked * square_done))


correlation = njit(cache=True)(_correlation)


def _likeness(asked: Any, done: Any) -> float:
    """Return one less the error over the signal, 0..1; whether both are zero where nothing is asked."""
    size, error = np.abs(asked).sum(), np.abs(done - asked).sum()
    if size > 0.0:
        return float(max(1.0 - error / size, 0.0))
    return 1.0 if error == 0.0 else 0.0


likeness = njit(cache=True)(_likeness)


def _best_lags(asked: Any, done: Any, per_block: int, by_sum: bool, parts: Any) -> None:
    """Write delay score and correlation of every block at its best lag."""
    for block in range(parts.shape[0]):
        first = block * per_block
        window = asked[first : first + per_block]
        best = -np.inf
        if window.max() - window.min() <= 1e-9:
            parts[block, :] = likeness(window, done[first : first + per_block])
            continue
        for lag in range(per_block + 1):
            found = correlation(window, done[first + lag : first + lag + per_block])
            delay = abs((lag - per_block) / per_block)
            worth = found + delay if by_sum else found
            if not np.isnan(found) and worth > best + 1e-12:
                best = worth
                parts[block, 0], parts[block, 1] = delay, max(found, 0.0)


best_lags = njit(cache=True)(_best_lags)


def settle_regulation(
    mw: float,
    score: float,
    capability_price: float,
    performance_price: float,
    mileage_ratio: float,
    minimum_score: float = MINIMUM_SCORE,
) -> float:
    """Return what an hour of regulation earns.

    Parameters
    ----------
    mw : float
        Capacity offered and cleared, over hours [MW-h].
    score : float
        Performance, 0..1.
    capability_price, performance_price : float
        Clearing prices of capability and performance [currency/MW-h].
    mileage_ratio : float
        Movement of the signal followed over that of the slow reference signal.
    minimum_score : float
        Nothing is paid below.

    Returns
    -------
    float
        ``mw score (capability + performance mileage_ratio)`` [currency].

    Examples
    --------
    >>> settle_regulation(1.0, 0.9, 20.0, 5.0, 3.0)
    31.5
    >>> settle_regulation(1.0, 0.24, 20.0, 5.0, 3.0)
    0.0
    """
    if score < minimum_score:
        return 0.0
    return mw * score * (capability_price + performance_price * mileage_ratio)


def mean_score(
    signal: FloatArray, response: FloatArray, step_s: int, per_hour: int
) -> RegulationScore | None:
    """Return the mean of the hourly scores of a whole series, weighted by what was asked.

    `per_hour` ticks are one hour; each hour's responses may reach five minutes into the next. Hours in
    which nothing was asked do not count; None where there is none left.
    """
    per_block = WINDOW_S // step_s
    parts, weights = [], []
    for first in range(0, signal.size - 2 * per_block + 1, per_hour):
        part = slice(first, min(first + per_hour + per_block, signal.size))
        size = float(np.abs(signal[first : first + per_hour]).sum())
        if size > 0.0 and part.stop - part.start >= 2 * per_block:
            found = regulation_score(signal[part], response[part], step_s)
            parts.append((found.delay, found.correlation, found.precision))
            weights.append(size)
    if not parts:
        return None
    return RegulationScore(*(float(v) for v in np.average(parts, axis=0, weights=weights)))
