"""Pilots and products of the literature: published power and energy follow from the packaged hardware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from gridimpact.fleet import charger_catalogue, list_presets, preset, synthesize_fleet
from gridimpact.timeline import Timeline

WEEK = Timeline.days("2016-01-11", 3, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "count", "p_kw", "kwh"),
    [
        # doi:10.2478/jlst-2018-0010 sections II, III and VII, and the pages named in the data.
        ("miev_power_box", 1, 1.5, 16.0),
        ("leaf_to_home", 1, 6.0, 24.0),
        ("nissan_atsugi", 6, 36.0, 144.0),
        ("udel_pjm", 15, 270.0, 525.0),
        ("los_angeles_afb", 34, 685.0, 996.0),
        ("tesla_station", 1, 0.0, 85.0),
        ("epri_platform", 0, 0.0, 0.0),
    ],
)
def test_cars_and_chargers_add_up_to_what_was_published(name, count, p_kw, kwh):
    one = preset(name)
    assert one.count == count
    assert one.p_discharge_kw == pytest.approx(p_kw)
    assert one.capacity_kwh == pytest.approx(kwh)


@pytest.mark.reference
def test_every_published_preset_is_packaged(reference: Path):
    path = reference / "reference" / "requirements" / "pilots_presets.json"
    names = {
        "udel_pjm_2010": "udel_pjm",
        "dod_laafb_2013": "los_angeles_afb",
        "epri_ovgip_2014": "epri_platform",
        "nissan_enel_uk_2016": "nissan_enel",
        "mitsubishi_nuvve_newmotion_tennet_2017": "mitsubishi_nuvve",
        "nissan_atsugi_v2b_2013": "nissan_atsugi",
        "miev_power_box_2012": "miev_power_box",
        "leaf_to_home_2012": "leaf_to_home",
        "tesla_s_2018": "tesla_station",
    }
    for entry in json.loads(path.read_text())["presets"]:
        one = preset(names[entry["id"]])
        assert str(one.year) in entry["id"]
        if "n" in entry:
            assert one.count == entry["n"]
        for ours, theirs in {
            "p_kw": "p_kw",
            "capacity_kwh": "kwh",
            "peak_cut_kw": "peak_cut_kw",
            "peak_cut_share": "peak_cut_share",
            "yen_per_year": "yen_year",
            "min_offer_kw": "min_offer_kw",
            "min_plugged": "min_plugged",
            "points": "v2g_points",
            "utilities": "utilities",
            "makers_said": "oem_said",
            "warranty_years": "warranty_y",
            "efficiency": "eff",
        }.items():
            if ours in one.published and theirs in entry:
                assert one.published[ours] == entry[theirs], (one.name, ours)
        if "units" in entry:
            assert sum(n * kw for n, kw in entry["units"]) == one.p_discharge_kw


def test_a_preset_goes_into_the_fleet_and_on_to_a_network():
    one = preset("leaf_to_home")
    fleet = synthesize_fleet(3, WEEK, seed=1, **one.options)
    assert set(fleet.vehicles["model"]) == {"Nissan Leaf 2011"}
    assert fleet.chargers["p_discharge_max_kw"].tolist() == [6.0, 6.0, 6.0]
    placed = gi.place(fleet, gi.open_network("kerber_village"), seed=1)
    assert (placed.chargers["site_id"] != "").all()


def test_a_pilot_of_two_kinds_of_cars_is_one_fleet():
    fleet = preset("los_angeles_afb").fleet(WEEK, seed=2)
    assert fleet.chargers["p_discharge_max_kw"].sum() == pytest.approx(685.0)
    assert set(fleet.chargers["kind"]) == {"fleet"}
    with pytest.raises(InputError, match=r"2 groups of cars; call its fleet"):
        _ = preset("los_angeles_afb").options
    with pytest.raises(InputError, match="no cars"):
        preset("epri_platform").fleet(WEEK)


def test_every_preset_is_listed_with_its_source_and_hardware_that_exists():
    table = list_presets()
    assert (table["source"].str.len() > 5).all()
    assert table.loc["udel_pjm", "p_discharge_kw"] == 270.0
    known = set(charger_catalogue().index)
    for name in table.index:
        assert {group.charger for group in preset(name).cars} <= known


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="leaf_to_home"):
        preset("leaf2home")
