"""Buses, lines, switches, impedances, sources and shunts of a pandapower net as power-grid-model has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridimpact.network.columns import column
from gridimpact.records import BoolArray, ComplexArray, FloatArray, IntArray

SWITCH_R_TO_X = 2.0
"""Resistance over reactance of a bus-bus switch that has an impedance, pandapower's default."""


class Part(NamedTuple):
    """Branches of one kind of power-grid-model that come from one table of the net."""

    kind: str
    table: str
    row: IntArray
    """Position in the net's table; of three-winding transformers winding times count plus position."""
    node: IntArray
    """(branch, 2)"""
    closed: BoolArray
    """(branch, 2) whether each end is connected."""
    values: Mapping[str, Any]
    """Attributes of power-grid-model."""


def flags(table: Any, name: str = "in_service") -> BoolArray:
    """Return a column of yes and no."""
    return np.asarray(table[name].to_numpy(dtype=bool))


def bus_place(net: Any, values: Any) -> IntArray:
    """Return the positions of buses in the bus table."""
    return np.asarray(net["bus"].index.get_indexer(values), dtype=np.int64)


def bus_nodes(net: Any) -> tuple[IntArray, FloatArray]:
    """Return each bus's node and each node's rated voltage [V]; closed switches without impedance join buses."""
    switch, count = net["switch"], len(net["bus"])
    on = flags(net["bus"])
    first, second = bus_place(net, switch["bus"]), bus_place(net, switch["element"])
    bridge = _closed_bridges(switch) & (column(switch, "z_ohm") <= 0)
    bridge &= on[first] & on[second]
    first, second = first[bridge], second[bridge]
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    _, node = connected_components(graph, directed=False)
    node = np.asarray(node, dtype=np.int64)
    u_rated = np.zeros(int(node.max(initial=-1)) + 1)
    u_rated[node] = 1e3 * column(net["bus"], "vn_kv")
    return node, u_rated


def _closed_bridges(switch: Any) -> BoolArray:
    return np.asarray(flags(switch, "closed") & (switch["et"] == "b").to_numpy(dtype=bool))


def ends_closed(net: Any, table: str, kind: str, columns: tuple[str, ...]) -> BoolArray:
    """Return (element, end) whether each end of a branch is connected: no open switch, bus in service."""
    rows, switch = net[table], net["switch"]
    opened = switch[~flags(switch, "closed") & np.asarray(switch["et"] == kind, dtype=bool)]
    cut = set(zip(opened["element"], opened["bus"], strict=True))
    on = flags(net["bus"])
    closed = np.empty((len(rows), len(columns)), dtype=bool)
    for end, name in enumerate(columns):
        pairs = zip(rows.index, rows[name], strict=True)
        closed[:, end] = [pair not in cut for pair in pairs]
        closed[:, end] &= on[bus_place(net, rows[name])] & flags(rows)
    return closed


def capacitor(g_s: FloatArray, b_s: FloatArray, f_hz: float) -> tuple[FloatArray, FloatArray]:
    """Return capacitance [F] and loss factor of a shunt admittance [S]."""
    omega = 2 * np.pi * f_hz
    # The model knows conductance only as a loss factor of the capacitance; a trace of it carries that.
    trace = np.where((b_s == 0) & (g_s != 0), 1e-12, b_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        return trace / omega, np.where(g_s == 0, 0.0, g_s / trace)


def line_part(net: Any, node: IntArray, phases: int) -> Part:
    """Return the lines, parallel systems in one."""
    line, f_hz = net["line"], float(net["f_hz"])
    length, systems = column(line, "length_km"), column(line, "parallel", 1.0)
    values = {}
    for sequence in ("", "0")[: 1 if phases == 1 else 2]:
        name = sequence or "1"
        for axis in "rx":
            values[axis + name] = (
                column(line, f"{axis}{sequence}_ohm_per_km", np.nan) * length / systems
            )
        b_s = 2e-9 * np.pi * f_hz * column(line, f"c{sequence}_nf_per_km") * length * systems
        g_s = 1e-6 * column(line, f"g{sequence}_us_per_km") * length * systems
        values["c" + name], values["tan" + name] = capacitor(g_s, b_s, f_hz)
    sides = np.stack([bus_place(net, line[f"{end}_bus"]) for end in ("from", "to")], axis=1)
    closed = ends_closed(net, "line", "l", ("from_bus", "to_bus"))
    return Part("line", "line", np.arange(len(line)), node[sides], closed, values)


def impedance_part(net: Any, node: IntArray, u_rated: FloatArray, phases: int) -> Part:
    """Return the impedances as lines."""
    table, f_hz = net["impedance"], float(net["f_hz"])
    sides = np.stack([bus_place(net, table[f"{end}_bus"]) for end in ("from", "to")], axis=1)
    ohm = u_rated[node[sides[:, 0]]] ** 2 / (1e6 * column(table, "sn_mva", 1.0))
    values = {}
    for sequence in ("", "0")[: 1 if phases == 1 else 2]:
        name = sequence or "1"
        for axis in "rx":
            values[axis + name] = ohm * column(table, f"{axis}ft{sequence}_pu", np.nan)
        g_s, b_s = (2 * column(table, f"{axis}f{sequence}_pu") / ohm for axis in "gb")
        values["c" + name], values["tan" + name] = capacitor(g_s, b_s, f_hz)
    on = flags(net["bus"])[sides] & flags(table)[:, None]
    closed = np.repeat(on.all(axis=1, keepdims=True), 2, axis=1)
    return Part("line", "impedance", np.arange(len(table)), node[sides], closed, values)


def switch_part(net: Any, node: IntArray) -> Part:
    """Return closed bus-bus switches that have an impedance, as lines of the same zero sequence."""
    switch = net["switch"]
    sides = np.stack([bus_place(net, switch["bus"]), bus_place(net, switch["element"])], axis=1)
    kept = _closed_bridges(switch) & (column(switch, "z_ohm") > 0)
    kept &= flags(net["bus"])[sides].all(axis=1)
    size = column(switch, "z_ohm")[kept]
    x_ohm = size / np.hypot(SWITCH_R_TO_X, 1.0)
    r_ohm, none = SWITCH_R_TO_X * x_ohm, np.zeros(len(size))
    values = {"r1": r_ohm, "x1": x_ohm, "c1": none, "tan1": none}
    values |= {"r0": r_ohm, "x0": x_ohm, "c0": none, "tan0": none}
    sides = node[sides[kept]]
    return Part("line", "switch", np.flatnonzero(kept), sides, np.ones(sides.shape, bool), values)


IDEAL_MVA = 1e6
"""An external grid of this short-circuit power or more is stiff."""

SOURCE_FACTOR = 1.1
"""Voltage factor c of IEC 60909-0 on the impedance of external grids, as pandapower counts it."""


class Sources(NamedTuple):
    """Stiff voltages."""

    node: IntArray
    u_pu: ComplexArray


def sources(net: Any, node: IntArray) -> Sources:
    """Return external grids and slack generators in service, one for each node."""
    grid, gen = net["ext_grid"], net["gen"]
    found: dict[int, complex] = {}
    slack = flags(gen, "slack") if "slack" in gen else np.zeros(len(gen), dtype=bool)
    for table in (gen[slack], grid):
        there = flags(table) & flags(net["bus"])[bus_place(net, table["bus"])]
        angle = np.deg2rad(column(table, "va_degree"))
        u_pu = column(table, "vm_pu", 1.0) * np.exp(1j * angle)
        places = node[bus_place(net, table["bus"])]
        found |= dict(zip(places[there].tolist(), u_pu[there].tolist(), strict=True))
    return Sources(np.array(list(found), dtype=np.int64), np.array(list(found.values()), complex))


def source_impedances(
    net: Any, node: IntArray, found: Sources, first: int
) -> tuple[Sources, Part, FloatArray]:
    """Put sources that are not stiff behind their short-circuit impedances, at nodes from `first` on.

    Returns
    -------
    sources : Sources
    part : Part
        One line for each external grid with an impedance.
    u_rated : numpy.ndarray
        Of the added nodes [V].
    """
    grid = net["ext_grid"]
    bus = bus_place(net, grid["bus"])
    power = column(grid, "s_sc_max_mva", np.inf)
    kept = flags(grid) & flags(net["bus"])[bus] & (power < IDEAL_MVA)
    fed, where = np.unique(node[bus[kept]], return_inverse=True)
    added = first + np.arange(len(fed))
    u_rated = np.zeros(int(node.max(initial=-1)) + 1)
    u_rated[node] = 1e3 * column(net["bus"], "vn_kv")
    z_ohm = SOURCE_FACTOR * u_rated[node[bus[kept]]] ** 2 / (1e6 * power[kept])
    rx = column(grid, "rx_max")[kept]
    x1 = z_ohm / np.hypot(rx, 1.0)
    # Without an earthed neutral the zero sequence sees an open end.
    x0 = np.minimum(column(grid, "x0x_max", np.inf)[kept] * x1, 1e9)
    none = np.zeros(len(x1))
    values = {"r1": rx * x1, "x1": x1, "c1": none, "tan1": none}
    values |= {"r0": column(grid, "r0x0_max")[kept] * x0, "x0": x0, "c0": none, "tan0": none}
    sides = np.stack([added[where], node[bus[kept]]], axis=1)
    part = Part("line", "ext_grid", np.flatnonzero(kept), sides, np.ones(sides.shape, bool), values)
    behind = dict(zip(fed.tolist(), added.tolist(), strict=True))
    moved = np.array([behind.get(place, place) for place in found.node.tolist()], dtype=np.int64)
    return Sources(moved, found.u_pu), part, u_rated[fed]


def shunts(net: Any, node: IntArray, u_rated: FloatArray) -> ComplexArray:
    """Return (node,) admittance to earth of shunts and of wards' constant impedances [S]."""
    total = np.zeros(len(u_rated), dtype=np.complex128)
    shunt, ward = net["shunt"], net["ward"]
    power = column(shunt, "p_mw") - 1j * column(shunt, "q_mvar")
    place = node[bus_place(net, shunt["bus"])]
    u_kv = column(shunt, "vn_kv", np.nan)
    u_kv = np.where(np.isnan(u_kv), u_rated[place] / 1e3, u_kv)
    on = flags(shunt)
    np.add.at(total, place[on], (power * column(shunt, "step", 1.0) / u_kv**2)[on])
    place, on = node[bus_place(net, ward["bus"])], flags(ward)
    power = column(ward, "pz_mw") - 1j * column(ward, "qz_mvar")
    np.add.at(total, place[on], (power / (u_rated[place] / 1e3) ** 2)[on])
    return total


def fixed_loads(net: Any) -> tuple[IntArray, ComplexArray]:
    """Return bus positions and constant power [kVA] of motors and wards in service."""
    motor, ward = net["motor"], net["ward"]
    shaft = column(motor, "pn_mech_mw") * column(motor, "loading_percent") / 100
    p_mw = shaft * column(motor, "scaling", 1.0) / (column(motor, "efficiency_percent") / 100)
    q_mvar = p_mw * np.tan(np.arccos(column(motor, "cos_phi", 1.0)))
    warded = column(ward, "ps_mw") + 1j * column(ward, "qs_mvar")
    power = np.concatenate([p_mw + 1j * q_mvar, warded])
    on = np.concatenate([flags(motor), flags(ward)])
    bus = np.concatenate([bus_place(net, motor["bus"]), bus_place(net, ward["bus"])])
    return bus[on], 1e3 * power[on]
