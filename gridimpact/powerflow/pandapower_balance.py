"""Losses of a net that pandapower solved, and the power missing at each of its nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.network.admittance import fixed_elements
from gridimpact.powerflow.engine import FlowOptions
from gridimpact.records import BoolArray, ComplexArray, IntArray

_OPEN_ENDED = ("xward", "ssc", "vsc")
"""Elements with a node of their own whose power is the element's to choose."""


def losses_kw(net: Any) -> float:
    """Return what branches, direct-current lines and converters lose [kW].

    Parameters
    ----------
    net : pandapowerNet
        As `pandapower.runpp` left it.
    """
    from pandapower.pypower.idx_brch import PF, PT

    losses_mw = float(np.nansum(net["_ppc"]["branch"][:, [PF, PT]].real))
    if len(net["dcline"]):
        losses_mw += float(np.nansum(net["res_dcline"]["pl_mw"].to_numpy(np.float64)))
    if net.get("vsc") is not None and len(net["vsc"]):
        losses_mw += float(np.nansum(net["res_vsc"]["p_mw"].to_numpy(np.float64)))
        drawn = net["load_dc"][net["load_dc"]["in_service"].astype(bool)]
        losses_mw -= float((drawn["p_dc_mw"] * drawn["scaling"]).sum())
    if net.get("ssc") is not None and len(net["ssc"]):
        losses_mw += _inside_compensators(net)
    return 1e3 * losses_mw


def _inside_compensators(net: Any) -> float:
    """Return what the series resistance of synchronous compensators loses [MW]."""
    table, found = net["ssc"], net["res_ssc"]
    ends = [
        found[f"vm_{side}pu"].to_numpy(np.float64)
        * np.exp(1j * np.deg2rad(found[f"va_{side}degree"].to_numpy(np.float64)))
        for side in ("", "internal_")
    ]
    z = (table["r_ohm"] + 1j * table["x_ohm"]).to_numpy(np.complex128)
    vn_kv = net["bus"]["vn_kv"].loc[table["bus"]].to_numpy(np.float64)
    current = np.abs((ends[0] - ends[1]) * vn_kv / z)
    return float(np.nansum(current**2 * z.real))


def missing_power(net: Any, parts: ComplexArray, options: FlowOptions) -> tuple[float, float]:
    """Return the largest power missing at a node [kVA], and over what may be missing.

    Parameters
    ----------
    net : pandapowerNet
        As `pandapower.runpp` left it.
    parts : numpy.ndarray
        (3, load) constant power, constant current and constant impedance of its loads [kVA].
    options : FlowOptions
        What may be missing.

    Notes
    -----
    At a generator only active power is checked, as its reactive power is what the solver finds.
    Ends of direct-current lines and converters are left out: their power is no input.
    """
    internal = net["_ppc"]["internal"]
    if "V" not in internal or not len(internal["V"]):
        # Nothing but sources: there is no node whose balance could fail.
        return 0.0, 0.0
    base, v, y_bus = 1e3 * float(net.sn_mva), internal["V"], internal["Ybus"]
    missing = v * np.conj(y_bus @ v)
    for bus, drawn in _drawn(net, parts):
        node = net["_pd2ppc_lookups"]["bus"][bus]
        there = node < len(v)
        size = np.abs(v[node[there]])
        power = drawn[0, there] + drawn[1, there] * size + drawn[2, there] * size**2
        np.add.at(missing, node[there], power / base)
    held, unknown = _free_nodes(net, len(v))
    missing[held] = missing[held].real
    inner = np.setdiff1d(np.flatnonzero(~unknown), internal["ref"])
    gap = np.abs(missing[inner])
    stiff = np.abs(y_bus.diagonal()[inner])
    allowed = options.residual_kva / base + 10 * options.tolerance_pu * stiff
    return float(base * gap.max(initial=0.0)), float((gap / allowed).max(initial=0.0))


def _drawn(net: Any, parts: ComplexArray) -> list[tuple[IntArray, ComplexArray]]:
    """Return buses and drawn power (3, element) [kVA] of loads, generators and the net's own draw."""
    bus, power = fixed_elements(net)
    gen = net["gen"][net["gen"]["in_service"].astype(bool)]
    xward = net["xward"][net["xward"]["in_service"].astype(bool)]
    feeding = -1e3 * (gen["p_mw"] * gen["scaling"]).to_numpy(np.float64)
    warded = 1e3 * (xward["ps_mw"].to_numpy() + 1j * xward["qs_mvar"].to_numpy())
    own = np.concatenate([power, feeding.astype(np.complex128), warded])
    fixed = np.zeros((3, len(own)), dtype=np.complex128)
    fixed[0] = own
    places = np.concatenate([bus, gen["bus"], xward["bus"]]).astype(np.int64)
    return [(net["load"]["bus"].to_numpy(dtype=np.int64), parts), (places, fixed)]


def _free_nodes(net: Any, count: int) -> tuple[BoolArray, BoolArray]:
    """Return the nodes whose reactive power, and whose whole power, is found by the solver."""
    lookup = net["_pd2ppc_lookups"]["bus"]
    held, unknown = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    ends = [net["dcline"]["from_bus"], net["dcline"]["to_bus"]]
    if net.get("vsc") is not None:
        ends.append(net["vsc"]["bus"])
    aux = net["_pd2ppc_lookups"].get("aux") or {}
    for mask, buses in (
        (held, net["gen"]["bus"].to_numpy(np.int64)),
        (unknown, np.concatenate(ends).astype(np.int64)),
        *((unknown, np.asarray(aux[kind], dtype=np.int64)) for kind in _OPEN_ENDED if kind in aux),
    ):
        node = lookup[buses]
        mask[node[node < count]] = True
    return held, unknown
