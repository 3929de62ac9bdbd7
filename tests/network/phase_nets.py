"""Small nets with complete zero-sequence data, and networks of them without the reader's checks."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from gridimpact.network import extract_grid, with_phases
from gridimpact.network.phase_elements import phase_elements
from gridimpact.records import ComplexArray, Network, PhaseModel


def network_of(net: Any) -> Network:
    """Return a network of a net as it stands, without sites."""
    grid = extract_grid(net, np.zeros((len(net.bus), 2)), False)
    return Network("net", "test", "none", net, grid, pd.DataFrame())


def phases_of(net: Any, **options: Any) -> Any:
    """Return the phase model of a net."""
    return with_phases(network_of(net), **options).grid.phase_model


def station(
    group: str,
    shift: float,
    *,
    vk: float = 6.0,
    vkr: float = 1.0,
    mag0_percent: float = 100.0,
    si0: float = 0.9,
    s_sc_mva: float = 100.0,
    x0x: float = 1.0,
) -> Any:
    """Return a source, a 0.63 MVA 20/0.4 kV transformer of any group and two low-voltage lines."""
    net = copy.deepcopy(_station())
    net.ext_grid["s_sc_max_mva"], net.ext_grid["x0x_max"] = s_sc_mva, x0x
    values = {
        "shift_degree": float(shift), "vector_group": group, "vk_percent": vk, "vkr_percent": vkr,
        "vk0_percent": 0.9 * vk, "vkr0_percent": 1.1 * vkr, "mag0_percent": mag0_percent,
        "si0_hv_partial": si0,
    }  # fmt: skip
    for column, value in values.items():
        net.trafo[column] = value
    return net


@lru_cache(maxsize=1)
def _station() -> Any:
    net = pp.create_empty_network(sn_mva=1.0)
    hv, lv, mid, end = (pp.create_bus(net, kv) for kv in (20.0, 0.4, 0.4, 0.4))
    pp.create_ext_grid(
        net, hv, vm_pu=1.01, s_sc_max_mva=100.0, rx_max=0.3, x0x_max=1.0, r0x0_max=0.2
    )
    pp.create_transformer_from_parameters(
        net, hv, lv, sn_mva=0.63, vn_hv_kv=20.5, vn_lv_kv=0.41, vk_percent=6.0, vkr_percent=1.0,
        pfe_kw=1.2, i0_percent=0.4, shift_degree=0.0, vector_group="Dyn", vk0_percent=5.4,
        vkr0_percent=1.1, mag0_percent=100.0, mag0_rx=0.2, si0_hv_partial=0.9,
        tap_side="hv", tap_neutral=0, tap_min=-2, tap_max=2, tap_step_percent=2.5, tap_pos=1,
        tap_changer_type="Ratio",
    )  # fmt: skip
    for start, stop, km in ((lv, mid, 0.2), (mid, end, 0.15)):
        pp.create_line_from_parameters(
            net, start, stop, km, r_ohm_per_km=0.207, x_ohm_per_km=0.08, c_nf_per_km=800.0,
            max_i_ka=0.27, r0_ohm_per_km=0.828, x0_ohm_per_km=0.32, c0_nf_per_km=500.0,
        )  # fmt: skip
    return net


def table_powers(net: Any, model: PhaseModel) -> tuple[ComplexArray, ComplexArray]:
    """Return what the tables of a net draw in star and in delta, both (node, 3) [kVA]."""
    elements = phase_elements(net)
    powers = np.zeros((2, len(model.node_vn_kv), 3), dtype=complex)
    place = (elements.connection, model.bus_node[elements.bus])
    np.add.at(powers, place, elements.p_kw + 1j * elements.q_kvar)
    return powers[0], powers[1]
