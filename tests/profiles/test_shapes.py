from __future__ import annotations

import numpy as np
import pytest

from gridimpact.profiles.calendar import day_types
from gridimpact.profiles.catalogue import bdew_table
from gridimpact.profiles.shapes import dynamisation, local_years, year_shape
from gridimpact.timeline import Timeline


@pytest.mark.parametrize("name", ["bdew_h25", "bdew_g25", "bdew_l25"])
def test_bdew_tables_laid_over_a_year_hold_a_thousand_megawatt_hours(name: str) -> None:
    days = np.arange("2025-01-01", "2026-01-01", dtype="M8[D]")
    month = days.astype("M8[M]").astype(int) % 12
    daily = bdew_table(name)[:, month, day_types(days, "Europe/Berlin")].sum(axis=0)
    if name == "bdew_h25":
        daily = daily * dynamisation(np.arange(1.0, 366.0))
    assert bdew_table(name).shape == (96, 12, 3)
    assert daily.sum() == pytest.approx(1e6, rel=0.02)
    assert year_shape(name, 2025, "Europe/Berlin").share.sum() == pytest.approx(1.0)


def test_h25_peaks_in_a_winter_evening_at_eight_tenths_of_a_kilowatt_for_3500_kwh() -> None:
    shape = year_shape("bdew_h25", 2016, "Europe/Berlin")
    power = shape.share * 3500.0 * 4.0
    at = int(np.argmax(power))
    assert power[at] == pytest.approx(0.80, abs=0.02)
    assert 17.0 <= shape.hour[at] <= 19.0
    assert shape.day[at] < 59 or shape.day[at] > 333


def test_dynamisation_is_that_of_vdew() -> None:
    # VDEW 2000: about 1.24 at new year, 0.80 in summer.
    assert dynamisation(np.array([1.0]))[0] == pytest.approx(1.242, abs=1e-3)
    assert dynamisation(np.array([200.0]))[0] == pytest.approx(0.79, abs=0.02)


def test_days_of_clock_change_have_92_and_100_quarter_hours() -> None:
    shape = year_shape("bdew_h25", 2026, "Europe/Berlin")
    lengths = np.bincount(shape.day)
    assert sorted(set(lengths.tolist())) == [92, 96, 100]
    assert len(shape.share) == 35_040


def test_local_years_follow_the_local_clock() -> None:
    assert list(local_years(Timeline.year(2016, zone="Europe/Berlin"))) == [2016]
    assert list(local_years(Timeline.days("2016-12-30", 4, zone="Europe/Berlin"))) == [2016, 2017]
