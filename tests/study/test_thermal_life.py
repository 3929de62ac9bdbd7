"""Life, money and ledgers of a solved study agree with the functions of ageing on what it stored."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.ageing import (
    Replacement,
    ageing_sensitivity,
    deferral,
    equivalent_ageing,
    remaining_years,
    yearly_cost_of_life,
)
from gridimpact.errors import InputError
from gridimpact.study.store_read import read_results
from gridimpact.study.thermal_life import cars_behind, ledgers, transformer_life
from gridimpact.study.thermal_options import transformer_options
from gridimpact.study.thermal_plates import plates_of
from gridimpact.study.thermal_stored import aged_again, ageing_sensitivity_of
from tests.study.thermal_case import AIR, REPORT, thermal_run

MONEY = {"replacement": {"cost": 12_000.0, "discount_rate": 0.03, "other_life_years": 45.0},
         "used_percent": 40.0, "age_years": 20.0}  # fmt: skip
NEW = Replacement(12_000.0, 0.03, 45.0)
COLUMN = "ageing_equivalent"


def with_options(record, given, *, rates=None):
    """Return a result as if made with these options; with `rates` as if of a year."""
    manifest = dict(record.manifest)
    manifest["transformer"] = dict(manifest["transformer"]) | {"given": given}
    found = {}
    for number, (label, each) in enumerate(record.assessments.items()):
        table = each.tables["transformers"].copy()
        if rates is not None:
            table[COLUMN] = rates[number]
            table["loss_of_life_percent"] = rates[number] * 8736.0 / 1800.0
            table["life"] = "limiting"
        found[label] = dataclasses.replace(each, tables=dict(each.tables) | {"transformers": table})
    return dataclasses.replace(record, manifest=manifest, assessments=found)


def test_less_than_a_year_gives_a_share_of_life_and_neither_years_nor_deferral(solved):
    table = transformer_life(with_options(solved, MONEY))
    assert set(table["period"]) == {"assessed time"}
    for name in ("remaining_years", "end_of_life_year", "deferral_years", "life_cost_per_year_eur"):
        assert table[name].isna().all()
    expected = table["loss_of_life_percent"] / 100.0 * 12_000.0
    assert table["life_cost_eur"].to_numpy() == pytest.approx(expected.to_numpy())
    known = solved.assessments["uncontrolled"].tables["transformers"]
    row = table[table["strategy"] == "uncontrolled"]
    assert row["loss_of_life_percent"].tolist() == known["loss_of_life_percent"].tolist()


def test_money_is_empty_without_a_price(solved):
    table = transformer_life(solved)
    assert table["life_cost_eur"].isna().all()
    assert len(table) == len(solved.assessments) * len(solved.network.grid.transformer_index)


def test_a_year_gives_years_and_deferral_as_the_functions_of_ageing_do(solved):
    rates = np.linspace(0.2, 2.0, len(solved.assessments))
    table = transformer_life(with_options(solved, MONEY, rates=rates)).set_index("strategy")
    assert set(table["period"]) == {"a year"}
    left = remaining_years(rates, used_percent=40.0)
    assert table["remaining_years"].to_numpy() == pytest.approx(left)
    ends = np.where(left <= 100.0, np.floor(2016 + left), np.nan)
    assert table["end_of_life_year"].to_numpy() == pytest.approx(ends, nan_ok=True)
    assert table["life_cost_per_year_eur"].to_numpy() == pytest.approx(
        yearly_cost_of_life(rates, NEW)
    )
    gained = deferral(rates, rates[1], NEW, age_years=20.0, used_percent=40.0)
    assert table["deferral_years"].to_numpy() == pytest.approx(gained.years)
    assert table["deferral_eur"].to_numpy() == pytest.approx(gained.worth)
    assert table.loc["uncontrolled", "deferral_years"] == 0.0
    cars = table.loc["uncontrolled", "cars"]
    caused = (rates[1] - rates[0]) * 8736.0 / 180_000.0 * 12_000.0 / cars
    assert table.loc["uncontrolled", "caused_cost_per_car_eur"] == pytest.approx(caused)
    assert table.loc["no_ev", "cars"] == 0


def test_a_shorter_life_is_used_up_and_deferred_sooner(solved):
    rates = np.full(len(solved.assessments), 1.0)
    rates[1] = 2.0
    usual, short = (
        transformer_life(with_options(solved, MONEY | extra, rates=rates))
        for extra in ({}, {"life_h": "tensile_50"})
    )
    assert (short["remaining_years"] < usual["remaining_years"]).all()
    assert short["life_cost_per_year_eur"].to_numpy() == pytest.approx(
        usual["life_cost_per_year_eur"].to_numpy() * 180.0 / 65.0
    )
    own = deferral(1.0, 2.0, NEW, age_years=20.0, used_percent=40.0, life_h=65_000.0)
    assert short["deferral_years"].to_numpy()[0] == pytest.approx(float(own.years))


def test_cars_are_counted_at_the_transformer_that_feeds_them(solved):
    sessions = solved.fleet.sessions["vehicle_id"].nunique()
    assert sum(cars_behind(solved).values()) == sessions


def test_temperatures_come_again_from_the_stored_loading(solved):
    for result in (solved, thermal_run(model="iec_60076_7").record,
                   thermal_run(model="annex_g", annex_g=REPORT).record):  # fmt: skip
        again = aged_again(result, "uncontrolled")
        hot = np.concatenate([part.hot_spot_c[0] for part in again])
        stored = result.dataset["hot_spot_c"].sel(strategy="uncontrolled").values
        assert hot == pytest.approx(stored, abs=2e-3)


def test_the_sensitivity_is_that_of_ageing_itself_and_brackets_what_was_given():
    result = thermal_run()
    table = result.ageing_sensitivity("uncontrolled")
    load = result.dataset["transformer_loading_percent"].values[[1]].astype(float) / 100.0
    lead = plates_of(result.record.network, transformer_options(None)).lead
    own = ageing_sensitivity(load, AIR, lead, 1.0)
    assert table["assumption"].tolist() == own["assumption"].tolist()
    counted = result.dataset["counted"].values
    assert counted.all()
    for column in ("lower", "as_given", "higher"):
        assert table[column].to_numpy() == pytest.approx(own[column].to_numpy(), rel=1e-4)
    moved = table.set_index("assumption")
    for name in ("ambient +-5 K", "rated oil rise +-5 K"):
        assert moved.loc[name, "lower"] < moved.loc[name, "as_given"] < moved.loc[name, "higher"]


@pytest.mark.parametrize(
    "options", [{"model": "iec_60076_7"}, {"model": "annex_g", "annex_g": REPORT}]
)
def test_every_model_is_swept_over_what_it_assumes(options):
    table = thermal_run(**options).ageing_sensitivity("no_ev").set_index("assumption")
    assert len(table) == 4
    assert (table.loc["ambient +-5 K", "lower"] < table["as_given"]).all()
    assert (table.loc["rated oil rise +-5 K", "higher"] > table["as_given"]).all()


def test_as_given_is_the_figure_of_the_study_over_its_counted_steps(solved):
    table = ageing_sensitivity_of(solved, "uncontrolled")
    data = solved.dataset.sel(strategy="uncontrolled")
    rate = equivalent_ageing(data["ageing_rate"].values, counted=data["counted"].values)
    assert table["as_given"].to_numpy()[0] == pytest.approx(rate[0], rel=1e-4)


def test_a_failed_step_is_aged_by_what_was_injected(solved):
    data = solved.dataset.copy(deep=True)
    gap = data["transformer_loading_percent"].values
    row = list(data["strategy"].values).index("uncontrolled")
    usual = gap[row, 40, 0] / 100.0
    gap[row, 40] = np.nan
    again = aged_again(dataclasses.replace(solved, dataset=data), "uncontrolled")
    hot = np.concatenate([part.hot_spot_c[0] for part in again])
    stored = solved.dataset["hot_spot_c"].sel(strategy="uncontrolled").values
    assert np.isfinite(hot).all()
    # Injected power leaves out losses and voltage, a few percent of the current.
    assert np.abs(hot - stored).max() < 3.0 * max(usual, 0.3)


def test_unknown_rows_and_studies_without_temperature_are_refused(solved):
    with pytest.raises(InputError, match="no strategy 'nobody'"):
        gi.Result(solved).ageing_sensitivity("nobody")
    bare = dataclasses.replace(solved, dataset=solved.dataset.drop_vars("temp_air_c"))
    with pytest.raises(InputError, match="temperatures were not studied"):
        ageing_sensitivity_of(bare, "uncontrolled")
    both = gi.Result(thermal_run().record).ageing_sensitivity()
    assert set(both["strategy"]) == {"no_ev", "uncontrolled"}


def test_two_ledgers_stand_beside_the_energy_bill(solved):
    record = with_options(solved, MONEY)
    table = ledgers(record)
    assert table.index.tolist() == solved.comparison.index.tolist()
    cars = solved.comparison["cars"]
    low = solved.comparison["battery_cost_low_eur"] * cars
    life = transformer_life(record).groupby("strategy")["life_cost_eur"].sum()
    for label in table.index[1:]:
        row = table.loc[label]
        assert row["energy_eur"] == pytest.approx(solved.comparison.loc[label, "cost_eur"])
        assert row["transformer_eur"] == pytest.approx(life[label])
        assert row["battery_low_eur"] == pytest.approx(low[label])
        assert row["battery_low_eur"] <= row["battery_high_eur"]
        assert row["extra_total_low_eur"] <= row["extra_total_high_eur"]
    base = table.loc["uncontrolled"]
    assert (base[[c for c in table if c.startswith("extra_")]] == 0.0).all()
    v2g = table.loc["v2g_arbitrage"]
    parts = [v2g[f"extra_{p}"] for p in ("energy_eur", "transformer_eur", "battery_low_eur")]
    ends = (v2g["extra_total_low_eur"], v2g["extra_total_high_eur"])
    assert min(abs(sum(parts) - end) for end in ends) < 1e-9
    assert table.loc["no_ev", "battery_high_eur"] == 0.0
    assert np.isnan(ledgers(solved).loc["uncontrolled", "transformer_eur"])


def test_life_and_sensitivity_come_again_from_the_files(solved, written):
    stored = read_results(written)
    pd.testing.assert_frame_equal(
        transformer_life(stored), transformer_life(solved), check_dtype=False, rtol=1e-9
    )
    one, two = (ageing_sensitivity_of(r, "uncontrolled") for r in (solved, stored))
    pd.testing.assert_frame_equal(one, two, check_dtype=False, rtol=1e-6)
