"""Annex G against the worked example of the standard, its own steady state and what physics demands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.ageing import ageing_rate
from gridimpact.ageing.annex_g_plate import COOLINGS, FLUIDS, AnnexGPlate
from gridimpact.ageing.ieee_annex_g import annex_g_series, annex_g_steady_state, annex_g_step
from gridimpact.ageing.ieee_clause7 import thermal_series
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.errors import InputError

CASE = "reference/ageing/01_ieee_c57_91_annexG_28MVA_24h"
POUND = 0.45359237

# The 28/52 MVA transformer of the annex's example.
EXAMPLE = AnnexGPlate(
    cooling="ONAF",
    rated_kva=52_267.0,
    loss_kva=28_000.0,
    loss_temp_c=75.0,
    winding_loss_w=51_690.0,
    winding_eddy_loss_w=0.0,
    stray_loss_w=21_078.0,
    core_loss_w=36_986.0,
    winding_rise_rated_k=65.0,
    winding_rise_k=63.0,
    hot_spot_rise_k=80.0,
    top_oil_rise_k=55.0,
    bottom_oil_rise_k=25.0,
    core_coil_kg=75_600.0 * POUND,
    tank_kg=31_400.0 * POUND,
    oil_l=4_910.0 * 3.785411784,
)


def example_day(reference, steps):
    """Return load and air of the example in the middle of every step, both straight between knots."""
    knots = pd.read_csv(reference / CASE / "load_cycle.csv")
    middle = (np.arange(steps) + 0.5) * 24.0 / steps
    load = np.interp(middle, knots["hour"], knots["load_pu"])
    return load[None, :, None], np.interp(middle, knots["hour"], knots["ambient_C"])


def at_hours(series, steps):
    """Return top oil and hot spot at 0, 1, ... 24 h."""
    hours = np.arange(25) * steps // 24
    top = np.concatenate([series.initial.top_oil_c[:1].ravel(), series.top_oil_c[0, :, 0]])
    hot = np.concatenate([series.initial.hot_spot_c[:1].ravel(), series.hot_spot_c[0, :, 0]])
    return top[hours], hot[hours]


@pytest.mark.reference
def test_the_day_of_the_standard_is_met_at_every_hour(reference):
    steps = 1440
    load, air = example_day(reference, steps)
    found = annex_g_series(load, air, EXAMPLE, 24.0 / steps, start="periodic")
    published = pd.read_csv(reference / CASE / "expected_hourly.csv")
    top, hot = at_hours(found, steps)
    np.testing.assert_allclose(top, published["top_oil_C_published"], atol=0.1)
    np.testing.assert_allclose(hot, published["hot_spot_C_published"], atol=0.1)
    rates = ageing_rate(published["hot_spot_C_published"].to_numpy())
    hourly = np.trapezoid(rates, published["hour"]) / 24.0
    assert found.ageing_rate.mean() == pytest.approx(hourly, rel=0.005)


@pytest.mark.reference
def test_clause_7_on_the_same_day_is_that_of_an_independent_computation(reference):
    steps = 1440
    load, air = example_day(reference, steps)
    ratio = 7.049700905628799
    unit = Nameplate.preset("ieee_65c", loss_ratio=ratio)
    columns = vars(unit) | {
        "exponent_n": np.array([0.9]),
        "tau_oil_h": np.array([2.2763411960115802]),
        "tau_winding_h": np.array([5.0 / 60.0]),
    }
    fields = Nameplate.__dataclass_fields__
    unit = Nameplate(**{name: columns[name] for name in fields})
    found = thermal_series(load, air, unit, 24.0 / steps, start="periodic")
    expected = pd.read_csv(reference / CASE / "expected_hourly.csv")
    top, hot = at_hours(found, steps)
    np.testing.assert_allclose(top, expected["top_oil_C_clause7_recomputed"], atol=0.1)
    np.testing.assert_allclose(hot, expected["hot_spot_C_clause7_recomputed"], atol=0.1)


@pytest.mark.reference
def test_steady_states_over_load_and_air_are_those_of_an_independent_computation(reference):
    grid = pd.read_csv(reference / CASE / "steady_state_grid.csv")
    found = [
        float(annex_g_steady_state([load], air, EXAMPLE).hot_spot_c[0])
        for load, air in zip(grid["load_pu"], grid["ambient_C"], strict=True)
    ]
    np.testing.assert_allclose(found, grid["hot_spot_C"], atol=1e-3)


@pytest.mark.parametrize("cooling", COOLINGS)
@pytest.mark.parametrize("fluid", FLUIDS)
def test_a_constant_load_settles_where_the_balance_says(cooling, fluid):
    unit = EXAMPLE.replaced(cooling=cooling, fluid=fluid, winding_eddy_loss_w=2_000.0)
    load = np.array([[[0.9]] * 400, [[0.2]] * 400])
    found = annex_g_series(load, np.full(400, 10.0), unit, 0.5, start="cold")
    balance = annex_g_steady_state([0.9, 0.2], 10.0, unit)
    np.testing.assert_allclose(found.final.temperatures_c, balance.temperatures_c, atol=0.02)


def test_rated_load_in_rated_air_gives_the_rises_of_the_report():
    unit = EXAMPLE.replaced(winding_rise_rated_k=63.0)
    found = annex_g_steady_state([1.0], 30.0, unit)
    assert found.hot_spot_c[0] == pytest.approx(110.0, abs=1e-6)
    assert found.top_oil_c[0] == pytest.approx(85.0, abs=1e-6)
    assert found.bottom_oil_c[0] == pytest.approx(55.0, abs=1e-6)
    assert found.winding_c[0] == pytest.approx(93.0, abs=1e-6)


def test_cold_oil_is_stiff_so_a_load_picked_up_in_the_cold_has_the_larger_gradient():
    load = np.full((1, 8, 1), 1.2)
    warm = annex_g_series(load, np.full(8, 30.0), EXAMPLE, 0.25, start="cold")
    cold = annex_g_series(load, np.full(8, -20.0), EXAMPLE, 0.25, start="cold")
    gradient = [float((s.hot_spot_c - s.top_oil_c)[0, 3, 0]) for s in (warm, cold)]
    assert gradient[1] > gradient[0] + 1.0


@given(st.integers(0, 10_000), st.floats(1.01, 1.5))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_more_load_never_ages_less(seed, factor):
    load = np.random.default_rng(seed).uniform(0.0, 1.1, (1, 24, 1))
    air = np.full(24, 20.0)
    low = annex_g_series(load, air, EXAMPLE, 1.0)
    high = annex_g_series(load * factor, air, EXAMPLE, 1.0)
    assert np.all(high.hot_spot_c >= low.hot_spot_c - 1e-9)
    assert np.all(high.ageing_rate >= low.ageing_rate)


def test_scenarios_in_another_order_give_the_same_numbers_in_that_order():
    rng = np.random.default_rng(5)
    load, air = rng.uniform(0.0, 1.5, (4, 24, 1)), rng.uniform(-5.0, 35.0, 24)
    order = np.array([2, 0, 3, 1])
    one = annex_g_series(load, air, EXAMPLE, 0.5, start="periodic")
    two = annex_g_series(load[order], air, EXAMPLE, 0.5, start=one_of(one, order))
    assert np.array_equal(one.hot_spot_c[order], two.hot_spot_c)


def one_of(series, order):
    """Return the start of some scenarios of a series."""
    return type(series.initial)(series.initial.temperatures_c[:, order])


def test_stepping_gives_the_series_bit_by_bit():
    rng = np.random.default_rng(7)
    load, air = rng.uniform(0.0, 2.0, (3, 12, 1)), rng.uniform(-10.0, 35.0, 12)
    series = annex_g_series(load, air, EXAMPLE, 0.25, start="cold")
    state = series.initial
    for t in range(12):
        state = annex_g_step(state, load[:, t], float(air[t]), EXAMPLE, 0.25)
    assert np.array_equal(state.temperatures_c, series.final.temperatures_c)


def test_a_shorter_substep_changes_the_hot_spot_by_less_than_a_kelvin():
    load = np.tile([0.4, 1.4], 12)[None, :, None]
    coarse = annex_g_series(load, np.full(24, 20.0), EXAMPLE, 0.25)
    fine = annex_g_series(load, np.full(24, 20.0), EXAMPLE, 0.25, substep_min=0.05)
    np.testing.assert_allclose(coarse.hot_spot_c, fine.hot_spot_c, atol=0.8)
    np.testing.assert_allclose(coarse.top_oil_c, fine.top_oil_c, atol=0.1)


def test_all_that_is_wrong_with_a_report_is_told_at_once():
    with pytest.raises(InputError) as caught:
        EXAMPLE.replaced(cooling="ONAM", fluid="water", oil_l=-1.0, top_oil_rise_k=90.0)
    text = str(caught.value)
    for part in ("ONAM", "water", "oil_l", "top_oil_rise_k"):
        assert part in text


def test_wrong_starts_and_substeps_are_refused():
    load, air = np.ones((1, 4, 1)), np.full(4, 20.0)
    with pytest.raises(InputError, match="start 'warm'"):
        annex_g_series(load, air, EXAMPLE, 0.25, start="warm")
    with pytest.raises(InputError, match="substep_min"):
        annex_g_series(load, air, EXAMPLE, 0.25, substep_min=5.0)
    two = annex_g_steady_state([1.0, 1.0], 20.0, EXAMPLE)
    with pytest.raises(InputError, match="shape"):
        annex_g_series(load, air, EXAMPLE, 0.25, start=two)
