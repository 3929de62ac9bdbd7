"""What is assumed about a network is little, stated, and counted."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network.mend import mend_net, placeholder
from gridimpact.network.reader import read_net
from tests.network.nets import feeder


def _mended(net, **settings):
    own, _ = read_net(net)
    notes = mend_net(own, **settings)
    return own, " | ".join(n.text for n in notes)


def test_buried_cables_are_derated_and_told():
    own, text = _mended(feeder())
    assert own.line.df.tolist() == [0.8] * 3
    assert "3 buried cables derated by 0.8, assumed" in text


def test_a_given_derating_and_a_factor_of_the_net_are_kept():
    net = feeder()
    net.line.loc[0, "df"] = 0.9
    net.line.loc[1, "type"] = "ol"
    own, text = _mended(net, derating=0.7)
    assert own.line.df.tolist() == [0.9, 1.0, 0.7]
    assert "1 buried cables derated by 0.7, as given" in text
    assert _mended(net, derating=1.0)[0].line.df.tolist() == [0.9, 1.0, 1.0]


def test_derating_raises_the_loading_pandapower_reports():
    net = feeder()
    own, _ = _mended(net)
    pp.runpp(net)
    pp.runpp(own)
    assert np.allclose(own.res_line.loading_percent, net.res_line.loading_percent / 0.8)


def test_missing_ampacity_comes_from_the_type_or_is_counted_as_unrated():
    net = feeder()
    net.line.loc[[0, 1], "max_i_ka"] = np.nan
    net.line.loc[1, "std_type"] = "cable of my own"
    net.line.loc[2, "max_i_ka"] = 99_999.0
    net.line.loc[2, "std_type"] = None
    own, text = _mended(net)
    assert own.line.max_i_ka.iloc[0] == pytest.approx(0.27)
    assert own.line.max_i_ka.iloc[1:].isna().all()
    assert "2 of 3 lines have no ampacity: unrated" in text


def test_one_ampacity_for_thin_and_thick_lines_is_a_placeholder():
    net = feeder(homes=6)
    net.line["max_i_ka"] = 0.421
    assert not placeholder(net).any()
    net.line["r_ohm_per_km"] = [0.1, 0.2, 0.4, 0.1, 0.2, 0.4]
    assert placeholder(net).all()
    net.line.loc[0, "max_i_ka"] = 0.3
    assert not placeholder(net).any()


@pytest.mark.parametrize("maker", ["create_cigre_network_lv", "ieee_european_lv_asymmetric"])
def test_bundled_placeholders_are_found(maker):
    import pandapower.networks as source

    own, text = _mended(getattr(source, maker)())
    assert own.line.max_i_ka.isna().all()
    assert "placeholder" in text


def test_a_missing_tap_stands_at_neutral():
    net = feeder()
    net.trafo["tap_pos"] = np.nan
    own, text = _mended(net)
    assert own.trafo.tap_pos.iloc[0] == 0.0
    assert "taken as neutral" in text


def test_the_set_point_is_the_users_or_is_called_assumed():
    own, text = _mended(feeder())
    assert own.ext_grid.vm_pu.tolist() == [1.02]
    assert "1.02 pu assumed from the network's own data" in text
    own, text = _mended(feeder(), busbar_vm_pu=0.98)
    assert own.ext_grid.vm_pu.tolist() == [0.98]
    assert "as given" in text


def test_a_slack_generator_becomes_the_source():
    net = feeder()
    pp.runpp(net)
    other = feeder()
    other.ext_grid = other.ext_grid.iloc[:0]
    pp.create_gen(other, 0, p_mw=0.0, vm_pu=1.02, slack=True)
    own, text = _mended(other)
    pp.runpp(own)
    assert "slack generators" in text
    assert np.allclose(own.res_bus.vm_pu, net.res_bus.vm_pu, atol=1e-9)


def test_stationary_storages_are_left_out_and_told():
    net = feeder()
    pp.create_storage(net, 3, p_mw=0.005, max_e_mwh=0.01)
    own, text = _mended(net)
    assert own.storage.empty
    assert "1 stationary storages of together 5 kW" in text


def test_a_three_winding_tap_without_an_angle_acts_and_is_told():
    net = pp.create_empty_network()
    bus = [pp.create_bus(net, vn_kv) for vn_kv in (110.0, 20.0, 10.0)]
    pp.create_ext_grid(net, bus[0])
    pp.create_transformer3w(net, *bus, std_type="63/25/38 MVA 110/20/10 kV", tap_pos=-8)
    pp.create_load(net, bus[1], p_mw=1.0)
    net.trafo3w["tap_step_degree"] = np.nan
    own, text = _mended(net)
    assert "row 0: no angle of the tap step" in text
    pp.runpp(own)
    # Eight steps of 1.2 % fewer turns at 110 kV.
    assert own.res_bus.vm_pu[1] > 1 / (1 - 8 * 0.012) - 0.02
    net.trafo3w["tap_pos"] = net.trafo3w.tap_neutral
    assert "angle of the tap step" not in _mended(net)[1]
