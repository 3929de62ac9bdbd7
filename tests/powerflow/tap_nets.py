"""Networks with tap changers under load."""

from __future__ import annotations

from itertools import pairwise

import pandapower as pp

from gridimpact.network import with_tap_control
from gridimpact.records import Network
from tests.powerflow import nets

CABLE = "NA2XS2Y 1x185 RM/25 12/20 kV"
PLATE = {
    "vkr_percent": 0.5, "vk_percent": 12.0, "pfe_kw": 20.0, "i0_percent": 0.05,
    "shift_degree": 150.0, "tap_neutral": 0, "tap_changer_type": "Ratio",
}  # fmt: skip


def changer(net, high, low, *, sn_mva=25.0, kv=(110.0, 20.0), side="hv", span=9, step=1.5, pos=0):
    return pp.create_transformer_from_parameters(
        net, high, low, sn_mva=sn_mva, vn_hv_kv=kv[0], vn_lv_kv=kv[1], tap_side=side,
        tap_min=-span, tap_max=span, tap_step_percent=step, tap_pos=pos, **PLATE,
    )  # fmt: skip


def substation(**more):
    """A 110/20 kV substation with one feeder of three customers, buses 2, 3 and 4."""
    net = pp.create_empty_network()
    high = pp.create_bus(net, 110.0)
    medium = pp.create_buses(net, 4, vn_kv=20.0)
    pp.create_ext_grid(net, high, vm_pu=1.02)
    changer(net, high, medium[0], **more)
    for first, second in pairwise(medium):
        pp.create_line(net, first, second, 4.0, CABLE)
    return net


def series():
    """Two tap changers in series: 110/20 kV, then 20/0.4 kV with finer steps."""
    net = substation()
    low = pp.create_bus(net, 0.4)
    changer(net, 4, low, sn_mva=0.63, kv=(20.0, 0.4), step=1.0, span=4)
    return net


def opened(net) -> Network:
    return Network("net", "test", "none", net, nets.grid_of(net), None)


def held(net, **settings) -> Network:
    return with_tap_control(opened(net), 0, **({"vm_set_pu": 1.01, "deadband_pu": 0.02} | settings))
