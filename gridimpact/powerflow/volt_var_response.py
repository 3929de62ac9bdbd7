"""From curves and a network to the arrays of the compiled answer: who measures where, and who moves whom.

An element that draws reactive power lowers its own voltage and that of its neighbours. How much, at
no load, follows from the admittance matrix alone; each element then answers with what it will cause
already counted in, so that no curve, however steep, makes it overshoot.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from gridimpact.powerflow.kernels_response_settle import ELEMENT_ROWS, LANE_ROWS, Response
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

_REMEMBERED = 16
"""Couplings kept, so that flows called step by step need not work them out each time."""

_known: OrderedDict[tuple[int, bytes], tuple[object, Coupling]] = OrderedDict()
_lock = Lock()


@cache
def no_response(parts: int, width: int) -> Response:
    """Return a response of no element, for a flow in which nothing answers."""
    rows = _none()
    return _pack(_nobody(), 1.0, rows, alone(0), (parts, width), rows.row)


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
    drops, scale = _balanced_drops(grid, injections, answering)
    bus = injections.bus[answering.element]
    rows = _single(bus_row[bus], bus_row[bus] >= 0)
    source = np.isin(grid.bus_node[bus], grid.admittance.slack_node)
    slot = np.where(source[:, None], -1, rows.row)
    return _pack(answering, scale, rows, drops, (parts, width), slot)


def _balanced_drops(
    grid: Grid, injections: Injections, answering: VoltVar
) -> tuple[Coupling, float]:
    admittance = grid.admittance
    node = grid.bus_node[injections.bus[answering.element]]
    scale = 1.0 / admittance.s_base_kva

    def made() -> Coupling:
        matrix, feed, place = _balanced_system(admittance)
        terminals = _single(np.where(node >= 0, place[node], -1), node >= 0)
        return coupling(matrix, feed, terminals, scale)

    return _remembered(admittance, node.tobytes(), made), scale


def _remembered(network: object, elements: bytes, made: Callable[[], Coupling]) -> Coupling:
    """Return the coupling of elements of a network, made anew where it is not remembered."""
    key = (id(network), elements)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key][1]
    drops = made()
    with _lock:
        # The network is kept beside its coupling, so that its id cannot be taken by another one.
        _known[key] = (network, drops)
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return drops


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
    drops, scale = _phase_drops(model, injections, answering)
    first, second, share = _phase_rows(model, injections, answering.element)
    rows = Terminals(_at(row_of, first), _at(row_of, second), share)
    source = np.isin(model.bus_node[injections.bus[answering.element]], model.slack_node)
    taken = np.where(source[:, None], -1, rows.row) if slot is None else slot
    return _pack(answering, scale, rows, drops, (parts, width), taken)


def _phase_drops(
    model: PhaseModel, injections: Injections, answering: VoltVar
) -> tuple[Coupling, float]:
    first, second, share = _phase_rows(model, injections, answering.element)
    scale = 3.0 / model.s_base_kva

    def made() -> Coupling:
        matrix, feed, place = _phase_system(model)
        terminals = Terminals(_at(place, first), _at(place, second), share)
        return coupling(matrix, feed, terminals, scale)

    elements = first.tobytes() + second.tobytes() + share.tobytes()
    return _remembered(model, elements, made), scale


def local_response(grid: Grid, injections: Injections, phases: int, width: int) -> Response:
    """Return a response to voltages laid out by element instead of by row of a network.

    Voltages come in three rows an element, one a phase; the answer goes nowhere but into the state.
    `injections` must hold something that answers.
    """
    answering = injections.volt_var
    if answering is None:
        return no_response(1, width)
    count = len(answering.element)
    if phases == 3 and grid.phase_model is not None:
        drops, scale = _phase_drops(grid.phase_model, injections, answering)
        share = _phase_rows(grid.phase_model, injections, answering.element)[2]
    else:
        drops, scale = _balanced_drops(grid, injections, answering)
        supplied = grid.bus_supplied[injections.bus[answering.element]]
        share = _single(np.zeros(count, dtype=np.int64), supplied).share
    nowhere = np.full((count, 3), -1, dtype=np.int64)
    rows = Terminals(np.arange(3 * count).reshape(count, 3), nowhere, share)
    return _pack(answering, scale, rows, drops, (1, width), nowhere)


def _single(row: IntArray, there: BoolArray) -> Terminals:
    """Return terminals of one row an element, to earth."""
    rows = np.full((len(row), 3), -1, dtype=np.int64)
    rows[:, 0] = row
    share = np.zeros((len(row), 3))
    share[:, 0] = there
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
    scale: float,
    rows: Terminals,
    drops: Coupling,
    sizes: tuple[int, int],
    slot: IntArray,
) -> Response:
    def packed(values: FloatArray | IntArray, kind: type) -> Any:
        return np.ascontiguousarray(values, dtype=kind)

    place, number = np.int64, np.float64
    return Response(
        column=packed(answering.element, place),
        row=packed(rows.row, place),
        other=packed(rows.other, place),
        slot=packed(slot, place),
        share=packed(rows.share, number),
        s_max=packed(answering.s_max_kva, number),
        s_ref=packed(answering.s_ref_kva, number),
        curve=packed(answering.curve, place),
        v=packed(answering.v_pu, number),
        q=packed(answering.q_share, number),
        own=packed(drops.own, number),
        start=packed(drops.start, place),
        near=packed(drops.near, place),
        drop=packed(drops.drop, number),
        steep=packed(_steepest(answering, scale), number),
        scale=float(scale),
        parts=int(sizes[0]),
        width=int(sizes[1]),
        memory=ELEMENT_ROWS * len(answering.element) + LANE_ROWS,
    )
