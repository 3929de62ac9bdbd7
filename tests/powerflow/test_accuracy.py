"""The batched engine against pandapower alone, element by element and network by network."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.network import list_networks, open_network
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine
from tests.powerflow import nets

NETWORKS = list(list_networks().index)

LIGHT, REVERSED = 0.1, -1.0
HEAVIER = 1.3 ** np.arange(0, 16)


@pytest.fixture(scope="module")
def engine():
    return BatchedEngine()


def at_sites(network, factors):
    """Return the network's own demand times each factor, without reactive power when reversed."""
    sites = network.sites
    position = {index: place for place, index in enumerate(network.grid.bus_index)}
    bus = [position[index] for index in sites["bus"]]
    factors = np.asarray(factors).reshape(1, -1, 1)
    p_kw = factors * sites["load_p_kw"].to_numpy()
    return nets.injections(bus, p_kw, np.abs(factors) * sites["load_q_kvar"].to_numpy())


@pytest.mark.parametrize("name", NETWORKS)
def test_packaged_networks_agree_with_pandapower_light_heavy_and_reversed(name, engine):
    network = open_network(name)
    trial = engine.solve(network.grid, at_sites(network, HEAVIER))
    low = np.where(trial.status[0] == 0, np.nan_to_num(trial.vm_pu[0], nan=9.0).min(axis=1), 0.0)
    heavy = HEAVIER[np.flatnonzero(low > 0.85)[-1]]
    given = at_sites(network, [LIGHT, heavy, REVERSED])
    found = engine.solve(network.grid, given)
    assert (found.status == 0).all()
    assert found.residual_kva.max() < 1e-3
    assert found.transformer_p_kw[0, 2].sum() < 0 < found.transformer_p_kw[0, 1].sum()
    for number in range(3):
        net = nets.plain_runpp(
            network.net, given.bus, given.p_kw[0, number], given.q_kvar[0, number]
        )
        nets.assert_agrees(net, network.grid, nets.lane(found, number))
        losses_kw = 1e3 * sum(net[f"res_{t}"].pl_mw.sum() for t in ("line", "trafo", "trafo3w"))
        assert found.losses_kw[0, number] == pytest.approx(losses_kw, abs=1e-4)


@pytest.mark.parametrize("factor", [0.05, 1.0, -1.0])
def test_every_element_agrees_with_pandapower(factor, engine):
    net = nets.everything()
    grid = nets.grid_of(net)
    bus = np.flatnonzero(grid.bus_supplied)
    p_kw = factor * np.linspace(10.0, 25.0, len(bus))
    given = nets.injections(bus, p_kw.reshape(1, 1, -1), 0.4 * p_kw.reshape(1, 1, -1))
    found = engine.solve(grid, given)
    assert found.status[0, 0] == 0
    solved = nets.plain_runpp(net, bus, p_kw, 0.4 * p_kw)
    nets.assert_agrees(solved, grid, nets.lane(found, 0))
    assert np.isnan(found.line_loading_percent[0, 0, np.isnan(grid.line_i_max_ka)]).all()
    switched_off = ~net.line.in_service.to_numpy() & np.isfinite(grid.line_i_max_ka)
    assert (found.line_loading_percent[0, 0, switched_off] == 0).all()


@pytest.mark.parametrize("factor", [0.2, 1.0, -0.6])
def test_voltage_dependent_loads_agree_with_pandapower(factor, engine):
    # pandapower holds one set of shares for each bus, so each bus gets one load.
    net = nets.village()
    grid = nets.grid_of(net)
    bus = np.array([2, 3, 4, 6, 7])
    p_kw, q_kvar = factor * np.linspace(20, 40, 5), factor * np.linspace(4, 12, 5)
    z_p, i_p = np.linspace(0, 60, 5), np.linspace(40, 0, 5)
    z_q, i_q = np.linspace(100, 0, 5), np.linspace(0, 100, 5)
    solved = nets.plain_runpp(
        net, bus, p_kw, q_kvar, const_z_p_percent=z_p, const_i_p_percent=i_p,
        const_z_q_percent=z_q, const_i_q_percent=i_q,
    )  # fmt: skip
    given = nets.injections(
        bus, p_kw.reshape(1, 1, -1), q_kvar.reshape(1, 1, -1),
        zip_p=np.stack([z_p, i_p], axis=1) / 100, zip_q=np.stack([z_q, i_q], axis=1) / 100,
    )  # fmt: skip
    nets.assert_agrees(solved, grid, nets.lane(engine.solve(grid, given), 0))


def test_elements_of_one_bus_answer_to_voltage_each_in_its_own_way(engine):
    net = nets.two_bus()
    grid = nets.grid_of(net)
    parts = engine.solve(
        grid,
        nets.injections(
            [1, 1, 1], [[[30.0, 20.0, 10.0]]], [[[3.0, 2.0, 1.0]]],
            zip_p=[[0, 0], [1, 0], [0, 1]], zip_q=[[0, 0], [1, 0], [0, 1]],
        ),
    )  # fmt: skip
    v = parts.vm_pu[0, 0, 1]
    p_kw, q_kvar = 30 + 20 * v**2 + 10 * v, 3 + 2 * v**2 + v
    solved = nets.plain_runpp(net, [1], [p_kw], [q_kvar])
    assert v == pytest.approx(solved.res_bus.vm_pu.at[1], abs=1e-9)


def test_an_upstream_voltage_is_followed_in_magnitude_and_angle(engine):
    net = nets.village()
    vm_pu = []
    for setting in (0.95, 1.05):
        raised = copy.deepcopy(net)
        raised.ext_grid.loc[0, ["vm_pu", "va_degree"]] = setting, 40.0
        grid = nets.grid_of(raised)
        found = engine.solve(grid, nets.random_injections([2, 5], 1, 30.0, 1))
        vm_pu.append(found.vm_pu[0, 0])
    assert np.all(vm_pu[1] - vm_pu[0] > 0.09)


def test_lanes_near_collapse_go_to_newton_and_agree_with_it(engine):
    net = nets.two_bus()
    grid = nets.grid_of(net)
    given = nets.injections([1], [[[88.0], [88.8], [88.888]]], np.zeros((1, 3, 1)))
    short = engine.solve(grid, given, FlowOptions(max_iterations=12))
    long = engine.solve(grid, given, FlowOptions(max_iterations=100_000, newton_iterations=0))
    assert (short.status == 0).all()
    assert any("Newton" in note.text and "solved 3" in note.text for note in short.notes)
    np.testing.assert_allclose(short.vm_pu, long.vm_pu, rtol=0, atol=2e-8)
    np.testing.assert_allclose(short.losses_kw, long.losses_kw, rtol=1e-6)
    given_up = engine.solve(grid, given, FlowOptions(max_iterations=12, newton_iterations=0))
    assert (given_up.status == 1).all()


def test_newton_and_a_patient_fixed_point_part_at_the_same_load(engine):
    network = open_network("lv_schutterwald_area")
    site = at_sites(network, [1.0])
    rng = np.random.default_rng(0)
    factor = np.linspace(5.5, 7.0, 32).reshape(1, -1, 1) * rng.uniform(
        0.5, 1.0, (1, 32, len(site.bus))
    )
    given = nets.injections(site.bus, factor * site.p_kw, factor * site.q_kvar)
    newton = engine.solve(network.grid, given, FlowOptions(max_iterations=10))
    fixed = engine.solve(
        network.grid, given, FlowOptions(max_iterations=10_000, newton_iterations=0)
    )
    assert 0 < (fixed.status == 0).sum() < 32
    np.testing.assert_array_equal(newton.status, fixed.status)
    np.testing.assert_allclose(newton.vm_pu, fixed.vm_pu, rtol=0, atol=1e-6)


def test_a_node_without_own_admittance_is_solved_with_pivoting(engine):
    # A series capacitor cancels the reactance beside it: the node between them has no diagonal.
    net = pp.create_empty_network(sn_mva=1.0)
    buses = pp.create_buses(net, 3, vn_kv=0.4)
    pp.create_ext_grid(net, buses[0])
    pp.create_impedance(net, buses[0], buses[1], rft_pu=0.0, xft_pu=0.5, sn_mva=1.0)
    pp.create_impedance(net, buses[1], buses[2], rft_pu=0.0, xft_pu=-0.5, sn_mva=1.0)
    pp.create_impedance(net, buses[0], buses[2], rft_pu=0.2, xft_pu=0.4, sn_mva=1.0)
    grid = nets.grid_of(net)
    found = engine.solve(grid, nets.injections([2], [[[20.0]]], [[[5.0]]]))
    assert found.status[0, 0] == 0
    solved = nets.plain_runpp(net, [2], [20.0], [5.0])
    np.testing.assert_allclose(found.vm_pu[0, 0], solved.res_bus.vm_pu, atol=1e-8)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), ties=st.integers(0, 6))
def test_any_feeder_with_any_loads_agrees_with_pandapower(seed, ties):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 25))
    net = pp.create_empty_network(sn_mva=0.1)
    pp.create_buses(net, count, vn_kv=0.4)
    pp.create_ext_grid(net, int(rng.integers(count)), va_degree=rng.uniform(-30, 30))
    ends = [(int(rng.integers(bus)), bus) for bus in range(1, count)]
    ends += [tuple(map(int, rng.choice(count, 2, replace=False))) for _ in range(ties)]
    for first, second in ends:
        pp.create_line(net, first, second, rng.uniform(0.01, 0.1), "NAYY 4x150 SE")
    grid = nets.grid_of(net)
    bus = rng.choice(count, int(rng.integers(1, count + 1)))
    share = rng.dirichlet([2, 1, 1], len(bus))[:, 1:]
    loads = nets.random_injections(bus, 1, 6.0, seed, zip_p=share, zip_q=share[::-1])
    found, expected = BatchedEngine().solve(grid, loads), PandapowerEngine(net).solve(grid, loads)
    assert found.status[0, 0] == expected.status[0, 0] == 0
    np.testing.assert_allclose(found.vm_pu, expected.vm_pu, rtol=0, atol=1e-9)
    for name in ("line_loading_percent", "losses_kw"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5)


@pytest.mark.crosscheck
def test_a_random_feeder_agrees_with_power_grid_model(engine):
    pgm = pytest.importorskip("power_grid_model")
    rng = np.random.default_rng(7)
    net = pp.create_empty_network()
    count = 40
    pp.create_buses(net, count, vn_kv=0.4)
    pp.create_ext_grid(net, 0)
    for bus in range(1, count):
        pp.create_line_from_parameters(
            net, int(rng.integers(max(0, bus - 4), bus)), bus, length_km=rng.uniform(0.01, 0.06),
            r_ohm_per_km=rng.uniform(0.2, 0.6), x_ohm_per_km=0.08, c_nf_per_km=250.0, max_i_ka=0.2,
        )  # fmt: skip
    grid = nets.grid_of(net)
    given = nets.random_injections(np.arange(1, count), 3, 4.0, 11)
    found = engine.solve(grid, given)
    for number in range(3):
        node, line = _solve_pgm(pgm, net, given, number)
        np.testing.assert_allclose(found.vm_pu[0, number], node["u_pu"], rtol=0, atol=1e-8)
        np.testing.assert_allclose(
            found.line_loading_percent[0, number], 100 * line["loading"], rtol=0, atol=1e-4
        )


def _solve_pgm(pgm, net, given, number):
    count, lines = len(net.bus), net.line
    make = pgm.initialize_array
    node = make("input", "node", count)
    node["id"], node["u_rated"] = np.arange(count), 400.0
    line = make("input", "line", len(lines))
    line["id"] = count + np.arange(len(lines))
    line["from_node"], line["to_node"] = lines.from_bus, lines.to_bus
    line["from_status"] = line["to_status"] = 1
    for column, source, scale in (
        ("r1", "r_ohm_per_km", 1.0), ("x1", "x_ohm_per_km", 1.0), ("c1", "c_nf_per_km", 1e-9)
    ):  # fmt: skip
        line[column] = lines[source] * lines.length_km * scale
    line["tan1"], line["i_n"] = 0.0, 1e3 * lines.max_i_ka
    load = make("input", "sym_load", count - 1)
    load["id"] = 1000 + np.arange(count - 1)
    load["node"], load["status"], load["type"] = given.bus, 1, 0
    load["p_specified"] = 1e3 * given.p_kw[0, number]
    load["q_specified"] = 1e3 * given.q_kvar[0, number]
    source = make("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 5000, 0, 1, 1.0
    source["sk"] = 1e20
    model = pgm.PowerGridModel({"node": node, "line": line, "sym_load": load, "source": source})
    solved = model.calculate_power_flow(error_tolerance=1e-12, max_iterations=50)
    return solved["node"], solved["line"]
