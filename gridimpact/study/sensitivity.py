"""How far the lowest voltage follows an assumed busbar set-point."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass

import numpy as np

from gridimpact.assess.running import over_phases
from gridimpact.powerflow.choose import engine_for
from gridimpact.records import BoolArray, FlowResult, Injections, Network, Note
from gridimpact.study.power_flow import FlowSetup
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
    voltage = flow.vm_pu[0][:, buses]
    if voltage.ndim == 3:
        # A phase a bus does not have is not known; the others speak for it.
        voltage = over_phases(np.fmin, voltage)
    with np.errstate(invalid="ignore"):
        lowest = np.where(counted, np.min(voltage, axis=1), np.nan)
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


def busbar_sensitivity(spec: StudySpec, worst: WorstLane, setup: FlowSetup) -> tuple[float, float]:
    """Return the lowest voltage with every source set `SHIFT_PU` lower and higher [pu]."""
    options = dataclasses.replace(setup.options, keep=("vm_pu",))
    found = []
    for shift in (-SHIFT_PU, SHIFT_PU):
        network = shifted(spec.network, shift)
        flow = engine_for(network).solve(network.grid, worst.injections, options)
        found.append(float(np.fmin.reduce(flow.vm_pu[0, 0][network.grid.bus_supplied], axis=None)))
    return found[0], found[1]


def shifted(network: Network, shift_pu: float) -> Network:
    """Return a network whose external grids are set higher by `shift_pu`."""
    grid = network.grid
    net = network.net
    if grid.beyond_batched:
        # Such a network is solved by its tables, not by the extract.
        net = copy.deepcopy(net)
        net["ext_grid"]["vm_pu"] += shift_pu
    slack = grid.admittance.slack_vm_pu
    moved = slack * (1.0 + shift_pu / np.abs(slack))
    admittance = dataclasses.replace(grid.admittance, slack_vm_pu=moved)
    model = grid.phase_model
    if model is not None:
        own = model.slack_vm_pu
        model = dataclasses.replace(model, slack_vm_pu=own * (1.0 + shift_pu / np.abs(own)))
    moved_grid = dataclasses.replace(grid, admittance=admittance, phase_model=model)
    return dataclasses.replace(network, net=net, grid=moved_grid)


def sensitivity_note(name: str, worst: WorstLane, moved: tuple[float, float]) -> Note:
    """Return the sensitivity of one row as a note."""
    text = (
        f"a source {SHIFT_PU} pu lower or higher moves the lowest voltage of {name} from "
        f"{worst.vm_min_pu:.3f} to {moved[0]:.3f} or {moved[1]:.3f} pu"
    )
    return Note("info", "busbar set-point", text)
