"""Charger presets and vehicle data against the standards' and the paper's numbers."""

import numpy as np
import pytest

from gridimpact.fleet import catalogue as data
from gridimpact.fleet import charger_catalogue, consumption_factor, vehicle_catalogue


@pytest.mark.parametrize(
    ("name", "p_kw"),
    [
        # doi:10.2478/jlst-2018-0010 table 1: volt x ampere.
        ("iec_mode1_250v_16a", 4.0),
        ("iec_mode1_480v_16a", 7.68),
        ("iec_mode2_250v_32a", 8.0),
        ("iec_mode2_480v_32a", 15.36),
        ("iec_mode3_250v_250a", 62.5),
        ("iec_mode3_480v_250a", 120.0),
        ("iec_mode4_480v_400a", 192.0),
        # SAE J1772: 120 V x 12 A, 240 V x 32 A, 240 V x 80 A.
        ("j1772_level1", 1.44),
        ("j1772_level1_16a", 1.92),
        ("j1772_level2", 7.68),
        ("j1772_level2_80a", 19.2),
        ("ac_3.7kw", 3.68),
        ("ac_11kw", 11.04),
        ("dc_120kw", 120.0),
    ],
)
def test_preset_power_is_volt_times_ampere(name, p_kw):
    row = charger_catalogue().loc[name]
    assert row["p_max_kw"] == pytest.approx(p_kw)
    factor = 3 if name.startswith("ac_") and row["phases"] == 3 else 1
    assert row["volt"] * row["ampere"] * factor / 1000 == pytest.approx(p_kw, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "feed_kw"), [("v2h_6kw", 6.0), ("v2h_miev_1.5kw", 1.5), ("v2g_minie_18kw", 18.0)]
)
def test_pilot_boxes_feed_back_their_published_power(name, feed_kw):
    assert charger_catalogue().loc[name, "p_discharge_max_kw"] == feed_kw


def test_every_row_names_its_source_and_only_bidirectional_chargers_feed():
    table = charger_catalogue()
    assert (table["source"].str.len() > 5).all()
    assert ((table["p_discharge_max_kw"] > 0) == table["bidirectional"]).all()
    assert (vehicle_catalogue()["source"].str.len() > 5).all()


def test_default_home_charger_can_feed_back_so_that_all_concepts_share_one_fleet():
    assert charger_catalogue().loc["ac_11kw", "bidirectional"]


def test_vehicle_list_joins_capacity_power_and_registrations():
    table = vehicle_catalogue()
    assert table.loc["Tesla Model 3", ["capacity_kwh", "registrations"]].tolist() == [57.5, 45545]
    assert table.loc["Nissan Leaf 2011", "capacity_kwh"] == 24
    assert table[["capacity_kwh", "p_ac_max_kw", "p_dc_max_kw", "kwh_per_km"]].notna().all().all()
    assert table["phases"].isin([1, 3]).all()


def test_measured_efficiency_grows_with_current_and_never_exceeds_one():
    eta = [data.charging_efficiency("Peugeot 208", 1, ampere) for ampere in (6, 16, 32)]
    assert eta == sorted(eta)
    assert eta[-1] == 0.87
    assert data.charging_efficiency("unlisted", 3, 16) == data.default("eta_charge")
    assert data.charging_efficiency("Tesla Model 3", 1, 2.0) == data.default("eta_charge")


def test_fast_charging_slows_over_half_and_much_more_over_eighty_percent():
    knee, fraction = data.charging_taper(120.0, 85.0)
    share = lambda soc: 1 - (1 - fraction) * max(soc - knee, 0) / (1 - knee)  # noqa: E731
    assert share(0.5) == 1
    assert share(0.65) < 0.8
    assert share(0.85) < 0.5
    soc = np.linspace(0.5, 1.0, 501)
    hours = np.cumsum(1.0 / np.array([share(s) for s in soc]))
    assert hours[-1] - hours[300] > hours[300] - hours[0]
    assert data.charging_taper(11.0, 57.5)[0] == 0.95


def test_consumption_rises_in_the_cold_and_is_held_beyond_the_data():
    factor = consumption_factor(np.array([-60.0, -30.0, -10.0, 0.0, 10.0, 20.0]))
    assert factor[0] == factor[1]
    assert (np.diff(factor[1:]) < 0).all()
    assert factor[-1] == 1.0
    # Published range losses near freezing lie between 15 and 30 %.
    assert 1 / 0.85 < factor[3] < 1 / 0.7
