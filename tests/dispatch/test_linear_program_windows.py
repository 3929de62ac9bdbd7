"""Windows of 48 hours: what they ask of batteries at their ends, and that rolling costs little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.battery.storage import mean_charge_limit_kw
from gridimpact.dispatch import linear_program_windows as windows
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.linear_program_prices import plan_at_prices
from gridimpact.dispatch.linear_program_windows import Roller, last_targets, taper_lines, trips
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import FloatArray, PlanRequest
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request

EVERY = np.array([True])


def commuter(days: int, seed: int = 3) -> PlanRequest:
    """Return one car at home from 18 to 8 o'clock that drives 12 kWh a day, hourly prices."""
    rng = np.random.default_rng(seed)
    stays = [Stay(0, 0, 8, reserve=0.2, p_discharge_kw=7.0)]
    for day in range(days):
        end = min(24 * day + 32, 24 * days)
        stays.append(
            Stay(
                0,
                24 * day + 18,
                end,
                trip_kwh=12.0,
                reserve=0.2,
                p_discharge_kw=7.0,
                cut=end % 24 == 0,
            )
        )
    car = Car(
        soc=0.8, eta_charge=0.9, eta_discharge=0.9, soc_knee=0.9, taper_fraction=0.2, wear=0.02
    )
    load = rng.uniform(0.2, 3.0, 24 * days)
    price = np.tile(0.25 + 0.1 * np.sin(np.arange(24) / 3.8), days) + rng.normal(0, 0.03, 24 * days)
    return plan_request(
        [car],
        stays,
        steps=24 * days,
        places=[Place("home", load, 0.0)],
        tariffs=[Prices(price, price - 0.05)],
    )


def cost_of(request: PlanRequest, asked: FloatArray) -> float:
    """Return the bill of energy and wear of an executed plan at the first site."""
    found = execute(request, asked, strategy="test", controlled=EVERY)
    power = request.site_load_kw[:, 0] + request.site_pv_kw[:, 0] + found.p_kw[:, 0]
    tariff, held = request.tariffs[0], request.batteries
    paid = tariff.import_price * np.maximum(power, 0) - tariff.export_price * np.maximum(-power, 0)
    wear = held.wear_per_kwh / held.eta_discharge * np.maximum(-found.p_kw[:, 0], 0)
    return float((paid + wear).sum() * request.timeline.dt_h)


def test_rolling_costs_little_more_than_knowing_everything(monkeypatch: pytest.MonkeyPatch):
    request = commuter(10)
    rolled = cost_of(request, plan_at_prices(request, EVERY, own_use=False))
    free = cost_of(request, uncontrolled_dispatch(request).p_kw)
    monkeypatch.setattr(windows, "HORIZON_DAYS", 10)
    whole = cost_of(request, plan_at_prices(request, EVERY, own_use=False))
    assert whole <= rolled + 1e-9
    assert rolled - whole < 0.02 * (free - whole)


def test_a_plan_is_executed_to_the_letter():
    request = commuter(5)
    asked = plan_at_prices(request, EVERY, own_use=False)
    found = execute(request, asked, strategy="test", controlled=EVERY)
    assert np.maximum(-found.p_kw, 0).sum() > 5.0
    np.testing.assert_allclose(found.p_kw, asked, atol=1e-7)


def test_a_stay_that_goes_on_can_still_reach_its_target():
    request = plan_request([Car(soc=0.1)], [Stay(0, 0, 50, p_kw=10.0, target=0.9)], steps=72)
    window = Roller(request, EVERY).window(0, 48, np.array([5.0]))
    assert window.storage.need_kwh[0, -1] == pytest.approx(45.0 - 2 * 10.0)
    assert np.all(window.storage.need_kwh[0, :-1] < 0.0)
    assert not window.goes_on[0] or window.storage.plugged[0, -1]


def test_the_last_stay_ends_no_lower_than_uncontrolled_charging():
    request = plan_request([Car(soc=0.9)], [Stay(0, 0, 10, target=0.4)], steps=12)
    free = uncontrolled_dispatch(request)
    assert last_targets(request, free)[0] == pytest.approx(0.9)
    asked = plan_at_prices(request, EVERY, own_use=False)
    found = execute(request, asked, strategy="test", controlled=EVERY)
    assert found.soc[-1, 0] >= free.soc[-1, 0] - 1e-9


def test_energy_left_is_worth_nothing_after_the_last_stay():
    request = plan_request([Car()], [Stay(0, 0, 10), Stay(0, 60, 70, trip_kwh=5.0)], steps=72)
    roller = Roller(request, EVERY)
    price = np.linspace(0.1, 0.5, 48)[None, :]
    assert roller.window(0, 48, np.array([25.0])).cheap(price)[0] == pytest.approx(
        0.10426, abs=1e-3
    )
    assert roller.window(24, 72, np.array([25.0])).cheap(price)[0] == 0.0


def test_cars_that_never_plug_in_are_no_trouble():
    request = plan_request([Car()], [], steps=24)
    asked = plan_at_prices(request, EVERY, own_use=False)
    np.testing.assert_array_equal(asked, np.zeros((24, 1)))


def test_trips_of_stays_without_a_step_are_not_lost():
    stays = [
        Stay(0, 0, 4),
        Stay(0, 8, 8, trip_kwh=3.0),
        Stay(0, 12, 16, trip_kwh=4.0),
        Stay(0, 17, 17, soc_arrival=0.5, trip_kwh=1.0),
        Stay(0, 18, 20, trip_kwh=5.0),
    ]
    trip, arrival = trips(plan_request([Car()], stays))
    assert trip[2] == pytest.approx(7.0)
    assert arrival[4] == pytest.approx(0.5 * 50.0 - 5.0)
    assert np.isnan(arrival[2])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    soc=st.floats(0.0, 0.99),
    knee=st.floats(0.3, 0.99),
    left=st.floats(0.0, 1.0),
    power=st.floats(1.0, 60.0),
)
def test_the_taper_line_is_never_above_what_the_battery_takes(
    soc: float, knee: float, left: float, power: float
):
    car = Car(capacity_kwh=40.0, eta_charge=0.9, soc_knee=knee, taper_fraction=left)
    ratio, offset = taper_lines(plan_request([car], [Stay(0, 0, 4, p_kw=power)], steps=4))
    limit = mean_charge_limit_kw(soc, 1.0, power, 40.0, 0.9, knee, left)
    after = min(ratio[0] * soc * 40.0 + offset[0], soc * 40.0 + 0.9 * power, 40.0)
    if ratio[0] < 1.0:
        assert after <= soc * 40.0 + 0.9 * float(limit) + 1e-9
    assert after >= soc * 40.0 - 1e-9


def test_a_car_below_its_reserve_is_treated_the_cheaper_way():
    def plan(wear: float) -> FloatArray:
        price = np.array([0.4, 0.4, 0.1, 0.1, 0.1, 0.1, 0.8, 0.8, 0.1, 0.1, 0.1, 0.1])
        request = plan_request(
            [Car(soc=0.2, wear=wear)],
            [Stay(0, 0, 12, target=0.6, reserve=0.4, p_discharge_kw=10.0)],
            steps=12,
            tariffs=[Prices(price, price)],
        )
        return plan_at_prices(request, EVERY, own_use=False)[:, 0]

    trading, waiting = plan(0.0), plan(5.0)
    assert trading[0] == pytest.approx(10.0)
    assert trading.min() < -5.0
    assert waiting.min() >= 0.0
    assert waiting[:2].max() == pytest.approx(0.0, abs=1e-9)
