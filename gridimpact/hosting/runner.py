"""Running the draws of a scan: on any executor, look by look, stored as they come, whatever dies."""

from __future__ import annotations

import itertools
import queue
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from tqdm import tqdm

from gridimpact.errors import GridImpactError, InputError
from gridimpact.hosting.faults import WorkerDied, WorkerTimeout
from gridimpact.hosting.journal import Journal
from gridimpact.hosting.task import DrawTask, Job, Solved, failed
from gridimpact.records.hosting import DrawOutcome

PER_WORKER = 4
"""Tasks handed over per worker at a time, so that none waits for the main process."""
LARGEST_CHUNK = 64
SHARE = 0.01
"""Share of the time that handing over may take; draws are bundled until it does not take more."""
LOG_EVERY_S = 30.0
"""Between two lines of progress where there is no terminal [s]."""
HOPELESS = 20
"""When the first so many draws all fail, the scan is stopped: its set-up is wrong, not its draws."""

Enough = Callable[[Sequence[DrawOutcome]], bool]


def run_draws(
    job: Job,
    looks: Sequence[int],
    *,
    executor: Executor,
    enough: Enough,
    journal: Journal | None = None,
    retries: int = 2,
    timeout_s: float | None = None,
    progress: bool | None = None,
) -> dict[int, DrawOutcome]:
    """Solve draws 0, 1, 2, ... until a planned look at them says that they are enough.

    Parameters
    ----------
    job : callable
        ``job(draw) -> DrawOutcome``, a pure function of the draw's number.
    looks : sequence of int
        Numbers of draws at which to look, rising; the last is the most there will be.
    executor : concurrent.futures.Executor
        `LocalWorkers`, `InProcess`, `cluster_executor`, or any other. Attributes ``workers``, ``window`` (tasks under
        way), ``chunk`` (draws per task) and ``overhead_s`` (handing over one task [s]) are heeded where there are any,
        and a method ``require_alive`` that raises when nothing more will come.
    enough : callable
        Given the outcomes of draws 0 .. N - 1 in order; True ends the scan.
    journal : Journal, optional
        Stores each draw as it comes and gives those of an earlier run. It is settled at the end.
    retries : int
        How often a draw is tried again whose worker died or hung.
    timeout_s : float, optional
        Longest time of one draw [s]; kept by executors that can end a worker. A worker's first draw also loads
        compiled code, or compiles it where that was never done: leave it a minute or more.
    progress : bool, optional
        Whether to draw a bar; None does so on a terminal.

    Returns
    -------
    dict of int to DrawOutcome
        Draws 0 .. N - 1 in order, N the look that was enough, else the last. A draw that could not be
        solved has its reason in `error`.

    Raises
    ------
    InputError
        If the looks do not rise, or the job cannot be sent to workers.
    GridImpactError
        If the first 20 draws all fail, or no worker can be started.
    StorageError
        If the journal cannot be written.
    KeyboardInterrupt
        On Ctrl-C, saying how to go on. Workers are ended.

    Notes
    -----
    No draw beyond the look under way is begun, and no outcome depends on executor, chunk or order. An exception
    inside a draw is recorded at once, since a draw gives the same again. Draws that failed in an
    earlier run are tried again by a resumed one.
    """
    planned = _planned(looks)
    known = {} if journal is None else dict(journal.outcomes)
    found = {d: o for d, o in known.items() if d < planned[-1] and not o.error}
    round_ = _Round(DrawTask(job, timeout_s), executor, journal, found, retries)
    bar = tqdm(
        desc="draws",
        unit="draw",
        initial=sum(d < planned[0] for d in found),
        total=planned[0],
        disable=None if progress is None else not progress,
        # A log is not to be filled with bars.
        mininterval=0.1 if sys.stderr.isatty() else LOG_EVERY_S,
    )
    try:
        with bar:
            for number in planned:
                bar.total = number
                round_.solve(number, bar)
                if enough([found[d] for d in range(number)]):
                    break
        if journal is not None:
            journal.settle()
    except KeyboardInterrupt:
        round_.abandon()
        raise KeyboardInterrupt(_how_to_go_on(journal, len(found))) from None
    except BaseException:
        round_.abandon()
        raise
    return {d: found[d] for d in range(number)}


class _Round:
    """Tasks under way and draws that wait, for one executor."""

    def __init__(
        self,
        task: DrawTask,
        executor: Executor,
        journal: Journal | None,
        found: dict[int, DrawOutcome],
        retries: int,
    ) -> None:
        self._task, self._executor, self._journal = task, executor, journal
        self._found, self._retries = found, retries
        self._waiting: deque[int] = deque()
        self._open: dict[Future[Any], tuple[int, ...]] = {}
        self._done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._deaths: dict[int, int] = {}
        """Draws to be solved alone, and how often their worker died when they were."""
        self._pace = 0.0
        """Mean time of a draw so far [s], and of how many."""
        self._counted = self._failures = 0
        self._workers = _workers(executor)
        self._window = int(getattr(executor, "window", PER_WORKER * self._workers))

    def solve(self, number: int, bar: tqdm[Any]) -> None:
        """Solve what is missing of draws 0 .. number - 1."""
        self._waiting.extend(d for d in range(number) if d not in self._found)
        while self._waiting or self._open:
            while self._waiting and len(self._open) < self._window:
                self._hand_over()
            future = self._next_done()
            for outcome in self._outcomes(future, self._open.pop(future)):
                if self._journal is not None:
                    self._journal.append(outcome)
                self._found[outcome.draw] = outcome
                self._failures += bool(outcome.error)
                if self._failures:
                    bar.set_postfix(failed=self._failures, refresh=False)
                bar.update()
            self._refuse_hopeless()

    def abandon(self) -> None:
        """Let go of what is under way; workers are ended where the executor can."""
        for future in self._open:
            future.cancel()
        stop = getattr(self._executor, "stop", None)
        if stop is not None:
            stop()

    def _hand_over(self) -> None:
        draws = [self._waiting.popleft()]
        if draws[0] not in self._deaths:
            room = self._chunk() - 1
            while room > 0 and self._waiting and self._waiting[0] not in self._deaths:
                draws.append(self._waiting.popleft())
                room -= 1
        future = self._executor.submit(self._task, tuple(draws))
        self._open[future] = tuple(draws)
        future.add_done_callback(self._done.put)

    def _chunk(self) -> int:
        """Return how many draws to bundle: as few as keep the cost of handing over small."""
        given = getattr(self._executor, "chunk", None)
        if given is not None:
            return int(given)
        overhead = float(getattr(self._executor, "overhead_s", 0.0))
        if not self._counted or not overhead:
            return 1
        wanted = overhead / SHARE / max(self._pace, 1e-6)
        # Towards the end small bundles keep all workers busy.
        fair = len(self._waiting) / (2 * self._workers)
        return int(max(1.0, min(wanted + 0.5, fair, LARGEST_CHUNK)))

    def _next_done(self) -> Future[Any]:
        while True:
            try:
                # Waking now and then lets Ctrl-C through on every system.
                return self._done.get(timeout=1.0)
            except queue.Empty:
                alive = getattr(self._executor, "require_alive", None)
                if alive is not None:
                    alive()

    def _outcomes(self, future: Future[Any], draws: tuple[int, ...]) -> tuple[DrawOutcome, ...]:
        """Return a task's outcomes; what its worker's death left undone waits again."""
        try:
            solved: Solved = future.result()
        except (WorkerDied, CancelledError) as error:
            return self._after_death(draws, error)
        except GridImpactError:
            raise
        except Exception as error:
            message = (
                f"a task failed outside its draws ({type(error).__name__}: {error}) -> see that this package and the"
                " modules of own strategies are on every worker, in the same versions"
            )
            raise InputError(message) from error
        self._counted += len(draws)
        self._pace += (solved.seconds - self._pace * len(draws)) / self._counted
        return solved.outcomes

    def _after_death(self, draws: tuple[int, ...], error: BaseException) -> tuple[DrawOutcome, ...]:
        if len(draws) > 1:
            # Nobody knows whose fault it was, so that each is tried alone from here on.
            self._deaths.update(dict.fromkeys(draws, 0))
            self._waiting.extendleft(reversed(draws))
            return ()
        draw = draws[0]
        self._deaths[draw] = times = self._deaths.get(draw, 0) + 1
        if times <= self._retries:
            self._waiting.appendleft(draw)
            return ()
        often = "once" if times == 1 else f"{times} times"
        if isinstance(error, WorkerTimeout):
            return (failed(draw, f"no result after {error.limit_s:g} s, {often}"),)
        return (failed(draw, f"worker died {often}"),)

    def _refuse_hopeless(self) -> None:
        first = [self._found.get(d) for d in range(HOPELESS)]
        if first[0] is None or not all(o is not None and o.error for o in first):
            return
        message = f"the first {HOPELESS} draws all failed; draw 0: {first[0].error}"
        raise GridImpactError(message)


def _planned(looks: Sequence[int]) -> tuple[int, ...]:
    planned = tuple(int(n) for n in looks)
    if not planned or planned[0] < 1 or any(b <= a for a, b in itertools.pairwise(planned)):
        message = f"looks: is {planned}, must be numbers of draws that rise from at least 1"
        raise InputError(message)
    return planned


def _workers(executor: Executor) -> int:
    return int(getattr(executor, "workers", getattr(executor, "_max_workers", 1)))


def _how_to_go_on(journal: Journal | None, solved: int) -> str:
    if journal is None:
        return f"stopped after {solved} draws, which are not stored; out=FOLDER stores them"
    number, folder = len(journal.outcomes), journal.folder.name
    return f"stopped; {number} draws are safe in folder {folder!r}, resume=True (--resume) goes on from there"
