"""What is asked at each connection point: even phases, and no more than its main fuse carries.

Only meters are looked at, so these figures rest on every counted step, solved or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.running import Extreme, RunTracker, Times, add_counts
from gridimpact.records import FloatArray, IntArray

ROUNDING_KVA = 1e-6


@dataclass(frozen=True)
class ConnectionFindings:
    """What the connection points saw, arrays (scenario, site) unless said otherwise."""

    asymmetry_kva: FloatArray
    """Largest difference of the power of two phases; NaN where not known."""
    asymmetry_time: Times
    asymmetry_known: IntArray
    """Steps in which it is known."""
    asymmetry_runs: pd.DataFrame
    fuse_percent: FloatArray
    """Highest draw over what the main fuse carries; NaN without a known fuse."""
    fuse_time: Times
    fuse_runs: pd.DataFrame

    @property
    def phases_known(self) -> bool:
        """Whether the power of the phases is known anywhere."""
        return bool(np.any(self.asymmetry_known > 0))


@dataclass
class ConnectionReducer:
    """Asymmetry and fuse of each connection point against the limit profile."""

    single_phase_kva: float | None
    fuse_limit: float | None
    uneven: Extreme = field(default_factory=Extreme)
    drawn: Extreme = field(default_factory=Extreme)
    known: IntArray | None = None
    uneven_runs: RunTracker = field(default_factory=lambda: RunTracker("asymmetry", "kVA"))
    fuse_runs: RunTracker = field(default_factory=lambda: RunTracker("fuse_loading", "%"))

    @classmethod
    def start(cls, context: AssessContext) -> ConnectionReducer:
        """Return an empty reducer."""
        return cls(context.limits.single_phase_kva, context.limits.fuse_percent)

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps."""
        counted = chunk.counted[:, None]
        if chunk.site_asymmetry_kva is not None:
            values = np.where(counted, chunk.site_asymmetry_kva, np.nan)
            self.uneven.update(values, chunk.times)
            self.known = add_counts(self.known, ~np.isnan(values))
            limit = self.single_phase_kva
            if limit is not None:
                over = np.greater(values, limit + ROUNDING_KVA)
                self.uneven_runs.update(chunk, over, values, np.full(values.shape[2], limit))
        if chunk.request is None or chunk.site_p_kw is None:
            return
        fuse = chunk.request.site_import_limit_kw
        fuse = np.where(np.isfinite(fuse) & (fuse > 0.0), fuse, np.nan)
        share = np.where(counted, 100.0 * chunk.site_p_kw / fuse, np.nan)
        self.drawn.update(share, chunk.times)
        if self.fuse_limit is not None:
            over = np.greater(share, self.fuse_limit + ROUNDING_KVA)
            self.fuse_runs.update(chunk, over, share, np.full(share.shape[2], self.fuse_limit))

    def finish(self) -> ConnectionFindings:
        """Return the figures."""
        known = self.known
        if known is None:
            known = np.zeros(self.uneven.value.shape, dtype=np.int64)
        return ConnectionFindings(
            asymmetry_kva=self.uneven.value,
            asymmetry_time=self.uneven.times,
            asymmetry_known=known,
            asymmetry_runs=self.uneven_runs.finish(),
            fuse_percent=self.drawn.value,
            fuse_time=self.drawn.times,
            fuse_runs=self.fuse_runs.finish(),
        )
