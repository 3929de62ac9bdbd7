"""What a car and a charger can do together."""

import pytest

from gridimpact.errors import InputError
from gridimpact.fleet import Charger, Vehicle


def charged_kw(model, charger):
    return Vehicle.preset(model).p_charge_kw(Charger.preset(charger))


@pytest.mark.parametrize(
    ("model", "charger", "p_kw"),
    [
        ("Volkswagen ID.3", "ac_11kw", 11.0),
        ("Volkswagen ID.3", "ac_22kw", 11.0),
        ("Renault Zoe", "ac_22kw", 22.0),
        ("Volkswagen ID.3", "ac_7.4kw", 7.36),
        # A single-phase car gets one of three phases.
        ("Peugeot 208", "ac_11kw", 3.68),
        ("Peugeot 208", "ac_22kw", 7.36),
        ("Nissan Leaf", "ac_7.4kw", 3.6),
        # DC by-passes the on-board charger.
        ("Nissan Leaf", "dc_50kw", 46.0),
        ("Tesla Model S 85", "dc_120kw", 120.0),
        ("Nissan Leaf 2011", "v2h_6kw", 6.0),
        ("BMW Mini E", "v2g_minie_18kw", 18.0),
    ],
)
def test_power_is_the_weaker_of_car_charger_and_phase(model, charger, p_kw):
    assert charged_kw(model, charger) == pytest.approx(p_kw)


def test_charging_a_22_kwh_car_at_3_3_kw_takes_about_eight_hours_with_efficiency():
    # doi:10.2478/jlst-2018-0010 says about 8 h; without loss it would be 6.67 h.
    row = Vehicle.preset("Compact 22 kWh").row(Charger.preset("ac_3.7kw"))
    hours = row["capacity_kwh"] / (row["p_charge_max_kw"] * row["eta_charge"])
    assert 7.0 < hours < 8.0


def test_box_that_only_supplies_cannot_charge_a_car():
    with pytest.raises(InputError, match="cannot charge"):
        Vehicle.preset("Mitsubishi i-MiEV").row(Charger.preset("v2h_miev_1.5kw"))


def test_fleet_row_carries_discharge_up_to_the_weaker_side():
    row = Vehicle.preset("Volkswagen ID.3").row(Charger.preset("ac_11kw"))
    assert row["p_discharge_max_kw"] == 11.0
    assert (
        Vehicle.preset("Volkswagen ID.3").row(Charger.preset("ac_22kw"))["p_discharge_max_kw"] == 0
    )
    assert row["soc_min"] < row["soc_reserve"] < row["soc_target"] <= row["soc_max"]


def test_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="ac_11kw"):
        Charger.preset("ac_11_kw")
    with pytest.raises(InputError, match="Renault Zoe"):
        Vehicle.preset("renault zoé")


def test_power_in_watt_is_refused_with_the_kw_it_would_be():
    with pytest.raises(InputError, match=r"11000 W is 11 kW"):
        Charger("mine", 11000.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Charger("x", 0.0),
        lambda: Charger("x", 7.0, phases=2),
        lambda: Charger("x", 7.0, current="rf"),
        lambda: Charger("x", float("nan")),
        lambda: Vehicle("x", 0.0),
        lambda: Vehicle("x", float("nan")),
        lambda: Vehicle("x", 50.0, kwh_per_km=17.0),
        lambda: Vehicle("x", 50.0, phases=2),
    ],
)
def test_impossible_hardware_is_refused(make):
    with pytest.raises(InputError):
        make()
