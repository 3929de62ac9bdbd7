"""The pi-model of a network, taken from pandapower's own conversion so that every element agrees with it.

Taps, phase shifts, shunts, switches, fused buses, impedances, three-winding transformers, wards,
several external grids and islands come out as pandapower models them; loads, generators and
storages are left out, because a power flow here gets them as injections. Motors and the constant
power of wards stay, as power that the network draws by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.beyond import take_out_beyond
from gridimpact.records import Admittance, ComplexArray, IntArray

INJECTED = ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen")
"""Tables whose power is given as injections and which are not part of the model."""


@dataclass(frozen=True)
class NodeModel:
    """The pi-model and where each element of the network stands in it."""

    admittance: Admittance
    bus_node: IntArray
    """(bus,) node, -1 where out of service or without supply."""
    line_branch: IntArray
    """(line,) branch, -1 where out of service or without supply."""
    transformer_branch: IntArray
    transformer3w_branch: IntArray
    """(three-winding transformer, 3) branches of the high, middle and low-voltage winding."""


def passive_net(net: Any) -> Any:
    """Return a copy of a pandapower net without the elements that are given as injections.

    Tables are copied, so that neither pandapower nor a caller writes into the net given.
    Results, stored options and controllers are left behind; elements that hold a voltage stay.
    """
    import pandas as pd
    from pandapower.auxiliary import pandapowerNet

    kept = {k: v for k, v in net.items() if not k.startswith("_") or k.startswith("_empty")}
    bare = pandapowerNet(
        {
            key: value.copy() if isinstance(value, pd.DataFrame) else value
            for key, value in kept.items()
        }
    )
    for table in INJECTED:
        bare[table] = bare[table].iloc[:0].copy()
    if "controller" in bare:
        bare["controller"] = bare["controller"].iloc[:0].copy()
    bare["user_pf_options"] = {}
    return bare


def build_node_model(net: Any) -> NodeModel:
    """Return the pi-model of a pandapower net.

    Transformers follow pandapower's default T-model, three-winding transformers carry their iron
    losses on the high-voltage side, and voltage angles are counted, as in ``runpp``.

    Parameters
    ----------
    net : pandapowerNet
        Never written to.

    Returns
    -------
    NodeModel
        Nodes are the supplied buses, with closed bus-bus switches fused, and the auxiliary nodes
        of open line ends and three-winding star points.

    Raises
    ------
    GridError
        Where no source is in service or a branch has no impedance.

    Notes
    -----
    What no fixed admittance can follow (see `gridimpact.network.beyond`) is left out of the model.
    """
    raise_problems(_refusals(net), "network", GridError)
    bare = passive_net(net)
    take_out_beyond(bare)
    ppci, branch_kept = _convert(bare)
    node_count = len(ppci["bus"])
    lookup = np.asarray(bare["_pd2ppc_lookups"]["bus"], dtype=np.int64)
    node = lookup[bare["bus"].index.to_numpy(dtype=np.int64)]
    bus_node = np.where((node >= 0) & (node < node_count), node, -1).astype(np.int64)
    branch = np.where(branch_kept, np.cumsum(branch_kept) - 1, -1).astype(np.int64)
    ranges = bare["_pd2ppc_lookups"]["branch"]
    return NodeModel(
        admittance=_admittance(ppci, _fixed_power(bare, bus_node, node_count)),
        bus_node=bus_node,
        line_branch=_in_service(bare["line"], branch, ranges.get("line")),
        transformer_branch=_in_service(bare["trafo"], branch, ranges.get("trafo")),
        transformer3w_branch=_windings(bare["trafo3w"], branch, ranges.get("trafo3w")),
    )


def _refusals(net: Any) -> list[Problem]:
    found = []
    sources = int(net["ext_grid"]["in_service"].sum())
    if "slack" in net["gen"]:
        slack = net["gen"]["slack"].fillna(False).to_numpy(dtype=bool)
        sources += int((slack & net["gen"]["in_service"].to_numpy(dtype=bool)).sum())
    if not sources:
        found.append(Problem("ext_grid", "no source is in service", "add an external grid"))
    zero = (
        net["line"]["length_km"]
        * np.hypot(net["line"]["r_ohm_per_km"], net["line"]["x_ohm_per_km"])
    ) == 0
    found += [
        Problem(f"line {index}", "has no impedance", "replace it by a closed bus-bus switch")
        for index in net["line"].index[zero & net["line"]["in_service"].astype(bool)]
    ]
    return found


def _convert(bare: Any) -> tuple[Any, Any]:
    """Run pandapower's conversion; return its internal case and which branches are in it."""
    from pandapower.auxiliary import _init_runpp_options
    from pandapower.pd2ppc import _pd2ppc

    _init_runpp_options(
        bare,
        algorithm="nr",
        calculate_voltage_angles=True,
        init="flat",
        max_iteration="auto",
        tolerance_mva=1e-8,
        trafo_model="t",
        trafo_loading="current",
        enforce_p_lims=False,
        enforce_q_lims=False,
        check_connectivity=True,
        voltage_depend_loads=False,
        numba=False,
        lightsim2grid=False,
    )
    empty = np.array([], dtype=np.int64)
    bare["_pd2ppc_lookups"] = {
        name: empty for name in ("bus", "bus_dc", "ext_grid", "gen", "branch", "branch_dc")
    }
    try:
        with np.errstate(invalid="ignore"):
            _, ppci = _pd2ppc(bare)
    except (UserWarning, ValueError, KeyError, FloatingPointError) as error:
        message = f"network: pandapower cannot convert it: {error}"
        raise GridError(message) from error
    return ppci, np.asarray(ppci["internal"]["branch_is"], dtype=bool)


def _admittance(ppci: Any, fixed: ComplexArray | None) -> Admittance:
    from pandapower.pypower.idx_brch import F_BUS, T_BUS
    from pandapower.pypower.idx_bus import BASE_KV, BUS_TYPE, REF, VA
    from pandapower.pypower.idx_gen import GEN_BUS, VG
    from pandapower.pypower.makeYbus import branch_vectors, makeYbus

    bus, branch, gen = ppci["bus"].real, ppci["branch"], ppci["gen"].real
    try:
        y_bus, _, _ = makeYbus(ppci["baseMVA"], bus, branch)
        y_tt, y_ff, y_ft, y_tf = branch_vectors(branch, len(branch))
    except FloatingPointError as error:
        message = (
            "network: the admittance of a branch is no number, as it has no impedance or impossible "
            "data; mend it, or replace it by a closed bus-bus switch"
        )
        raise GridError(message) from error
    slack = np.flatnonzero(bus[:, BUS_TYPE] == REF).astype(np.int64)
    vm_pu = np.ones(len(bus))
    vm_pu[gen[:, GEN_BUS].astype(np.int64)] = gen[:, VG]
    slack_vm = vm_pu[slack] * np.exp(1j * np.deg2rad(bus[slack, VA]))
    return Admittance(
        s_base_kva=float(ppci["baseMVA"]) * 1e3,
        node_vn_kv=np.asarray(bus[:, BASE_KV], dtype=np.float64),
        y_bus=y_bus.tocsc(),
        slack_node=slack,
        slack_vm_pu=np.asarray(slack_vm, dtype=np.complex128),
        supplied=np.ones(len(bus), dtype=bool),
        branch_from=branch[:, F_BUS].real.astype(np.int64),
        branch_to=branch[:, T_BUS].real.astype(np.int64),
        y_ff=np.asarray(y_ff, dtype=np.complex128),
        y_ft=np.asarray(y_ft, dtype=np.complex128),
        y_tf=np.asarray(y_tf, dtype=np.complex128),
        y_tt=np.asarray(y_tt, dtype=np.complex128),
        fixed_s_kva=fixed,
    )


def branch_two_ports(net: Any) -> ComplexArray:
    """Return y_ff, y_ft, y_tf, y_tt of every branch of a pandapower net, (branch, 4) [pu].

    Parameters
    ----------
    net : pandapowerNet
        Never written to; every branch in service and supplied.
    """
    from pandapower.pypower.makeYbus import branch_vectors

    ppci, _ = _convert(passive_net(net))
    y_tt, y_ff, y_ft, y_tf = branch_vectors(ppci["branch"], len(ppci["branch"]))
    return np.stack([y_ff, y_ft, y_tf, y_tt], axis=1).astype(np.complex128)


def fixed_elements(net: Any) -> tuple[IntArray, ComplexArray]:
    """Return buses and constant power [kVA] of what a net draws by itself: motors and wards."""
    motor = net["motor"][net["motor"]["in_service"].astype(bool)]
    ward = net["ward"][net["ward"]["in_service"].astype(bool)]
    shaft_mw = motor["pn_mech_mw"] * motor["loading_percent"] / 100 * motor["scaling"]
    p_kw = 1e3 * (shaft_mw / (motor["efficiency_percent"] / 100)).to_numpy(dtype=np.float64)
    cos_phi = motor["cos_phi"].to_numpy(dtype=np.float64)
    q_kvar = np.sqrt((p_kw / cos_phi) ** 2 - p_kw**2)
    bus = np.concatenate([motor["bus"], ward["bus"]]).astype(np.int64)
    warded = 1e3 * (ward["ps_mw"].to_numpy() + 1j * ward["qs_mvar"].to_numpy())
    return bus, np.concatenate([p_kw + 1j * q_kvar, warded]).astype(np.complex128)


def _fixed_power(bare: Any, bus_node: IntArray, node_count: int) -> ComplexArray | None:
    """Return constant power at the nodes [kVA], None where there is none."""
    bus, power = fixed_elements(bare)
    node = bus_node[bare["bus"].index.get_indexer(bus)]
    if not (node >= 0).any():
        return None
    fixed = np.zeros(node_count, dtype=np.complex128)
    np.add.at(fixed, node[node >= 0], power[node >= 0])
    return fixed


def _windings(table: Any, branch: IntArray, rows: tuple[int, int] | None) -> IntArray:
    """Return the branches of the windings: pandapower lists all of one side, then the next."""
    if rows is None:
        return np.zeros((0, 3), dtype=np.int64)
    found = branch[rows[0] : rows[1]].reshape(3, len(table)).T.copy()
    found[~table["in_service"].to_numpy(dtype=bool)] = -1
    return found


def _in_service(table: Any, branch: IntArray, rows: tuple[int, int] | None) -> IntArray:
    if rows is None:
        return np.zeros(0, dtype=np.int64)
    found = branch[rows[0] : rows[1]].copy()
    found[~table["in_service"].to_numpy(dtype=bool)] = -1
    return found
