"""A study solved: every strategy on every segment, from the plan to the comparison.

All strategies share network, homes, sessions and weather, so a difference between two rows is the
strategy's doing.
"""

from __future__ import annotations

import dataclasses
import time as clock
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from gridimpact.assess import compare_with_base
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.errors import FlowNotConverged, InputError
from gridimpact.records import Assessment, StudyResult
from gridimpact.study.compare import compare
from gridimpact.study.manifest import manifest_of
from gridimpact.study.notes import notes_of
from gridimpact.study.power_flow import flow_setup, resolved
from gridimpact.study.rows import Rows
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import NO_EV, StudySpec
from gridimpact.study.taps import tap_settings


def run_study(
    spec: StudySpec,
    *,
    days: str | Sequence[str] = "design",
    verify: int = 0,
    verify_engine: str | None = None,
    progress: bool | None = None,
) -> StudyResult:
    """Solve a study.

    Parameters
    ----------
    spec : StudySpec
        The study.
    days : str or sequence of str
        As `gridimpact.study.segments.choose_segments`.
    verify : int
        Random steps, over all rows, to solve again with another engine.
    verify_engine : str, optional
        Which one: "pandapower" or "power-grid-model"; by default pandapower for a balanced flow,
        power-grid-model in three phases where it is installed.
    progress : bool, optional
        Show a bar; None shows it where the terminal can.

    Returns
    -------
    StudyResult
        With "no_ev" and "uncontrolled" as first rows, whatever strategies were given.
    """
    if verify < 0:
        message = f"verify is {verify}, give the number of steps to solve again, 0 for none"
        raise InputError(message)
    started = clock.perf_counter()
    spec = resolved(spec)
    net_load = spec.profiles.load_p_kw.sum(axis=1) + spec.profiles.pv_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, days, net_load, spec.profiles.pv_p_kw.sum(axis=1))
    rows = labelled(spec.strategies)
    run = Rows(spec, segments, [NO_EV, *rows], verify, flow_setup(spec), verify_engine)
    disabled = None if progress is None else not progress
    steps = sum(s.timeline.count for s in segments) * (len(rows) + 1)
    with tqdm(total=steps, disable=disabled, unit="step", unit_scale=True) as bar:
        base = run.row(NO_EV, None, bar)
        _require_a_solution(run)
        found: dict[str, Assessment] = {NO_EV: base}
        for name, strategy in rows.items():
            found[name] = run.valued(name, compare_with_base(run.row(name, strategy, bar), base))
    data = run.arrays.dataset()
    manifest = manifest_of(spec, segments, rows, run.controlled) | {
        "engine": run.engine_name,
        "engine_options": dict(run.setup.options.as_mapping()),
        "power_flow": power_flow_of(spec),
        "steps": steps,
        "steps_failed": run.failed,
        "ageing_steps_bridged": run.bridged,
        "verified": dataclasses.asdict(run.difference),
        "busbar_sensitivity": run.sensitivity(),
        "wall_s": round(clock.perf_counter() - started, 2),
        "created": clock.strftime("%Y-%m-%dT%H:%M:%SZ", clock.gmtime()),
    }
    return StudyResult(
        name=spec.name,
        network=spec.network,
        fleet=spec.fleet,
        dataset=data,
        assessments=found,
        comparison=compare(found),
        manifest=manifest,
        notes=notes_of(spec, [*run.notes, *run.step_notes()], found, run.bridged),
    )


def power_flow_of(spec: StudySpec) -> dict[str, Any]:
    """Return how the power flow of a decided study is solved, for its manifest."""
    found: dict[str, Any] = {"kind": spec.power_flow.replace("_", "-")}
    if spec.power_flow == "three_phase":
        found["zero_sequence"] = spec.zero_sequence
    for name in ("pv_single_phase_kva", "volt_var"):
        value = getattr(spec, name)
        if value:
            found[name] = value
    if spec.network.grid.tap_controls:
        found["tap_control"] = tap_settings(spec.network.grid)
    return found


def _require_a_solution(run: Rows) -> None:
    """Stop a study whose network cannot carry its own load at any step.

    Raises
    ------
    FlowNotConverged
        Before any strategy is planned.
    """
    steps = sum(s.timeline.count for s in run.segments)
    if run.failed == steps:
        message = (
            f"none of {steps} power flows without added cars has a solution: the network cannot carry "
            "its own load; check the unit of the profiles and the ratings of the network"
        )
        raise FlowNotConverged(message)


def labelled(strategies: Sequence[Strategy]) -> dict[str, Strategy]:
    """Return strategies by row label, uncontrolled first and always there.

    The label is the strategy's name; where two share it, their settings tell them apart.
    """
    others = [s for s in strategies if s.name != "uncontrolled"]
    names = [s.name for s in others]
    rows: dict[str, Strategy] = {"uncontrolled": Uncontrolled()}
    for strategy in others:
        rows[strategy.name if names.count(strategy.name) == 1 else label(strategy)] = strategy
    return rows
