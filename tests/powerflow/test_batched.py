"""What the batched engine adds to the contract: more results, tighter stops, any thread count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.powerflow.engine import ASKED, KEPT
from gridimpact.records import VoltVar
from tests.powerflow import nets

SIMBENCH = (
    "1-LV-rural1--0-sw",
    "1-MV-semiurb--0-sw",
)


@pytest.fixture(scope="module")
def engine():
    return BatchedEngine()


@pytest.mark.parametrize("code", SIMBENCH)
def test_simbench_networks_agree_with_pandapower(code, engine):
    simbench = pytest.importorskip("simbench")
    net = simbench.get_simbench_net(code)
    grid = nets.grid_of(net)
    place = {index: number for number, index in enumerate(net.bus.index)}
    bus = [place[index] for table in ("load", "sgen") for index in net[table].bus]
    p_kw = 1e3 * np.concatenate([net.load.p_mw, -net.sgen.p_mw])
    q_kvar = 1e3 * np.concatenate([net.load.q_mvar, -net.sgen.q_mvar])
    factor = np.array([1.0, 0.2, -0.5]).reshape(1, 3, 1)
    given = nets.injections(bus, factor * p_kw, factor * q_kvar)
    found = engine.solve(grid, given)
    assert (found.status == 0).all()
    for number in range(3):
        solved = nets.plain_runpp(net, bus, given.p_kw[0, number], given.q_kvar[0, number])
        nets.assert_agrees(solved, grid, nets.lane(found, number))


@pytest.mark.parametrize("factor", [0.05, 1.0, -1.0])
def test_line_currents_and_three_winding_loadings_agree_with_pandapower(factor, engine):
    net = nets.everything()
    grid = nets.grid_of(net)
    bus = np.flatnonzero(grid.bus_supplied)
    p_kw = factor * np.linspace(10.0, 25.0, len(bus))
    given = nets.injections(bus, p_kw.reshape(1, 1, -1), 0.4 * p_kw.reshape(1, 1, -1))
    found = engine.solve(grid, given, FlowOptions(keep=KEPT + ASKED))
    solved = nets.plain_runpp(net, bus, p_kw, 0.4 * p_kw)
    there = grid.line_branch >= 0
    np.testing.assert_allclose(
        found.line_i_ka[0, 0, there], solved.res_line.i_ka[there], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        found.transformer3w_loading_percent[0, 0],
        solved.res_trafo3w.loading_percent,
        rtol=1e-6,
        atol=1e-6,
    )


def test_a_three_winding_transformer_is_loaded_by_its_worst_winding(engine):
    net = pp.create_empty_network(sn_mva=1.0)
    high, medium, low = (pp.create_bus(net, kv) for kv in (110.0, 20.0, 10.0))
    pp.create_ext_grid(net, high)
    pp.create_transformer3w(net, high, medium, low, "63/25/38 MVA 110/20/10 kV")
    grid = nets.grid_of(net)
    p_kw = np.array([[[20e3, 0.0], [0.0, 30e3], [24e3, 36e3]]])
    keep = ("transformer3w_loading_percent",)
    found = engine.solve(grid, nets.injections([1, 2], p_kw, 0 * p_kw), FlowOptions(keep=keep))
    for number, (middle, third) in enumerate(p_kw[0]):
        solved = nets.plain_runpp(net, [1, 2], [middle, third], [0.0, 0.0])
        expected = solved.res_trafo3w.loading_percent.at[0]
        loading = found.transformer3w_loading_percent[0, number, 0]
        assert loading == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("tolerance", [1e-5, 1e-7, 1e-9])
def test_a_lane_stops_only_when_its_error_is_below_the_tolerance(tolerance, engine):
    # From light to nearly the most that the line can carry, where the iteration shrinks slowly.
    grid = nets.grid_of(nets.two_bus())
    size = np.concatenate([np.linspace(0.0, 85.0, 60), [87.0, 88.0]])
    given = nets.injections([1], size.reshape(1, -1, 1), 0 * size.reshape(1, -1, 1))
    found = engine.solve(
        grid, given, FlowOptions(tolerance_pu=tolerance, max_iterations=5000, residual_kva=1.0)
    )
    # v^4 + (2 r p - 1) v^2 + |z|^2 p^2 = 0 in units of the source voltage.
    p = size / 160.0
    vm_pu = np.sqrt((1 - 0.8 * p + np.sqrt((1 - 0.8 * p) ** 2 - 4 * 0.25 * p**2)) / 2)
    # A plain stop where the step no longer shrinks fast leaves up to step / (1 - shrinkage).
    shrinkage = 0.5 * p / vm_pu**2
    error = np.abs(found.vm_pu[0, :, 1] - vm_pu)
    assert (error <= tolerance * np.maximum(1.0, shrinkage / (1 - shrinkage))).all()


def test_values_relative_to_no_load_and_per_unit_give_the_same_flow(engine):
    # A curve that never answers switches relative values off.
    grid = nets.grid_of(nets.everything())
    bus = np.flatnonzero(grid.bus_supplied)
    shares = np.random.default_rng(1).dirichlet([2, 1, 1], len(bus))[:, 1:]
    given = nets.random_injections(bus, 5, 15.0, 2, zip_p=shares, zip_q=shares[::-1])
    first, size = np.array([0]), np.array([1e3])
    silent = VoltVar(first, size, size, first, np.array([[0.9, 1.1]]), np.zeros((1, 2)))
    found = engine.solve(grid, given)
    again = engine.solve(grid, replace(given, volt_var=silent))
    assert (found.status == 0).all()
    assert again.volt_var_q_kvar.shape == (1, 5, 1)
    np.testing.assert_allclose(again.volt_var_q_kvar, 0.0, atol=1e-6)
    np.testing.assert_allclose(again.vm_pu, found.vm_pu, rtol=0, atol=1e-9)
    np.testing.assert_allclose(again.losses_kw, found.losses_kw, rtol=0, atol=1e-5)


def test_four_threads_give_the_same_bytes_as_one(engine):
    grid = nets.grid_of(nets.village())
    given = nets.random_injections([2, 4, 7], 40_000, 60.0, 2)
    given.p_kw[0, 20_000] = 1e5
    one = engine.solve(grid, given, FlowOptions(threads=1))
    assert one.status[0, 20_000] == 1
    for threads in (2, 4):
        many = engine.solve(grid, given, FlowOptions(threads=threads))
        for name in (*KEPT, "status", "residual_kva"):
            assert getattr(many, name).tobytes() == getattr(one, name).tobytes(), name


@pytest.mark.parametrize("power_factor", [1.0, 0.95, 0.8])
def test_two_buses_follow_the_closed_form_up_to_the_last_millionth_of_the_maximum(
    power_factor, engine
):
    # Largest power over an impedance |z| at angle theta: |S| = E^2 / (2 |z| (1 + cos(theta - phi))).
    z, phi = complex(0.4, 0.3), np.arccos(power_factor)
    s_max_kva = 160.0 / (2 * abs(z) * (1 + np.cos(np.angle(z) - phi)))
    share = np.array([0.1, 0.5, 0.9, 0.99, 0.999, 1 - 1e-6, 1 + 1e-6])
    size = share * s_max_kva
    given = nets.injections(
        [1], (size * np.cos(phi)).reshape(1, -1, 1), (size * np.sin(phi)).reshape(1, -1, 1)
    )
    found = engine.solve(nets.grid_of(nets.two_bus()), given)
    assert found.status[0].tolist() == [0] * 6 + [1]
    # v^4 + (2 (r p + x q) - 1) v^2 + |z|^2 |s|^2 = 0 in units of the source voltage.
    drop, square = size / 160.0 * (z * np.exp(-1j * phi)).real, (size / 160.0 * abs(z)) ** 2
    vm_pu = np.sqrt((1 - 2 * drop + np.sqrt(np.maximum((1 - 2 * drop) ** 2 - 4 * square, 0))) / 2)
    np.testing.assert_allclose(found.vm_pu[0, :5, 1], vm_pu[:5], rtol=0, atol=1e-8)
