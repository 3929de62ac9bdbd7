"""Reactive power answered around an engine ends where the one answered inside does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandapower.networks as pn
import pytest

from gridimpact.conventions import Status
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine, solve
from gridimpact.powerflow.volt_var import volt_var
from gridimpact.powerflow.volt_var_outside import answer_failed, answer_outside
from tests.powerflow.nets import grid_of, injections, random_injections, two_bus, village
from tests.powerflow.test_volt_var_flow import STEP, assert_on_curves, outside


def test_a_voltage_that_is_implausible_only_on_the_way_is_no_failure():
    net = two_bus(0.3, 0.3)
    grid = grid_of(net)
    still = injections([1], np.full((1, 1, 1), -40.0), np.zeros((1, 1, 1)))
    flow = replace(still, volt_var=volt_var([0], 60.0))
    high, held = (float(BatchedEngine().solve(grid, f).vm_pu[0, 0, 1]) for f in (still, flow))
    chosen = FlowOptions(vm_plausible_pu=(0.5, (high + held) / 2))
    inside, around = (e.solve(grid, flow, chosen) for e in (BatchedEngine(), PandapowerEngine(net)))
    assert inside.status[0, 0] == around.status[0, 0] == Status.OK
    np.testing.assert_allclose(around.vm_pu, inside.vm_pu, rtol=0, atol=1e-7)
    low = FlowOptions(vm_plausible_pu=(0.5, (1.0 + held) / 2))
    inside, around = (e.solve(grid, flow, low) for e in (BatchedEngine(), PandapowerEngine(net)))
    assert inside.status[0, 0] == around.status[0, 0] == Status.IMPLAUSIBLE


def test_active_power_beyond_the_rating_is_told_by_every_engine():
    net = two_bus(0.1, 0.1)
    still = injections([1], np.full((1, 1, 1), -12.0), np.zeros((1, 1, 1)))
    flow = replace(still, volt_var=volt_var([0], 10.0))
    for engine in (BatchedEngine(), PandapowerEngine(net)):
        notes = engine.solve(grid_of(net), flow).notes
        assert sum(note.where == "Volt-VAr" for note in notes) == 1


@pytest.mark.parametrize("curve", ["ieee_1547_b", "vde_ar_n_4105", STEP])
def test_pandapower_led_from_outside_finds_the_same(curve):
    net = pn.create_cigre_network_lv()
    bus = np.flatnonzero(net.bus.vn_kv.to_numpy() < 1)[::3]
    flow = random_injections(bus, 2, 6.0, seed=6)
    flow = replace(flow, volt_var=volt_var(np.arange(len(bus)), 12.0, curve))
    grid = grid_of(net)
    ours, theirs = solve(grid, flow), answer_outside(PandapowerEngine(net), grid, flow)
    assert ours.vm_pu == pytest.approx(theirs.vm_pu, abs=1e-8, nan_ok=True)
    assert ours.volt_var_q_kvar == pytest.approx(theirs.volt_var_q_kvar, abs=1e-5)


@pytest.mark.parametrize("curve", ["ieee_1547_b", STEP])
def test_lanes_the_iteration_loses_are_still_settled(curve):
    net = village()
    bus = np.arange(2, len(net.bus))
    flow = random_injections(bus, 4, 20.0, seed=2)
    flow = replace(flow, volt_var=volt_var(np.arange(len(bus)), 30.0, curve))
    short, full = FlowOptions(max_iterations=2), FlowOptions()
    grid = grid_of(net)
    result, expected = solve(grid, flow, short), solve(grid, flow, full)
    assert_on_curves(flow, result)
    assert result.vm_pu == pytest.approx(expected.vm_pu, abs=1e-8)
    assert any("around the solver" in note.text for note in result.notes)


def test_support_is_found_where_without_it_the_voltage_collapses():
    net = two_bus(0.05, 0.5)
    p_kw = np.full((1, 1, 1), 155.0)
    still = injections([1], p_kw, np.zeros((1, 1, 1)))
    assert solve(grid_of(net), still).status[0, 0] == Status.NOT_CONVERGED
    flow = replace(still, volt_var=volt_var([0], 300.0, "ieee_1547_b"))
    result = outside(grid_of(net), flow, FlowOptions(vm_plausible_pu=(0.3, 1.5)))
    assert result.volt_var_q_kvar[0, 0, 0] < -40
    assert_on_curves(flow, result)


def test_without_answers_the_outside_loop_is_a_plain_solve():
    flow = random_injections([1, 2], 3, 5.0)
    grid = grid_of(village())
    assert outside(grid, flow).vm_pu.tobytes() == solve(grid, flow).vm_pu.tobytes()
    none = replace(flow, volt_var=volt_var([], np.zeros(0)))
    assert solve(grid, none).vm_pu.tobytes() == solve(grid, flow).vm_pu.tobytes()
    plain = solve(grid, flow)
    assert answer_failed(BatchedEngine(), grid, flow, FlowOptions(), plain) is plain
