"""Where elements draw in phase coordinates: to neutral or between phases, shared over three terminals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.powerflow.system import zip_shares
from gridimpact.powerflow.three_phase_layout import Slots
from gridimpact.records import (
    BoolArray,
    ComplexArray,
    FloatArray,
    Grid,
    Injections,
    IntArray,
    Note,
    PhaseModel,
)

_SHOWN = 20
"""Problems of one kind listed one by one before they are only counted."""

_EVEN = 1e-9


@dataclass(frozen=True)
class Terminals:
    """What draws at which terminal: 0..2 phases to neutral, 3..5 phases ab, bc, ca."""

    element: IntArray
    """(entry,)"""
    phase: IntArray
    """(entry,) which of the three shares of the element."""
    terminal: IntArray
    """(entry,) ``6 * node + terminal``."""
    fixed_s_kva: ComplexArray
    """(node, 6) constant power drawn by the network itself."""
    loaded: BoolArray
    """(node,)"""
    notes: tuple[Note, ...] = ()


def phase_model(grid: Grid) -> PhaseModel:
    """Return the model in phase coordinates.

    Raises
    ------
    GridError
        Where the grid has none.
    """
    if grid.phase_model is None:
        message = (
            "grid: has no model in phase coordinates, which a three-phase power flow needs; "
            "add one by gridimpact.network.phase_model.with_phases, or solve with phases=1"
        )
        raise GridError(message)
    return grid.phase_model


def find_terminals(grid: Grid, injections: Injections, model: PhaseModel) -> Terminals:
    """Return the terminals of all elements at supplied nodes that are not sources.

    Raises
    ------
    InputError
        Where an element draws unevenly to neutral at a node at which no zero-sequence current can
        flow, or `connection` does not fit.
    """
    count = len(injections.bus)
    connection = np.zeros(count, dtype=np.int64)
    if injections.connection is not None:
        _check_connection(injections.connection, count)
        connection = np.asarray(injections.connection, dtype=np.int64)
    node = model.bus_node[injections.bus]
    source = np.zeros(len(model.node_vn_kv), dtype=bool)
    source[model.slack_node] = True
    acts = (node >= 0) & ~source[node]
    lifted = acts & (connection == 0) & ~model.earthed[node]
    even = (np.abs(injections.phase_share - 1 / 3) <= _EVEN).all(axis=1)
    raise_problems(
        _stray(grid, injections, np.flatnonzero(lifted & ~even)), "three-phase power flow"
    )
    delta = (connection == 1) | lifted
    used = (injections.phase_share > 0) & acts[:, None]
    element, phase = np.nonzero(used)
    terminal = 6 * node[element] + 3 * delta[element] + phase
    fixed = _fixed(model, source)
    loaded = (fixed != 0).any(axis=1)
    loaded[node[element]] = True
    notes = _notes(int((lifted & even).sum()), int((fixed[:, 3:] != 0).any(axis=1).sum()))
    return Terminals(element, phase, terminal, fixed, loaded, notes)


def _check_connection(connection: IntArray, count: int) -> None:
    given = np.asarray(connection)
    if given.shape != (count,):
        what = f"has shape {given.shape}, must be {(count,)}"
        raise_problems([Problem("connection", what)], "injections")
    wrong = np.flatnonzero((given != 0) & (given != 1))
    problems = [
        Problem(f"connection of element {k}", f"is {given[k]}, must be 0 (star) or 1 (delta)")
        for k in wrong[:_SHOWN]
    ]
    raise_problems(problems, "injections")


def _stray(grid: Grid, injections: Injections, elements: IntArray) -> list[Problem]:
    problems = []
    for k in elements[:_SHOWN]:
        bus = injections.bus[k]
        where = f"element {k} at bus {grid.bus_index[bus]} ({grid.bus_name[bus]})"
        what = (
            f"draws {injections.phase_share[k].round(4).tolist()} of its power to neutral, "
            "but no current can return there, as nothing earths the neutral"
        )
        problems.append(Problem(where, what, "connect it in delta or earth the neutral upstream"))
    if len(elements) > _SHOWN:
        text = f"{len(elements) - _SHOWN} more elements draw to a neutral without return"
        problems.append(Problem("elements", text))
    return problems


def _fixed(model: PhaseModel, source: BoolArray) -> ComplexArray:
    """Return constant power by node and terminal [kVA]; without earth it is taken between phases."""
    fixed = np.zeros((len(source), 6), dtype=np.complex128)
    if model.fixed_s_kva is None:
        return fixed
    given = np.where(source[:, None], 0.0, model.fixed_s_kva)
    fixed[:, :3] = np.where(model.earthed[:, None], given, 0.0)
    fixed[:, 3:] = np.where(model.earthed[:, None], 0.0, given.mean(axis=1)[:, None])
    return fixed


def _notes(lifted: int, fixed: int) -> tuple[Note, ...]:
    """Say what is taken as a delta: elements, and nodes at which the network draws by itself."""
    counts = (
        (lifted, "three-phase elements in star stand", "each is taken as an equal one in delta"),
        (
            fixed,
            "nodes with motors or wards stand",
            "their constant power is taken as drawn in delta",
        ),
    )
    return tuple(
        Note(
            "assumption", "power flow", f"{n} {who} where no zero-sequence current can flow; {how}."
        )
        for n, who, how in counts
        if n
    )


def build_slots(
    injections: Injections, model: PhaseModel, terminals: Terminals, place: IntArray
) -> tuple[Slots, IntArray]:
    """Return the slots, in order of places, and the slot of each element's shares.

    Returns
    -------
    tuple
        Slots, and (element, 3) slots of its shares, -1 where it has none.
    """
    fixed = np.flatnonzero(terminals.fixed_s_kva.ravel())
    names = np.unique(np.concatenate([terminals.terminal, fixed]))
    names = names[np.argsort(place[names // 6] * 6 + names % 6, kind="stable")]
    where = np.full(6 * len(place), -1, dtype=np.int64)
    where[names] = np.arange(len(names))
    slot = where[terminals.terminal]
    first, delta = names % 3, names % 6 >= 3
    row = 3 * place[names // 6] + first
    other = np.where(delta, 3 * place[names // 6] + (first + 1) % 3, -1)
    scale = 3.0 / model.s_base_kva
    power = terminals.fixed_s_kva.ravel()[names] * scale
    weight = injections.phase_share[terminals.element, terminals.phase] * scale
    share_p, share_q = (
        np.ascontiguousarray(weight[:, None] * share[terminals.element])
        for share in zip_shares(injections)
    )
    by_element = np.full((len(injections.bus), 3), -1, dtype=np.int64)
    by_element[terminals.element, terminals.phase] = slot
    slots = Slots(
        row=row.astype(np.int64),
        other=other.astype(np.int64),
        fixed=np.stack([power.real, power.imag], axis=1),
        element=terminals.element.astype(np.int64),
        slot=slot,
        share_p=share_p,
        share_q=share_q,
        parts=6 if injections.zip_p.any() or injections.zip_q.any() else 2,
    )
    return slots, by_element


def drawn_power(slots: Slots, p_kw: FloatArray, q_kvar: FloatArray) -> ComplexArray:
    """Return what one lane draws at its slots, (3, slot): constant power, current, impedance [pu]."""
    drawn = np.zeros((3, len(slots.row)), dtype=np.complex128)
    drawn[0] = slots.fixed[:, 0] + 1j * slots.fixed[:, 1]
    p, q = p_kw[slots.element, None] * slots.share_p, q_kvar[slots.element, None] * slots.share_q
    for part in range(3):
        np.add.at(drawn[part], slots.slot, p[:, part] + 1j * q[:, part])
    return drawn
