"""The IEEE four-node feeder (Kersting) from its published conductors, twelve cases of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandapower as pp

from gridimpact.network import with_phases
from gridimpact.records import ComplexArray, Network
from tests.network.phase_nets import network_of

_MILE_KM = 1.609344
_FOOT_MILE = 1 / 5280
_GMR_FT = {"a": 0.0244, "b": 0.0244, "c": 0.0244, "n": 0.00814}
_OHM_MILE = {"a": 0.306, "b": 0.306, "c": 0.306, "n": 0.592}
_FEET = {
    "ab": 2.5, "bc": 4.5, "ac": 7.0, "an": 5.656854, "bn": 4.272002, "cn": 5.0
}  # fmt: skip
_GROUPS = {
    ("stepdown", "grY-grY"): ("YNyn0", 0), ("stepdown", "D-grY"): ("Dyn1", 30),
    ("stepdown", "D-D"): ("Dd0", 0), ("stepup", "grY-grY"): ("YNyn0", 0),
    ("stepup", "D-grY"): ("YNd1", 30), ("stepup", "D-D"): ("Dd0", 0),
}  # fmt: skip
CASES = [
    (load, step, windings) for load in ("balanced", "unbalanced") for step, windings in _GROUPS
]


def carson_ohm_per_km(wires: str) -> ComplexArray:
    """Return the phase impedance matrix by Carson's equations at 60 Hz and 100 ohm m, Kron-reduced."""
    count = len(wires)
    z = np.zeros((count, count), dtype=complex)
    for i, one in enumerate(wires):
        for k, other in enumerate(wires):
            pair = "".join(sorted(one + other))
            feet = _GMR_FT[one] if one == other else _FEET[pair]
            own = _OHM_MILE[one] if one == other else 0.0
            z[i, k] = own + 0.09530 + 0.12134j * (np.log(1 / feet) + 7.93402)
    if count == 4:
        z = z[:3, :3] - np.outer(z[:3, 3], z[3, :3]) / z[3, 3]
    return z / _MILE_KM


@lru_cache(maxsize=16)
def kersting_case(
    load: str, step: str, windings: str
) -> tuple[Network, ComplexArray, ComplexArray]:
    """Return the network and its star and delta loads by node, (node, 3) [kVA].

    `load` is "balanced" or "unbalanced", `step` "stepdown" or "stepup".
    """
    high = 24.9 if step == "stepup" else 12.47
    low = 12.47 if step == "stepup" else 4.16
    net: Any = pp.create_empty_network(sn_mva=6.0, f_hz=60.0)
    far = high if step == "stepup" else low
    bus = [pp.create_bus(net, kv) for kv in (12.47, 12.47, far, far)]
    pp.create_ext_grid(net, bus[0], s_sc_max_mva=1e9, rx_max=0.1, x0x_max=1.0, r0x0_max=0.1)
    for start, stop, feet in ((0, 1, 2000), (2, 3, 2500)):
        pp.create_line_from_parameters(
            net, bus[start], bus[stop], feet * _FOOT_MILE * _MILE_KM, 0.3, 0.6, 0.0, 1.0
        )
    hv, lv = (bus[2], bus[1]) if step == "stepup" else (bus[1], bus[2])
    group, shift = _GROUPS[step, windings]
    pp.create_transformer_from_parameters(
        net, hv, lv, sn_mva=6.0, vn_hv_kv=high, vn_lv_kv=low, vk_percent=np.hypot(6, 1),
        vkr_percent=1.0, pfe_kw=0.0, i0_percent=0.0, shift_degree=shift, vector_group=group,
        vk0_percent=np.hypot(6, 1), vkr0_percent=1.0, mag0_percent=1e9, mag0_rx=0.0,
        si0_hv_partial=0.5,
    )  # fmt: skip
    first, _, last = windings.partition("-")
    wires = {0: "abcn" if first == "grY" else "abc", 1: "abcn" if last == "grY" else "abc"}
    matrices = {line: carson_ohm_per_km(wires[line]) for line in (0, 1)}
    network = with_phases(network_of(net), line_z_abc_ohm_per_km=matrices)
    model = network.grid.phase_model
    power = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    power[model.bus_node[3]] = (
        [1800 + 871.780j] * 3
        if load == "balanced"
        else [1275 + 790.174j, 1800 + 871.780j, 2375 + 780.625j]
    )
    star, delta = (power, 0 * power) if windings != "D-D" else (0 * power, power)
    return network, star, delta
