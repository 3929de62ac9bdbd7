"""From what another engine found, lane by lane, to a result by the definitions of this package."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.powerflow.engine import (
    ASKED,
    KEPT,
    FlowOptions,
    balanced_notes,
    unserved_power_kw,
)
from gridimpact.powerflow.outcome import idle_values, judge, status_notes
from gridimpact.records import (
    BoolArray,
    ComplexArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    PhaseModel,
)

_TURN = np.exp(2j * np.pi / 3)


class Currents(NamedTuple):
    """Currents [kA] and power [kVA] at both ends of a kind of branch, shape (lane, branch, 2[, phase])."""

    size: FloatArray
    s_kva: ComplexArray


class Found(NamedTuple):
    """What an engine found, one row a lane; rows of lanes that failed may hold anything."""

    u_pu: ComplexArray
    """(lane, bus[, phase]) NaN without supply."""
    line: Currents
    line_neutral_ka: FloatArray
    """(lane, line, 2) size of the sum of the phases; of no meaning when balanced."""
    transformer: Currents
    transformer3w: FloatArray
    """(lane, three-winding transformer, 3) highest current of each winding [kA]."""
    losses_kw: FloatArray
    residual_kva: FloatArray
    excess: FloatArray
    """Largest power missing over what may be missing."""
    solved: BoolArray


def check_net(net: Any, grid: Grid) -> None:
    """Refuse a grid whose buses, lines or transformers are not those of the net, by `InputError`."""
    tables = (("bus", grid.bus_index), ("line", grid.line_index), ("trafo", grid.transformer_index))
    for table, index in tables:
        if not np.array_equal(net[table].index.to_numpy(), index):
            message = f"grid: its table {table} is not that of the engine's network; make the engine from the network the grid came from"
            raise InputError(message)


def refuse_phases(
    grid: Grid, injections: Injections, name: str, *, delta: bool, impedance: bool
) -> None:
    """Refuse what an engine cannot solve in three phases.

    Parameters
    ----------
    name : str
        Of the engine.
    delta : bool
        Whether it holds elements in delta.
    impedance : bool
        Whether its sources have the same impedance in positive as in negative sequence, or none in
        positive sequence.

    Raises
    ------
    InputError
        Where an element stands in delta, a line is given by a full matrix, or sources differ.
    """
    problems = []
    if injections.connection is not None and not delta:
        problems += [
            Problem(f"connection of element {element}", f"is delta, {name} holds stars only")
            for element in np.flatnonzero(injections.connection == 1)
        ]
    if grid.line_z_abc_ohm is not None:
        given = np.flatnonzero(np.isfinite(grid.line_z_abc_ohm).any(axis=(1, 2)))
        problems += [
            Problem(f"line {grid.line_index[row]}", f"is a full matrix, {name} is given sequences")
            for row in given
        ]
    model = grid.phase_model
    if model is None:
        remedy = "open it with phases: with_phases(network)"
        problems.append(Problem("grid", "has no model in phase coordinates", remedy))
    elif source_impedance(grid, model) == (not impedance):
        other = "the same impedance in positive and negative sequence"
        none = "no impedance in positive sequence"
        mine, its = (none, other) if impedance else (other, none)
        remedy = f"open the network with_phases(network, source_impedance={impedance})"
        problems.append(Problem("ext_grid", f"has {mine}, in {name} it has {its}", remedy))
    raise_problems(problems, f"{name} in three phases")


def source_impedance(grid: Grid, model: PhaseModel) -> bool | None:
    """Return whether sources have their impedance in positive sequence too, None where none has any."""
    added = model.branch_from >= len(grid.admittance.node_vn_kv)
    if not added.any():
        return None
    y = model.y[added, :3, :3]
    turns = np.array([1, _TURN**2, _TURN])
    positive, negative = (np.abs(turn.conj() @ (y @ turn).T) for turn in (turns, turns.conj()))
    return bool((np.abs(positive - negative) <= 1e-6 * positive).all())


def net_at_taps(net: Any, positions: Mapping[int, int]) -> Any:
    """Return a net with transformers at other tap positions; only the table of transformers is copied."""
    moved = copy.copy(net)
    table = net["trafo"].copy()
    column = table.columns.get_loc("tap_pos")
    for row, tap in positions.items():
        table.iloc[row, column] = tap
    moved["trafo"] = table
    return moved


def joined(parts: list[Found]) -> Found:
    """Return the lanes of all parts one after another."""
    if len(parts) == 1:
        return parts[0]

    def together(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        if isinstance(values[0], Currents):
            return Currents(*(np.concatenate(each) for each in zip(*values, strict=True)))
        return np.concatenate(values)

    return Found(**{name: together(name) for name in Found._fields})


def finish(
    name: str,
    grid: Grid,
    injections: Injections,
    options: FlowOptions,
    found: Found,
) -> FlowResult:
    """Judge every lane and return the result; see `gridimpact.powerflow.outcome.conclude`."""
    unserved = unserved_power_kw(grid, injections)
    solved = found.solved & (found.excess <= 1.0)
    low, high = options.vm_plausible_pu
    size = np.abs(found.u_pu[:, grid.bus_supplied])
    inside = (size >= low) & (size <= high)
    plausible = np.asarray(inside.all(axis=tuple(range(1, size.ndim))))
    status, failed = judge(solved, plausible, unserved)
    shape = injections.p_kw.shape[:2]
    notes = status_notes(status, unserved) + (
        balanced_notes(injections) if options.phases == 1 else ()
    )
    return FlowResult(
        engine=name,
        **_kept(grid, options, found, failed, shape),
        status=status.reshape(shape),
        residual_kva=np.where(failed, np.nan, found.residual_kva).reshape(shape),
        unserved_kwh=float(unserved.sum() * injections.timeline.dt_h),
        phases=options.phases,
        options=options.as_mapping(),
        notes=notes,
    )


def _kept(
    grid: Grid, options: FlowOptions, found: Found, failed: BoolArray, shape: tuple[int, int]
) -> dict[str, Any]:
    """Return every array of the result; those not asked for have no last axis."""
    arrays = {}
    made = _balanced(grid, found) if options.phases == 1 else _by_phase(grid, found)
    for name in KEPT + ASKED:
        values = made.get(name)
        if name not in options.keep or values is None:
            if name in KEPT:
                arrays[name] = np.empty((*shape, 0), dtype=options.storage)
            continue
        values = np.array(values, dtype=options.storage)
        values[failed] = np.nan
        arrays[name] = values.reshape(*shape, *values.shape[1:])
    return arrays


def _balanced(grid: Grid, found: Found) -> Mapping[str, FloatArray]:
    size = found.line.size.max(axis=2)
    trafo = found.transformer.size / grid.transformer_i_rated_ka
    s_kva = found.transformer.s_kva[:, :, 0]
    return {
        "vm_pu": np.abs(found.u_pu),
        "line_loading_percent": _lines(grid, 100 * size / grid.line_i_max_ka),
        "transformer_loading_percent": _transformers(grid, 100 * trafo.max(axis=2)),
        "transformer_p_kw": _transformers(grid, s_kva.real),
        "transformer_q_kvar": _transformers(grid, s_kva.imag),
        "losses_kw": found.losses_kw,
        "line_i_ka": _lines(grid, size),
        "transformer3w_loading_percent": _three_winding(grid, found.transformer3w),
    }


def _by_phase(grid: Grid, found: Found) -> Mapping[str, FloatArray]:
    size = found.line.size.max(axis=2)
    rated = grid.transformer_i_rated_ka[:, :, None]
    trafo = 100 * (found.transformer.size / rated).max(axis=2)
    s_kva = found.transformer.s_kva.sum(axis=3)[:, :, 0]
    delivered = -found.transformer.s_kva[:, :, 1]
    neutral = found.line_neutral_ka.max(axis=2)
    voltage, nema = unbalance_percent(found.u_pu)
    return {
        "vm_pu": np.abs(found.u_pu),
        "line_loading_percent": _lines(grid, 100 * size.max(axis=2) / grid.line_i_max_ka),
        "transformer_loading_percent": _transformers(grid, trafo.max(axis=2)),
        "transformer_p_kw": _transformers(grid, s_kva.real),
        "transformer_q_kvar": _transformers(grid, s_kva.imag),
        "losses_kw": found.losses_kw,
        "line_i_ka": _lines(grid, np.concatenate([size, neutral[:, :, None]], axis=2)),
        "transformer3w_loading_percent": _three_winding(grid, found.transformer3w),
        "unbalance_percent": voltage,
        "unbalance_nema_percent": nema,
        "transformer_phase_loading_percent": _transformers(grid, trafo),
        "transformer_phase_p_kw": _transformers(grid, delivered.real),
        "transformer_phase_q_kvar": _transformers(grid, delivered.imag),
    }


def unbalance_percent(u_pu: ComplexArray) -> tuple[FloatArray, FloatArray]:
    """Return voltage unbalance by IEC 61000-3-13 and by NEMA MG 1 of phase voltages, last axis a, b, c [%]."""
    a, b, c = (u_pu[..., phase] for phase in range(3))
    positive, negative = a + _TURN * b + _TURN**2 * c, a + _TURN**2 * b + _TURN * c
    pairs = np.abs(np.stack([a - b, b - c, c - a]))
    mean = pairs.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        iec = np.abs(negative) / np.abs(positive)
        nema = np.abs(pairs - mean).max(axis=0) / mean
    return 100 * iec, 100 * nema


def _lines(grid: Grid, values: FloatArray) -> FloatArray:
    idle = idle_values(grid, grid.line_branch, grid.line_from, grid.line_to)
    rated = np.where(np.isnan(grid.line_i_max_ka), np.nan, idle)
    return _filled(values, grid.line_branch, idle if values.ndim == 3 else rated)


def _transformers(grid: Grid, values: FloatArray) -> FloatArray:
    branch = grid.transformer_branch
    return _filled(
        values, branch, idle_values(grid, branch, grid.transformer_hv, grid.transformer_lv)
    )


def _three_winding(grid: Grid, size: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        loading = 100 * size / grid.transformer3w_i_rated_ka
    there = (grid.transformer3w_branch >= 0).any(axis=1)
    return np.where(there, loading.max(axis=2, initial=-np.inf), np.nan)


def _filled(values: FloatArray, branch: IntArray, idle: FloatArray) -> FloatArray:
    """Put the value of an idle branch where there is no branch."""
    shape = (1, len(branch)) + (1,) * (values.ndim - 2)
    return np.where((branch >= 0).reshape(shape), values, idle.reshape(shape))
