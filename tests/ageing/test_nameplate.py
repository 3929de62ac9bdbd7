import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from gridimpact.ageing import (
    Nameplate,
    nameplates_for,
    oil_time_constant_h,
    preset_named,
    thermal_capacity_wh_per_k,
    thermal_series,
)
from gridimpact.errors import InputError


def grid(*ratios):
    names = tuple(f"T{k}" for k in range(len(ratios)))
    return SimpleNamespace(transformer_name=names, transformer_loss_ratio=np.array(ratios))


def test_a_network_without_iron_loss_gets_the_assumed_ratio_and_says_so():
    plate, notes = nameplates_for(grid(4.5, np.nan, np.inf, 0.0))
    assert plate.loss_ratio.tolist() == [4.5, 5.0, 5.0, 5.0]
    assumed = [note for note in notes if "iron loss" in note.text]
    assert assumed[0].where == "transformer T1, T2, T3"
    assert {note.kind for note in notes} == {"assumption"}


def test_unknown_paper_leads_with_the_practice_of_the_frequency():
    european, notes = nameplates_for(grid(4.5))
    assert european.insulation == ("non_upgraded",)
    assert not european.upgraded[0]
    assert not european.insulation_known[0]
    assert european.gradient_k[0] == 23.0
    assert any("both are shown" in note.text for note in notes)
    american, _ = nameplates_for(grid(4.5), frequency_hz=60.0)
    assert american.insulation == ("upgraded",)
    assert american.upgraded[0]
    assert american.hot_spot_rise_k[0] == 80.0


def test_known_paper_needs_no_assumption():
    plate, notes = nameplates_for(grid(4.5), insulation="upgraded", enclosure="pole")
    assert plate.insulation_known[0]
    assert plate.insulation == ("upgraded",)
    assert plate.enclosure_rise_k[0] == 0.0
    assert [note.text[:11] for note in notes] == ["rated rises"]


def test_a_station_is_ten_kelvin_warmer_than_a_pole():
    plate, notes = nameplates_for(grid(4.5, 4.5), enclosure=["compact_station", "pole"])
    assert plate.enclosure_rise_k.tolist() == [10.0, 0.0]
    assert any("10 K above" in note.text for note in notes)


def test_an_odd_loss_ratio_is_kept_and_warned_of():
    plate, notes = nameplates_for(grid(*[40.0] * 7))
    assert plate.loss_ratio[0] == 40.0
    warned = [note for note in notes if note.kind == "warning"]
    assert warned[0].where == "transformer T0, T1, T2, T3, T4 and 2 more"


def test_a_network_without_transformers_gives_an_empty_plate():
    plate, notes = nameplates_for(grid())
    assert plate.packed.shape == (0, 7)
    assert notes == ()


def test_wrong_names_are_refused_with_the_choices():
    with pytest.raises(InputError, match="did you mean 'iec_onan'"):
        preset_named("iec_onam")
    with pytest.raises(InputError, match=r"known are iec_onan, ieee_65c, "):
        preset_named("xyz")
    with pytest.raises(InputError, match="'cellar' is unknown"):
        nameplates_for(grid(4.0), enclosure="cellar")
    with pytest.raises(InputError, match="3 given for 1"):
        nameplates_for(grid(4.0), enclosure=["pole"] * 3)
    with pytest.raises(InputError, match="insulation 'wood'"):
        nameplates_for(grid(4.0), insulation="wood")


def test_impossible_numbers_are_refused_all_at_once():
    good = Nameplate.preset("ieee_65c", 2)
    with pytest.raises(InputError) as found:
        dataclasses.replace(
            good, tau_oil_h=np.array([3.0, 0.0]), loss_ratio=np.array([np.nan, 5.0])
        )
    assert len(found.value.problems) == 2
    with pytest.raises(InputError, match="not above the top-oil rise"):
        dataclasses.replace(good, hot_spot_rise_k=np.array([25.0, 80.0]))
    with pytest.raises(InputError, match="has 1 entries, 2 expected"):
        dataclasses.replace(good, exponent_n=np.array([0.8]))


def test_weights_give_the_published_heat_capacity_and_time_constant():
    directed = thermal_capacity_wh_per_k(19_325, 10_000, 0.87825 * 14_000, directed=True)
    assert directed == pytest.approx(11_002, abs=1)
    natural = thermal_capacity_wh_per_k(787, 103, 180)
    assert natural == pytest.approx(0.132 * 787 + 0.0882 * 103 + 0.4 * 180)
    assert 60 * oil_time_constant_h(7970.7582, 41.6, 116_140) == pytest.approx(171.3, abs=0.05)
    with pytest.raises(InputError, match="needs a loss above 0"):
        oil_time_constant_h(100.0, 50.0, 0.0)


def test_pole_and_pad_stand_in_free_air_and_older_units_age_by_their_own_law():
    for name, hot_spot, paper in (
        ("ieee_65c_pole", 80.0, "upgraded"),
        ("ieee_65c_pad", 80.0, "upgraded"),
        ("ieee_55c", 65.0, "rise_55"),
        ("iec_onan_pole", 78.0, "non_upgraded"),
    ):
        plate, notes = nameplates_for(grid(4.5), preset=name)
        assert plate.enclosure_rise_k[0] == 0.0
        assert plate.hot_spot_rise_k[0] == hot_spot
        assert plate.insulation == (paper,)
        own = [note.text for note in notes if note.text.startswith("own choice")]
        assert bool(own) == name.startswith("ieee")
    # A family ages normally at rated load in its rated ambient.
    plate, _ = nameplates_for(grid(4.5), preset="ieee_55c")
    rated = thermal_series(np.ones((1, 400, 1)), np.full(400, 30.0), plate, 0.25)
    assert rated.ageing_rate[0, -1, 0] == pytest.approx(1.0)


def test_an_enclosure_of_ones_own_goes_before_that_of_the_family():
    plate, _ = nameplates_for(grid(4.5), preset="ieee_65c_pole", enclosure="building")
    assert plate.enclosure_rise_k[0] == 10.0
