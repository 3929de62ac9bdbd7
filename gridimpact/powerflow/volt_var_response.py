"""From curves and a network to the arrays of the compiled answer: who measures where, and who moves whom.

An element that draws reactive power lowers its own voltage and that of its neighbours. How much, at
no load, follows from the admittance matrix alone; each element then answers with what it will cause
already counted in, so that no curve, however steep, makes it overshoot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_response import Response
from gridimpact.powerflow.volt_var_coupling import Coupling, Terminals, alone, coupling
from gridimpact.records import (
    Admittance,
    BoolArray,
    ComplexArray,
    FloatArray,
    Grid,
    Injections,
    IntArray,
    PhaseModel,
    VoltVar,
)


def no_response(parts: int, width: int) -> Response:
    """Return a response of no element, for a flow in which nothing answers."""
    return _pack(_nobody(), np.ones(0), _none(), alone(0), (1.0, parts, width))


def _nobody() -> VoltVar:
    number, place = np.zeros(0), np.zeros(0, dtype=np.int64)
    return VoltVar(place, number, number, place, np.ones((1, 1)), np.zeros((1, 1)))


def _none() -> Terminals:
    rows = np.zeros((0, 3), dtype=np.int64)
    return Terminals(rows, rows, np.zeros((0, 3)))


def balanced_response(
    grid: Grid, injections: Injections, bus_row: IntArray, parts: int, width: int
) -> Response:
    """Return the response of a balanced flow; of nobody where `injections` has no `volt_var`.

    Parameters
    ----------
    grid : Grid
        Never written to.
    injections : Injections
        With `volt_var` checked by `gridimpact.powerflow.volt_var.check_volt_var`.
    bus_row : numpy.ndarray
        (bus,) row of the kernel's voltages, sources last, -1 without supply.
    parts, width : int
        Parts a row of drawn power has, and lanes of a block.
    """
    answering = injections.volt_var
    if answering is None or not len(answering.element):
        return no_response(parts, width)
    admittance = grid.admittance
    bus = injections.bus[answering.element]
    matrix, voltage, place = _balanced_system(admittance)
    scale = 1.0 / admittance.s_base_kva
    node = grid.bus_node[bus]
    unknown = np.where(node >= 0, place[node], -1)
    there = (bus_row[bus] >= 0)[:, None]
    terminals = _single(np.where(node >= 0, unknown, -1), there)
    drops = coupling(matrix, voltage, terminals, scale)
    rows = _single(bus_row[bus], there)
    slot = np.where(terminals.row >= 0, rows.row, -1)
    return _pack(answering, _steepest(answering, scale), rows, drops, (scale, parts, width), slot)


def phase_response(
    model: PhaseModel,
    injections: Injections,
    row_of: IntArray,
    slot: IntArray | None,
    parts: int,
    width: int,
) -> Response:
    """Return the response of a flow in phase coordinates; of nobody where nothing answers.

    A single-phase element measures its phase, others the mean of their phases weighted by
    `phase_share`; in delta the phase-to-phase voltage over the square root of three.

    Parameters
    ----------
    model : PhaseModel
        Never written to.
    injections : Injections
        With `volt_var` checked by `gridimpact.powerflow.volt_var.check_volt_var`.
    row_of : numpy.ndarray
        (3 * node,) row of the kernel's voltages for each row of the model, -1 for none.
    slot : numpy.ndarray or None
        (answering, 3) rows of the kernel's drawn power that take the answer by phase (or pair of
        phases in delta), -1 for none; None takes the rows of the phases themselves, -1 at sources.
    parts, width : int
        Parts a row of drawn power has, and lanes of a block.
    """
    answering = injections.volt_var
    if answering is None or not len(answering.element):
        return no_response(parts, width)
    first, second, share = _phase_rows(model, injections, answering.element)
    matrix, voltage, place = _phase_system(model)
    scale = 3.0 / model.s_base_kva
    terminals = Terminals(_at(place, first), _at(place, second), share)
    drops = coupling(matrix, voltage, terminals, scale)
    rows = Terminals(_at(row_of, first), _at(row_of, second), share)
    taken = np.where(terminals.row >= 0, rows.row, -1) if slot is None else slot
    return _pack(answering, _steepest(answering, scale), rows, drops, (scale, parts, width), taken)


def _single(row: IntArray, there: BoolArray) -> Terminals:
    """Return terminals of one row an element, to earth."""
    rows = np.full((len(row), 3), -1, dtype=np.int64)
    rows[:, 0] = row
    share = np.zeros((len(row), 3))
    share[:, 0] = there[:, 0]
    return Terminals(rows, np.full_like(rows, -1), share)


def _at(place: IntArray, rows: IntArray) -> IntArray:
    return np.where(rows >= 0, place[rows], -1).astype(np.int64)


def _phase_rows(
    model: PhaseModel, injections: Injections, element: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return rows of the model each element measures, between which, and their weights."""
    node = model.bus_node[injections.bus[element]]
    share = np.where((node >= 0)[:, None], injections.phase_share[element], 0.0)
    used = share > 0
    phase = np.arange(3)
    first = np.where(used, 3 * node[:, None] + phase, -1)
    second = np.full_like(first, -1)
    if injections.connection is not None:
        delta = (injections.connection[element] == 1)[:, None] & used
        second = np.where(delta, 3 * node[:, None] + (phase + 1) % 3, -1)
    return first.astype(np.int64), second.astype(np.int64), share


def _balanced_system(admittance: Admittance) -> tuple[Any, ComplexArray, IntArray]:
    """Return the matrix of the unknown nodes, what feeds them, and each node's place among them."""
    count = len(admittance.node_vn_kv)
    source = np.zeros(count, dtype=bool)
    source[admittance.slack_node] = True
    unknown = np.flatnonzero(admittance.supplied & ~source)
    place = np.full(count, -1, dtype=np.int64)
    place[unknown] = np.arange(len(unknown))
    matrix = admittance.y_bus.tocsr()[unknown]
    feed = -(matrix[:, admittance.slack_node] @ admittance.slack_vm_pu)
    return matrix[:, unknown].tocsc(), np.asarray(feed).ravel(), place


def _phase_system(model: PhaseModel) -> tuple[Any, ComplexArray, IntArray]:
    """Return matrix, feed and places as `_balanced_system`, by rows of the phase model."""
    from scipy.sparse import coo_array

    count = 3 * len(model.node_vn_kv)
    phase = np.arange(3)
    ends = np.stack([model.branch_from, model.branch_to], axis=1)
    rows = (3 * ends[:, :, None] + phase).reshape(-1, 6)
    nodes = 3 * np.arange(len(model.node_vn_kv))[:, None] + phase
    values = np.concatenate([model.y.ravel(), model.y_shunt.ravel()])
    i = np.concatenate([np.repeat(rows, 6, axis=1).ravel(), np.repeat(nodes, 3, axis=1).ravel()])
    j = np.concatenate([np.tile(rows, (1, 6)).ravel(), np.tile(nodes, (1, 3)).ravel()])
    y = coo_array((values, (i, j)), (count, count)).tocsr()
    known = (3 * model.slack_node[:, None] + phase).ravel()
    source = np.zeros(count, dtype=bool)
    source[known] = True
    unknown = np.flatnonzero(~source)
    place = np.full(count, -1, dtype=np.int64)
    place[unknown] = np.arange(len(unknown))
    feed = -(y[unknown][:, known] @ model.slack_vm_pu.ravel())
    return y[unknown][:, unknown].tocsc(), np.asarray(feed).ravel(), place


def _steepest(answering: VoltVar, scale: float) -> FloatArray:
    """Return the steepest slope of each element's curve [pu power per pu voltage]."""
    rise = np.diff(answering.q_share, axis=1) / np.diff(answering.v_pu, axis=1)
    return np.asarray(rise.max(axis=1, initial=0.0)[answering.curve] * answering.s_ref_kva * scale)


def _pack(
    answering: VoltVar,
    steep: FloatArray,
    rows: Terminals,
    drops: Coupling,
    sizes: tuple[float, int, int],
    slot: IntArray | None = None,
) -> Response:
    scale, parts, width = sizes
    place, number = np.int64, np.float64
    return Response(
        column=np.ascontiguousarray(answering.element, dtype=place),
        row=np.ascontiguousarray(rows.row, dtype=place),
        other=np.ascontiguousarray(rows.other, dtype=place),
        slot=np.ascontiguousarray(rows.row if slot is None else slot, dtype=place),
        share=np.ascontiguousarray(rows.share, dtype=number),
        s_max=np.ascontiguousarray(answering.s_max_kva, dtype=number),
        s_ref=np.ascontiguousarray(answering.s_ref_kva, dtype=number),
        curve=np.ascontiguousarray(answering.curve, dtype=place),
        v=np.ascontiguousarray(answering.v_pu, dtype=number),
        q=np.ascontiguousarray(answering.q_share, dtype=number),
        own=np.ascontiguousarray(drops.own, dtype=number),
        start=np.ascontiguousarray(drops.start, dtype=place),
        near=np.ascontiguousarray(drops.near, dtype=place),
        drop=np.ascontiguousarray(drops.drop, dtype=number),
        steep=np.ascontiguousarray(steep, dtype=number),
        scale=float(scale),
        parts=int(parts),
        width=int(width),
        memory=5 * len(answering.element) + 3,
    )
