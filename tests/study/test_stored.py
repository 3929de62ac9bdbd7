"""Energy left in batteries is told and valued, so that no row is cheaper for leaving cars empty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridimpact.dispatch import uncontrolled_dispatch
from gridimpact.records import Assessment
from gridimpact.study.segments import Segment
from gridimpact.study.stored import stored_change_kwh, with_stored_energy, worth_per_kwh
from tests.dispatch.requests import Car, Prices, Stay, plan_request


def small():
    """Return a car of 40 kWh that charges 4 kWh into its battery in four hours."""
    car = Car(capacity_kwh=40.0, eta_charge=0.9)
    prices = Prices(buy=np.linspace(0.1, 0.8, 8))
    stay = Stay(0, 0, 4, target=0.6, p_kw=2.0)
    return plan_request([car], [stay], steps=8, tariffs=[prices])


def segment(request, counted) -> Segment:
    """Return a segment over the whole request with some steps counted."""
    return Segment("part", 0, request.timeline, np.array(counted))


def test_stored_energy_is_what_counted_steps_put_into_the_battery():
    request = small()
    done = uncontrolled_dispatch(request)
    whole = stored_change_kwh(segment(request, [True] * 8), request, done)
    assert whole[0] == pytest.approx(40.0 * (done.soc[-1, 0] - 0.5))
    first = stored_change_kwh(segment(request, [True] + [False] * 7), request, done)
    rest = stored_change_kwh(segment(request, [False] + [True] * 7), request, done)
    assert first[0] + rest[0] == pytest.approx(whole[0])
    gap = [True, False, True, True, True, True, True, True]
    skipped = stored_change_kwh(segment(request, gap), request, done)
    assert skipped[0] < whole[0]


def test_a_kwh_in_the_battery_is_worth_its_price_over_the_losses():
    request = small()
    counted = segment(request, [True, True] + [False] * 6)
    price = request.tariffs[request.site_tariff[0]].import_price[:2].mean()
    expected = price / request.batteries.eta_charge[0]
    assert worth_per_kwh(counted, request)[0] == pytest.approx(expected)


def test_a_fuller_battery_lowers_the_bill_by_its_worth_and_an_equal_one_not_at_all():
    sites = pd.DataFrame({"kind": ["home", "building"], "chargers": [1, 1]})
    before = Assessment(
        "x",
        "limits",
        {"cost_eur": 100.0, "cost_per_home_eur": 60.0, "ev_cost_per_car_eur": 20.0},
        pd.DataFrame(),
        {"sites": sites},
    )
    worth, home = np.array([0.25, 0.5]), np.array([True, False])
    fuller = with_stored_energy(before, np.array([6.0, 4.0]), np.array([2.0, 2.0]), worth, home)
    assert fuller.summary["stored_change_kwh"] == 10.0
    assert fuller.summary["cost_eur"] == pytest.approx(100.0 - 1.0 - 1.0)
    assert fuller.summary["cost_per_home_eur"] == pytest.approx(60.0 - 1.0)
    assert fuller.summary["ev_cost_per_car_eur"] == pytest.approx(20.0 - 1.0)
    same = with_stored_energy(before, np.ones(2), np.ones(2), worth, home)
    assert same.summary["cost_eur"] == 100.0
