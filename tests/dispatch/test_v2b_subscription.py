"""Subscribed power: the published bill, the power that costs least, and whose cars take part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.dispatch import v2b
from gridimpact.dispatch.execute import power_by_site
from gridimpact.errors import InputError
from gridimpact.records import Dispatch
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request
from tests.dispatch.test_v2b import draw, hall

TARIFF = {"subscribed_kw": 100.0, "subscribed_per_kw_month": 5.0, "excess_per_kw_month": 30.0}


def figure(found: Dispatch, name: str) -> float:
    """Return a figure of a dispatch."""
    return next(item.value for item in found.figures if item.name == name)


def test_two_cars_bring_the_published_bill_of_the_power_from_1100_to_740():
    found = v2b.SubscribedPower().plan(hall(extra=TARIFF))
    energy = 0.1 * draw(hall(extra=TARIFF), found).sum()
    assert figure(found, "bill_no_cars") - 65.0 == pytest.approx(1100.0, abs=1e-6)
    assert figure(found, "bill") - energy == pytest.approx(740.0, abs=1e-5)
    assert figure(found, "subscription_cost") == pytest.approx(500.0)
    assert figure(found, "excess_cost") == pytest.approx(240.0, abs=1e-5)
    assert float(v2b.subscription_cost(108.0, 100.0, 5.0, 30.0)) == 740.0


def test_the_chosen_power_is_the_peak_the_cars_reach_and_no_other_power_is_cheaper():
    request = hall(extra=TARIFF)
    chosen = v2b.SubscribedPower(subscribed_kw="choose").plan(request)
    assert figure(chosen, "subscribed_kw") == pytest.approx(108.0, abs=1e-5)
    assert figure(chosen, "bill") == pytest.approx(65.0 + 540.0, abs=1e-4)
    for power in (90.0, 100.0, 107.0, 109.0, 120.0):
        other = v2b.SubscribedPower(subscribed_kw=power).plan(request)
        assert figure(other, "bill") > figure(chosen, "bill") + 1.0


def test_an_excess_cheaper_than_the_subscription_makes_it_pointless():
    chosen = v2b.SubscribedPower(subscribed_kw="choose", excess_per_kw_month=4.0)
    assert figure(chosen.plan(hall(extra=TARIFF)), "subscribed_kw") == 0.0


def test_over_two_unlike_months_one_power_is_found_that_none_on_a_grid_beats():
    loads = np.concatenate([np.tile([60.0, 100.0, 80.0, 40.0] * 6, 2), [50.0, 140.0] * 24])
    request = plan_request(
        [Car("car", 0.5, 24.0)],
        [Stay(0, 0, 96, target=0.5, p_kw=6.0, p_discharge_kw=6.0)],
        steps=96,
        places=[Place("building", loads)],
        tariffs=[Prices(0.1, 0.0, TARIFF | {"subscribed_per_kw_month": 10.0})],
        start="2016-01-30",
    )
    chosen = v2b.SubscribedPower(subscribed_kw="choose", excess_per_kw_month=15.0).plan(request)
    best = figure(chosen, "bill")
    for power in np.linspace(80.0, 145.0, 14):
        other = v2b.SubscribedPower(subscribed_kw=float(power), excess_per_kw_month=15.0)
        assert figure(other.plan(request), "bill") >= best - 0.2


def test_only_the_cars_of_the_owner_named_take_part():
    request = replace(hall(3), charger_kind=("fleet", "work", "fleet"))
    for cars, expected in {
        "fleet": [True, False, True],
        "employees": [False, True, False],
        "all": [True, True, True],
    }.items():
        for strategy in (
            v2b.DemandCharge(cars=cars),
            v2b.SubscribedPower(subscribed_kw=100.0, excess_per_kw_month=9.0, cars=cars),
            v2b.PeakCap(110.0, cars=cars),
        ):
            assert strategy.plan(request).controlled.tolist() == expected
    with pytest.raises(InputError, match="charger_kind"):
        v2b.DemandCharge(cars="fleet").plan(hall())
    with pytest.raises(InputError, match="employees"):
        v2b.DemandCharge(cars="staff")


def test_a_peak_drawn_before_the_first_step_is_not_fought_again():
    request = hall(wear=0.05)
    fresh = v2b.DemandCharge().plan(request)
    late = v2b.DemandCharge(peak_so_far_kw=118.0).plan(request)
    assert draw(request, fresh).max() == pytest.approx(108.0, abs=1e-6)
    assert draw(request, late).max() == pytest.approx(118.0, abs=1e-6)


def test_the_bill_of_a_plan_is_the_sum_of_its_parts_by_hand():
    request = hall(2, extra=TARIFF | {"demand_charge_per_kw_month": 2.0})
    p_kw = np.full((8, 2), 1.0)
    bill = v2b.site_bills(request, p_kw)
    net = request.site_load_kw[:, 0] + power_by_site(request, p_kw)[:, 0]
    assert bill.energy[0] == pytest.approx(0.1 * net.sum())
    assert bill.demand[0] == pytest.approx(2.0 * 122.0)
    assert bill.subscription[0] + bill.excess[0] == pytest.approx(500.0 + 30.0 * 22.0)
    assert bill.total[0] == pytest.approx(0.1 * net.sum() + 244.0 + 1160.0)


@pytest.mark.parametrize("bad", [{"subscribed_kw": "best"}, {"subscribed_per_kw_month": -1.0}])
def test_impossible_subscriptions_are_refused(bad: dict[str, object]):
    with pytest.raises(InputError):
        v2b.SubscribedPower(**bad)  # type: ignore[arg-type]
