"""From a grid and its injections to the arrays the compiled kernels work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.errors import GridError
from gridimpact.powerflow.elimination import Elimination, eliminate
from gridimpact.powerflow.layout import (
    CONSTANT_POWER,
    VOLTAGE_DEPENDENT,
    Branches,
    Loads,
    System,
    Units,
)
from gridimpact.records import (
    Admittance,
    BoolArray,
    ComplexArray,
    FloatArray,
    Grid,
    Injections,
    IntArray,
)

_LINE, _TRANSFORMER, _WINDING, _NEXT_WINDING = 1, 2, 3, 4

_NOISE = 1e-13
"""Admittance to ground beside the branches, over the diagonal's, that is nothing but rounding."""


@dataclass(frozen=True)
class Prepared:
    """What stays the same between calls on one grid with elements at the same nodes."""

    elimination: Elimination
    units: Units
    branches: Branches
    bus_row: IntArray
    loaded: BoolArray
    """(row,) of the rows that are iterated."""


def loaded_nodes(grid: Grid, injections: Injections) -> BoolArray:
    """Return the nodes where something may draw, shape (node,)."""
    admittance = grid.admittance
    loaded = np.zeros(len(admittance.node_vn_kv), dtype=bool)
    node = grid.bus_node[injections.bus]
    loaded[node[node >= 0]] = True
    if admittance.fixed_s_kva is not None:
        loaded |= admittance.fixed_s_kva != 0
    return loaded


def prepare(grid: Grid, loaded: BoolArray, *, relative: bool = True) -> Prepared:
    """Factor the network and lay out its branches.

    Parameters
    ----------
    grid : Grid
        Never written to.
    loaded : numpy.ndarray
        (node,) whether an element may draw there.
    relative : bool
        Count voltages in each node's voltage without load where these are sound, else per unit.

    Raises
    ------
    GridError
        If the admittance matrix is not that of its branches and shunts.
    """
    admittance = grid.admittance
    shunt = shunt_admittance(admittance)
    elimination = eliminate(admittance, loaded, relative=relative)
    row = np.full(len(loaded), -1, dtype=np.int64)
    row[elimination.node] = np.arange(len(elimination.node))
    branches = _branches(grid, row, elimination, shunt[elimination.node])
    bus_row = np.where(grid.bus_node >= 0, row[grid.bus_node], -1).astype(np.int64)
    kept = elimination.node[: elimination.factors.kept]
    return Prepared(elimination, _units(elimination), branches, bus_row, loaded[kept])


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


def _units(elimination: Elimination) -> Units:
    voltage = elimination.voltage
    power = elimination.current.conj() / voltage
    square = np.abs(voltage) ** 2
    return Units(
        v_re=voltage.real.copy(),
        v_im=voltage.imag.copy(),
        v_square=square,
        power_re=power.real.copy(),
        power_im=power.imag.copy(),
        power_square=1.0 / np.abs(power) ** 2,
        largest=float(np.sqrt(square.max())),
        idle=elimination.idle,
    )


def _branches(grid: Grid, row: IntArray, elimination: Elimination, shunt: ComplexArray) -> Branches:
    admittance = grid.admittance
    ends = np.stack([admittance.branch_from, admittance.branch_to], axis=1)
    live = (row[ends] >= 0).all(axis=1)
    base_ka = admittance.s_base_kva / (np.sqrt(3.0) * admittance.node_vn_kv[ends]) / 1e3
    kind, place, rated_ka = _results_of(grid, len(ends))
    f, t = row[ends[live, 0]], row[ends[live, 1]]
    voltage, current = elimination.voltage, elimination.current
    diagonal = shunt.copy()
    np.add.at(diagonal, f, admittance.y_ff[live])
    np.add.at(diagonal, t, admittance.y_tt[live])
    two_port = np.stack(
        [
            current[f] * admittance.y_ff[live] * voltage[f],
            current[f] * admittance.y_ft[live] * voltage[t],
            current[t] * admittance.y_tf[live] * voltage[f],
            current[t] * admittance.y_tt[live] * voltage[t],
        ],
        axis=1,
    )
    size = np.abs(np.stack([current[f], current[t]], axis=1))
    ka = (base_ka[live] / size) ** 2
    watt = np.stack([voltage[f] / current[f].conj(), voltage[t] / current[t].conj()], axis=1)
    beside = np.flatnonzero(np.abs(shunt) > _NOISE * np.abs(diagonal))
    to_ground = (current * shunt * voltage)[beside]
    return Branches(
        f=f,
        t=t,
        y=np.ascontiguousarray(two_port).view(np.float64),
        kind=kind[live],
        place=place[live],
        percent=ka * (100.0 / rated_ka[live]) ** 2,
        ka=ka,
        watt=np.ascontiguousarray(watt).view(np.float64),
        shunt_row=beside.astype(np.int64),
        shunt_re=to_ground.real.copy(),
        shunt_im=to_ground.imag.copy(),
        stiffness=np.abs(diagonal),
    )


def _results_of(grid: Grid, count: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Return kind, place in its results and rated current at both ends [kA] of every branch."""
    kind, place = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    rated_ka = np.full((count, 2), np.inf)
    windings, star = grid.transformer3w_i_rated_ka, np.full(len(grid.transformer3w_index), np.inf)
    # The star point of a three-winding transformer is no terminal: its end is never rated.
    given = [
        (_LINE, grid.line_branch, (grid.line_i_max_ka, grid.line_i_max_ka)),
        (_TRANSFORMER, grid.transformer_branch, tuple(grid.transformer_i_rated_ka.T)),
        (_WINDING, grid.transformer3w_branch[:, 0], (windings[:, 0], star)),
        (_NEXT_WINDING, grid.transformer3w_branch[:, 1], (star, windings[:, 1])),
        (_NEXT_WINDING, grid.transformer3w_branch[:, 2], (star, windings[:, 2])),
    ]
    for code, branch, rated in given:
        there = np.flatnonzero(branch >= 0)
        kind[branch[there]], place[branch[there]] = code, there
        rated_ka[branch[there]] = np.stack(rated, axis=1)[there]
    return kind, place, rated_ka


def build_system(grid: Grid, injections: Injections, prepared: Prepared) -> System:
    """Return the whole system of one call."""
    elimination, base = prepared.elimination, grid.admittance.s_base_kva
    kept = elimination.factors.kept
    row = prepared.bus_row[injections.bus]
    fixed = np.zeros(kept, dtype=np.complex128)
    if grid.admittance.fixed_s_kva is not None:
        fixed = grid.admittance.fixed_s_kva[elimination.node[:kept]] / base
    share_p, share_q = zip_shares(injections)
    dependent = bool(injections.zip_p.any() or injections.zip_q.any())
    loads = Loads(
        row=np.where(row < kept, row, -1),
        scale=1.0 / base,
        share_p=share_p,
        share_q=share_q,
        fixed_re=fixed.real.copy(),
        fixed_im=fixed.imag.copy(),
        loaded=prepared.loaded,
        parts=VOLTAGE_DEPENDENT if dependent else CONSTANT_POWER,
    )
    return System(
        factors=elimination.factors,
        units=prepared.units,
        loads=loads,
        branches=prepared.branches,
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
    drawn[0, : len(loads.fixed_re)] = loads.fixed_re + 1j * loads.fixed_im
    there = np.flatnonzero(loads.row >= 0)
    for part in range(3):
        value = p_kw[there] * loads.share_p[there, part] + 1j * (
            q_kvar[there] * loads.share_q[there, part]
        )
        np.add.at(drawn[part], loads.row[there], value * loads.scale)
    return drawn
