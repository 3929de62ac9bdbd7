"""Loading of lines and transformers: highest value, hours over marks, violations.

In three phases the loading is that of the worst phase. Beside the instants stand means over hours, as an
element may carry for a moment what it must not carry for long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.limits import LimitProfile
from gridimpact.assess.moving import MeanFindings, MovingMean
from gridimpact.assess.running import Extreme, RunTracker, Times, add_counts
from gridimpact.records import BoolArray, FloatArray, FlowResult, IntArray

MARKS = (80.0, 100.0, 120.0)
"""Loadings whose hours are counted [%]."""


@dataclass(frozen=True)
class LoadingFindings:
    """What the loadings were, arrays (scenario, element) unless said otherwise."""

    in_service: BoolArray
    """(element,)"""
    rated: BoolArray
    """(element,) in service and with a rating."""
    worst_percent: FloatArray
    worst_time: Times
    steps_known: IntArray
    steps_over: IntArray
    """(mark, scenario, element)"""
    steps_any_over: IntArray
    """(mark, scenario) steps with at least one element over the mark."""
    runs: pd.DataFrame
    """Runs of steps over the limit."""
    worst_phase: IntArray
    """Phase 0, 1 or 2 of the highest loading, -1 where it is not known."""
    mean: MeanFindings | None = None
    """Means over hours, None where the profile gives no length."""


@dataclass
class LoadingReducer:
    """Loading of one kind of element against its limit; unrated elements are not assessed."""

    what: str
    in_service: BoolArray
    rated: BoolArray
    limit: float | None
    tracker: RunTracker
    mean: MovingMean | None = None
    highest: Extreme = field(default_factory=Extreme)
    known: IntArray | None = None
    over: list[IntArray | None] = field(default_factory=lambda: [None] * len(MARKS))
    any_over: list[IntArray | None] = field(default_factory=lambda: [None] * len(MARKS))

    @classmethod
    def start(cls, context: AssessContext, what: str = "line") -> LoadingReducer:
        """Return an empty reducer for ``"line"``, ``"transformer"`` or ``"transformer3w"``."""
        grid, limits = context.grid, context.limits
        tracker, mean = RunTracker(f"{what}_loading", "%"), _mean(limits, what)
        if what == "line":
            live = grid.line_branch >= 0
            rated = live & ~np.isnan(grid.line_i_max_ka)
            return cls(what, live, rated, limits.line_loading_percent, tracker, mean)
        if what == "transformer3w":
            live = np.asarray((grid.transformer3w_branch >= 0).any(axis=1))
            return cls(what, live, live, limits.transformer_loading_percent, tracker, mean)
        live = grid.transformer_branch >= 0
        return cls(what, live, live, limits.transformer_loading_percent, tracker, mean)

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps."""
        loading = self._loading(chunk.flow)
        if not loading.shape[2]:
            return
        by_phase = self._by_phase(chunk.flow)
        loading = np.where(chunk.usable[:, :, None] & self.rated, loading, np.nan)
        self.highest.update(loading, chunk.times, by_phase)
        self.known = add_counts(self.known, ~np.isnan(loading))
        for k, mark in enumerate(MARKS):
            over = np.greater(loading, mark)
            self.over[k] = add_counts(self.over[k], over)
            self.any_over[k] = add_counts(self.any_over[k], over.any(axis=2))
        if self.mean is not None:
            self.mean.update(chunk, loading)
        if self.limit is not None:
            bound = np.full(loading.shape[2], self.limit)
            over = loading > self.limit
            phase = None
            if by_phase is not None and over.any():
                phase = np.nan_to_num(by_phase, nan=-1.0).argmax(axis=3).astype(np.int64)
            self.tracker.update(chunk, over, loading, bound, phase)

    def _loading(self, flow: FlowResult) -> FloatArray:
        """Return the loading of this kind of element [%], (scenario, time, element)."""
        array: FloatArray = getattr(flow, f"{self.what}_loading_percent")
        return array

    def _by_phase(self, flow: FlowResult) -> NDArray[Any] | None:
        """Return what each phase carries, None where the flow does not tell."""
        carried: NDArray[Any] = np.zeros((0, 0, 0))
        if flow.phases == 3 and self.what == "line":
            carried = flow.line_i_ka
        elif flow.phases == 3 and self.what == "transformer":
            carried = flow.transformer_phase_loading_percent
        if carried.ndim < 4 or not carried.shape[3]:
            return None
        return carried[..., :3]

    def finish(self) -> LoadingFindings:
        """Return the figures."""
        none = np.zeros((1, len(self.rated)), dtype=np.int64)
        return LoadingFindings(
            in_service=self.in_service,
            rated=self.rated,
            worst_percent=self.highest.value,
            worst_time=self.highest.times,
            steps_known=none if self.known is None else self.known,
            steps_over=np.stack([none if part is None else part for part in self.over]),
            steps_any_over=np.stack(
                [np.zeros(1, dtype=np.int64) if p is None else p for p in self.any_over]
            ),
            runs=self.tracker.finish(),
            worst_phase=self.highest.phases,
            mean=None if self.mean is None else self.mean.finish(),
        )


def _mean(limits: LimitProfile, what: str) -> MovingMean | None:
    """Return what follows the means of one kind of element, None where the profile has no length."""
    line = what == "line"
    hours = limits.line_mean_h if line else limits.transformer_mean_h
    if hours is None:
        return None
    limit = limits.line_mean_percent if line else limits.transformer_mean_percent
    return MovingMean(f"{what}_loading_mean", hours, limit)
