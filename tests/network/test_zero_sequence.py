"""Missing zero-sequence data are named one by one, or assumed with a stated source."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network import list_networks, open_network, with_phases
from gridimpact.network.zero_sequence import (
    doubtful_cores,
    doubtful_shifts,
    group_problems,
    missing_zero_sequence,
)
from gridimpact.network.zero_sequence_assumed import assume_zero_sequence
from tests.network.nets import feeder
from tests.network.phase_flow import solve_phases
from tests.network.phase_nets import network_of, phases_of, station

_CORE = "vk0_percent, vkr0_percent, mag0_percent, mag0_rx, si0_hv_partial"


def _where(problems):
    return {problem.where: problem.what for problem in problems}


def test_every_element_and_column_that_lacks_is_named():
    net = feeder(2)
    net.trafo["vector_group"] = "Dyn5"
    for column in ("vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial"):
        net.trafo[column] = np.nan
    for column in ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"):
        net.line.loc[:, column] = [np.nan, 0.8]
    found = _where(missing_zero_sequence(net))
    assert found == {
        "line 0": "lacks r0_ohm_per_km, x0_ohm_per_km, c0_nf_per_km",
        "trafo 0": f"lacks {_CORE}",
        "ext_grid 0": "lacks s_sc_max_mva, rx_max, x0x_max, r0x0_max",
    }
    with pytest.raises(GridError, match="zero sequence: 3 problems") as caught:
        with_phases(network_of(net))
    assert 'zero_sequence="assume"' in str(caught.value)


def test_what_is_out_of_service_or_cannot_carry_zero_sequence_lacks_nothing():
    net = station("Dd", 0)
    net.trafo[_CORE.split(", ")] = np.nan
    assert missing_zero_sequence(net) == []
    net.line.loc[0, "r0_ohm_per_km"] = np.nan
    net.line["in_service"] = False
    assert missing_zero_sequence(net) == []
    assert list(_where(missing_zero_sequence(feeder(1), full_lines=[0]))) == [
        "trafo 0",
        "ext_grid 0",
    ]


def test_after_twenty_rows_of_a_table_the_rest_is_counted():
    found = _where(missing_zero_sequence(feeder(30)))
    assert found["line"] == "10 more rows lack zero-sequence data"
    assert sum(where.startswith("line ") for where in found) == 20


def test_low_voltage_lines_are_taken_for_four_equal_conductors():
    net = feeder(2)
    filled, notes = assume_zero_sequence(net)
    for column in ("r", "x"):
        assert np.allclose(
            filled.line[f"{column}0_ohm_per_km"], 4 * net.line[f"{column}_ohm_per_km"]
        )
    assert "r0_ohm_per_km" not in net.line
    line = next(note for note in notes if note.where == "line, zero sequence")
    assert line.kind == "assumption"
    assert "4 R1" in line.text
    assert "IEC 60909-2" in line.text
    assert "assumed for 2 of 2" in line.text
    assert missing_zero_sequence(filled) == []


def test_medium_voltage_lines_follow_carson_and_cables_their_screens():
    net = station("Dyn", 150)
    for kind in ("ol", "cs"):
        bus = pp.create_bus(net, 20.0)
        pp.create_line_from_parameters(
            net,
            0,
            bus,
            1.0,
            r_ohm_per_km=0.3,
            x_ohm_per_km=0.36,
            c_nf_per_km=10,
            max_i_ka=0.3,
            type=kind,
        )
    filled, _ = assume_zero_sequence(net)
    overhead, cable = filled.line.iloc[2], filled.line.iloc[3]
    # Carson at 50 Hz and 100 ohm m: 0.148 ohm/km of earth, 931 m deep.
    assert overhead.r0_ohm_per_km == pytest.approx(0.3 + 0.14804, abs=1e-5)
    assert overhead.x0_ohm_per_km == pytest.approx(0.36 + 0.18850 * np.log(931 / 1.2), abs=2e-4)
    assert overhead.c0_nf_per_km == pytest.approx(6.0)
    assert cable.r0_ohm_per_km == pytest.approx(0.3 + 1 / (56 * 25e-3), abs=1e-3)
    assert cable.x0_ohm_per_km == 0.36
    given = net.line.loc[:1, ["r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"]]
    assert filled.line.loc[:1, given.columns].equals(given)


@pytest.mark.parametrize(
    ("group", "r0", "x0"),
    [("Dyn5", 1, 0.95), ("Yzn5", 0.4, 0.1), ("Dzn0", 0.4, 0.1), ("Yyn0", 0.1, 10.242)],
)
def test_assumed_transformers_show_the_published_zero_sequence(group, r0, x0):
    net = station(group, 0 if group.endswith("0") else 150)
    net.trafo[_CORE.split(", ")] = np.nan
    net.trafo["vn_lv_kv"], net.trafo["vn_hv_kv"], net.trafo["tap_pos"] = 0.4, 20.0, 0
    filled, notes = assume_zero_sequence(net)
    model = phases_of(filled)
    y0 = model.y[model.transformer_branch[0]][3:, 3:].sum() / 3
    z1 = (1 + 1j * np.sqrt(35)) / 100 / 0.63
    assert 1 / y0 == pytest.approx(r0 * z1.real + 1j * x0 * z1.imag, rel=1e-3)
    assert sum("ABB Switchgear Manual" in note.text for note in notes) == 1


def test_an_unknown_group_is_taken_for_dyn_and_said():
    net = station("Dyn", 150)
    net.trafo["vector_group"] = None
    filled, notes = assume_zero_sequence(net)
    assert filled.trafo.vector_group.tolist() == ["Dyn"]
    assert any('vector_group "Dyn"' in note.text for note in notes)


def test_sources_impedances_and_three_windings_are_filled_too():
    net = feeder(2)
    bus = pp.create_bus(net, 0.4)
    mid = pp.create_bus(net, 1.0)
    pp.create_impedance(net, 2, bus, rft_pu=0.01, xft_pu=0.02, sn_mva=0.5)
    pp.create_transformer3w_from_parameters(
        net, 0, mid, 1, vn_hv_kv=10, vn_mv_kv=1, vn_lv_kv=0.4, sn_hv_mva=0.3, sn_mv_mva=0.1,
        sn_lv_mva=0.3, vk_hv_percent=8.0, vk_mv_percent=4.0, vk_lv_percent=6.0, vkr_hv_percent=0.5,
        vkr_mv_percent=0.4, vkr_lv_percent=0.3, pfe_kw=0, i0_percent=0, shift_lv_degree=150,
    )  # fmt: skip
    filled, notes = assume_zero_sequence(net)
    assert filled.trafo3w.vector_group.tolist() == ["YNynd"]
    assert filled.impedance.rft0_pu.tolist() == [0.01]
    assert filled.ext_grid.s_sc_max_mva.tolist() == [1e8]
    assert missing_zero_sequence(filled) == []
    assert {note.where.split(",")[0] for note in notes} == {
        "line", "trafo", "trafo3w", "impedance", "ext_grid"
    }  # fmt: skip
    net.ext_grid["s_sc_max_mva"] = 300.0
    filled, notes = assume_zero_sequence(net)
    assert filled.ext_grid.x0x_max.tolist() == [1.0]
    assert any("R0/X0 = 0.1" in note.text for note in notes)


def test_a_group_that_contradicts_the_shift_or_is_unknown_is_refused():
    net = station("Dyn5", 330)
    problem = group_problems(net)[0]
    assert problem.where == "trafo 0, vector_group"
    assert "says 150 degrees, shift_degree is 330" in problem.what
    net.trafo["vector_group"] = "YNa0"
    assert "no vector group known here" in group_problems(net)[0].what
    net = station("Dyn", 150, si0=1.0)
    net.trafo["vk0_percent"], net.trafo["mag0_percent"] = 0.5, 0.0
    assert [p.where for p in group_problems(net)] == [
        "trafo 0, vk0_percent", "trafo 0, si0_hv_partial", "trafo 0, mag0_percent"
    ]  # fmt: skip
    net = station("Dyn", 150)
    net.line["r0_ohm_per_km"] = net.line["x0_ohm_per_km"] = 0.0
    assert [p.where for p in group_problems(net)] == ["line 0", "line 1"]


@pytest.mark.parametrize(
    ("group", "odd"),
    [("Dyn", True), ("YNd", True), ("Yd", True), ("Yzn", True), ("Dd", False), ("Dzn", False),
     ("Yyn", False), ("YNyn", False)],
)  # fmt: skip
def test_only_a_star_against_delta_or_zigzag_turns_by_an_odd_clock(group, odd):
    for clock in range(-2, 13):
        notes = doubtful_shifts(station(group, 30 * clock))
        assert bool(notes) == (clock % 2 != odd)
        for note in notes:
            assert (note.kind, note.where) == ("warning", "trafo 0, shift_degree")
            assert f"{group} has an {'odd' if odd else 'even'} clock" in note.text
            assert ("leave it at 0" in note.text) == (clock == 0)


def test_a_shift_between_two_clocks_is_warned_of_and_one_out_of_service_is_not():
    net = station("Dyn", 145)
    assert "145, no multiple of 30 degrees" in doubtful_shifts(net)[0].text
    net.trafo["in_service"] = False
    assert doubtful_shifts(net) == ()


def test_each_winding_of_three_has_the_clock_of_its_connection():
    net = feeder(1)
    bus, mid = pp.create_bus(net, 0.4), pp.create_bus(net, 1.0)
    pp.create_transformer3w_from_parameters(
        net, 0, mid, bus, vn_hv_kv=10, vn_mv_kv=1, vn_lv_kv=0.4, sn_hv_mva=0.3, sn_mv_mva=0.1,
        sn_lv_mva=0.3, vk_hv_percent=8.0, vk_mv_percent=4.0, vk_lv_percent=6.0, vkr_hv_percent=0.5,
        vkr_mv_percent=0.4, vkr_lv_percent=0.3, pfe_kw=0, i0_percent=0, shift_mv_degree=30,
    )  # fmt: skip
    net.trafo3w["vector_group"] = "YNynd"
    net.trafo["in_service"] = False
    net.trafo["vector_group"] = None
    assert [note.where for note in doubtful_shifts(net)] == [
        "trafo3w 0, shift_mv_degree", "trafo3w 0, shift_lv_degree"
    ]  # fmt: skip
    net.trafo3w["shift_mv_degree"], net.trafo3w["shift_lv_degree"] = 0.0, 150.0
    assert doubtful_shifts(net) == ()


def test_a_delta_star_without_its_shift_is_told_and_solved_as_it_stands():
    network = with_phases(network_of(station("Dyn", 0, mag0_percent=1e6)))
    assert [n.where for n in network.notes if n.kind == "warning"] == ["trafo 0, shift_degree"]
    model = network.grid.phase_model
    v = solve_phases(model, np.zeros((len(model.node_vn_kv), 3), dtype=np.complex128))
    turn = v[model.bus_node[1], 0] / v[model.bus_node[0], 0]
    assert np.angle(turn, deg=True) == pytest.approx(0.0, abs=0.5)


def test_a_core_as_small_as_the_leakage_is_warned_of():
    assert "3 or more is usual" in doubtful_cores(station("Dyn", 150, mag0_percent=100))[0].text
    assert doubtful_cores(station("Dyn", 150, mag0_percent=1e6)) == ()
    assert "0.1 is usual" in doubtful_cores(station("Yzn", 150, mag0_percent=1e6))[0].text
    assert with_phases(network_of(station("Dyn", 150))).notes[-1].kind == "warning"


def test_the_assumed_data_let_pandapower_solve_the_same_flow():
    network = with_phases(open_network("kerber_village"), zero_sequence="assume")
    net = copy.deepcopy(network.net)
    net.load["in_service"] = False
    pp.create_asymmetric_load(net, int(net.load.bus.iloc[-1]), p_a_mw=0.011, q_a_mvar=0.001)
    net.trafo["vector_group"] = "Dyn"
    pp.runpp_3ph(net)
    theirs = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    model = network.grid.phase_model
    star = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    star[model.bus_node[net.bus.index.get_loc(net.load.bus.iloc[-1])], 0] = 11 + 1j
    own = np.abs(solve_phases(model, star)[model.bus_node])
    assert np.abs(own - theirs).max() < 3e-6


@pytest.mark.parametrize("name", list(list_networks().index))
def test_every_packaged_network_is_solvable_in_three_phases_with_stated_assumptions(name):
    network = with_phases(open_network(name), zero_sequence="assume")
    model = network.grid.phase_model
    assert set(model.notes) <= set(network.notes)
    assert bool(model.notes) == (name != "ieee_european_lv")
    assert model.earthed.all()
    assert np.isfinite(model.y).all()
    empty = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    voltage = np.abs(solve_phases(model, empty))
    assert np.ptp(voltage, axis=1).max() < 1e-9
    assert 0.9 < voltage.min() < voltage.max() < 1.1
