"""The batched engine in three phases against power-grid-model and runpp_3ph, which share no code with it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import InputError
from gridimpact.network import list_networks, open_network
from gridimpact.network.grid import extract_grid
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine
from gridimpact.powerflow.engine import ASKED, KEPT
from tests.powerflow import nets

pytest.importorskip("power_grid_model")
from gridimpact.powerflow.pgm_engine import PgmEngine

pytestmark = pytest.mark.crosscheck

EVERYTHING = FlowOptions(phases=3, keep=KEPT + ASKED)
GROUPS = [
    ("YNyn", 0), ("YNyn", 60), ("YNyn", 180), ("YNyn", 240), ("Dyn5", 150), ("Dyn11", 330), ("Yyn", 180),
    ("Yzn", 150), ("Dzn", 0), ("ZNyn", 30),
]  # fmt: skip
UNEARTHED = [("Dd", 0), ("Yd", 30)]


def by_phase(network, lanes, seed, scale=1.0):
    """Return the own demand of sites at random levels, each on one random phase."""
    sites, rng = network.sites, np.random.default_rng(seed)
    position = {index: place for place, index in enumerate(network.grid.bus_index)}
    bus = [position[index] for index in sites["bus"]]
    p_kw = scale * rng.uniform(-0.3, 1.0, (1, lanes, len(bus))) * sites["load_p_kw"].to_numpy()
    q_kvar = p_kw * np.tan(rng.uniform(-0.2, 0.5, len(bus)))
    return nets.injections(bus, p_kw, q_kvar, phase_share=np.eye(3)[rng.integers(0, 3, len(bus))])


def without_magnetising(network):
    """Return the network with no transformer's magnetising branch in any sequence."""
    net = copy.deepcopy(network.net)
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    net.trafo["mag0_percent"] = 1e9
    return replace(network, net=net, grid=extract_grid(net, network.grid.bus_xy, False))


def gap(first, second, name):
    left, right = getattr(first, name), getattr(second, name)
    np.testing.assert_array_equal(np.isnan(left), np.isnan(right), err_msg=name)
    size = np.abs(left - right)[np.isfinite(left)]
    return size.max(initial=0.0)


def assert_close(found, expected, vm_pu, percent, kw, names=KEPT + ASKED):
    assert (found.status == 0).all()
    assert (expected.status == 0).all()
    tolerance = {"vm_pu": vm_pu, "line_i_ka": percent / 100}
    for name in names:
        known = tolerance.get(name, kw if name.endswith(("kw", "kvar")) else percent)
        assert gap(found, expected, name) < known, name


@pytest.mark.parametrize("name", list_networks().index)
def test_single_phase_loads_on_packaged_networks_agree_with_power_grid_model(name):
    network = with_phases(open_network(name), zero_sequence="assume", source_impedance=True)
    given = by_phase(network, 1 if len(network.net.bus) > 1000 else 3, 5)
    found = BatchedEngine().solve(network.grid, given, EVERYTHING)
    expected = PgmEngine(network.net).solve(network.grid, given, EVERYTHING)
    assert_close(found, expected, vm_pu=2e-6, percent=2e-4, kw=2e-3)


@pytest.mark.parametrize("name", list_networks().index)
def test_without_magnetising_branch_the_two_models_are_the_same(name):
    network = without_magnetising(open_network(name))
    network = with_phases(network, zero_sequence="assume", source_impedance=True)
    given = by_phase(network, 1 if len(network.net.bus) > 1000 else 3, 6)
    found = BatchedEngine().solve(network.grid, given, EVERYTHING)
    expected = PgmEngine(network.net).solve(network.grid, given, EVERYTHING)
    assert_close(found, expected, vm_pu=1e-8, percent=1e-6, kw=1e-5)


def station(group, shift, core_percent=1e9, **more):
    """A transformer of any group off its nominal ratio, between a medium- and a low-voltage line."""
    net = pp.create_empty_network()
    medium, low = pp.create_buses(net, 2, vn_kv=20.0), pp.create_buses(net, 2, vn_kv=0.4)
    source = {"s_sc_max_mva": 100.0, "rx_max": 0.3, "x0x_max": 1.5, "r0x0_max": 0.2}
    pp.create_ext_grid(net, medium[0], **source)
    pp.create_line(net, *medium, 5.0, "NA2XS2Y 1x95 RM/25 12/20 kV")
    pp.create_transformer_from_parameters(
        net, medium[1], low[0], sn_mva=0.25, vn_hv_kv=20.5, vn_lv_kv=0.41, vk_percent=5.0,
        vkr_percent=1.2, pfe_kw=0.0, i0_percent=0.0, shift_degree=shift, vector_group=group,
        vk0_percent=4.4, vkr0_percent=1.9, mag0_percent=core_percent, mag0_rx=0.3,
        si0_hv_partial=0.7, tap_side="hv", tap_pos=2, tap_neutral=0, tap_step_percent=2.5,
        tap_min=-2, tap_max=2, tap_changer_type="Ratio", **more,
    )  # fmt: skip
    pp.create_line(net, *low, 0.1, "NAYY 4x150 SE")
    pp.create_load(net, low[1], p_mw=0.01)
    return open_network(net, name="station")


def uneven(delta=False, dependent=True):
    """Two elements on low voltage, on one phase and unevenly on three, partly voltage-dependent."""
    shares = np.array([[0.2, 0.3], [0.5, 0.1]]) * dependent
    given = nets.injections(
        [3, 3], [[[20.0, 30.0], [-20.0, 9.0]]], [[[5.0, 4.0], [2.0, 3.0]]], zip_p=shares,
        zip_q=shares[::-1], phase_share=np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]]),
    )  # fmt: skip
    return replace(given, connection=np.ones(2, dtype=np.int64)) if delta else given


@pytest.mark.parametrize(("group", "shift"), GROUPS)
def test_every_vector_group_agrees_with_power_grid_model(group, shift):
    # Zero sequence needs a way to earth: Yyn, ZNyn and Yzn have it through the core alone.
    core = 600.0 if group in ("Yyn", "ZNyn", "Yzn", "Dyn") else 1e9
    network = station(group, shift, core, parallel=3, xn_ohm=0.02)
    network = with_phases(network, zero_sequence="assume", source_impedance=True)
    found = BatchedEngine().solve(network.grid, uneven(), EVERYTHING)
    expected = PgmEngine(network.net).solve(network.grid, uneven(), EVERYTHING)
    assert_close(found, expected, vm_pu=1e-8, percent=1e-5, kw=1e-5)
    assert found.unbalance_percent.max() > 0.1


@pytest.mark.parametrize(
    ("group", "shift", "dependent"),
    [
        ("YNyn", 180, False),
        ("Dyn5", 150, True),
        ("Yzn", 330, False),
        ("Dd", 0, True),
        ("Yd", 30, False),
    ],
)
def test_runpp_3ph_agrees_in_the_vector_groups_it_solves(group, shift, dependent):
    network = with_phases(station(group, shift, 600.0), zero_sequence="assume")
    given = uneven(delta=(group, shift) in UNEARTHED, dependent=dependent)
    given = replace(
        given,
        timeline=given.timeline.part(0, 1),
        p_kw=given.p_kw[:, :1],
        q_kvar=given.q_kvar[:, :1],
    )
    found = BatchedEngine().solve(network.grid, given, EVERYTHING)
    expected = PandapowerEngine(network.net).solve(network.grid, given, EVERYTHING)
    assert "runpp_3ph" in expected.engine
    # Its losses end at the terminals of the source.
    names = set(KEPT + ASKED) - {"losses_kw"}
    assert_close(found, expected, vm_pu=5e-8, percent=2e-5, kw=2e-5, names=names)


def test_a_star_star_core_moves_voltages_by_where_it_stands():
    # Half at each side, as power-grid-model has it, or in between: the same to first order.
    network = with_phases(station("YNyn", 0, 600.0), zero_sequence="assume", source_impedance=True)
    found = BatchedEngine().solve(network.grid, uneven(), EVERYTHING)
    expected = PgmEngine(network.net).solve(network.grid, uneven(), EVERYTHING)
    assert 1e-7 < gap(found, expected, "vm_pu") < 2e-5


def test_runpp_3ph_agrees_on_the_european_feeder():
    network = with_phases(open_network("ieee_european_lv"))
    given = by_phase(network, 1, 7)
    found = BatchedEngine().solve(network.grid, given, FlowOptions(phases=3))
    expected = PandapowerEngine(network.net).solve(network.grid, given, FlowOptions(phases=3))
    assert gap(found, expected, "vm_pu") < 2e-8
    assert gap(found, expected, "losses_kw") < 1e-6


def test_a_source_that_differs_between_engines_is_refused_and_not_passed_over():
    ideal = with_phases(station("Dyn", 30), zero_sequence="assume")
    real = with_phases(station("Dyn", 30), zero_sequence="assume", source_impedance=True)
    three = FlowOptions(phases=3)
    with pytest.raises(InputError, match="no impedance in positive sequence"):
        PgmEngine(ideal.net).solve(ideal.grid, uneven(), three)
    with pytest.raises(InputError, match="same impedance in positive and negative sequence"):
        PandapowerEngine(real.net).solve(real.grid, uneven(), three)
    with pytest.raises(InputError, match="element 1: is delta"):
        PgmEngine(real.net).solve(real.grid, uneven(delta=True), three)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("ext_grid", "rx_max", np.nan), "ext_grid, rx_max"),
        (("trafo", "vector_group", "Yyn"), "does not solve 'Yyn'"),
        (("trafo", "vk0_percent", np.nan), "trafo, vk0_percent"),
    ],
)
def test_what_runpp_3ph_cannot_follow_is_named(change, told):
    network = with_phases(station("Dyn", 30), zero_sequence="assume")
    net = copy.deepcopy(network.net)
    table, column, value = change
    net[table][column] = value
    with pytest.raises(InputError, match=told):
        PandapowerEngine(net).solve(network.grid, uneven(), FlowOptions(phases=3))


def test_runpp_3ph_turns_the_zero_sequence_of_shifted_stars_and_is_not_asked():
    network = with_phases(station("YNyn", 60), zero_sequence="assume")
    with pytest.raises(InputError, match="turns its zero sequence"):
        PandapowerEngine(network.net).solve(network.grid, uneven(), FlowOptions(phases=3))


def test_an_impossible_lane_of_runpp_3ph_is_lost_alone():
    network = with_phases(station("Dyn", 30), zero_sequence="assume")
    calm = uneven(dependent=False)
    wild = replace(calm, p_kw=calm.p_kw * np.array([[[1.0], [1e4]]]))
    found = PandapowerEngine(network.net).solve(network.grid, wild, EVERYTHING)
    assert found.status[0].tolist() == [0, 1]
    assert np.isnan(found.vm_pu[0, 1]).all()
    assert np.isfinite(found.vm_pu[0, 0]).all()
