"""A worker that dies, hangs or prints costs its own task; none outlives the scan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from gridimpact.errors import InputError
from gridimpact.hosting.faults import WorkerDied, WorkerNotStarted, WorkerTimeout
from gridimpact.hosting.local_workers import LocalWorkers
from gridimpact.hosting.worker_process import pack
from tests.hosting import light_jobs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pool() -> Iterator[LocalWorkers]:
    with LocalWorkers(1) as workers:
        yield workers


def gone(pid: int) -> bool:
    """Return whether a process has ended (a zombie has)."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_worker_that_dies_costs_its_own_task_and_is_replaced(pool: LocalWorkers) -> None:
    first = pool.submit(light_jobs.pid, 0).result()
    assert first != os.getpid()
    for deed, how in (("kill", "signal 9"), ("exit", "exit status 3")):
        with pytest.raises(WorkerDied, match=how):
            pool.submit(light_jobs.misbehave, deed).result()
    second = pool.submit(light_jobs.pid, 0).result()
    assert second != first
    assert pool.pids == (second,)


def test_other_tasks_go_on_beside_one_that_dies() -> None:
    with LocalWorkers(2) as workers:
        answers = [workers.submit(light_jobs.echo, i) for i in range(20)]
        dead = workers.submit(light_jobs.misbehave, "kill")
        answers += [workers.submit(light_jobs.echo, i) for i in range(20, 40)]
        assert [a.result() for a in answers] == list(range(40))
        assert isinstance(dead.exception(), WorkerDied)


def test_a_task_over_its_time_ends_its_worker_alone(pool: LocalWorkers) -> None:
    patient = light_jobs.Patient(limit_s=0.2)
    assert pool.submit(patient, 0.0).result() == "awake"
    with pytest.raises(WorkerTimeout, match=r"no result after 0\.2 s"):
        pool.submit(patient, 3600.0).result()
    assert pool.submit(patient, 0.0).result() == "awake"


def test_exceptions_pass_through_and_the_worker_stays(pool: LocalWorkers) -> None:
    worker = pool.submit(light_jobs.pid, 0).result()
    with pytest.raises(LookupError, match="as asked"):
        pool.submit(light_jobs.misbehave, "raise").result()
    with pytest.raises(RuntimeError, match="Unsendable"):
        pool.submit(light_jobs.misbehave, "unsendable").result()
    assert pool.submit(light_jobs.pid, 0).result() == worker


def test_workers_have_one_thread_the_parents_path_and_no_secret_on_the_line(
    pool: LocalWorkers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "beside_the_notebook.py").write_text("def f(x):\n    return -x\n")
    here = pool.submit(light_jobs.surroundings, 0).result()
    assert here["threads"] == "11"
    assert str(tmp_path) in here["path"]
    assert here["session"] == here["pid"]
    assert here["line"].endswith("-P -m gridimpact.hosting.worker_main")
    import beside_the_notebook

    assert pool.submit(beside_the_notebook.f, 5).result() == -5


def test_what_a_worker_cannot_load_is_told_before_it_is_sent_or_by_the_worker(
    pool: LocalWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="workers=0"):
        pool.submit(lambda x: x, 1)
    with pytest.raises(InputError, match=r"cannot load.*cannot be loaded here"):
        pool.submit(light_jobs.Unloadable(), 1).result()
    assert pool.submit(light_jobs.echo, 1).result() == 1
    main = sys.modules["__main__"]
    monkeypatch.setattr(light_jobs.Patient, "__module__", "__main__")
    monkeypatch.setattr(main, "Patient", light_jobs.Patient, raising=False)
    with pytest.raises(InputError, match=r"Patient: defined in the script.*module of its own"):
        pack({"strategy": light_jobs.Patient(1.0)})


def test_workers_that_cannot_start_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with LocalWorkers(1) as workers, pytest.raises(WorkerNotStarted, match="cannot be started"):
        workers.submit(light_jobs.pid, 0).result()
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with LocalWorkers(1) as workers, pytest.raises(WorkerNotStarted, match="exit status 0"):
        workers.submit(light_jobs.pid, 0).result()
    with pytest.raises(InputError, match="at least 1"):
        LocalWorkers(0)


def test_an_error_ends_workers_at_once_and_drops_what_waits() -> None:
    workers = LocalWorkers(1)
    worker = workers.submit(light_jobs.pid, 0).result()
    busy = workers.submit(light_jobs.Patient(9999.0), 3600.0)
    waits = workers.submit(light_jobs.pid, 0)
    while not busy.running():
        time.sleep(0.01)

    def interrupted() -> None:
        with workers:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert isinstance(busy.exception(), WorkerDied)
    with pytest.raises(CancelledError):
        waits.result()
    assert gone(worker)
    with pytest.raises(RuntimeError, match="after shutdown"):
        workers.submit(light_jobs.pid, 0)


SCRIPT = """
import signal, time
# A shell that starts its jobs in the background has them ignore an interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
from gridimpact.hosting.local_workers import LocalWorkers
from tests.hosting import light_jobs
pool = LocalWorkers(2)
with pool:
    busy = [pool.submit(light_jobs.Patient(9999.0), t) for t in (0.2, 0.2, 3600.0, 3600.0)]
    busy[0].result(), busy[1].result()
    print(*pool.pids, flush=True)
    while not busy[2].done():
        time.sleep(0.1)  # waiting without end may miss a signal that comes just before
"""


@pytest.mark.parametrize(
    "blow",
    [
        signal.SIGKILL,
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_no_worker_outlives_the_scan_however_it_ends(blow: signal.Signals) -> None:
    # The script has no guard of its main part, as users' scripts and notebooks have none.
    main = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert main.stdout is not None
    workers = [int(p) for p in main.stdout.readline().split()]
    assert len(workers) == 2
    main.send_signal(blow)
    try:
        _, said = main.communicate(timeout=30)
    finally:
        main.kill()
    assert all(gone(w) for w in workers)
    assert ("KeyboardInterrupt" in said) == (blow == signal.SIGINT)
