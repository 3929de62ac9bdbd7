"""Every customer is one site with bus, phases, kind, fuse and demand."""

from __future__ import annotations

import math

import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network.sites import FUSE_SIZES_A, derive_sites
from tests.network.nets import feeder


def test_one_site_for_each_load_with_its_demand():
    net = feeder()
    net.load.loc[0, "scaling"] = 0.5
    net.load.loc[1, "const_z_p_percent"] = 40.0
    net.load.loc[1, "const_i_q_percent"] = 30.0
    sites = derive_sites(net).frame
    assert sites.index.tolist() == ["Home 1", "Home 2", "Home 3"]
    assert sites.load_p_kw.tolist() == [2.0, 4.0, 4.0]
    assert sites.load_q_kvar.tolist() == [0.5, 1.0, 1.0]
    assert sites.loc["Home 2", ["z_p", "z_i", "q_z", "q_i"]].tolist() == [0.4, 0.0, 0.0, 0.3]
    assert sites.phases.tolist() == ["abc"] * 3
    assert sites.kind.tolist() == ["home"] * 3


def test_demand_of_the_sites_is_the_demand_of_the_net():
    net = feeder()
    pp.create_asymmetric_load(net, 4, p_a_mw=0.002, q_a_mvar=0.0005)
    pp.create_load(net, 4, p_mw=0.1, in_service=False)
    sites = derive_sites(net).frame
    pp.runpp(net)
    drawn = net.res_load.p_mw.sum() + net.res_asymmetric_load.p_mw.sum()
    assert sites.load_p_kw.sum() == pytest.approx(1000.0 * drawn)
    assert len(sites) == 4


def test_names_that_repeat_or_lack_still_give_ids_of_their_own():
    net = feeder()
    net.load["name"] = ["twin", "twin", None]
    sites = derive_sites(net).frame
    assert sites.index.tolist() == ["site_0", "site_1", "site_2"]
    assert sites.name.tolist() == ["twin", "twin", "site_2"]
    net.load["name"] = ["site_1", "twin", "twin"]
    assert derive_sites(net).frame.index.is_unique


def test_a_single_phase_customer_keeps_its_phase():
    net = feeder()
    pp.create_asymmetric_load(net, 2, p_b_mw=0.002, name="single")
    pp.create_asymmetric_load(net, 3, p_a_mw=0.002, p_b_mw=0.001, name="double")
    table = derive_sites(net)
    assert table.frame.loc["single", "phases"] == "b"
    assert table.frame.loc["double", "phases"] == "ab"
    assert any("1 loads of unequal phases" in n.text for n in table.notes)


def test_a_load_between_phases_stands_in_delta():
    net = feeder()
    pp.create_asymmetric_load(net, 2, p_b_mw=0.002, type="delta", name="between")
    sites = derive_sites(net).frame
    assert sites.loc["between", "connection"] == "delta"
    assert (sites.drop("between")["connection"] == "star").all()


def test_fewer_phases_need_a_larger_fuse_for_the_same_load():
    net = feeder()
    for name, powers in (
        ("one", (0.02, 0, 0)),
        ("two", (0.01, 0.01, 0)),
        ("three", (0.02 / 3,) * 3),
    ):
        pp.create_asymmetric_load(
            net, 2, **{f"p_{k}_mw": p for k, p in zip("abc", powers, strict=True)}, name=name
        )
    fuse = derive_sites(net).frame["fuse_a"]
    assert fuse.loc[["one", "two", "three"]].tolist() == [100.0, 50.0, 35.0]


def test_the_fuse_carries_the_own_load_in_the_next_standard_size():
    net = feeder()
    net.load.loc[0, "p_mw"], net.load.loc[0, "q_mvar"] = 0.030, 0.0
    pp.create_asymmetric_load(net, 2, p_b_mw=0.0115, name="single")
    sites = derive_sites(net).frame
    assert 30.0 / (math.sqrt(3) * 0.4) == pytest.approx(43.3, abs=0.01)
    assert sites.loc["Home 1", "fuse_a"] == 50.0
    assert sites.loc["Home 2", "fuse_a"] == 35.0
    assert sites.loc["single", "fuse_a"] == 50.0
    assert list(FUSE_SIZES_A) == sorted(FUSE_SIZES_A)


@pytest.mark.parametrize(
    ("name", "p_mw", "kind"),
    [
        ("HH_17", 0.05, "home"),
        ("Primary school", 0.005, "building"),
        ("Gewerbe 3", 0.005, "building"),
        (None, 0.005, "home"),
        (None, 0.08, "building"),
    ],
)
def test_kind_comes_from_the_name_or_the_size(name, p_mw, kind):
    net = feeder()
    net.load.loc[0, "name"], net.load.loc[0, "p_mw"] = name, p_mw
    assert derive_sites(net).frame.kind.iloc[0] == kind


def test_a_medium_voltage_load_is_an_area_not_a_home():
    net = feeder()
    pp.create_load(net, 0, p_mw=0.2, name="area")
    assert derive_sites(net).frame.loc["area", "kind"] == "public"


def test_kinds_given_by_the_user_win_and_slips_are_named():
    net = feeder()
    assert derive_sites(net, {"Home 2": "building"}).frame.kind.tolist() == [
        "home",
        "building",
        "home",
    ]
    with pytest.raises(GridError, match="did you mean 'Home 2'") as caught:
        derive_sites(net, {"Home2": "building", "Home 1": "castle"})
    assert len(caught.value.problems) == 2


def test_generation_stands_behind_the_meter_at_its_bus_or_on_its_own():
    net = feeder()
    pp.create_sgen(net, 2, p_mw=0.006, scaling=0.5)
    pp.create_sgen(net, 1, p_mw=0.05, name="field")
    pp.create_asymmetric_sgen(net, 2, p_a_mw=0.001)
    table = derive_sites(net)
    assert table.frame.loc["Home 1", "generation_kw"] == pytest.approx(4.0)
    assert table.frame.loc["field", ["kind", "generation_kw", "load_p_kw"]].tolist() == [
        "public",
        50.0,
        0.0,
    ]
    assert table.of_sgen.tolist() == [0, 3]


def test_a_generator_of_its_own_feeds_the_phases_it_is_given_on():
    net = feeder()
    pp.create_asymmetric_sgen(net, 1, p_b_mw=0.003, name="garage")
    table = derive_sites(net)
    assert table.frame.loc["garage", "phases"] == "b"
    assert not [note for note in table.notes if note.where == "asymmetric_sgen"]


def test_generation_moved_to_the_phases_of_its_meter_is_told():
    net = feeder()
    pp.create_asymmetric_sgen(net, 2, p_a_mw=0.003)
    told = [note.text for note in derive_sites(net).notes if note.where == "asymmetric_sgen"]
    assert told == [
        "generators at 1 sites are taken on the phases of their meter, not on their own"
    ]


def test_a_heat_pump_shares_the_homes_meter():
    net = feeder()
    pp.create_load(net, 3, p_mw=0.001, type="HP")
    table = derive_sites(net)
    assert len(table.frame) == 3
    assert table.frame.loc["Home 2", "load_p_kw"] == 5.0
    assert table.of_load.loc[3] == 1
    assert table.heat_pump.tolist() == [False, False, False, True]


def test_a_net_without_customers_is_told():
    net = feeder()
    net.load = net.load.iloc[:0]
    table = derive_sites(net)
    assert table.frame.empty
    assert table.notes[-1].kind == "warning"
