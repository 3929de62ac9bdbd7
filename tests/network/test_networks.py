"""The packaged networks are what they say, solve, and agree with their source."""

from __future__ import annotations

import copy
import json
import random

import numpy as np
import pandapower as pp
import pandapower.networks as source
import pandas as pd
import pytest

from gridimpact.network import open_network
from gridimpact.network.catalogue import about_network, list_networks, network_file
from gridimpact.network.reader import read_net

NAMES = (
    "cigre_lv",
    "cigre_mv",
    "ieee_european_lv",
    "kerber_rural",
    "kerber_suburb",
    "kerber_village",
    "kerber_village_250kva",
    "lv_schutterwald",
    "lv_schutterwald_area",
)


def test_the_folder_holds_these_networks():
    assert tuple(list_networks().index) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_facts_and_readme_agree_with_the_grid(name):
    net, notes = read_net(network_file(name))
    about = about_network(name)
    assert notes == []
    assert about["buses"] == len(net.bus)
    assert about["customers"] == len(net.load) + len(net.asymmetric_load)
    assert about["transformer_kva"] == pytest.approx((1000 * net.trafo.sn_mva).tolist())
    folder = network_file(name).parent
    readme = (folder / "README.md").read_text()
    assert about["licence"] in readme
    assert f"Customers: {about['customers']}" in readme
    assert (folder / "grid.json").stat().st_size < 2_000_000


@pytest.mark.parametrize("name", ["kerber_village", "cigre_lv", "ieee_european_lv"])
def test_pandapower_reads_the_file_too(name):
    own, _ = read_net(network_file(name))
    theirs = pp.from_json(str(network_file(name)))
    pp.runpp(own)
    pp.runpp(theirs)
    assert np.allclose(own.res_bus.vm_pu, theirs.res_bus.vm_pu, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("kerber_village", source.create_kerber_dorfnetz),
        ("kerber_suburb", source.create_kerber_vorstadtnetz_kabel_1),
        ("kerber_rural", source.create_kerber_landnetz_freileitung_1),
        ("cigre_lv", source.create_cigre_network_lv),
        ("cigre_mv", source.create_cigre_network_mv),
        ("lv_schutterwald", source.lv_schutterwald),
    ],
)
def test_voltages_are_those_of_the_source(name, maker):
    own, _ = read_net(network_file(name))
    random.seed(2011)  # the draw of house connections that the packaged files were made with
    theirs = maker()
    pp.runpp(own)
    pp.runpp(theirs)
    assert np.allclose(own.res_bus.vm_pu, theirs.res_bus.vm_pu.loc[own.bus.index], atol=1e-9)


def test_the_area_is_a_cut_of_the_whole_that_changes_no_voltage():
    area, _ = read_net(network_file("lv_schutterwald_area"))
    whole, _ = read_net(network_file("lv_schutterwald"))
    pp.runpp(area)
    pp.runpp(whole)
    assert np.allclose(area.res_bus.vm_pu, whole.res_bus.vm_pu.loc[area.bus.index], atol=1e-9)
    assert len(area.load) == 177
    assert area.trafo.sn_mva.tolist() == [0.4]
    assert area.ext_grid.bus.tolist() == area.trafo.hv_bus.tolist()


def test_the_area_opens_with_real_coordinates_and_a_building_of_the_users_choice():
    site = "HH_w33082815"
    network = open_network("lv_schutterwald_area", site_kinds={site: "building"})
    lon, lat = network.grid.bus_xy.mean(axis=0)
    assert network.grid.bus_geographic
    assert (lon, lat) == pytest.approx((7.88, 48.46), abs=0.05)
    assert network.sites.kind.value_counts().to_dict() == {"home": 176, "building": 1}


def test_the_smaller_transformer_is_the_only_change_of_the_variant():
    a, _ = read_net(network_file("kerber_village"))
    b, _ = read_net(network_file("kerber_village_250kva"))
    assert a.trafo.sn_mva.tolist() == [0.4]
    assert b.trafo.sn_mva.tolist() == [0.25]
    for table in ("bus", "line", "load", "ext_grid"):
        pd.testing.assert_frame_equal(a[table], b[table])


def test_the_european_feeder_has_the_published_loads():
    net, _ = read_net(network_file("ieee_european_lv"))
    load = net.asymmetric_load
    p = load[["p_a_mw", "p_b_mw", "p_c_mw"]].to_numpy()
    q = load[["q_a_mvar", "q_b_mvar", "q_c_mvar"]].to_numpy()
    # Published: 55 single-phase loads, 21 on A, 19 on B and 15 on C, all at power factor 0.95.
    assert (p > 0).sum(axis=0).tolist() == [21, 19, 15]
    assert np.allclose(p.sum(axis=1) / np.hypot(p, q).sum(axis=1), 0.95)
    sites = open_network("ieee_european_lv").sites
    assert sites.phases.value_counts().to_dict() == {"a": 21, "b": 19, "c": 15}


def _at_minute(net, powers_kw):
    net = copy.deepcopy(net)
    load = net.asymmetric_load
    for phase in "abc":
        p_mw = np.where(load[f"p_{phase}_mw"] > 0, 1e-3 * powers_kw, 0.0)
        load[f"q_{phase}_mvar"] = p_mw * np.tan(np.arccos(0.95))
        load[f"p_{phase}_mw"] = p_mw
    return net


def _deviation_v(net, published):
    volt = published[published.node_name.str.startswith("Bus")]
    bus = volt.node_name.str.removeprefix("Bus").astype(int)
    own = net.res_bus_3ph.loc[bus, ["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy() * 416 / np.sqrt(3)
    assert own.shape == (906, 3)
    return np.abs(own - volt[["voltA_mag", "voltB_mag", "voltC_mag"]].to_numpy()).max()


@pytest.mark.reference
@pytest.mark.parametrize("minute", [1, 566, 1440])
def test_the_corrected_feeder_meets_the_published_voltages_within_a_millivolt(minute, reference):
    folder = reference / "reference/powerflow/ieee_european_lv"
    powers = pd.read_csv(folder / "inputs/profiles_1min_55.csv", index_col="minute")
    published = pd.read_csv(folder / f"expected_csv/snapshot_{minute:04d}_gridlabd_voltages.csv")
    net = _at_minute(open_network("ieee_european_lv").net, powers.loc[minute].to_numpy())
    pp.runpp_3ph(net)
    assert _deviation_v(net, published) < 1e-3


@pytest.mark.reference
def test_uncorrected_feeders_miss_the_published_voltages(reference):
    folder = reference / "reference/powerflow/ieee_european_lv"
    published = pd.read_csv(folder / "expected_csv/snapshot_0566_gridlabd_voltages.csv")
    bundled = source.ieee_european_lv_asymmetric("on_peak_566")
    pp.runpp_3ph(bundled)
    assert _deviation_v(bundled, published) == pytest.approx(1.78, abs=0.02)
    powers = pd.read_csv(folder / "inputs/profiles_1min_55.csv", index_col="minute")
    own = _at_minute(open_network("ieee_european_lv").net, powers.loc[566].to_numpy())
    own.trafo["mag0_percent"] = 100.0
    pp.runpp_3ph(own)
    assert _deviation_v(own, published) > 0.1


@pytest.mark.reference
def test_each_load_sits_where_it_was_published(reference):
    place = reference / "reference/powerflow/ieee_european_lv/inputs/Loads.csv"
    published = pd.read_csv(place, skiprows=2)
    sites = open_network("ieee_european_lv").sites
    assert sites.bus.tolist() == published.Bus.tolist()
    assert sites.phases.tolist() == published.phases.str.strip().str.lower().tolist()


def test_facts_are_written_as_plain_json():
    for name in NAMES:
        text = (network_file(name).parent / "about.json").read_text()
        assert json.loads(text)["made_with"].startswith("pandapower")
