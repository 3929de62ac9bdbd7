"""Random steps of a study solved again by the reference engine, and the largest differences."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gridimpact.conventions import Status
from gridimpact.powerflow.pandapower_engine import PandapowerEngine
from gridimpact.records import FlowResult, Injections, IntArray
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class Difference:
    """Largest differences between two engines over the lanes compared."""

    lanes: int = 0
    vm_pu: float = 0.0
    line_loading_percent: float = 0.0
    transformer_loading_percent: float = 0.0

    def joined(self, other: Difference) -> Difference:
        """Return the larger difference of each kind over both sets of lanes."""
        return Difference(
            self.lanes + other.lanes,
            max(self.vm_pu, other.vm_pu),
            max(self.line_loading_percent, other.line_loading_percent),
            max(self.transformer_loading_percent, other.transformer_loading_percent),
        )


def draw_lanes(total: int, count: int, seed: int) -> IntArray:
    """Return `count` different lane numbers below `total`, sorted, by seed."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, 0x7E51F7]))
    chosen = generator.choice(total, size=min(count, total), replace=False)
    return np.sort(chosen).astype(np.int64)


def compare_lanes(
    spec: StudySpec, injections: Injections, flow: FlowResult, steps: IntArray
) -> Difference:
    """Solve `steps` again with pandapower and return the largest differences to `flow`.

    Lanes that failed in `flow` are not compared; they are counted as failed elsewhere.
    """
    steps = steps[flow.status[0, steps] == Status.OK]
    if not steps.size:
        return Difference()
    lanes = dataclasses.replace(
        injections,
        timeline=injections.timeline.part(0, 1),
        p_kw=injections.p_kw[0, steps][:, None],
        q_kvar=injections.q_kvar[0, steps][:, None],
    )
    again = PandapowerEngine(spec.network.net).solve(spec.network.grid, lanes)
    largest = {}
    for name in ("vm_pu", "line_loading_percent", "transformer_loading_percent"):
        gap = np.abs(getattr(again, name)[:, 0] - getattr(flow, name)[0, steps])
        largest[name] = float(np.nanmax(gap)) if gap.size and not np.isnan(gap).all() else 0.0
    return Difference(int(steps.size), **largest)
