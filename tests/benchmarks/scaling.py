"""What a second thread brings, beside what the machine gives to two copies that share nothing."""

from __future__ import annotations

import gc
import multiprocessing
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.peers import ours

SCALED = (
    ("lv_urban6", 35_040),
    ("mv_semiurb", 35_040),
    ("european_lv", 10_752),
    ("european_lv_3ph", 10_752),
)
"""Cases whose threads are compared, and their lanes."""

_ROUNDS = 60
"""Of some tenths of a second each: what a neighbour of the machine takes away changes by the second."""


@dataclass(frozen=True)
class Threads:
    """Wall clock of two threads against one."""

    case: str
    lanes: int
    one_s: float
    """Median, as the next."""
    two_s: float
    gain: float
    """Median of the ratios of neighbouring runs."""
    gain_of_least: float
    """Shortest run of one thread over the shortest of two: where nobody else was at work."""
    copies_gain: float
    """Median of what two processes gain that solve the same at once and share nothing."""
    copies_gain_of_least: float
    cpu_gain: float
    """CPU time of one thread over that of two: below 1 where two threads cost more in all."""


def measure(case: Case, lanes: int) -> Threads:
    """Return what the second thread brings, results stored as float32.

    Each round runs one thread, a copy of it in another process at the same time, two threads, and
    one thread again.
    """
    entries = {entry.name: entry for entry in ours.ENTRIES}
    one, two = (
        ours.set_up(case, entries[name])
        for name in ("gridimpact float32", "gridimpact 2 threads float32")
    )
    power = one.prepare(*case.power(lanes))
    rounds = []
    with _copy(lambda: one.run(power)) as both:
        steps = (lambda: one.run(power), both, lambda: two.run(power), lambda: one.run(power))
        for turn in range(_ROUNDS + 1):
            gc.collect()
            spent = [_spent(step) for step in steps]
            if turn:
                rounds.append(spent)
    wall, cpu = np.moveaxis(np.array(rounds), 2, 0)
    alone, least = (wall[:, 0] + wall[:, 3]) / 2.0, wall.min(axis=0)
    shortest = min(least[0], least[3])
    return Threads(
        case=case.name,
        lanes=lanes,
        one_s=float(np.median(alone)),
        two_s=float(np.median(wall[:, 2])),
        gain=float(np.median(alone / wall[:, 2])),
        gain_of_least=float(shortest / least[2]),
        copies_gain=float(np.median(2.0 * alone / wall[:, 1])),
        copies_gain_of_least=float(2.0 * shortest / least[1]),
        cpu_gain=float(np.median((cpu[:, 0] + cpu[:, 3]) / 2.0 / cpu[:, 2])),
    )


def _spent(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = clock.perf_counter(), clock.process_time()
    run()
    return clock.perf_counter() - wall, clock.process_time() - cpu


@contextmanager
def _copy(run: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Yield what runs here and in a copy of this process at once, until both are done."""
    here, there = multiprocessing.Pipe()
    copy = multiprocessing.get_context("fork").Process(target=_serve, args=(there, run))
    copy.start()

    def both() -> None:
        here.send(True)
        run()
        here.recv()

    try:
        both()
        yield both
    finally:
        here.send(False)
        copy.join()


def _serve(calls: Connection, run: Callable[[], Any]) -> None:
    while calls.recv():
        run()
        calls.send(True)
