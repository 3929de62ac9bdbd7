"""The immutable extract of a pandapower net that placement, power flow and assessment share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import GridError
from gridimpact.network.admittance import build_node_model
from gridimpact.network.beyond import beyond_batched
from gridimpact.network.grid_paths import supply_paths
from gridimpact.records import FloatArray, Grid, IntArray


def extract_grid(net: Any, bus_xy: ArrayLike, geographic: bool) -> Grid:
    """Return the immutable extract of a pandapower net.

    Parameters
    ----------
    net : pandapowerNet
        Never written to; its loads, generators and storages are not part of the extract.
    bus_xy : array_like
        (bus, 2) place of each bus in the order of the bus table: longitude and latitude [degree],
        or [m] of a layout.
    geographic : bool
        Whether `bus_xy` holds longitude and latitude.

    Returns
    -------
    Grid
        Bus, line and transformer axes in the order of the net's tables. Feeders are numbered
        through the whole network, so that one number names one feeder.

    Raises
    ------
    GridError
        Where the net has no buses, `bus_xy` has another shape, or an element cannot be modelled
        (see `gridimpact.network.admittance.build_node_model`).

    Notes
    -----
    Ampacity is ``max_i_ka * df * parallel``; zero, negative, infinite or missing values are
    unrated. The loss ratio is ``vkr_percent / 100 * sn_mva`` over ``pfe_kw``, load loss over
    no-load loss at rating, as IEEE C57.91 counts it.
    """
    bus, line, trafo = net["bus"], net["line"], net["trafo"]
    if not len(bus):
        message = "network: the bus table is empty"
        raise GridError(message)
    place = np.array(bus_xy, dtype=np.float64)
    if place.shape != (len(bus), 2):
        message = f"bus_xy: has shape {place.shape}, must be ({len(bus)}, 2), one row for each bus"
        raise GridError(message)
    model = build_node_model(net)
    supplied = model.bus_node >= 0
    paths = supply_paths(net, supplied)
    rating = _column(trafo, "sn_mva") * _column(trafo, "parallel") * _column(trafo, "df")
    return Grid(
        bus_index=_index(bus),
        bus_name=_names(bus, "bus"),
        bus_vn_kv=_column(bus, "vn_kv"),
        bus_xy=place,
        bus_geographic=bool(geographic),
        bus_node=model.bus_node,
        bus_supplied=supplied,
        bus_distance_m=paths.distance_m,
        bus_feeder=paths.feeder,
        bus_transformer=paths.transformer,
        bus_phases=np.ones((len(bus), 3), dtype=bool),
        line_index=_index(line),
        line_name=_names(line, "line"),
        line_from=_position(net, line["from_bus"]),
        line_to=_position(net, line["to_bus"]),
        line_length_m=1e3 * _column(line, "length_km"),
        line_i_max_ka=_ampacity(line),
        line_branch=model.line_branch,
        transformer_index=_index(trafo),
        transformer_name=_names(trafo, "transformer"),
        transformer_hv=_position(net, trafo["hv_bus"]),
        transformer_lv=_position(net, trafo["lv_bus"]),
        transformer_sn_kva=1e3 * _column(trafo, "sn_mva") * _column(trafo, "parallel"),
        transformer_i_rated_ka=np.stack(
            [rating / (np.sqrt(3.0) * _column(trafo, f"vn_{side}_kv")) for side in ("hv", "lv")],
            axis=1,
        ),
        transformer_loss_ratio=_loss_ratio(trafo),
        transformer_branch=model.transformer_branch,
        admittance=model.admittance,
        **_three_windings(net["trafo3w"], model.transformer3w_branch),
        beyond_batched=beyond_batched(net),
    )


def _three_windings(table: Any, branch: IntArray) -> dict[str, Any]:
    """Return the fields of a grid that speak of three-winding transformers."""
    rated_ka = [
        _column(table, f"sn_{side}_mva") / (np.sqrt(3.0) * _column(table, f"vn_{side}_kv"))
        for side in ("hv", "mv", "lv")
    ]
    return {
        "transformer3w_index": _index(table),
        "transformer3w_name": _names(table, "transformer3w"),
        "transformer3w_branch": branch,
        "transformer3w_i_rated_ka": np.stack(rated_ka, axis=1),
    }


def _ampacity(line: Any) -> FloatArray:
    """Return the ampacity with parallels and derating [kA], NaN where there is none."""
    limit = _column(line, "max_i_ka") * _column(line, "df") * _column(line, "parallel")
    return np.where(np.isfinite(limit) & (limit > 0), limit, np.nan)


def _loss_ratio(trafo: Any) -> FloatArray:
    """Return load loss over no-load loss at rating, NaN without iron loss."""
    iron_kw = _column(trafo, "pfe_kw")
    load_kw = _column(trafo, "vkr_percent") / 100 * _column(trafo, "sn_mva") * 1e3
    known = np.isfinite(iron_kw) & (iron_kw > 0)
    ratio = np.full(len(trafo), np.nan)
    ratio[known] = load_kw[known] / iron_kw[known]
    return ratio


def _column(table: Any, name: str) -> FloatArray:
    return np.array(table[name].to_numpy(dtype=np.float64))


def _index(table: Any) -> IntArray:
    return np.array(table.index.to_numpy(dtype=np.int64))


def _position(net: Any, column: Any) -> IntArray:
    return np.asarray(net["bus"].index.get_indexer(column.to_numpy(dtype=np.int64)), dtype=np.int64)


def _names(table: Any, kind: str) -> tuple[str, ...]:
    """Return the names of a table's rows; a row without one is called by kind and index."""
    known = table["name"] if "name" in table else [None] * len(table)
    return tuple(
        str(name).strip()
        if isinstance(name, str | int) and str(name).strip()
        else f"{kind} {index}"
        for index, name in zip(table.index, known, strict=True)
    )
