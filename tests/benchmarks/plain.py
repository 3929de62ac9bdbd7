"""A net that every engine reads alike: no switches, rows counted from 0, no open ends left to guess."""

from __future__ import annotations

from typing import Any

import numpy as np

RATING_KA = 0.2
"""Ampacity of lines that have none, so that every loading is a number."""

_LINE = ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "g_us_per_km", "df")
_ZERO_LINE = ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km")
_TRAFO = (
    *("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent"),
    *("shift_degree", "tap_neutral", "tap_min", "tap_max", "tap_step_percent", "tap_pos", "df"),
)
_ZERO_TRAFO = ("vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial")
_KNOWN = {
    *("bus", "line", "trafo", "load", "sgen", "switch", "ext_grid", "asymmetric_load"),
    *("measurement", "poly_cost", "pwl_cost", "controller", "characteristic", "group"),
    *("trafo_characteristic_table", "bus_geodata", "line_geodata", "loadcases", "substation"),
}


def plain_net(net: Any) -> tuple[Any, np.ndarray]:
    """Return an electrically equal net without switches and elements, and the new row of each bus.

    Closed bus-bus switches fuse their buses; a line that is open at one end gets a bus of its own
    there. Loads are left out: a race gives them.

    Raises
    ------
    ValueError
        If the net holds what the engines of the race do not all know.
    """
    import pandapower as pp

    _refuse(net)
    row = _fused(net)
    plain = pp.create_empty_network(sn_mva=float(net.sn_mva), f_hz=float(net.f_hz))
    first = [int(np.flatnonzero(row == k)[0]) for k in range(row.max() + 1)]
    pp.create_buses(plain, len(first), net.bus.vn_kv.to_numpy()[first].tolist())
    ends = _line_ends(net, plain, row)
    _lines(net, plain, ends)
    _trafos(net, plain, row)
    for source in net.ext_grid.itertuples():
        at = int(row[net.bus.index.get_loc(source.bus)])
        pp.create_ext_grid(plain, at, vm_pu=float(source.vm_pu), va_degree=float(source.va_degree))
    return plain, row


def _refuse(net: Any) -> None:
    held = {
        name
        for name, table in net.items()
        if hasattr(table, "columns")
        and len(table)
        and "std_types" not in name
        and name[0] != "_"
        and not name.startswith("res_")
    }
    idle = [
        name
        for name in ("bus", "line", "trafo", "ext_grid")
        if not net[name].in_service.astype(bool).all()
    ]
    opened = net.switch[~net.switch.closed.astype(bool)]
    if held - _KNOWN or idle or (opened.et == "t").any():
        message = f"cannot be made plain: holds {sorted(held - _KNOWN)}, out of service {idle}"
        raise ValueError(message)


def _fused(net: Any) -> np.ndarray:
    """Return the new row of each bus, closed bus-bus switches fused."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tied = net.switch[(net.switch.et == "b") & net.switch.closed.astype(bool)]
    f = net.bus.index.get_indexer(tied.bus)
    t = net.bus.index.get_indexer(tied.element)
    count = len(net.bus)
    _, label = connected_components(coo_array((np.ones(len(f)), (f, t)), (count, count)))
    _, where, row = np.unique(label, return_index=True, return_inverse=True)
    # Rows in the order in which the buses come.
    rank = np.argsort(np.argsort(where))
    return np.asarray(rank[row])


def _line_ends(net: Any, plain: Any, row: np.ndarray) -> np.ndarray:
    """Return both ends of each line, (line, 2); an open end becomes a bus."""
    import pandapower as pp

    ends = np.stack(
        [row[net.bus.index.get_indexer(net.line[side])] for side in ("from_bus", "to_bus")], axis=1
    )
    opened = net.switch[(net.switch.et == "l") & ~net.switch.closed.astype(bool)]
    for switch in opened.itertuples():
        line = net.line.index.get_loc(switch.element)
        side = 0 if net.line.from_bus.iloc[line] == switch.bus else 1
        ends[line, side] = pp.create_bus(plain, plain.bus.vn_kv.iloc[ends[line, 1 - side]])
    return ends


def _numbers(table: Any, names: tuple[str, ...]) -> dict[str, Any]:
    given = [name for name in names if name in table]
    return {name: table[name].astype(float).fillna(0.0).tolist() for name in given}


def _lines(net: Any, plain: Any, ends: np.ndarray) -> None:
    import pandapower as pp

    table, rated = net.line, net.line.max_i_ka.astype(float)
    rating = rated.where(rated > 0, RATING_KA).tolist()
    pp.create_lines_from_parameters(
        plain,
        ends[:, 0].tolist(),
        ends[:, 1].tolist(),
        max_i_ka=rating,
        parallel=table.parallel.astype(int).tolist(),
        **_numbers(table, _LINE + _ZERO_LINE),
    )


def _trafos(net: Any, plain: Any, row: np.ndarray) -> None:
    import pandapower as pp

    table = net.trafo
    pp.create_transformers_from_parameters(
        plain,
        row[net.bus.index.get_indexer(table.hv_bus)].tolist(),
        row[net.bus.index.get_indexer(table.lv_bus)].tolist(),
        parallel=table.parallel.astype(int).tolist(),
        tap_side=["hv"] * len(table),
        tap_step_degree=[0.0] * len(table),
        tap_changer_type=["Ratio"] * len(table),
        **_numbers(table, _TRAFO + _ZERO_TRAFO),
    )
    # Balanced flows know only the clock number; converters want a group beside it.
    group = table["vector_group"] if "vector_group" in table else table.tap_side.astype(object)
    plain.trafo["vector_group"] = group.where(group.isin(["Dyn", "Yyn", "YNd"]), "Dyn").to_numpy()
    if (table.tap_side.notna() & (table.tap_side != "hv") & (table.tap_pos.fillna(0) != 0)).any():
        message = "a transformer with a tap on its low-voltage side is off neutral"
        raise ValueError(message)
