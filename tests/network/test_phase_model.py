"""The phase model against the published European feeder, the balanced flow and pandapower."""

from __future__ import annotations

import copy
import dataclasses
from functools import lru_cache

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridimpact.errors import GridError, InputError
from gridimpact.network import open_network, with_phases
from tests.network.phase_flow import STAR_TO_DELTA, solve_phases
from tests.network.phase_nets import network_of, phases_of, station, table_powers

_VOLT = 416 / np.sqrt(3)


@lru_cache(maxsize=1)
def _european():
    return with_phases(open_network("ieee_european_lv"))


def _star_at(network, powers_kw):
    """Return the published powers at power factor 0.95, (node, 3) [kVA]."""
    model, sites = network.grid.phase_model, network.sites
    star = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    bus = network.net.bus.index.get_indexer(sites.bus)
    phase = ["abc".index(p) for p in sites.phases]
    s = np.asarray(powers_kw) * (1 + 1j * np.tan(np.arccos(0.95)))
    np.add.at(star, (model.bus_node[bus], phase), s)
    return star


def _bus_volt(network, voltage, names):
    bus = names.astype(str).str.removeprefix("Bus").astype(int)
    node = network.grid.phase_model.bus_node[network.net.bus.index.get_indexer(bus)]
    return voltage[node]


@pytest.mark.reference
@pytest.mark.parametrize("minute", [1, 566, 1440])
def test_the_published_snapshots_are_met_within_a_millivolt(minute, reference):
    folder = reference / "reference/powerflow/ieee_european_lv"
    powers = pd.read_csv(folder / "inputs/profiles_1min_55.csv", index_col="minute")
    network = _european()
    found = solve_phases(network.grid.phase_model, _star_at(network, powers.loc[minute]))
    published = pd.read_csv(folder / f"expected_csv/snapshot_{minute:04d}_gridlabd_voltages.csv")
    published = published[published.node_name.str.startswith("Bus")]
    own = _VOLT * _bus_volt(network, found, published.node_name)
    wanted = published[[f"volt{p}_mag" for p in "ABC"]].to_numpy()
    assert own.shape == (906, 3)
    assert np.abs(np.abs(own) - wanted).max() < 1e-4
    angle = published[[f"volt{p}_angle" for p in "ABC"]].to_numpy()
    assert np.abs(own - wanted * np.exp(1j * angle)).max() < 1e-3
    other = pd.read_csv(folder / f"expected_csv/snapshot_{minute:04d}_opendss_voltages.csv")
    other = other[other.Bus.astype(str).str.isdigit()]
    own = _VOLT * np.abs(_bus_volt(network, found, other.Bus))
    assert own.shape == (906, 3)
    assert np.abs(own - other[[f"Magnitude{p}" for p in (1, 2, 3)]].to_numpy()).max() < 5e-3


def _balanced_flow(admittance, s_kva):
    """Return node voltages of the balanced equivalent, solved densely."""
    y = admittance.y_bus.toarray()
    held = admittance.slack_node
    free = np.setdiff1d(np.arange(len(y)), held)
    v = np.ones(len(y), dtype=complex)
    v[held] = admittance.slack_vm_pu
    fixed = 0 if admittance.fixed_s_kva is None else admittance.fixed_s_kva
    s = (s_kva + fixed) / admittance.s_base_kva
    for _ in range(200):
        pull = y[np.ix_(free, held)] @ v[held] + np.conj(s[free] / v[free])
        v[free] = np.linalg.solve(y[np.ix_(free, free)], -pull)
    return v


def _equals_balanced(net, loads_kva, **options):
    """Return the largest difference of the phase model under equal phases and the balanced flow."""
    network = with_phases(network_of(net), **options)
    grid, model = network.grid, network.grid.phase_model
    count = len(grid.admittance.node_vn_kv)
    s = np.zeros(count, dtype=complex)
    for bus, power in loads_kva.items():
        s[grid.bus_node[net.bus.index.get_loc(bus)]] += power
    found = solve_phases(model, np.repeat(s[:, None] / 3, 3, axis=1))[:count]
    turn = np.exp(-2j * np.pi / 3)
    wanted = _balanced_flow(grid.admittance, s)[:, None] * [1, turn, np.conj(turn)]
    return np.abs(found - wanted).max()


@pytest.mark.parametrize(
    "group", ["Dyn5", "YNyn", "Yyn", "Yzn", "Dd", "YNd", "Yd", "Dy", "Yy", "Dzn"]
)
def test_equal_phases_are_the_balanced_flow(group):
    shift = 150.0 if group == "Dyn5" else 30.0
    net = station(group, shift, s_sc_mva=1e7)
    assert _equals_balanced(net, {3: 180 + 60j, 2: 90 - 15j}) < 1e-10


def test_equal_phases_are_the_balanced_flow_with_all_a_net_may_hold():
    net = station("Dyn", 150, s_sc_mva=1e7)
    net.trafo["parallel"] = 2
    far = pp.create_bus(net, 0.4)
    pp.create_switch(net, 3, far, et="b", closed=True)
    ring = pp.create_line_from_parameters(
        net, 1, far, 0.3, r_ohm_per_km=0.2, x_ohm_per_km=0.08, c_nf_per_km=300, max_i_ka=0.2,
        r0_ohm_per_km=0.8, x0_ohm_per_km=0.3, c0_nf_per_km=200, g_us_per_km=2.0,
    )  # fmt: skip
    pp.create_switch(net, far, ring, et="l", closed=False)
    tail = pp.create_bus(net, 0.4)
    pp.create_switch(net, far, tail, et="b", closed=True, z_ohm=0.02)
    other = pp.create_bus(net, 0.4)
    pp.create_impedance(
        net, 2, other, rft_pu=0.01, xft_pu=0.02, sn_mva=0.5, rtf_pu=0.015, xtf_pu=0.02,
        rft0_pu=0.03, xft0_pu=0.05, rtf0_pu=0.03, xtf0_pu=0.05, gf0_pu=0, bf0_pu=0, gt0_pu=0, bt0_pu=0,
    )  # fmt: skip
    pp.create_shunt(net, other, q_mvar=-0.02, p_mw=0.001)
    pp.create_ward(net, 2, ps_mw=0.004, qs_mvar=0.001, pz_mw=0.002, qz_mvar=0.001)
    pp.create_motor(net, tail, pn_mech_mw=0.01, cos_phi=0.85, efficiency_percent=92)
    assert _equals_balanced(net, {3: 60 + 20j, other: 30, tail: 12 + 3j}) < 1e-10


def test_a_source_ideal_in_positive_sequence_errs_by_less_than_a_billionth():
    assert _equals_balanced(station("Dyn", 150, s_sc_mva=100.0), {3: 180 + 60j}) < 2e-9


def test_a_source_impedance_in_all_sequences_drops_the_busbar_as_ohm_says():
    net = station("Dyn", 150, s_sc_mva=50.0)
    model = phases_of(net, source_impedance=True)
    s = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    s[model.bus_node[0]] = 1000 / 3 + 400j / 3
    light = copy.deepcopy(net)
    light.trafo["pfe_kw"] = light.trafo["i0_percent"] = 0.0
    light.line["c_nf_per_km"] = 0.0
    model = phases_of(light, source_impedance=True)
    found = solve_phases(model, s)[model.bus_node[0], 0]
    x = 1.1 / 50 / np.sqrt(1 + 0.3**2)
    z = x * (0.3 + 1j)
    # V = E - Z conj(S / V) at 1 MVA base.
    assert found == pytest.approx(1.01 - z * np.conj((1 + 0.4j) / found), abs=1e-9)


@pytest.mark.parametrize(
    ("group", "shift"),
    [("Dyn", 150), ("Dyn", 330), ("YNyn", 0), ("YNyn", 180), ("Yzn", 150), ("Yzn", 30)],
)
def test_single_phase_loads_agree_with_runpp_3ph(group, shift):
    net = station(group, shift, s_sc_mva=200.0)
    net.trafo["parallel"] = 2
    pp.create_asymmetric_load(
        net, 3, p_a_mw=0.03, q_a_mvar=0.01, p_b_mw=0.005, p_c_mw=-0.01, q_c_mvar=0.002
    )
    pp.create_asymmetric_load(net, 2, p_b_mw=0.02, q_b_mvar=0.005)
    pp.create_asymmetric_load(net, 3, p_a_mw=0.01, p_c_mw=0.02, q_c_mvar=0.004, type="delta")
    model = phases_of(net)
    star, delta = table_powers(net, model)
    own = solve_phases(model, star, delta)[model.bus_node]
    pp.runpp_3ph(net)
    found = net.res_bus_3ph
    theirs = np.stack(
        [found[f"vm_{p}_pu"] * np.exp(1j * np.deg2rad(found[f"va_{p}_degree"])) for p in "abc"],
        axis=1,
    )
    assert np.abs(own - theirs).max() < 3e-6


def test_impedances_shunts_and_open_lines_agree_with_runpp_3ph():
    net = station("Dyn", 150, s_sc_mva=200.0)
    far, other = pp.create_bus(net, 0.4), pp.create_bus(net, 0.4)
    pp.create_switch(net, 3, far, et="b", closed=True)
    ring = pp.create_line_from_parameters(
        net, 1, far, 0.3, r_ohm_per_km=0.2, x_ohm_per_km=0.08, c_nf_per_km=3e4, max_i_ka=0.2,
        r0_ohm_per_km=0.8, x0_ohm_per_km=0.3, c0_nf_per_km=2e4, parallel=2,
    )  # fmt: skip
    pp.create_switch(net, far, ring, et="l", closed=False)
    pp.create_impedance(
        net, 2, other, rft_pu=0.01, xft_pu=0.02, sn_mva=0.5, rft0_pu=0.03, xft0_pu=0.05,
        rtf0_pu=0.03, xtf0_pu=0.05, gf0_pu=0, bf0_pu=0, gt0_pu=0, bt0_pu=0,
    )  # fmt: skip
    pp.create_shunt(net, other, q_mvar=-0.02, p_mw=0.003)
    pp.create_asymmetric_load(net, other, p_a_mw=0.03, q_a_mvar=0.01, p_b_mw=0.005)
    pp.create_asymmetric_load(net, far, p_b_mw=0.02, q_b_mvar=0.005)
    model = phases_of(net)
    own = np.abs(solve_phases(model, *table_powers(net, model))[model.bus_node])
    pp.runpp_3ph(net)
    theirs = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    assert np.abs(own - theirs).max() < 3e-6


def test_a_shunt_without_a_neutral_draws_no_zero_sequence():
    net = station("Dy", 150)
    pp.create_shunt(net, 3, q_mvar=-0.02, p_mw=0.003)
    model = phases_of(net)
    at = model.y_shunt[model.bus_node[3]]
    assert np.abs(at).max() > 1e-3
    assert np.abs(at.sum(axis=1)).max() < 1e-12


def test_what_runpp_3ph_leaves_out_is_solved_here():
    net = station("Dyn", 150, s_sc_mva=1e7)
    net.ext_grid["s_sc_max_mva"] = 1e7
    pp.create_load(net, 3, p_mw=0.06, q_mvar=0.02)
    net.load["type"] = "household"
    pp.create_storage(net, 3, p_mw=0.03, max_e_mwh=0.1)
    pp.create_sgen(net, 2, p_mw=0.01)
    model = phases_of(net)
    star, delta = table_powers(net, model)
    own = np.abs(solve_phases(model, star, delta)[model.bus_node])
    pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-10)
    assert np.abs(own - net.res_bus.vm_pu.to_numpy()[:, None]).max() < 1e-8
    pp.runpp_3ph(net)
    theirs = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    empty = np.abs(solve_phases(model, 0 * star)[model.bus_node])
    assert np.abs(theirs - empty).max() < 1e-6 < 0.01 < np.abs(theirs - own).max()


def test_parts_without_a_neutral_are_not_earthed_and_hold_their_zero_sequence():
    for group, earthed in (
        ("Dd", False),
        ("Yd", False),
        ("Dy", False),
        ("Yy", False),
        ("Dyn", True),
    ):
        model = phases_of(station(group, 30 if group in ("Yd", "Dy", "Dyn") else 0))
        at = model.bus_node[1:]
        assert model.earthed[at].tolist() == [earthed] * 3
        assert model.earthed[model.bus_node[0]]
        assert any("no neutral" in note.text for note in model.notes) == (not earthed)
        delta = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
        delta[model.bus_node[3]] = [40 + 5j, 0, 10]
        voltage = solve_phases(model, 0 * delta, delta)
        assert abs(voltage[model.bus_node[1]].sum()) < (1e-9 if not earthed else 1e-6)


def test_holding_the_zero_sequence_leaves_phase_to_phase_voltages_alone():
    model = phases_of(station("Dd", 0))
    delta = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    delta[model.bus_node[3]] = [40 + 5j, 0, 10]
    soft = dataclasses.replace(model, y_shunt=1e-3 * model.y_shunt)
    one, two = (solve_phases(m, 0 * delta, delta) @ STAR_TO_DELTA.T for m in (model, soft))
    assert np.abs(one - two).max() < 1e-10


def test_a_source_without_neutral_leaves_the_medium_voltage_unearthed():
    for s_sc_mva in (100.0, 1e8):
        model = phases_of(station("Dyn", 150, x0x=np.inf, s_sc_mva=s_sc_mva))
        assert model.earthed[model.bus_node].tolist() == [False, True, True, True]


def test_an_unknown_word_and_elements_beyond_the_engine_are_refused():
    network = network_of(station("Dyn", 150))
    with pytest.raises(InputError, match='must be "require" or "assume"'):
        with_phases(network, zero_sequence="guess")
    beyond = dataclasses.replace(
        network, grid=dataclasses.replace(network.grid, beyond_batched=("gen 0 holds its voltage",))
    )
    with pytest.raises(GridError, match="gen 0 holds its voltage"):
        with_phases(beyond)


def test_putting_a_network_into_phases_twice_repeats_no_note():
    network = network_of(station("Dd", 0))
    once = with_phases(network)
    twice = with_phases(once)
    assert once.notes == twice.notes
    assert len(once.notes) == 2
    assert network.grid.phase_model is None


def test_external_grids_at_one_bus_are_parallel():
    one, two = station("Dyn", 150, s_sc_mva=200.0), station("Dyn", 150, s_sc_mva=100.0)
    pp.create_ext_grid(
        two, 0, vm_pu=1.01, s_sc_max_mva=100.0, rx_max=0.3, x0x_max=1.0, r0x0_max=0.2
    )
    single, double = phases_of(one, source_impedance=True), phases_of(two, source_impedance=True)
    assert np.allclose(single.y[-1], double.y[-1], rtol=1e-12)
    assert len(single.slack_node) == len(double.slack_node) == 1


def test_a_slack_generator_is_an_ideal_source():
    net = station("Dyn", 150)
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 0, p_mw=0.0, vm_pu=1.01, slack=True)
    model = phases_of(net)
    assert model.slack_node.tolist() == [model.bus_node[0]]
    assert len(model.branch_from) == 3
    assert model.earthed.all()
