"""Lanes as the compiled kernels take them, and their blocks shared out over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread

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


_FINER = 4
"""Shares end this many times smaller than what is worth a worker, so that all end together."""


def as_batch(injections: Injections) -> Batch:
    """Return the power of all lanes, scenario after scenario, (lane, element) [kW] and [kvar]."""
    scenarios, steps, elements = injections.p_kw.shape
    shape = (scenarios * steps, elements)
    return Batch(*(frozen(v).reshape(shape) for v in (injections.p_kw, injections.q_kvar)))


def share_out(solve: Callable[[int, int], None], blocks: int, least: int, threads: int) -> None:
    """Share blocks of lanes out; which thread solves a block changes nothing in it.

    Parameters
    ----------
    solve : callable
        Solves the blocks from one number up to another one.
    blocks : int
        Blocks in all.
    least : int
        Fewest blocks that are worth a worker.
    threads : int
        Most workers, 0 for the cores this process may use.

    Notes
    -----
    Cores are seldom equally fast, so each worker takes the next share when it is done with one.
    """
    workers = max(1, min(threads or _cores(), blocks // least))
    if workers == 1:
        solve(0, blocks)
        return
    left = iter(shares(blocks, workers, max(1, least // _FINER)))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for begin, end in left:
                if failed:
                    return
                solve(begin, end)
        except BaseException as error:
            failed.append(error)

    # Made for this call: a pool would outlive it, and a process with threads is not safe to fork.
    others = [Thread(target=work) for _ in range(workers - 1)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()
    if failed:
        raise failed[0]


def shares(blocks: int, workers: int, least: int) -> list[tuple[int, int]]:
    """Return shares of blocks, first and behind the last: each half of what would be left to a worker.

    Large ones first, for few calls; small ones last, so that no worker waits long for another.
    """
    found, begin = [], 0
    while begin < blocks:
        end = min(blocks, begin + max(least, (blocks - begin) // (2 * workers)))
        found.append((begin, end))
        begin = end
    return found


def _cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
