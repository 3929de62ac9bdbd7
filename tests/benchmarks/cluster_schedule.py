"""A hundred thousand feeders on a cluster: what one costs, what the scheduler adds, what is stored.

Costs and overhead are measured; the cluster is simulated: one scheduler hands tasks out one after the
other, workers take the next task as they are free.
"""

from __future__ import annotations

import heapq
import time as clock

import numpy as np

FEEDERS = 100_000
SPREAD = 0.8
"""Standard deviation of the logarithm of feeders' costs: an assumption, feeders differ in size."""
WORKERS = (2, 16, 128, 1024, 4096)


def makespan_s(costs_s: np.ndarray, workers: int, overhead_s: float) -> float:
    """Return when the last task ends.

    Parameters
    ----------
    costs_s : ndarray
        (task,) time of each on a worker [s], in the order they are handed out.
    workers : int
    overhead_s : float
        Time of the scheduler for each task, in which it does nothing else [s].

    Examples
    --------
    >>> makespan_s(np.full(10, 3.0), 5, 0.0)
    6.0
    >>> round(makespan_s(np.full(10, 0.1), 10, 1.0), 9)
    10.1
    """
    free = [0.0] * workers
    heapq.heapify(free)
    handed, last = 0.0, 0.0
    for cost in costs_s.tolist():
        handed = max(handed, free[0]) + overhead_s
        end = handed + cost
        heapq.heapreplace(free, end)
        last = max(last, end)
    return last


def dask_overhead_s(tasks: int = 2000) -> float:
    """Return the time the local Dask scheduler needs for a task that does nothing [s]."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        list(executor.map(abs, range(100)))
        started = clock.perf_counter()
        for future in [executor.submit(abs, k) for k in range(tasks)]:
            future.result()
        return (clock.perf_counter() - started) / tasks


def feeders_table(feeder_s: float, bytes_stored: float) -> list[str]:
    """Return the lines of the page that tell of many feeders.

    Parameters
    ----------
    feeder_s : float
        Processor time of one feeder's scan [s].
    bytes_stored : float
        Files of one feeder's scan.
    """
    overhead = dask_overhead_s()
    rng = np.random.default_rng(1)
    costs = feeder_s * rng.lognormal(-(SPREAD**2) / 2.0, SPREAD, FEEDERS)
    lines = [
        f"Dask's local scheduler takes {1e3 * overhead:.2f} ms for an empty task (2,000 of them, two worker "
        f"processes). One feeder is one task of {feeder_s:.0f} s on the mean (the scan above), spread by a "
        f"log-normal of {SPREAD:g}; {FEEDERS:,} of them are {FEEDERS * feeder_s / 3600.0:,.0f} processor hours "
        f"and {FEEDERS * bytes_stored / 1e9:,.1f} GB of files.",
        "",
        "| workers | hours | of these waiting for the scheduler or the last task, % |",
        "|---|---|---|",
    ]
    for workers in WORKERS:
        span = makespan_s(costs, workers, overhead)
        ideal = float(costs.sum()) / workers
        lines.append(f"| {workers:,} | {span / 3600.0:,.2f} | {100.0 * (1.0 - ideal / span):.1f} |")
    return lines
