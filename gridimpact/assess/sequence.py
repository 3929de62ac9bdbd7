"""Voltage unbalance and neutral current, which only a three-phase power flow knows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.limits import LimitProfile
from gridimpact.assess.running import Extreme, RunTracker, Times, add_counts
from gridimpact.assess.weeks import WeekBand, WeekFindings
from gridimpact.records import BoolArray, FloatArray, IntArray

VUF = "negative over positive sequence (IEC)"
NEMA = "largest deviation of a phase-to-phase voltage from their mean (NEMA)"


@dataclass(frozen=True)
class UnbalanceFindings:
    """What the unbalance was, arrays (scenario, bus) unless said otherwise."""

    judged: BoolArray
    """(bus,) supplied buses of low and medium voltage."""
    measure: str
    """`VUF` or `NEMA`, whichever the limit profile asks about."""
    limit: float | None
    share: float | None
    """Share of the ten-minute means of a week asked for; None asks for every step."""
    worst_percent: FloatArray
    worst_time: Times
    steps_over: IntArray
    """Steps over the limit."""
    weeks: WeekFindings
    """Shares of ten-minute means within the limit; without weeks where every step is asked for."""
    runs: pd.DataFrame
    """Runs of steps over the limit, where every step is asked for."""
    neutral_a: FloatArray
    """(scenario, line) highest current of the phases' sum [A]; empty where it was not asked for."""
    neutral_time: Times


@dataclass
class UnbalanceReducer:
    """Unbalance against the limit profile: a share of every week, or every step."""

    judged: BoolArray
    nema: bool
    limit: float | None
    share: float | None
    weeks: WeekBand
    tracker: RunTracker = field(default_factory=lambda: RunTracker("unbalance", "%"))
    highest: Extreme = field(default_factory=Extreme)
    neutral: Extreme = field(default_factory=Extreme)
    over: IntArray | None = None
    seen: bool = False

    @classmethod
    def start(cls, context: AssessContext) -> UnbalanceReducer:
        """Return an empty reducer."""
        limits, judged = context.limits, context.lv | context.mv
        nema = limits.unbalance_nema_percent is not None and limits.unbalance_percent is None
        limit = limits.unbalance_nema_percent if nema else limits.unbalance_percent
        share = None if nema else limits.unbalance_share
        band = WeekBand(limits, 0.0, np.inf if limit is None else limit, judged)
        return cls(np.asarray(judged), nema, limit, share, band)

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps; does nothing for a balanced flow."""
        flow = chunk.flow
        found = flow.unbalance_nema_percent if self.nema else flow.unbalance_percent
        if not found.shape[2]:
            return
        self.seen = True
        values = np.where(chunk.usable[:, :, None] & self.judged, found, np.nan)
        self.highest.update(values, chunk.times)
        self._neutral(chunk)
        if self.limit is None:
            return
        over = np.greater(values, self.limit)
        self.over = add_counts(self.over, over)
        if self.share is None:
            self.tracker.update(chunk, over, values, np.full(values.shape[2], self.limit))
        else:
            self.weeks.update(chunk, values)

    def _neutral(self, chunk: Chunk) -> None:
        """Keep the highest neutral current of each line."""
        current = chunk.flow.line_i_ka
        if current.ndim == 4 and current.shape[3] == 4:
            usable = chunk.usable[:, :, None]
            self.neutral.update(np.where(usable, 1e3 * current[..., 3], np.nan), chunk.times)

    def finish(self) -> UnbalanceFindings | None:
        """Return the figures, None of a balanced flow."""
        if not self.seen:
            return None
        none = np.zeros((1, len(self.judged)), dtype=np.int64)
        return UnbalanceFindings(
            judged=self.judged,
            measure=NEMA if self.nema else VUF,
            limit=self.limit,
            share=self.share,
            worst_percent=self.highest.value,
            worst_time=self.highest.times,
            steps_over=none if self.over is None else self.over,
            weeks=self.weeks.finish(),
            runs=self.tracker.finish(),
            neutral_a=self.neutral.value,
            neutral_time=self.neutral.times,
        )


def asked_of_flow(limits: LimitProfile) -> tuple[str, ...]:
    """Return the arrays a three-phase power flow must give so that unbalance can be judged."""
    nema = limits.unbalance_nema_percent is not None
    return ("unbalance_percent", *(("unbalance_nema_percent",) if nema else ()))
