"""Curves of several pieces against published steps, small steps and each other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.battery import mean_charge_limit_kw
from gridimpact.battery.charging_curve import (
    AC_FLAT,
    DC_STOP_AT_80,
    DC_THREE_STAGE,
    TWO_STAGE,
    ChargingCurve,
)
from gridimpact.errors import InputError


@pytest.mark.reference
def test_all_cases_of_the_two_stage_battery(reference):
    path = reference / "reference" / "requirements" / "charging_taper.json"
    cases = json.loads(path.read_text())["acn_two_stage"]["cases"]
    for case in cases:
        dt_h = case["minutes"] / 60
        if case["mode"] == "continuous":
            power = float(TWO_STAGE.mean_kw(case["soc"], dt_h, case["pmax"], case["cap"]))
        else:
            # "Stepwise" holds the power of the step's begin to its end.
            power = case["pmax"] * float(TWO_STAGE.power_share(case["soc"]))
        power = min(power, case["pilot_kw"])
        assert power == pytest.approx(case["expect_mean_kw"], rel=1e-12)
        energy = case["soc"] * case["cap"] + power * dt_h
        assert energy == pytest.approx(case["expect_kwh"], rel=1e-12)
    assert {case["mode"] for case in cases} == {"continuous", "stepwise"}


def test_the_published_steps_of_the_two_stage_battery():
    # acnportal 14e723b, tests/test_battery.py: 100 kWh, 7.68 kW, 5 min.
    mean = TWO_STAGE.mean_kw([0.85, 0.80, 0.799, 0.99], 5 / 60, 7.68, 100.0)
    told = [5.668815225744472, 7.558420300992497, 7.5933020341592, 0.3779210150496315]
    assert mean == pytest.approx(told, rel=1e-12)
    assert 7.68 * TWO_STAGE.power_share(0.85) == pytest.approx(5.76)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    soc=st.floats(0.0, 0.99),
    knee=st.sampled_from([0.3, 0.8, 0.95]),
    fraction=st.sampled_from([0.0, 0.2]),
)
def test_one_knee_is_the_storage_model(soc, knee, fraction):
    curve = ChargingCurve((0.0, knee, 1.0), (1.0, 1.0, fraction))
    for dt_h in (0.1, 0.7, 4.0):
        mean = mean_charge_limit_kw(soc, dt_h, 50.0, 60.0, 0.9, knee, fraction)
        assert curve.mean_kw(soc, dt_h, 50.0, 60.0, 0.9) == pytest.approx(float(mean), rel=1e-9)


@pytest.mark.parametrize("curve", [DC_THREE_STAGE, DC_STOP_AT_80, AC_FLAT, TWO_STAGE])
def test_a_long_step_is_many_short_ones(curve):
    soc = np.linspace(0.0, 0.99, 23)
    state = soc.copy()
    for _ in range(200):
        state = curve.soc_after(state, 0.005, 1.3)
    np.testing.assert_allclose(curve.soc_after(soc, 1.0, 1.3), state, atol=1e-12)


def test_power_never_rises_with_the_state_of_charge():
    share = DC_THREE_STAGE.power_share(np.linspace(0.0, 1.0, 500))
    assert np.all(np.diff(share) <= 0.0)
    assert DC_THREE_STAGE.power_share([0.5, 0.8, 0.999999]) == pytest.approx(
        [1.0, 0.6, 0.1], abs=1e-4
    )


def test_the_last_fifth_takes_longer_than_the_three_tenths_before_it():
    last, before = DC_THREE_STAGE.hours(0.8, 1.0, 2.0), DC_THREE_STAGE.hours(0.5, 0.8, 2.0)
    assert last == pytest.approx(0.2 / 0.5 * np.log(6.0) / 2.0)
    assert before == pytest.approx(0.3 / 0.4 * np.log(1 / 0.6) / 2.0)
    assert last > before
    for begin, end in ((0.1, 0.75), (0.3, 0.9)):
        hours = DC_THREE_STAGE.hours(begin, end, 2.0)
        assert DC_THREE_STAGE.soc_after(begin, hours, 2.0) == pytest.approx(end, abs=1e-12)


def test_a_station_that_stops_at_80_percent_ends_there():
    assert float(DC_STOP_AT_80.soc_after(0.2, 50.0, 2.0)) == 0.8
    assert DC_STOP_AT_80.hours(0.2, 0.9, 2.0) == float("inf")
    assert float(DC_STOP_AT_80.soc_after(0.9, 1.0, 2.0)) == 0.9
    assert float(DC_STOP_AT_80.power_share(0.8)) == 0.0


def test_nothing_is_charged_without_power():
    assert float(DC_THREE_STAGE.soc_after(0.4, 1.0, 0.0)) == 0.4


@pytest.mark.parametrize(
    ("soc", "share", "stop", "words"),
    [
        ((0.0, 0.9), (1.0, 1.0), 1.0, "from 0 to 1"),
        ((0.0, 0.6, 0.5, 1.0), (1.0, 1.0, 1.0, 1.0), 1.0, "rising"),
        ((0.0, 0.5, 1.0), (1.0, 0.0, 0.5), 1.0, "above 0"),
        ((0.0, 1.0), (1.0, 1.0), 1.2, "stop_soc"),
    ],
)
def test_points_that_make_no_curve_are_refused(soc, share, stop, words):
    with pytest.raises(InputError, match=words):
        ChargingCurve(soc, share, stop)
