"""Moving means of loading: what an element carried over some hours on end, however time is cut.

Every mean is added up from the same steps in the same order wherever a chunk ends, so chunks change no
bit of it. Steps whose power flow failed are left out of a window; a window that misses more than half
of its steps, or reaches beyond the counted time, is not assessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.assess.context import Chunk
from gridimpact.assess.running import Extreme, RunTracker, Times, add_counts, join_runs
from gridimpact.records import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class MeanFindings:
    """Moving means of one kind of element, arrays (scenario, element) unless said otherwise."""

    window_steps: int
    window_h: float
    limit: float | None
    """[%]"""
    worst_percent: FloatArray
    """Highest mean, NaN where no window was assessed."""
    worst_end: Times
    """End of the window with the highest mean."""
    windows_known: IntArray
    windows_over: IntArray
    runs: pd.DataFrame
    """Runs of steps inside windows over the limit; `step` is the last one of the worst window."""


@dataclass
class MovingMean:
    """Follows the means over `hours` of values that come chunk by chunk."""

    kind: str
    hours: float
    limit: float | None
    highest: Extreme = field(default_factory=Extreme)
    known: IntArray | None = None
    over: IntArray | None = None
    segment: int = -1
    steps: int = 1
    dt_s: int = 0
    rest: FloatArray | None = None
    rest_outside: BoolArray | None = None

    def __post_init__(self) -> None:
        """Make the tracker of windows over the limit."""
        self.tracker = RunTracker(self.kind, "%")

    def update(self, chunk: Chunk, values: FloatArray) -> None:
        """Take in values (scenario, time, element) of a chunk, NaN where not known."""
        if chunk.segment != self.segment:
            self.segment, self.rest, self.rest_outside = chunk.segment, None, None
            self.dt_s = chunk.timeline.step_s
            self.steps = window_steps(self.hours, chunk.timeline.dt_h)
        outside = ~chunk.counted
        if self.rest is not None and self.rest_outside is not None:
            joined = np.concatenate([self.rest, values], axis=1)
            beyond = np.concatenate([self.rest_outside, outside])
        else:
            head = self.steps - 1
            shape = (values.shape[0], head, values.shape[2])
            joined = np.concatenate([np.full(shape, np.nan), values], axis=1)
            beyond = np.r_[np.ones(head, dtype=np.bool_), outside]
        if self.steps > 1:
            self.rest = joined[:, -(self.steps - 1) :].copy()
            self.rest_outside = beyond[-(self.steps - 1) :].copy()
        mean = window_means(joined, beyond, self.steps)
        ends = chunk.times + np.timedelta64(self.dt_s, "s")
        self.highest.update(mean, ends)
        self.known = add_counts(self.known, ~np.isnan(mean))
        if self.limit is None:
            return
        over = np.greater(mean, self.limit)
        self.over = add_counts(self.over, over)
        self.tracker.update(chunk, over, mean, np.full(mean.shape[2], self.limit))

    def finish(self) -> MeanFindings:
        """Return the figures."""
        none = np.zeros(self.highest.value.shape, dtype=np.int64)
        runs = self.tracker.finish()
        if len(runs):
            # A window lies before the step it ends with.
            runs = join_runs(runs.assign(start=runs["start"] - (self.steps - 1)))
        return MeanFindings(
            window_steps=self.steps,
            window_h=self.steps * self.dt_s / 3600.0 if self.dt_s else self.hours,
            limit=self.limit,
            worst_percent=self.highest.value,
            worst_end=self.highest.times,
            windows_known=none if self.known is None else self.known,
            windows_over=none if self.over is None else self.over,
            runs=runs,
        )


def window_steps(hours: float, dt_h: float) -> int:
    """Return how many steps make a window of `hours`, at least one.

    Examples
    --------
    >>> window_steps(2.0, 0.25), window_steps(0.5, 1.0)
    (8, 1)
    """
    return max(round(hours / dt_h), 1)


def window_means(values: FloatArray, outside: BoolArray, steps: int) -> FloatArray:
    """Return the mean over each window of `steps` steps on end, by the step it ends with.

    Parameters
    ----------
    values : numpy.ndarray
        (scenario, time, element), NaN where not known.
    outside : numpy.ndarray
        (time,) steps no window may hold.
    steps : int
        Length of a window.

    Returns
    -------
    numpy.ndarray
        (scenario, time - steps + 1, element), NaN where more than half of a window is not known.

    Examples
    --------
    >>> one = np.array([[[80.0], [120.0], [np.nan], [np.nan]]])
    >>> window_means(one, np.zeros(4, dtype=bool), 2).ravel()
    array([100., 120.,  nan])
    """
    if steps == 1:
        return np.where(outside[:, None], np.nan, values)
    gaps = np.isnan(values)
    if not gaps.any():
        mean = np.asarray(window_sums(values, steps) / steps)
    else:
        known = steps - window_sums(gaps.astype(np.int64), steps)
        total = window_sums(np.where(gaps, 0.0, values), steps)
        mean = np.where(2 * known >= steps, total / np.maximum(known, 1), np.nan)
    barred = window_sums(outside.astype(np.int64)[None, :, None], steps)[0, :, 0] > 0
    mean[:, barred] = np.nan
    return mean


def window_sums(values: FloatArray | IntArray, steps: int) -> FloatArray | IntArray:
    """Return sums over windows along axis 1, in an order that depends on `steps` alone.

    Sums of 1, 2, 4, ... steps are put together, so a window of n steps costs about 2 log2 n additions.

    Examples
    --------
    >>> window_sums(np.arange(6.0)[None, :, None], 3).ravel()
    array([ 3.,  6.,  9., 12.])
    """
    count = values.shape[1] - steps + 1
    total, power, width, offset = None, values, 1, 0
    while True:
        if steps & width:
            part = power[:, offset : offset + count]
            if total is None:
                total = part.copy()
            else:
                total += part
            offset += width
        if 2 * width > steps:
            break
        power = power[:, :-width] + power[:, width:]
        width *= 2
    return values[:, :0] if total is None else total
