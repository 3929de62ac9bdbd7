"""From a grid and its injections to the arrays the compiled kernels work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.errors import GridError
from gridimpact.powerflow.elimination import Elimination, eliminate
from gridimpact.powerflow.layout import Branches, Loads, System
from gridimpact.records import Admittance, BoolArray, ComplexArray, Grid, Injections, IntArray

_LINE, _TRANSFORMER = 1, 2


@dataclass(frozen=True)
class Prepared:
    """What stays the same between calls on one grid with elements at the same nodes."""

    elimination: Elimination
    lines: Branches
    bus_row: IntArray
    loaded: BoolArray
    """(row,) of the unknown rows."""
    shunt: ComplexArray
    """(node,) admittance to ground beside the branches [pu]."""


def loaded_nodes(grid: Grid, injections: Injections) -> BoolArray:
    """Return the nodes where something may draw, shape (node,)."""
    admittance = grid.admittance
    loaded = np.zeros(len(admittance.node_vn_kv), dtype=bool)
    node = grid.bus_node[injections.bus]
    loaded[node[node >= 0]] = True
    if admittance.fixed_s_kva is not None:
        loaded |= admittance.fixed_s_kva != 0
    return loaded


def prepare(grid: Grid, loaded: BoolArray) -> Prepared:
    """Factor the network and lay out its branches.

    Raises
    ------
    GridError
        If the admittance matrix is not that of its branches and shunts.
    """
    admittance = grid.admittance
    shunt = shunt_admittance(admittance)
    elimination = eliminate(admittance, loaded)
    row = np.full(len(loaded), -1, dtype=np.int64)
    row[elimination.node] = np.arange(len(elimination.node))
    lines = _branches(grid, row, shunt[elimination.node])
    bus_row = np.where(grid.bus_node >= 0, row[grid.bus_node], -1).astype(np.int64)
    unknown = elimination.node[: elimination.unknown]
    return Prepared(elimination, lines, bus_row, loaded[unknown], shunt)


def shunt_admittance(admittance: Admittance) -> ComplexArray:
    """Return each node's admittance to ground beside the branches, shape (node,) [pu].

    Raises
    ------
    GridError
        If the admittance matrix is not that of its branches and shunts.
    """
    from scipy.sparse import coo_array

    count = len(admittance.node_vn_kv)
    f, t = admittance.branch_from, admittance.branch_to
    values = np.concatenate([admittance.y_ff, admittance.y_ft, admittance.y_tf, admittance.y_tt])
    places = (np.concatenate([f, f, t, t]), np.concatenate([f, t, f, t]))
    rest = (admittance.y_bus - coo_array((values, places), (count, count))).tocoo()
    diagonal = rest.coords[0] == rest.coords[1]
    largest = float(np.abs(admittance.y_bus.data).max(initial=0.0))
    if np.abs(rest.data[~diagonal]).max(initial=0.0) > 1e-9 * largest:
        message = "admittance: y_bus does not hold the branches given beside it; build both from one network"
        raise GridError(message)
    shunt = np.zeros(count, dtype=np.complex128)
    np.add.at(shunt, rest.coords[0][diagonal], rest.data[diagonal])
    return shunt


def _branches(grid: Grid, row: IntArray, shunt: ComplexArray) -> Branches:
    admittance = grid.admittance
    count = len(admittance.branch_from)
    kind, place = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    scale = np.zeros((count, 2))
    ends = np.stack([admittance.branch_from, admittance.branch_to], axis=1)
    base_ka = admittance.s_base_kva / (np.sqrt(3.0) * admittance.node_vn_kv[ends]) / 1e3
    for code, branch, rated_ka in (
        (_LINE, grid.line_branch, np.stack([grid.line_i_max_ka] * 2, axis=1)),
        (_TRANSFORMER, grid.transformer_branch, grid.transformer_i_rated_ka),
    ):
        there = np.flatnonzero(branch >= 0)
        kind[branch[there]], place[branch[there]] = code, there
        scale[branch[there]] = 100.0 * base_ka[branch[there]] / rated_ka[there]
    live = (row[ends] >= 0).all(axis=1)
    two_port = np.stack(
        [admittance.y_ff, admittance.y_ft, admittance.y_tf, admittance.y_tt], axis=1
    )
    diagonal = shunt.copy()
    np.add.at(diagonal, row[ends[live, 0]], admittance.y_ff[live])
    np.add.at(diagonal, row[ends[live, 1]], admittance.y_tt[live])
    return Branches(
        f=row[ends[live, 0]],
        t=row[ends[live, 1]],
        y=np.ascontiguousarray(two_port[live]).view(np.float64),
        kind=kind[live],
        place=place[live],
        scale_f=scale[live, 0].copy(),
        scale_t=scale[live, 1].copy(),
        shunt_re=shunt.real.copy(),
        shunt_im=shunt.imag.copy(),
        stiffness=np.abs(diagonal),
    )


def build_system(grid: Grid, injections: Injections, prepared: Prepared) -> System:
    """Return the whole system of one call."""
    elimination, base = prepared.elimination, grid.admittance.s_base_kva
    row = prepared.bus_row[injections.bus]
    fixed = np.zeros(elimination.unknown, dtype=np.complex128)
    if grid.admittance.fixed_s_kva is not None:
        fixed = grid.admittance.fixed_s_kva[elimination.node[: elimination.unknown]] / base
    share_p, share_q = zip_shares(injections)
    loads = Loads(
        row=np.where(row < elimination.unknown, row, -1),
        scale=1.0 / base,
        share_p=share_p,
        share_q=share_q,
        fixed_re=fixed.real.copy(),
        fixed_im=fixed.imag.copy(),
        loaded=prepared.loaded,
        voltage_dependent=bool(injections.zip_p.any() or injections.zip_q.any()),
    )
    return System(
        tri=elimination.tri,
        loads=loads,
        lines=prepared.lines,
        bus_row=prepared.bus_row,
        start=elimination.start,
        unknown=elimination.unknown,
    )


def zip_shares(injections: Injections) -> tuple[np.ndarray, np.ndarray]:
    """Return constant-power, constant-current and constant-impedance shares, each (element, 3)."""
    found = []
    for given in (injections.zip_p, injections.zip_q):
        impedance, current = given[:, 0], given[:, 1]
        found.append(np.stack([1.0 - impedance - current, current, impedance], axis=1))
    return found[0], found[1]


def drawn_power(loads: Loads, p_kw: np.ndarray, q_kvar: np.ndarray, rows: int) -> ComplexArray:
    """Return what one lane draws at its rows, shape (3, row): constant power, current, impedance [pu]."""
    drawn = np.zeros((3, rows), dtype=np.complex128)
    drawn[0] = loads.fixed_re + 1j * loads.fixed_im
    there = np.flatnonzero(loads.row >= 0)
    for part in range(3):
        value = p_kw[there] * loads.share_p[there, part] + 1j * (
            q_kvar[there] * loads.share_q[there, part]
        )
        np.add.at(drawn[part], loads.row[there], value * loads.scale)
    return drawn
