"""What power-grid-model has no counterpart to, found in a pandapower net before it is converted."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.errors import Problem
from gridimpact.network.columns import column
from gridimpact.powerflow.pgm_elements import Part, flags, sources
from gridimpact.powerflow.pgm_transformer import Windings, clock_of
from gridimpact.records import BoolArray, FloatArray

_REMEDY = "check this network with pandapower instead"

_FILL = (
    'open it with phases: with_phases(network, zero_sequence="assume") fills it by stated ratios'
)

_REFUSED = {
    "gen": "holds its voltage by reactive power",
    "xward": "holds an internal voltage",
    "dcline": "is a direct-current line",
    "svc": "is a static var compensator",
    "ssc": "is a static synchronous compensator",
    "vsc": "is a voltage source converter",
    "vsc_stacked": "is a voltage source converter",
    "vsc_bipolar": "is a voltage source converter",
    "tcsc": "is a thyristor-controlled series capacitor",
}

_SIDES = (("rft", "rtf"), ("xft", "xtf"), ("gf", "gt"), ("bf", "bt"))

_ZERO_LINE = ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km")


def refusals(net: Any, parts: list[Part], u_rated: FloatArray) -> list[Problem]:
    """Return what cannot be held, balanced or not."""
    found = []
    for table, reason in _REFUSED.items():
        rows = net.get(table)
        if rows is None or not len(rows):
            continue
        active = flags(rows)
        if table == "gen" and "slack" in rows:
            active &= ~rows["slack"].fillna(False).to_numpy(dtype=bool)
        found += _named(table, rows.index[active], reason)
    rows = net["impedance"]
    uneven = np.zeros(len(rows), dtype=bool)
    for one, other in _SIDES:
        uneven |= column(rows, f"{one}_pu") != column(rows, f"{other}_pu")
    found += _named("impedance", rows.index[uneven & flags(rows)], "differs by direction")
    for table in ("trafo", "trafo3w"):
        rows = net[table]
        if "tap_dependency_table" in rows:
            listed = np.array([value is True for value in rows["tap_dependency_table"]], dtype=bool)
            found += _named(table, rows.index[listed], "takes its taps from a table")
    for part in parts:
        both = part.closed.all(axis=1)
        volt = u_rated[part.node]
        at_one = both & (part.node[:, 0] == part.node[:, 1])
        found += _parts(net, part, at_one, "has both ends at one node")
        if part.kind == "line":
            uneven = both & (volt[:, 0] != volt[:, 1])
            found += _parts(net, part, uneven, "joins buses of different rated voltage")
    if not len(sources(net, np.arange(len(net["bus"]))).node):
        found.append(Problem("ext_grid", "no source is in service", "add an external grid"))
    return found


def phase_refusals(
    net: Any, parts: list[Part], windings: tuple[Windings, Windings]
) -> list[Problem]:
    """Return what cannot be held in phase coordinates, zero-sequence data that lack among it."""
    found = []
    for part in parts:
        if part.kind == "line":
            lacks = part.closed.any(axis=1) & ~np.isfinite(part.values["r0"] + part.values["x0"])
            found += _parts(net, part, lacks, "lacks zero-sequence impedance", _FILL)
    for some in windings:
        there, clock = some.closed.any(axis=1), clock_of(some.shift_degree)
        index = net[some.table].index[some.row % max(len(net[some.table]), 1)]
        hv, lv = some.connection.T
        known = hv != ""
        earthed = np.isin(hv, ("yn", "zn")) | np.isin(lv, ("yn", "zn"))
        lacks = ~known | (earthed & ~np.isfinite(some.z0.leak))
        star = np.isin(hv, ("y", "yn")) == np.isin(lv, ("y", "yn"))
        odd = known & (clock >= 0) & ((clock % 2 == 0) != star)
        checks = (
            (lacks, "lacks its vector group or zero-sequence impedance", _FILL),
            (clock < 0, "has a phase shift without clock number", _REMEDY),
            (odd, "has a clock number its vector group cannot have", "correct shift_degree"),
        )
        for bad, what, remedy in checks:
            found += _named(some.table, index[there & bad].unique(), what, remedy)
    return found


def _parts(net: Any, part: Part, bad: BoolArray, what: str, remedy: str = _REMEDY) -> list[Problem]:
    index = net[part.table].index
    return _named(part.table, index[part.row[bad] % max(len(index), 1)], what, remedy)


def _named(table: str, index: Any, what: str, remedy: str = _REMEDY) -> list[Problem]:
    text = f"{what}, which power-grid-model cannot hold" if remedy is _REMEDY else what
    return [Problem(f"{table} {row}", text, remedy) for row in index]
