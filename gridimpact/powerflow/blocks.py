"""Lanes as the compiled kernels take them, and their blocks shared out over threads."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gridimpact.powerflow.layout import Batch
from gridimpact.records import FloatArray, Injections


def frozen(values: FloatArray) -> FloatArray:
    """Return a read-only contiguous view or copy.

    The compiled code is built for this one array type, whether the caller's array may be written
    to or not.
    """
    view = np.ascontiguousarray(values, dtype=np.float64).view()
    view.flags.writeable = False
    return view


_SHARES = 8
"""Shares per worker: few enough to cost nothing, many enough that all end together."""


def as_batch(injections: Injections) -> Batch:
    """Return the power of all lanes, scenario after scenario, (lane, element) [kW] and [kvar]."""
    scenarios, steps, elements = injections.p_kw.shape
    shape = (scenarios * steps, elements)
    return Batch(*(frozen(v).reshape(shape) for v in (injections.p_kw, injections.q_kvar)))


def share_out(solve: Callable[[int, int], None], worth: int, threads: int) -> None:
    """Share blocks of lanes out; which thread solves a block changes nothing in it.

    Parameters
    ----------
    solve : callable
        Called with a share's number and the number of shares; solves the blocks of that share.
    worth : int
        Shares that bring more than they cost.
    threads : int
        Most workers, 0 for the cores this process may use.

    Notes
    -----
    Cores are seldom equally fast, so each worker takes the next share when it is done with one.
    """
    workers = max(1, min(threads or _cores(), worth))
    if workers == 1:
        solve(0, 1)
        return
    shares = min(_SHARES * workers, worth)
    taken = itertools.count()

    def work() -> None:
        while (number := next(taken)) < shares:
            solve(number, shares)

    # Threads that waited for work would wake on the core of the one that calls; new ones are placed.
    with ThreadPoolExecutor(workers - 1) as pool:
        jobs = [pool.submit(work) for _ in range(workers - 1)]
        work()
        for job in jobs:
            job.result()


def _cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
