"""How the power flow of a study is solved: balanced or in three phases, by which engine, in which parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.assess import asked_of_flow
from gridimpact.errors import GridError
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow.choose import engine_for
from gridimpact.powerflow.engine import KEPT, Engine, FlowChunk, FlowOptions, solve_in_chunks
from gridimpact.records import Injections, Note
from gridimpact.study.elements import phase_notes, phases_of_chargers, phases_of_pv
from gridimpact.study.spec import StudySpec
from gridimpact.study.volt_var import volt_var_study_notes

THREE_PHASE = "three_phase"
BALANCED = "balanced"
_VALUES_AT_ONCE = 4_000_000
"""Voltages of one part; a part stands in memory several times."""
_SLOW_LANES = 96
"""Lanes of a part of an engine that takes milliseconds for each, so that progress is seen."""
_WAYS_OUT = (
    "set zero_sequence: assume to take stated ratios for what is missing, or power_flow: balanced"
)


@dataclass(frozen=True)
class FlowSetup:
    """What solves a study's power flows."""

    engine: Engine
    options: FlowOptions
    lanes: int
    """Lanes of one part."""
    notes: tuple[Note, ...] = ()

    @property
    def phases(self) -> int:
        """1 or 3."""
        return self.options.phases

    def parts(self, spec: StudySpec, injections: Injections) -> Iterator[FlowChunk]:
        """Yield the solved parts of injections in order of time."""
        grid = spec.network.grid
        return solve_in_chunks(self.engine, grid, injections, self.options, self.lanes)


def uneven_connections(spec: StudySpec) -> int:
    """Return how many sites, chargers and PV inverters in use stand on fewer than three phases."""
    used = np.abs(spec.profiles.load_p_kw).max(axis=0, initial=0.0) > 0.0
    with_pv = spec.profiles.pv_p_kw.min(axis=0, initial=0.0) < 0.0
    at_site = np.array([len(str(p)) < 3 for p in spec.network.sites["phases"]], dtype=np.bool_)
    pv = np.array([len(p) < 3 for p in phases_of_pv(spec)], dtype=np.bool_)
    chargers = sum(len(p) < 3 for p in phases_of_chargers(spec))
    return int((at_site & used).sum()) + int((pv & with_pv & ~at_site).sum()) + chargers


def resolved(spec: StudySpec) -> StudySpec:
    """Return the study with its power flow decided and, in three phases, its network's phase model.

    Notes
    -----
    "auto" goes to three phases where a connection in use has fewer than three and the network's
    zero-sequence data are complete or may be assumed; else the study stays balanced and a note says
    which option changes that.

    Raises
    ------
    GridError
        If three phases are asked for and the network lacks data for them.
    """
    if spec.power_flow == BALANCED:
        return spec
    uneven = uneven_connections(spec)
    if spec.power_flow == "auto" and not uneven:
        return dataclasses.replace(spec, power_flow=BALANCED)
    try:
        network = with_phases(spec.network, zero_sequence=spec.zero_sequence)
    except GridError as error:
        if spec.power_flow == THREE_PHASE:
            message = f"{error}\nThree phases were asked for: {_WAYS_OUT}."
            raise GridError(message, error.problems) from error
        return _fallen_back(spec, uneven, error)
    return dataclasses.replace(spec, network=network, power_flow=THREE_PHASE)


def _fallen_back(spec: StudySpec, uneven: int, error: GridError) -> StudySpec:
    """Return the study as a balanced one, with a note that says why and what to do."""
    first = error.problems[0] if error.problems else None
    why = f"{first.where} {first.what}" if first else str(error).splitlines()[0]
    more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
    text = (
        f"{uneven} connections on fewer than three phases are solved as balanced ones, because the network "
        f"cannot be solved in three phases ({why}{more}); {_way(spec)}."
    )
    note = Note("warning", "power flow", text)
    return dataclasses.replace(spec, power_flow=BALANCED, notes=(*spec.notes, note))


def _way(spec: StudySpec) -> str:
    """Return what the user may do about a study that fell back to a balanced flow."""
    if spec.network.grid.beyond_batched:
        return "three phases follow no element that holds a voltage or power"
    if spec.zero_sequence == "require":
        return "set zero_sequence: assume to take stated ratios for what is missing"
    return "mend what is named"


def flow_setup(spec: StudySpec, progress: Any = None) -> FlowSetup:
    """Return what solves a decided study.

    Parameters
    ----------
    spec : StudySpec
        As `resolved` returns it.
    progress : callable, optional
        Called with lanes solved and lanes in all by an engine that takes its time.
    """
    engine = engine_for(spec.network, progress)
    grid = spec.network.grid
    keep: tuple[str, ...] = KEPT
    notes = list(volt_var_study_notes(spec))
    phases = 3 if spec.power_flow == THREE_PHASE else 1
    if len(grid.transformer3w_index):
        keep += ("transformer3w_loading_percent",)
    if phases == 3:
        keep += (*asked_of_flow(spec.limits), "transformer_phase_loading_percent", "line_i_ka")
        notes += phase_notes(spec)
    lanes = int(np.clip(_VALUES_AT_ONCE // max(len(grid.bus_index) * phases, 1), 96, 35_136))
    if grid.tap_controls:
        text = (
            f"{len(grid.tap_controls)} tap changers hold a voltage; every step begins at the position in the "
            "network's data, so that no step depends on another."
        )
        notes.append(Note("info", "power flow", text))
    if grid.beyond_batched:
        lanes = _SLOW_LANES
    return FlowSetup(engine, FlowOptions(phases=phases, keep=keep), lanes, tuple(notes))
