"""What the network sees when all cars of a service go to one end of their band at once.

A signal of a few seconds averages away over a study's step, and one signal knows no diversity: so the
counted steps in which power moves are solved again with every car at its least power, and with every car
at its highest. Between the two lies the voltage step of a call or a full swing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridimpact.assess.running import over_phases
from gridimpact.records import (
    Assessment,
    BoolArray,
    Dispatch,
    FloatArray,
    FlowResult,
    Injections,
    IntArray,
    Note,
    PlanRequest,
    ServiceFigure,
)
from gridimpact.study.inject import inject
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec

COLUMNS = ("service", "name", "value", "period", "note")
NETWORK = "network"
MOVES_KW = 1e-6
"""A fleet whose power moves less inside a step is steady."""
VOLTAGE_STEP_PERCENT = 3.0
"""Voltage step above which a note warns: a usual planning level for steps that are not frequent; repeated
ones are judged by their flicker, which is not assessed."""
REBOUND_H = 2.0
"""Time after a call in which the rebound is looked for; an own choice."""
_LOADINGS = ("line_loading_percent", "transformer_loading_percent")


@dataclass
class Worst:
    """The largest value so far, and where it was."""

    value: float = float("nan")
    where: str = ""

    def take(
        self, values: FloatArray, names: list[str], moments: list[str], sign: float = 1.0
    ) -> None:
        """Look at values (time, element); `sign` -1 keeps the least."""
        if not np.isfinite(values).any():
            return
        step, place = np.unravel_index(np.nanargmax(sign * values), values.shape)
        value = float(values[step, place])
        if np.isnan(self.value) or sign * value > sign * self.value:
            self.value, self.where = value, f"{names[int(place)]}, {moments[int(step)]}"


@dataclass
class Extremes:
    """The worst of all moving steps of one row, gathered segment by segment."""

    spec: StudySpec
    setup: FlowSetup
    steps: int = 0
    failed: int = 0
    worst: dict[str, Worst] = field(default_factory=dict)
    figures: list[tuple[str, ServiceFigure]] = field(default_factory=list)

    def take(self, segment: Segment, request: PlanRequest, dispatch: Dispatch | None) -> None:
        """Take in a planned segment; solves nothing where no power moves inside a step."""
        if dispatch is None:
            return
        self.figures += [(segment.name, figure) for figure in dispatch.figures]
        if dispatch.p_low_kw is None or dispatch.p_high_kw is None:
            return
        moved, rebound = moving_steps(segment, dispatch)
        steps = np.flatnonzero(moved | rebound)
        if not steps.size:
            return
        self.steps += int(moved.sum())
        ends = [
            self._ends(segment, request, dispatch, power, steps)
            for power in (dispatch.p_low_kw, dispatch.p_high_kw)
        ]
        clock = segment.timeline.local[steps]
        first = 0
        for low, high in zip(*ends, strict=True):
            count = low.status.shape[1]
            part = slice(first, first + count)
            moments = [f"{moment:%Y-%m-%d %H:%M}" for moment in clock[part]]
            self._compare(low, high, moments, rebound[steps[part]])
            first += count

    def _ends(
        self,
        segment: Segment,
        request: PlanRequest,
        dispatch: Dispatch,
        p_kw: FloatArray,
        steps: IntArray,
    ) -> Iterator[FlowResult]:
        """Yield the power flows of some steps with every car at one end, part by part."""
        given = inject(self.spec, segment, request, dataclasses.replace(dispatch, p_kw=p_kw))
        for part in self.setup.parts(self.spec, only(given, steps)):
            yield part.result

    def _compare(
        self, low: FlowResult, high: FlowResult, moments: list[str], rebound: BoolArray
    ) -> None:
        """Take in one part solved at both ends."""
        grid = self.spec.network.grid
        live = np.asarray(grid.bus_supplied, dtype=np.bool_)
        buses = [f"bus {name}" for name, on in zip(grid.bus_name, live, strict=True) if on]
        at_low, at_high = low.vm_pu[0][:, live], high.vm_pu[0][:, live]
        step = np.abs(at_high - at_low) * 100.0
        for end, volt in (("least_draw", at_low), ("highest_draw", at_high)):
            self._put(f"vm_min_pu_{end}", _phases(np.fmin, volt), buses, moments, sign=-1.0)
            self._put(f"vm_max_pu_{end}", _phases(np.fmax, volt), buses, moments)
        self._put("voltage_step_percent", _phases(np.fmax, step), buses, moments)
        for name in _LOADINGS:
            kind = name.split("_", 1)[0]
            names = [f"{kind} {text}" for text in getattr(grid, f"{kind}_name")]
            for end, flow in (("least_draw", low), ("highest_draw", high)):
                self._put(f"{name}_{end}", getattr(flow, name)[0], names, moments)
            after = np.where(rebound[:, None], getattr(high, name)[0], np.nan)
            self._put(f"{name}_rebound", after, names, moments)
        self.failed += int((~np.isfinite(at_low).any(axis=tuple(range(1, at_low.ndim)))).sum())
        self.failed += int((~np.isfinite(at_high).any(axis=tuple(range(1, at_high.ndim)))).sum())

    def _put(
        self,
        name: str,
        values: FloatArray,
        names: list[str],
        moments: list[str],
        sign: float = 1.0,
    ) -> None:
        if values.size:
            self.worst.setdefault(name, Worst()).take(values, names, moments, sign)

    def added_to(self, assessment: Assessment) -> Assessment:
        """Return the assessment with the table ``services``, unchanged where there is nothing to tell."""
        rows = [(f.service, f.name, f.value, period, f.note) for period, f in self.figures]
        if self.steps:
            rows.append((NETWORK, "steps", float(self.steps), "all", "solved at both ends"))
            rows.append((NETWORK, "steps_failed", float(self.failed), "all", "of these flows"))
        rows += [
            (NETWORK, name, found.value, "all", f"at {found.where}")
            for name, found in self.worst.items()
            if np.isfinite(found.value)
        ]
        if not rows:
            return assessment
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        tables = MappingProxyType({**assessment.tables, "services": table})
        return dataclasses.replace(
            assessment, tables=tables, notes=(*assessment.notes, *self._notes(assessment.strategy))
        )

    def _notes(self, strategy: str) -> list[Note]:
        """Return what the extremes mean, as notes."""
        if not self.steps:
            return []
        text = (
            f"{self.steps} counted steps of {strategy} were solved again with all its cars at their least and "
            "at their highest power; voltages and loadings of the comparison are those of step means"
        )
        notes = [Note("info", "services", text)]
        step = self.worst.get("voltage_step_percent", Worst())
        if step.value > VOLTAGE_STEP_PERCENT:
            text = (
                f"{strategy}: from one end of the band to the other the voltage steps by {step.value:.1f} % at "
                f"{step.where}, above {VOLTAGE_STEP_PERCENT:g} %; flicker is not assessed"
            )
            notes.append(Note("warning", "services", text))
        return notes


def moving_steps(segment: Segment, dispatch: Dispatch) -> tuple[BoolArray, BoolArray]:
    """Return the counted steps in which power moves, and those of a rebound after a call.

    A rebound begins with a step that jumps up from its least power and ends at its highest, as cars do
    after a call of reserve.
    """
    if dispatch.p_low_kw is None or dispatch.p_high_kw is None:
        nothing = np.zeros(segment.timeline.count, dtype=np.bool_)
        return nothing, nothing
    below = (dispatch.p_kw - dispatch.p_low_kw).sum(axis=1) > MOVES_KW
    above = (dispatch.p_high_kw - dispatch.p_kw).sum(axis=1) > MOVES_KW
    called = any(figure.service == "spinning_reserve" for figure in dispatch.figures)
    rebound = np.zeros(below.size, dtype=np.bool_)
    if called:
        span = max(round(REBOUND_H / segment.timeline.dt_h), 1)
        for begin in np.flatnonzero(below & ~above):
            rebound[begin : begin + span] = True
    return (below | above) & segment.counted, rebound & segment.counted


def only(injections: Injections, steps: IntArray) -> Injections:
    """Return the injections of some steps, one after the other; their moments mean nothing then."""
    return dataclasses.replace(
        injections,
        timeline=injections.timeline.part(0, int(steps.size)),
        p_kw=np.ascontiguousarray(injections.p_kw[:, steps]),
        q_kvar=np.ascontiguousarray(injections.q_kvar[:, steps]),
    )


def _phases(function: np.ufunc, values: FloatArray) -> FloatArray:
    """Return the worst phase of (time, bus[, phase])."""
    return values if values.ndim == 2 else over_phases(function, values)
