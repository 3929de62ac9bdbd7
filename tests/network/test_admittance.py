"""The pi-model against pandapower's own power balance."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network.admittance import INJECTED, build_node_model, fixed_elements, passive_net
from tests.powerflow.nets import everything, plain_runpp, two_bus, village


def node_voltages(net, model):
    """Return pandapower's complex voltages at the nodes that carry a bus."""
    v = np.full(len(model.admittance.node_vn_kv), np.nan + 0j)
    vm_pu, angle = net.res_bus.vm_pu.to_numpy(), np.deg2rad(net.res_bus.va_degree.to_numpy())
    there = model.bus_node >= 0
    v[model.bus_node[there]] = (vm_pu * np.exp(1j * angle))[there]
    return v


def test_injected_power_equals_what_the_admittance_takes_at_pandapowers_voltages():
    net = everything()
    model = build_node_model(net)
    bus = np.flatnonzero(model.bus_node >= 0)
    solved = plain_runpp(net, bus, np.full(len(bus), 12.0), np.full(len(bus), 3.0))
    adm = model.admittance
    v = node_voltages(solved, model)
    # Star points and open line ends hold no bus: nothing is injected there, so they follow.
    hidden = np.flatnonzero(np.isnan(v))
    known = np.flatnonzero(~np.isnan(v))
    y = adm.y_bus.toarray()
    v[hidden] = np.linalg.solve(y[np.ix_(hidden, hidden)], -y[np.ix_(hidden, known)] @ v[known])
    drawn_kva = -(v * np.conj(y @ v)) * adm.s_base_kva
    expected = np.zeros(len(v), dtype=complex) + adm.fixed_s_kva
    np.add.at(expected, model.bus_node[bus], 12.0 + 3.0j)
    inner = np.setdiff1d(np.arange(len(v)), adm.slack_node)
    np.testing.assert_allclose(drawn_kva[inner], expected[inner], atol=1e-5)


def test_sources_hold_their_voltage_in_magnitude_and_angle():
    model = build_node_model(everything())
    assert np.abs(model.admittance.slack_vm_pu).tolist() == pytest.approx([1.02, 0.99])
    assert np.rad2deg(np.angle(model.admittance.slack_vm_pu)).tolist() == pytest.approx(
        [7.0, -30.0]
    )
    assert model.admittance.s_base_kva == 500.0


def test_closed_couplers_fuse_buses_and_open_ones_do_not():
    net = everything()
    node = build_node_model(net).bus_node
    low = 6
    assert node[low + 3] == node[low + 4]
    assert len({node[low + k] for k in (0, 4, 5, 6)}) == 4
    assert node[-3:].tolist() == [-1, -1, -1]


def test_a_slack_generator_is_a_source():
    net = two_bus()
    net.ext_grid.loc[0, "in_service"] = False
    pp.create_gen(net, 0, p_mw=0.0, vm_pu=1.03, slack=True)
    assert build_node_model(net).admittance.slack_vm_pu[0] == pytest.approx(1.03)


def test_shunts_of_motors_and_wards_are_counted_as_fixed_power():
    net = everything()
    bus, power = fixed_elements(net)
    pp.runpp(net, init="dc")
    assert bus.tolist() == [5, 3]
    assert power[0] == pytest.approx(1e3 * complex(net.res_motor.p_mw[0], net.res_motor.q_mvar[0]))
    assert power[1] == pytest.approx(20 + 10j)
    assert build_node_model(two_bus()).admittance.fixed_s_kva is None
    net.motor.loc[0, "in_service"] = net.ward.loc[0, "in_service"] = False
    assert build_node_model(net).admittance.fixed_s_kva is None


@pytest.mark.parametrize(
    ("add", "words"),
    [
        (lambda net: net.ext_grid.drop(net.ext_grid.index, inplace=True), "no source"),
        (lambda net: net.line.__setitem__("length_km", 0.0), "no impedance"),
        (
            lambda net: pp.create_impedance(net, 0, 1, rft_pu=0.0, xft_pu=0.0, sn_mva=1.0),
            "no impedance",
        ),
    ],
)
def test_what_a_fixed_admittance_cannot_hold_is_refused(add, words):
    net = two_bus()
    add(net)
    with pytest.raises(GridError, match=words):
        build_node_model(net)


def test_every_refusal_is_named_at_once():
    net = two_bus()
    net.line["length_km"] = 0.0
    net.ext_grid["in_service"] = False
    with pytest.raises(GridError) as error:
        build_node_model(net)
    assert [problem.where for problem in error.value.problems] == ["ext_grid", "line 0"]


def test_what_a_fixed_admittance_cannot_follow_is_left_out_of_it():
    plain = build_node_model(village()).admittance
    net = village()
    pp.create_gen(net, 3, p_mw=0.1, vm_pu=1.0)
    pp.create_xward(net, 4, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 1.0)
    pp.create_dcline(net, 5, 6, 0.1, 1.0, 0.001, 1.0, 1.0)
    pp.create_svc(net, 7, 1.0, -10.0, 1.0, 90.0)
    left = build_node_model(net).admittance
    assert (left.y_bus != plain.y_bus).nnz == 0
    assert left.slack_node.tolist() == plain.slack_node.tolist()


def test_buses_behind_a_series_capacitor_keep_their_supply():
    net = village()
    beyond = pp.create_bus(net, 0.4)
    pp.create_tcsc(
        net,
        7,
        beyond,
        x_l_ohm=0.01,
        x_cvar_ohm=-0.1,
        set_p_to_mw=-0.01,
        thyristor_firing_angle_degree=140,
    )
    assert build_node_model(net).bus_node[beyond] >= 0
    net.tcsc["in_service"] = False
    assert build_node_model(net).bus_node[beyond] < 0


def test_what_pandapower_cannot_convert_is_refused_with_its_words():
    net = village()
    net.trafo["vk_percent"] = 0.5
    net.trafo["vkr_percent"] = 1.4
    with pytest.raises(GridError, match="cannot convert it"):
        build_node_model(net)


def test_the_net_is_not_written_to():
    net = everything()
    pp.create_load(net, 3, 0.1)
    pp.create_gen(net, 0, p_mw=0.0, vm_pu=1.02, slack=True)
    net.shunt["vn_kv"] = np.nan
    before = copy.deepcopy(net)
    build_node_model(net)
    assert set(net.keys()) == set(before.keys())
    for key in before:
        if hasattr(before[key], "equals"):
            assert before[key].equals(net[key]), key


def test_the_passive_net_keeps_nothing_that_is_injected_or_steers():
    net = village()
    pp.create_load(net, 3, 0.1)
    pp.create_sgen(net, 3, 0.1)
    pp.create_storage(net, 3, 0.1, 1.0)
    pp.set_user_pf_options(net, trafo_model="pi")
    bare = passive_net(net)
    assert all(not len(bare[table]) for table in INJECTED)
    assert not len(bare.user_pf_options)
    assert len(net.load) == 1
    pp.runpp(bare)
    assert bare.converged
