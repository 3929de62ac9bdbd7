"""Money is told per controlled car, and feeding back by how much it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.records import Note
from gridimpact.report import answer
from gridimpact.report.html import page
from gridimpact.report.money import (
    fed_back_words,
    money_rows,
    money_words,
    saved_per_controlled_car,
    wear_per_controlled_car,
)
from tests.report.test_words import with_figures

V2B = "v2b_demand_charge"


def test_controlled_cars_together_save_what_the_study_saves(result):
    frame = result.comparison
    for label in ("v2g_peak_shaving", V2B, "mix"):
        own, cars = frame.at[label, "cars_controlled"], frame.at[label, "cars"]
        bill = frame["ev_cost_per_car_eur"]
        total = (bill["uncontrolled"] - bill[label]) * cars
        assert saved_per_controlled_car(result, label) * own == pytest.approx(total)
        wear = frame.at[label, "wear_cost_per_car_eur"] * cars
        assert wear_per_controlled_car(result, label) * own == pytest.approx(wear)


def test_a_tenth_of_the_cars_saves_ten_times_the_mean(result):
    changes = {
        ("uncontrolled", "ev_cost_per_car_eur"): 18.0,
        (V2B, "ev_cost_per_car_eur"): 17.0,
        (V2B, "wear_cost_per_car_eur"): 0.1,
        (V2B, "cars_controlled"): 6,
    }
    shown = with_figures(result, changes)
    words = "10.00 EUR per controlled car saved in 14 days before 1.00 EUR of wear"
    assert money_words(shown, V2B) == words
    assert words in str(answer(shown))


def test_without_a_controlled_car_there_is_no_money_per_controlled_car(result):
    shown = with_figures(result, {(V2B, "cars_controlled"): 0})
    assert money_words(shown, V2B) == ""
    assert "V2B demand charge" not in dict(money_rows(shown))


def test_a_strategy_that_hardly_feeds_back_is_told_as_managed_charging(result):
    little = with_figures(result, {(V2B, "ev_discharge_kwh"): 0.7, (V2B, "ev_energy_kwh"): 9000.0})
    assert fed_back_words(little, V2B) == "only 0.7 kWh fed back: in effect managed charging"
    assert "only 0.7 kWh fed back" in str(answer(little))
    none = with_figures(result, {(V2B, "ev_discharge_kwh"): 0.0})
    assert fed_back_words(none, V2B) == "nothing fed back: in effect managed charging"
    much = with_figures(result, {(V2B, "ev_discharge_kwh"): 700.0})
    assert fed_back_words(much, V2B) == "700 kWh fed back in 14 days"
    assert fed_back_words(result, "g2v_valley_filling") == ""
    unknown = with_figures(result, {(V2B, "ev_discharge_kwh"): np.nan})
    assert fed_back_words(unknown, V2B) == ""


def test_page_tells_stored_energy_and_how_bills_were_corrected(result, monkeypatch):
    monkeypatch.setattr("gridimpact.report.html.FIGURES", ())
    noted = replace(
        result,
        comparison=result.comparison.assign(stored_change_kwh=-123.0),
        notes=(Note("info", "money", "bills less what batteries hold"),),
    )
    html = page(noted)
    assert "Stored in batteries, end less begin" in html
    assert "-123" in html
    assert "Money: bills less what batteries hold." in html
    assert "per controlled car" in html
    assert "mean over all cars" in html
