"""Zero and negative sequence of every branch, and lines given by full matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.network.phase_line import full_six_port, line_zero_two_ports
from gridimpact.network.phase_ports import phase_block, swapped
from gridimpact.network.phase_transformer import (
    Sides,
    tapped_voltages,
    transformer_zero_two_ports,
)
from gridimpact.network.phase_windings import winding_zero_two_ports
from gridimpact.records import BoolArray, ComplexArray, FloatArray, Grid, IntArray


@dataclass(frozen=True)
class ZeroSequence:
    """Zero-sequence two-ports by branch and at which ends they lead to earth."""

    two_port: ComplexArray
    earthed: BoolArray


def sequences(
    net: Any, grid: Grid, positive: ComplexArray, full: Mapping[int, ComplexArray]
) -> tuple[ZeroSequence, ComplexArray]:
    """Return zero and negative sequence of every branch."""
    base = grid.admittance.s_base_kva
    zero = positive.copy()
    negative = positive.copy()
    earthed = np.zeros((len(positive), 2), dtype=bool)
    places = np.flatnonzero(grid.line_branch >= 0)
    places = places[~np.isin(places, list(full))]
    branch = grid.line_branch[places]
    node_kv = grid.admittance.node_vn_kv
    from_kv, to_kv = node_kv[grid.admittance.branch_from], node_kv[grid.admittance.branch_to]
    if len(places):
        lines = net["line"].iloc[places]
        zero[branch] = line_zero_two_ports(lines, from_kv[branch], base, float(net["f_hz"]))
    two = np.flatnonzero(grid.transformer_branch >= 0)
    if len(two):
        branch = grid.transformer_branch[two]
        rows = net["trafo"].iloc[two]
        sides = Sides(*tapped_voltages(net, rows), from_kv[branch], to_kv[branch])
        zero[branch], earthed[branch] = transformer_zero_two_ports(rows, sides, base)
        negative[branch] = swapped(positive[branch])
    three = np.flatnonzero((grid.transformer3w_branch >= 0).all(axis=1))
    if len(three):
        branch = grid.transformer3w_branch[three].T.ravel()
        rows = net["trafo3w"].iloc[three]
        own_hv, own_lv = _winding_voltages(net, three)
        sides = Sides(own_hv, own_lv, from_kv[branch], to_kv[branch])
        zero[branch], earthed[branch] = winding_zero_two_ports(rows, sides, base)
        negative[branch] = swapped(positive[branch])
    branch, rows = _impedance_rows(net, grid)
    if len(rows):
        zero[branch] = _impedance_zero(rows, base)
    return ZeroSequence(zero, earthed), negative


def _winding_voltages(net: Any, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return rated voltages of the three equivalent transformers of each, side after side [kV]."""
    from pandapower.auxiliary import ADict
    from pandapower.build_branch import _trafo_df_from_trafo3w

    table = net["trafo3w"].iloc[rows]
    options = {"calculate_voltage_angles": True, "mode": "pf", "trafo3w_losses": "hv"}
    unused = {"aux": {"trafo3w": np.zeros(len(rows), dtype=np.int64)}}
    seen = ADict(trafo3w=table, _options=options, _pd2ppc_lookups=unused)
    for name in ("trafo_characteristic_table", "characteristic"):
        seen[name] = net.get(name)
    return tapped_voltages(net, _trafo_df_from_trafo3w(seen))


def _impedance_rows(net: Any, grid: Grid) -> tuple[IntArray, Any]:
    """Return the branches of impedances, which follow lines and transformers, and their rows."""
    table = net["impedance"]
    taken = np.zeros(len(grid.admittance.branch_from), dtype=bool)
    for known in (grid.line_branch, grid.transformer_branch, grid.transformer3w_branch.ravel()):
        taken[known[known >= 0]] = True
    node = [
        grid.bus_node[net["bus"].index.get_indexer(table[f"{end}_bus"])] for end in ("from", "to")
    ]
    kept = table["in_service"].to_numpy(dtype=bool) & (node[0] >= 0) & (node[1] >= 0)
    branch = np.flatnonzero(~taken)[: int(kept.sum())]
    return branch, table[kept]


def _impedance_zero(table: Any, s_base_kva: float) -> ComplexArray:
    """Return the zero-sequence two-ports of impedances, as pandapower reads their columns."""

    def pair(real: str, imaginary: str) -> ComplexArray:
        return np.asarray(
            table[f"{real}0_pu"].to_numpy(float) + 1j * table[f"{imaginary}0_pu"].to_numpy(float)
        )

    scale = table["sn_mva"].to_numpy(dtype=np.float64) * 1e3 / s_base_kva
    forth, back = scale / pair("rft", "xft"), scale / pair("rtf", "xtf")
    at_from, at_to = scale * pair("gf", "bf"), scale * pair("gt", "bt")
    return np.stack([forth + at_from, -forth, -back, back + at_to], axis=1)


def full_line(
    net: Any, grid: Grid, place: int, z_km: ComplexArray, b_km: ComplexArray | None
) -> ComplexArray:
    """Return the six-port of a line given by its full matrix."""
    row = net["line"].iloc[place]
    length, parallel = float(row["length_km"]), float(row["parallel"])
    if b_km is None:
        c1 = float(row["c_nf_per_km"])
        c0 = float(row["c0_nf_per_km"]) if "c0_nf_per_km" in row else c1
        c0 = c1 if np.isnan(c0) else c0
        nano = phase_block(np.array(c0 + 0j), np.array(c1 + 0j), np.array(c1 + 0j))
        b_km = 2e-3 * np.pi * float(net["f_hz"]) * nano
    kv = grid.admittance.node_vn_kv[grid.admittance.branch_from[grid.line_branch[place]]]
    z_base = 1e3 * kv**2 / grid.admittance.s_base_kva
    return full_six_port(z_km * length / parallel, 1e-6 * b_km.real * length * parallel, z_base)


def full_lines_ohm(line: Any, full: Mapping[int, ComplexArray]) -> ComplexArray:
    """Return the given series impedances of whole lines, (line, 3, 3) [ohm], NaN elsewhere."""
    found = np.full((len(line), 3, 3), np.nan + 1j * np.nan)
    for place, z_km in full.items():
        row = line.iloc[place]
        found[place] = z_km * float(row["length_km"]) / float(row["parallel"])
    return found
