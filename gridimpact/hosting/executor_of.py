"""Which executor solves a scan, and how many processes fit into the memory it may take."""

from __future__ import annotations

import os
from concurrent.futures import Executor

from gridimpact.hosting.cluster import cluster_executor
from gridimpact.hosting.local_workers import InProcess, LocalWorkers
from gridimpact.hosting.options import RunOptions
from gridimpact.hosting.scenarios import VALUES_AT_ONCE
from gridimpact.study.spec import StudySpec

PROGRAM_GB = 0.4
"""What a worker holds before it solves anything: the interpreter, the libraries, compiled code; measured."""
ARRAYS_AT_ONCE = 8
"""Arrays of `VALUES_AT_ONCE` numbers that a worker is given room for; about three were measured on a balanced village."""
COPIES_OF_INPUTS = 3
"""How often a worker holds the study's series: as sent, as read, as cut."""


def executor_of(run: RunOptions, spec: StudySpec) -> Executor:
    """Return the executor of a scan: this process, local workers, or a cluster.

    Parameters
    ----------
    run : RunOptions
        A cluster's address goes before `workers`; workers are one for each core unless given, and fewer where the
        budget of memory holds no more of them.
    spec : StudySpec
        The study that each worker holds.
    """
    if run.cluster is not None:
        return cluster_executor(run.cluster)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = (cores or 1) if run.workers is None else run.workers
    if wanted == 0:
        return InProcess()
    return LocalWorkers(max(1, min(wanted, int(run.budget_gb / worker_gb(spec)))))


def worker_gb(spec: StudySpec) -> float:
    """Return about how much memory one worker takes [GB]."""
    profiles, network = spec.profiles, spec.network.grid
    series = [profiles.load_p_kw, profiles.pv_p_kw, profiles.load_q_kvar]
    inputs = sum(array.nbytes for array in series if array is not None)
    nodes = len(network.bus_index) * (3 if network.phase_model is not None else 1)
    longest = min(VALUES_AT_ONCE, nodes * spec.timeline.count * 100)
    return PROGRAM_GB + (COPIES_OF_INPUTS * inputs + ARRAYS_AT_ONCE * 8 * longest) / 1e9
