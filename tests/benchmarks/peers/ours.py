"""This project's batched engine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from gridimpact import Timeline
from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.records import Injections
from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs
from tests.benchmarks.peers import Entry

OURS = "gridimpact"
ENTRIES = (
    Entry("gridimpact", OURS, "1 thread, float64"),
    Entry("gridimpact float32", OURS, "1 thread, results stored as float32"),
    Entry("gridimpact 1e-10", OURS, "1 thread, float64, its default tolerance of 1e-10"),
    Entry("gridimpact 2 threads", OURS, "2 threads, float64", threads=2),
    Entry("gridimpact 2 threads float32", OURS, "2 threads, float32", threads=2),
)


def version() -> str:
    """Return name and version."""
    return f"gridimpact {installed('gridimpact')}"


def options(entry: Entry, phases: int) -> FlowOptions:
    """Return the options of an entry; the tolerance is that of every peer."""
    return FlowOptions(
        tolerance_pu=1e-10 if "1e-10" in entry.name else 1e-8,
        keep=("vm_pu", "line_loading_percent", "transformer_loading_percent"),
        storage="float32" if "float32" in entry.name else "float64",
        threads=entry.threads,
        phases=phases,
    )


@dataclass
class Batched:
    """The engine with one case's grid."""

    case: Case
    options: FlowOptions
    engine: BatchedEngine

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return injections."""
        return injections(self.case, p_kw, q_kvar)

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        found = self.engine.solve(self.case.grid, power, self.options)
        return Outputs(
            found.vm_pu[0], found.line_loading_percent[0], found.transformer_loading_percent[0]
        )


def injections(case: Case, p_kw: np.ndarray, q_kvar: np.ndarray) -> Injections:
    """Return the injections of a case for (step, element) power."""
    count = len(case.bus)
    share = np.full((count, 3), 1.0 / 3.0)
    if case.plan.phases == 3:
        share = np.eye(3)[case.phase]
    return Injections(
        timeline=Timeline(np.datetime64("2016-01-01"), 900, len(p_kw)),
        bus=case.bus,
        p_kw=np.ascontiguousarray(p_kw)[None],
        q_kvar=np.ascontiguousarray(q_kvar)[None],
        phase_share=share,
        zip_p=np.zeros((count, 2)),
        zip_q=np.zeros((count, 2)),
    )


def set_up(case: Case, entry: Entry) -> Batched:
    """Return the engine set up for a case."""
    return Batched(case, options(entry, case.plan.phases), BatchedEngine())
