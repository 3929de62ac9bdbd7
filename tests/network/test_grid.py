"""Feeders, distances, ratings and names of the extract, against networks measured by hand."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network.grid import extract_grid
from tests.powerflow.nets import everything, grid_of, two_bus, village

CABLE = "NAYY 4x150 SE"


def test_a_village_is_measured_from_its_busbar():
    grid = grid_of(village())
    # Buses: medium voltage, busbar, three on the first feeder, three on the second.
    assert grid.bus_distance_m.tolist() == pytest.approx([0, 0, 50, 100, 150, 70, 140, 210])
    assert grid.bus_feeder.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    assert grid.bus_transformer.tolist() == [-1, 0, 0, 0, 0, 0, 0, 0]
    assert grid.bus_supplied.all()
    assert grid.bus_phases.all()
    assert grid.line_length_m.tolist() == pytest.approx([50, 50, 50, 70, 70, 70])


def test_an_open_line_end_cuts_the_path_and_a_ring_takes_the_shorter_way():
    net = village()
    tie = pp.create_line(net, 4, 7, 0.03, CABLE)
    closed = grid_of(net)
    assert closed.bus_distance_m[[4, 7]].tolist() == pytest.approx([150, 180])
    assert closed.bus_feeder[[4, 7]].tolist() == [1, 1]
    switch = pp.create_switch(net, 4, tie, et="l", closed=False)
    assert grid_of(net).bus_distance_m[7] == pytest.approx(210)
    assert grid_of(net).bus_feeder[7] == 2
    net.switch.loc[switch, "closed"] = True
    net.line.loc[tie, "in_service"] = False
    assert grid_of(net).bus_distance_m[7] == pytest.approx(210)


def test_couplers_and_impedances_have_no_length_and_make_no_feeder():
    net = village()
    second_bar, behind = pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_switch(net, 1, second_bar, et="b")
    pp.create_impedance(net, second_bar, behind, rft_pu=0.01, xft_pu=0.01, sn_mva=1.0)
    far = pp.create_bus(net, 0.4)
    pp.create_line(net, second_bar, far, 0.09, CABLE)
    grid = grid_of(net)
    assert grid.bus_distance_m[[second_bar, behind, far]].tolist() == pytest.approx([0, 0, 90])
    assert grid.bus_feeder[[second_bar, behind, far]].tolist() == [0, 0, 3]
    assert grid.bus_node[second_bar] == grid.bus_node[1]


def test_every_voltage_level_is_measured_from_its_own_transformer():
    net = pp.create_empty_network()
    high, medium, remote = (pp.create_bus(net, kv) for kv in (110.0, 20.0, 20.0))
    low, home = pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_ext_grid(net, high)
    pp.create_transformer(net, high, medium, "25 MVA 110/20 kV")
    pp.create_line(net, medium, remote, 4.0, "NA2XS2Y 1x95 RM/25 12/20 kV")
    pp.create_transformer(net, remote, low, "0.4 MVA 20/0.4 kV")
    pp.create_line(net, low, home, 0.2, CABLE)
    grid = grid_of(net)
    assert grid.bus_distance_m.tolist() == pytest.approx([0, 0, 4000, 0, 200])
    assert grid.bus_feeder.tolist() == [0, 0, 1, 0, 2]
    assert grid.bus_transformer.tolist() == [-1, 0, 0, 1, 1]


def test_a_transformer_fed_from_below_supplies_its_upper_side():
    net = pp.create_empty_network()
    plant, low = pp.create_buses(net, 2, vn_kv=0.4)
    medium, remote = pp.create_buses(net, 2, vn_kv=20.0)
    pp.create_ext_grid(net, plant)
    pp.create_line(net, plant, low, 0.1, CABLE)
    pp.create_transformer(net, medium, low, "0.4 MVA 20/0.4 kV")
    pp.create_line(net, medium, remote, 2.0, "NA2XS2Y 1x95 RM/25 12/20 kV")
    grid = grid_of(net)
    assert grid.bus_transformer.tolist() == [-1, -1, 0, 0]
    assert grid.bus_distance_m.tolist() == pytest.approx([0, 100, 0, 2000])
    assert grid.bus_feeder.tolist() == [0, 0, 0, 1]


def test_a_network_without_transformer_has_feeders_from_its_source():
    grid = grid_of(two_bus())
    assert grid.bus_feeder.tolist() == [0, 1]
    assert grid.bus_distance_m.tolist() == [0, 1000]
    assert grid.bus_transformer.tolist() == [-1, -1]


def test_three_windings_open_switches_and_dark_buses_are_told_apart():
    grid = grid_of(everything())
    low = 6
    assert grid.bus_transformer[low : low + 8].tolist() == [0] * 8
    assert grid.bus_transformer[[0, 1, 5]].tolist() == [-1, -1, -1]
    # The shorter way around the ring: 60 and 40 m against 120 and 80 m.
    assert grid.bus_distance_m[low : low + 4].tolist() == pytest.approx([0, 60, 100, 120])
    assert grid.bus_distance_m[1:5].tolist() == pytest.approx([0, 1500, 3000, 1500])
    # An island with a source of its own and no transformer.
    assert grid.bus_feeder[low + 9] > 0
    assert grid.bus_distance_m[low + 8 : low + 10].tolist() == pytest.approx([0, 200])
    assert np.isnan(grid.bus_distance_m[-3:]).all()
    assert (grid.bus_feeder[-3:] == -1).all()
    assert not grid.bus_supplied[-3:].any()
    assert grid.line_branch[6] == -1
    assert grid.line_branch[5] == -1
    assert (grid.transformer_branch >= 0).all()


@pytest.mark.parametrize("side", ["hv_bus", "mv_bus"])
def test_an_open_switch_at_one_winding_cuts_only_that_winding(side):
    net = everything()
    pp.create_switch(net, net.trafo3w.at[0, side], 0, et="t3", closed=False)
    grid = grid_of(net)
    assert grid.bus_supplied[0]
    assert grid.bus_supplied[5] == (side == "mv_bus")
    assert not grid.bus_supplied[1]


def test_ampacity_counts_parallels_and_derating_and_knows_unrated_lines():
    net = village()
    net.line["max_i_ka"] = [0.27, 0.27, 0.0, np.nan, np.inf, -1.0]
    net.line["parallel"] = [1, 2, 1, 1, 1, 1]
    net.line["df"] = [1.0, 0.8, 1.0, 1.0, 1.0, 1.0]
    found = grid_of(net).line_i_max_ka
    assert found[:2].tolist() == pytest.approx([0.27, 0.432])
    assert np.isnan(found[2:]).all()


def test_transformer_rating_and_loss_ratio_follow_the_nameplate():
    net = village()
    net.trafo["parallel"], net.trafo["df"] = 2, 0.9
    grid = grid_of(net)
    assert grid.transformer_sn_kva.tolist() == [500.0]
    expected = 500 * 0.9 / np.sqrt(3) / np.array([20.0, 0.4]) / 1e3
    assert grid.transformer_i_rated_ka[0] == pytest.approx(expected)
    # 250 kVA, vkr 1.44 %, pfe 0.8 kW: 3.6 kW of load loss at rating.
    assert grid.transformer_loss_ratio.tolist() == pytest.approx([3.6 / 0.8])
    net.trafo["pfe_kw"] = 0.0
    assert np.isnan(grid_of(net).transformer_loss_ratio).all()


def test_axes_keep_the_users_indices_and_names():
    net = pp.create_empty_network()
    for index, name in ((40, "Busbar"), (7, None), (12, "  ")):
        pp.create_bus(net, 0.4, index=index, name=name)
    pp.create_ext_grid(net, 40)
    for index, (first, second) in ((5, (40, 12)), (2, (12, 7))):
        pp.create_line(net, first, second, 0.1, CABLE, index=index)
    place = np.arange(6.0).reshape(3, 2)
    grid = extract_grid(net, place, True)
    assert grid.bus_index.tolist() == [40, 7, 12]
    assert grid.bus_name == ("Busbar", "bus 7", "bus 12")
    assert grid.line_index.tolist() == [5, 2]
    assert grid.line_name == ("line 5", "line 2")
    assert (grid.line_from.tolist(), grid.line_to.tolist()) == ([0, 2], [2, 1])
    assert grid.bus_geographic
    place[:] = 0
    assert grid.bus_xy[2].tolist() == [4.0, 5.0]


def test_an_empty_net_and_a_wrong_layout_are_refused():
    with pytest.raises(GridError, match="bus table is empty"):
        extract_grid(pp.create_empty_network(), np.zeros((0, 2)), False)
    with pytest.raises(GridError, match=r"has shape \(2,\), must be \(2, 2\)"):
        extract_grid(two_bus(), np.zeros(2), False)


def test_three_windings_have_a_branch_and_a_rating_each():
    net = everything()
    grid = grid_of(net)
    assert grid.transformer3w_index.tolist() == [0]
    assert grid.transformer3w_name == ("transformer3w 0",)
    branch, admittance = grid.transformer3w_branch[0], grid.admittance
    star = set(admittance.branch_to[branch[:1]]) | set(admittance.branch_from[branch[1:]])
    assert len(star) == 1
    outer = [admittance.branch_from[branch[0]], *admittance.branch_to[branch[1:]]]
    assert outer == grid.bus_node[[0, 1, 5]].tolist()
    expected = np.array([63.0, 25.0, 38.0]) / np.sqrt(3) / np.array([110.0, 20.0, 10.0])
    assert grid.transformer3w_i_rated_ka[0] == pytest.approx(expected)
    net.trafo3w["in_service"] = False
    assert (grid_of(net).transformer3w_branch == -1).all()
    assert grid_of(village()).transformer3w_branch.shape == (0, 3)


def test_a_series_capacitor_joins_a_feeder_without_length():
    net = village()
    beyond = pp.create_bus(net, 0.4)
    pp.create_tcsc(
        net, 7, beyond, x_l_ohm=0.01, x_cvar_ohm=-0.1, set_p_to_mw=-0.01,
        thyristor_firing_angle_degree=140,
    )  # fmt: skip
    grid = grid_of(net)
    assert grid.bus_distance_m[beyond] == pytest.approx(210)
    assert grid.bus_feeder[beyond] == 2
    assert grid.beyond_batched == ("thyristor-controlled series capacitor 0 (holds a power)",)
