"""Bars: 100 homes of the IEEE European low-voltage test feeder (EPRI, BSD-3), one day at 1 minute:
maxima of single homes 2.7 / 3.5 / 8.3 kW at 1 min and 2.0 / 2.5 / 3.0 kW at 15 min (quartiles)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridimpact.profiles.appliances import APPLIANCES, HomeYear, _activity, home_year
from gridimpact.profiles.blocks import block_means, shape_means
from gridimpact.timeline import Timeline

ZONE = "Europe/Berlin"
HOMES = 500
WEEK = Timeline.days("2016-01-11", 7, step="1min", zone=ZONE)


def load(homes: list[HomeYear], time: Timeline) -> np.ndarray:
    return np.stack(
        [
            block_means(home.events, home.shape.start, time)
            + shape_means(home.base_kwh, home.shape, time)
            for home in homes
        ],
        axis=1,
    )


@pytest.fixture(scope="module")
def homes() -> list[HomeYear]:
    return [home_year(f"h{i}", 3500.0, 2016, ZONE, 7) for i in range(HOMES)]


@pytest.fixture(scope="module")
def minutes(homes: list[HomeYear]) -> np.ndarray:
    return load(homes, WEEK)


@pytest.fixture(scope="module")
def quarters(minutes: np.ndarray) -> np.ndarray:
    return minutes.reshape(-1, 15, HOMES).mean(axis=1)


def test_the_mean_of_many_homes_is_the_dynamised_h25_profile(homes: list[HomeYear]) -> None:
    year = Timeline.year(2016, zone=ZONE)
    mean = np.zeros(year.count)
    for first in range(0, HOMES, 100):
        mean += load(homes[first : first + 100], year).sum(axis=1) / HOMES
    wanted = homes[0].shape.share * 3500.0 * 4.0
    assert np.sqrt(np.mean((mean - wanted) ** 2)) / wanted.mean() < 0.06
    # Noise apart, each hour of the day and each month agree.
    hour = homes[0].shape.hour.astype(int)
    by_hour = np.bincount(hour, mean) / np.bincount(hour, wanted)
    assert np.abs(by_hour - 1.0).max() < 0.04
    month = year.local.month.to_numpy()
    by_month = np.bincount(month, mean)[1:] / np.bincount(month, wanted)[1:]
    assert np.abs(by_month - 1.0).max() < 0.02


def test_every_home_uses_its_annual_energy_exactly(homes: list[HomeYear]) -> None:
    for annual, home in [(3500.0, home) for home in homes[:50]] + [
        (annual, home_year("x", annual, 2017, ZONE, 1)) for annual in (0.0, 300.0, 20_000.0)
    ]:
        assert home.events.energy_kwh + home.base_kwh.sum() == pytest.approx(annual, rel=1e-9)
        assert home.base_kwh.min() >= 0.0


def test_hundred_homes_peak_together_at_six_to_ten_tenths_of_a_kilowatt(
    quarters: np.ndarray,
) -> None:
    for first in range(0, HOMES, 100):
        assert 0.6 <= quarters[:, first : first + 100].mean(axis=1).max() <= 1.0


def test_single_homes_peak_at_two_to_five_kilowatts_in_a_winter_week_at_15_minutes(
    quarters: np.ndarray,
) -> None:
    tenth, median, ninth = np.quantile(quarters.max(axis=0), [0.1, 0.5, 0.9])
    assert tenth > 2.0
    assert ninth < 5.0
    assert 2.5 < median < 3.5


def test_daily_maxima_at_1_minute_have_the_reference_median_and_upper_quartile(
    minutes: np.ndarray,
) -> None:
    daily = minutes.reshape(7, 1440, HOMES).max(axis=1)
    median, upper = np.quantile(daily, [0.5, 0.75])
    assert 3.0 <= median <= 4.0
    assert 7.8 <= upper <= 11.0
    assert 8.0 <= np.quantile(minutes.max(axis=0), 0.75) <= 11.0


def test_diversity_falls_from_one_home_to_a_hundred(quarters: np.ndarray) -> None:
    def together(count: int) -> float:
        groups = quarters[:, : HOMES // count * count].reshape(len(quarters), -1, count)
        return float(groups.mean(axis=2).max(axis=0).mean())

    peaks = [together(count) for count in (1, 3, 5, 10, 100)]
    assert peaks == sorted(peaks, reverse=True)
    # Coincidence of a hundred homes against one, as in the reference day: 0.64 of 2.5 kW.
    assert 0.2 < peaks[-1] / peaks[0] < 0.4


def test_a_minute_is_part_of_the_same_quarter_hour(
    homes: list[HomeYear], quarters: np.ndarray
) -> None:
    native = load(homes[:20], Timeline.days("2016-01-11", 7, zone=ZONE))
    np.testing.assert_allclose(native, quarters[:, :20], atol=1e-9)


def test_the_expected_share_of_each_appliance_is_a_whole() -> None:
    for share in _activity(2016, ZONE).load:
        assert share.sum() == pytest.approx(1.0, abs=1e-9)
        assert share.min() > -1e-12
    assert sum(appliance.share for appliance in APPLIANCES) < 0.8


@pytest.mark.reference
def test_spread_of_daily_maxima_is_that_of_the_test_feeder(
    reference: Path, minutes: np.ndarray
) -> None:
    file = reference / "data" / "reference" / "households_ieee_eulv_1min" / "load_kw.csv.gz"
    feeder = pd.read_csv(file, index_col=0).to_numpy()
    wanted = np.quantile(feeder.max(axis=0), [0.25, 0.5, 0.75, 0.9])
    daily = minutes.reshape(7, 1440, HOMES).max(axis=1)
    np.testing.assert_allclose(np.quantile(daily, [0.25, 0.5, 0.75, 0.9]), wanted, rtol=0.12)
    together = feeder.reshape(96, 15, 100).mean(axis=1).max(axis=0)
    found = minutes.reshape(7, 96, 15, HOMES).mean(axis=2).max(axis=1)
    np.testing.assert_allclose(np.median(found), np.median(together), rtol=0.2)
