"""One file for each engine in the race, behind one small protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs


class Unfit(Exception):
    """The engine cannot solve this case, and why."""


@dataclass(frozen=True)
class Entry:
    """An engine with one setting."""

    name: str
    peer: str
    """Whose engine it is; ratios are quoted for the best entry of each peer."""
    setting: str
    threads: int = 1
    slow: bool = False
    """A loop of single flows: few steps are raced, its time per flow stands for any length."""


class Runner(Protocol):
    """An engine set up for one case; setting up is not timed, `run` is."""

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return the power in the engine's own units and layout, (step, element); not timed."""
        ...

    def run(self, power: Any) -> Outputs:
        """Solve all steps and return voltages and loadings; timed."""
        ...


class Peer(Protocol):
    """What a file of this folder offers as module attributes."""

    ENTRIES: tuple[Entry, ...]

    def version(self) -> str:
        """Return name and version."""
        ...

    def set_up(self, case: Case, entry: Entry) -> Runner:
        """Return the engine set up for a case.

        Raises
        ------
        Unfit
            If it cannot solve the case.
        """
        ...
