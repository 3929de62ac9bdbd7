"""Processes on this machine behind the standard Executor interface, and none behind the same interface."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from gridimpact.errors import InputError
from gridimpact.hosting.faults import WorkerDied
from gridimpact.hosting.worker_main import peak_bytes
from gridimpact.hosting.worker_process import PackedJob, WorkerProcess, pack


@dataclass(frozen=True)
class _Task:
    future: Future[Any]
    job: PackedJob
    args: tuple[Any, ...]
    limit_s: float | None


class LocalWorkers(Executor):
    """Worker processes of this machine; one that dies costs its own task and is replaced.

    A callable is sent once to each worker, then only arguments. A callable may have a method
    ``time_limit(*args)`` giving the seconds a call may take; a worker over it is ended. Workers end
    with this process, however it ends. Scripts need no ``if __name__ == "__main__"``, notebooks work.

    Parameters
    ----------
    workers : int
        Processes, at least 1; each is started when first needed.
    chunk : int or None
        Draws per task; None leaves it to the scan.

    Notes
    -----
    A future fails with `WorkerDied` or `WorkerTimeout` where its worker ended, `WorkerNotStarted` where
    none could be started; the callable's own exceptions are passed on. Pickles travel only over the
    unnamed pipes between this process and those it started.
    """

    overhead_s = 0.0003
    """Time of handing over one task, about [s]."""

    def __init__(self, workers: int, *, chunk: int | None = None) -> None:
        if workers < 1:
            message = f"workers: is {workers}, must be at least 1 (0 solves in this process)"
            raise InputError(message)
        self.workers, self.chunk = workers, chunk
        self._waiting: deque[_Task] = deque()
        self._change = threading.Condition()
        self._closed = self._stopping = False
        self._threads: list[threading.Thread] = []
        self._processes: set[WorkerProcess] = set()
        self._idle = 0
        self._last: tuple[Any, PackedJob] | None = None
        self.peak_bytes = 0
        """Most memory any worker held at once [byte]."""
        _living.add(self)

    @property
    def pids(self) -> tuple[int, ...]:
        """Numbers of the processes that run now."""
        with self._change:
            return tuple(sorted(p.pid for p in self._processes))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of ``fn(*args)``.

        Raises
        ------
        InputError
            If the callable cannot be loaded by another process.
        """
        if kwargs:
            message = "LocalWorkers.submit takes no keyword arguments of the callable"
            raise TypeError(message)
        limit = getattr(fn, "time_limit", None)
        task = _Task(Future(), self._packed(fn), args, limit(*args) if limit else None)
        with self._change:
            if self._closed:
                message = "cannot schedule new futures after shutdown"
                raise RuntimeError(message)
            self._waiting.append(task)
            if self._idle < len(self._waiting) and len(self._threads) < self.workers:
                thread = threading.Thread(target=self._serve, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let tasks end, then end the workers; with `cancel_futures` those not begun are dropped."""
        with self._change:
            self._closed = True
            dropped = list(self._waiting) if cancel_futures else []
            if cancel_futures:
                self._waiting.clear()
            self._change.notify_all()
        for task in dropped:
            task.future.cancel()
            task.future.set_running_or_notify_cancel()
        if wait:
            for thread in self._threads:
                thread.join()

    def stop(self) -> None:
        """End every worker now; tasks under way fail, none is left behind."""
        self.shutdown(wait=False, cancel_futures=True)
        with self._change:
            self._stopping = True
            for process in self._processes:
                process.kill()
        for thread in self._threads:
            thread.join()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the tasks, or end the workers at once if an error (Ctrl-C) is under way."""
        if kind is None:
            self.shutdown(wait=True)
        else:
            self.stop()

    def _packed(self, fn: Callable[..., Any]) -> PackedJob:
        if self._last is None or self._last[0] is not fn:
            self._last = (fn, pack(fn))
        return self._last[1]

    def _next(self) -> _Task | None:
        with self._change:
            self._idle += 1
            while not self._waiting and not self._closed:
                self._change.wait()
            self._idle -= 1
            return self._waiting.popleft() if self._waiting else None

    def _serve(self) -> None:
        """Be the owner of one worker process after another; the threads do nothing but wait for them."""
        process: WorkerProcess | None = None
        try:
            while (task := self._next()) is not None:
                if not task.future.set_running_or_notify_cancel():
                    continue
                try:
                    if process is None:
                        process = self._started()
                    value = process.call(task.job, task.args, task.limit_s)
                except WorkerDied as error:
                    self._ended(process)
                    process = None
                    task.future.set_exception(error)
                except BaseException as error:
                    task.future.set_exception(error)
                else:
                    self.peak_bytes = max(self.peak_bytes, process.peak_bytes)
                    task.future.set_result(value)
        finally:
            self._ended(process)

    def _started(self) -> WorkerProcess:
        process = WorkerProcess()
        with self._change:
            self._processes.add(process)
            if self._stopping:
                process.kill()
        return process

    def _ended(self, process: WorkerProcess | None) -> None:
        if process is None:
            return
        process.end()
        with self._change:
            self._processes.discard(process)


class InProcess(Executor):
    """The calling process itself behind the Executor interface: each task is done when it is given.

    Nothing protects it: a task that dies ends the scan, and no time limit is kept.
    """

    workers, window, overhead_s, chunk = 1, 1, 0.0, 1

    @property
    def peak_bytes(self) -> int:
        """Most memory this process held at once [byte]."""
        return peak_bytes()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the finished future of ``fn(*args)``; Ctrl-C passes through."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


_living: weakref.WeakSet[LocalWorkers] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """End workers that nobody shut down, as their owners' threads end with the interpreter."""
    for executor in list(_living):
        executor.stop()
