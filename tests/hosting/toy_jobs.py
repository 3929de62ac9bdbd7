"""Jobs that worker processes of the tests can import: they answer, die, hang or raise."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridimpact.records.hosting import FEEDER_DTYPE, SCENARIO_DTYPE, DrawOutcome


def outcome_of(draw: int) -> DrawOutcome:
    """Return an outcome that is a function of the draw's number alone."""
    rng = np.random.default_rng(np.random.SeedSequence([7, draw]))
    rows = np.zeros(3, SCENARIO_DTYPE)
    rows["draw"], rows["cars"] = draw, [0, 10, 20]
    rows["vm_min_pu"], rows["line_percent"] = rng.random(3), np.nan
    feeders = np.zeros((3, 2), FEEDER_DTYPE)
    feeders["voltage_margin_pu"] = rng.random((3, 2))
    return DrawOutcome(draw, rows, feeders, sessions_sha256=f"{draw:064x}")


@dataclass(frozen=True)
class Toy:
    """Answers after some milliseconds; one draw may do worse, always or only while a file is not there."""

    pause_s: float = 0.0
    bad: int = -1
    deed: str = ""
    once: str = ""

    def __call__(self, draw: int) -> DrawOutcome:
        if draw == self.bad and not (self.once and self.done_before()):
            self.misbehave()
        if self.pause_s:
            time.sleep(self.pause_s * random.random())
        return outcome_of(draw)

    def done_before(self) -> bool:
        mark = Path(self.once)
        if mark.exists():
            return True
        mark.touch()
        return False

    def misbehave(self) -> None:
        if self.deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "exit":
            os._exit(3)
        if self.deed == "hang":
            time.sleep(3600)
        if self.deed == "raise":
            message = f"no such bus in /home/someone/nets/{Path(__file__).name}"
            raise ValueError(message)
