"""Spinning reserve: what cars can hold for a call, what a call takes, and the rebound."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.services.payment_vehicle import vehicle_power_kw
from gridimpact.dispatch.services.reserve import hours_called
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from gridimpact.timeline import Timeline
from tests.dispatch.requests import Car, Stay, plan_request

NOON = ("12:00",)


def figures(found: Dispatch) -> dict[str, float]:
    """Return the figures of a dispatch by name."""
    return {figure.name: figure.value for figure in found.figures}


def parked(soc: float, target: float = 0.3, **car: float) -> PlanRequest:
    """Return one car of 50 kWh parked from 10 to 24 o'clock at quarter-hour steps."""
    stay = Stay(0, 40, 96, target=target, p_kw=7.4, p_discharge_kw=7.4, reserve=0.2)
    return plan_request([Car(soc=soc, **car)], [stay], steps=96, step_s=900)


def spinning(**settings: float | str) -> v2g.SpinningReserve:
    """Return reserve of all cars with a call at noon and no delay."""
    given = {"events": NOON, "response_s": 0.0, "enrolled": 1.0, "reserve_soc": 0.2} | settings
    return v2g.SpinningReserve(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("soc", "hours", "power"), [(0.9, 1.0, 7.4), (0.3, 1.0, 5.0 * 0.9), (0.3, 2.0, 2.5 * 0.9)]
)
def test_a_call_gets_the_smaller_of_line_and_battery_for_its_whole_time(
    soc: float, hours: float, power: float
):
    found = spinning(duration_h=hours).plan(parked(soc, 0.2, eta_discharge=0.9, eta_charge=0.9))
    steps = slice(48, 48 + round(4 * hours))
    np.testing.assert_allclose(found.p_kw[steps, 0], -power, rtol=1e-9)
    # The battery's part is Kempton and Tomic's: energy above what driving keeps, over the time.
    battery = vehicle_power_kw(soc * 50.0, 10.0, 0.0, 1.0, 0.9, hours)
    assert power == pytest.approx(min(7.4, battery))
    assert figures(found)["event_kwh"] == pytest.approx(power * hours)


def test_after_the_call_the_car_charges_again_at_full_power():
    found = spinning().plan(parked(0.6, 0.6))
    assert np.all(found.p_kw[40:48] == 0.0)
    np.testing.assert_allclose(found.p_kw[48:52, 0], -7.4)
    np.testing.assert_allclose(found.p_kw[52:56, 0], 7.4)
    assert found.soc[-1, 0] == pytest.approx(0.6)
    assert figures(found)["rebound_kw"] == pytest.approx(7.4)
    spread = spinning(rebound="spread").plan(parked(0.6, 0.6))
    np.testing.assert_allclose(spread.p_kw[52:96, 0], 7.4 / 11.0, rtol=1e-9)
    assert figures(spread)["rebound_kw"] < 1.0


def test_the_jump_is_told_as_the_extremes_of_the_steps_around_a_call():
    found = spinning(response_s=9.0).plan(parked(0.35, 0.8))
    assert found.p_low_kw is not None
    assert found.p_high_kw is not None
    # It charges before the call: the first step jumps from charging to feeding, 9 s late.
    assert found.p_kw[47, 0] == pytest.approx(7.4)
    low, high = found.p_low_kw[48, 0], found.p_high_kw[48, 0]
    assert (low, high) == (pytest.approx(-7.4), pytest.approx(7.4))
    assert found.p_kw[48, 0] == pytest.approx(-7.4 + 14.8 * 9.0 / 900.0)
    assert found.p_low_kw[52, 0] == pytest.approx(-7.4)
    assert found.p_high_kw[52, 0] == found.p_kw[52, 0] == pytest.approx(7.4)
    quiet = np.r_[0:48, 53:96]
    np.testing.assert_array_equal(found.p_low_kw[quiet], found.p_kw[quiet])
    np.testing.assert_array_equal(found.p_high_kw[quiet], found.p_kw[quiet])


def test_cars_that_do_not_feed_give_only_their_charging():
    request = parked(0.35, 0.6)
    found = g2v.SpinningReserve(events=("11:00",), response_s=0.0).plan(request)
    base = uncontrolled_dispatch(request)
    assert np.all(base.p_kw[44:46] > 0.0)
    np.testing.assert_array_equal(found.p_kw[44:48], 0.0)
    held = figures(found)
    assert held["event_fed_kwh"] == 0.0
    assert held["event_kwh"] == pytest.approx(7.4)
    # What was put off is drawn afterwards, not a kWh more.
    assert found.p_kw.sum() == pytest.approx(base.p_kw.sum())


def test_the_target_goes_before_the_call():
    stay = Stay(0, 40, 52, target=0.7, p_kw=7.4, p_discharge_kw=7.4)
    request = plan_request([Car(soc=0.6)], [stay], steps=96, step_s=900)
    found = spinning().plan(request)
    assert found.unmet_kwh[0] == 0.0
    assert found.soc[51, 0] == pytest.approx(0.7)
    # Full at noon, it leaves at one: whatever it gave could not be charged again.
    np.testing.assert_allclose(found.p_kw[48:52, 0], 0.0, atol=1e-9)


def test_power_held_is_told_by_the_hour_and_payments_close():
    rule = spinning(capacity_price=10.0, energy_price=50.0)
    held = figures(rule.plan(parked(0.9, 0.3)))
    assert held["available_mean_kw_11h"] == pytest.approx(7.4)
    assert held["available_min_kw_09h"] == 0.0
    paid = 10.0 * held["available_mean_kw"] * 24.0 / 1000.0 + 50.0 * held["event_kwh"] / 1000.0
    assert held["paid_eur"] == pytest.approx(paid)
    shares = held["paid_owners_eur"] + held["paid_aggregator_eur"]
    assert shares == pytest.approx(paid, abs=1e-9)


def test_a_response_later_than_ten_seconds_is_flagged():
    late, prompt = spinning(response_s=11.0), spinning(response_s=10.0)
    found = late.plan(parked(0.9))
    assert figures(found)["response_ok"] == 0.0
    assert any(note.kind == "warning" for note in found.notes)
    found = prompt.plan(parked(0.9))
    assert figures(found)["response_ok"] == 1.0
    assert not found.notes


def test_calls_are_local_times_of_every_day_or_one_moment():
    days = Timeline.days("2016-03-26", 3, step="30min", zone="Europe/Berlin")
    daily = hours_called(days, ("18:30",), 1.5)
    hours = days.local_hour[daily > 0.0]
    np.testing.assert_array_equal(np.unique(hours), [18.5, 19.0, 19.5])
    assert (daily == 1.5).sum() == 3
    once = hours_called(days, ("2016-03-27T06:00",), 1.0)
    np.testing.assert_array_equal(once[once > 0.0], [1.0, 0.5])
    with pytest.raises(InputError, match="overlap"):
        hours_called(days, ("18:00", "18:30"), 1.0)
    elsewhere = spinning(events=("2020-01-01T12:00",)).plan(parked(0.9))
    assert any("lies in the time planned" in note.text for note in elsewhere.notes)


def test_wrong_settings_are_all_told_at_once():
    with pytest.raises(InputError) as error:
        v2g.SpinningReserve(events=("noon", "12:00"), duration_h=0.0, rebound="never")
    for word in ("'noon' is no time", "duration_h", "rebound"):
        assert word in str(error.value)
    assert v2g.SpinningReserve(events=["06:00"]).events == ("06:00",)  # type: ignore[arg-type]
