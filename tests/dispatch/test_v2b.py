"""V2B: published peaks of a building, the month's memory, and that nothing leaves the building."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gridimpact.dispatch import v2b
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2b.bill import months
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request, small_requests

HALL = [60, 70, 100, 120, 110, 80, 60, 50]
CHARGE = {"demand_charge_per_kw_month": 10.0}


def hall(cars: int = 2, extra: dict[str, Any] | None = None, **given_: Any) -> PlanRequest:
    """Return the published building with cars of 24 kWh and 6 kW, half full before and after."""
    settings_ = {"eta": 1.0, "wear": 0.0, "days": 1, "load": HALL, "steps": 8} | given_
    eta, days, steps = settings_["eta"], settings_["days"], settings_["steps"] * settings_["days"]
    fleet = [Car(f"car {k}", 0.5, 24.0, eta, eta, wear=settings_["wear"]) for k in range(cars)]
    stays = [
        Stay(k, 0, steps, charger=k, target=0.5, p_kw=6.0, p_discharge_kw=6.0) for k in range(cars)
    ]
    return plan_request(
        fleet,
        stays,
        steps=steps,
        places=[Place("building", np.tile(settings_["load"], days), chargers=cars)],
        tariffs=[Prices(0.1, 0.0, CHARGE if extra is None else extra)],
        start=settings_.get("start", "2016-01-04"),
    )


def draw(request: PlanRequest, found: Dispatch) -> np.ndarray:
    """Return the power at the first meter."""
    return (request.site_load_kw + request.site_pv_kw + power_by_site(request, found.p_kw))[:, 0]


def test_two_cars_cut_the_published_peak():
    request = hall()
    found = v2b.DemandCharge().plan(request)
    power = draw(request, found)
    assert power.max() == pytest.approx(108.0, abs=1e-6)
    assert 0.1 * power.sum() + 10.0 * power.max() == pytest.approx(1145.0, abs=1e-6)


def test_six_cars_with_losses_cut_the_published_peak():
    request = hall(6, eta=0.95)
    power = draw(request, v2b.DemandCharge().plan(request))
    assert power.max() == pytest.approx(84.0, abs=1e-6)
    assert 0.1 * power.sum() + 10.0 * power.max() == pytest.approx(905.8426592798, abs=1e-5)


def test_a_given_charge_takes_the_place_of_the_tariffs():
    request = hall(extra={})
    one = v2b.DemandCharge(per_kw_month=10.0).plan(request)
    assert draw(request, one).max() == pytest.approx(108.0, abs=1e-6)
    assert one.notes == ()
    two = v2b.DemandCharge().plan(request)
    assert "no price for a demand charge" in two.notes[0].text
    assert draw(request, two).max() == pytest.approx(120.0, abs=1e-6)


def test_the_draw_above_the_subscription_is_cut():
    request = hall(extra={"subscribed_kw": 100.0, "excess_per_kw_month": 30.0})
    found = v2b.SubscribedPower().plan(request)
    assert draw(request, found).max() == pytest.approx(108.0, abs=1e-6)
    assert found.notes == ()
    ample = v2b.SubscribedPower(subscribed_kw=118.0, excess_per_kw_month=30.0)
    assert draw(request, ample.plan(request)).max() == pytest.approx(118.0, abs=1e-6)


def test_without_a_subscription_the_highest_draw_without_cars_is_assumed():
    request = hall(extra={"excess_per_kw_month": 30.0})
    found = v2b.SubscribedPower().plan(request)
    assert found.notes[0].kind == "assumption"
    assert draw(request, found).max() <= 120.0 + 1e-6


def test_a_peak_once_drawn_in_the_month_is_not_fought_again():
    loads = np.concatenate([np.full(24, 50.0), [120.0], np.full(71, 50.0)])
    loads[80] = 110.0
    fleet = [Car("car", 0.5, 24.0, wear=0.05)]
    # Away in the first day's peak, there in the later one.
    stays = [
        Stay(0, 0, 20, target=0.5, p_kw=6.0, p_discharge_kw=6.0),
        Stay(0, 30, 96, target=0.5, p_kw=6.0, p_discharge_kw=6.0),
    ]

    def plan(start: str) -> np.ndarray:
        request = plan_request(
            fleet,
            stays,
            steps=96,
            places=[Place("building", loads)],
            tariffs=[Prices(0.1, 0.0, CHARGE)],
            start=start,
        )
        return v2b.DemandCharge().plan(request).p_kw[:, 0]

    assert plan("2016-01-04")[80] == pytest.approx(0.0, abs=1e-6)
    # With the month ending in between, the second peak counts anew.
    assert plan("2016-01-30")[80] == pytest.approx(-6.0, abs=1e-6)


@pytest.mark.parametrize(
    "strategy",
    [
        v2b.DemandCharge(per_kw_month=5.0),
        v2b.SubscribedPower(subscribed_kw=8.0, excess_per_kw_month=9.0),
    ],
    ids=lambda s: s.name,
)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_discharge_never_exceeds_the_buildings_load_less_its_sun(
    strategy: v2b.DemandCharge | v2b.SubscribedPower, request_: PlanRequest
):
    found = strategy.plan(request_)
    fed = power_by_site(request_, np.maximum(-found.p_kw, 0.0))
    own = np.maximum(request_.site_load_kw + request_.site_pv_kw, 0.0)
    assert np.all(fed <= own + 1e-7)
    buildings = np.array([kind == "building" for kind in request_.site_kind])
    assert np.all(fed[:, ~buildings] == 0.0)
    assert np.all(found.soc[-1] >= uncontrolled_dispatch(request_).soc[-1] - 1e-6)


def test_wear_above_the_charge_leaves_the_batteries_alone():
    request = hall(wear=50.0)
    assert v2b.DemandCharge().plan(request).p_kw.min() >= -1e-9


def test_the_bill_is_no_higher_than_uncontrolled():
    request = hall(3, eta=0.9, days=3, wear=0.03)
    found = v2b.DemandCharge().plan(request)

    def bill(one: Dispatch) -> float:
        power, held = draw(request, one), request.batteries
        wear = (held.wear_per_kwh / held.eta_discharge * np.maximum(-one.p_kw, 0)).sum()
        return float(0.1 * power.sum() + 10.0 * power.max() + wear)

    assert bill(found) < bill(uncontrolled_dispatch(request)) - 50.0


def test_months_follow_the_local_calendar():
    request = hall(days=5, steps=24, load=[50.0] * 24, start="2016-01-30")
    assert np.flatnonzero(np.diff(months(request)) == 1).tolist() == [47]


def test_without_cars_at_buildings_everybody_charges_uncontrolled():
    request = plan_request([Car("a")], [Stay(0, 0, 12)], places=[Place("home", 2.0)])
    found = v2b.DemandCharge().plan(request)
    assert not found.controlled.any()
    np.testing.assert_array_equal(found.p_kw, uncontrolled_dispatch(request).p_kw)


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (v2b.DemandCharge, {"enrolled": 2.0}),
        (v2b.DemandCharge, {"per_kw_month": -1.0}),
        (v2b.SubscribedPower, {"subscribed_kw": -1.0}),
        (v2b.SubscribedPower, {"excess_per_kw_month": float("nan")}),
    ],
)
def test_impossible_settings_are_refused(kind: type, bad: dict[str, float]):
    with pytest.raises(InputError):
        kind(**bad)
