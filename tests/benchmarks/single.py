"""What is measured on this project's engine alone: threads, a year, and the start of a process."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time as clock
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case, build, plan_named
from tests.benchmarks.peers import ours
from tests.benchmarks.race import Say

SCALED = (
    ("lv_urban6", 35_040),
    ("mv_semiurb", 35_040),
    ("european_lv", 10_752),
    ("european_lv_3ph", 10_752),
)
"""Cases whose threads are compared, and their lanes."""

YEAR = ("lv_urban6", 35_040)


@dataclass(frozen=True)
class Threads:
    """Wall clock of two threads against one."""

    case: str
    lanes: int
    one_s: float
    two_s: float
    gain: float
    """Median of the ratios of neighbouring runs."""
    cpu_gain: float
    """CPU time of one thread over that of two: below 1 where two threads cost more in all."""


def threads(case: Case, lanes: int, rounds: int) -> Threads:
    """Return what the second thread brings, results stored as float32."""
    entries = {entry.name: entry for entry in ours.ENTRIES}
    runners = [
        ours.set_up(case, entries[name])
        for name in ("gridimpact float32", "gridimpact 2 threads float32")
    ]
    power = runners[0].prepare(*case.power(lanes))
    took: list[list[tuple[float, float]]] = [[], []]
    for turn in range(rounds + 1):
        for k, runner in enumerate(runners):
            spent = _spent(runner, power)
            if turn:
                took[k].append(spent)
    one, two = np.array(took[0]), np.array(took[1])
    gain = np.median(one / two, axis=0)
    wall = [float(np.median(part[:, 0])) for part in (one, two)]
    return Threads(case.name, lanes, wall[0], wall[1], float(gain[0]), float(gain[1]))


def _spent(runner: Any, power: Any) -> tuple[float, float]:
    gc.collect()
    wall, cpu = clock.perf_counter(), clock.process_time()
    runner.run(power)
    return clock.perf_counter() - wall, clock.process_time() - cpu


def year(rounds: int) -> tuple[float, float]:
    """Return median and shortest wall clock [s] of a year of the 59-bus feeder on two threads."""
    name, steps = YEAR
    case = build(plan_named(name))
    runner = ours.set_up(
        case, next(e for e in ours.ENTRIES if e.name == "gridimpact 2 threads float32")
    )
    power = runner.prepare(*case.power(steps))
    runner.run(power)
    took = [_spent(runner, power)[0] for _ in range(rounds)]
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
