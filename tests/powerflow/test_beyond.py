"""What holds a voltage or a power is solved by pandapower, and the result says so."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.powerflow import engine_for
from tests.powerflow import nets
from tests.powerflow.test_elements import ALL, opened, station


def generator(net):
    pp.create_gen(net, 3, p_mw=1.5, vm_pu=1.015, scaling=0.8)


def limited_generator(net):
    pp.create_gen(net, 3, p_mw=1.5, vm_pu=1.03, min_q_mvar=-0.1, max_q_mvar=0.1)


def extended_ward(net):
    pp.create_xward(net, 3, 0.2, 0.1, 0.05, -0.02, r_ohm=0.5, x_ohm=2.0, vm_pu=1.01)


def dc_line(net):
    pp.create_dcline(net, 2, 3, 0.3, 1.0, 0.01, vm_from_pu=1.0, vm_to_pu=1.005)


def var_compensator(net):
    pp.create_svc(net, 3, 1.0, -10.0, set_vm_pu=1.01, thyristor_firing_angle_degree=120.0)


def synchronous_compensator(net):
    pp.create_ssc(net, 3, r_ohm=0.1, x_ohm=5.0, set_vm_pu=1.01)


def series_capacitor(net):
    beyond = pp.create_bus(net, 20.0)
    pp.create_tcsc(
        net, 3, beyond, x_l_ohm=0.1, x_cvar_ohm=-1.0, set_p_to_mw=-0.4,
        thyristor_firing_angle_degree=140.0, controllable=False,
    )  # fmt: skip


def converters(net):
    dc = pp.create_buses_dc(net, 2, vn_kv=20.0)
    pp.create_line_dc_from_parameters(net, dc[0], dc[1], 5.0, r_ohm_per_km=0.1, max_i_ka=1.0)
    for bus, node, mode, value in ((2, dc[0], "vm_pu", 1.0), (3, dc[1], "p_mw", 0.3)):
        pp.create_vsc(
            net, bus, node, 0.1, 5.0, 0.15, control_mode_ac="q_mvar", control_value_ac=0.05,
            control_mode_dc=mode, control_value_dc=value,
        )  # fmt: skip


BEYOND = [
    (generator, "generator 0 (holds its voltage)"),
    (limited_generator, "generator 0 (holds its voltage)"),
    (extended_ward, "extended ward 0 (holds an internal voltage)"),
    (dc_line, "direct-current line 0 (holds the voltage at both ends)"),
    (var_compensator, "static var compensator 0 (holds a voltage)"),
    (synchronous_compensator, "static synchronous compensator 0 (holds a voltage)"),
    (series_capacitor, "thyristor-controlled series capacitor 0 (holds a power)"),
    (converters, "voltage source converter 0 (holds a voltage or power)"),
]


def plain(net, given, lane, **more):
    """Return the net solved by pandapower alone, from the start that its elements need."""
    solved = nets.copy.deepcopy(net)
    for k, bus in enumerate(given.bus):
        pp.create_load(
            solved, solved.bus.index[bus], given.p_kw[0, lane, k] / 1e3,
            given.q_kvar[0, lane, k] / 1e3,
        )  # fmt: skip
    options = {"calculate_voltage_angles": True, "tolerance_mva": 1e-10, "max_iteration": 50}
    try:
        pp.runpp(solved, init="dc", lightsim2grid=False, **options, **more)
    except pp.LoadflowNotConverged:
        pp.runpp(solved, init="flat", lightsim2grid=False, **options, **more)
    return solved


@pytest.mark.parametrize(("add", "words"), BEYOND, ids=[add.__name__ for add, _ in BEYOND])
def test_what_holds_a_voltage_is_solved_by_pandapower_and_says_so(add, words):
    # FACTS of pandapower do not find home behind a shifted transformer.
    net = station(shift_degree=0.0)
    add(net)
    network = opened(net)
    assert network.grid.beyond_batched[0] == words
    given = nets.random_injections([2, 3], 2, 400.0, 7)
    engine = engine_for(network)
    found = engine.solve(network.grid, given, ALL)
    assert found.engine.startswith("pandapower")
    assert words in found.notes[0].text
    assert (found.status == 0).all()
    assert found.residual_kva.max() < 1e-3
    for lane in range(2):
        solved = plain(net, given, lane, enforce_q_lims=add is limited_generator)
        nets.assert_agrees(solved, network.grid, nets.lane(found, lane))
        np.testing.assert_allclose(found.line_i_ka[0, lane], solved.res_line.i_ka, atol=1e-8)


def test_a_generator_at_its_reactive_limit_lets_the_voltage_go():
    net = station()
    limited_generator(net)
    network = opened(net)
    given = nets.injections([2], [[[500.0]]], [[[200.0]]])
    found = engine_for(network).solve(network.grid, given)
    free = station()
    pp.create_sgen(free, 3, 1.5, 0.1)
    pp.create_load(free, 2, 0.5, 0.2)
    pp.runpp(free, calculate_voltage_angles=True, tolerance_mva=1e-10)
    np.testing.assert_allclose(found.vm_pu[0, 0], free.res_bus.vm_pu, rtol=0, atol=1e-8)
    assert any("within the limits" in note.text for note in found.notes)


@pytest.mark.parametrize(
    ("add", "more"),
    [(dc_line, 0.0), (synchronous_compensator, 0.0), (converters, 0.0), (generator, 1200.0)],
)
def test_power_in_is_power_drawn_plus_losses_also_where_pandapower_solves(add, more):
    net = station(shift_degree=0.0)
    add(net)
    network = opened(net)
    given = nets.injections([2, 3], [[[500.0, 400.0]]], [[[0.0, 0.0]]])
    found = engine_for(network).solve(network.grid, given)
    expected = 900.0 - more + found.losses_kw[0, 0]
    assert found.transformer_p_kw[0, 0, 0] == pytest.approx(expected, abs=1e-4)
    assert found.losses_kw[0, 0] > 0


def test_a_wrong_voltage_at_a_generators_bus_fails_the_check_of_its_active_power(monkeypatch):
    net = station()
    generator(net)
    network = opened(net)
    engine = engine_for(network)
    given = nets.injections([2], [[[500.0]]], [[[200.0]]])
    true = engine.solve(network.grid, given)
    run = pp.runpp

    def shifted(own, **options):
        run(own, **options)
        own.gen["p_mw"] = own.gen["p_mw"] + 0.1

    monkeypatch.setattr(pp, "runpp", shifted)
    assert true.status.tolist() == [[0]]
    assert engine.solve(network.grid, given).status.tolist() == [[1]]
