"""How far the lowest voltage follows an assumed busbar set-point."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gridimpact.powerflow import BatchedEngine
from gridimpact.records import BoolArray, FlowResult, Injections, Note
from gridimpact.study.spec import StudySpec

SHIFT_PU = 0.03


@dataclass(frozen=True)
class WorstLane:
    """The step with the lowest voltage of a row, ready to be solved again."""

    vm_min_pu: float
    injections: Injections


def worst_lane(
    spec: StudySpec,
    injections: Injections,
    flow: FlowResult,
    counted: BoolArray,
    before: WorstLane | None,
) -> WorstLane | None:
    """Return the worst step so far: of this flow, or the one found before."""
    buses = spec.network.grid.bus_supplied
    if not counted.any() or not buses.any():
        return before
    with np.errstate(invalid="ignore"):
        lowest = np.where(counted, np.min(flow.vm_pu[0][:, buses], axis=1), np.nan)
    if np.isnan(lowest).all():
        return before
    step = int(np.nanargmin(lowest))
    if before is not None and before.vm_min_pu <= lowest[step]:
        return before
    lane = dataclasses.replace(
        injections,
        timeline=injections.timeline.part(step, 1),
        p_kw=injections.p_kw[:, step : step + 1],
        q_kvar=injections.q_kvar[:, step : step + 1],
    )
    return WorstLane(float(lowest[step]), lane)


def busbar_sensitivity(spec: StudySpec, worst: WorstLane) -> tuple[float, float]:
    """Return the lowest voltage with every source set `SHIFT_PU` lower and higher [pu]."""
    grid = spec.network.grid
    found = []
    for shift in (-SHIFT_PU, SHIFT_PU):
        slack = grid.admittance.slack_vm_pu
        moved = slack * (1.0 + shift / np.abs(slack))
        shifted = dataclasses.replace(
            grid, admittance=dataclasses.replace(grid.admittance, slack_vm_pu=moved)
        )
        flow = BatchedEngine().solve(shifted, worst.injections)
        found.append(float(np.min(flow.vm_pu[0, 0][grid.bus_supplied])))
    return found[0], found[1]


def sensitivity_note(name: str, worst: WorstLane, moved: tuple[float, float]) -> Note:
    """Return the sensitivity of one row as a note."""
    text = (
        f"a source {SHIFT_PU} pu lower or higher moves the lowest voltage of {name} from "
        f"{worst.vm_min_pu:.3f} to {moved[0]:.3f} or {moved[1]:.3f} pu"
    )
    return Note("info", "busbar set-point", text)
