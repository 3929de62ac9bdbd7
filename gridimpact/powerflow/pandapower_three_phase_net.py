"""A net as `pandapower.runpp_3ph` takes it, and what it cannot follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.errors import Problem
from gridimpact.network.admittance import passive_net
from gridimpact.network.phase_transformer import plain_group
from gridimpact.powerflow.pgm_elements import flags

_GROUPS = ("ynyn", "dyn", "yzn", "yy", "yd", "dy", "dd")
"""Vector groups that runpp_3ph solves, clock numbers apart."""

_NEEDED = {
    "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"),
    "trafo": ("vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial"),
    "ext_grid": ("s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max"),
}


def prepared_net(net: Any) -> Any:
    """Return a copy that runpp_3ph takes: with its private tables, vector groups without clock numbers."""
    import pandapower as pp

    own = passive_net(net)
    for key, value in pp.create_empty_network().items():
        own.setdefault(key, value)
    if "vector_group" in own["trafo"]:
        group = [plain_group(str(name)) for name in own["trafo"]["vector_group"]]
        own["trafo"]["vector_group"] = group
    return own


def refusals(net: Any) -> list[Problem]:
    """Return what runpp_3ph cannot follow in a prepared net."""
    found = []
    for table, columns in _NEEDED.items():
        rows = net[table][flags(net[table])]
        for column in columns:
            lacks = rows[column].isna().to_numpy() if column in rows else np.ones(len(rows), bool)
            if lacks.any():
                what = f"{int(lacks.sum())} of {len(rows)} rows hold nothing"
                remedy = 'with_phases(network, zero_sequence="assume") fills it by stated ratios'
                found.append(Problem(f"{table}, {column}", what, remedy))
    for table in ("trafo3w", "impedance", "gen", "xward", "dcline"):
        rows = net[table][flags(net[table])]
        found += [
            _refused(table, index, "runpp_3ph has no zero sequence of it") for index in rows.index
        ]
    switch = net["switch"]
    joined = flags(switch, "closed") & (switch["et"] == "b") & (switch["z_ohm"] > 0)
    found += [
        _refused("switch", index, "runpp_3ph tells no flow through its impedance")
        for index in switch.index[joined]
    ]
    trafo = net["trafo"][flags(net["trafo"])]
    if "vector_group" in trafo:
        for index, group in trafo["vector_group"].items():
            shift = float(trafo.at[index, "shift_degree"])
            if str(group).lower() not in _GROUPS:
                found.append(_refused("trafo", index, f"runpp_3ph does not solve {group!r}"))
            elif str(group).lower() == "ynyn" and abs(np.sin(np.deg2rad(shift))) > 1e-9:
                what = (
                    f"is YNyn at {shift:g} degrees, by which runpp_3ph turns its zero sequence too"
                )
                found.append(_refused("trafo", index, what))
    return found


def _refused(table: str, index: Any, what: str) -> Problem:
    return Problem(f"{table} {index}", what, "check this network with power-grid-model instead")
