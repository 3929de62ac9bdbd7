"""Tap changers under load against pandapower's own controller, closed forms and invariants."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network import open_network, with_phases, with_tap_control, with_tap_controls
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine, solve
from gridimpact.powerflow.tap_control import _plan
from tests.powerflow import nets
from tests.powerflow.tap_nets import changer, held, opened, series, substation


def by_pandapower(net, bus, p_kw, q_kvar, controls):
    """Return the net as pandapower's own control loop leaves it."""
    net = copy.deepcopy(net)
    for place, p, q in zip(bus, p_kw, q_kvar, strict=True):
        pp.create_load(net, net.bus.index[place], p / 1e3, q / 1e3)
    for level, (row, low, high, side) in enumerate(controls):
        pp.control.DiscreteTapControl(net, row, low, high, side=side, level=level)
    pp.runpp(
        net, run_control=True, calculate_voltage_angles=True, init="dc", tolerance_mva=1e-10,
        max_iter=100, lightsim2grid=False,
    )  # fmt: skip
    return net


CASES = {
    "on the high side": ({}, 0),
    "on the low side": ({"side": "lv"}, 0),
    "with steps that fall": ({"step": -1.5}, 0),
    "from the lowest position": ({"pos": -9}, -9),
    "from the highest position": ({"pos": 9}, 9),
    "of fine steps": ({"step": 0.4, "span": 15, "pos": -15}, -15),
}


@pytest.mark.parametrize("case", CASES)
def test_positions_and_voltages_are_those_of_pandapowers_controller(case):
    more, start = CASES[case]
    net = substation(**more)
    network = held(net)
    loads = nets.random_injections([2, 3, 4], 3, 9000.0, 11)
    found = solve(network, loads)
    assert network.grid.tap_controls[0].tap_pos[network.grid.tap_controls[0].start] == start
    for lane in range(3):
        own = by_pandapower(
            net, loads.bus, loads.p_kw[0, lane], loads.q_kvar[0, lane], [(0, 1.0, 1.02, "lv")]
        )
        assert found.tap_pos[0, lane, 0] == own.trafo.tap_pos[0]
        nets.assert_agrees(own, network.grid, nets.lane(found, lane))


def test_cigre_medium_voltage_is_held_as_by_pandapowers_controllers():
    network = open_network("cigre_mv")
    net = network.net
    for column, value in (("tap_side", "hv"), ("tap_changer_type", "Ratio")):
        net.trafo[column] = value
    for column, value in (
        ("tap_neutral", 0), ("tap_min", -16), ("tap_max", 16), ("tap_pos", 0),
        ("tap_step_percent", 0.625),
    ):  # fmt: skip
        net.trafo[column] = float(value)
    settings = {row: {"vm_set_pu": 1.02, "deadband_pu": 0.015} for row in net.trafo.index}
    network = with_tap_controls(opened(net), settings)
    bus = np.flatnonzero(network.grid.bus_vn_kv < 50)
    loads = nets.random_injections(bus, 4, 2500.0, 5)
    found = solve(network, loads)
    band = [(row, 1.0125, 1.0275, "lv") for row in net.trafo.index]
    bare = copy.deepcopy(net)
    for table in nets.TABLES:
        bare[table] = bare[table].iloc[:0]
    for lane in range(4):
        own = by_pandapower(bare, bus, loads.p_kw[0, lane], loads.q_kvar[0, lane], band)
        assert found.tap_pos[0, lane].tolist() == own.trafo.tap_pos.tolist()
        nets.assert_agrees(own, network.grid, nets.lane(found, lane))
    assert len(np.unique(found.tap_pos)) > 1


def test_controls_in_series_settle_from_the_source_outwards():
    net = series()
    network = with_tap_controls(
        opened(net),
        {
            1: {"vm_set_pu": 1.0, "deadband_pu": 0.02},
            0: {"vm_set_pu": 1.02, "deadband_pu": 0.03, "bus": 3},
        },
    )
    assert _plan(network.grid).level.tolist() == [0, 1]
    loads = nets.random_injections([2, 3, 5], 8, 400.0, 2)
    loads.p_kw[0, :, :2] *= 20
    found = solve(network, loads)
    assert (found.status == 0).all()
    vm_pu = found.vm_pu[0]
    assert np.all((vm_pu[:, 3] > 1.005) & (vm_pu[:, 3] < 1.035))
    assert np.all((vm_pu[:, 5] > 0.99) & (vm_pu[:, 5] < 1.01))
    for lane in range(8):
        own = copy.deepcopy(net)
        own.trafo["tap_pos"] = found.tap_pos[0, lane]
        solved = nets.plain_runpp(own, loads.bus, loads.p_kw[0, lane], loads.q_kvar[0, lane])
        nets.assert_agrees(solved, network.grid, nets.lane(found, lane))


def test_a_twin_in_parallel_moves_in_step():
    net = substation()
    changer(net, 0, 1)
    settings = {row: {"vm_set_pu": 1.01, "deadband_pu": 0.02} for row in (0, 1)}
    network = with_tap_controls(opened(net), settings)
    assert _plan(network.grid).level.tolist() == [0, 0]
    found = solve(network, nets.random_injections([2, 3, 4], 20, 9000.0, 4))
    assert np.array_equal(found.tap_pos[..., 0], found.tap_pos[..., 1])
    vm_pu = found.vm_pu[0, :, 1]
    assert np.all((vm_pu > 1.0) & (vm_pu < 1.02))
    assert len(np.unique(found.tap_pos)) > 1


def test_more_load_never_lowers_the_boost_and_the_voltage_stays_in_its_band():
    network = held(substation())
    p_kw = np.linspace(-20000.0, 20000.0, 81)
    found = solve(network, nets.injections([3], p_kw[None, :, None], 0.3 * p_kw[None, :, None]))
    position = found.tap_pos[0, :, 0]
    # The taps sit on the high-voltage side: a lower position is the higher boost.
    assert np.all(np.diff(position) <= 0)
    assert position[0] > position[-1]
    vm_pu = found.vm_pu[0, :, 1]
    assert np.all((vm_pu > 1.0) & (vm_pu < 1.02))
    assert found.notes == ()


def test_at_the_end_of_its_range_a_changer_rests_and_says_so():
    network = held(substation(span=1), vm_set_pu=1.06)
    found = solve(network, nets.injections([3], [[[15000.0], [100.0]]], [[[4000.0], [0.0]]]))
    assert found.tap_pos[0, :, 0].tolist() == [-1.0, -1.0]
    assert found.vm_pu[0, 0, 1] < 1.05
    assert any(
        "in 2 of 2 power flows the tap changer stands at the end" in n.text for n in found.notes
    )


def test_a_band_below_a_step_settles_at_the_better_of_two_positions():
    network = held(substation(step=3.0), deadband_pu=0.002)
    assert any("narrower than a tap step" in note.text for note in network.notes)
    loads = nets.random_injections([2, 3, 4], 40, 9000.0, 8)
    found = solve(network, loads)
    outside = np.abs(found.vm_pu[0, :, 1] - 1.01) > 0.001
    assert outside.any()
    assert any(
        f"in {outside.sum()} of 40 power flows no tap position" in n.text for n in found.notes
    )
    control = network.grid.tap_controls[0]
    for way in (-1, 1):
        index = np.clip(found.tap_pos[0, :, 0] + way, -9, 9)
        for lane in np.flatnonzero(outside)[:4]:
            net = substation(step=3.0, pos=int(index[lane]))
            one = nets.injections(loads.bus, loads.p_kw[:, [lane]], loads.q_kvar[:, [lane]])
            other = BatchedEngine().solve(nets.grid_of(net), one).vm_pu[0, 0, 1]
            assert abs(other - 1.01) >= abs(found.vm_pu[0, lane, 1] - 1.01)
    assert control.vm_high_pu - control.vm_low_pu == pytest.approx(0.002)


@pytest.mark.parametrize("side_kw", [8000.0, -8000.0])
def test_line_drop_compensation_holds_the_point_behind_the_line(side_kw):
    net = substation(step=0.3, span=40)
    line = net.line.iloc[0]
    ohm = (float(line.r_ohm_per_km * line.length_km), float(line.x_ohm_per_km * line.length_km))
    network = held(net, line_drop=ohm, vm_set_pu=1.0, deadband_pu=0.008)
    loads = nets.injections([2], [[[side_kw]]], [[[1500.0]]])
    found = solve(network, loads)
    # All current flows to bus 2 over the line compensated for; its charging is the difference.
    assert abs(found.vm_pu[0, 0, 2] - 1.0) < 0.0045
    drop = found.vm_pu[0, 0, 1] - found.vm_pu[0, 0, 2]
    assert abs(drop) > 0.004
    assert np.sign(drop) == np.sign(side_kw)
    plain = solve(held(net, vm_set_pu=1.0, deadband_pu=0.008), loads)
    assert np.sign(found.vm_pu[0, 0, 1] - plain.vm_pu[0, 0, 1]) == np.sign(side_kw)
    again = PandapowerEngine(net).solve(network.grid, loads)
    assert again.tap_pos.tolist() == found.tap_pos.tolist()


def test_the_reference_engine_moves_the_same_taps():
    net = series()
    network = with_tap_controls(
        opened(net),
        {row: {"vm_set_pu": 1.01, "deadband_pu": 0.022} for row in (0, 1)},
    )
    loads = nets.random_injections([2, 3, 5], 3, 300.0, 2, zip_p=np.full((3, 2), 0.3))
    loads.p_kw[0, :, :2] *= 30
    found, again = solve(network, loads), PandapowerEngine(net).solve(network.grid, loads)
    assert again.tap_pos.tolist() == found.tap_pos.tolist()
    np.testing.assert_allclose(again.vm_pu, found.vm_pu, rtol=0, atol=1e-8)
    assert again.engine.startswith("pandapower")


def test_a_tap_changer_beside_a_generator_is_moved_by_pandapower():
    net = substation()
    pp.create_gen(net, 4, p_mw=2.0, vm_pu=1.005, min_q_mvar=-0.2, max_q_mvar=0.2)
    network = held(net)
    found = solve(network, nets.injections([2], [[[9000.0], [0.0]]], [[[3000.0], [0.0]]]))
    assert "generator 0" in found.notes[0].text
    vm_pu = found.vm_pu[0, :, 1]
    assert np.all((vm_pu > 1.0) & (vm_pu < 1.02))
    assert found.tap_pos[0, 0, 0] < found.tap_pos[0, 1, 0]


def test_three_phases_hold_the_mean_of_the_phase_voltages():
    net = substation(step=0.8, span=15)
    flat = np.full((3, 3), 1 / 3)
    network = with_phases(held(net, line_drop=(0.3, 0.4)), zero_sequence="assume")
    loads = nets.random_injections([2, 3, 4], 5, 9000.0, 3, phase_share=flat)
    balanced = solve(network, loads)
    options = FlowOptions(phases=3)
    found = solve(network, loads, options)
    assert found.tap_pos.tolist() == balanced.tap_pos.tolist()
    np.testing.assert_allclose(found.vm_pu.mean(axis=-1), balanced.vm_pu, rtol=0, atol=1e-7)
    uneven = replace(loads, phase_share=np.array([[0.5, 0.3, 0.2]] * 3))
    after = with_tap_control(
        with_phases(opened(net), zero_sequence="assume"), 0, vm_set_pu=1.01, deadband_pu=0.02
    )
    found = solve(after, uneven, options)
    mean = found.vm_pu[0, :, 1].mean(axis=-1)
    assert np.all((mean > 1.0) & (mean < 1.02))
    assert np.ptp(found.vm_pu[0, :, 1], axis=-1).max() > 1e-4
