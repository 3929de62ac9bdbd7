"""Cars that supply their own site export nothing, also where the site draws less than was forecast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.dispatch import Mix, Receding, WithForecastError, v2b, v2g, v2h
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.own_use import own_load_kw, within_own_use
from gridimpact.dispatch.scope import cars_of, own_use_cars
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request


def fickle_site(kind="home", cars=1):
    """Return a site whose load halves every other day, with cars that stay through dear middays."""
    hour = np.arange(96)
    load = np.where(hour // 24 % 2 == 0, 8.0, 3.0) + np.sin(hour)
    price = np.where((hour % 24 >= 8) & (hour % 24 < 14), 0.6, 0.1)
    return plan_request(
        [Car(f"car {k}", soc=0.9) for k in range(cars)],
        [
            Stay(k, 24 * d, 24 * d + 23, target=0.6, trip_kwh=3.0 if d else 0.0, p_discharge_kw=10)
            for k in range(cars)
            for d in range(4)
        ],
        steps=96,
        places=[Place(kind, load, chargers=cars)],
        tariffs=[Prices(price, 0.02)],
    )


def exported_kw(request, found):
    """Return by how much the cars' discharge passes the sites' load less generation at most."""
    fed = power_by_site(request, np.maximum(-found.p_kw, 0.0))
    return float((fed - own_load_kw(request)).max())


HOME = v2h.TimeOfUse(enrolled=1.0)
HALL = v2b.DemandCharge(per_kw_month=8.0)


@pytest.mark.parametrize("strategy", [HOME, HALL, Mix({HOME: 1.0})], ids=["v2h", "v2b", "mix"])
@pytest.mark.parametrize("wrap", [Receding, WithForecastError])
def test_a_wrong_forecast_exports_no_battery(strategy, wrap):
    wrapped = wrap(strategy)
    kind = "building" if strategy is HALL else "home"
    request = fickle_site(kind, 3 if kind == "building" else 1)
    found = wrapped.plan(request)
    assert found.p_kw.min() < -1.0
    assert exported_kw(request, found) <= 1e-9


def test_who_sells_to_the_grid_is_not_held_to_the_site():
    request = fickle_site()
    tariff = request.tariffs[0]
    request = replace(request, tariffs=(replace(tariff, export_price=tariff.import_price),))
    seller = Receding(v2g.Arbitrage(enrolled=1.0, reserve_soc=0.1))
    assert not own_use_cars(seller, request).any()
    assert exported_kw(request, seller.plan(request)) > 1.0


def test_discharge_beyond_the_load_is_scaled_and_charging_kept():
    request = fickle_site(cars=2)
    asked = np.tile([-6.0, -6.0], (96, 1))
    asked[1] = [5.0, -6.0]
    asked[23::24] = 0.0
    cut = within_own_use(request, asked, np.array([True, True]))
    load = request.site_load_kw[:, 0]
    assert cut[0].sum() == pytest.approx(-load[0])
    assert cut[1].tolist() == [5.0, -6.0]
    assert np.array_equal(within_own_use(request, asked, np.array([False, False])), asked)


def test_the_cars_of_a_building_are_those_its_rule_names():
    request = fickle_site("building", 3)
    request = replace(request, charger_kind=("fleet", "work", "work"))
    for rule in (v2b.PeakCap, v2b.DemandCharge, v2b.SubscribedPower):
        inner = rule(cars="employees")
        assert cars_of(Receding(inner), request).tolist() == [False, True, True]
        assert np.array_equal(inner.plan(request).controlled, cars_of(inner, request))


def test_cars_that_come_and_go_at_one_home_never_serve_the_same_load_twice():
    # The second car is second while it stores the sun, and first in the evening, beside the third.
    sun = np.where(np.arange(24) < 4, -4.0, 0.0)
    request = plan_request(
        [Car(f"car {k}", soc=0.5) for k in range(3)],
        [
            Stay(0, 0, 4, target=0.5, p_kw=2.0, p_discharge_kw=5.0),
            Stay(1, 0, 12, target=0.5, p_discharge_kw=5.0),
            Stay(2, 8, 12, target=0.5, soc_arrival=0.9, p_discharge_kw=5.0),
        ],
        places=[Place("home", np.where(np.arange(24) < 8, 0.0, 3.0), sun, chargers=3)],
    )
    found = v2h.SelfConsumption(enrolled=1.0).plan(request)
    assert found.p_kw[8:12].min() < -1.0
    assert exported_kw(request, found) <= 1e-9
