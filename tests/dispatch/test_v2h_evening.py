"""The evening from the car, the night for the car, and what is kept for an outage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from gridimpact.dispatch import v2h
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.services import Island, backup
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import PlanRequest
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request, small_requests
from tests.dispatch.test_v2h import LOAD, SUN, exchange, sunny_home

EVENING = v2h.EveningPeak(enrolled=1.0)


def commuter(
    soc: float = 0.9,
    reserve: float = 0.2,
    load: object = 1.5,
    sun: object = 0.0,
    fuse: float = 99.0,
) -> PlanRequest:
    """Return a home from noon to noon whose car is away until 16 and leaves at 7."""
    stay = Stay(0, 4, 19, target=0.9, reserve=reserve, p_kw=7.0, p_discharge_kw=5.0)
    return plan_request(
        [Car("car", soc, 50.0)],
        [stay],
        steps=24,
        places=[Place("home", load, sun, import_limit_kw=fuse)],
        tariffs=[Prices([0.4] * 10 + [0.15] * 9 + [0.4] * 5, 0.05)],
        start="2016-01-04T12:00",
    )


def test_the_evening_is_carried_by_the_car_and_the_night_fills_it():
    request = commuter()
    found = EVENING.plan(request)
    np.testing.assert_allclose(found.p_kw[5:9, 0], -1.5, atol=1e-9)
    np.testing.assert_allclose(exchange(request, found)[5:9, 0], 0.0, atol=1e-9)
    # Nothing until eleven at night, then six kWh at seven kW.
    np.testing.assert_allclose(found.p_kw[9:11, 0], 0.0, atol=1e-9)
    assert found.p_kw[11, 0] == pytest.approx(6.0)
    assert found.unmet_kwh[0] == 0.0


def test_discharge_ends_at_the_reserve():
    for strategy, floor in (
        (EVENING, 0.85),
        (v2h.EveningPeak(reserve_soc=0.88, enrolled=1.0), 0.88),
    ):
        found = strategy.plan(commuter(reserve=0.85))
        assert found.soc[4:19].min() == pytest.approx(floor, abs=1e-9)


def test_windows_are_local_and_may_be_moved():
    late = v2h.EveningPeak("20:00", "22:00", "02:00", "05:00", enrolled=1.0)
    power = late.plan(commuter()).p_kw[:, 0]
    assert np.flatnonzero(power < 0.0).tolist() == [8, 9]
    assert np.flatnonzero(power > 0.0).tolist() == [14]


def test_surplus_is_stored_in_the_day_and_given_in_the_evening():
    request = commuter(soc=0.7, sun=[0.0] * 4 + [-4.0] + [0.0] * 19)
    found = EVENING.plan(request)
    assert found.p_kw[4, 0] == pytest.approx(2.5)
    assert exchange(request, found)[4, 0] == pytest.approx(0.0, abs=1e-9)


def test_the_night_keeps_the_main_fuse_and_still_meets_the_target():
    request = commuter(soc=0.5, fuse=5.0)
    found = EVENING.plan(request)
    assert exchange(request, found)[:, 0].max() <= 5.0 + 1e-9
    assert found.unmet_kwh[0] == 0.0


@settings(max_examples=10, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_nothing_of_a_battery_leaves_the_home(request_: PlanRequest):
    found = EVENING.plan(request_)
    fed = power_by_site(request_, np.maximum(-found.p_kw, 0.0))
    own = np.maximum(request_.site_load_kw + request_.site_pv_kw, 0.0)
    assert np.all(fed <= own + 1e-7)
    homes = np.array([kind == "home" for kind in request_.site_kind])
    assert np.all(fed[:, ~homes] == 0.0)


def test_a_reserve_costs_money_and_buys_hours_of_backup():
    request = commuter()
    bills, hours = [], []
    for reserve in (0.2, 0.6, 0.85):
        found = v2h.TimeOfUse(reserve_soc=reserve, enrolled=1.0).plan(request)
        power, tariff = exchange(request, found)[:, 0], request.tariffs[0]
        bills.append(float((tariff.import_price * np.maximum(power, 0.0)).sum()))
        hours.append(float(backup(request, found, Island(reserve_soc=0.1)).hours[4:19].mean()))
    assert bills == sorted(bills)
    assert hours == sorted(hours)
    # The evening costs 1.5 kW times 6 h; 0.2 and 0.6 both leave the car enough to carry it.
    assert bills[2] > bills[0] + 0.5


def test_the_published_home_without_a_car_and_with_the_least_cost_plan():
    # Import, export, cost and self-consumption of the published case.
    request = sunny_home()
    net, tariff = np.array(LOAD) + SUN, request.tariffs[0]
    made = -np.sum(SUN)
    assert np.maximum(net, 0.0).sum() == pytest.approx(6.4)
    assert np.maximum(-net, 0.0).sum() == pytest.approx(7.6)
    cost = tariff.import_price * np.maximum(net, 0.0) - 0.05 * np.maximum(-net, 0.0)
    assert cost.sum() == pytest.approx(1.39)
    assert 1.0 - np.maximum(-net, 0.0).sum() / made == pytest.approx(0.3090909)
    power = exchange(request, v2h.TimeOfUse(enrolled=1.0).plan(request))[:, 0]
    assert np.maximum(power, 0.0).sum() == pytest.approx(0.0, abs=1e-6)
    assert 1.0 - np.maximum(-power, 0.0).sum() / made == pytest.approx(0.9537648, abs=1e-6)


def test_evening_cars_beat_uncontrolled_ones_on_the_evening_meter():
    request = commuter(soc=0.6)
    assert exchange(request, EVENING.plan(request))[5:9].sum() == pytest.approx(0.0, abs=1e-9)
    assert exchange(request, uncontrolled_dispatch(request))[4:9].sum() > 15.0


@pytest.mark.parametrize(
    "bad", [{"start": "25:00"}, {"recharge_end": "6"}, {"reserve_soc": 1.2}, {"enrolled": -0.1}]
)
def test_impossible_settings_are_refused(bad: dict[str, object]):
    with pytest.raises(InputError):
        v2h.EveningPeak(**bad)  # type: ignore[arg-type]
    if "reserve_soc" in bad:
        with pytest.raises(InputError, match="reserve_soc"):
            v2h.TimeOfUse(reserve_soc=1.2)
