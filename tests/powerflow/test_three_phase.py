"""The unbalanced power flow against closed forms, a plain nodal solution and its own symmetries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.conventions import Status
from gridimpact.errors import GridError, InputError
from gridimpact.powerflow import BatchedEngine, FlowOptions
from tests.network.phase_flow import branch_currents, solve_phases
from tests.powerflow.three_phase_nets import (
    BASE_KVA,
    TURN,
    VN_KV,
    branching,
    draws,
    grid_with,
    model_of,
    series,
    solved,
    two_node,
)

PHASES = np.eye(3)
PHASE_KVA = BASE_KVA / 3
PER_PHASE = (
    "line_i_ka", "unbalance_percent", "unbalance_nema_percent",
    "transformer_phase_loading_percent", "transformer_phase_p_kw", "transformer_phase_q_kvar",
)  # fmt: skip


def two_bus_voltage(z, s):
    """Return the upper solution |v| of v = 1 - z conj(s / v), source voltage 1, all per unit."""
    half = 0.5 - (z * np.conj(s)).real
    return np.sqrt(half + np.sqrt(half**2 - abs(z * s) ** 2))


def largest_power(z, direction):
    """Return the size of power at which the two solutions meet."""
    u = direction / abs(direction)
    return 1 / (2 * (abs(z) + (z * np.conj(u)).real))


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 0.99, 0.999])
def test_one_phase_follows_the_closed_form_up_to_its_largest_power(phase, part):
    z, direction = 0.06 + 0.03j, 0.95 + 0.312j
    s = part * largest_power(z, direction) * direction / abs(direction)
    grid = two_node(z)
    found = solved(
        grid, draws(1, s.real * PHASE_KVA, s.imag * PHASE_KVA, PHASES[phase]),
        vm_plausible_pu=(0.1, 1.5),
    )  # fmt: skip
    assert found.status[0, 0] == Status.OK
    wanted = np.ones(3)
    wanted[phase] = two_bus_voltage(z, s)
    np.testing.assert_allclose(found.vm_pu[0, 0, 1], wanted, rtol=0, atol=1e-8)


def test_no_solution_is_claimed_beyond_the_largest_power():
    z, direction = 0.06 + 0.03j, 1.0
    s = 1.0001 * largest_power(z, direction) * PHASE_KVA
    found = solved(two_node(z), draws(1, s, None, PHASES[1]), vm_plausible_pu=(0.1, 1.5))
    assert found.status[0, 0] == Status.NOT_CONVERGED
    assert np.isnan(found.vm_pu).all()
    assert np.isnan(found.residual_kva).all()


@pytest.mark.parametrize(
    ("shunts", "meshed"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_every_voltage_and_current_agrees_with_the_plain_nodal_matrix(shunts, meshed):
    model = branching(3, 40, shunts=shunts, meshed=meshed)
    rng = np.random.default_rng(1)
    bus = np.array([4, 9, 9, 17, 25, 33, 39])
    p, q = rng.uniform(-8, 15, (2, 7)), rng.uniform(-3, 4, (2, 7))
    share = np.array([*np.eye(3), [0.5, 0.5, 0], [0, 1, 0], [1 / 3] * 3, [0, 0.2, 0.8]])
    connection = np.array([0, 0, 1, 0, 1, 0, 1])
    grid = grid_with(model)
    found = solved(grid, draws(bus, p, q, share, connection=connection), *PER_PHASE)
    assert (found.status == 0).all()
    for lane in range(2):
        kva = np.zeros((2, 40, 3), dtype=complex)
        for e in range(7):
            kva[connection[e], bus[e]] += (p[lane, e] + 1j * q[lane, e]) * share[e]
        voltage = solve_phases(model, kva[0], kva[1])
        np.testing.assert_allclose(found.vm_pu[0, lane], np.abs(voltage), rtol=0, atol=1e-9)
        current = branch_currents(model, voltage)
        size = np.concatenate([np.abs(current), np.abs(current.sum(axis=2))[:, :, None]], axis=2)
        np.testing.assert_allclose(found.line_i_ka[0, lane], size.max(axis=1), rtol=0, atol=1e-9)
        loading = 100 * np.abs(current).max(axis=(1, 2)) / grid.line_i_max_ka
        np.testing.assert_allclose(found.line_loading_percent[0, lane], loading, atol=1e-6)
        fed = model.slack_vm_pu[0] @ current[model.branch_from == 0, 0].sum(axis=0).conj()
        fed_kw = 1e3 * VN_KV / np.sqrt(3) * fed.real
        assert found.losses_kw[0, lane] == pytest.approx(fed_kw - p[lane].sum(), abs=1e-6)


def test_the_current_of_neutral_is_nil_when_balanced_and_that_of_a_single_phase_load_alone():
    grid = two_node()
    even = solved(grid, draws(1, 60.0, 20.0), "line_i_ka")
    assert even.line_i_ka[0, 0, 0, 3] < 1e-12
    one = solved(grid, draws(1, 20.0, 5.0, PHASES[2]), "line_i_ka")
    current = one.line_i_ka[0, 0, 0]
    assert current[2] > 0.05
    assert current[3] == pytest.approx(current[2], rel=1e-12)
    assert current[:2].max() < 1e-12


def test_a_balanced_delta_is_its_star():
    grid = two_node()
    zip_p, zip_q = [[0.3, 0.2]], [[0.1, 0.5]]
    star, delta = (
        solved(grid, draws(1, 60.0, 20.0, connection=c, zip_p=zip_p, zip_q=zip_q), "line_i_ka")
        for c in (0, 1)
    )
    np.testing.assert_allclose(star.vm_pu, delta.vm_pu, rtol=0, atol=1e-10)
    np.testing.assert_allclose(star.line_i_ka, delta.line_i_ka, rtol=0, atol=1e-10)
    single = solved(grid, draws(1, 60.0, 20.0, PHASES[0], connection=1), "line_i_ka")
    current = single.line_i_ka[0, 0, 0]
    assert current[0] == pytest.approx(current[1], rel=1e-12)
    assert current[2] < 1e-12
    assert current[3] < 1e-12


def test_constant_current_and_impedance_follow_the_voltage_of_their_own_phase():
    z, s = 0.08 + 0.02j, 0.4 + 0.1j
    power = draws(
        1, s.real * PHASE_KVA, s.imag * PHASE_KVA, PHASES[0], zip_p=[[1, 0]], zip_q=[[1, 0]]
    )  # fmt: skip
    found = solved(two_node(z), power)
    impedance = 1 / np.conj(s)
    assert found.vm_pu[0, 0, 1, 0] == pytest.approx(abs(impedance / (impedance + z)), abs=1e-10)
    mixed = draws(
        [1, 1, 1], [[10, 20, 5]], [[1, 2, 3]], [PHASES[1]] * 3,
        zip_p=[[0, 0], [1, 0], [0, 1]], zip_q=[[0, 0], [1, 0], [0, 1]],
    )  # fmt: skip
    v = solved(two_node(z), mixed).vm_pu[0, 0, 1, 1]
    s = (10 + 1j + (20 + 2j) * v**2 + (5 + 3j) * v) / PHASE_KVA
    assert v == pytest.approx(two_bus_voltage(z, s), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.permutations([0, 1, 2]), st.integers(0, 1000))
def test_naming_the_phases_otherwise_names_the_answers_otherwise(order, seed):
    rng = np.random.default_rng(seed)
    z = 0.05 * (np.eye(3) + 0.3) + 0.02j * np.diag(rng.uniform(0.5, 2, 3))
    p, q = rng.uniform(0, 30, (1, 3)), rng.uniform(-5, 10, (1, 3))
    plain = solved(grid_with(model_of([(0, 1)], [series(z)], 2)), draws([1] * 3, p, q, PHASES))
    model = model_of([(0, 1)], [series(z[np.ix_(order, order)])], 2)
    model = replace(model, slack_vm_pu=model.slack_vm_pu[:, order])
    turned = solved(grid_with(model), draws([1] * 3, p[:, order], q[:, order], PHASES))
    np.testing.assert_allclose(turned.vm_pu, plain.vm_pu[..., order], rtol=0, atol=1e-10)
    np.testing.assert_allclose(turned.losses_kw, plain.losses_kw, rtol=0, atol=1e-8)


def test_voltage_unbalance_of_known_phasors():
    voltage = np.array([1.02, 0.97 * TURN**2, 0.99 * TURN * np.exp(0.05j)])
    grid = grid_with(replace(two_node().phase_model, slack_vm_pu=voltage[None]))
    found = solved(grid, draws(1, 0.0), "unbalance_percent", "unbalance_nema_percent")
    positive = voltage @ [1, TURN, TURN**2] / 3
    negative = voltage @ [1, TURN**2, TURN] / 3
    between = np.abs(voltage - np.roll(voltage, -1))
    nema = np.abs(between - between.mean()).max() / between.mean()
    assert abs(negative / positive) > 0.02
    np.testing.assert_allclose(found.unbalance_percent, 100 * abs(negative / positive), rtol=1e-12)
    np.testing.assert_allclose(found.unbalance_nema_percent, 100 * nema, rtol=1e-12)


def test_a_load_to_neutral_where_nothing_earths_it_is_refused_by_name():
    grid = two_node(earthed=[True, False])
    given = draws([1, 1, 1], [[1.0, 2.0, 3.0]], None, [PHASES[0], [1 / 3] * 3, [0.5, 0.5, 0]])
    with pytest.raises(InputError) as caught:
        solved(grid, given)
    assert len(caught.value.problems) == 2
    assert "bus 1" in caught.value.problems[0].where
    assert "delta" in caught.value.problems[0].remedy
    even = solved(grid, draws(1, 30.0))
    delta = solved(two_node(), draws(1, 30.0, connection=1))
    assert even.vm_pu.tobytes() == delta.vm_pu.tobytes()
    assert any("delta" in note.text for note in even.notes)


def test_a_part_without_any_path_to_earth_is_solved_between_its_phases():
    y = 30 - 60j
    d = y / 3 * np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]])
    dd = np.block([[d, -d], [-d, d]])
    model = model_of(
        [(0, 1), (1, 2)], [dd, series(0.01)], 3, earthed=[True, False, False],
        line_branch=np.array([1]), transformer_branch=np.array([0]),
    )  # fmt: skip
    grid = grid_with(model, transformers=[(0, 1)])
    found = solved(grid, draws(2, 30.0, 10.0, PHASES[0], connection=1), *PER_PHASE)
    assert found.status[0, 0] == Status.OK
    assert found.residual_kva[0, 0] < 1e-6
    assert found.line_i_ka[0, 0, 0, 3] < 1e-9
    assert found.transformer_p_kw[0, 0, 0] == pytest.approx(30 + found.losses_kw[0, 0], abs=1e-6)
    assert 30 < found.transformer_phase_p_kw[0, 0, 0].sum() < found.transformer_p_kw[0, 0, 0]


def test_newton_solves_a_heavy_load_between_phases_where_nothing_is_earthed():
    # Between two phases a load sees twice the impedance and the square root of three of voltage.
    z = 0.05 + 0.05j
    largest = 3 * largest_power(2 * z, 1.0)
    grid = two_node(z, earthed=[True, False])
    given = draws(
        1,
        [[part * largest * PHASE_KVA] for part in (0.5, 0.999, 1.001)],
        None,
        PHASES[1],
        connection=1,
    )
    found = solved(grid, given, vm_plausible_pu=(0.1, 1.5))
    assert found.status[0].tolist() == [Status.OK, Status.OK, Status.NOT_CONVERGED]
    assert any("Newton" in note.text and "solved 1" in note.text for note in found.notes)


def test_a_grid_without_a_phase_model_is_refused():
    with pytest.raises(GridError, match="phase coordinates"):
        solved(replace(two_node(), phase_model=None), draws(1, 1.0))


@pytest.mark.parametrize("given", [[0, 1], [2], [0.5]])
def test_a_connection_that_does_not_fit_is_refused(given):
    injections = replace(draws(1, 1.0), connection=np.array(given))
    with pytest.raises(InputError, match="connection"):
        solved(two_node(), injections)


def test_the_network_draws_its_own_power_too():
    fixed = np.zeros((2, 3), dtype=complex)
    fixed[1] = [10 + 2j, 0, 5]
    own = solved(two_node(fixed_s_kva=fixed), draws(1, 0.0))
    given = solved(two_node(), draws([1, 1], [[10, 5]], [[2, 0]], PHASES[[0, 2]]))
    np.testing.assert_allclose(own.vm_pu, given.vm_pu, rtol=0, atol=1e-12)
    lifted = solved(two_node(fixed_s_kva=fixed, earthed=[True, False]), draws(1, 0.0))
    even = solved(two_node(), draws(1, 15.0, 2.0, connection=1))
    np.testing.assert_allclose(lifted.vm_pu, even.vm_pu, rtol=0, atol=1e-12)


def test_islands_are_dark_and_their_energy_is_counted():
    model = branching(1, 6)
    bus_node = np.array([0, 1, 2, 3, 4, 5, -1, -1])
    model = replace(model, bus_node=bus_node, line_branch=np.array([0, 1, 2, 3, 4, -1, -1]))
    ends = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [1, 3], [6, 7]])
    grid = grid_with(model, line_ends=ends)
    found = solved(grid, draws([3, 7], [[5.0, 4.0]], None, PHASES[:2]), *PER_PHASE)
    assert found.status[0, 0] == Status.UNSUPPLIED
    assert found.unserved_kwh == pytest.approx(1.0)
    assert np.isnan(found.vm_pu[0, 0, 6:]).all()
    assert np.isfinite(found.vm_pu[0, 0, :6]).all()
    assert np.isnan(found.unbalance_percent[0, 0, 6:]).all()
    assert found.line_loading_percent[0, 0, 5] == 0
    assert np.isnan(found.line_loading_percent[0, 0, 6])
    assert np.isnan(found.line_i_ka[0, 0, 6]).all()


def test_only_what_is_asked_for_comes():
    given = draws([1, 1], [[5.0, 4.0]] * 3, None, PHASES[:2])
    from gridimpact.powerflow.three_phase import solve_three_phase

    none = solve_three_phase(two_node(), given, FlowOptions(phases=3, keep=()))
    everything = solved(two_node(), given, *PER_PHASE)
    assert none.vm_pu.shape == none.line_i_ka.shape == (1, 3, 0)
    assert everything.vm_pu.shape == (1, 3, 2, 3)
    assert everything.line_i_ka.shape == (1, 3, 1, 4)
    assert (none.status == everything.status).all()
    assert everything.phases == 3


@pytest.mark.slow  # results in float32 have kernels of their own, half a minute to compile
def test_float32_storage_in_three_phases_is_the_rounded_float64():
    given = draws([1, 1], [[5.0, 4.0]] * 3, None, PHASES[:2])
    full, small = (solved(two_node(), given, storage=s) for s in ("float64", "float32"))
    assert small.vm_pu.dtype == np.float32
    np.testing.assert_array_equal(small.vm_pu, full.vm_pu.astype(np.float32))


def test_the_batched_engine_hands_three_phases_over():
    given = draws(1, 5.0, None, PHASES[0])
    one = BatchedEngine().solve(two_node(), given, FlowOptions(phases=3))
    assert one.vm_pu.tobytes() == solved(two_node(), given).vm_pu.tobytes()


def test_an_idle_branch_beside_the_source_takes_nothing_from_the_balance():
    ideal = series(0.01j)
    model = model_of(
        [(0, 1), (1, 2), (0, 3)], [series(0.02), ideal, series(0.03 + 0.01j)], 4,
        line_branch=np.array([0, 2]), transformer_branch=np.array([1]),
    )  # fmt: skip
    found = solved(grid_with(model, transformers=[(1, 2)]), draws(3, 30.0, 5.0, PHASES[1]))
    assert found.status[0, 0] == Status.OK
    assert found.residual_kva[0, 0] < 1e-6
    np.testing.assert_allclose(found.vm_pu[0, 0, :3], 1.0, rtol=0, atol=1e-12)
    assert found.transformer_loading_percent[0, 0, 0] == 0
    assert found.line_loading_percent[0, 0, 0] == 0 < found.line_loading_percent[0, 0, 1]
