"""A pandapower net as input of power-grid-model, converted from the net's own tables.

Nothing here uses the pi-models of `gridimpact.network`: where both agree, two readings of the same
nameplates agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridimpact.errors import GridError, raise_problems
from gridimpact.network.columns import column
from gridimpact.powerflow.pgm_elements import (
    Part,
    Sources,
    bus_nodes,
    fixed_loads,
    impedance_part,
    line_part,
    shunts,
    source_impedances,
    sources,
    switch_part,
)
from gridimpact.powerflow.pgm_refused import phase_refusals, refusals
from gridimpact.powerflow.pgm_transformer import three_winding, transformer_parts, two_winding
from gridimpact.records import BoolArray, ComplexArray, FloatArray, IntArray

STIFF_VA = 1e20
"""Short-circuit power of a source, so large that its voltage stands to 1e-10 at 1 MVA."""

KINDS = ("line", "transformer", "generic_branch")
"""Tables of power-grid-model that make up the branch axis."""

LOAD = {1: "sym_load", 3: "asym_load"}
"""Table of loads by number of phases."""


@dataclass(frozen=True)
class PgmModel:
    """Input tables of power-grid-model without loads, and where the net's elements stand in them.

    The branch axis runs over the tables ``line``, ``transformer`` and ``generic_branch`` in turn.
    """

    tables: Mapping[str, Any]
    phases: int
    f_hz: float
    bus_node: IntArray
    """(bus,) node; buses joined by closed switches share one."""
    ends: IntArray
    """(branch, 2) node of each end, -1 where it is open."""
    counted: BoolArray
    """(branch,) whether what it loses counts: not in the impedance of a source."""
    line: IntArray
    """(line,) place in the branch axis."""
    transformer: IntArray
    transformer3w: IntArray
    """(three-winding transformer, 3)"""
    source_node: IntArray
    y_shunt: ComplexArray
    """(node,) admittance to earth [S]."""
    u_rated: FloatArray
    """(node,) [V] phase to phase."""
    supplied: BoolArray
    """(node,) whether a source reaches it."""
    stiffness_va: FloatArray
    """(node,) size of the admittance of the branches that meet there, times voltage squared."""
    fixed_bus: IntArray
    """Positions of the buses at which the net draws by itself."""
    fixed_kva: ComplexArray
    next_id: int


def build_pgm_model(net: Any, phases: int = 1) -> PgmModel:
    """Return the input of power-grid-model for a net.

    Parameters
    ----------
    net : pandapowerNet
        Never written to; its loads, generators and storages play no part.
    phases : int
        1 for the balanced equivalent with stiff sources; 3 for phase coordinates, which need
        zero-sequence data and put external grids behind their short-circuit impedances.

    Raises
    ------
    GridError
        Where power-grid-model has no counterpart to an element, all of them named.
    """
    node, u_rated = bus_nodes(net)
    windings = (two_winding(net, node), three_winding(net, node, len(u_rated)))
    u_rated = np.concatenate([u_rated, 1e3 * column(net["trafo3w"], "vn_hv_kv")])
    source = sources(net, node)
    parts = [line_part(net, node, phases), impedance_part(net, node, u_rated, phases)]
    parts.append(switch_part(net, node))
    if phases == 3:
        source, behind, added = source_impedances(net, node, source, len(u_rated))
        parts.append(behind)
        u_rated = np.concatenate([u_rated, added])
    for some in windings:
        parts += transformer_parts(some, u_rated, phases)
    problems = refusals(net, parts, u_rated)
    if phases == 3:
        problems += phase_refusals(net, parts, windings)
    raise_problems(problems, "network for power-grid-model", GridError)
    tables, ends, place, last = _branch_tables(parts, len(u_rated))
    y_shunt = shunts(net, node, u_rated)
    tables["node"] = _table("node", np.arange(len(u_rated)), {"u_rated": u_rated})
    tables["shunt"] = _shunt_table(y_shunt, last)
    last += len(tables["shunt"])
    tables["source"] = _source_table(source, last)
    fixed_bus, fixed_kva = fixed_loads(net)
    return PgmModel(
        tables=tables,
        phases=phases,
        f_hz=float(net["f_hz"]),
        bus_node=node,
        ends=ends,
        counted=_counted(parts),
        line=place["line"],
        transformer=place["trafo"],
        transformer3w=place["trafo3w"].reshape(3, -1).T,
        source_node=source.node,
        y_shunt=y_shunt,
        u_rated=u_rated,
        supplied=_supplied(ends, source.node, len(u_rated)),
        stiffness_va=_stiffness(tables, ends, u_rated),
        fixed_bus=fixed_bus,
        fixed_kva=fixed_kva,
        next_id=last + len(source.node),
    )


def _table(kind: str, number: Any, values: Mapping[str, Any]) -> Any:
    """Return an input table with ids and attributes."""
    from power_grid_model import initialize_array

    table = initialize_array("input", kind, len(number))
    table["id"] = number
    for name, value in values.items():
        table[name] = value
    return table


def _branch_tables(
    parts: list[Part], first: int
) -> tuple[dict[str, Any], IntArray, dict[str, IntArray], int]:
    """Return branch tables, the nodes of their ends, each element's place and the next id."""
    place = {
        name: np.full(_rows(parts, name), -1, dtype=np.int64)
        for name in ("line", "trafo", "trafo3w")
    }
    tables: dict[str, Any] = {}
    ends, done = [], 0
    for kind in KINDS:
        some = [part for part in parts if part.kind == kind]
        nodes = np.concatenate([part.node for part in some])
        closed = np.concatenate([part.closed for part in some])
        values = {name: np.concatenate([p.values[name] for p in some]) for name in some[0].values}
        values |= {"from_node": nodes[:, 0], "to_node": nodes[:, 1]}
        values |= {"from_status": closed[:, 0], "to_status": closed[:, 1]}
        at = done
        for part in some:
            if part.table in place:
                place[part.table][part.row] = at + np.arange(len(part.row))
            at += len(part.row)
        tables[kind] = _table(kind, first + np.arange(done, at), values)
        ends.append(np.where(closed, nodes, -1))
        done = at
    return tables, np.concatenate(ends), place, first + done


def _counted(parts: list[Part]) -> BoolArray:
    ordered = [part for kind in KINDS for part in parts if part.kind == kind]
    return np.concatenate([np.full(len(part.row), part.table != "ext_grid") for part in ordered])


def _rows(parts: list[Part], table: str) -> int:
    return sum(len(part.row) for part in parts if part.table == table)


def _shunt_table(y_shunt: ComplexArray, first: int) -> Any:
    """Return shunts as stars without neutral, as in pandapower's three-phase flow."""
    place = np.flatnonzero(y_shunt)
    y = y_shunt[place]
    values = {"node": place, "status": 1, "g1": y.real, "b1": y.imag, "g0": 0.0, "b0": 0.0}
    return _table("shunt", first + np.arange(len(place)), values)


def _source_table(found: Sources, first: int) -> Any:
    values = {"node": found.node, "status": 1, "sk": STIFF_VA, "rx_ratio": 0.1, "z01_ratio": 1.0}
    values |= {"u_ref": np.abs(found.u_pu), "u_ref_angle": np.angle(found.u_pu)}
    return _table("source", first + np.arange(len(found.node)), values)


def _supplied(ends: IntArray, source: IntArray, count: int) -> BoolArray:
    first, second = ends[(ends >= 0).all(axis=1)].T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return np.isin(label, label[source])


def _stiffness(tables: Mapping[str, Any], ends: IntArray, u_rated: FloatArray) -> FloatArray:
    line, trafo, other = (tables[kind] for kind in KINDS)
    sizes = [
        u_rated[line["from_node"]] ** 2 / np.hypot(line["r1"], line["x1"]),
        trafo["sn"] / np.abs(trafo["uk"]),
        u_rated[other["to_node"]] ** 2 / np.hypot(other["r1"], other["x1"]),
    ]
    size, total = np.concatenate(sizes), np.zeros(len(u_rated))
    for node in ends.T:
        np.add.at(total, node[node >= 0], size[node >= 0])
    return total
