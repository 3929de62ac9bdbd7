"""What is measured on this project's engine alone: a year, and the start of a process."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time as clock
from typing import Any

import numpy as np

from tests.benchmarks.cases import build, plan_named
from tests.benchmarks.peers import ours
from tests.benchmarks.race import Say

YEAR = ("lv_urban6", 35_040)


def _spent(runner: Any, power: Any) -> float:
    gc.collect()
    begin = clock.perf_counter()
    runner.run(power)
    return clock.perf_counter() - begin


def year(rounds: int) -> tuple[float, float]:
    """Return median and shortest wall clock [s] of a year of the 59-bus feeder on two threads."""
    name, steps = YEAR
    case = build(plan_named(name))
    runner = ours.set_up(
        case, next(e for e in ours.ENTRIES if e.name == "gridimpact 2 threads float32")
    )
    power = runner.prepare(*case.power(steps))
    runner.run(power)
    took = [_spent(runner, power) for _ in range(rounds)]
    return float(np.median(took)), min(took)


_START = """
import json, time
begin = time.perf_counter()
import gridimpact as gi
imported = time.perf_counter()
net = gi.open_network("kerber_village")
opened = time.perf_counter()
import numpy as np
from gridimpact.powerflow import FlowOptions, solve
from gridimpact.records import Injections
at = np.flatnonzero(net.grid.bus_supplied)[-50:]
one = np.ones((1, 96, len(at)))
given = Injections(gi.Timeline(np.datetime64("2016-01-01"), 900, 96), at, one, 0.3 * one,
                   np.full((len(at), 3), 1 / 3), np.zeros((len(at), 2)), np.zeros((len(at), 2)))
ready = time.perf_counter()
solve(net, given)
solved = time.perf_counter()
solve(net, given)
again = time.perf_counter()
print(json.dumps([imported - begin, opened - imported, solved - ready, again - solved]))
"""


def start(rounds: int, say: Say) -> dict[str, float]:
    """Return what a new process waits for, compiled code being there: medians [s]."""
    took = []
    for turn in range(rounds + 1):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _START],
            capture_output=True,
            text=True,
            check=True,
        )
        if turn:
            took.append(json.loads(done.stdout.strip().splitlines()[-1]))
        say(f"start of a process: {turn} of {rounds}")
    names = ("import", "open network", "first solve", "second solve")
    return dict(zip(names, np.median(np.array(took), axis=0).tolist(), strict=True))
