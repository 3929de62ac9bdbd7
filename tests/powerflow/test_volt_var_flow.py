"""Reactive power that answers to voltage: where curve and network meet, whatever the curve."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from gridimpact.conventions import Status
from gridimpact.powerflow import BatchedEngine, FlowOptions, solve
from gridimpact.powerflow.volt_var import CURVE_NAMES, CURVES, merge_volt_var, volt_var
from gridimpact.powerflow.volt_var_outside import answer_outside
from tests.powerflow.nets import (
    grid_of,
    injections,
    plain_runpp,
    random_injections,
    two_bus,
    village,
)

STEP = ([0.9995, 1.0005], [-1.0, 1.0])
STEEPER = ([0.99995, 1.00005], [-1.0, 1.0])


def outside(grid, flow, options=None):
    return answer_outside(BatchedEngine(), grid, flow, options)


inside_and_outside = pytest.mark.parametrize("run", [solve, outside])


def long_feeder(customers=20):
    """A weak overhead line with a customer every 60 m."""
    net = pp.create_empty_network()
    medium, last = pp.create_bus(net, 20.0), pp.create_bus(net, 0.4)
    pp.create_ext_grid(net, medium, vm_pu=1.02)
    pp.create_transformer(net, medium, last, "0.25 MVA 20/0.4 kV")
    for _ in range(customers):
        bus = pp.create_bus(net, 0.4)
        pp.create_line_from_parameters(
            net, last, bus, length_km=0.06, r_ohm_per_km=0.4, x_ohm_per_km=0.35,
            c_nf_per_km=0.0, max_i_ka=0.3,
        )  # fmt: skip
        last = bus
    return net


@cache
def _two_networks():
    return [(net, grid_of(net)) for net in (pn.create_cigre_network_lv(), long_feeder())]


def wanted(flow, result):
    """Return what the curves and limits ask for at the voltages found, (scenario, time, answering)."""
    given = flow.volt_var
    vm_pu = result.vm_pu[:, :, flow.bus[given.element]]
    share = np.empty_like(vm_pu)
    for k, row in enumerate(given.curve):
        share[:, :, k] = np.interp(vm_pu[:, :, k], given.v_pu[row], given.q_share[row])
    p_kw, q_kvar = flow.p_kw[:, :, given.element], flow.q_kvar[:, :, given.element]
    room = np.sqrt(np.clip(given.s_max_kva**2 - p_kw**2, 0.0, None))
    return np.clip(share * given.s_ref_kva + q_kvar, -room, room) - q_kvar


def assert_on_curves(flow, result, relative=1e-6):
    assert (result.status == Status.OK).all()
    gap = np.abs(result.volt_var_q_kvar - wanted(flow, result)) / flow.volt_var.s_ref_kva
    assert gap.max() <= relative


def assert_power_flow(net, flow, result, lanes=(0,)):
    """The voltages are those of a plain pandapower solve that is given the reactive power found."""
    for lane in lanes:
        q_kvar = flow.q_kvar[0, lane].copy()
        q_kvar[flow.volt_var.element] += result.volt_var_q_kvar[0, lane]
        found = plain_runpp(net, flow.bus, flow.p_kw[0, lane], q_kvar)
        assert np.abs(found.res_bus.vm_pu.to_numpy() - result.vm_pu[0, lane]).max() < 1e-8


def closed_form(p_kw, source_pu, r_ohm, x_ohm, given):
    """Return the reactive power at which curve and two-bus voltage meet [kvar]."""
    base_ohm = 0.4**2
    r, x, p = r_ohm / base_ohm, x_ohm / base_ohm, p_kw / 1e3

    def voltage(q_kvar):
        q = q_kvar / 1e3
        half = source_pu**2 / 2 - (r * p + x * q)
        return np.sqrt(half + np.sqrt(half**2 - (r**2 + x**2) * (p**2 + q**2)))

    row = given.curve[0]
    room = np.sqrt(max(given.s_max_kva[0] ** 2 - p_kw**2, 0.0))

    def gap(q_kvar):
        share = np.interp(voltage(q_kvar), given.v_pu[row], given.q_share[row])
        return q_kvar - np.clip(share * given.s_ref_kva[0], -room, room)

    return brentq(gap, -room - 1e-9, room + 1e-9, xtol=1e-13, rtol=1e-15)


@inside_and_outside
@pytest.mark.parametrize("curve", [*CURVE_NAMES, STEP, STEEPER])
def test_one_inverter_stands_where_curve_and_line_meet(run, curve):
    r_ohm, x_ohm, s_kva = 0.1, 0.25, 30.0
    net = two_bus(r_ohm, x_ohm)
    for source_pu in (0.93, 0.98, 1.0, 1.03, 1.08):
        net.ext_grid["vm_pu"] = source_pu
        p_kw = np.array([-29.0, -10.0, 0.0, 15.0])
        flow = injections([1], p_kw[None, :, None], np.zeros((1, 4, 1)))
        flow = replace(flow, volt_var=volt_var([0], s_kva, curve))
        result = run(grid_of(net), flow)
        expected = [closed_form(p, source_pu, r_ohm, x_ohm, flow.volt_var) for p in p_kw]
        assert result.volt_var_q_kvar[0, :, 0] == pytest.approx(expected, abs=1e-5)


def test_high_voltage_is_drawn_down_and_low_voltage_held_up():
    net = two_bus()
    for source_pu, sign in ((1.07, 1), (0.93, -1)):
        net.ext_grid["vm_pu"] = source_pu
        still = injections([1], np.zeros((1, 1, 1)), np.zeros((1, 1, 1)))
        flow = replace(still, volt_var=volt_var([0], 20.0))
        answered, plain = solve(grid_of(net), flow), solve(grid_of(net), still)
        assert sign * answered.volt_var_q_kvar[0, 0, 0] > 1.0
        assert sign * (plain.vm_pu[0, 0, 1] - answered.vm_pu[0, 0, 1]) > 1e-3


@pytest.mark.parametrize("curve", ["ieee_1547_a", "vde_ar_n_4105", STEP])
def test_the_higher_the_source_the_more_is_absorbed(curve):
    net, found = two_bus(0.1, 0.25), []
    for source_pu in np.linspace(0.9, 1.1, 21):
        net.ext_grid["vm_pu"] = source_pu
        flow = injections([1], np.full((1, 1, 1), -5.0), np.zeros((1, 1, 1)))
        flow = replace(flow, volt_var=volt_var([0], 25.0, curve))
        found.append(solve(grid_of(net), flow).volt_var_q_kvar[0, 0, 0])
    assert (np.diff(found) >= -1e-7).all()
    assert found[0] < -1 < 1 < found[-1]


@inside_and_outside
def test_active_power_at_the_rating_leaves_no_reactive_power(run):
    net = two_bus()
    net.ext_grid["vm_pu"] = 1.08
    p_kw = np.array([-20.0, 20.0, -25.0, -19.9])[None, :, None]
    flow = replace(injections([1], p_kw, 0 * p_kw), volt_var=volt_var([0], 20.0))
    result = run(grid_of(net), flow)
    assert result.volt_var_q_kvar[0, :3, 0].tolist() == [0.0, 0.0, 0.0]
    apparent = np.hypot(19.9, result.volt_var_q_kvar[0, 3, 0])
    assert 19.9 < apparent <= 20.0 * (1 + 1e-12)


@inside_and_outside
def test_given_reactive_power_counts_in_the_rating(run):
    net = two_bus()
    net.ext_grid["vm_pu"] = 1.08
    q_kvar = np.array([0.0, 5.0, 30.0, -3.0])[None, :, None]
    flow = injections([1], np.full(q_kvar.shape, -12.0), q_kvar)
    flow = replace(flow, volt_var=volt_var([0], 15.0))
    result = run(grid_of(net), flow)
    total = q_kvar[0, :, 0] + result.volt_var_q_kvar[0, :, 0]
    assert (np.abs(total) <= 9.0 + 1e-9).all()
    assert total[2] == pytest.approx(9.0)
    assert_on_curves(flow, result)


@inside_and_outside
@pytest.mark.parametrize("curve", ["ieee_1547_b", "ieee_1547_b_steepest", STEP, STEEPER])
@pytest.mark.parametrize("size_kva", [8.0, 80.0])
def test_many_inverters_settle_on_their_curves_however_steep(run, curve, size_kva):
    for net, grid in _two_networks():
        bus = np.flatnonzero(net.bus.vn_kv.to_numpy() < 1)
        flow = random_injections(bus, 4, 4.0, seed=3)
        flow = replace(flow, volt_var=volt_var(np.arange(len(bus)), size_kva, curve))
        result = run(grid, flow)
        assert_on_curves(flow, result, 2e-6)
        assert_power_flow(net, flow, result)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.floats(0.001, 0.06), min_size=2, max_size=6),
    st.lists(st.floats(-1, 1), min_size=7, max_size=7),
    st.floats(2.0, 60.0),
    st.floats(0.95, 1.05),
)
def test_any_rising_curve_settles(gaps, shares, size_kva, source_pu):
    v_pu = 0.94 + np.cumsum([0.0, *gaps])
    q_share = np.sort(shares[: len(v_pu)])
    net = village()
    net.ext_grid["vm_pu"] = source_pu
    bus = np.arange(1, len(net.bus))
    flow = random_injections(bus, 3, 10.0, seed=1)
    flow = replace(flow, volt_var=volt_var(np.arange(len(bus)), size_kva, (v_pu, q_share)))
    result = solve(grid_of(net), flow)
    assert_on_curves(flow, result)
    assert_power_flow(net, flow, result)


@inside_and_outside
def test_groups_follow_their_own_curves_beside_elements_that_do_not_answer(run):
    net = village(8)
    bus = np.array([2, 3, 4, 5, 5, 6, 9])
    flow = random_injections(bus, 5, 20.0, seed=5)
    groups = [
        volt_var([1, 3], [20.0, 9.0], "ieee_1547_a"),
        volt_var([6, 4], 15.0, "vde_ar_n_4105", s_ref_kva=10.0),
    ]
    flow = replace(flow, volt_var=merge_volt_var(groups))
    result = run(grid_of(net), flow)
    assert result.volt_var_q_kvar.shape == (1, 5, 4)
    assert_on_curves(flow, result)
    assert_power_flow(net, flow, result, range(5))


def test_voltage_dependent_loads_stand_beside_answers():
    net = village()
    bus = np.arange(2, len(net.bus))
    shares = np.tile([0.4, 0.3], (len(bus), 1))
    flow = random_injections(bus, 4, 15.0, seed=8, zip_p=shares, zip_q=shares)
    flow = replace(flow, volt_var=volt_var(np.arange(3), 20.0, "ieee_1547_b_steepest"))
    result, other = solve(grid_of(net), flow), outside(grid_of(net), flow)
    assert_on_curves(flow, result)
    assert result.vm_pu == pytest.approx(other.vm_pu, abs=1e-8)


@pytest.mark.parametrize("curve", ["ieee_1547_b_steepest", STEP])
def test_the_bytes_do_not_depend_on_threads_neighbours_or_order(curve):
    net = village()
    bus = np.arange(1, len(net.bus))
    flow = random_injections(bus, 70, 25.0, seed=4)
    flow = replace(flow, volt_var=volt_var(np.arange(len(bus)), 40.0, curve))
    grid = grid_of(net)
    whole = solve(grid, flow, FlowOptions(threads=1))
    for threads in (2, 4):
        again = solve(grid, flow, FlowOptions(threads=threads))
        assert again.volt_var_q_kvar.tobytes() == whole.volt_var_q_kvar.tobytes()
        assert again.vm_pu.tobytes() == whole.vm_pu.tobytes()
    for lane in (0, 33, 69):
        time = flow.timeline.part(lane, 1)
        one = replace(flow, timeline=time, p_kw=flow.p_kw[:, lane : lane + 1], q_kvar=flow.q_kvar[:, lane : lane + 1])  # fmt: skip
        alone = solve(grid, one)
        assert (
            alone.volt_var_q_kvar.tobytes() == whole.volt_var_q_kvar[:, lane : lane + 1].tobytes()
        )
        assert alone.vm_pu.tobytes() == whole.vm_pu[:, lane : lane + 1].tobytes()


def test_a_lane_without_solution_fails_alone():
    net = two_bus()
    p_kw = np.array([5.0, 5000.0, 5.0])[None, :, None]
    flow = replace(injections([1], p_kw, 0 * p_kw), volt_var=volt_var([0], 6000.0))
    result = solve(grid_of(net), flow)
    assert result.status[0].tolist() == [Status.OK, Status.NOT_CONVERGED, Status.OK]
    assert np.isnan(result.volt_var_q_kvar[0, 1]).all()
    assert result.volt_var_q_kvar[0, 0].tobytes() == result.volt_var_q_kvar[0, 2].tobytes()


@inside_and_outside
def test_at_the_source_the_set_point_alone_decides_and_without_supply_nothing(run):
    net = village()
    net.ext_grid["vm_pu"] = 1.05
    dark = pp.create_bus(net, 0.4)
    flow = injections([0, 3, dark], np.zeros((1, 2, 3)), np.zeros((1, 2, 3)))
    flow = replace(flow, volt_var=volt_var([0, 1, 2], 10.0))
    result = run(grid_of(net), flow)
    assert result.volt_var_q_kvar[0, :, 0] == pytest.approx(np.interp(1.05, CURVES["ieee_1547_b"].v_pu, CURVES["ieee_1547_b"].q_share) * 10.0)  # fmt: skip
    assert (result.volt_var_q_kvar[0, :, 1] > 0).all()
    assert (result.volt_var_q_kvar[0, :, 2] == 0).all()


@pytest.mark.parametrize("gap_pu", [0.1, 1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("size_kva", [1.0, 10.0, 100.0])
def test_no_setting_oscillates(gap_pu, size_kva):
    """Twenty inverters in a row settle within the iteration itself, at any slope and ten times any size."""
    net, grid = _two_networks()[1]
    bus = np.arange(2, len(net.bus))
    flow = random_injections(bus, 6, 3.0, seed=9)
    for centre_pu in (0.99, 1.02, 1.05):
        curve = ([centre_pu - gap_pu / 2, centre_pu + gap_pu / 2], [-1.0, 1.0])
        answered = replace(flow, volt_var=volt_var(np.arange(len(bus)), size_kva, curve))
        result = solve(grid, answered)
        assert_on_curves(answered, result)
        assert not any("around the solver" in note.text for note in result.notes)
