"""Scenarios of one draw solved and judged: plans, power flow, temperatures, service, verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.strategy import Strategy
from gridimpact.hosting.draws import Draw
from gridimpact.hosting.judge import Judge, Tally, rows_of
from gridimpact.hosting.plans import Planner
from gridimpact.hosting.readings import Readings, Service
from gridimpact.hosting.scenarios import VALUES_AT_ONCE, Scenario, batches, layout_of
from gridimpact.hosting.service_of import ServiceSums
from gridimpact.hosting.stacked_injections import Stack
from gridimpact.powerflow.engine import take_part
from gridimpact.records import FloatArray, PlanRequest, ScanSettings
from gridimpact.study.asymmetry import PhaseMeter
from gridimpact.study.inject import Frame, frame_of
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal import Carried, temperatures
from gridimpact.study.thermal_plates import Plates

Solved = tuple[NDArray[Any], NDArray[Any]]
"""Rows of `SCENARIO_DTYPE` and feeders of `FEEDER_DTYPE` of the same scenarios."""


@dataclass(frozen=True)
class Bench:
    """What solves and judges, the same for all draws."""

    spec: StudySpec
    settings: ScanSettings
    strategies: tuple[Strategy, ...]
    setup: FlowSetup
    plates: Plates | None
    judge: Judge

    def without_cars(self, segments: tuple[Segment, ...]) -> Readings:
        """Return what the network reads without any added car."""
        frame = frame_of(self.spec, with_cars=False)

        def stack(_: int, segment: Segment) -> Stack:
            return Stack(self.spec, segment, frame, 1, self.meter(self.spec, segment))

        return self.read(segments, 1, stack)

    def meter(
        self, spec: StudySpec, segment: Segment, request: PlanRequest | None = None
    ) -> PhaseMeter | None:
        """Return what reads the asymmetry of connections, None where it is not judged.

        Parameters
        ----------
        spec : StudySpec
            Whose elements are solved.
        segment : Segment
            Steps.
        request : PlanRequest, optional
            Tells where chargers stand; None without cars.
        """
        if self.setup.phases != 3 or self.spec.limits.single_phase_kva is None:
            return None
        if request is None:
            return PhaseMeter(spec, build_requests(spec, segment), with_cars=False)
        return PhaseMeter(spec, request, with_cars=True)

    def read(
        self,
        segments: Sequence[Segment],
        scenarios: int,
        stack: Callable[[int, Segment], Stack],
    ) -> Readings:
        """Solve scenarios over all segments and return what they read.

        Parameters
        ----------
        segments : sequence of Segment
            In order.
        scenarios : int
        stack : callable
            Returns their power on a segment, given its number.
        """
        tally = self.judge.start(scenarios)
        for number, segment in enumerate(segments):
            given = stack(number, segment)
            tally.begin(number, segment, given.site_p_kw)
            tally.end(self._solve(tally, segment, given))
        return tally.finish()

    def _solve(self, tally: Tally, segment: Segment, stack: Stack) -> dict[str, FloatArray]:
        """Solve one segment part by part; return temperatures, nothing where they are not studied."""
        grid, engine, options = self.spec.network.grid, self.setup.engine, self.setup.options
        injections, meter = stack.injections, stack.meter
        nodes = max(len(grid.bus_index) * self.setup.phases, 1)
        steps = max(VALUES_AT_ONCE // (nodes * len(injections.p_kw)), 1)
        carried = Carried()
        for first in range(0, segment.timeline.count, steps):
            span = slice(first, min(first + steps, segment.timeline.count))
            part = take_part(injections, slice(None), span)
            flow = engine.solve(grid, part, options)
            tally.take(first, flow, site_asymmetry_kva=None if meter is None else meter(part))
            carried.add(flow)
        if self.plates is None:
            return {}
        heat, _ = temperatures(
            self.spec, segment, self.plates.model, carried.loading, injections, carried.by_phase
        )
        return {name: getattr(heat, name) for name in ("top_oil_c", "hot_spot_c", "ageing_rate")}


class DrawSolver:
    """Solves scenarios of one draw.

    Parameters
    ----------
    bench : Bench
    draw : Draw
    base : Readings
        Of the draw's segments without added cars.
    """

    def __init__(self, bench: Bench, draw: Draw, base: Readings) -> None:
        self._bench, self._draw, self._base = bench, draw, base
        self._planners: dict[int, Planner] = {}

    def __call__(self, scenarios: Sequence[Scenario]) -> Solved:
        """Return rows and feeders of scenarios, sorted by strategy and cars."""
        found = [layout_of(self._draw, self._bench.strategies[s.strategy], s) for s in scenarios]
        specs = dict(found)
        parts: list[Solved] = []
        order: list[Scenario] = []
        for key, batch in batches(scenarios, [key for key, _ in found], self._values_each):
            parts.append(self._batch(specs[key], batch))
            order += batch
        rows, feeders = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        back = sorted(range(len(order)), key=order.__getitem__)
        return rows[back], feeders[back]

    @cached_property
    def _values_each(self) -> int:
        """Values of one array of the longest segment of one scenario."""
        grid, fleet = self._bench.spec.network.grid, self._draw.spec.fleet
        sites = len(self._bench.spec.network.sites)
        elements = 2 * sites + 2 * len(fleet.chargers)
        longest = max(segment.timeline.count for segment in self._draw.segments)
        return longest * max(len(grid.bus_index) * self._bench.setup.phases, elements)

    @cached_property
    def _shared_frame(self) -> Frame:
        """Elements of all scenarios whose chargers do not answer to voltage."""
        return frame_of(self._draw.spec, with_cars=True)

    def _batch(self, spec: StudySpec, scenarios: tuple[Scenario, ...]) -> Solved:
        """Solve scenarios that share their elements, and judge them."""
        bench, draw = self._bench, self._draw
        frame = self._shared_frame if spec is draw.spec else frame_of(spec, with_cars=True)
        sums = ServiceSums(len(scenarios), bench.judge.rules.context.target_tolerance)

        def stack(number: int, segment: Segment) -> Stack:
            planner = self._planner(number)
            cars = None if spec is draw.spec else scenarios[0].cars
            meter = bench.meter(spec, segment, planner.request(cars))
            filled = Stack(bench.spec, segment, frame, len(scenarios), meter)
            for k, request, dispatch in planner.plans(scenarios):
                filled.put(k, request, dispatch)
                departures = planner.departures(scenarios[k].cars)
                sums.take(k, request, dispatch, segment.counted, departures)
            planner.forget()
            return filled

        readings = bench.read(draw.segments, len(scenarios), stack)
        service: Service = sums.service()
        rows, feeders = rows_of(readings, self._base, service, bench.settings)
        rows["draw"] = draw.number
        for name in ("strategy", "cars", "refined"):
            rows[name] = [getattr(scenario, name) for scenario in scenarios]
        return rows, feeders

    def _planner(self, number: int) -> Planner:
        """Return the planner of a segment, made once."""
        bench = self._bench
        if number not in self._planners:
            plate = None if bench.plates is None else bench.plates.lead
            self._planners[number] = Planner(
                self._draw, self._draw.segments[number], bench.strategies, bench.setup, plate
            )
        return self._planners[number]
