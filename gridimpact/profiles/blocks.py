"""Blocks of constant power and their exact mean over the steps of a timeline.

A block knows nothing of steps, so one draw serves every resolution: the mean of fifteen 1-minute
values is the 15-minute value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridimpact.profiles.shapes import QUARTER_S, YearShape
from gridimpact.timeline import Timeline

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """Constant powers between two moments, in seconds from a year's start."""

    start_s: FloatArray
    end_s: FloatArray
    p_kw: FloatArray

    @property
    def energy_kwh(self) -> float:
        """Energy of all blocks."""
        return float(np.sum((self.end_s - self.start_s) * self.p_kw) / 3600.0)

    def scaled(self, factor: float) -> Blocks:
        """Return the same blocks with other power."""
        return Blocks(self.start_s, self.end_s, self.p_kw * factor)

    def wrapped(self, length_s: float) -> Blocks:
        """Return blocks that run over an end of the year continued at its other end."""
        start = np.mod(self.start_s, length_s)
        end = start + (self.end_s - self.start_s)
        over = end > length_s
        return Blocks(
            np.concatenate([start, np.zeros(int(over.sum()))]),
            np.concatenate([np.minimum(end, length_s), end[over] - length_s]),
            np.concatenate([self.p_kw, self.p_kw[over]]),
        )


def joined(parts: Sequence[Blocks]) -> Blocks:
    """Return the blocks of several sets as one."""
    return Blocks(
        np.concatenate([part.start_s for part in parts]),
        np.concatenate([part.end_s for part in parts]),
        np.concatenate([part.p_kw for part in parts]),
    )


def generator(seed: int, key: str) -> np.random.Generator:
    """Return a generator that depends on the seed and on what is drawn, not on the order of draws."""
    word = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, word]))


def remembered(noise: FloatArray, memory: float, *, unit: bool = True) -> FloatArray:
    """Return noise that keeps the part `memory` of its last value.

    With `unit` its variance stays that of the noise, otherwise its mean (exponential smoothing).
    """
    # Slow to import, and not needed by who only reads data.
    from scipy.signal import lfilter

    weight = np.sqrt(1.0 - memory**2) if unit else 1.0 - memory
    return np.asarray(lfilter([weight], [1.0, -memory], noise), dtype=np.float64)


def block_means(blocks: Blocks, origin: np.datetime64, timeline: Timeline) -> FloatArray:
    """Return the mean power of each step [kW], shape (time,).

    Parameters
    ----------
    blocks : Blocks
        Blocks in seconds from `origin`.
    origin : numpy.datetime64
        Naive UTC.
    timeline : Timeline
        Steps; parts of blocks outside are cut off.
    """
    shift = float((origin - timeline.start) / np.timedelta64(1, "s"))
    begin = np.clip((blocks.start_s + shift) / timeline.step_s, 0.0, timeline.count)
    end = np.clip((blocks.end_s + shift) / timeline.step_s, 0.0, timeline.count)
    inside = end > begin
    change = np.zeros(timeline.count + 2)
    for place, sign in ((begin[inside], 1.0), (end[inside], -1.0)):
        step = place.astype(np.int64)
        late = place - step
        power = sign * blocks.p_kw[inside]
        # A block that starts inside a step gives it only the rest of the step.
        change += np.bincount(step, power * (1.0 - late), timeline.count + 2)
        change += np.bincount(step + 1, power * late, timeline.count + 2)
    # Sums of many on and off switches leave a rest of rounding below zero.
    return np.maximum(np.cumsum(change)[: timeline.count], 0.0)


def shape_means(energy_kwh: FloatArray, shape: YearShape, timeline: Timeline) -> FloatArray:
    """Return mean powers [kW] of quarter-hour energies on the steps of a timeline, zero outside the year.

    Parameters
    ----------
    energy_kwh : numpy.ndarray
        (quarter hour,) or (quarter hour, column) of the year of `shape`.
    """
    grid = np.arange(len(shape.share) + 1, dtype=np.float64) * QUARTER_S
    total = np.concatenate([[0.0], np.cumsum(energy_kwh)])
    shift = float((timeline.start - shape.start) / np.timedelta64(1, "s"))
    edges = shift + np.arange(timeline.count + 1, dtype=np.float64) * timeline.step_s
    means: FloatArray = np.diff(np.interp(edges, grid, total)) / timeline.dt_h
    return means
