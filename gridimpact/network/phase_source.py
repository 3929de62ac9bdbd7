"""External grids in three phases: ideal sources, and short-circuit impedances before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.network.phase_ports import six_port
from gridimpact.network.zero_sequence import STIFF_MVA
from gridimpact.records import ComplexArray, FloatArray, Grid, IntArray, Note

VOLTAGE_FACTOR = 1.1
"""c of IEC 60909-0 table 1, which pandapower counts on every external grid."""
STIFF = 2.0**21
"""Positive- over negative-sequence admittance of a source that is ideal in positive sequence alone.

Errs by 4.8e-7 of the drop that its impedance would make; more would cost digits in the others.
"""


@dataclass(frozen=True)
class Sources:
    """Where voltage is held, and the branches between there and the network.

    Attributes
    ----------
    slack_node : ndarray, shape (slack,)
        Nodes of stiff voltage; those from the node count of the grid on are added ones.
    node_vn_kv : ndarray, shape (added,)
    branch_from, branch_to : ndarray, shape (added,)
        From the added node to the one it feeds.
    y : ndarray, shape (added, 6, 6)
    added : ndarray
        Nodes of the grid that find earth in a source.
    notes : tuple of Note
    """

    slack_node: IntArray
    node_vn_kv: FloatArray
    branch_from: IntArray
    branch_to: IntArray
    y: ComplexArray
    added: IntArray
    notes: tuple[Note, ...]


def source_branches(net: Any, grid: Grid, full_impedance: bool) -> Sources:
    """Return the sources of a net.

    Parameters
    ----------
    net : pandapowerNet
        External grids with ``s_sc_max_mva``, ``rx_max``, ``x0x_max`` and ``r0x0_max``.
    grid : Grid
    full_impedance : bool
        Whether the short-circuit impedance counts in positive sequence too.

    Notes
    -----
    Z2 = 1.1 / ``s_sc_max_mva`` per unit, X0 = ``x0x_max`` X2, R0 = ``r0x0_max`` X0, as in
    ``runpp_3ph``. Several external grids at one node are parallel. ``x0x_max`` of infinity is a source
    without an earthed neutral. One of 1e6 MVA and more with an earthed neutral is ideal, and so is a
    node that also holds a slack generator.
    """
    table = net["ext_grid"]
    slack = grid.admittance.slack_node
    base_mva = grid.admittance.s_base_kva / 1e3
    node = grid.bus_node[net["bus"].index.get_indexer(table["bus"])]
    rows = table["in_service"].to_numpy(dtype=bool) & (node >= 0)
    s_sc, rx, x0x, r0x0 = (
        table[name].to_numpy(dtype=np.float64)[rows]
        for name in ("s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max")
    )
    x2 = VOLTAGE_FACTOR * base_mva / s_sc / np.sqrt(rx**2 + 1)
    y2, y0 = np.zeros(len(slack), dtype=np.complex128), np.zeros(len(slack), dtype=np.complex128)
    at = np.searchsorted(slack, node[rows])
    np.add.at(y2, at, 1 / (x2 * (rx + 1j)))
    with np.errstate(invalid="ignore"):
        np.add.at(y0, at, np.where(np.isfinite(x0x), 1 / (x0x * x2 * (r0x0 + 1j)), 0))
    ideal = np.ones(len(slack), dtype=bool)
    ideal[at] = False
    ideal[at[(s_sc >= STIFF_MVA) & np.isfinite(x0x)]] = True
    ideal[np.isin(slack, _slack_generators(net, grid))] = True
    behind = np.flatnonzero(~ideal)
    count = len(grid.admittance.node_vn_kv)
    added = count + np.arange(len(behind), dtype=np.int64)
    held = slack.copy()
    held[behind] = added
    negative = _series(y2[behind])
    positive = negative if full_impedance else negative * STIFF
    return Sources(
        slack_node=held,
        node_vn_kv=grid.admittance.node_vn_kv[slack[behind]],
        branch_from=added,
        branch_to=slack[behind],
        y=six_port(_series(y0[behind]), positive, negative),
        added=slack[ideal | (y0 != 0)],
        notes=_notes(len(behind), full_impedance),
    )


def _slack_generators(net: Any, grid: Grid) -> IntArray:
    gen = net["gen"]
    if not len(gen) or "slack" not in gen:
        return np.zeros(0, dtype=np.int64)
    rows = gen["in_service"].to_numpy(dtype=bool) & gen["slack"].fillna(False).to_numpy(dtype=bool)
    return np.asarray(grid.bus_node[net["bus"].index.get_indexer(gen["bus"][rows])])


def _series(y: ComplexArray) -> ComplexArray:
    return np.stack([y, -y, -y, y], axis=-1)


def _notes(count: int, full_impedance: bool) -> tuple[Note, ...]:
    if not count:
        return ()
    how = (
        "has its short-circuit impedance in all sequences"
        if full_impedance
        else "holds its voltage in positive sequence and has its short-circuit impedance in negative and zero "
        "sequence, as in runpp_3ph"
    )
    return (Note("info", "ext_grid", f"the source behind {count} external grids {how}"),)
