"""The rows of a study solved one after another: plan, inject, power flow, temperatures, assessment.

Power flows are solved in parts and taken in part by part, so that a year of a large network never
stands in memory twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridimpact.ageing import coarse_step_note, largest_jump_pu
from gridimpact.assess import AssessContext, Assessor, SegmentResult
from gridimpact.conventions import Status
from gridimpact.dispatch.strategy import Strategy
from gridimpact.powerflow.engine import FlowChunk
from gridimpact.records import (
    Assessment,
    BoolArray,
    Dispatch,
    FloatArray,
    Injections,
    Note,
    PlanRequest,
)
from gridimpact.study.asymmetry import PhaseMeter
from gridimpact.study.closed_loop import in_loop
from gridimpact.study.dataset import ResultArrays
from gridimpact.study.elements import phases_of_chargers
from gridimpact.study.extremes import Extremes
from gridimpact.study.inject import inject
from gridimpact.study.notes import cut_stays
from gridimpact.study.plan import plan
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment
from gridimpact.study.sensitivity import (
    WorstLane,
    busbar_sensitivity,
    sensitivity_note,
    worst_lane,
)
from gridimpact.study.spec import StudySpec
from gridimpact.study.stored import (
    at_homes,
    stored_change_kwh,
    with_stored_energy,
    worth_per_kwh,
)
from gridimpact.study.thermal import Carried, temperatures
from gridimpact.study.thermal_plates import Plates, plates_of
from gridimpact.study.verify import Difference, compare_lanes, draw_lanes
from gridimpact.study.volt_var import with_curve_of
from gridimpact.study.voltage_step import VoltageSteps


@dataclass
class Rows:
    """What is gathered while rows are solved."""

    spec: StudySpec
    segments: tuple[Segment, ...]
    labels: list[str]
    verify: int
    setup: FlowSetup
    verify_engine: str | None = None
    failed: int = 0
    bridged: int = 0
    jump_pu: float = 0.0
    engine_name: str = ""
    difference: Difference = field(default_factory=Difference)
    controlled: dict[str, BoolArray] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    worst: dict[str, WorstLane] = field(default_factory=dict)
    stored: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build what all rows share: requests, nameplates, arrays, the lanes to solve again."""
        spec = self.spec
        self.arrays = ResultArrays(spec, self.segments, self.labels)
        self.requests = [build_requests(spec, segment) for segment in self.segments]
        self.notes.extend(self.setup.notes)
        self.notes.extend(cut_stays(self.segments, self.requests))
        self.plates: Plates | None = None
        if spec.ambient is not None and len(spec.network.grid.transformer_index):
            self.plates = plates_of(spec.network, spec.transformer)
            self.notes.extend(self.plates.notes)
        steps = sum(s.timeline.count for s in self.segments)
        self._lanes = draw_lanes(steps * len(self.labels), self.verify, spec.seed)
        self._steps = steps

    def row(self, name: str, strategy: Strategy | None, bar: Any) -> Assessment:
        """Solve one row of the comparison on all segments and assess it."""
        context = AssessContext(
            grid=self.spec.network.grid,
            sites=self.spec.network.sites,
            limits=self.spec.limits,
            charger_phases=tuple(phases_of_chargers(self.spec)),
            plate=None if self.plates is None else self.plates.lead,
            life_h=self.spec.transformer.life_h,
        )
        assessor, extremes = Assessor.start(context), Extremes(self.spec, self.setup)
        switched = VoltageSteps(self.spec, self.setup)
        bar.set_postfix_str(name)
        for number, segment in enumerate(self.segments):
            request = self.requests[number]
            dispatch = None
            if strategy is not None:
                stepped = in_loop(strategy, self.spec, segment, self.setup, context.plate)
                dispatch = plan(stepped, request)
            given = inject(with_curve_of(self.spec, strategy), segment, request, dispatch)
            self._put(name, number, request, dispatch, given)
            ambient = self.spec.ambient
            assessor.begin(
                SegmentResult(
                    segment.timeline,
                    None,
                    segment.counted,
                    request,
                    dispatch,
                    temp_air_c=None if ambient is None else ambient.temp_air_c[segment.steps],
                )
            )
            carried, meter = Carried(), None
            if self.setup.phases == 3:
                meter = PhaseMeter(self.spec, request, with_cars=dispatch is not None)
            for part in self.setup.parts(self.spec, given):
                self._take(name, number, part, assessor, meter)
                carried.add(part.result)
                bar.update(part.result.status.size)
            assessor.end(self._heat(name, number, segment, given, carried))
            extremes.take(segment, request, dispatch)
            both_ways = strategy is not None and strategy.bidirectional
            switched.take(request, dispatch, bidirectional=both_ways)
        found = switched.added_to(assessor.finish(name), self.worst.get(name))
        return extremes.added_to(found)

    def _take(
        self,
        name: str,
        number: int,
        part: FlowChunk,
        assessor: Assessor,
        meter: PhaseMeter | None = None,
    ) -> None:
        """Take in one part of a row's power flow."""
        segment, flow, first = self.segments[number], part.result, part.time.start
        self.engine_name = flow.engine
        self.failed += int((flow.status == Status.NOT_CONVERGED).sum())
        self.failed += int((flow.status == Status.IMPLAUSIBLE).sum())
        assessor.take(first, flow, None if meter is None else meter(part.injections))
        self.arrays.put_flow(name, number, flow, part.injections, first)
        counted = segment.counted[part.time]
        worst = worst_lane(self.spec, part.injections, flow, counted, self.worst.get(name))
        if worst is not None:
            self.worst[name] = worst
        self._verify(name, number, part)
        self.notes.extend(flow.notes)

    def _heat(
        self, name: str, number: int, segment: Segment, given: Injections, carried: Carried
    ) -> dict[str, FloatArray]:
        """Return the temperatures of a segment, nothing where they are not studied."""
        if self.plates is None:
            return {}
        loading = carried.loading
        self.jump_pu = max(self.jump_pu, largest_jump_pu(loading) / 100.0)
        series, bridged = temperatures(
            self.spec, segment, self.plates.model, loading, given, carried.by_phase
        )
        self.bridged += bridged
        heat = {n: getattr(series, n) for n in ("top_oil_c", "hot_spot_c", "ageing_rate")}
        self.arrays.put_temperatures(name, number, **{n: v[0] for n, v in heat.items()})
        return heat

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

    def step_notes(self) -> list[Note]:
        """Return the warning that the step is too coarse for ageing, where it is."""
        note = coarse_step_note(self.spec.timeline.dt_h, self.jump_pu)
        return [note] if note else []

    def sensitivity(self) -> dict[str, dict[str, float]]:
        """Return the lowest voltage of each row with its sources lower and higher; note them."""
        found = {}
        for name, worst in self.worst.items():
            lower, higher = busbar_sensitivity(self.spec, worst, self.setup)
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

    def _verify(self, name: str, number: int, part: FlowChunk) -> None:
        """Solve the drawn lanes of this part again."""
        first = self.labels.index(name) * self._steps + part.time.start
        first += sum(s.timeline.count for s in self.segments[:number])
        inside = (self._lanes >= first) & (self._lanes < first + part.result.status.shape[1])
        if inside.any():
            again = compare_lanes(
                self.spec,
                part.injections,
                part.result,
                self._lanes[inside] - first,
                self.verify_engine,
            )
            self.difference = self.difference.joined(again)
