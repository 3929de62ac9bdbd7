"""A strategy's whole result judged: segments in, one `Assessment` out.

All reducers see the same chunks; a study with many scenarios may run them one by one itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.assess.basis import basis_table
from gridimpact.assess.branch_tables import lines_table, transformers3w_table, transformers_table
from gridimpact.assess.chunks import Cutter, chunks_of, unsolved
from gridimpact.assess.connections import ConnectionReducer
from gridimpact.assess.context import CHUNK_STEPS, AssessContext, Chunk, SegmentResult
from gridimpact.assess.cost import CostReducer
from gridimpact.assess.energy import EnergyReducer
from gridimpact.assess.findings import Findings
from gridimpact.assess.loading import LoadingReducer
from gridimpact.assess.sequence import UnbalanceReducer
from gridimpact.assess.service import ServiceReducer
from gridimpact.assess.summary import summary_of
from gridimpact.assess.tables import (
    buses_table,
    departures_table,
    sites_table,
    vehicles_table,
    worst_table,
)
from gridimpact.assess.transformer import ThermalReducer
from gridimpact.assess.verdicts import verdicts_of
from gridimpact.assess.violations import violations_table
from gridimpact.assess.voltage import VoltageReducer
from gridimpact.assess.wear import WearReducer
from gridimpact.errors import InputError
from gridimpact.records import Assessment, Dispatch, FloatArray, FlowResult, PlanRequest
from gridimpact.timeline import Timeline


@dataclass
class Assessor:
    """Takes in one strategy segment by segment, so that power flows need not be kept.

    Examples
    --------
    ``assessor = Assessor.start(context)``, ``assessor.update(segment)`` for each, then
    ``assessor.finish("uncontrolled")``. A segment whose power flow is solved in parts is taken in
    by `begin`, `take` for each part in order, and `end` with the temperatures.
    """

    context: AssessContext
    chunk_steps: int
    voltage: VoltageReducer
    unbalance: UnbalanceReducer
    lines: LoadingReducer
    transformers: LoadingReducer
    transformers3w: LoadingReducer
    thermal: ThermalReducer
    energy: EnergyReducer
    service: ServiceReducer
    cost: CostReducer
    connections: ConnectionReducer
    wear: WearReducer
    timelines: dict[int, Timeline] = field(default_factory=dict)
    cars: dict[int, tuple[PlanRequest, Dispatch]] = field(default_factory=dict)
    longest_h: float = 0.0
    request: PlanRequest | None = None
    phases: int = 1
    cutter: Cutter | None = None
    loads: list[FloatArray] = field(default_factory=list)
    """Loading of the transformers in the open segment, which its temperatures are judged beside."""

    @classmethod
    def start(cls, context: AssessContext, chunk_steps: int = CHUNK_STEPS) -> Assessor:
        """Return an empty assessor.

        Parameters
        ----------
        context : AssessContext
            What does not change over the time assessed.
        chunk_steps : int
            Steps handled at once; changes no figure.
        """
        return cls(
            context=context,
            chunk_steps=chunk_steps,
            voltage=VoltageReducer.start(context),
            unbalance=UnbalanceReducer.start(context),
            lines=LoadingReducer.start(context, "line"),
            transformers=LoadingReducer.start(context, "transformer"),
            transformers3w=LoadingReducer.start(context, "transformer3w"),
            thermal=ThermalReducer.start(context),
            energy=EnergyReducer.start(context),
            service=ServiceReducer.start(context),
            cost=CostReducer.start(context),
            connections=ConnectionReducer.start(context),
            wear=WearReducer.start(context),
        )

    def update(self, segment: SegmentResult) -> None:
        """Take in the next segment.

        Raises
        ------
        InputError
            If its arrays do not fit its timeline, or its step or sites differ from those before.
        """
        number = self._register(segment)
        for chunk in chunks_of(segment, number, self.chunk_steps):
            self._reduce(chunk)
            self.thermal.update(chunk)

    def begin(self, segment: SegmentResult) -> None:
        """Open a segment whose power flow comes in parts.

        Raises
        ------
        InputError
            As `update`.
        """
        segment.check()
        self.cutter, self.loads = Cutter(segment, self._register(segment)), []

    def take(
        self, first: int, flow: FlowResult, site_asymmetry_kva: FloatArray | None = None
    ) -> None:
        """Take in a part of the open segment that begins with step `first`.

        `site_asymmetry_kva`, (scenario, time, site), is that of the part's steps, where phases are known.
        """
        if self.cutter is None:
            message = "no segment is open; call begin first"
            raise InputError(message)
        self._reduce(self.cutter.chunk(first, flow, site_asymmetry_kva))
        self.loads.append(flow.transformer_loading_percent)

    def end(self, heat: Mapping[str, Any]) -> None:
        """Close the segment with its temperatures: ``top_oil_c hot_spot_c ageing_rate``, if any."""
        if self.cutter is None or not heat:
            self.cutter = None
            return
        hot = dataclasses.replace(self.cutter.segment, request=None, dispatch=None, **heat)
        cutter = Cutter(hot, self.cutter.number)
        scenarios, count = heat["hot_spot_c"].shape[:2]
        loads = (
            np.concatenate(self.loads, axis=1) if self.loads else np.zeros((scenarios, count, 0))
        )
        for first in range(0, count, self.chunk_steps):
            part = loads[:, first : first + self.chunk_steps]
            self.thermal.update(cutter.chunk(first, unsolved(part)))
        self.cutter, self.loads = None, []

    def _reduce(self, chunk: Chunk) -> None:
        """Give a chunk to every reducer but the thermal one."""
        self.phases = chunk.flow.phases
        for reducer in (
            self.voltage,
            self.unbalance,
            self.lines,
            self.transformers,
            self.transformers3w,
            self.energy,
            self.service,
            self.cost,
            self.connections,
            self.wear,
        ):
            reducer.update(chunk)

    def _register(self, segment: SegmentResult) -> int:
        """Book a segment and return its number."""
        self._check(segment)
        number = len(self.timelines)
        self.timelines[number] = segment.timeline
        counted = float(np.count_nonzero(segment.counted_steps)) * segment.timeline.dt_h
        self.longest_h = max(self.longest_h, counted)
        self.request = segment.request or self.request
        if segment.request is not None and segment.dispatch is not None:
            self.cars[number] = (segment.request, segment.dispatch)
        return number

    def finish(self, strategy: str) -> Assessment:
        """Return the assessment; `strategy` is its label."""
        if not self.timelines:
            message = f"nothing to assess for {strategy!r}: no segment was given"
            raise InputError(message)
        # Chargers hang on the network only where cars are added.
        context = self.context
        if not self.cars:
            context = dataclasses.replace(context, charger_phases=())
        found = Findings(
            context=context,
            timelines=self.timelines,
            cars=self.cars,
            longest_h=self.longest_h,
            voltage=self.voltage.finish(),
            phases=self.phases,
            unbalance=self.unbalance.finish(),
            lines=self.lines.finish(),
            transformers=self.transformers.finish(),
            transformers3w=self.transformers3w.finish(),
            energy=self.energy.finish(),
            thermal=self.thermal.finish(),
            service=self.service.finish(),
            cost=self.cost.finish(),
            connections=self.connections.finish(),
            request=self.request,
            wear=self.wear.finish(),
        )
        return _assessment(found, strategy)

    def _check(self, segment: SegmentResult) -> None:
        """Refuse a segment that cannot be added to those before."""
        if not self.timelines:
            return
        step_s = self.timelines[0].step_s
        if segment.timeline.step_s != step_s:
            message = (
                f"a segment has steps of {segment.timeline.step_s} s, those before of {step_s} s; "
                "assess them apart"
            )
            raise InputError(message)
        before, now = self.request, segment.request
        if before is not None and now is not None and before.site_id != now.site_id:
            message = "a segment has other sites than those before; assess them apart"
            raise InputError(message)


def assess(
    context: AssessContext,
    segments: SegmentResult | Iterable[SegmentResult],
    strategy: str,
    *,
    chunk_steps: int = CHUNK_STEPS,
) -> Assessment:
    """Return all figures, tables and violations of one strategy.

    Parameters
    ----------
    context : AssessContext
        Network, sites, limits and thermal data.
    segments : SegmentResult or iterable of SegmentResult
        Solved runs of steps, all with the same step and sites.
    strategy : str
        Label, ``"no_ev"`` for the case without added cars.
    chunk_steps : int
        Steps handled at once; changes no figure.

    Returns
    -------
    Assessment
        `summary` holds every name of METRICS, None where a figure was not assessed with a note
        saying why; whose doing the violations are comes from `compare_with_base`. Where there are
        several scenarios the first is reported.

    Raises
    ------
    InputError
        If a segment's arrays do not fit its timeline or segments do not belong together.
    """
    assessor = Assessor.start(context, chunk_steps)
    for segment in [segments] if isinstance(segments, SegmentResult) else segments:
        assessor.update(segment)
    return assessor.finish(strategy)


def _assessment(found: Findings, strategy: str) -> Assessment:
    """Return figures, tables and violations as the record."""
    violations, event_notes = violations_table(found)
    summary, notes = summary_of(found, violations)
    verdicts = verdicts_of(found, violations)
    tables = {
        "buses": buses_table(found),
        "lines": lines_table(found),
        "transformers": transformers_table(found),
        **transformers3w_table(found),
        "departures": departures_table(found),
        "sites": sites_table(found),
        "vehicles": vehicles_table(found),
        "worst": worst_table(found),
        "basis": basis_table(summary),
        "verdicts": pd.DataFrame(
            [(v.subject, v.verdict, v.reason) for v in verdicts],
            columns=["subject", "verdict", "reason"],
        ),
    }
    return Assessment(
        strategy=strategy,
        limits=found.context.limits.name,
        summary=summary,
        violations=violations,
        tables=MappingProxyType(tables),
        notes=(*notes, *event_notes),
    )
