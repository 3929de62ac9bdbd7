"""Transformer temperature and life: extremes, time over limits, equivalent ageing by both laws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.ageing import ageing_rate
from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.guides import GuideCounter, GuideFindings
from gridimpact.assess.running import Extreme, RunTracker, Times, add_counts, add_in_order
from gridimpact.records import FloatArray, IntArray

LAWS = ("non_upgraded", "upgraded")


@dataclass(frozen=True)
class ThermalFindings:
    """What the temperatures were, arrays (scenario, transformer) unless said otherwise."""

    top_oil_c: FloatArray
    top_oil_time: Times
    hot_spot_c: FloatArray
    hot_spot_time: Times
    steps_known: IntArray
    steps_over: IntArray
    steps_any_over: IntArray
    """(scenario,)"""
    equivalent: FloatArray
    """Mean ageing rate by the leading law, 1 is normal."""
    equivalent_by_law: dict[str, FloatArray]
    """By law of `LAWS`, for papers that are not known."""
    runs: pd.DataFrame
    guide: GuideFindings
    """Steps over the limits of the loading guides."""

    @property
    def known_any(self) -> bool:
        """Whether any transformer has a known temperature."""
        return bool(np.any(self.steps_known > 0))


@dataclass
class ThermalReducer:
    """Temperatures against the hot-spot limit, and equivalent ageing.

    Temperatures are carried across failed power flows by the thermal model, so every counted step
    is taken in.
    """

    limit: float | None
    guide: GuideCounter
    tracker: RunTracker = field(default_factory=lambda: RunTracker("hot_spot", "degC"))
    oil: Extreme = field(default_factory=Extreme)
    hot: Extreme = field(default_factory=Extreme)
    known: IntArray | None = None
    over: IntArray | None = None
    any_over: IntArray | None = None
    lead: FloatArray | None = None
    by_law: dict[str, FloatArray] = field(default_factory=dict)

    @classmethod
    def start(cls, context: AssessContext) -> ThermalReducer:
        """Return an empty reducer."""
        return cls(context.limits.hot_spot_c, GuideCounter(context))

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps; does nothing without temperatures."""
        if chunk.hot_spot_c is None or chunk.top_oil_c is None or chunk.ageing_rate is None:
            return
        counted = chunk.counted[:, None]
        hot = np.where(counted, chunk.hot_spot_c, np.nan)
        oil = np.where(counted, chunk.top_oil_c, np.nan)
        self.oil.update(oil, chunk.times)
        self.guide.update(hot, oil, chunk.flow.transformer_loading_percent)
        self.hot.update(hot, chunk.times)
        self.known = add_counts(self.known, ~np.isnan(hot))
        self.lead = add_in_order(self.lead, np.where(counted, chunk.ageing_rate, np.nan))
        for law in LAWS:
            self.by_law[law] = add_in_order(self.by_law.get(law), ageing_rate(hot, law))
        over = np.greater(hot, np.inf if self.limit is None else self.limit)
        self.over = add_counts(self.over, over)
        self.any_over = add_counts(self.any_over, over.any(axis=2))
        if self.limit is not None:
            self.tracker.update(chunk, over, hot, np.full(hot.shape[2], self.limit))

    def finish(self) -> ThermalFindings | None:
        """Return the figures, None where there were no temperatures."""
        if self.known is None or self.lead is None or self.over is None or self.any_over is None:
            return None
        steps = np.maximum(self.known, 1)
        none = self.known == 0
        return ThermalFindings(
            top_oil_c=self.oil.value,
            top_oil_time=self.oil.times,
            hot_spot_c=self.hot.value,
            hot_spot_time=self.hot.times,
            steps_known=self.known,
            steps_over=self.over,
            steps_any_over=self.any_over,
            equivalent=np.where(none, np.nan, self.lead / steps),
            equivalent_by_law={
                law: np.where(none, np.nan, total / steps) for law, total in self.by_law.items()
            },
            runs=self.tracker.finish(),
            guide=self.guide.finish(),
        )
