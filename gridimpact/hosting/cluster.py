"""Draws on many machines: a Dask distributed scheduler behind the standard Executor interface."""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from gridimpact.errors import GridImpactError, InputError, MissingExtra
from gridimpact.hosting.faults import WorkerDied

CONNECT_S = 10.0
"""Longest time to wait for a scheduler to answer [s]."""


def cluster_executor(
    address: str, *, chunk: int | None = None, security: Any = None, wait_s: float = 60.0
) -> ClusterExecutor:
    """Return an executor whose tasks run on the workers of a Dask scheduler.

    Parameters
    ----------
    address : str
        Of a running scheduler, as ``tcp://host:8786``; ``tls://host:8786`` for an encrypted one.
    chunk : int, optional
        Draws per task; None bundles as many as keep the scheduler's share of the time small.
    security : distributed.Security, optional
        Certificates of a ``tls://`` scheduler; None takes those of Dask's configuration.
    wait_s : float
        Longest time to wait for the scheduler and a first worker [s].

    Returns
    -------
    ClusterExecutor

    Raises
    ------
    MissingExtra
        If ``distributed`` is not installed.
    InputError
        If no scheduler with a worker answers at the address.

    Notes
    -----
    **Trust.** Scheduler and workers run what they are sent: they unpickle it. A scheduler without TLS does so for
    anybody who reaches its port, so use ``tcp://`` only inside a network you trust (a machine, a cluster's own network,
    a tunnel) and ``tls://`` elsewhere. This package and the modules of own strategies must be
    importable on the workers, in the same versions.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        message = "a cluster needs the package distributed: pip install 'gridimpact[cluster]'"
        raise MissingExtra(message) from error
    try:
        client = distributed.Client(
            address, security=security, timeout=min(wait_s, CONNECT_S), set_as_default=False
        )
    except (OSError, ValueError, TypeError) as error:
        message = (
            f"cluster: no Dask scheduler answers at {address!r} ({type(error).__name__}: {error}) -> start one with "
            "`dask scheduler` and give the address it prints"
        )
        raise InputError(message) from error
    try:
        client.wait_for_workers(1, timeout=wait_s)
    except TimeoutError as error:
        client.close()
        message = f"cluster: the scheduler at {address!r} has no workers after {wait_s:g} s -> start some with `dask worker {address}`"
        raise InputError(message) from error
    return ClusterExecutor(client, chunk=chunk)


class ClusterExecutor(Executor):
    """A Dask client as an Executor that sends a callable once, not with every task.

    The scheduler itself gives a task to another worker when one dies, three times unless its setting
    ``distributed.scheduler.allowed-failures`` says otherwise; beyond it the future fails with `WorkerDied`. It counts
    against every task that waits at a worker, so that innocent ones may fail so; the scan tries each again.
    A callable's ``time_limit(*args)`` is kept by the worker itself, which ends when a call takes longer; that
    counts as its death.

    Parameters
    ----------
    client : distributed.Client
        Connected; closed by `shutdown`.
    chunk : int or None
        Draws per task; None leaves it to the scan.
    """

    overhead_s = 0.005
    """Time of the scheduler, the client and the worker for one task, about [s]."""

    def __init__(self, client: Any, *, chunk: int | None = None) -> None:
        self._client, self.chunk = client, chunk
        self._pool: Executor = client.get_executor(pure=False)
        self._last: tuple[Any, Any] | None = None
        self._closed = False

    @property
    def workers(self) -> int:
        """Threads of all workers now."""
        return max(1, int(sum(self._client.nthreads().values())))

    @property
    def peak_bytes(self) -> int:
        """Most memory any worker held when it last said so [byte]."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max((int(w["metrics"].get("memory", 0)) for w in workers), default=0)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of ``fn(*args)``.

        Raises
        ------
        GridImpactError
            If the scheduler no longer answers.
        """
        if kwargs:
            message = "ClusterExecutor.submit takes no keyword arguments of the callable"
            raise TypeError(message)
        self.require_alive()
        if self._last is None or self._last[0] is not fn:
            self._last = (fn, self._sent(fn))
        inner = self._pool.submit(_call, self._last[1], *args)
        outer: Future[Any] = Future()
        outer.set_running_or_notify_cancel()
        inner.add_done_callback(lambda done: _pass_on(done, outer))
        return outer

    def require_alive(self) -> None:
        """Raise GridImpactError if the scheduler no longer answers, as its tasks are lost then."""
        if self._client.status != "running":
            message = "the cluster's scheduler no longer answers; stored draws stay, resume=True (--resume) goes on with them"
            raise GridImpactError(message)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let tasks end, or drop them, and take leave of the scheduler."""
        if self._closed:
            return
        self._closed = True
        self._pool.shutdown(wait=wait and not cancel_futures)
        self._last = None
        self._client.close()

    def stop(self) -> None:
        """Drop what is under way and take leave of the scheduler."""
        self.shutdown(wait=False, cancel_futures=True)

    def _sent(self, fn: Callable[..., Any]) -> Any:
        """Return the callable as a result on the cluster, made anew by it when a worker that held it dies."""
        with warnings.catch_warnings():
            # One large task is meant here: it is sent once.
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self._client.submit(_given, fn, pure=False)


def _given(fn: Any) -> Any:
    return fn


def _call(fn: Callable[..., Any], *args: Any) -> Any:
    """Run on a worker, which ends itself when it takes too long."""
    limit = getattr(fn, "time_limit", None)
    limit_s = limit(*args) if limit else None
    if limit_s is None:
        return fn(*args)
    clock = threading.Timer(limit_s, os._exit, (1,))
    clock.daemon = True
    clock.start()
    try:
        return fn(*args)
    finally:
        clock.cancel()


def _pass_on(done: Future[Any], outer: Future[Any]) -> None:
    """Give a finished task's result on; a death in the scheduler's words in ours."""
    if done.cancelled():
        outer.set_exception(WorkerDied("the cluster lost the task"))
        return
    error = done.exception()
    if error is None:
        outer.set_result(done.result())
    elif type(error).__name__ == "KilledWorker" or isinstance(error, CancelledError):
        outer.set_exception(WorkerDied("workers of the cluster died over the task"))
    else:
        outer.set_exception(error)
