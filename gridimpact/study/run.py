"""A study solved: every strategy on every segment, from the plan to the comparison.

All strategies share network, homes, sessions and weather, so a difference between two rows is the
strategy's doing.
"""

from __future__ import annotations

import dataclasses
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from gridimpact.ageing import Nameplate, nameplates_for
from gridimpact.assess import AssessContext, Assessor, SegmentResult, compare_with_base
from gridimpact.conventions import Status
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.errors import FlowNotConverged, InputError
from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.records import (
    Assessment,
    BoolArray,
    Dispatch,
    FloatArray,
    Injections,
    Note,
    PlanRequest,
    StudyResult,
)
from gridimpact.study.compare import compare
from gridimpact.study.dataset import ResultArrays
from gridimpact.study.inject import inject
from gridimpact.study.manifest import manifest_of
from gridimpact.study.notes import notes_of
from gridimpact.study.plan import plan
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment, choose_segments
from gridimpact.study.sensitivity import (
    WorstLane,
    busbar_sensitivity,
    sensitivity_note,
    worst_lane,
)
from gridimpact.study.spec import NO_EV, StudySpec
from gridimpact.study.stored import (
    at_homes,
    stored_change_kwh,
    with_stored_energy,
    worth_per_kwh,
)
from gridimpact.study.thermal import temperatures
from gridimpact.study.verify import Difference, compare_lanes, draw_lanes


def run_study(
    spec: StudySpec,
    *,
    days: str | Sequence[str] = "design",
    verify: int = 0,
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
        Random steps, over all rows, to solve again with pandapower.
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
    net_load = spec.profiles.load_p_kw.sum(axis=1) + spec.profiles.pv_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, days, net_load, spec.profiles.pv_p_kw.sum(axis=1))
    rows = labelled(spec.strategies)
    run = _Run(spec, segments, [NO_EV, *rows], verify)
    disabled = None if progress is None else not progress
    with tqdm(total=len(segments) * (len(rows) + 1), disable=disabled, unit="run") as bar:
        base = run.row(NO_EV, None, bar)
        _require_a_solution(run)
        found: dict[str, Assessment] = {NO_EV: base}
        for name, strategy in rows.items():
            found[name] = run.valued(name, compare_with_base(run.row(name, strategy, bar), base))
    data = run.arrays.dataset()
    steps = sum(s.timeline.count for s in segments) * (len(rows) + 1)
    manifest = manifest_of(spec, segments, rows, run.controlled) | {
        "engine": run.engine.name,
        "engine_options": dict(run.options.as_mapping()),
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
        notes=notes_of(spec, run.notes, found, run.bridged),
    )


def _require_a_solution(run: _Run) -> None:
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


@dataclass
class _Run:
    """What is gathered while rows are solved one after another."""

    spec: StudySpec
    segments: tuple[Segment, ...]
    labels: list[str]
    verify: int
    options: FlowOptions = field(default_factory=FlowOptions)
    failed: int = 0
    bridged: int = 0
    difference: Difference = field(default_factory=Difference)
    controlled: dict[str, BoolArray] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    worst: dict[str, WorstLane] = field(default_factory=dict)
    stored: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build what all rows share: requests, nameplates, arrays, the lanes to solve again."""
        spec = self.spec
        self.engine = BatchedEngine()
        self.arrays = ResultArrays(spec, self.segments, self.labels)
        self.requests = [build_requests(spec, segment) for segment in self.segments]
        self.plate: Nameplate | None = None
        if spec.ambient is not None and len(spec.network.grid.transformer_index):
            self.plate, notes = nameplates_for(spec.network.grid)
            self.notes.extend(notes)
        steps = sum(s.timeline.count for s in self.segments)
        self._lanes = draw_lanes(steps * len(self.labels), self.verify, spec.seed)
        self._steps = steps

    def row(self, name: str, strategy: Strategy | None, bar: Any) -> Assessment:
        """Solve one row of the comparison on all segments and assess it."""
        context = AssessContext(
            grid=self.spec.network.grid,
            sites=self.spec.network.sites,
            limits=self.spec.limits,
            charger_phases=tuple(str(p) for p in self.spec.fleet.chargers["phases"]),
            plate=self.plate,
        )
        assessor = Assessor.start(context)
        bar.set_postfix_str(name)
        for number, segment in enumerate(self.segments):
            assessor.update(self._segment(name, strategy, number, segment))
            bar.update()
        return assessor.finish(name)

    def _segment(
        self, name: str, strategy: Strategy | None, number: int, segment: Segment
    ) -> SegmentResult:
        spec, request = self.spec, self.requests[number]
        dispatch = None if strategy is None else plan(strategy, request)
        given = inject(spec, segment, request, dispatch)
        flow = self.engine.solve(spec.network.grid, given, self.options)
        self.failed += int((flow.status == Status.NOT_CONVERGED).sum())
        self.failed += int((flow.status == Status.IMPLAUSIBLE).sum())
        self._put(name, number, request, dispatch, given)
        self.arrays.put_flow(name, number, flow)
        worst = worst_lane(spec, given, flow, segment.counted, self.worst.get(name))
        if worst is not None:
            self.worst[name] = worst
        self._verify(name, number, given, flow)
        self.notes.extend(flow.notes)
        heat: dict[str, Any] = {}
        if self.plate is not None:
            series, bridged = temperatures(spec, segment, self.plate, flow, given)
            self.bridged += bridged
            heat = {n: getattr(series, n) for n in ("top_oil_c", "hot_spot_c", "ageing_rate")}
            self.arrays.put_temperatures(name, number, **{n: v[0] for n, v in heat.items()})
        return SegmentResult(
            timeline=segment.timeline,
            flow=flow,
            counted=segment.counted,
            request=request,
            dispatch=dispatch,
            **heat,
        )

    def valued(self, name: str, assessment: Assessment) -> Assessment:
        """Return the assessment with what its batteries hold told and valued."""
        if not len(self.spec.fleet.vehicles):
            return assessment
        request = self.requests[0]
        return with_stored_energy(
            assessment,
            self.stored[name],
            self.stored["uncontrolled"],
            worth_per_kwh(self.segments[0], request),
            at_homes(request),
        )

    def sensitivity(self) -> dict[str, dict[str, float]]:
        """Return the lowest voltage of each row with its sources lower and higher; note them."""
        found = {}
        for name, worst in self.worst.items():
            lower, higher = busbar_sensitivity(self.spec, worst)
            found[name] = {"lower": lower, "as_set": worst.vm_min_pu, "higher": higher}
            if name == "uncontrolled":
                self.notes.append(sensitivity_note(name, worst, (lower, higher)))
        return found

    def _put(
        self,
        name: str,
        number: int,
        request: PlanRequest,
        dispatch: Dispatch | None,
        given: Injections,
    ) -> None:
        """Store what the row asked of the network."""
        if dispatch is None:
            ambient = self.spec.ambient
            steps = self.segments[number].steps
            air = None if ambient is None else ambient.temp_air_c[steps]
            self.arrays.put_inputs(number, request, given, air)
            return
        self.arrays.put_dispatch(name, number, request, dispatch, given)
        change = stored_change_kwh(self.segments[number], request, dispatch)
        self.stored[name] = self.stored.get(name, np.zeros_like(change)) + change
        before = self.controlled.get(name, np.zeros(len(request.vehicle_id), dtype=np.bool_))
        self.controlled[name] = before | dispatch.controlled
        self.notes.extend(dispatch.notes)

    def _verify(self, name: str, number: int, given: Injections, flow: Any) -> None:
        """Solve the drawn lanes of this row and segment again."""
        first = self.labels.index(name) * self._steps
        first += sum(s.timeline.count for s in self.segments[:number])
        inside = (self._lanes >= first) & (self._lanes < first + given.timeline.count)
        if inside.any():
            again = compare_lanes(self.spec, given, flow, self._lanes[inside] - first)
            self.difference = self.difference.joined(again)
