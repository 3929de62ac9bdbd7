"""Networks changed as a planner would change them: a tap, a larger transformer, thicker or second cables.

Every function returns a new network with the same sites; the one given is never written to.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridimpact.errors import GridError
from gridimpact.network.grid import extract_grid
from gridimpact.network.phase_model import with_phases
from gridimpact.records import Network, Note

SIZES_KVA = (50.0, 100.0, 160.0, 250.0, 400.0, 630.0, 800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0)
"""Usual ratings of distribution transformers, the R10 series of IEC 60076-1."""
_IRON_LOSS_EXPONENT = 0.75
"""Iron loss grows with rated power to this exponent in transformers built alike."""


@dataclass(frozen=True)
class LineType:
    """A cable that replaces others.

    Attributes
    ----------
    name : str
        Type.
    r_ohm_per_km, x_ohm_per_km, c_nf_per_km : float
        Positive sequence at 20 degC.
    i_max_ka : float
        Ampacity of one cable alone in the ground [kA].
    """

    name: str
    r_ohm_per_km: float
    x_ohm_per_km: float
    c_nf_per_km: float
    i_max_ka: float


NAYY_4X240 = LineType("NAYY 4x240", 0.125, 0.080, 900.0, 0.364)
"""Aluminium 240 mm2: resistance of IEC 60228, ampacity of DIN VDE 0276-603 in the ground."""


def next_size_kva(sn_kva: float) -> float | None:
    """Return the next usual rating above one [kVA], None beyond the largest.

    Examples
    --------
    >>> next_size_kva(250.0), next_size_kva(2500.0)
    (400.0, None)
    """
    larger = [size for size in SIZES_KVA if size > sn_kva * 1.001]
    return larger[0] if larger else None


def at_tap(network: Network, transformer: int, tap_pos: int) -> Network:
    """Return the network with a transformer's off-load tap changer at another position.

    Parameters
    ----------
    network : Network
    transformer : int
        Row of the net's table ``trafo``.
    tap_pos : int
        Position.

    Raises
    ------
    GridError
        If there is no such transformer, it has no tap changer, holds a voltage by itself, or does not
        reach the position.
    """
    trafo = _transformer(network, transformer)
    low, high = float(trafo["tap_min"]), float(trafo["tap_max"])
    if not low <= tap_pos <= high:
        reach = "has no tap changer" if np.isnan(low) else f"reaches {low:g} to {high:g}"
        message = f"transformer {transformer}: tap position {tap_pos} asked for, it {reach}"
        raise GridError(message)
    _no_tap_control(network, transformer, "its tap cannot be set by hand")
    net = copy.deepcopy(network.net)
    net["trafo"].loc[transformer, "tap_pos"] = tap_pos
    return _extracted(network, net, f"transformer {transformer} at tap position {tap_pos}")


def with_transformer_size(network: Network, transformer: int, sn_kva: float) -> Network:
    """Return the network with a transformer exchanged for one of another rating.

    Parameters
    ----------
    network : Network
    transformer : int
        Row of the net's table ``trafo``.
    sn_kva : float
        Rating of each parallel unit [kVA].

    Raises
    ------
    GridError
        If there is no such transformer, the rating is not above 0, or it holds a voltage by its taps.

    Notes
    -----
    Data come from the net's own standard type of these voltages and rating where it holds one. Else
    relative short-circuit voltages and no-load current stay and iron loss grows with the rating to the
    power of 0.75, an own choice for transformers built alike.
    """
    trafo = _transformer(network, transformer)
    if not sn_kva > 0.0:
        message = (
            f"transformer {transformer}: a rating of {sn_kva} kVA was asked for, give one above 0"
        )
        raise GridError(message)
    _no_tap_control(network, transformer, "exchange it in the net itself")
    net = copy.deepcopy(network.net)
    known = _standard(net, trafo, sn_kva)
    changes: dict[str, Any] = {"sn_mva": sn_kva / 1e3}
    if known is None:
        grown = (sn_kva / (1e3 * float(trafo["sn_mva"]))) ** _IRON_LOSS_EXPONENT
        changes["pfe_kw"] = float(trafo["pfe_kw"]) * grown
        source = "relative impedances kept"
    else:
        name, data = known
        changes |= {k: data[k] for k in ("vk_percent", "vkr_percent", "pfe_kw", "i0_percent")}
        changes["std_type"] = name
        source = f"data of type {name!r}"
    for column, value in changes.items():
        net["trafo"].loc[transformer, column] = value
    return _extracted(network, net, f"transformer {transformer} with {sn_kva:g} kVA, {source}")


def with_thicker_lines(
    network: Network, lines: Sequence[int], line_type: LineType = NAYY_4X240
) -> Network:
    """Return the network with lines laid anew.

    Parameters
    ----------
    network : Network
    lines : sequence of int
        Rows of the net's table ``line``.
    line_type : LineType
        What replaces them. A line that has no more resistance than this already gets a second one of its
        own kind beside it.

    Raises
    ------
    GridError
        If a line is unknown, or is given by full impedance matrices.

    Notes
    -----
    Derating stays. Zero-sequence values keep their ratio to the positive sequence.
    """
    table = network.net["line"]
    unknown = [line for line in lines if line not in table.index]
    if unknown:
        message = f"lines {unknown} are unknown; give rows of the net's table 'line'"
        raise GridError(message)
    matrices = network.grid.line_z_abc_ohm
    places = table.index.get_indexer(list(lines))
    if matrices is not None and not np.isnan(matrices[places]).all():
        message = "lines given by full impedance matrices cannot be replaced; change the matrices"
        raise GridError(message)
    net = copy.deepcopy(network.net)
    for line in lines:
        _lay(net["line"], line, line_type)
    return _extracted(
        network, net, f"{len(lines)} lines laid anew, {line_type.name} or in parallel"
    )


def _lay(table: Any, line: int, line_type: LineType) -> None:
    """Replace one line or double it."""
    row = table.loc[line]
    if row["r_ohm_per_km"] <= line_type.r_ohm_per_km * 1.001:
        table.loc[line, "parallel"] = int(row["parallel"]) + 1
        return
    changes = {
        "r_ohm_per_km": line_type.r_ohm_per_km,
        "x_ohm_per_km": line_type.x_ohm_per_km,
        "c_nf_per_km": line_type.c_nf_per_km,
    }
    zero = {
        "r_ohm_per_km": "r0_ohm_per_km",
        "x_ohm_per_km": "x0_ohm_per_km",
        "c_nf_per_km": "c0_nf_per_km",
    }
    for column, other in zero.items():
        if other in row and row[column] > 0:
            table.loc[line, other] = row[other] / row[column] * changes[column]
    for column, value in changes.items():
        table.loc[line, column] = value
    table.loc[line, "max_i_ka"] = max(line_type.i_max_ka, float(np.nan_to_num(row["max_i_ka"])))
    table.loc[line, "std_type"] = line_type.name


def _transformer(network: Network, transformer: int) -> Any:
    table = network.net["trafo"]
    if transformer not in table.index:
        known = ", ".join(str(k) for k in table.index)
        message = f"transformer {transformer} is unknown, there are {known}"
        raise GridError(message)
    return table.loc[transformer]


def _no_tap_control(network: Network, transformer: int, remedy: str) -> None:
    place = network.net["trafo"].index.get_loc(transformer)
    if any(control.transformer == place for control in network.grid.tap_controls):
        message = f"transformer {transformer} holds a voltage by its tap changer; {remedy}"
        raise GridError(message)


def _standard(net: Any, trafo: Any, sn_kva: float) -> tuple[str, Any] | None:
    """Return the net's own standard type of a transformer's voltages with another rating."""
    for name, data in net["std_types"]["trafo"].items():
        volts = (data.get("vn_hv_kv", np.nan), data.get("vn_lv_kv", np.nan))
        alike = np.allclose(volts, (trafo["vn_hv_kv"], trafo["vn_lv_kv"]))
        if alike and np.isclose(1e3 * data.get("sn_mva", np.nan), sn_kva):
            return str(name), data
    return None


def _extracted(network: Network, net: Any, what: str) -> Network:
    """Return the network of a changed net, with its tap changers and phase model."""
    grid = extract_grid(net, network.grid.bus_xy, network.grid.bus_geographic)
    grid = replace(grid, tap_controls=network.grid.tap_controls)
    notes = (*network.notes, Note("info", "network", f"changed for comparison: {what}."))
    changed = replace(network, net=net, grid=grid, notes=notes)
    return with_phases(changed) if network.grid.phase_model is not None else changed
