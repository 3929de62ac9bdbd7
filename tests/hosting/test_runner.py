"""Draws are solved up to the look that is enough, each once, in any order, with the same outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gridimpact.errors import GridImpactError, InputError
from gridimpact.hosting.faults import WorkerDied, WorkerTimeout
from gridimpact.hosting.journal import NAME, Journal
from gridimpact.hosting.local_workers import InProcess
from gridimpact.hosting.runner import run_draws
from gridimpact.records.hosting import DrawOutcome
from tests.hosting.toy_jobs import Toy, outcome_of


class Counting:
    """A toy that remembers what it was asked."""

    def __init__(self, **options: Any) -> None:
        self.toy, self.asked = Toy(**options), list[int]()

    def __call__(self, draw: int) -> DrawOutcome:
        self.asked.append(draw)
        return self.toy(draw)


class Dying(Executor):
    """Loses the task that holds a draw, so and so often; hands over bundles of a size."""

    def __init__(self, draw: int, deaths: int, chunk: int, error: WorkerDied) -> None:
        self.draw, self.deaths, self.chunk, self.error = draw, deaths, chunk, error
        self.tasks: list[tuple[int, ...]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks.append(args[0])
        future: Future[Any] = Future()
        if self.draw in args[0] and self.deaths > 0:
            self.deaths -= 1
            future.set_exception(self.error)
        else:
            future.set_result(fn(*args))
        return future


def never(outcomes: Sequence[DrawOutcome]) -> bool:
    return False


def settled(folder: Path, executor: Executor, job: Any = None, count: int = 25) -> str:
    with executor as pool, Journal(folder, {"scan": 1}) as journal:
        run_draws(job or Toy(), (count,), executor=pool, enough=never, journal=journal)
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()


def test_draws_are_looked_at_in_order_and_none_is_begun_beyond_the_look() -> None:
    job, seen = Counting(), list[list[int]]()

    def enough(outcomes: Sequence[DrawOutcome]) -> bool:
        seen.append([o.draw for o in outcomes])
        assert max(job.asked) + 1 == len(outcomes)
        return len(outcomes) == 9

    found = run_draws(job, (4, 9, 30), executor=InProcess(), enough=enough)
    assert seen == [list(range(4)), list(range(9))]
    assert list(found) == list(range(9))
    assert sorted(job.asked) == list(range(9))


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_order_of_completion_and_bundling_leave_the_bytes_as_they_are(
    tmp_path: Path, chunk: int
) -> None:
    pool = ThreadPoolExecutor(4)
    pool.chunk = chunk  # type: ignore[attr-defined]
    shuffled = settled(tmp_path / "shuffled", pool, Toy(pause_s=0.002))
    assert shuffled == settled(tmp_path / "straight", InProcess())


def test_draws_are_bundled_only_as_far_as_handing_over_costs() -> None:
    pool = Dying(-1, 0, 1, WorkerDied())
    del pool.chunk
    pool.overhead_s = 1e-3  # type: ignore[attr-defined]
    run_draws(Toy(), (300,), executor=pool, enough=never)
    sizes = [len(t) for t in pool.tasks]
    assert sizes[0] == 1
    assert max(sizes) > 8
    assert sizes[-1] == 1
    slow = Dying(-1, 0, 1, WorkerDied())
    del slow.chunk
    slow.overhead_s = 1e-6  # type: ignore[attr-defined]
    run_draws(Toy(pause_s=0.002), (40,), executor=slow, enough=never)
    assert {len(t) for t in slow.tasks} == {1}


def test_an_exception_is_the_draws_outcome_at_once_and_names_no_folder() -> None:
    job = Counting(bad=3, deed="raise")
    found = run_draws(job, (6,), executor=InProcess(), enough=never)
    assert job.asked.count(3) == 1
    assert found[3].error.startswith("ValueError: no such bus in toy_jobs.py (at ")
    assert "misbehave" in found[3].error
    assert "/" not in found[3].error
    assert found[3].rows.dtype == outcome_of(0).rows.dtype
    assert [d for d, o in found.items() if o.error] == [3]


def test_a_job_that_answers_for_another_draw_is_not_believed() -> None:
    found = run_draws(lambda draw: outcome_of(0), (2,), executor=InProcess(), enough=never)
    assert not found[0].error
    assert "did not give the outcome of draw 1" in found[1].error


@pytest.mark.parametrize("chunk", [1, 5])
@pytest.mark.parametrize(
    ("error", "text"),
    [(WorkerDied(), "worker died 3 times"), (WorkerTimeout(60), "no result after 60 s, 3 times")],
)
def test_a_draw_whose_worker_dies_is_tried_three_times_and_costs_no_other(
    chunk: int, error: WorkerDied, text: str
) -> None:
    # A bundle that dies does not count: nobody knows whose fault it was.
    pool = Dying(7, 3 + (chunk > 1), chunk, error)
    found = run_draws(Toy(), (20,), executor=pool, enough=never)
    assert {d: o.error for d, o in found.items() if o.error} == {7: text}
    assert pool.tasks.count((7,)) == 3
    again = Dying(7, 2 + (chunk > 1), chunk, error)
    found = run_draws(Toy(), (20,), executor=again, enough=never)
    assert not any(o.error for o in found.values())


def test_a_resumed_scan_solves_what_is_missing_and_what_had_failed(tmp_path: Path) -> None:
    with Journal(tmp_path, {"scan": 1}) as journal:
        run_draws(
            Toy(bad=3, deed="raise"), (10,), executor=InProcess(), enough=never, journal=journal
        )
    job = Counting()
    with Journal(tmp_path, {"scan": 1}, resume=True) as journal:
        run_draws(job, (10, 25), executor=InProcess(), enough=never, journal=journal)
    assert job.asked == [3, *range(10, 25)]
    with Journal(tmp_path, {"scan": 1}, resume=True) as journal:
        fewer = run_draws(job, (5,), executor=InProcess(), enough=never, journal=journal)
    assert list(fewer) == list(range(5))
    straight = settled(tmp_path / "straight", InProcess())
    assert hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest() == straight


def test_ctrl_c_keeps_what_is_solved_and_says_how_to_go_on(tmp_path: Path) -> None:
    def job(draw: int) -> DrawOutcome:
        if draw == 5:
            raise KeyboardInterrupt
        return outcome_of(draw)

    with (
        pytest.raises(KeyboardInterrupt, match="5 draws are safe in folder 'scan', resume=True"),
        Journal(tmp_path / "scan", {"scan": 1}) as journal,
    ):
        run_draws(job, (25,), executor=InProcess(), enough=never, journal=journal)
    with Journal(tmp_path / "scan", {"scan": 1}, resume=True) as journal:
        assert sorted(journal.outcomes) == list(range(5))
    with pytest.raises(KeyboardInterrupt, match="not stored"):
        run_draws(job, (25,), executor=InProcess(), enough=never)


def test_a_scan_whose_every_draw_fails_is_stopped_with_the_reason() -> None:
    def job(draw: int) -> DrawOutcome:
        message = "limits of another network"
        raise ValueError(message)

    with pytest.raises(GridImpactError, match=r"first 20 draws all failed.*limits of another"):
        run_draws(job, (200,), executor=InProcess(), enough=never)


@pytest.mark.parametrize("looks", [(), (0, 5), (5, 5), (9, 4)])
def test_looks_must_rise(looks: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="looks"):
        run_draws(Toy(), looks, executor=InProcess(), enough=never)


def test_the_bar_tells_draws_and_failures(capfd: pytest.CaptureFixture[str]) -> None:
    job = Toy(bad=3, deed="raise")
    run_draws(job, (6,), executor=InProcess(), enough=never, progress=True)
    shown = capfd.readouterr().err
    assert "6/6" in shown
    assert "failed=1" in shown
    run_draws(job, (6,), executor=InProcess(), enough=never, progress=False)
    assert capfd.readouterr().err == ""


def test_a_task_that_fails_outside_its_draws_stops_the_scan_with_the_reason() -> None:
    class Lost(Dying):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(ModuleNotFoundError("No module named 'own_strategies'"))
            return future

    with pytest.raises(InputError, match=r"ModuleNotFoundError.*own_strategies.*every worker"):
        run_draws(Toy(), (5,), executor=Lost(0, 0, 1, WorkerDied()), enough=never)
