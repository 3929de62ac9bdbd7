"""V2H: published homes, and that nothing of a battery ever leaves the house."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gridimpact.dispatch import v2h
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request, small_requests

LOAD = [0.4, 0.3, 0.3, 0.5, 0.8, 0.6, 0.5, 0.5, 0.7, 1.8, 2.2, 1.2]
SUN = [0, 0, 0, -0.5, -2.0, -3.0, -3.0, -2.0, -0.5, 0, 0, 0]
BOTH = [v2h.SelfConsumption(enrolled=1.0), v2h.TimeOfUse(enrolled=1.0)]


def sunny_home(cars: int = 1, reserve: float = 0.0, **place: Any) -> PlanRequest:
    """Return the published home: 24 kWh, half full before and after, 6 kW, 0.95 both ways."""
    fleet = [Car(f"car {k}", 0.5, 24.0, 0.95, 0.95) for k in range(cars)]
    stays = [
        Stay(k, 0, 12, charger=k, target=0.5, reserve=reserve, p_kw=6.0, p_discharge_kw=6.0)
        for k in range(cars)
    ]
    home = {"load_kw": LOAD, "pv_kw": SUN, "chargers": cars} | place
    return plan_request(
        fleet,
        stays,
        steps=12,
        places=[Place("home", **home)],
        tariffs=[Prices([0.15] * 3 + [0.3] * 9, 0.05)],
    )


def exchange(request: PlanRequest, found: Dispatch) -> np.ndarray:
    """Return the power at each meter, (time, site)."""
    return request.site_load_kw + request.site_pv_kw + power_by_site(request, found.p_kw)


def test_storing_the_surplus_reaches_the_published_balance():
    request = sunny_home(reserve=0.5)
    found = v2h.SelfConsumption(enrolled=1.0).plan(request)
    power = exchange(request, found)
    assert np.maximum(power, 0.0).sum() == pytest.approx(1.0, abs=1e-9)
    assert np.maximum(-power, 0.0).sum() == pytest.approx(0.0, abs=1e-9)
    assert found.soc[-1, 0] * 24.0 == pytest.approx(13.535789473684, abs=1e-9)


def test_the_published_bill_is_reached_under_a_tariff():
    request = sunny_home()
    power = exchange(request, v2h.TimeOfUse(enrolled=1.0).plan(request))[:, 0]
    tariff = request.tariffs[0]
    paid = tariff.import_price * np.maximum(power, 0) - tariff.export_price * np.maximum(-power, 0)
    assert paid.sum() == pytest.approx(-0.0254293629, abs=1e-6)
    assert np.maximum(-power, 0.0).sum() == pytest.approx(0.508587, abs=1e-5)


@pytest.mark.parametrize("strategy", BOTH, ids=lambda s: s.name)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_discharge_never_exceeds_the_homes_load_less_its_sun(
    strategy: v2h.SelfConsumption | v2h.TimeOfUse, request_: PlanRequest
):
    found = strategy.plan(request_)
    fed = power_by_site(request_, np.maximum(-found.p_kw, 0.0))
    own = np.maximum(request_.site_load_kw + request_.site_pv_kw, 0.0)
    assert np.all(fed <= own + 1e-7)
    homes = np.array([kind == "home" for kind in request_.site_kind])
    assert np.all(fed[:, ~homes] == 0.0)


@pytest.mark.parametrize("strategy", BOTH, ids=lambda s: s.name)
def test_cars_of_one_home_share_its_surplus_and_its_load(
    strategy: v2h.SelfConsumption | v2h.TimeOfUse,
):
    request = sunny_home(cars=3, reserve=0.2)
    power = exchange(request, strategy.plan(request))[:, 0]
    one = exchange(request, uncontrolled_dispatch(request))[:, 0]
    assert np.maximum(-power, 0).sum() < np.maximum(-one, 0).sum() - 5.0
    assert power[np.array(LOAD) + SUN > 0].min() >= -1e-7


def test_a_weak_charger_leaves_the_rest_of_the_surplus_to_the_next_car():
    request = plan_request(
        [Car("a", 0.5), Car("b", 0.5)],
        [Stay(k, 0, 4, charger=k, target=0.5, p_kw=2.0, p_discharge_kw=2.0) for k in (0, 1)],
        steps=4,
        places=[Place("home", 1.0, [-6.0, -4.0, 0.0, 0.0], chargers=2)],
    )
    found = v2h.SelfConsumption(enrolled=1.0).plan(request)
    np.testing.assert_allclose(found.p_kw[:2], [[2.0, 2.0], [2.0, 1.0]], atol=1e-9)
    np.testing.assert_allclose(found.p_kw[2:], [[-1.0, 0.0], [-1.0, 0.0]], atol=1e-9)


def test_self_consumption_draws_from_the_grid_only_what_the_target_needs_and_late():
    def plan(soc: float) -> np.ndarray:
        request = plan_request(
            [Car(soc=soc)],
            [Stay(0, 0, 10, target=0.5, p_kw=5.0, p_discharge_kw=5.0)],
            steps=10,
            places=[Place("home", 1.0)],
        )
        return v2h.SelfConsumption(enrolled=1.0).plan(request).p_kw[:, 0]

    np.testing.assert_allclose(plan(0.3), [0.0] * 8 + [5.0, 5.0], atol=1e-9)
    np.testing.assert_allclose(plan(0.58), [-1.0] * 4 + [0.0] * 6, atol=1e-9)


def test_wear_above_the_spread_stops_the_exchange():
    request = sunny_home(pv_kw=0.0)
    worn = Car("car", 0.5, 24.0, 0.95, 0.95, wear=1.0)
    stays = [Stay(0, 0, 12, target=0.5, p_kw=6.0, p_discharge_kw=6.0)]
    place = [Place("home", LOAD)]
    tariffs = [Prices(request.tariffs[0].import_price, 0.05)]
    held = plan_request([worn], stays, steps=12, places=place, tariffs=tariffs)
    assert v2h.TimeOfUse(enrolled=1.0).plan(held).p_kw.min() >= 0.0
    assert v2h.TimeOfUse(enrolled=1.0).plan(request).p_kw.min() < -0.5


def test_only_enrolled_cars_at_homes_take_part():
    request = plan_request(
        [Car("a"), Car("b")],
        [Stay(0, 0, 12, p_discharge_kw=6.0), Stay(1, 0, 12, p_discharge_kw=6.0)],
        places=[Place("home", 2.0), Place("building", 20.0)],
    )
    assert v2h.TimeOfUse(enrolled=1.0).plan(request).controlled.tolist() == [True, False]
    nobody = v2h.TimeOfUse(enrolled=0.0).plan(request)
    np.testing.assert_array_equal(nobody.p_kw, uncontrolled_dispatch(request).p_kw)
    alone = v2h.SelfConsumption(enrolled=0.0).plan(request)
    np.testing.assert_array_equal(alone.p_kw, nobody.p_kw)


@pytest.mark.parametrize("kind", [v2h.SelfConsumption, v2h.TimeOfUse])
def test_a_share_above_one_is_refused(kind: type):
    with pytest.raises(InputError, match="enrolled"):
        kind(enrolled=1.5)
