"""Lanes of the unbalanced flow stand alone; balanced lanes are those of the balanced engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.conventions import Status
from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.powerflow import three_phase as engine
from gridimpact.powerflow.engine import ASKED, KEPT, take_part
from gridimpact.powerflow.volt_var import volt_var
from tests.network.phase_flow import branch_currents, solve_phases
from tests.powerflow.feeder import feeder
from tests.powerflow.three_phase_nets import branching, draws, grid_with, solved, two_node

EVERYTHING = tuple(name for name in (*KEPT, *ASKED))
ARRAYS = (*EVERYTHING, "status", "residual_kva")
PHASES = np.eye(3)


def homes(network, lanes, seed=0, size_kw=4.0):
    """Return random single-phase loads at the sites of a network."""
    grid, sites = network.grid, network.sites
    place = {index: k for k, index in enumerate(grid.bus_index)}
    rng = np.random.default_rng(seed)
    bus = [place[index] for index in sites["bus"]]
    p = rng.uniform(-0.5 * size_kw, size_kw, (lanes, len(bus)))
    share = PHASES[rng.integers(0, 3, len(bus))]
    return draws(bus, p, 0.3 * p, share)


@pytest.fixture(scope="module")
def many():
    return homes(feeder(), 1100)


def run(injections, threads=1):
    options = FlowOptions(phases=3, threads=threads, keep=EVERYTHING)
    return engine.solve_three_phase(feeder().grid, injections, options)


@pytest.fixture(scope="module")
def whole(many):
    return run(many)


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_no_byte(threads, many, whole):
    found = run(many, threads)
    for name in ARRAYS:
        assert getattr(found, name).tobytes() == getattr(whole, name).tobytes(), name


@pytest.mark.parametrize(("chunk", "lanes"), [(1, 40), (7, 70), (1000, 1100)])
def test_chunks_change_no_byte(chunk, lanes, many, whole):
    parts = [
        run(take_part(many, slice(None), slice(first, min(first + chunk, lanes))), 2)
        for first in range(0, lanes, chunk)
    ]
    for name in ARRAYS:
        joined = np.concatenate([getattr(part, name) for part in parts], axis=1)
        assert joined.tobytes() == getattr(whole, name)[:, :lanes].tobytes(), name


def test_an_impossible_lane_changes_its_own_status_and_no_other_byte(many, whole):
    p_kw = many.p_kw.copy()
    p_kw[0, 500] *= 1e4
    found = run(replace(many, p_kw=p_kw), 2)
    assert found.status[0, 500] == Status.NOT_CONVERGED
    others = np.arange(1100) != 500
    for name in ARRAYS:
        values, wanted = getattr(found, name), getattr(whole, name)
        assert values[:, others].tobytes() == wanted[:, others].tobytes(), name
        if name != "status":
            assert np.isnan(values[0, 500]).all(), name


def test_a_lane_saved_by_newton_leaves_the_others_alone():
    grid = two_node(0.06 + 0.03j)
    p = np.full((70, 1), 20.0)
    easy = solved(grid, draws(1, p, None, PHASES[0]))
    p[40] = 0.9995 * 100 / (2 * (abs(0.06 + 0.03j) + 0.06))
    hard = solved(grid, draws(1, p, None, PHASES[0]), vm_plausible_pu=(0.1, 1.5))
    assert hard.status[0, 40] == Status.OK
    assert hard.residual_kva[0, 40] < 1e-3
    others = np.arange(70) != 40
    assert hard.vm_pu[:, others].tobytes() == easy.vm_pu[:, others].tobytes()
    off = solved(grid, draws(1, p, None, PHASES[0]), newton_iterations=0)
    assert off.status[0, 40] == Status.NOT_CONVERGED


def test_an_implausible_voltage_is_marked():
    found = solved(two_node(), draws(1, 40.0, None, PHASES[0]), vm_plausible_pu=(0.99, 1.5))
    assert found.status[0, 0] == Status.IMPLAUSIBLE
    assert np.isnan(found.vm_pu).all()


@pytest.mark.parametrize("name", ["ieee_european_lv", "kerber_village", "cigre_lv"])
def test_balanced_loads_give_the_balanced_flow(name):
    network = with_phases(open_network(name), zero_sequence="assume")
    given = homes(network, 3, 1)
    some = np.tile([[0.2, 0.3]], (len(given.bus), 1))
    given = replace(
        given, phase_share=np.full((len(given.bus), 3), 1 / 3), zip_p=some, zip_q=some[:, ::-1]
    )
    one = BatchedEngine().solve(network.grid, given, FlowOptions(keep=KEPT))
    three = solved(network.grid, given, "unbalance_percent", "line_i_ka")
    assert (one.status == three.status).all()
    for phase in range(3):
        np.testing.assert_allclose(three.vm_pu[..., phase], one.vm_pu, rtol=0, atol=1e-9)
    for array in KEPT[1:]:
        np.testing.assert_allclose(
            getattr(three, array), getattr(one, array), rtol=1e-8, atol=1e-6, err_msg=array
        )
    assert np.nanmax(three.unbalance_percent) < 1e-6
    assert np.nanmax(three.line_i_ka[..., 3]) < 1e-8


@pytest.mark.parametrize("name", ["cigre_mv", "kerber_suburb", "lv_schutterwald_area"])
def test_packaged_networks_agree_with_the_plain_nodal_matrix(name):
    network = with_phases(open_network(name), zero_sequence="assume")
    given, model = homes(network, 1, 5, 2.0), network.grid.phase_model
    found = solved(network.grid, given, "line_i_ka")
    assert found.status[0, 0] == Status.OK
    power = (given.p_kw[0, 0] + 1j * given.q_kvar[0, 0])[:, None] * given.phase_share
    star = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    np.add.at(star, model.bus_node[given.bus], power)
    voltage = solve_phases(model, star)
    size = np.where(model.bus_node[:, None] >= 0, np.abs(voltage[model.bus_node]), np.nan)
    np.testing.assert_allclose(found.vm_pu[0, 0], size, rtol=0, atol=1e-9)
    there = model.line_branch >= 0
    current = np.abs(branch_currents(model, voltage)).max(axis=1)[model.line_branch[there]]
    np.testing.assert_allclose(found.line_i_ka[0, 0, there, :3], current, rtol=0, atol=1e-9)


def test_power_is_conserved_and_single_phases_show_at_the_transformer():
    network = feeder()
    given = homes(network, 5, 3)
    found = solved(
        network.grid, given, "transformer_phase_p_kw", "transformer_phase_loading_percent"
    )
    drawn = given.p_kw[0].sum(axis=1)
    delivered = found.transformer_phase_p_kw[0, :, 0].sum(axis=1)
    assert (delivered > drawn).all()
    into = found.transformer_p_kw[0, :, 0]
    assert (into > delivered).all()
    source = found.losses_kw[0] - (into - drawn)
    assert (source > 0).all()
    assert (source < 0.1 * found.losses_kw[0]).all()
    worst = found.transformer_phase_loading_percent.max(axis=3)
    np.testing.assert_array_equal(worst, found.transformer_loading_percent)


def test_reactive_power_lies_on_its_curve_in_each_phase():
    rng = np.random.default_rng(2)
    grid = grid_with(branching(5, 25))
    bus, share = np.array([8, 15, 24]), [*PHASES[[0, 2]], [1 / 3] * 3]
    p = rng.uniform(-75, 60, (40, 3))
    answering = volt_var([0, 1, 2], [80.0, 80.0, 90.0], "ieee_1547_b")
    found = solved(grid, draws(bus, p, None, share, volt_var=answering))
    assert (found.status == 0).all()
    answers = found.volt_var_q_kvar[0]
    assert np.abs(answers).max() > 1.0
    volt = np.einsum("lek,ek->le", found.vm_pu[0, :, bus].transpose(1, 0, 2), np.asarray(share))
    room = np.sqrt(answering.s_max_kva**2 - p**2)
    for k in range(3):
        curve = answering.curve[k]
        wanted = answering.s_ref_kva[k] * np.interp(
            volt[:, k], answering.v_pu[curve], answering.q_share[curve]
        )
        wanted = np.clip(wanted, -room[:, k], room[:, k])
        np.testing.assert_allclose(answers[:, k], wanted, atol=1e-5)
    same = solved(grid, draws(bus, p, answers, share))
    np.testing.assert_allclose(found.vm_pu, same.vm_pu, rtol=0, atol=1e-9)


def test_the_least_used_factors_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(engine, "_REMEMBERED", 2)
    monkeypatch.setattr(engine, "_known", type(engine._known)())
    grids = [two_node(0.01 * k) for k in (1, 2, 3)]
    for k in (0, 1, 0, 2):
        solved(grids[k], draws(1, 5.0))
    kept = [prepared.kept_alive[0] for prepared in engine._known.values()]
    assert kept == [grids[0].phase_model, grids[2].phase_model]
