"""By how much reactive power at one place lowers the voltage at another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from gridimpact.conventions import Status
from gridimpact.powerflow import solve
from gridimpact.powerflow.three_phase import solve_three_phase
from gridimpact.powerflow.volt_var import volt_var
from gridimpact.powerflow.volt_var_coupling import Terminals, coupling
from gridimpact.powerflow.volt_var_response import local_response
from tests.powerflow.nets import grid_of, injections, random_injections, two_bus, village
from tests.powerflow.three_phase_nets import branching, draws, grid_with


def whole(response):
    """Return the drops as a full matrix."""
    count = len(response.own)
    drops = np.diag(response.own)
    for e in range(count):
        part = slice(response.start[e], response.start[e + 1])
        drops[e, response.near[part]] += response.drop[part]
    return drops


def test_drops_are_the_slopes_of_the_balanced_flow_without_load():
    grid, bus, little = grid_of(village()), np.array([2, 4, 5, 7]), 1e-2
    q_kvar = little * np.vstack([np.zeros(4), np.eye(4)])[None]
    flow = injections(bus, np.zeros((1, 5, 4)), q_kvar)
    vm_pu = solve(grid, flow).vm_pu[0][:, bus]
    slopes = (vm_pu[0] - vm_pu[1:]).T / little
    response = local_response(grid, replace(flow, volt_var=volt_var(range(4), 1.0)), 1, 32)
    # A voltage of 1 pu is what drops are given at.
    assert whole(response) / vm_pu[0] == pytest.approx(slopes, rel=1e-4)


def test_drops_are_the_slopes_of_the_flow_in_phase_coordinates_without_load():
    grid, little = grid_with(branching(seed=3, nodes=9)), 1e-3
    bus = np.array([2, 4, 4, 8])
    share = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]])
    q_kvar = little * np.vstack([np.zeros(4), np.eye(4)])
    flow = draws(bus, 0 * q_kvar, q_kvar, share)
    found = solve_three_phase(grid, flow).vm_pu[0]
    vm_pu = np.einsum("lep,ep->le", found[:, bus], share)
    slopes = (vm_pu[0] - vm_pu[1:]).T / little
    response = local_response(grid, replace(flow, volt_var=volt_var(range(4), 1.0)), 3, 32)
    assert whole(response) == pytest.approx(slopes, rel=1e-3, abs=1e-9)


def test_a_singular_network_moves_nothing():
    rows = np.zeros((1, 3), dtype=np.int64)
    one = Terminals(rows, rows - 1, np.array([[1.0, 0, 0]]))
    found = coupling(csc_array(np.zeros((1, 1), dtype=complex)), np.zeros(1, complex), one, 1e-3)
    assert found.own.tolist() == [0.0]
    assert len(found.near) == 0


def test_weak_neighbours_beyond_the_nearest_count_as_the_elements_own():
    grid, count = grid_of(two_bus()), 300
    flow = random_injections(np.ones(count, dtype=int), 2, 0.2)
    flow = replace(flow, volt_var=volt_var(np.arange(count), 0.5, "ieee_1547_b_steepest"))
    few = replace(flow, volt_var=volt_var([0], 0.5))
    one = local_response(grid, few, 1, 32).own[0]
    response = local_response(grid, flow, 1, 32)
    total = response.own + np.add.reduceat(response.drop, response.start[:-1])
    assert total == pytest.approx(np.full(count, count * one), rel=1e-9)


@pytest.mark.parametrize("curve", ["ieee_1547_b_steepest", ([0.999, 1.001], [-1.0, 1.0])])
def test_more_elements_than_are_counted_one_by_one_still_settle(curve):
    net = village(10)
    rng = np.random.default_rng(1)
    bus = rng.integers(2, len(net.bus), 90)
    flow = random_injections(bus, 2, 1.0, seed=7)
    flow = replace(flow, volt_var=volt_var(np.arange(90), 3.0, curve))
    result = solve(grid_of(net), flow)
    given, vm_pu = flow.volt_var, result.vm_pu[:, :, bus]
    room = np.sqrt(9.0 - flow.p_kw**2)
    wanted = np.interp(vm_pu, given.v_pu[0], given.q_share[0]) * 3.0 + flow.q_kvar
    assert (result.status == Status.OK).all()
    found = flow.q_kvar + result.volt_var_q_kvar
    assert found == pytest.approx(np.clip(wanted, -room, room), abs=5e-6)
