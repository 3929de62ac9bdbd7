"""A scan from its settings to its result: draws solved on an executor, looks, tables, notes, manifest."""

from __future__ import annotations

import contextlib
import time as clock
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import raise_problems
from gridimpact.hosting.base_case import without_cars
from gridimpact.hosting.capacity import (
    binding_table,
    capacity_table,
    enough,
    feeder_table,
    pairs_table,
    planned_looks,
    risk_table,
    scan_notes,
    scenario_frame,
)
from gridimpact.hosting.draws import DrawMaker, decided
from gridimpact.hosting.evaluate import Evaluator, bench_of
from gridimpact.hosting.executor_of import executor_of
from gridimpact.hosting.journal import Journal
from gridimpact.hosting.options import RunOptions, homes_of
from gridimpact.hosting.options_check import run_problems
from gridimpact.hosting.output import require_scan_folder
from gridimpact.hosting.runner import run_draws
from gridimpact.hosting.scan_manifest import rule_notes, scan_key, scan_manifest
from gridimpact.hosting.worker_process import pack
from gridimpact.records import (
    FEEDER_DTYPE,
    SCENARIO_DTYPE,
    DrawOutcome,
    Note,
    ScanResult,
    ScanSettings,
)
from gridimpact.study.files import plain_data
from gridimpact.study.spec import StudySpec


def run_scan(
    spec: StudySpec,
    settings: ScanSettings,
    strategies: Mapping[str, Strategy],
    run: RunOptions | None = None,
    *,
    method: str = "stochastic",
    notes: Sequence[Note] = (),
) -> ScanResult:
    """Solve the draws of a scan until they are enough and return what they tell.

    Parameters
    ----------
    spec : StudySpec
        The study; its power flow is decided here, once for all draws.
    settings : ScanSettings
        What is asked, as `gridimpact.hosting.options.settings_of` makes it.
    strategies : mapping of str to Strategy
        By label; those of ``settings.labels`` are solved.
    run : RunOptions, optional
        Workers, folder, time and memory; nothing of it changes the result.
    method : str
        "stochastic" or "time_series", for the record.
    notes : sequence of Note
        Warnings that the result carries along.

    Returns
    -------
    ScanResult
        The same, to the byte but for ``manifest["run"]``, for any workers, order, chunk and interruption.

    Raises
    ------
    InputError
        If something asked for is impossible, or the folder belongs to another scan.
    FlowNotConverged
        If the network cannot carry its own load at any step.
    GridImpactError
        If the first draws all fail.
    """
    how = run or RunOptions()
    raise_problems(run_problems(how), "hosting")
    if how.out is not None:
        require_scan_folder(how.out)
    started = clock.perf_counter()
    spec = decided(spec, settings)
    rows = {label: strategies[label] for label in settings.labels}
    maker = DrawMaker(spec, settings)
    segments = maker.segments(0)
    before = without_cars(spec, settings, tuple(rows.values()), segments)
    outcomes, resumed, resources = _solved(spec, settings, rows, how)
    tables, warnings = _told(spec, settings, outcomes, maker)
    manifest = scan_manifest(spec, settings, rows, segments) | {
        "draws": len(outcomes),
        "draws_failed": sum(bool(o.error) for o in outcomes.values()),
        "scenarios": int(sum(len(o.rows) for o in outcomes.values())),
        "failed_lanes": int(sum(o.rows["failed_lanes"].sum() for o in outcomes.values())),
        "run": resources
        | {
            "wall_s": round(clock.perf_counter() - started, 2),
            "created": clock.strftime("%Y-%m-%dT%H:%M:%SZ", clock.gmtime()),
            "draws_resumed": resumed,
        },
    }
    told = (*spec.notes, *rule_notes(spec, settings, method), *notes, *warnings)
    return ScanResult(
        name=spec.name,
        method=method,
        network=spec.network,
        settings=plain_data(asdict(settings)),
        homes=homes_of(spec),
        base=before,
        manifest=manifest,
        notes=tuple(dict.fromkeys(told)),
        **tables,
    )


def _solved(
    spec: StudySpec, settings: ScanSettings, rows: Mapping[str, Strategy], how: RunOptions
) -> tuple[dict[int, DrawOutcome], int, dict[str, Any]]:
    """Return the outcomes by draw, how many came from an earlier run, and what the run took."""
    looks = planned_looks(settings.draws)
    job = Evaluator(spec, settings, tuple(rows.values()))

    def stop(outcomes: Sequence[DrawOutcome]) -> bool:
        table, _ = _joined(outcomes)
        return enough(table, settings, looks.index(len(outcomes)))

    if how.cluster is None and how.workers != 0:
        # A strategy that workers cannot load is refused before anything is written.
        pack(tuple(rows.values()))
    with contextlib.ExitStack() as held:
        journal, resumed = None, 0
        if how.out is not None:
            key = scan_key(spec, settings, rows)
            journal = held.enter_context(Journal(how.out, key, resume=how.resume))
            resumed = len(journal.outcomes)
        executor: Executor = held.enter_context(executor_of(how, spec))
        found = run_draws(
            job,
            looks,
            executor=executor,
            enough=stop,
            journal=journal,
            timeout_s=how.timeout_s,
            progress=how.progress,
        )
        resources = {
            "workers": int(getattr(executor, "workers", 1)),
            "peak_worker_gb": round(float(getattr(executor, "peak_bytes", 0)) / 1e9, 3),
            "budget_gb": how.budget_gb,
            "mended": [] if journal is None else list(journal.notes),
        }
    return found, resumed, resources


def _told(
    spec: StudySpec,
    settings: ScanSettings,
    outcomes: Mapping[int, DrawOutcome],
    maker: DrawMaker,
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Return the tables of a scan and its warnings."""
    failed = {draw: o.error for draw, o in outcomes.items() if o.error}
    rows, feeders = _joined([o for o in outcomes.values() if not o.error])
    network = spec.network
    capacity = capacity_table(rows, settings, network, len(failed))
    tables = {
        "capacity": capacity,
        "risk": risk_table(rows, settings),
        "binding": binding_table(rows, settings, network),
        "feeders": feeder_table(rows, feeders, settings, network.grid),
        "pairs": pairs_table(rows, settings),
        "scenarios": scenario_frame(rows, settings, network),
        "draws": _draw_table(outcomes, maker),
    }
    unjudged = bench_of(spec, settings, ()).judge.not_assessed
    return tables, scan_notes(rows, capacity, settings, failed, unjudged)


def _joined(outcomes: Sequence[DrawOutcome]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows and feeders of all draws that were solved, in order of draw."""
    sound = [o for o in outcomes if not o.error]
    if not sound:
        return np.zeros(0, dtype=SCENARIO_DTYPE), np.zeros((0, 0), dtype=FEEDER_DTYPE)
    rows, feeders = ([getattr(o, name) for o in sound] for name in ("rows", "feeders"))
    return np.concatenate(rows), np.concatenate(feeders)


def _draw_table(outcomes: Mapping[int, DrawOutcome], maker: DrawMaker) -> pd.DataFrame:
    """Return one row by draw: whether it was solved, its days, the hash of who drove and lived where, why it failed."""
    table = [
        (
            draw,
            "failed" if o.error else "ok",
            ", ".join(segment.name for segment in maker.segments(draw)),
            o.sessions_sha256,
            o.error,
        )
        for draw, o in sorted(outcomes.items())
    ]
    return pd.DataFrame(table, columns=["draw", "status", "days", "sessions_sha256", "error"])
