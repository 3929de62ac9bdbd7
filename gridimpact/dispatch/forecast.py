"""What is known of the hours to come: yesterday, last week, or the truth with an error that grows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.records import FloatArray, IntArray, Tariff
from gridimpact.timeline import Timeline

LOADS = ("yesterday", "last_week", "perfect", "noisy")
"""Forecasts of demand and generation by name."""

MEMORY_H = 6.0
"""Hours after which an error of a forecast has lost 63 % of what it was; an own choice."""

PUBLISHED_H = 13.0
"""Local hour from which the prices of the next day are known: day-ahead auctions close at noon."""


def known_steps(now: int, count: int, day: int) -> IntArray:
    """Return, for steps ``now .. now + count``, the step whose value stands for it: itself now, else the past.

    Parameters
    ----------
    now : int
        Step whose value is measured.
    count : int
        Number of steps.
    day : int
        Steps after which a value is expected again: those of a day or of a week.

    Returns
    -------
    ndarray of int
        (count,) the latest step before `now` that lies whole days earlier; `now` itself where there is
        no such past.

    Examples
    --------
    >>> known_steps(5, 6, 4).tolist()
    [5, 2, 3, 4, 1, 2]
    """
    steps = now + np.arange(count)
    back = day * np.ceil((steps - now + 1) / day).astype(np.int64)
    source = np.where(steps - back >= 0, steps - back, now)
    source[0] = now
    return np.asarray(source)


def forecast_source(kind: str, now: int, count: int, day: int) -> IntArray:
    """Return the step whose value a forecast of a kind in `LOADS` takes for ``now .. now + count``."""
    if kind in ("perfect", "noisy"):
        return np.arange(now, now + count)
    yesterday = known_steps(now, count, day)
    if kind == "yesterday":
        return yesterday
    week = known_steps(now, count, 7 * day)
    return np.where((week == now) & (yesterday != now), yesterday, week)


def growing_error(
    rng: np.random.Generator, count: int, columns: int, dt_h: float, sigma: float
) -> FloatArray:
    """Return relative errors that are zero now and reach their full size some hours ahead.

    Parameters
    ----------
    rng : Generator
        Of the draws.
    count, columns : int
        Steps and series.
    dt_h : float
        Step [h].
    sigma : float
        Standard deviation far ahead [1].

    Returns
    -------
    ndarray
        (count, columns): first-order autoregression from zero with a memory of `MEMORY_H`, so that the
        standard deviation after h hours is ``sigma sqrt(1 - exp(-2 h / MEMORY_H))``.
    """
    decay = np.exp(-dt_h / MEMORY_H)
    shocks = rng.normal(0.0, sigma * np.sqrt(1.0 - decay**2), (count, columns))
    shocks[0] = 0.0
    remember(shocks, decay)
    return shocks


def steady_error(
    rng: np.random.Generator, count: int, columns: int, dt_h: float, sigma: float
) -> FloatArray:
    """Return relative errors of one size throughout, as correlated in time as `growing_error`."""
    decay = np.exp(-dt_h / MEMORY_H)
    shocks = rng.normal(0.0, sigma * np.sqrt(1.0 - decay**2), (count, columns))
    shocks[0] /= np.sqrt(1.0 - decay**2)
    remember(shocks, decay)
    return shocks


@compiled
def remember(shocks: FloatArray, decay: float) -> None:
    """Turn shocks (time, series) into a first-order autoregression in place."""
    for t in range(1, shocks.shape[0]):
        for k in range(shocks.shape[1]):
            shocks[t, k] += decay * shocks[t - 1, k]


def generator(
    seed: int, purpose: str, names: Iterable[str] = (), number: int = 0
) -> np.random.Generator:
    """Return the generator of a draw, from seed, purpose, names and a number alone."""
    text = "|".join([purpose, str(number), *names])
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")]))


def announced_prices(tariff: Tariff, timeline: Timeline, now: int, count: int) -> IntArray:
    """Return the step whose price is expected for ``now .. now + count``.

    Known are the prices to the end of the local day, and from 13:00 on to the end of the next one; after
    that the last known day is expected again.
    """
    known = timeline.local_day[now] + (1 if timeline.local_hour[now] >= PUBLISHED_H else 0)
    end = int(np.searchsorted(timeline.local_day, known, side="right"))
    steps = now + np.arange(count)
    back = timeline.steps_per_day * np.ceil(
        np.maximum(steps - end + 1, 0) / timeline.steps_per_day
    ).astype(np.int64)
    source = np.where(steps < end, steps, np.maximum(steps - back, 0))
    return np.asarray(np.minimum(source, end - 1))
