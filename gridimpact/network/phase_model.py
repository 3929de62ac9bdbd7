"""The model in phase coordinates, put together of three sequences and full matrices of lines.

Positive sequence is the pi-model of the balanced flow, so that every tap, shunt and switch agrees
with it; negative sequence is the same with conjugated phase shifts; zero sequence comes of the
tables of lines, transformers and sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import GridError, InputError, raise_problems
from gridimpact.network.phase_earth import earthing
from gridimpact.network.phase_line import matrices_of_lines
from gridimpact.network.phase_ports import TO_PHASES, phase_block, six_port
from gridimpact.network.phase_sequences import full_line, full_lines_ohm, sequences
from gridimpact.network.phase_source import Sources, source_branches
from gridimpact.network.phase_transformer import transformer_six_port
from gridimpact.network.zero_sequence import (
    doubtful_cores,
    doubtful_shifts,
    group_problems,
    missing_zero_sequence,
)
from gridimpact.network.zero_sequence_assumed import assume_zero_sequence
from gridimpact.records import (
    BoolArray,
    ComplexArray,
    Grid,
    IntArray,
    Network,
    Note,
    PhaseModel,
    TapControl,
)

_SHUNT_NOISE = 1e-12


def with_phases(
    network: Network,
    *,
    zero_sequence: str = "require",
    source_impedance: bool = False,
    line_z_abc_ohm_per_km: Mapping[int, ArrayLike] | None = None,
    line_b_abc_us_per_km: Mapping[int, ArrayLike] | None = None,
) -> Network:
    """Return a network whose grid can be solved in three phases.

    Parameters
    ----------
    network : Network
    zero_sequence : str
        ``"require"`` refuses a network that lacks zero-sequence data, naming every element and
        column; ``"assume"`` fills what is missing by stated ratios, each a note.
    source_impedance : bool
        False: external grids hold their voltage in positive sequence and have their short-circuit
        impedance in negative and zero sequence, as in pandapower's ``runpp_3ph``. True: they have
        it in all three, as in OpenDSS and power-grid-model, and the balanced flow no longer agrees.
    line_z_abc_ohm_per_km : mapping of int to array_like, optional
        Full series impedance of lines by index, shape (3, 3), neutral reduced into the phases
        [ohm/km]; they replace the sequence data of these lines.
    line_b_abc_us_per_km : mapping of int to array_like, optional
        Full shunt susceptance of such lines, shape (3, 3) [uS/km]; without it their ``c_nf_per_km``
        and ``c0_nf_per_km`` count.

    Returns
    -------
    Network
        With `PhaseModel`, the six-ports of tap changers, the filled columns in its own copy of the
        net and every assumption among its notes.

    Raises
    ------
    GridError
        Where data are missing or contradict each other, or the net holds what three phases cannot
        follow; all problems at once.
    InputError
        If `zero_sequence` is neither of the two words.

    Examples
    --------
    >>> from gridimpact.network import open_network
    >>> model = with_phases(open_network("ieee_european_lv")).grid.phase_model
    >>> model.y.shape, bool(model.earthed.all()), model.notes
    ((907, 6, 6), True, ())
    """
    if zero_sequence not in ("require", "assume"):
        message = f'zero_sequence is {zero_sequence!r}, must be "require" or "assume"'
        raise InputError(message)
    if network.grid.beyond_batched:
        message = f"network: three phases cannot follow {'; '.join(network.grid.beyond_batched)}"
        raise GridError(message)
    net, grid = network.net, network.grid
    full, shunt = matrices_of_lines(net["line"], line_z_abc_ohm_per_km, line_b_abc_us_per_km)
    notes: tuple[Note, ...] = ()
    if zero_sequence == "assume":
        net, notes = assume_zero_sequence(net, full)
    model = build_phase_model(
        net, grid, source_impedance=source_impedance, line_z=full, line_b=shunt, notes=notes
    )
    old = grid.phase_model.notes if grid.phase_model else ()
    grid = replace(
        grid,
        phase_model=model,
        tap_controls=_controls(net, grid),
        line_z_abc_ohm=full_lines_ohm(net["line"], full) if full else grid.line_z_abc_ohm,
    )
    kept = tuple(note for note in network.notes if note not in old)
    return replace(network, net=net, grid=grid, notes=kept + model.notes)


def _controls(net: Any, grid: Grid) -> tuple[TapControl, ...]:
    """Return the tap changers with the six-ports of their positions."""
    return tuple(
        replace(
            control,
            six_port=transformer_six_port(
                net, grid, control.transformer, control.tap_pos, control.two_port
            ),
        )
        for control in grid.tap_controls
    )


def build_phase_model(
    net: Any,
    grid: Grid,
    *,
    source_impedance: bool = False,
    line_z: Mapping[int, ComplexArray] | None = None,
    line_b: Mapping[int, ComplexArray] | None = None,
    notes: tuple[Note, ...] = (),
) -> PhaseModel:
    """Return the model in phase coordinates of a net whose zero-sequence data are complete.

    Parameters
    ----------
    net : pandapowerNet
        Not written to.
    grid : Grid
        Extract of the same net; nodes and branches keep their numbers, source impedances follow.
    source_impedance : bool
        See `with_phases`.
    line_z, line_b : mapping of int to ndarray, optional
        Full matrices by position of the line, [ohm/km] and [uS/km].
    notes : tuple of Note
        What was assumed for the net.

    Returns
    -------
    PhaseModel

    Raises
    ------
    GridError
        As `with_phases`.
    """
    full, shunts = line_z or {}, line_b or {}
    raise_problems(missing_zero_sequence(net, full), "zero sequence", GridError)
    raise_problems(group_problems(net), "zero sequence", GridError)
    admittance = grid.admittance
    positive = np.stack(
        [admittance.y_ff, admittance.y_ft, admittance.y_tf, admittance.y_tt], axis=1
    )
    zero, negative = sequences(net, grid, positive, full)
    y = six_port(zero.two_port, positive, negative)
    for place, z_km in full.items():
        branch = grid.line_branch[place]
        if branch >= 0:
            y[branch] = full_line(net, grid, place, z_km, shunts.get(place))
            zero.two_port[branch, 1] = 1.0
    source = source_branches(net, grid, source_impedance)
    found = earthing(grid, zero.two_port[:, 1] != 0, zero.earthed, source.added)
    extra = len(source.node_vn_kv)
    y_shunt = _shunts(admittance, positive, found.earthed)
    y_shunt = np.concatenate([y_shunt, np.zeros((extra, 3, 3))])
    y_shunt[found.held] += _hold(grid, positive, found.held)
    fixed = admittance.fixed_s_kva
    return PhaseModel(
        s_base_kva=admittance.s_base_kva,
        node_vn_kv=np.concatenate([admittance.node_vn_kv, source.node_vn_kv]),
        bus_node=grid.bus_node,
        slack_node=source.slack_node,
        slack_vm_pu=admittance.slack_vm_pu[:, None] * TO_PHASES[:, 1],
        branch_from=np.concatenate([admittance.branch_from, source.branch_from]),
        branch_to=np.concatenate([admittance.branch_to, source.branch_to]),
        y=np.concatenate([y, source.y]),
        y_shunt=y_shunt,
        earthed=np.concatenate([found.earthed, np.ones(extra, dtype=bool)]),
        line_branch=grid.line_branch,
        transformer_branch=grid.transformer_branch,
        transformer3w_branch=grid.transformer3w_branch,
        fixed_s_kva=None if fixed is None else _by_phase(fixed, extra),
        notes=notes + _notes(net, grid, found.held, source),
    )


def _shunts(admittance: Any, positive: ComplexArray, earthed: BoolArray) -> ComplexArray:
    """Return what stands at the nodes beside branches, (node, 3, 3): stars, earthed where the node is."""
    total = np.asarray(admittance.y_bus.diagonal(), dtype=np.complex128)
    own = total.copy()
    scale = np.abs(total)
    np.subtract.at(own, admittance.branch_from, positive[:, 0])
    np.subtract.at(own, admittance.branch_to, positive[:, 3])
    loop = admittance.branch_from == admittance.branch_to
    np.subtract.at(own, admittance.branch_from[loop], positive[loop, 1] + positive[loop, 2])
    np.add.at(scale, admittance.branch_from, np.abs(positive[:, 0]))
    np.add.at(scale, admittance.branch_to, np.abs(positive[:, 3]))
    own[np.abs(own) <= _SHUNT_NOISE * scale] = 0
    return phase_block(np.where(earthed, own, 0), own, own)


def _hold(grid: Grid, positive: ComplexArray, held: IntArray) -> ComplexArray:
    """Return admittances that hold the zero sequence of nodes at earth and touch nothing else."""
    scale = np.zeros(len(grid.admittance.node_vn_kv))
    np.add.at(scale, grid.admittance.branch_from, np.abs(positive[:, 0]))
    np.add.at(scale, grid.admittance.branch_to, np.abs(positive[:, 3]))
    strength = np.maximum(scale[held], 1.0).astype(np.complex128)
    return phase_block(strength, np.zeros_like(strength), np.zeros_like(strength))


def _by_phase(power: ComplexArray, extra: int) -> ComplexArray:
    even = np.repeat(power[:, None] / 3, 3, axis=1)
    return np.concatenate([even, np.zeros((extra, 3), dtype=np.complex128)])


def _notes(net: Any, grid: Grid, held: IntArray, source: Sources) -> tuple[Note, ...]:
    notes = list(source.notes)
    if len(held):
        text = (
            f"{len(held)} parts of the network have no neutral: their zero sequence is held at earth at one "
            "node each, phase-to-phase voltages are exact, phase-to-earth voltages a convention"
        )
        notes.append(Note("info", "phases", text))
    for table in ("shunt", "ward"):
        count = int(net[table]["in_service"].sum())
        if count:
            text = f"{count} {table}s are stars, earthed where the network is, as in runpp_3ph"
            notes.append(Note("assumption", table, text))
    return (*notes, *doubtful_shifts(net), *doubtful_cores(net))
