"""A network is opened by name, file or object, ready for study."""

from __future__ import annotations

import pickle

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError, InputError, MissingExtra
from gridimpact.network import open_network
from gridimpact.network.catalogue import list_networks
from tests.network.nets import feeder, saved


def test_name_file_and_net_give_the_same_network(tmp_path):
    net = feeder()
    path = saved(net, tmp_path / "elm.json")
    by_file, by_net = open_network(path), open_network(net)
    assert open_network(str(path)).name == by_file.name == "elm"
    assert by_net.name == "feeder"
    assert by_file.source == "elm.json"
    assert np.array_equal(by_file.grid.bus_xy, by_net.grid.bus_xy)
    assert by_file.sites.equals(by_net.sites)
    assert open_network(net, name="Elm Street").name == "Elm Street"


def test_the_grid_has_the_axes_of_the_net():
    network = open_network(feeder())
    assert network.grid.bus_index.tolist() == network.net.bus.index.tolist()
    assert network.grid.line_i_max_ka == pytest.approx([0.8 * 0.27] * 3)
    assert network.grid.transformer_sn_kva.tolist() == [250.0]
    assert network.sites.bus.isin(network.grid.bus_index).all()


@pytest.mark.parametrize("slip", ["kerber_vilage", "lv_schuterwald", "no such thing at all"])
def test_an_unknown_name_is_answered_with_the_nearest(slip):
    with pytest.raises(GridError, match="packaged are cigre_lv, cigre_mv") as caught:
        open_network(slip)
    assert ("did you mean" in str(caught.value)) == (slip != "no such thing at all")


def test_settings_outside_their_range_are_both_named():
    with pytest.raises(InputError) as caught:
        open_network(feeder(), busbar_vm_pu=20.0, derating=0.0)
    assert len(caught.value.problems) == 2
    with pytest.raises(InputError, match="cannot open int"):
        open_network(7)


def test_a_wrong_net_is_refused_before_any_solve(monkeypatch):
    net = feeder()
    net.line.loc[0, "length_km"] = -1.0
    monkeypatch.setattr(pp, "runpp", lambda *a, **k: pytest.fail("solved"))
    with pytest.raises(GridError, match="length_km"):
        open_network(net)


def test_a_net_without_solution_is_refused_with_a_diagnosis():
    net = feeder()
    net.load["p_mw"] = 0.09
    net.load.loc[2, "p_mw"] = 5.0
    with pytest.raises(GridError, match="no power-flow solution"):
        open_network(net)


def test_set_point_and_kinds_reach_the_network():
    network = open_network(
        feeder(), busbar_vm_pu=0.97, site_kinds={"Home 3": "building"}, derating=1.0
    )
    assert network.net.ext_grid.vm_pu.tolist() == [0.97]
    assert network.sites.kind.tolist() == ["home", "home", "building"]
    assert network.grid.line_i_max_ka == pytest.approx([0.27] * 3)
    assert not any("assumed from the network's own" in n.text for n in network.notes)


def test_a_network_can_be_sent_to_a_worker():
    network = open_network(feeder())
    again = pickle.loads(pickle.dumps(network))
    assert again.sites.equals(network.sites)


def test_simbench_without_its_extra_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "simbench", None)
    with pytest.raises(MissingExtra, match=r"gridimpact\[simbench\]"):
        open_network("simbench:1-LV-rural1--0-sw")


def test_the_list_says_what_each_network_suits():
    table = list_networks()
    assert {"kerber_village", "cigre_mv", "lv_schutterwald_area", "ieee_european_lv"} <= set(
        table.index
    )
    assert (table.customers > 0).all()
    assert table.suits.str.len().min() > 20
    assert table.licence.str.contains("BSD").all()
