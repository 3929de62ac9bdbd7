"""The methods without draws as scans: each connection alone, and the same power at every customer."""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from tqdm import tqdm

from gridimpact.errors import raise_problems
from gridimpact.hosting.base_case import without_cars
from gridimpact.hosting.inputs_hash import scan_inputs
from gridimpact.hosting.nodal import nodal_capacity
from gridimpact.hosting.options import RunOptions, ScanRequest, homes_of, kinds_of, plain_days
from gridimpact.hosting.options_check import option_problems, run_problems
from gridimpact.hosting.output import require_scan_folder
from gridimpact.hosting.runner import LOG_EVERY_S
from gridimpact.hosting.uniform import uniform_capacity
from gridimpact.records import Note, ScanResult, ScanSettings
from gridimpact.study.files import plain_data
from gridimpact.study.manifest import manifest_of
from gridimpact.study.power_flow import flow_setup, resolved
from gridimpact.study.run import power_flow_of
from gridimpact.study.segments import Segment, choose_segments
from gridimpact.study.spec import StudySpec


def scan_connections(
    spec: StudySpec,
    request: ScanRequest,
    days: str | Sequence[str] = "design",
    run: RunOptions | None = None,
) -> ScanResult:
    """Return the nodal or uniform capacity of a study as a scan.

    Parameters
    ----------
    spec : StudySpec
        The study; its cars are left out.
    request : ScanRequest
        `method` "nodal" or "uniform"; of the rest `days direction limits preexisting car_kw` count.
    days : str or sequence of str
        The study's own, where the request names none.
    run : RunOptions, optional
        Folder and progress; these methods are solved in this process.

    Raises
    ------
    InputError
        With every wrong option at once.
    FlowNotConverged
        If the network cannot carry its own load at any step.
    """
    how = run or RunOptions()
    raise_problems([*option_problems(spec, request, days), *run_problems(how)], "hosting")
    if how.out is not None:
        require_scan_folder(how.out)
    started = clock.perf_counter()
    spec = resolved(spec)
    asked: dict[str, Any] = {
        "days": plain_days(days if request.days is None else request.days),
        "direction": request.direction,
        "preexisting": request.preexisting,
        "limits": kinds_of(request.limits),
    }
    nodal = request.method == "nodal"
    disabled = None if how.progress is None else not how.progress
    unit = "connection" if nodal else "direction"
    pause = 0.1 if sys.stderr.isatty() else LOG_EVERY_S
    with tqdm(desc=request.method, unit=unit, disable=disabled, mininterval=pause) as bar:

        def told(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        if nodal:
            asked["car_kw"] = request.car_kw
            table, notes = nodal_capacity(spec, **asked, progress=told)
        else:
            table, notes = uniform_capacity(spec, **asked, progress=told)
    sun, load = spec.profiles.pv_p_kw.sum(axis=1), spec.profiles.load_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, asked["days"], load + sun, sun)
    no_cars = ScanSettings((), (), {}, {}, days=asked["days"], limits=asked["limits"])
    manifest = _manifest(spec, segments) | {
        "draws": 0,
        "draws_failed": 0,
        "run": {
            "workers": 1,
            "wall_s": round(clock.perf_counter() - started, 2),
            "created": clock.strftime("%Y-%m-%dT%H:%M:%SZ", clock.gmtime()),
        },
    }
    none = pd.DataFrame()
    return ScanResult(
        name=spec.name,
        method=request.method,
        network=spec.network,
        settings=plain_data(asked),
        homes=homes_of(spec),
        nodal=table if nodal else none,
        uniform=none if nodal else table,
        base=without_cars(spec, no_cars, (), segments),
        manifest=manifest,
        notes=tuple(dict.fromkeys((*spec.notes, *notes, *_ignored(request)))),
    )


def _ignored(request: ScanRequest) -> Iterator[Note]:
    """Yield a warning where options were given that only draws of cars have."""
    asked = ScanRequest()
    names = ("cars", "cars_per_home", "strategies", "draws", "risk", "confidence", "precision")
    given = [name for name in names if getattr(request, name) != getattr(asked, name)]
    if given:
        text = f"{', '.join(given)}: of no effect, constant power has neither draws nor strategies."
        yield Note("warning", f"hosting, {request.method}", text)


def _manifest(spec: StudySpec, segments: tuple[Segment, ...]) -> dict[str, Any]:
    """Return what identifies the study that was scanned."""
    return manifest_of(spec, segments, {}, {}) | {
        "inputs": scan_inputs(spec),
        "engine": flow_setup(spec).engine.name,
        "power_flow": power_flow_of(spec),
    }
