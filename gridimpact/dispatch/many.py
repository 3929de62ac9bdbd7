"""Many plans at once: the scenarios of a scan, each by itself, on all processors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest

AHEAD = 4
"""Requests taken ahead of the one awaited, for each worker."""


def plan_many(
    strategy: Strategy, requests: Iterable[PlanRequest], *, workers: int = 1
) -> list[Dispatch]:
    """Return the dispatch of every request, in the order of the requests.

    Parameters
    ----------
    strategy : Strategy
        One strategy for all.
    requests : iterable of PlanRequest
        Scenarios; taken a few ahead of the plans, so they may be made on the way.
    workers : int
        Threads; compiled code runs beside that of the other threads. Each plan is made by one thread
        alone, so that the same bytes result for any number.

    Returns
    -------
    list of Dispatch
        One per request.

    Raises
    ------
    InputError
        If `workers` is below 1, or whatever the first request in order that fails raises.

    Examples
    --------
    >>> from gridimpact.dispatch.uncontrolled import Uncontrolled
    >>> plan_many(Uncontrolled(), [])
    []
    """
    return list(plans(strategy, requests, workers=workers))


def plans(
    strategy: Strategy, requests: Iterable[PlanRequest], *, workers: int = 1
) -> Iterator[Dispatch]:
    """Give the dispatch of one request after the other, as `plan_many`, without keeping them.

    Raises
    ------
    InputError
        If `workers` is below 1.
    """
    if workers < 1:
        message = f"workers is {workers}, give 1 or more"
        raise InputError(message)
    if workers == 1:
        return (strategy.plan(request) for request in requests)
    return _in_threads(strategy, iter(requests), workers)


def _in_threads(
    strategy: Strategy, requests: Iterator[PlanRequest], workers: int
) -> Iterator[Dispatch]:
    """Give the dispatches in order from a pool of threads."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = []
        for request in requests:
            waiting.append(pool.submit(strategy.plan, request))
            if len(waiting) > AHEAD * workers:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
