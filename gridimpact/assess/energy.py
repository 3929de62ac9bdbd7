"""Losses, energy exchanged with the upstream grid, and how many power flows were sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.running import RunTracker, add_counts, add_in_order
from gridimpact.conventions import Status
from gridimpact.records import FloatArray, Grid, IntArray


@dataclass(frozen=True)
class EnergyFindings:
    """Energy over counted steps with a sound power flow, arrays (scenario,)."""

    steps_counted: int
    lanes: IntArray
    lanes_failed: IntArray
    lanes_unsupplied: IntArray
    """Solved, but with demand at buses without supply."""
    losses_kwh: FloatArray
    import_kwh: FloatArray | None
    export_kwh: FloatArray | None
    metered_at: str
    """Where import and export were read: "transformers", "balance" or "" for nowhere."""
    failed: pd.DataFrame
    """Runs of failed lanes."""


@dataclass
class EnergyReducer:
    """Energy at the source: at its transformers, or where lines leave it, by balance of the meters."""

    slack_transformers: IntArray
    complete: bool
    steps: int = 0
    lanes: IntArray | None = None
    failed: IntArray | None = None
    unsupplied: IntArray | None = None
    losses: FloatArray | None = None
    drawn: FloatArray | None = None
    fed: FloatArray | None = None
    metered_at: str = ""
    tracker: RunTracker = field(default_factory=lambda: RunTracker("not_converged", "lanes"))

    @classmethod
    def start(cls, context: AssessContext) -> EnergyReducer:
        """Return an empty reducer."""
        transformers, complete = slack_transformers(context.grid)
        return cls(transformers, complete)

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps."""
        flow, usable, hours = chunk.flow, chunk.usable, chunk.timeline.dt_h
        counted = np.broadcast_to(chunk.counted, usable.shape)
        self.steps += int(chunk.counted.sum())
        self.lanes = add_counts(self.lanes, counted)
        self.failed = add_counts(self.failed, counted & ~usable)
        dark = usable & (flow.status == Status.UNSUPPLIED)
        self.unsupplied = add_counts(self.unsupplied, dark)
        broken = (counted & ~usable)[:, :, None]
        self.tracker.update(chunk, broken, broken.astype(np.float64), np.zeros(1))
        lost = np.where(usable, flow.losses_kw, np.nan)[:, :, None] * hours
        self.losses = add_in_order(self.losses, lost)
        power = self._source_power(chunk)
        if power is None:
            return
        power = np.where(usable[:, :, None], power, np.nan) * hours
        self.drawn = add_in_order(self.drawn, np.maximum(power, 0.0))
        self.fed = add_in_order(self.fed, np.maximum(-power, 0.0))

    def _source_power(self, chunk: Chunk) -> FloatArray | None:
        """Return power drawn from upstream, (scenario, time, way), None where it is not known."""
        if self.complete:
            self.metered_at = "transformers"
            return chunk.flow.transformer_p_kw[:, :, self.slack_transformers]
        if chunk.site_p_kw is None:
            return None
        self.metered_at = "balance"
        total = chunk.site_p_kw.sum(axis=2) + chunk.flow.losses_kw
        return np.asarray(total[:, :, None])

    def finish(self) -> EnergyFindings:
        """Return the figures."""
        none = np.zeros(1, dtype=np.int64)
        return EnergyFindings(
            steps_counted=self.steps,
            lanes=none if self.lanes is None else self.lanes,
            lanes_failed=none if self.failed is None else self.failed,
            lanes_unsupplied=none if self.unsupplied is None else self.unsupplied,
            losses_kwh=np.zeros(1) if self.losses is None else self.losses[:, 0],
            import_kwh=None if self.drawn is None else self.drawn.sum(axis=1),
            export_kwh=None if self.fed is None else self.fed.sum(axis=1),
            metered_at=self.metered_at,
            failed=self.tracker.finish(),
        )


def slack_transformers(grid: Grid) -> tuple[IntArray, bool]:
    """Return the transformers that hang on a source, and whether nothing else hangs there."""
    admittance = grid.admittance
    slack = np.isin(np.arange(len(admittance.node_vn_kv)), admittance.slack_node)
    at_slack = slack[admittance.branch_from] | slack[admittance.branch_to]
    live = np.flatnonzero(grid.transformer_branch >= 0)
    branch = grid.transformer_branch[live]
    # The high-voltage side is the branch's from side; a source below it would need the other sign.
    above = live[slack[admittance.branch_from[branch]] & ~slack[admittance.branch_to[branch]]]
    complete = above.size > 0 and int(at_slack.sum()) == above.size
    return above.astype(np.int64), complete
