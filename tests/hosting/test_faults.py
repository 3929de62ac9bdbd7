"""Whatever is killed, whenever and on whatever machine: the finished journal has the same bytes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridimpact.errors import InputError
from gridimpact.hosting.journal import NAME, Journal
from gridimpact.hosting.local_workers import InProcess, LocalWorkers
from gridimpact.hosting.runner import run_draws
from gridimpact.records.hosting import DrawOutcome
from tests.hosting.scan_in_forks import DRAWS, KEY, scan
from tests.hosting.toy_jobs import Toy

ROOT = Path(__file__).parents[2]
# Other text order, hash order, clock and rights than the test's own process.
ELSEWHERE = {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}


def never(outcomes: Sequence[DrawOutcome]) -> bool:
    return False


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("undisturbed")
    scan(folder, 0)
    with Journal(folder, KEY, resume=True) as journal:
        assert sorted(journal.outcomes) == list(range(DRAWS))
    return sha256(folder)


def killed(folder: Path, kills: int, workers: int, seed: int) -> list[int]:
    command = [sys.executable, "-m", "tests.hosting.scan_in_forks", str(folder)]
    done = subprocess.run(
        [*command, str(kills), str(workers), str(seed)],
        cwd=ROOT,
        env=os.environ | ELSEWHERE,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(n) for n in done.stdout.split()]


def test_a_main_process_killed_five_times_ends_with_the_same_bytes(
    tmp_path: Path, undisturbed: str
) -> None:
    left = killed(tmp_path, 5, 0, seed=3)
    assert len(left) == 5
    assert any(0 < n < DRAWS for n in left)
    assert left == sorted(left)
    assert sha256(tmp_path) == undisturbed


def test_a_worker_killed_for_ever_on_one_draw_costs_that_draw(
    tmp_path: Path, undisturbed: str
) -> None:
    with LocalWorkers(1, chunk=1) as pool:
        with Journal(tmp_path, KEY) as journal:
            job = Toy(bad=7, deed="kill")
            found = run_draws(
                job, (DRAWS,), executor=pool, enough=never, journal=journal, retries=1
            )
        assert {d: o.error for d, o in found.items() if o.error} == {7: "worker died 2 times"}
        assert pool.peak_bytes > 1e7
        with Journal(tmp_path, KEY, resume=True) as journal:
            run_draws(Toy(), (DRAWS,), executor=pool, enough=never, journal=journal)
    assert sha256(tmp_path) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_main_process_killed_twenty_times_ends_with_the_same_bytes(
    tmp_path: Path, undisturbed: str, workers: int
) -> None:
    left = killed(tmp_path, 20, workers, seed=11)
    assert len(left) == 20
    assert any(0 < n < DRAWS for n in left)
    assert sha256(tmp_path) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_one_two_and_four_workers_give_the_same_bytes(
    tmp_path: Path, undisturbed: str, workers: int, chunk: int
) -> None:
    job = Toy(pause_s=0.005, bad=7, deed="hang", once=str(tmp_path / "hung"))
    with LocalWorkers(workers, chunk=chunk) as pool, Journal(tmp_path, KEY) as journal:
        run_draws(job, (DRAWS,), executor=pool, enough=never, journal=journal, timeout_s=0.5)
    assert (tmp_path / "hung").exists()
    assert sha256(tmp_path) == undisturbed


def test_the_calling_process_alone_gives_the_same_bytes_in_one_look(
    tmp_path: Path, undisturbed: str
) -> None:
    with Journal(tmp_path, KEY) as journal:
        run_draws(Toy(), (DRAWS,), executor=InProcess(), enough=never, journal=journal)
    assert sha256(tmp_path) == undisturbed


ENDLESS = """
import signal
# A shell that starts its jobs in the background has them ignore an interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
import sys
from pathlib import Path
from gridimpact.hosting.journal import Journal
from gridimpact.hosting.local_workers import LocalWorkers
from gridimpact.hosting.runner import run_draws
from tests.hosting.scan_in_forks import DRAWS, KEY
from tests.hosting.toy_jobs import Toy
with LocalWorkers(2) as pool, Journal(Path(sys.argv[1]), KEY) as journal:
    print(*[pool.submit(len, "ab").result() for _ in "ab"], flush=True)
    print(*pool.pids, flush=True)
    job = Toy(bad=40, deed="hang")
    run_draws(job, (DRAWS,), executor=pool, enough=bool, journal=journal, progress=False)
"""


@pytest.mark.slow
def test_ctrl_c_leaves_no_worker_and_a_journal_that_goes_on(
    tmp_path: Path, undisturbed: str
) -> None:
    main = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert main.stdout is not None
    main.stdout.readline()
    workers = [int(p) for p in main.stdout.readline().split()]
    size = 0
    while size < 20_000:
        time.sleep(0.05)
        size = (tmp_path / NAME).stat().st_size
    with pytest.raises(InputError, match=f"another run writes to it .process {main.pid} on"):
        Journal(tmp_path, KEY, resume=True)
    main.send_signal(signal.SIGINT)
    try:
        _, said = main.communicate(timeout=30)
    finally:
        main.kill()
    assert "draws are safe in folder" in said
    assert "resume=True (--resume) goes on" in said
    assert workers
    assert not any(Path(f"/proc/{w}").exists() for w in workers)
    scan(tmp_path, 0)
    assert sha256(tmp_path) == undisturbed
