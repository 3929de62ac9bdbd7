"""Every element a real network holds, alone in a small net, against a plain run of pandapower."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.powerflow.engine import KEPT
from gridimpact.records import Network
from tests.powerflow import nets

CABLE = "NA2XS2Y 1x95 RM/25 12/20 kV"
ALL = FlowOptions(keep=(*KEPT, "line_i_ka", "transformer3w_loading_percent"))


def opened(net) -> Network:
    return Network("net", "test", "none", net, nets.grid_of(net), None)


def station(**trafo):
    """110 kV source, one transformer, two cables of 20 kV with a customer at each end."""
    net = pp.create_empty_network(sn_mva=2.0)
    high, low = pp.create_bus(net, 110.0), pp.create_bus(net, 20.0)
    first, second = pp.create_buses(net, 2, vn_kv=20.0)
    pp.create_ext_grid(net, high, vm_pu=1.01)
    plate = {
        "sn_mva": 25.0, "vn_hv_kv": 110.0, "vn_lv_kv": 20.0, "vkr_percent": 0.5, "vk_percent": 12.0,
        "pfe_kw": 20.0, "i0_percent": 0.06, "shift_degree": 150.0,
    }  # fmt: skip
    pp.create_transformer_from_parameters(net, high, low, **(plate | trafo))
    pp.create_line(net, low, first, 4.0, CABLE)
    pp.create_line(net, first, second, 3.0, CABLE)
    return net


def taps(**more):
    return {
        "tap_side": "hv", "tap_neutral": 0, "tap_min": -9, "tap_max": 9, "tap_pos": 4,
        "tap_step_percent": 1.5, "tap_step_degree": 0.0, "tap_changer_type": "Ratio",
    } | more  # fmt: skip


def assert_as_pandapower(net, bus=(2, 3), p_kw=(900.0, 700.0), q_kvar=(300.0, -150.0), **loads):
    """Solve one lane by both and compare voltages, loadings, currents and losses."""
    network = opened(net)
    grid, count = network.grid, len(bus)
    shares = {}
    for name in "pq":
        z, i = (np.asarray(loads.get(f"const_{k}_{name}_percent", 0.0)) / 100 for k in "zi")
        shares[f"zip_{name}"] = np.stack([z * np.ones(count), i * np.ones(count)], axis=1)
    given = nets.injections(bus, [[p_kw]], [[q_kvar]], **shares)
    found = BatchedEngine().solve(grid, given, ALL)
    solved = nets.plain_runpp(net, list(bus), p_kw, q_kvar, **loads)
    nets.assert_agrees(solved, grid, nets.lane(found, 0))
    there = grid.line_branch >= 0
    np.testing.assert_allclose(
        found.line_i_ka[0, 0, there], solved.res_line.i_ka[there], rtol=0, atol=1e-8
    )
    np.testing.assert_allclose(
        found.transformer3w_loading_percent[0, 0], solved.res_trafo3w.loading_percent, atol=1e-4
    )
    return found, solved


TAPS = {
    "high side": taps(),
    "low side": taps(tap_side="lv", tap_pos=-3),
    "neutral that is not zero": taps(tap_neutral=10, tap_min=1, tap_max=19, tap_pos=13),
    "at neutral": taps(tap_pos=0),
    "angle with the ratio": taps(tap_step_degree=60.0),
    "symmetrical": taps(tap_step_degree=90.0, tap_changer_type="Symmetrical"),
    "ideal phase shifter": taps(
        tap_changer_type="Ideal", tap_step_percent=0.0, tap_step_degree=2.0
    ),
    "a step that does nothing without a type": taps(tap_changer_type=None),
}  # fmt: skip


@pytest.mark.parametrize("case", TAPS)
def test_a_fixed_tap_turns_and_scales_as_in_pandapower(case):
    assert_as_pandapower(station(**TAPS[case]))


def test_transformers_off_nominal_and_in_parallel_share_the_load():
    net = station(vn_hv_kv=112.0, vn_lv_kv=21.0, parallel=2, df=0.9)
    pp.create_transformer_from_parameters(
        net, 0, 1, sn_mva=16.0, vn_hv_kv=110.0, vn_lv_kv=20.5, vkr_percent=0.6, vk_percent=11.0,
        pfe_kw=14.0, i0_percent=0.05, shift_degree=150.0, **taps(tap_pos=2),
    )  # fmt: skip
    found, _ = assert_as_pandapower(net)
    assert (found.transformer_loading_percent > 0).all()


def three_windings(**more):
    net = station()
    third = pp.create_bus(net, 10.0)
    pp.create_transformer3w_from_parameters(
        net, 0, 1, third, vn_hv_kv=110.0, vn_mv_kv=20.0, vn_lv_kv=10.0, sn_hv_mva=63.0,
        sn_mv_mva=25.0, sn_lv_mva=38.0, vk_hv_percent=10.4, vk_mv_percent=10.4, vk_lv_percent=10.4,
        vkr_hv_percent=0.28, vkr_mv_percent=0.32, vkr_lv_percent=0.35, pfe_kw=35.0, i0_percent=0.89,
        shift_mv_degree=150.0, shift_lv_degree=150.0, **more,
    )  # fmt: skip
    return net


WINDINGS = {
    "plain": {},
    "tapped high": taps(tap_pos=3),
    "tapped middle": taps(tap_side="mv", tap_pos=-2),
    "tapped low at the star point": taps(tap_side="lv", tap_pos=2) | {"tap_at_star_point": True},
}


@pytest.mark.parametrize("case", WINDINGS)
def test_three_windings_are_loaded_as_in_pandapower(case):
    found, _ = assert_as_pandapower(
        three_windings(**WINDINGS[case]), (2, 3, 4), (900.0, 700.0, 21000.0), (300.0, 0.0, 7000.0)
    )
    assert found.transformer3w_loading_percent[0, 0, 0] > 30.0


@pytest.mark.parametrize("bus", [0, 1, 4])
def test_a_winding_that_is_switched_off_leaves_the_other_two_at_work(bus):
    net = three_windings()
    pp.create_switch(net, bus, 0, et="t3", closed=False)
    place = (2, 3) if bus != 1 else (2, 4)
    network = opened(net)
    assert network.grid.bus_supplied.tolist() == [True, True, True, True, bus != 4]
    assert_as_pandapower(net, place)


def test_shunts_count_by_their_steps_and_rated_voltage():
    net = station()
    pp.create_shunt(net, 2, q_mvar=-0.4, p_mw=0.002, step=3, max_step=5, vn_kv=21.0)
    pp.create_shunt(net, 3, q_mvar=0.2, in_service=False)
    assert_as_pandapower(net)


def test_loads_follow_the_voltage_by_their_shares():
    assert_as_pandapower(
        station(), const_z_p_percent=30.0, const_i_p_percent=20.0, const_z_q_percent=60.0,
        const_i_q_percent=40.0,
    )  # fmt: skip


SWITCHES = {
    "bus, closed": (1, 4, "b", True),
    "bus, open": (1, 4, "b", False),
    "line, one end open": (2, 1, "l", False),
    "line, closed": (2, 1, "l", True),
    "transformer, closed": (1, 0, "t", True),
}


@pytest.mark.parametrize("case", SWITCHES)
def test_switches_join_and_part_as_in_pandapower(case):
    net = station()
    beyond = pp.create_bus(net, 20.0)
    # A ring, so that every bus keeps a way to the source.
    pp.create_line(net, beyond, 3, 2.0, CABLE)
    pp.create_line(net, 1, beyond, 5.0, CABLE)
    bus, element, kind, closed = SWITCHES[case]
    pp.create_switch(net, bus, element, et=kind, closed=closed)
    assert_as_pandapower(net, (2, 3, 4), (900.0, 700.0, 100.0), (300.0, -150.0, 10.0))


def test_a_line_switched_off_at_both_ends_carries_nothing():
    net = station()
    idle = pp.create_line(net, 1, 3, 2.0, CABLE)
    for bus in (1, 3):
        pp.create_switch(net, bus, idle, et="l", closed=False)
    found, _ = assert_as_pandapower(net)
    assert found.line_i_ka[0, 0, idle] == 0.0
    assert found.line_loading_percent[0, 0, idle] == 0.0


def test_impedances_may_differ_by_direction():
    net = station()
    beyond = pp.create_bus(net, 20.0)
    pp.create_impedance(
        net, 3, beyond, rft_pu=0.02, xft_pu=0.05, rtf_pu=0.03, xtf_pu=0.06, sn_mva=10.0
    )
    assert_as_pandapower(net, (2, 4))


def test_external_grids_share_an_island_and_feed_others():
    net = station()
    pp.create_ext_grid(net, 3, vm_pu=1.005, va_degree=-150.0)
    island = pp.create_buses(net, 2, vn_kv=20.0)
    pp.create_line(net, island[0], island[1], 2.0, CABLE)
    pp.create_ext_grid(net, island[0], vm_pu=0.98, va_degree=12.0)
    # Two at one bus act as one.
    pp.create_ext_grid(net, island[0], vm_pu=0.98, va_degree=12.0)
    assert_as_pandapower(net, (2, island[1]))


def test_motors_and_wards_draw_their_own_power():
    net = station()
    pp.create_motor(
        net, 2, pn_mech_mw=0.5, cos_phi=0.88, efficiency_percent=94.0, loading_percent=70.0,
        scaling=1.2,
    )  # fmt: skip
    pp.create_ward(net, 3, ps_mw=0.2, qs_mvar=0.1, pz_mw=0.05, qz_mvar=-0.02)
    pp.create_ward(net, 3, ps_mw=9.0, qs_mvar=0.1, pz_mw=0.05, qz_mvar=-0.02, in_service=False)
    assert_as_pandapower(net)


def test_an_island_without_source_is_dark_and_its_demand_not_served():
    net = station()
    lost = pp.create_bus(net, 20.0)
    grid = opened(net).grid
    given = nets.injections([2, lost], [[[500.0, 80.0]]], [[[0.0, 0.0]]])
    found = BatchedEngine().solve(grid, given)
    assert np.isnan(found.vm_pu[0, 0, lost])
    assert found.unserved_kwh == pytest.approx(80.0 * 0.25)
    assert not np.isnan(found.vm_pu[0, 0, :4]).any()
