"""Elements that a fixed admittance cannot hold and that pandapower solves step by step.

They stay in the network; the pi-model is built without them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.network.columns import rows_text

BEYOND: dict[str, tuple[str, str]] = {
    "gen": ("generator", "holds its voltage"),
    "xward": ("extended ward", "holds an internal voltage"),
    "dcline": ("direct-current line", "holds the voltage at both ends"),
    "svc": ("static var compensator", "holds a voltage"),
    "ssc": ("static synchronous compensator", "holds a voltage"),
    "tcsc": ("thyristor-controlled series capacitor", "holds a power"),
    "vsc": ("voltage source converter", "holds a voltage or power"),
}
"""Table: element in words, and what it does that no fixed admittance can."""

SLACK_GENERATORS = "gen"

_DIRECT_CURRENT = ("bus_dc", "line_dc", "source_dc", "load_dc")


def _active(net: Any, table: str) -> pd.DataFrame:
    """Return the rows of one table that act, those at buses out of service left out."""
    rows: pd.DataFrame | None = net.get(table)
    if rows is None or not len(rows):
        return pd.DataFrame()
    keep = rows["in_service"].to_numpy(dtype=bool)
    for column in ("bus", "from_bus", "to_bus"):
        if column in rows:
            dark = net["bus"].index[~net["bus"]["in_service"].to_numpy(dtype=bool)]
            keep = keep & ~rows[column].isin(dark).to_numpy()
    if table == SLACK_GENERATORS and "slack" in rows:
        keep = keep & ~rows["slack"].fillna(False).to_numpy(dtype=bool)
    return rows[keep]


def beyond_batched(net: Any) -> tuple[str, ...]:
    """Return what of a net no fixed admittance can follow, each in words.

    Parameters
    ----------
    net : pandapowerNet
        Never written to.

    Examples
    --------
    >>> from pandapower import create_bus, create_empty_network, create_gen
    >>> net = create_empty_network()
    >>> row = create_gen(net, create_bus(net, 20.0), p_mw=1.0)
    >>> beyond_batched(net)
    ('generator 0 (holds its voltage)',)
    """
    return tuple(
        f"{word} {index} ({reason})"
        for table, (word, reason) in BEYOND.items()
        for index in _active(net, table).index
    )


def take_out_beyond(net: Any) -> None:
    """Remove what no fixed admittance can follow from a net of one's own, in place.

    A series capacitor leaves its capacitor behind, so that the buses beyond it keep their supply.
    """
    capacitors = _active(net, "tcsc")
    if len(capacitors):
        _as_impedances(net, capacitors)
    for table in BEYOND:
        rows = net.get(table)
        if rows is None or not len(rows):
            continue
        keep = np.zeros(len(rows), dtype=bool)
        if table == SLACK_GENERATORS and "slack" in rows:
            keep = rows["slack"].fillna(False).to_numpy(dtype=bool)
        net[table] = rows[keep].copy()
    for table in _DIRECT_CURRENT:
        if net.get(table) is not None:
            net[table] = net[table].iloc[:0].copy()


def _as_impedances(net: Any, capacitors: pd.DataFrame) -> None:
    """Add the capacitor of each series compensator as an impedance."""
    from pandapower import create_impedance

    ends = capacitors[["from_bus", "to_bus"]].to_numpy(np.int64)
    vn_kv = net["bus"]["vn_kv"].loc[ends[:, 0]].to_numpy(np.float64)
    x_pu = capacitors["x_cvar_ohm"].to_numpy(np.float64) / vn_kv**2
    for (first, second), x in zip(ends.tolist(), x_pu.tolist(), strict=True):
        create_impedance(net, first, second, rft_pu=0.0, xft_pu=x, sn_mva=1.0)


_HELD = (
    ("ext_grid", "bus", "vm_pu"),
    ("gen", "bus", "vm_pu"),
    ("dcline", "from_bus", "vm_from_pu"),
    ("dcline", "to_bus", "vm_to_pu"),
)


def check_held_voltages(net: Any) -> list[Problem]:
    """Return buses at which two elements hold different voltages.

    Parameters
    ----------
    net : pandapowerNet
        Net whose bus numbers have been checked.
    """
    parts = []
    for table, bus, vm_pu in _HELD:
        rows = net[table]
        rows = rows[rows["in_service"].astype(bool)]
        named = [f"{table} {index}" for index in rows.index]
        parts.append(pd.DataFrame({"bus": rows[bus], "vm_pu": rows[vm_pu], "who": named}))
    held = pd.concat(parts, ignore_index=True)
    held["bus"] = held["bus"].map(_fused(net))
    problems = []
    for _, group in held.groupby("bus"):
        if len(group) > 1 and float(np.ptp(group["vm_pu"].to_numpy(np.float64))) > 0.0:
            values = ", ".join(
                f"{who} {value:g} pu"
                for who, value in zip(group["who"], group["vm_pu"], strict=True)
            )
            what = f"one bus is held at different voltages: {values}"
            problems.append(Problem("ext_grid and gen, vm_pu", what, "give them one set-point"))
    return problems


def _fused(net: Any) -> dict[int, int]:
    """Return the first bus of each group joined by closed switches without impedance."""
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(map(int, net["bus"].index))
    switch = net["switch"]
    tied = switch[(switch["et"] == "b") & switch["closed"].astype(bool)]
    tied = tied[~(tied["z_ohm"].fillna(0.0) > 0)]
    graph.add_edges_from(zip(tied["bus"].astype(int), tied["element"].astype(int), strict=True))
    return {bus: min(part) for part in nx.connected_components(graph) for bus in part}


def idle_voltage_holders(net: Any) -> list[str]:
    """Return in words the elements in service that stand at buses out of service.

    Parameters
    ----------
    net : pandapowerNet
        Net whose bus numbers have been checked.
    """
    dark = net["bus"].index[~net["bus"]["in_service"].to_numpy(dtype=bool)]
    found = []
    for table, (word, _) in BEYOND.items():
        rows = net.get(table)
        if rows is None or not len(rows):
            continue
        rows = rows[rows["in_service"].astype(bool)]
        ends = [column for column in ("bus", "from_bus", "to_bus") if column in rows]
        lost = np.zeros(len(rows), dtype=bool)
        for column in ends:
            lost |= rows[column].isin(dark).to_numpy()
        if lost.any():
            found.append(f"{word}, {rows_text(rows.index[lost].tolist())}")
    return found
