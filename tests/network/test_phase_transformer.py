"""Transformers in zero sequence: connections, clocks, taps, parallels and closed forms."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network import with_phases
from gridimpact.network.phase_ports import TO_PHASES, TO_SEQUENCES
from gridimpact.network.phase_transformer import (
    Windings,
    plain_group,
    polarity,
    read_group,
    transformer_six_port,
)
from tests.network.phase_flow import solve_phases
from tests.network.phase_nets import network_of, phases_of, station

_GROUPS = (
    "Dyn",
    "Yyn",
    "YNyn",
    "Yzn",
    "Dd",
    "Yd",
    "YNd",
    "Dy",
    "Yy",
    "YNy",
    "Dz",
    "Dzn",
    "YNzn",
    "ZNyn",
)


def _zero_two_port(net):
    """Return the zero-sequence two-port (2, 2) of the transformer, and its base impedance [pu]."""
    model = phases_of(net)
    y = model.y[model.transformer_branch[0]]
    both = np.kron(np.eye(2), TO_PHASES)
    back = np.kron(np.eye(2), TO_SEQUENCES)
    sequences = back @ y @ both
    coupled = sequences.copy()
    for k in range(3):
        coupled[np.ix_([k, 3 + k], [k, 3 + k])] = 0
    assert np.abs(coupled).max() < 1e-9 * np.abs(sequences).max()
    return sequences[np.ix_([0, 3], [0, 3])]


def _plain(group, shift=0.0, **options):
    """Return a station whose transformer has rated voltages of the buses and no tap."""
    net = station(group, shift, **options)
    net.trafo["vn_hv_kv"], net.trafo["vn_lv_kv"], net.trafo["tap_pos"] = 20.0, 0.4, 0
    return net


def _impedances(net):
    """Return leakage, magnetising impedance and share of the high side per unit on 1 MVA."""
    t = net.trafo.iloc[0]
    leak = t.vkr0_percent + 1j * np.sqrt(t.vk0_percent**2 - t.vkr0_percent**2)
    leak = leak / 100 / t.sn_mva
    size = t.vk0_percent / 100 / t.sn_mva * t.mag0_percent / 100
    return leak, size * (t.mag0_rx + 1j) / np.hypot(t.mag0_rx, 1), t.si0_hv_partial


@pytest.mark.parametrize("group", _GROUPS)
def test_without_load_every_clock_turns_the_low_side_by_its_hours(group):
    net = station(group, 0, s_sc_mva=1e7)
    net.trafo["vn_hv_kv"], net.trafo["vn_lv_kv"], net.trafo["tap_pos"] = 20.0, 0.4, 0
    net.trafo["pfe_kw"] = net.trafo["i0_percent"] = 0.0
    net.line["in_service"] = False
    for clock in range(1, 12):
        bus = pp.create_bus(net, 0.4)
        net.trafo.loc[clock] = net.trafo.loc[0]
        net.trafo.loc[clock, ["lv_bus", "shift_degree"]] = [bus, 30.0 * clock]
    net.trafo = net.trafo.astype({"hv_bus": np.int64, "lv_bus": np.int64, "parallel": np.int64})
    net.trafo["in_service"] = net.trafo["in_service"].astype(bool)
    model = phases_of(net)
    voltage = solve_phases(model, np.zeros((len(model.node_vn_kv), 3), dtype=complex))
    for clock, bus in enumerate(net.trafo.lv_bus):
        low = voltage[model.bus_node[bus]]
        wanted = 1.01 * TO_PHASES[:, 1] * np.exp(-1j * np.deg2rad(30 * clock))
        assert np.abs(low - wanted).max() < 1e-10


def test_a_delta_closes_the_zero_sequence_behind_its_leakage():
    net = _plain("Dyn", 30)
    leak, core, share = _impedances(net)
    z1, z2 = share * leak, (1 - share) * leak
    y = _zero_two_port(net)
    assert y[1, 1] == pytest.approx(1 / (z2 + z1 * core / (z1 + core)), rel=1e-9)
    assert np.abs(y - np.diag([0, y[1, 1]])).max() < 1e-8


def test_two_earthed_stars_pass_the_zero_sequence_and_one_alone_meets_the_core():
    net = _plain("YNyn")
    leak, core, share = _impedances(net)
    z1, z2 = share * leak, (1 - share) * leak
    chain = np.array([[1 + z1 / core, z1 + z2 + z1 * z2 / core], [1 / core, 1 + z2 / core]])
    y = _zero_two_port(net)
    # Chain matrix of a T: v1 = a v2 + b i2, i1 = c v2 + d i2, with i2 out of the low side.
    assert y[0, 1] == pytest.approx(-1 / chain[0, 1], rel=1e-9)
    assert y[0, 0] == pytest.approx(chain[1, 1] / chain[0, 1], rel=1e-9)
    assert y[1, 1] == pytest.approx(chain[0, 0] / chain[0, 1], rel=1e-9)
    assert _zero_two_port(_plain("Yyn"))[1, 1] == pytest.approx(1 / (z2 + core), rel=1e-9)
    assert _zero_two_port(_plain("YNy"))[0, 0] == pytest.approx(1 / (z1 + core), rel=1e-9)
    closed = _zero_two_port(_plain("YNd", 30))[0, 0]
    assert closed == pytest.approx(1 / (z1 + z2 * core / (z2 + core)), rel=1e-9)


@pytest.mark.parametrize("group", ["Dd", "Dy", "Yd", "Yy", "Dz", "Yz"])
def test_without_an_earthed_neutral_zero_sequence_finds_nothing(group):
    assert np.abs(_zero_two_port(_plain(group))).max() < 1e-8


def test_a_zigzag_shows_its_leakage_and_does_not_couple():
    net = _plain("Dzn", 0)
    leak, core, share = _impedances(net)
    y = _zero_two_port(net)
    assert y[1, 1] == pytest.approx(1 / leak, rel=1e-9)
    assert np.abs(y - np.diag([0, y[1, 1]])).max() < 1e-8
    y = _zero_two_port(_plain("ZNyn", 30))
    assert y[0, 0] == pytest.approx(1 / (share * leak), rel=1e-9)
    assert y[1, 1] == pytest.approx(1 / ((1 - share) * leak + core), rel=1e-9)
    assert abs(y[0, 1]) < 1e-8


def test_the_impedance_of_a_neutral_counts_threefold():
    net = _plain("Dyn", 30, mag0_percent=1e9)
    leak, _, _ = _impedances(net)
    net.trafo["rn_ohm"], net.trafo["xn_ohm"] = 0.01, 0.03
    neutral = 3 * (0.01 + 0.03j) / 0.4**2
    assert _zero_two_port(net)[1, 1] == pytest.approx(1 / (leak + neutral), rel=1e-6)
    net = _plain("YNd", 30, mag0_percent=1e9)
    net.trafo["rn_ohm"] = 4.0
    assert _zero_two_port(net)[0, 0] == pytest.approx(1 / (leak + 3 * 4.0 / 20**2), rel=1e-6)


def test_parallel_transformers_double_and_taps_move_the_zero_sequence():
    one, two = _plain("YNyn"), _plain("YNyn")
    two.trafo["parallel"] = 2
    assert np.allclose(_zero_two_port(two), 2 * _zero_two_port(one), rtol=1e-12)
    moved = _plain("YNyn")
    moved.trafo["tap_pos"] = 2
    tap = np.array([1 / 1.05, 1.0])
    assert np.allclose(_zero_two_port(moved), _zero_two_port(one) * np.outer(tap, tap), rtol=1e-12)


def test_stars_of_six_oclock_turn_zero_sequence_over_and_of_four_do_not():
    assert polarity(np.arange(12) * 30.0)[::2].tolist() == [1, -1, 1, -1, 1, -1]
    upright, over = _zero_two_port(_plain("YNyn", 0)), _zero_two_port(_plain("YNyn", 180))
    assert np.allclose(over, upright * [[1, -1], [-1, 1]])
    assert np.allclose(_zero_two_port(_plain("YNyn", 120)), upright)


def test_a_clock_may_stand_in_the_group_and_changes_nothing():
    plain, numbered = phases_of(station("Dyn", 150)), phases_of(station("Dyn5", 150))
    assert np.array_equal(plain.y, numbered.y)
    assert plain_group("Dyn5") == "Dyn"


def test_groups_are_read_whatever_their_case_and_numbers():
    assert read_group("DYN11") == Windings(("d", "yn"), (None, 11))
    assert read_group("ynyn0d5", 3) == Windings(("yn", "yn", "d"), (None, 0, 5))
    assert read_group("zny").connection == ("zn", "y")
    for unknown in ("", "Dynx", "YNa0", None, 5, "Dynd"):
        assert read_group(unknown) is None


def test_a_six_port_at_another_tap_is_that_of_a_net_standing_there():
    net = station("YNyn", 0)
    network = with_phases(network_of(net))
    taps = np.array([-2, 0, 2])
    wanted, two_ports = [], []
    for tap in taps:
        net.trafo["tap_pos"] = tap
        moved = with_phases(network_of(net)).grid
        branch, a = moved.transformer_branch[0], moved.admittance
        two_ports.append([a.y_ff[branch], a.y_ft[branch], a.y_tf[branch], a.y_tt[branch]])
        wanted.append(moved.phase_model.y[branch])
    found = transformer_six_port(network.net, network.grid, 0, taps, np.array(two_ports))
    assert np.allclose(found, wanted, rtol=1e-12, atol=1e-9)
    assert net.trafo.tap_pos.tolist() == [2]
