"""Small networks and injections for the tests of the power flow, and a plain solve by pandapower."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp

from gridimpact.network.grid import extract_grid
from gridimpact.records import FlowResult, Grid, Injections
from gridimpact.timeline import Timeline

TABLES = ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen")


def grid_of(net) -> Grid:
    return extract_grid(net, np.zeros((len(net.bus), 2)), geographic=False)


def injections(bus, p_kw, q_kvar, *, zip_p=None, zip_q=None, phase_share=None) -> Injections:
    """Return injections at bus positions; powers are (scenario, time, element)."""
    bus = np.asarray(bus, dtype=np.int64)
    p_kw = np.asarray(p_kw, dtype=np.float64)
    count = len(bus)
    none = np.zeros((count, 2))
    return Injections(
        timeline=Timeline(np.datetime64("2021-01-01"), 900, p_kw.shape[1]),
        bus=bus,
        p_kw=p_kw,
        q_kvar=np.asarray(q_kvar, dtype=np.float64),
        phase_share=np.full((count, 3), 1 / 3) if phase_share is None else phase_share,
        zip_p=none if zip_p is None else np.asarray(zip_p, dtype=np.float64),
        zip_q=none if zip_q is None else np.asarray(zip_q, dtype=np.float64),
    )


def random_injections(bus, lanes, size_kw, seed=0, scenarios=1, **more) -> Injections:
    rng = np.random.default_rng(seed)
    shape = (scenarios, lanes, len(bus))
    p_kw = rng.uniform(-size_kw, size_kw, shape)
    return injections(bus, p_kw, 0.3 * p_kw + rng.uniform(-0.1, 0.1, shape), **more)


def lane(result: FlowResult, number: int) -> dict[str, np.ndarray]:
    names = (
        "vm_pu", "line_loading_percent", "transformer_loading_percent", "transformer_p_kw",
        "transformer_q_kvar", "losses_kw", "status",
    )  # fmt: skip
    return {name: getattr(result, name)[0, number] for name in names}


def plain_runpp(net, bus, p_kw, q_kvar, **loads):
    """Solve one lane with pandapower alone; returns its copy of the net."""
    net = copy.deepcopy(net)
    for table in TABLES:
        net[table] = net[table].iloc[:0]
    pp.create_loads(
        net, net.bus.index[np.asarray(bus)], p_mw=np.asarray(p_kw) / 1e3,
        q_mvar=np.asarray(q_kvar) / 1e3, **loads,
    )  # fmt: skip
    pp.runpp(
        net, calculate_voltage_angles=True, tolerance_mva=1e-10, max_iteration=50, init="dc",
        lightsim2grid=False,
    )  # fmt: skip
    return net


def assert_agrees(net, grid: Grid, found: dict[str, np.ndarray]) -> None:
    """Compare one lane with a solved net within the tolerances the package promises."""
    np.testing.assert_allclose(found["vm_pu"], net.res_bus.vm_pu, rtol=0, atol=1e-8)
    there = (grid.line_branch >= 0) & ~np.isnan(grid.line_i_max_ka)
    np.testing.assert_allclose(
        found["line_loading_percent"][there], net.res_line.loading_percent[there], rtol=0, atol=1e-4
    )
    trafo = net.res_trafo
    for name, column, scale in (
        ("transformer_loading_percent", "loading_percent", 1.0),
        ("transformer_p_kw", "p_hv_mw", 1e3),
        ("transformer_q_kvar", "q_hv_mvar", 1e3),
    ):
        np.testing.assert_allclose(found[name], scale * trafo[column], rtol=0, atol=1e-4)


def two_bus(r_ohm=0.4, x_ohm=0.3):
    """A source, one line and a customer at 400 V."""
    net = pp.create_empty_network()
    buses = pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_ext_grid(net, buses[0])
    pp.create_line_from_parameters(
        net, buses[0], buses[1], length_km=1.0, r_ohm_per_km=r_ohm, x_ohm_per_km=x_ohm,
        c_nf_per_km=0.0, max_i_ka=0.2,
    )  # fmt: skip
    return net


def village(customers=6):
    """A 250 kVA station with two feeders."""
    net = pp.create_empty_network()
    medium, busbar = pp.create_bus(net, 20.0), pp.create_bus(net, 0.4)
    pp.create_ext_grid(net, medium, vm_pu=1.01)
    pp.create_transformer(net, medium, busbar, "0.25 MVA 20/0.4 kV")
    for feeder in range(2):
        last = busbar
        for _ in range(customers // 2):
            bus = pp.create_bus(net, 0.4)
            pp.create_line(net, last, bus, 0.05 + 0.02 * feeder, "NAYY 4x150 SE")
            last = bus
    return net


def everything(*, uneven=True):
    """Every element a balanced study may hold, islands and two sources among them.

    An uneven impedance differs by direction, which not every engine can hold.
    """
    net = pp.create_empty_network(sn_mva=0.5)
    high = pp.create_bus(net, 110.0)
    medium = pp.create_buses(net, 4, vn_kv=20.0)
    third = pp.create_bus(net, 10.0)
    low = pp.create_buses(net, 10, vn_kv=0.4)
    lost = pp.create_buses(net, 3, vn_kv=0.4)
    pp.create_ext_grid(net, high, vm_pu=1.02, va_degree=7.0)
    pp.create_transformer3w(net, high, medium[0], third, "63/25/38 MVA 110/20/10 kV", tap_pos=3)
    _medium_voltage(net, medium)
    _low_voltage(net, medium, low)
    # An island of its own with a second source, and buses that nothing feeds.
    pp.create_ext_grid(net, low[8], vm_pu=0.99, va_degree=-30.0)
    pp.create_line(net, low[8], low[9], 0.2, "NAYY 4x50 SE")
    pp.create_line(net, lost[0], lost[1], 0.1, "NAYY 4x50 SE")
    net.bus.loc[lost[2], "in_service"] = False
    pp.create_line(net, low[7], lost[2], 0.1, "NAYY 4x50 SE")
    pp.create_motor(net, third, pn_mech_mw=0.5, cos_phi=0.9, efficiency_percent=95.0)
    pp.create_ward(net, medium[2], ps_mw=0.02, qs_mvar=0.01, pz_mw=0.03, qz_mvar=-0.02)
    pp.create_shunt(net, medium[1], q_mvar=-0.1, p_mw=0.001, step=2, vn_kv=21.0)
    if not uneven:
        net.impedance["rtf_pu"] = net.impedance["rft_pu"]
    return net


def _medium_voltage(net, medium):
    kind = "NA2XS2Y 1x95 RM/25 12/20 kV"
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0)):
        pp.create_line(
            net, medium[first], medium[second], 1.5, kind, parallel=1 + first % 2, df=0.9
        )
    # Open at one end, open at both, out of service: only the first carries its charging current.
    for number, ends in enumerate(((1,), (1, 3), ())):
        line = pp.create_line(net, medium[1], medium[3], 2.0, kind, max_i_ka=np.nan)
        net.line.loc[line, "in_service"] = number < 2
        for end in ends:
            pp.create_switch(net, medium[end], line, et="l", closed=False)


def _low_voltage(net, medium, low):
    more = {"i0_percent": 0.3, "pfe_kw": 1.0, "vk_percent": 5.0, "vkr_percent": 1.3}
    for parallel, tap in ((1, 2), (2, 2)):
        pp.create_transformer_from_parameters(
            net, medium[2], low[0], sn_mva=0.4, vn_hv_kv=20.0, vn_lv_kv=0.41, shift_degree=150.0,
            tap_side="hv", tap_neutral=0, tap_pos=tap, tap_step_percent=2.5, tap_min=-2, tap_max=2,
            tap_changer_type="Ratio", parallel=parallel, df=0.8, **more,
        )  # fmt: skip
    idle = pp.create_transformer(net, medium[3], low[7], "0.25 MVA 20/0.4 kV")
    pp.create_switch(net, medium[3], idle, et="t", closed=False)
    for first, second, metres in ((0, 1, 60), (1, 2, 40), (2, 3, 80), (3, 0, 120), (5, 6, 50)):
        pp.create_line(net, low[first], low[second], metres / 1e3, "NAYY 4x150 SE")
    pp.create_switch(net, low[3], low[4], et="b", closed=True)
    pp.create_switch(net, low[4], low[5], et="b", closed=True, z_ohm=0.01)
    pp.create_switch(net, low[6], low[0], et="b", closed=False)
    pp.create_impedance(
        net, low[6], low[7], rft_pu=0.05, xft_pu=0.02, sn_mva=0.5, rtf_pu=0.06, xtf_pu=0.02
    )
