from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.profiles import build_tariffs, load_tariff
from gridimpact.timeline import Timeline

UTC = Timeline.days("2019-01-01", 1)
YEAR = Timeline.year(2016, zone="Europe/Berlin")


def test_day_ahead_prices_start_at_midnight_utc_and_hold_for_the_hour() -> None:
    # First hours of the auction of 2019: 64.98, 60.27 EUR/MWh.
    found = load_tariff("nl_2019", UTC)
    np.testing.assert_allclose(found.export_price[:8], [0.06498] * 4 + [0.06027] * 4)


def test_a_dynamic_tariff_is_wholesale_plus_stated_adders_and_tax() -> None:
    found = load_tariff("nl_2019", UTC)
    wanted = (found.export_price + 0.09863 + 0.0189 + 0.015) * 1.21
    np.testing.assert_allclose(found.import_price, wanted)
    assert "Energy tax 0.09863" in found.source
    assert found.currency == "EUR"


def test_prices_of_2019_keep_their_weekdays_in_2016_and_their_mean() -> None:
    found = load_tariff("nl_2019", YEAR)
    assert "mapped to the study by weekday and season" in found.source
    assert found.export_price.mean() == pytest.approx(0.0412, rel=0.01)
    sunday = found.export_price[YEAR.weekday == 6].mean()
    assert sunday < 0.95 * found.export_price[YEAR.weekday < 5].mean()


def test_negative_prices_pass_as_they_are() -> None:
    found = load_tariff("nl_2023", Timeline.year(2023, zone="Europe/Amsterdam"))
    assert found.export_price.min() == pytest.approx(-0.5)
    assert (found.export_price.reshape(-1, 4).mean(axis=1) < 0).sum() == pytest.approx(315, abs=3)
    assert np.isfinite(found.import_price).all()


def test_windows_follow_the_local_clock_weekday_and_month() -> None:
    week = Timeline.days("2016-01-11", 7, zone="Europe/Berlin")
    found = load_tariff("time_of_use", week)
    hour, weekend = week.local_hour, week.weekday >= 5
    evening = (hour >= 16) & (hour < 21)
    assert set(found.import_price[evening & ~weekend]) == {0.42}
    assert set(found.import_price[evening & weekend]) == {0.28}
    assert set(found.import_price[(hour >= 22) | (hour < 6)]) == {0.18}
    summer = load_tariff("time_of_use", Timeline.days("2016-07-11", 1, zone="Europe/Berlin"))
    assert summer.import_price.max() == 0.36


def test_buildings_pay_for_power() -> None:
    demand = load_tariff("building_demand", YEAR)
    assert demand.demand_charge_per_kw_month == 10.0
    subscribed = load_tariff("building_subscribed", YEAR)
    assert (subscribed.subscribed_kw, subscribed.subscribed_per_kw_month) == (60.0, 4.0)
    assert subscribed.excess_per_kw_month > subscribed.subscribed_per_kw_month
    assert "Illustrative" in demand.source


def test_arrays_are_import_prices_and_export_is_paid_only_when_given() -> None:
    prices = np.linspace(-0.1, 0.4, UTC.count)
    found = load_tariff(prices, UTC)
    np.testing.assert_array_equal(found.import_price, prices)
    assert found.export_price.max() == 0.0
    assert "export is not paid" in found.source
    both = load_tariff(prices, UTC, export=0.08)
    assert set(both.export_price) == {0.08}
    assert "not paid" not in both.source
    assert set(load_tariff(0.3, UTC).import_price) == {0.3}
    same = load_tariff(both, UTC)
    np.testing.assert_array_equal(same.import_price, both.import_price)


def test_hours_of_the_year_start_at_midnight_utc() -> None:
    berlin = Timeline.days("2019-01-01", 1, zone="Europe/Berlin")
    found = load_tariff(np.arange(8760.0) / 8760.0, berlin)
    # Local 01:00 is 00:00 UTC; the hour before lies in 2018 and comes from a week later.
    assert found.import_price[4] == 0.0
    assert found.import_price[0] == pytest.approx((6 * 24 + 23) / 8760.0)


def test_series_and_price_files_carry_their_stamps_and_unit(tmp_path: Path) -> None:
    stamps = pd.date_range("2019-01-01", periods=48, freq="1h")
    series = pd.Series(np.arange(48.0) / 100.0, index=stamps)
    assert load_tariff(series, UTC).import_price[4] == 0.01
    local = series.copy()
    local.index = stamps.tz_localize("Europe/Berlin")
    assert load_tariff(local, UTC).import_price[0] == 0.01
    for heading, factor in (("price_eur_per_kwh", 1.0), ("price_eur_per_mwh", 1000.0)):
        path = tmp_path / f"{heading}.csv"
        pd.DataFrame({"time": stamps, heading: series.to_numpy() * factor}).to_csv(
            path, index=False
        )
        np.testing.assert_allclose(load_tariff(path, UTC).import_price[4], 0.01)


def test_short_wrong_and_unknown_prices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs 96 steps or 8760 hours"):
        load_tariff(np.zeros(95), UTC)
    short = pd.Series(0.1, index=pd.date_range("2019-01-01", periods=12, freq="1h"))
    with pytest.raises(InputError, match="a series is too short"):
        load_tariff(short, UTC)
    with pytest.raises(InputError, match="divide by 1000"):
        load_tariff(np.full(96, 45.0), UTC)
    with pytest.raises(InputError, match="known: building_demand"):
        load_tariff("nl_2018", UTC)
    with pytest.raises(InputError, match="cannot be read as numbers"):
        load_tariff(object(), UTC)
    with pytest.raises(InputError, match="has 96 steps, needs 35136"):
        load_tariff(load_tariff(0.3, UTC), YEAR)
    path = tmp_path / "p.csv"
    path.write_text("time,price\n2019-01-01T00:00,1\n2019-01-01T01:00,2\n")
    with pytest.raises(InputError, match="so that the unit is known"):
        load_tariff(path, UTC)


def test_sites_share_tariffs_by_name_and_default() -> None:
    tariffs, where = build_tariffs(
        {"h1": "flat_retail", "b0": "building_demand", "default": "nl_2019"},
        ("h0", "h1", "h2", "b0"),
        UTC,
    )
    assert [tariffs[place].name for place in where] == [
        "nl_2019", "flat_retail", "nl_2019", "building_demand",
    ]  # fmt: skip
    assert len(tariffs) == 3
    one, everywhere = build_tariffs("flat_retail", ("h0", "h1"), UTC)
    assert (len(one), everywhere.tolist()) == (1, [0, 0])
    with pytest.raises(InputError) as caught:
        build_tariffs({"h0": "flat_retail", "x9": "flat_retail"}, ("h0", "h1"), UTC)
    assert "prices, x9" in str(caught.value)
    assert "prices, h1: has no tariff" in str(caught.value)
