"""One step of a battery against published closed-form values and against small steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.battery import (
    mean_charge_limit_kw,
    mean_discharge_limit_kw,
    meter_kw,
    net_kw,
    soc_after,
    soc_needed_before,
)

SHARE = st.floats(0.0, 1.0)
FLEET = {
    "dt_h": st.sampled_from([1 / 60, 0.25, 1.0]),
    "p_kw": st.floats(0.5, 150.0),
    "capacity": st.floats(5.0, 120.0),
    "eta": st.floats(0.7, 1.0),
    "knee": st.sampled_from([0.0, 0.5, 0.8, 0.95, 1.0]),
    "fraction": st.sampled_from([0.0, 0.1, 0.6, 1.0]),
}


@pytest.mark.parametrize(
    ("soc", "pilot_kw", "mean_kw"),
    [
        (0.85, 7.68, 5.668815225744472),
        (0.80, 7.68, 7.558420300992497),
        (0.799, 7.68, 7.5933020341592),
        (0.99, 7.68, 0.3779210150496315),
        (0.0, 3.84, 3.84),
    ],
)
def test_two_stage_battery_takes_the_published_mean_power(soc, pilot_kw, mean_kw):
    # acnportal 14e723b, tests/test_battery.py: 100 kWh, 7.68 kW, 5 min, transition at 0.8.
    limit = mean_charge_limit_kw(soc, 5 / 60, 7.68, 100.0, 1.0, 0.8, 0.0, 1.0)
    assert min(pilot_kw, float(limit)) == pytest.approx(mean_kw, rel=1e-12)


def test_half_the_current_power_is_offered_where_the_straight_line_is_half_way():
    # Limit so short a step that the mean is the value on the line.
    limit = mean_charge_limit_kw(0.9, 1e-9, 10.0, 50.0, 0.9, 0.8, 0.2, 1.0)
    assert limit == pytest.approx(6.0, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(soc=st.floats(0.0, 0.999), **FLEET)
def test_mean_power_agrees_with_a_thousand_small_steps(
    soc, dt_h, p_kw, capacity, eta, knee, fraction
):
    mean = mean_charge_limit_kw(soc, dt_h, p_kw, capacity, eta, knee, fraction, 1.0)
    # Midpoint rule on the limit itself, independent of the closed form.
    state, small = soc, dt_h / 1000

    def line(s):
        fall = (1 - fraction) * (s - knee) / (1 - knee) if s > knee and knee < 1 else 0.0
        return p_kw * max(1 - fall, 0.0) if s < 1.0 else 0.0

    for _ in range(1000):
        half = state + 0.5 * line(state) * eta * small / capacity
        state = min(state + line(half) * eta * small / capacity, 1.0)
    found = (state - soc) * capacity / (eta * dt_h)
    assert float(mean) == pytest.approx(found, rel=2e-3, abs=1e-3 * p_kw)


@settings(max_examples=100, deadline=None)
@given(soc=st.floats(0.0, 0.98), **FLEET)
def test_needed_before_inverts_a_step_of_full_power(soc, dt_h, p_kw, capacity, eta, knee, fraction):
    limit = mean_charge_limit_kw(soc, dt_h, p_kw, capacity, eta, knee, fraction, np.inf)
    after = soc_after(soc, limit, dt_h, capacity, eta, eta)
    slope = (1 - fraction) / (1 - knee) if knee < 1 else 0.0
    left = 1 - slope * (float(after) - knee)
    back = soc_needed_before(after, dt_h, p_kw, capacity, eta, knee, fraction)
    # Where almost no power is left, rounding of the end is magnified by 1 / left on the way back.
    if left > 1e-4:
        assert float(back) == pytest.approx(soc, abs=1e-11 / left)


def test_a_full_battery_whose_power_falls_to_nothing_needs_itself():
    assert float(soc_needed_before(1.0, 10.0, 11.0, 50.0, 0.9, 0.8, 0.0)) == 1.0


def test_without_power_nothing_is_gained_and_everything_needed_before():
    assert float(mean_charge_limit_kw(0.4, 0.25, 0.0, 50.0, 0.9, 0.8, 0.0)) == 0.0
    assert float(soc_needed_before(0.9, 0.25, 0.0, 50.0, 0.9, 0.8, 0.0)) == 0.9


@settings(max_examples=60, deadline=None)
@given(soc=SHARE, top=SHARE, **FLEET)
def test_charging_never_passes_the_maximum(soc, top, dt_h, p_kw, capacity, eta, knee, fraction):
    limit = mean_charge_limit_kw(soc, dt_h, p_kw, capacity, eta, knee, fraction, top)
    assert 0.0 <= limit <= p_kw * (1 + 1e-12)
    assert soc_after(soc, limit, dt_h, capacity, eta, eta) <= max(soc, top) + 1e-12


def test_more_charge_is_never_offered_to_a_fuller_battery():
    soc = np.linspace(0.0, 1.0, 400)
    limit = mean_charge_limit_kw(soc, 0.25, 50.0, 60.0, 0.92, 0.5, 0.1)
    assert np.all(np.diff(limit) <= 1e-12)


@settings(max_examples=60, deadline=None)
@given(soc=SHARE, floor=SHARE, p_kw=st.floats(0.0, 50.0), eta=st.floats(0.7, 1.0))
def test_discharge_ends_at_the_floor(soc, floor, p_kw, eta):
    limit = mean_discharge_limit_kw(soc, 0.5, p_kw, 40.0, eta, floor)
    assert 0.0 <= limit <= p_kw
    after = soc_after(soc, -limit, 0.5, 40.0, 0.9, eta)
    assert after >= min(soc, floor) - 1e-12


@settings(max_examples=10, deadline=None, derandomize=True)
@given(soc=st.floats(0.001, 1.0), **FLEET)
def test_falling_discharge_agrees_with_a_thousand_small_steps(
    soc, dt_h, p_kw, capacity, eta, knee, fraction
):
    mean = mean_discharge_limit_kw(soc, dt_h, p_kw, capacity, eta, 0.0, knee, fraction)
    state, small = soc, dt_h / 1000

    def line(s):
        share = fraction + (1 - fraction) * s / knee if 0.0 <= s < knee else 1.0
        return p_kw * share if s > 0.0 else 0.0

    for _ in range(1000):
        half = state - 0.5 * line(state) / eta * small / capacity
        state = max(state - line(half) / eta * small / capacity, 0.0)
    found = (soc - state) * capacity * eta / dt_h
    assert float(mean) == pytest.approx(found, rel=2e-3, abs=1e-3 * p_kw)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(net=st.floats(-20.0, 20.0), idle=st.floats(0.0, 0.5))
def test_meter_power_and_net_power_are_inverse_where_power_flows(net, idle):
    meter = float(meter_kw(net, idle))
    if meter != 0.0:
        assert float(net_kw(meter, idle)) == pytest.approx(net, abs=1e-12)
    else:
        assert -idle <= net <= 0.0


def test_a_constant_loss_weighs_most_at_low_power():
    power = np.array([1.4, 3.7, 11.0, 22.0])
    share = net_kw(power, 0.2) / power
    assert np.all(np.diff(share) > 0.0)
    assert share[[0, 3]] == pytest.approx([1 - 0.2 / 1.4, 1 - 0.2 / 22.0])


def test_a_round_trip_loses_both_efficiencies():
    up = soc_after(0.2, 8.0, 1.0, 40.0, 0.9, 0.8)
    delivered = (up - 0.2) * 40.0 * 0.8
    assert delivered == pytest.approx(8.0 * 0.9 * 0.8)
    assert soc_after(up, -delivered, 1.0, 40.0, 0.9, 0.8) == pytest.approx(0.2)


def test_limits_broadcast_over_vehicles_and_steps():
    limit = mean_charge_limit_kw(
        np.zeros((3, 1)), 0.25, np.array([3.7, 11.0]), np.array([20.0, 60.0]), 0.9, 0.8, 0.0
    )
    assert limit.shape == (3, 2)
    assert limit[0].tolist() == [3.7, 11.0]


@pytest.mark.reference
def test_all_continuous_cases_of_the_two_stage_battery(reference):
    import json

    path = reference / "reference" / "requirements" / "charging_taper.json"
    cases = json.loads(path.read_text())["acn_two_stage"]["cases"]
    checked = 0
    for case in cases:
        if case["mode"] != "continuous":
            continue
        limit = float(
            mean_charge_limit_kw(
                case["soc"], case["minutes"] / 60, case["pmax"], case["cap"], 1, 0.8, 0
            )
        )
        assert min(case["pilot_kw"], limit) == pytest.approx(case["expect_mean_kw"], rel=1e-12)
        checked += 1
    assert checked >= 5
