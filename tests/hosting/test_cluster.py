"""A Dask cluster, also one that loses workers, gives the same bytes as the process itself."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gridimpact.errors import GridImpactError, InputError, MissingExtra
from gridimpact.hosting.cluster import cluster_executor
from gridimpact.hosting.journal import NAME, Journal
from gridimpact.hosting.local_workers import InProcess
from gridimpact.hosting.runner import run_draws
from gridimpact.records.hosting import DrawOutcome
from tests.hosting import light_jobs
from tests.hosting.toy_jobs import Toy

DRAWS = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=None, memory_limit=0, silence_logs=50
    ) as running:
        yield running


def bytes_of(folder: Path, executor: Any, job: Toy) -> str:
    """Return the hash of a scan's journal."""
    with executor as pool, Journal(folder, {"scan": 1}) as journal:
        found = run_draws(
            job, (20, DRAWS), executor=pool, enough=never, journal=journal, timeout_s=60.0
        )
    assert not any(o.error for o in found.values())
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()


def never(outcomes: Sequence[DrawOutcome]) -> bool:
    return False


def test_a_cluster_of_three_workers_one_of_them_killed_gives_the_same_bytes(
    tmp_path: Path, cluster: Any
) -> None:
    pool = cluster_executor(cluster.scheduler_address)
    assert pool.workers == 3
    assert pool.submit(light_jobs.pid, 0).result() != os.getpid()
    # The twelfth draw kills its worker, with SIGKILL, the first time it is tried.
    once = Toy(pause_s=0.01, bad=11, deed="kill", once=str(tmp_path / "died"))
    disturbed = bytes_of(tmp_path / "cluster", pool, once)
    assert (tmp_path / "died").exists()
    assert disturbed == bytes_of(tmp_path / "here", InProcess(), Toy())


@pytest.mark.slow
def test_a_draw_that_hangs_or_kills_every_worker_of_a_cluster_is_a_failure_of_its_own(
    cluster: Any,
) -> None:
    for deed in ("kill", "hang"):
        with cluster_executor(cluster.scheduler_address) as pool:
            found = run_draws(
                Toy(bad=7, deed=deed),
                (30,),
                executor=pool,
                enough=never,
                retries=0,
                timeout_s=0.5,
            )
        assert {d: o.error for d, o in found.items() if o.error} == {7: "worker died once"}


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        cluster_executor("tcp://127.0.0.1:9", wait_s=0.3)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"gridimpact\[cluster\]"):
        cluster_executor("tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_scan_whose_scheduler_goes_away_stops_and_keeps_its_draws(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    going = distributed.LocalCluster(n_workers=1, dashboard_address=None, silence_logs=50)

    def enough(outcomes: Sequence[DrawOutcome]) -> bool:
        going.close()
        return False

    with (
        cluster_executor(going.scheduler_address) as pool,
        Journal(tmp_path, {"scan": 1}) as journal,
        pytest.raises(GridImpactError, match="no longer answers"),
    ):
        run_draws(Toy(), (20, DRAWS), executor=pool, enough=enough, journal=journal)
    with Journal(tmp_path, {"scan": 1}, resume=True) as journal:
        assert sorted(journal.outcomes) == list(range(20))
