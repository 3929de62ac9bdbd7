"""Wrong networks are refused before any solve, with table, row, value and remedy; doubtful ones noted."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network.check import check_net
from gridimpact.network.check_base import check_base_case
from tests.network.nets import feeder


def _errors(net):
    problems, _ = check_net(net)
    return [str(p) for p in problems if p.severity == "error"]


def _warnings(net):
    problems, notes = check_net(net)
    assert all(n.text for n in notes)
    return [str(p) for p in problems if p.severity == "warning"] + [n.text for n in notes]


def _set(table, column, value, row=0):
    def change(net):
        if isinstance(value, str):
            net[table][column] = net[table][column].astype(object)
        net[table].loc[row, column] = value

    return change


def _two_sources(angle, vm_pu, bus=1):
    def change(net):
        pp.create_ext_grid(net, bus, vm_pu=vm_pu, va_degree=angle)

    return change


def _swap(net):
    net.trafo[["hv_bus", "lv_bus"]] = net.trafo[["lv_bus", "hv_bus"]].to_numpy()


def _switch(bus, element, et="l"):
    def change(net):
        pp.create_switch(net, 1, 0, et="l")
        net.switch.loc[0, ["bus", "element", "et"]] = [bus, element, et]

    return change


def _join_levels(net):
    net.bus.loc[3, "vn_kv"] = 0.69


REFUSED = {
    "load at no bus": (_set("load", "bus", 99), "load, bus: row 0 (99): no such bus"),
    "line to no bus": (_set("line", "to_bus", 77), "line, to_bus: row 0 (77)"),
    "no source": (lambda n: n.ext_grid.__setitem__("in_service", False), "ext_grid: has no source"),
    "source at a dead bus": (_set("bus", "in_service", False), "ext_grid: has no source"),
    "two sources turned": (_two_sources(0.0, 1.02), "angles 150 degree apart"),
    "two set-points at one bus": (_two_sources(0.0, 1.05, bus=0), "ext_grid 0 1.02 pu, ext_grid 1 1.05 pu"),
    "two set-points in one island": (_two_sources(-150.0, 1.05), "set-points more than"),
    "length zero": (_set("line", "length_km", 0.0), "line, length_km: row 0 (0): must be above 0"),
    "length below zero": (_set("line", "length_km", -0.1), "row 0 (-0.1)"),
    "length missing": (_set("line", "length_km", np.nan), "row 0 (nan)"),
    "a micrometre": (_set("line", "length_km", 1e-9), "impedance is below 1e-06 pu"),
    "ampacity zero": (_set("line", "max_i_ka", 0.0), "line, max_i_ka: row 0 (0): must be above 0"),
    "ampacity infinite": (_set("line", "max_i_ka", np.inf), "row 0 (inf)"),
    "no resistance": (_set("line", "r_ohm_per_km", np.nan), "line, r_ohm_per_km: row 0 (nan)"),
    "negative reactance": (_set("line", "x_ohm_per_km", -0.1), "must be 0 or more"),
    "volts for kilovolts": (_set("bus", "vn_kv", 10_000.0), "give it in kV, not in V"),
    "ratio off the bus": (_set("trafo", "vn_lv_kv", 0.69), "more than 20 %"),
    "sides swapped": (_swap, "swap hv_bus and lv_bus"),
    "rating missing": (_set("trafo", "sn_mva", np.nan), "trafo, sn_mva: row 0 (nan)"),
    "rating in kVA": (_set("trafo", "sn_mva", 250.0), "give the rating in MVA, not in kVA"),
    "resistive above whole": (_set("trafo", "vkr_percent", 9.0), "is above vk_percent"),
    "tap out of range": (_set("trafo", "tap_pos", 3), "outside tap_min to tap_max"),
    "levels joined": (_join_levels, "joins two voltage levels, 0.4 and 0.69 kV"),
    "switch elsewhere": (_switch(4, 0), "the bus is no end of its element"),
    "switch on no line": (_switch(1, 99), "no such element of kind 'l'"),
    "switch of no kind": (_switch(1, 0, "x"), "must be 'b', 'l', 't' or 't3'"),
    "kW for MW": (lambda n: n.load.__setitem__("p_mw", 4.0), "divide by 1000 if it holds kW"),
    "set-point in kV": (_set("ext_grid", "vm_pu", 10.2), "must lie in 0.8 to 1.2 pu"),
    "no power": (_set("load", "p_mw", np.nan), "load, p_mw: row 0 (nan): must be a finite"),
    "endless power": (_set("load", "q_mvar", np.inf), "load, q_mvar: row 0 (inf)"),
    "scaling missing": (_set("load", "scaling", np.nan), "load, scaling: row 0 (nan)"),
    "shares over 100 %": (
        lambda n: (_set("load", "const_z_p_percent", 60.0)(n), _set("load", "const_i_p_percent", 60.0)(n)),
        "above 100 %",
    ),
    "generator against a source": (
        lambda n: pp.create_gen(n, 0, p_mw=0.01, vm_pu=1.0), "ext_grid 0 1.02 pu, gen 0 1 pu",
    ),
    "generator's set-point in kV": (lambda n: pp.create_gen(n, 3, 0.01, vm_pu=0.4), "gen, vm_pu: row 0 (0.4)"),
    "reactive limits swapped": (
        lambda n: pp.create_gen(n, 3, 0.01, min_q_mvar=0.1, max_q_mvar=-0.1), "is above max_q_mvar",
    ),
    "motor without power factor": (lambda n: pp.create_motor(n, 3, 0.01, 0.0), "motor, cos_phi: row 0 (0)"),
    "ward of no power": (lambda n: pp.create_ward(n, 3, np.nan, 0, 0, 0), "ward, ps_mw: row 0 (nan)"),
    "dc line to no bus": (
        lambda n: (pp.create_dcline(n, 2, 3, 0.01, 1, 0.001, 1.0, 1.0), _set("dcline", "to_bus", 99)(n)),
        "dcline, to_bus: row 0 (99): no such bus",
    ),
    "bipolar converter": (
        lambda n: pp.create_vsc_bipolar(n, 3, pp.create_bus_dc(n, 1.0), pp.create_bus_dc(n, 1.0), 0.1, 5, 0.15),
        "vsc_bipolar: row 0: this element is not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_place_and_remedy(case):
    change, words = REFUSED[case]
    net = feeder()
    change(net)
    errors = _errors(net)
    assert any(words in text for text in errors), errors
    assert all(" -> " in text for text in errors)


def test_a_sound_net_has_no_problem():
    assert check_net(feeder()) == ([], [])


def test_all_problems_come_at_once():
    net = feeder()
    for name in ("length below zero", "rating in kVA", "tap out of range", "no power"):
        REFUSED[name][0](net)
    assert len(_errors(net)) == 4


def test_elements_out_of_service_may_be_wrong():
    net = feeder()
    net.line.loc[2, "length_km"] = -1.0
    net.line.loc[2, "in_service"] = False
    pp.create_gen(net, 3, p_mw=0.01, in_service=False)
    assert _errors(net) == []


def _meters(net):
    pp.create_asymmetric_load(net, 3, p_a_mw=0.001)


def _ring(net):
    pp.create_line(net, 1, 4, 0.1, "NAYY 4x150 SE")


DOUBTED = {
    "below a centimetre": (_set("line", "length_km", 5e-6), "is below 1 cm"),
    "odd angle of impedance": (_set("line", "x_ohm_per_km", 1e-4), "r/x lies outside"),
    "kW over a thousand": (lambda n: n.load.__setitem__("p_mw", 4e-9), "below 1 W"),
    "customer given twice": (_meters, "the bus has a symmetric load too"),
    "a load that feeds in": (_set("load", "p_mw", -0.001), "feeds in"),
    "a ring": (_ring, "1 closed loops"),
    "a tap without a type": (
        lambda n: (_set("trafo", "tap_changer_type", None)(n), _set("trafo", "tap_pos", 1)(n)),
        "has no effect",
    ),
}


@pytest.mark.parametrize("case", DOUBTED)
def test_it_is_told_and_the_study_goes_on(case):
    change, words = DOUBTED[case]
    net = feeder()
    change(net)
    assert _errors(net) == []
    assert any(words in text for text in _warnings(net))


def test_demand_without_supply_is_told_with_its_size():
    net = feeder()
    pp.create_switch(net, 2, 1, et="l", closed=False)
    _, notes = check_net(net)
    assert [n.kind for n in notes] == ["warning"]
    assert "2 buses without supply (row 3, row 4), 8 kW" in notes[0].text


def test_a_whole_island_without_source_is_listed():
    net = feeder()
    a, b = pp.create_bus(net, 0.4), pp.create_bus(net, 0.4)
    pp.create_line(net, a, b, 0.1, "NAYY 4x150 SE")
    _, notes = check_net(net)
    assert notes[0].kind == "info"
    assert f"row {a}, row {b}" in notes[0].text


def test_two_sources_that_agree_are_allowed():
    net = feeder()
    pp.create_ext_grid(net, 1, vm_pu=1.02, va_degree=-150.0)
    assert _errors(net) == []


def test_a_base_case_without_solution_is_told_apart_from_bad_data():
    net = feeder()
    assert check_base_case(net) == []
    heavy = copy.deepcopy(net)
    heavy.load["p_mw"] = 0.09
    heavy.load["scaling"] = 20.0
    assert "5400 kW on transformers of 250 kVA" in str(check_base_case(heavy)[0])
    assert heavy.load.scaling.iloc[0] == 20.0
    broken = copy.deepcopy(net)
    broken.trafo["vk_percent"] = np.nan
    assert "even without demand" in str(check_base_case(broken)[0])


def test_three_winding_transformers_are_checked_and_join_levels():
    net = pp.create_empty_network()
    hv, mv, lv = (pp.create_bus(net, v) for v in (110.0, 20.0, 10.0))
    pp.create_ext_grid(net, hv)
    pp.create_transformer3w(net, hv, mv, lv, "63/25/38 MVA 110/20/10 kV")
    pp.create_load(net, lv, p_mw=1.0)
    assert check_net(net)[0] == []
    pp.create_ext_grid(net, mv, va_degree=30.0)
    assert any("angles" in text for text in _errors(net))
    net.trafo3w.loc[0, "sn_lv_mva"] = 0.0
    assert any("trafo3w, sn_lv_mva" in text for text in _errors(net))


def test_what_is_switched_off_at_every_end_is_told():
    net = feeder()
    for bus in (2, 3):
        pp.create_switch(net, bus, 1, et="l", closed=False)
    pp.create_switch(net, 3, 2, et="l", closed=False)
    assert "row 1: switched off at every end, carries nothing" in _warnings(net)


def test_a_source_at_a_dead_bus_is_no_source_even_as_a_generator():
    net = feeder()
    net.ext_grid["in_service"] = False
    dead = pp.create_bus(net, 10.0, in_service=False)
    pp.create_gen(net, dead, p_mw=0.0, slack=True)
    assert any("has no source in service" in text for text in _errors(net))


def test_a_converter_to_no_bus_of_direct_current_is_named():
    net = feeder()
    pp.create_vsc(net, 3, pp.create_bus_dc(net, 1.0), 0.1, 5.0, 0.15)
    net.vsc["bus_dc"] = 9
    assert any("vsc, bus_dc: row 0 (9): no such bus in table bus_dc" in t for t in _errors(net))


def test_buses_fused_by_a_closed_switch_are_held_at_one_voltage():
    net = feeder()
    twin = pp.create_bus(net, 10.0)
    pp.create_switch(net, 0, twin, et="b")
    pp.create_gen(net, twin, p_mw=0.01, vm_pu=1.0)
    assert any("held at different voltages" in text for text in _errors(net))
    net.switch["closed"] = False
    assert not any("held at different voltages" in text for text in _errors(net))
