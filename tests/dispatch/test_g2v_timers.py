"""Timers and constant power: when they charge, what they cost the driver, and the new peak they make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.battery import mean_charge_limit_kw, soc_after
from gridimpact.dispatch import g2v, uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Place, Stay, plan_request

TAPERED = Car(soc=0.2, eta_charge=0.9, soc_knee=0.6, taper_fraction=0.1)


def used(found, car=0):
    """Return the steps in which a car draws power."""
    return np.flatnonzero(found.p_kw[:, car] > 1e-9).tolist()


def evening(count=20, hours=48):
    """Return like cars that come home one after the other and leave in the morning."""
    return plan_request(
        [Car(f"car {k:02d}", soc=0.5) for k in range(count)],
        [Stay(k, 15 + k % 8, 31, target=0.8) for k in range(count)],
        steps=hours,
    )


def test_a_delayed_start_waits_for_the_next_midnight():
    request = plan_request([Car(soc=0.5)], [Stay(0, 18, 32, target=0.9)], steps=40)
    found = g2v.DelayedStart().plan(request)
    assert used(found) == [24, 25]
    assert found.p_kw[24:26, 0] == pytest.approx([10.0, 10.0])


def test_charging_delayed_to_midnight_makes_a_higher_peak_than_uncontrolled():
    request = evening()
    delayed, free = g2v.DelayedStart("00:00").plan(request), uncontrolled_dispatch(request)
    assert free.p_kw.sum(axis=1).max() < 100.0
    assert delayed.p_kw.sum(axis=1).max() == pytest.approx(200.0)
    assert delayed.p_kw.sum() == pytest.approx(free.p_kw.sum())


def test_a_car_plugged_in_after_the_start_waits_a_day_unless_it_has_grace():
    request = plan_request([Car(soc=0.7)], [Stay(0, 2, 40, target=0.9)], steps=48)
    assert used(g2v.DelayedStart().plan(request)) == [24]
    graceful = g2v.DelayedStart(grace_h=3.0).plan(request)
    assert used(graceful) == [2]


def test_the_driver_wins_over_the_timer_unless_it_is_strict():
    request = plan_request([Car(soc=0.2)], [Stay(0, 10, 18, target=0.8)], steps=24)
    found = g2v.DelayedStart("22:00").plan(request)
    assert found.unmet_kwh[0] == 0.0
    assert used(found) == [15, 16, 17]
    strict = g2v.DelayedStart("22:00", strict=True).plan(request)
    assert strict.unmet_kwh[0] == pytest.approx(30.0)
    assert strict.unmet_cause == ("limit",)
    assert "30.0 kWh" in strict.notes[0].text


def test_a_window_is_kept_and_the_rest_comes_as_late_as_possible():
    # 40 kWh at 10 kW, but the night has three hours of window before the departure at 06:00.
    request = plan_request([Car(soc=0.1)], [Stay(0, 17, 30, target=0.9)], steps=48)
    found = g2v.OvernightWindow("22:00", "01:00").plan(request)
    assert used(found) == [22, 23, 24, 29]
    strict = g2v.OvernightWindow("22:00", "01:00", strict=True).plan(request)
    assert used(strict) == [22, 23, 24]
    assert strict.unmet_kwh[0] == pytest.approx(10.0)


def test_a_window_on_other_days_is_none():
    request = plan_request([Car(soc=0.5)], [Stay(0, 17, 30, target=0.7)], steps=48)
    tuesday = g2v.OvernightWindow("22:00", "01:00", days=["tue"]).plan(request)
    assert used(tuesday) == [29]


def test_last_minute_is_the_exact_inverse_of_full_power():
    request = plan_request(
        [TAPERED], [Stay(0, 3, 60, target=0.93, p_kw=11.0)], steps=64, step_s=900
    )
    found = g2v.LastMinute().plan(request)
    steps = used(found)
    assert steps == list(range(steps[0], 60))
    assert found.soc[59, 0] == pytest.approx(0.93, abs=1e-12)
    for t in steps[1:]:
        full = mean_charge_limit_kw(found.soc[t - 1, 0], 0.25, 11.0, 50.0, 0.9, 0.6, 0.1)
        assert found.p_kw[t, 0] == pytest.approx(float(full), rel=1e-9)
    # One step later nobody could have reached the target.
    soc = 0.2
    for _ in steps[1:]:
        limit = mean_charge_limit_kw(soc, 0.25, 11.0, 50.0, 0.9, 0.6, 0.1)
        soc = float(soc_after(soc, limit, 0.25, 50.0, 0.9, 1.0))
    assert soc < 0.93


def test_a_reserve_makes_the_car_ready_before_it_leaves():
    request = plan_request([Car(soc=0.5)], [Stay(0, 4, 20, target=0.7)], steps=24)
    found = g2v.LastMinute(reserve_h=2.5).plan(request)
    assert used(found) == [16]
    # A stay too short for the reserve charges at once.
    short = plan_request([Car(soc=0.5)], [Stay(0, 4, 7, target=0.9)], steps=24)
    at_once = g2v.LastMinute(reserve_h=5.0).plan(short)
    np.testing.assert_allclose(at_once.p_kw, uncontrolled_dispatch(short).p_kw, atol=1e-9)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(soc=st.floats(0.0, 0.6), target=st.floats(0.61, 1.0), knee=st.sampled_from([0.5, 0.8, 1.0]))
def test_average_rate_is_constant_until_the_battery_takes_less(soc, target, knee):
    car = Car(soc=soc, eta_charge=0.9, soc_knee=knee, taper_fraction=0.1)
    request = plan_request([car], [Stay(0, 2, 42, target=target, p_kw=11.0)], steps=48, step_s=900)
    found, free = g2v.AverageRate().plan(request), uncontrolled_dispatch(request)
    power = found.p_kw[2:42, 0]
    assert found.soc[41, 0] == pytest.approx(free.soc[41, 0], abs=1e-9)
    before = np.concatenate([[soc], found.soc[2:41, 0]])
    limit = mean_charge_limit_kw(before, 0.25, 11.0, 50.0, 0.9, knee, 0.1, max(target, soc))
    held = power < limit - 1e-6
    assert held.any()
    np.testing.assert_allclose(power[held], power.max(), atol=1e-6)


def test_average_rate_has_the_least_peak_of_all_that_serve_the_stay():
    request = plan_request([Car(soc=0.2)], [Stay(0, 2, 22, target=0.8)], steps=24)
    found = g2v.AverageRate().plan(request)
    np.testing.assert_allclose(found.p_kw[2:22, 0], 30.0 / 20.0)


def test_cars_behind_one_fuse_take_turns():
    request = plan_request(
        [Car("a", soc=0.5), Car("b", soc=0.5)],
        [Stay(0, 17, 32, target=0.7), Stay(1, 18, 32, target=0.7)],
        steps=36,
        places=[Place("building", import_limit_kw=10.0, chargers=2)],
    )
    found = g2v.OvernightWindow().plan(request)
    np.testing.assert_allclose(found.p_kw[23:25], [[10.0, 0.0], [0.0, 10.0]], atol=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: g2v.DelayedStart("midnight"), "start"),
        (lambda: g2v.DelayedStart(grace_h=24.0), "grace_h"),
        (lambda: g2v.OvernightWindow(days=["x"]), "day"),
        (lambda: g2v.LastMinute(reserve_h=-1.0), "reserve_h"),
        (lambda: g2v.AverageRate(enrolled=2.0), "enrolled"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
