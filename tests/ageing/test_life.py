"""Years, calendar years and money from an ageing rate."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.ageing import (
    Nameplate,
    Replacement,
    ageing_sensitivity,
    coarse_step_note,
    deferral,
    end_of_life_year,
    largest_jump_pu,
    present_cost,
    remaining_years,
    replaced_after_years,
    thermal_series,
    yearly_cost_of_life,
)
from gridimpact.errors import InputError


def test_normal_ageing_uses_180000_hours_in_twenty_and_a_half_years():
    assert remaining_years(1.0) == pytest.approx(20.548, abs=1e-3)
    assert remaining_years(1.0, used_percent=100.0) == 0.0
    assert remaining_years(0.0) == np.inf


def test_growing_ageing_adds_up_to_the_same_life():
    years = float(remaining_years(0.5, growth=0.1))
    # The integral of 0.5 * 1.1**t over these years is the whole life.
    total = 0.5 * (1.1**years - 1.0) / np.log(1.1) * 8760.0
    assert total == pytest.approx(180_000.0, rel=1e-9)


def test_a_calendar_year_is_only_named_within_a_century():
    found = end_of_life_year(2026, remaining_years([1.0, 0.001]))
    assert found[0] == 2046.0
    assert np.isnan(found[1])


def test_rust_ends_a_cool_transformer_and_heat_a_hot_one():
    replacement = Replacement(10_000.0, other_life_years=40.0)
    found = replaced_after_years([0.01, 5.0], replacement, age_years=10.0)
    np.testing.assert_allclose(found, [30.0, 180_000 / 8760 / 5.0])


def test_a_payment_due_later_is_worth_less_today():
    replacement = Replacement(1_000.0, 0.05)
    np.testing.assert_allclose(
        present_cost([0, 1, 10], replacement), 1000 / 1.05 ** np.r_[0, 1, 10]
    )
    gain = deferral(1.0, 2.0, replacement, cars=10)
    assert gain.years == pytest.approx(180_000 / 8760 / 2, rel=1e-12)
    assert gain.worth > 0.0
    assert gain.per_ev == pytest.approx(gain.worth / 10)
    assert deferral(2.0, 1.0, replacement).worth == pytest.approx(-gain.worth)
    assert deferral(0.1, 0.2, replacement).worth == 0.0


def test_a_year_of_normal_ageing_costs_its_share_of_the_price():
    assert yearly_cost_of_life(1.0, Replacement(18_000.0)) == pytest.approx(876.0)


def test_impossible_money_is_refused():
    with pytest.raises(InputError, match="discount_rate"):
        Replacement(1.0, discount_rate=4.0)


def test_warmer_air_and_higher_rises_age_faster_and_slower_oil_rides_through_a_peak():
    hours = np.arange(96) / 4.0
    load = (0.5 + 0.9 * ((hours >= 18) & (hours < 20)))[None, :, None]
    load = np.tile(load, (1, 4, 1))
    table = ageing_sensitivity(load, np.full(384, 25.0), Nameplate.preset("ieee_65c"), 0.25)
    table = table.set_index("assumption")
    for name in ("ambient +-5 K", "rated oil rise +-5 K"):
        assert table.loc[name, "lower"] < table.loc[name, "as_given"] < table.loc[name, "higher"]
    slow = table.loc["oil time constant over/times 1.5"]
    assert slow["higher"] < slow["as_given"] < slow["lower"]


@pytest.mark.parametrize(
    ("minutes", "least", "most"), [(5, 0.0, 6.0), (15, -15.0, -5.0), (60, -80.0, -50.0)]
)
def test_coarse_steps_lose_the_peaks_that_age(minutes, least, most):
    # An evening with a car that charges for 40 minutes at a time, means over the step.
    minute = np.arange(1440)
    busy = ((minute >= 1065) & (minute < 1105)) | ((minute >= 1150) & (minute < 1190))
    fine = 0.55 + 0.95 * busy
    plate, air = Nameplate.preset("ieee_65c"), 30.0
    exact = _mean_rate(fine, air, plate, 1)
    coarse = _mean_rate(fine.reshape(-1, minutes).mean(axis=1), air, plate, minutes)
    assert least < 100.0 * (coarse / exact - 1.0) < most


def _mean_rate(load, air, plate, minutes):
    series = thermal_series(
        load[None, :, None], np.full(load.size, air), plate, minutes / 60.0, start="periodic"
    )
    return float(series.ageing_rate.mean())


def test_a_coarse_step_is_told_where_the_load_moves_fast():
    load = np.array([0.2, 0.9, 0.4])[None, :, None]
    assert largest_jump_pu(load) == pytest.approx(0.7)
    note = coarse_step_note(1.0, largest_jump_pu(load))
    assert note is not None
    assert "shorter steps" in note.text
