"""A changed network is the one pandapower solves after the same change by hand."""

import copy

import numpy as np
import pandapower as pp
import pytest

import gridimpact as gi
from gridimpact.errors import GridError
from gridimpact.network.variants import (
    NAYY_4X240,
    at_tap,
    next_size_kva,
    with_thicker_lines,
    with_transformer_size,
)
from gridimpact.records import Network


def village() -> Network:
    return gi.open_network("kerber_village_250kva", busbar_vm_pu=1.0)


def voltages(network: Network) -> np.ndarray:
    """Return what the batched engine finds for the same power at every meter [pu]."""
    bus = sorted(set(network.sites["bus"]))
    time = gi.Timeline.days("2016-01-11", 1, step="1h").part(0, 1)
    power = np.ones((1, len(bus)))
    given = gi.injections_at(network, time, bus=bus, p_kw=power, q_kvar=0.3 * power)
    return gi.solve(network, given).vm_pu[0, 0]


def by_hand(network: Network, change) -> np.ndarray:
    """Return what pandapower finds after `change` of the net's tables [pu]."""
    net = copy.deepcopy(network.net)
    change(net)
    net.load.drop(net.load.index, inplace=True)
    for bus in sorted(set(network.sites["bus"])):
        pp.create_load(net, bus, 1e-3, 0.3e-3)
    pp.runpp(net, tolerance_mva=1e-10)
    return net.res_bus.vm_pu.to_numpy()


def test_a_tap_moves_every_voltage_as_in_pandapower():
    network = village()
    index = int(network.net.trafo.index[0])

    def change(net):
        net.trafo.loc[index, "tap_pos"] = -1

    changed = at_tap(network, index, -1)
    np.testing.assert_allclose(voltages(changed), by_hand(network, change), rtol=0, atol=1e-8)
    assert (voltages(changed)[1:] > voltages(network)[1:] + 0.02).all()
    assert network.net.trafo.at[index, "tap_pos"] == 0
    assert changed.sites is network.sites


def test_a_larger_transformer_has_the_data_of_its_standard_type():
    network = village()
    index = int(network.net.trafo.index[0])

    def change(net):
        pp.change_std_type(net, index, "0.4 MVA 10/0.4 kV", element="trafo")

    changed = with_transformer_size(network, index, 400.0)
    np.testing.assert_allclose(voltages(changed), by_hand(network, change), rtol=0, atol=1e-8)
    assert changed.grid.transformer_sn_kva[0] == 400.0


def test_without_a_standard_type_the_relative_impedance_stays():
    network = village()
    index = int(network.net.trafo.index[0])
    changed = with_transformer_size(network, index, 1000.0)
    before, after = network.net.trafo.loc[index], changed.net.trafo.loc[index]
    assert after.vk_percent == before.vk_percent
    assert after.vkr_percent == before.vkr_percent
    assert after.pfe_kw == pytest.approx(before.pfe_kw * 4.0**0.75)


def test_thicker_cables_are_those_pandapower_solves():
    network = village()
    lines = [int(k) for k in network.net.line.index[:5]]

    def change(net):
        net.line.loc[lines, "r_ohm_per_km"] = NAYY_4X240.r_ohm_per_km
        net.line.loc[lines, "x_ohm_per_km"] = NAYY_4X240.x_ohm_per_km
        net.line.loc[lines, "c_nf_per_km"] = NAYY_4X240.c_nf_per_km

    changed = with_thicker_lines(network, lines)
    np.testing.assert_allclose(voltages(changed), by_hand(network, change), rtol=0, atol=1e-8)
    place = network.net.line.index.get_indexer(lines)
    assert (changed.grid.line_i_max_ka[place] > network.grid.line_i_max_ka[place]).all()
    twice = with_thicker_lines(changed, lines)
    np.testing.assert_allclose(
        twice.grid.line_i_max_ka[place], 2.0 * changed.grid.line_i_max_ka[place]
    )


def test_zero_sequence_keeps_its_ratio_in_three_phases():
    network = gi.with_phases(village(), zero_sequence="assume")
    line = int(network.net.line.index[0])
    changed = with_thicker_lines(network, [line])
    ratio = [net.line.at[line, "r0_ohm_per_km"] / net.line.at[line, "r_ohm_per_km"]
             for net in (network.net, changed.net)]  # fmt: skip
    assert ratio[1] == pytest.approx(ratio[0])
    assert changed.grid.phase_model is not None


def test_sizes_follow_the_series_of_the_standard():
    assert [next_size_kva(s) for s in (160.0, 250.0, 300.0)] == [250.0, 400.0, 400.0]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda n: at_tap(n, 0, 7), "reaches -2 to 2"),
        (lambda n: at_tap(n, 9, 0), "transformer 9 is unknown, there are 0"),
        (lambda n: with_transformer_size(n, 0, -250.0), "give one above 0"),
        (lambda n: with_thicker_lines(n, [999]), "999"),
    ],
)
def test_what_cannot_be_changed_is_told(ask, told):
    with pytest.raises(GridError, match=told):
        ask(village())
