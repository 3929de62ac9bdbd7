import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.ageing import (
    Clause7,
    Nameplate,
    ThermalState,
    ageing_rate,
    bridge_failed,
    cold_state,
    equivalent_ageing,
    loss_of_life_percent,
    oil_time_constant_between,
    steady_state,
    thermal_series,
    thermal_step,
    ultimate_top_oil_rise_k,
)
from gridimpact.errors import InputError

IEEE = Nameplate.preset("ieee_65c")
IEC = Nameplate.preset("iec_onan")


def plate(**changes):
    arrays = {name: np.array([float(value)]) for name, value in changes.items()}
    return dataclasses.replace(IEEE, **arrays)


def test_a_65_k_rise_unit_at_rated_load_and_ambient_settles_at_110_and_ages_normally():
    steps = 35_040
    result = thermal_series(np.ones((1, steps, 1)), np.full(steps, 30.0), IEEE, 0.25, start="cold")
    settled = result.hot_spot_c[0, 200:, 0]
    np.testing.assert_allclose(settled, 110.0, atol=1e-5)
    year = thermal_series(np.ones((1, steps, 1)), np.full(steps, 30.0), IEEE, 0.25)
    equivalent = equivalent_ageing(year.ageing_rate)[0, 0]
    assert equivalent == pytest.approx(1.0, abs=1e-9)
    assert loss_of_life_percent(equivalent, 8760.0) == pytest.approx(100 * 8760 / 180_000, rel=1e-9)


def test_an_iec_unit_at_rated_load_and_20_degrees_settles_at_98_and_ages_normally():
    result = thermal_series(np.ones((1, 96, 1)), np.full(96, 20.0), IEC, 0.25)
    assert result.hot_spot_c[0, -1, 0] == pytest.approx(98.0, abs=1e-9)
    assert result.ageing_rate[0, -1, 0] == pytest.approx(1.0, abs=1e-9)


def test_without_load_only_the_iron_warms_the_oil():
    state = steady_state([[0.0]], 20.0, IEEE)
    assert state.top_oil_rise_k[0, 0] == pytest.approx(13.117216576798173, rel=1e-12)
    assert state.gradient_k[0, 0] == 0.0
    assert state.hot_spot_c[0, 0] == state.top_oil_c[0, 0]


def test_a_load_step_follows_the_exponential_of_the_clause():
    linear = plate(exponent_n=1, exponent_m=1)
    start = steady_state([[0.0]], 0.0, linear)
    result = thermal_series(np.ones((1, 1, 1)), np.zeros(1), linear, 1.0, start=start)
    assert result.top_oil_c[0, 0, 0] == pytest.approx(22.158981598701327, rel=1e-12)
    gradient = result.hot_spot_c[0, 0, 0] - result.top_oil_c[0, 0, 0]
    assert gradient == pytest.approx(24.999846394691165, rel=1e-12)


def test_formulae_give_the_numbers_published_with_a_41_6_k_unit():
    # Worked unit of AS/IEC 60076-7 users: rise 41.6 K, R 10.25, n 0.9.
    tau = oil_time_constant_between(171.30198439, 25.6 / 41.6, 20.2302035 / 41.6, 0.9)
    assert tau == pytest.approx(164.77, abs=0.005)
    unit = plate(top_oil_rise_k=41.6, loss_ratio=10.25387597)
    assert ultimate_top_oil_rise_k(0.590068739, unit)[0] == pytest.approx(20.23, abs=0.005)
    # k11 = 0.5 halves the time constant.
    after = 20.2302034 + (25.6 - 20.2302034) * np.exp(-30.0 / (0.5 * 164.76996))
    slow = plate(
        top_oil_rise_k=41.6, loss_ratio=10.25387597, exponent_n=0.8, tau_oil_h=0.5 * 164.76996 / 60
    )
    start = ThermalState(np.array([[25.6]]), np.array([[0.0]]), np.array([[0.0]]))
    step = thermal_step(
        start, np.array([[0.590068739]]), 0.0, slow, 0.5, model=Clause7(exponent_corrected=False)
    )
    assert after == pytest.approx(23.96, abs=0.005)
    assert step.top_oil_rise_k[0, 0] == pytest.approx(23.96, abs=0.005)


@given(st.floats(1e-3, 4.0), st.sampled_from([0.8, 0.9, 1.0]))
@settings(max_examples=40, deadline=None)
def test_the_corrected_time_constant_has_its_limit_where_both_rises_meet(ratio, n):
    limit = oil_time_constant_between(3.0, ratio, ratio, n)
    assert limit == pytest.approx(3.0 * n * ratio ** ((n - 1.0) / n), rel=1e-9)
    for apart in (1e-7, 1e-5, 1e-4):
        near = oil_time_constant_between(3.0, ratio, ratio * (1 + apart), n)
        assert near == pytest.approx(limit, rel=2 * apart + 1e-9)


def test_the_time_constant_stays_finite_without_any_rise():
    assert oil_time_constant_between(3.0, 0.0, 0.0, 0.8) == 3.0
    assert oil_time_constant_between(3.0, -0.1, 0.0, 0.8) == 3.0
    assert np.isfinite(oil_time_constant_between(3.0, 0.0, 1.0, 0.8))
    assert oil_time_constant_between(3.0, 0.2, 0.9, 1.0) == 3.0


def base_load(hours):
    evening = 0.30 * np.exp(-(((hours - 19) / 2.2) ** 2))
    return 0.45 + evening + 0.10 * np.exp(-(((hours - 8) / 1.5) ** 2))


def between(hours, first, last):
    return ((hours >= first) & (hours < last)).astype(float)


DAYS = {
    "none": (lambda h: 0 * h, 0.008689358888829834, 78.5872167244474),
    "uncontrolled": (lambda h: 0.4 * between(h, 18, 21), 0.06638222015838628, 105.59603731983331),
    "after midnight": (lambda h: 0.6 * between(h, 0, 2), 0.028148291569873127, 100.67295587854368),
    "midnight rebound": (lambda h: 1.2 * between(h, 0, 1), 0.26787452475901447, 137.43839023437826),
    "valley": (lambda h: 0.2 * between(h, 0, 6), 0.013285609059228628, 78.66835829429559),
    "v2g": (
        lambda h: -0.2 * between(h, 18, 20) + 0.2667 * between(h, 0, 6),
        0.014494168736785728,
        81.95173077866565,
    ),
}


@pytest.mark.parametrize("name", DAYS)
def test_charging_days_age_as_computed_by_an_independent_one_minute_model(name):
    # 65 K unit, R 3.2, 30 degC, no exponent correction, fifth day of a repeated day.
    charging, equivalent, hottest = DAYS[name]
    hours = np.arange(1440) / 60.0
    loading = np.tile(base_load(hours) + charging(hours), 5)[None, :, None]
    unit = plate(loss_ratio=3.2)
    model = Clause7(exponent_corrected=False)
    result = thermal_series(loading, np.full(7200, 30.0), unit, 1 / 60, model=model)
    last = result.hot_spot_c[0, -1440:, 0]
    assert last.max() == pytest.approx(hottest, abs=0.05)
    assert ageing_rate(last).mean() == pytest.approx(equivalent, rel=2e-3)


@pytest.mark.reference
def test_charging_days_are_those_of_the_reference_file(reference):
    found = json.loads(
        (reference / "reference/requirements/transformer_ageing_ev.json").read_text()
    )
    assert [case["FEQA"] for case in found["cases"]] == [day[1] for day in DAYS.values()]


def test_delaying_all_cars_to_midnight_can_age_a_transformer_more_than_spreading_them():
    # Hilshey et al., IEEE Trans. Smart Grid 4(2), 2013: the midnight rebound.
    hours = np.arange(96) / 4.0
    days = {}
    for name in ("uncontrolled", "midnight rebound", "valley"):
        loading = (base_load(hours) + DAYS[name][0](hours))[None, :, None]
        result = thermal_series(loading, np.full(96, 30.0), IEEE, 0.25, start="periodic")
        days[name] = equivalent_ageing(result.ageing_rate)[0, 0]
    assert days["midnight rebound"] > days["uncontrolled"] > days["valley"]


def lagged_series(loading, ambient, unit):
    model = Clause7(exponent_corrected=False, ambient_lagged=True)
    return thermal_series(loading, ambient, unit, 0.25, model=model)


def test_lagged_ambient_reproduces_an_independent_iec_library():
    ttm = pytest.importorskip("transformer_thermal_model")
    assert ttm is not None
    import pandas as pd
    from transformer_thermal_model.model import Model
    from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications
    from transformer_thermal_model.transformer import DistributionTransformer

    rng = np.random.default_rng(3)
    steps = 400
    loading = rng.uniform(0.1, 1.6, steps)
    ambient = 10 + 8 * np.sin(np.arange(steps) / 96 * 2 * np.pi)
    specs = UserTransformerSpecifications(
        load_loss=5000, nom_load_sec_side=1000, no_load_loss=1000, amb_temp_surcharge=0,
        time_const_oil=180, time_const_windings=4, top_oil_temp_rise=55, winding_oil_gradient=23,
        hot_spot_fac=1.0, oil_const_k11=1.0, winding_const_k21=1, winding_const_k22=2,
        oil_exp_x=0.8, winding_exp_y=1.6, end_temp_reduction=0,
    )  # fmt: skip
    unit = DistributionTransformer(user_specs=specs)
    profile = InputProfile.create(
        datetime_index=pd.date_range("2024-01-01", periods=steps, freq="15min"),
        load_profile=loading * 1000,
        ambient_temperature_profile=ambient,
    )
    theirs = Model(temperature_profile=profile, transformer=unit).run()
    # Their sample i is the state at its stamp, driven by sample i; their first is the start.
    start = ThermalState(
        np.array([[theirs.top_oil_temp_profile.iloc[0] - ambient[0]]]),
        np.array([[theirs.hot_spot_temp_profile.iloc[0] - theirs.top_oil_temp_profile.iloc[0]]]),
        np.array([[ambient[0]]]),
    )
    model = Clause7(exponent_corrected=False, ambient_lagged=True)
    ours = thermal_series(loading[None, 1:, None], ambient[1:], IEC, 0.25, start=start, model=model)
    np.testing.assert_allclose(
        ours.top_oil_c[0, :, 0], theirs.top_oil_temp_profile.to_numpy()[1:], atol=1e-9
    )
    np.testing.assert_allclose(
        ours.hot_spot_c[0, :, 0], theirs.hot_spot_temp_profile.to_numpy()[1:], atol=1e-9
    )


@pytest.mark.parametrize("model", [Clause7(), Clause7(False, True), Clause7(True, True)])
def test_stepping_gives_the_series_bit_by_bit(model):
    rng = np.random.default_rng(7)
    loading = rng.uniform(0, 2, (3, 20, 2))
    ambient = rng.uniform(-10, 35, (20, 2))
    unit = Nameplate.preset("iec_onan", 2)
    series = thermal_series(loading, ambient, unit, 0.25, start="cold", model=model)
    state = series.initial
    for t in range(20):
        state = thermal_step(state, loading[:, t], ambient[t], unit, 0.25, model=model)
        assert np.array_equal(state.top_oil_c, series.top_oil_c[:, t])
    assert np.array_equal(state.hot_spot_c, series.final.hot_spot_c)


@given(st.floats(-30, 40), st.floats(0, 1.8), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_warmer_day_shifts_all_temperatures_by_the_same_amount(more, level, lagged):
    loading = level * np.abs(np.sin(np.arange(48) / 7.0))[None, :, None]
    model = Clause7(ambient_lagged=lagged)
    cool = thermal_series(loading, np.full(48, 10.0), IEEE, 0.25, model=model)
    warm = thermal_series(loading, np.full(48, 10.0 + more), IEEE, 0.25, model=model)
    np.testing.assert_allclose(warm.hot_spot_c - cool.hot_spot_c, more, atol=1e-9)


@given(st.integers(0, 10_000), st.floats(1.01, 2.0))
@settings(max_examples=25, deadline=None)
def test_more_load_never_cools_a_transformer(seed, factor):
    loading = np.random.default_rng(seed).uniform(0, 1.2, (1, 60, 1))
    low = thermal_series(loading, np.full(60, 20.0), IEEE, 0.25)
    high = thermal_series(loading * factor, np.full(60, 20.0), IEEE, 0.25)
    assert np.all(high.hot_spot_c >= low.hot_spot_c - 1e-9)


def test_without_exponents_one_long_step_equals_many_short_ones():
    linear = plate(exponent_n=1, exponent_m=1)
    start = cold_state(1, 20.0, linear)
    long = thermal_step(start, np.array([[1.3]]), 20.0, linear, 2.0)
    short = thermal_series(
        np.full((1, 120, 1), 1.3), np.full(120, 20.0), linear, 1 / 60, start=start
    )
    np.testing.assert_allclose(short.final.hot_spot_c, long.hot_spot_c, rtol=1e-12)


def test_lagged_ambient_reaches_the_oil_late_and_unlagged_at_once():
    air = np.r_[np.zeros(1), np.full(40, 20.0)]
    loading = np.full((1, 41, 1), 0.5)
    plain = Clause7(exponent_corrected=False)
    lag = Clause7(exponent_corrected=False, ambient_lagged=True)
    at_once = thermal_series(loading, air, IEEE, 0.25, model=plain).top_oil_c[0, :, 0]
    late = thermal_series(loading, air, IEEE, 0.25, model=lag).top_oil_c[0, :, 0]
    assert at_once[1] - at_once[0] == pytest.approx(20.0, abs=1e-9)
    assert late[1] - late[0] == pytest.approx(20.0 * (1 - np.exp(-0.25 / 3.0)), rel=1e-9)


def test_a_periodic_day_ends_where_it_begins():
    loading = base_load(np.arange(96) / 4.0)[None, :, None]
    result = thermal_series(loading, np.full(96, 20.0), IEEE, 0.25, start="periodic")
    assert abs(result.final.hot_spot_c - result.initial.hot_spot_c).max() < 0.01
    long = thermal_series(np.tile(loading, (1, 8, 1)), np.full(768, 20.0), IEEE, 0.25)
    np.testing.assert_allclose(result.hot_spot_c[0], long.hot_spot_c[0, -96:], atol=0.05)


def test_a_period_too_slow_to_settle_stops_after_its_rounds():
    slow = plate(tau_oil_h=1e6)
    result = thermal_series(
        np.r_[np.zeros(1), np.full(9, 1.5)][None, :, None], np.full(10, 20.0), slow, 24.0,
        start="periodic",
    )  # fmt: skip
    assert np.all(np.isfinite(result.hot_spot_c))


def test_the_enclosure_warms_the_air_and_so_everything_else():
    station = plate(enclosure_rise_k=10)
    loading = np.full((1, 10, 1), 0.8)
    free = thermal_series(loading, np.full(10, 20.0), IEEE, 0.25)
    closed = thermal_series(loading, np.full(10, 20.0), station, 0.25)
    np.testing.assert_allclose(closed.hot_spot_c - free.hot_spot_c, 10.0, atol=1e-9)


def test_failed_lanes_are_refused_until_they_are_bridged():
    loading = np.array([0.5, np.nan, 0.5])[None, :, None]
    with pytest.raises(InputError, match="1 values are NaN"):
        thermal_series(loading, np.zeros(3), IEEE, 0.25)
    filled, flag = bridge_failed(loading, np.full_like(loading, 0.7))
    assert flag[0, :, 0].tolist() == [False, True, False]
    assert np.all(np.isfinite(thermal_series(filled, np.zeros(3), IEEE, 0.25).hot_spot_c))


def test_all_wrong_inputs_are_named_at_once():
    with pytest.raises(InputError) as found:
        thermal_series(np.full((1, 3, 1), -1.0), np.array([1.0, np.nan, 1.0]), IEEE, 0.0)
    assert len(found.value.problems) == 3
    with pytest.raises(InputError, match="must be \\(4,\\)"):
        thermal_series(np.ones((1, 4, 1)), np.zeros(3), IEEE, 0.25)
    with pytest.raises(InputError, match="has shape \\(4, 1\\)"):
        thermal_series(np.ones((4, 1)), np.zeros(4), IEEE, 0.25)
    with pytest.raises(InputError, match="start 'warm' is unknown"):
        thermal_series(np.ones((1, 4, 1)), np.zeros(4), IEEE, 0.25, start="warm")
    with pytest.raises(InputError, match="thermal state has shape"):
        thermal_series(np.ones((1, 4, 1)), np.zeros(4), IEEE, 0.25, start=cold_state(2, 0.0, IEEE))
