"""Check how a network hangs together: sources, islands, voltage levels, switches, meshes."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.network.beyond import idle_voltage_holders
from gridimpact.network.check_elements import active
from gridimpact.network.columns import rows_text
from gridimpact.network.layout import closed_graph
from gridimpact.records import Note

ANGLE_DEGREE = 1.0
"""Two sources of one island may differ by this much [degree]."""
SETPOINT_PU = 0.02
"""Two sources of one island may differ by this much [pu]."""


def check_topology(net: Any) -> list[Problem]:
    """Return missing sources, joined voltage levels and switches that sit nowhere.

    Parameters
    ----------
    net : pandapowerNet
        Net whose bus numbers have been checked.
    """
    problems = []
    sources = net.ext_grid[
        net.ext_grid.in_service & net.bus.in_service.loc[net.ext_grid.bus].to_numpy()
    ]
    slack = net.gen[
        net.gen.in_service & net.gen.slack & net.bus.in_service.loc[net.gen.bus].to_numpy()
    ]
    if sources.empty and slack.empty:
        what = "has no source in service at a bus in service"
        problems.append(Problem("ext_grid", what, "add an ext_grid at the feeding bus"))
    problems += _levels(net)
    problems += _switches(net)
    return problems


def _levels(net: Any) -> list[Problem]:
    """Return lines, impedances and couplers that join different nominal voltages."""
    couplers = net.switch[net.switch.et == "b"]
    joins = (
        ("line", active(net, "line"), "from_bus", "to_bus"),
        ("switch", couplers, "bus", "element"),
    )
    problems = []
    for table, frame, one, other in joins:
        a = net.bus.vn_kv.loc[frame[one]].to_numpy()
        b = net.bus.vn_kv.loc[frame[other]].to_numpy()
        bad = ~np.isclose(a, b, rtol=1e-3)
        if bad.any():
            shown = f"{a[bad][0]:g} and {b[bad][0]:g} kV at the first"
            what = f"{rows_text(frame.index[bad].tolist())}: joins two voltage levels, {shown}"
            problems.append(Problem(table, what, "put a transformer between them"))
    return problems


def _switches(net: Any) -> list[Problem]:
    """Return switches at a bus that is no end of their element."""
    ends = {
        "l": (net.line, ("from_bus", "to_bus")),
        "t": (net.trafo, ("hv_bus", "lv_bus")),
        "t3": (net.trafo3w, ("hv_bus", "mv_bus", "lv_bus")),
    }
    problems = []
    for kind, (table, columns) in ends.items():
        switch = net.switch[net.switch.et == kind]
        if switch.empty:
            continue
        at_end = np.zeros(len(switch), dtype=bool)
        for column in columns:
            at_end |= table[column].loc[switch.element].to_numpy() == switch.bus.to_numpy()
        if not at_end.all():
            bad = switch[~at_end]
            what = f"{rows_text(bad.index.tolist(), bad.bus.tolist())}: the bus is no end of its element"
            problems.append(Problem("switch, bus", what, "give the bus where the switch sits"))
    return problems


def check_supply(net: Any) -> tuple[list[Problem], list[Note]]:
    """Return sources that work against each other, and demand that no source reaches.

    Parameters
    ----------
    net : pandapowerNet
        Net without other errors.

    Returns
    -------
    problems, notes
        Problems of several sources; notes on unsupplied demand and meshes.
    """
    graph = closed_graph(net)
    sources = active(net, "ext_grid")
    problems, notes = _sources(net, graph, sources), list[Note]()
    fed = {int(bus) for bus in sources.bus} & set(graph.nodes)
    fed |= {int(b) for b in net.gen.bus[net.gen.in_service & net.gen.slack]} & set(graph.nodes)
    reached = {b for part in nx.connected_components(graph) if part & fed for b in part}
    notes += _unsupplied(net, set(map(int, net.bus.index)) - reached)
    for who in idle_voltage_holders(net):
        notes.append(
            Note("warning", "bus, in_service", f"{who}: at a bus out of service, does nothing")
        )
    notes += _cut_off(net)
    loops = _loops(net, graph.subgraph(reached))
    if loops:
        text = f"{loops} closed loops: the network is meshed, feeders are told apart by a spanning tree"
        notes.append(Note("warning", "topology", text))
    return problems, notes


def _cut_off(net: Any) -> list[Note]:
    """Return the note on branches in service whose ends are all switched off."""
    opened = net.switch[~net.switch.closed]
    notes = []
    for kind, table, count in (("l", "line", 2), ("t", "trafo", 2), ("t3", "trafo3w", 3)):
        rows = opened[opened.et == kind].drop_duplicates(["element", "bus"])
        ends = rows.groupby("element").size()
        lost = [row for row in ends.index[ends >= count] if net[table].in_service[row]]
        if lost:
            text = f"{rows_text(lost)}: switched off at every end, carries nothing"
            notes.append(Note("info", f"switch, {table}", text))
    return notes


def _unsupplied(net: Any, dark: set[int]) -> list[Note]:
    """Return the note on buses and demand without supply."""
    if not dark:
        return []
    demand = 0.0
    for table, columns in (
        ("load", ("p_mw",)),
        ("asymmetric_load", ("p_a_mw", "p_b_mw", "p_c_mw")),
    ):
        frame = active(net, table)
        frame = frame[frame.bus.isin(dark)]
        demand += 1000.0 * float((frame[list(columns)].sum(axis=1) * frame.scaling).sum())
    text = (
        f"{len(dark)} buses without supply ({rows_text(sorted(dark))}), {demand:g} kW of demand there; "
        "it counts as not served"
    )
    return [Note("warning" if demand else "info", "bus", text)]


def _loops(net: Any, graph: nx.Graph) -> int:
    """Return the number of independent loops, parallel lines not counted."""
    parts = nx.number_connected_components(graph) if len(graph) else 0
    return int(graph.number_of_edges() - graph.number_of_nodes() + parts)


def _sources(net: Any, graph: nx.Graph, sources: pd.DataFrame) -> list[Problem]:
    """Return sources in one island whose voltages do not fit together."""
    problems = []
    for part in nx.connected_components(graph):
        here = sources[sources.bus.isin(part)]
        if len(here) < 2:
            continue
        shift = _shifts(net, graph, int(here.bus.iloc[0]))
        angle = here.va_degree.to_numpy() - here.bus.map(shift).to_numpy(dtype=np.float64)
        spread = np.abs((angle - angle[0] + 180.0) % 360.0 - 180.0).max()
        rows = rows_text(here.index.tolist(), here.vm_pu.tolist())
        if spread > ANGLE_DEGREE:
            what = f"{rows}: feed one island with angles {spread:.0f} degree apart"
            remedy = "open a switch between them, or set va_degree to the transformers' shift"
            problems.append(Problem("ext_grid, va_degree", what, remedy))
        if np.ptp(here.vm_pu.to_numpy()) > SETPOINT_PU:
            what = f"{rows}: feed one island with set-points more than {SETPOINT_PU} pu apart"
            problems.append(
                Problem("ext_grid, vm_pu", what, "open a switch or align the set-points")
            )
    return problems


def _shifts(net: Any, graph: nx.Graph, root: int) -> dict[int, float]:
    """Return the voltage angle of every bus without load, relative to the root [degree]."""
    turn: dict[tuple[int, int], float] = {}
    joins = (
        ("trafo", "lv_bus", "shift_degree"),
        ("trafo3w", "mv_bus", "shift_mv_degree"),
        ("trafo3w", "lv_bus", "shift_lv_degree"),
    )
    for table, low, column in joins:
        frame = active(net, table)
        ends = (frame["hv_bus"].tolist(), frame[low].tolist(), frame[column].tolist())
        for hv, lv, degree in zip(*ends, strict=True):
            turn[hv, lv], turn[lv, hv] = -degree, degree
    found = {root: 0.0}
    for a, b in nx.bfs_edges(graph, root):
        found[b] = found[a] + turn.get((a, b), 0.0)
    return found
