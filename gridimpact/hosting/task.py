"""Some draws as one task: solved one after the other, an exception of one kept as its outcome."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from gridimpact.records.hosting import FEEDER_DTYPE, SCENARIO_DTYPE, DrawOutcome

Job = Callable[[int], DrawOutcome]
"""Solves the draw of a number; picklable where worker processes are to run it."""

PLACES = 3
"""Innermost places of a traceback that are kept."""


@dataclass(frozen=True)
class Solved:
    """What a task gives: outcomes in the order asked, and the time they took [s]."""

    outcomes: tuple[DrawOutcome, ...]
    seconds: float


@dataclass(frozen=True)
class DrawTask:
    """A job over several draws; each draw may take `timeout_s` [s], None any time."""

    job: Job
    timeout_s: float | None = None

    def __call__(self, draws: tuple[int, ...]) -> Solved:
        """Return the outcomes; never raises for what a draw does."""
        start = time.perf_counter()
        outcomes = tuple(self._solved(draw) for draw in draws)
        return Solved(outcomes, time.perf_counter() - start)

    def time_limit(self, draws: tuple[int, ...]) -> float | None:
        """Return the time all of these draws may take together [s]."""
        return None if self.timeout_s is None else self.timeout_s * len(draws)

    def _solved(self, draw: int) -> DrawOutcome:
        try:
            outcome = self.job(draw)
            if not isinstance(outcome, DrawOutcome) or outcome.draw != draw:
                message = f"the job did not give the outcome of draw {draw}"
                raise TypeError(message)
        except Exception as error:
            return failed(draw, told(error))
        return outcome


def failed(draw: int, error: str) -> DrawOutcome:
    """Return the outcome of a draw that could not be solved."""
    rows, feeders = np.empty(0, SCENARIO_DTYPE), np.empty((0, 0), FEEDER_DTYPE)
    return DrawOutcome(draw, rows, feeders, error=error)


def told(error: BaseException) -> str:
    """Return an exception and where it came from in one line, the same on every machine.

    Folders are taken out, as they differ between machines and may name a person.
    """
    # The first place is this file's own call.
    frames = traceback.extract_tb(error.__traceback__)[1:][-PLACES:]
    # A path's last part is told, whatever system it is of.
    files = (PurePath(f.filename.replace("\\", "/")).name for f in frames)
    places = " > ".join(
        f"{name}:{f.lineno} {f.name}" for name, f in zip(files, frames, strict=True)
    )
    text = re.sub(r"(?:[A-Za-z]:)?(?:[/\\][\w.~+@-]+)+[/\\]", "", " ".join(str(error).split()))
    return f"{type(error).__name__}: {text[:400]}" + (f" (at {places})" if places else "")
