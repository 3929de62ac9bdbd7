"""Charging by price: as cheap as a linear program, and as synchronised as feared."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridimpact.dispatch import g2v, uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Place, Prices, Stay, plan_request


def test_the_cheapest_steps_are_used_and_ties_go_to_the_earlier():
    request = plan_request(
        [Car(soc=0.3)],
        [Stay(0, 1, 7, target=0.8)],
        steps=8,
        tariffs=[Prices([0, 5, 2, 3, 2, 3, 9, 0])],
    )
    found = g2v.PriceCharging().plan(request)
    assert found.p_kw[:, 0].tolist() == pytest.approx([0, 0, 10, 5, 10, 0, 0, 0])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_the_bill_equals_that_of_a_linear_program(seed):
    rng = np.random.default_rng(seed)
    prices = rng.uniform(-0.05, 0.5, 24).round(2)
    load = rng.uniform(0, 6, 24)
    car = Car(soc=0.2, eta_charge=0.9)
    request = plan_request(
        [car],
        [Stay(0, 2, 20, target=0.7)],
        places=[Place(load_kw=load, import_limit_kw=12.0)],
        tariffs=[Prices(prices)],
    )
    found = g2v.PriceCharging().plan(request)
    cap = np.minimum(10.0, 12.0 - load)[2:20]
    best = linprog(
        prices[2:20],
        A_eq=np.ones((1, 18)),
        b_eq=[0.5 * 50 / 0.9],
        bounds=list(zip(np.zeros(18), cap, strict=True)),
    )
    assert found.p_kw[:, 0] @ prices == pytest.approx(best.fun, abs=1e-9)


def test_cars_on_one_tariff_start_together_and_make_a_new_peak():
    night = np.where(np.arange(24) == 3, 0.1, 0.3)
    rng = np.random.default_rng(0)
    request = plan_request(
        [Car(f"car {k}", soc=0.6) for k in range(20)],
        [Stay(k, int(rng.integers(0, 3)), 20, target=0.8) for k in range(20)],
        tariffs=[Prices(night)],
    )
    found, base = g2v.PriceCharging().plan(request), uncontrolled_dispatch(request)
    assert found.p_kw.sum(axis=1).max() == pytest.approx(200.0)
    assert base.p_kw.sum(axis=1).max() < 200.0


def test_sites_pay_their_own_tariff():
    request = plan_request(
        [Car("a"), Car("b")],
        [Stay(0, 0, 4, target=0.6), Stay(1, 0, 4, target=0.6)],
        steps=4,
        places=[Place(tariff=0), Place(tariff=1)],
        tariffs=[Prices([1, 2, 3, 4]), Prices([4, 3, 2, 1])],
    )
    found = g2v.PriceCharging().plan(request)
    assert found.p_kw[:, 0] == pytest.approx([5, 0, 0, 0])
    assert found.p_kw[:, 1] == pytest.approx([0, 0, 0, 5])


def test_cars_behind_one_fuse_take_turns_and_a_target_goes_before_the_fuse():
    place = Place("building", import_limit_kw=10.0, chargers=2)
    request = plan_request(
        [Car("a", soc=0.5), Car("b", soc=0.5)],
        [Stay(0, 0, 4, target=0.7), Stay(1, 0, 4, target=0.7)],
        steps=4,
        places=[place],
        tariffs=[Prices([1, 2, 3, 4])],
    )
    found = g2v.PriceCharging().plan(request)
    assert found.p_kw[:, 0] == pytest.approx([10, 0, 0, 0])
    assert found.p_kw[:, 1] == pytest.approx([0, 10, 0, 0])
    tight = plan_request(
        [Car(soc=0.5)],
        [Stay(0, 0, 2, target=0.8)],
        steps=2,
        places=[Place(import_limit_kw=5.0)],
        tariffs=[Prices([1, 2])],
    )
    assert g2v.PriceCharging().plan(tight).p_kw[:, 0] == pytest.approx([10, 5])


def full_power_map(soc, car, p_kw, dt_h):
    """Return the state of charge after a step of full power and its slope, for a taper from the knee on."""
    rate = car.eta_charge * p_kw / car.capacity_kwh
    slope = (1 - car.taper_fraction) / (1 - car.soc_knee)
    below = np.clip((car.soc_knee - soc) / rate, 0.0, dt_h)
    left = 1 - slope * (np.maximum(soc, car.soc_knee) - car.soc_knee)
    decay = np.exp(-slope * rate * (dt_h - below))
    return soc + rate * below + left * (1 - decay) / slope, decay


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_with_taper_the_bill_equals_that_of_a_linear_program(seed):
    """Full power is a concave map of the state of charge: its tangents bound each step of the program."""
    rng = np.random.default_rng(seed)
    knee, fraction = float(rng.choice([0.5, 0.7, 0.8])), float(rng.choice([0.05, 0.2]))
    car = Car(
        soc=float(rng.uniform(0.1, 0.5)), eta_charge=0.9, soc_knee=knee, taper_fraction=fraction
    )
    prices, load = rng.uniform(0.05, 0.5, 24).round(2), rng.uniform(0.0, 8.0, 24)
    request = plan_request(
        [car],
        [Stay(0, 2, 20, target=0.93, p_kw=11.0)],
        places=[Place(load_kw=load, import_limit_kw=15.0)],
        tariffs=[Prices(prices)],
    )
    found = g2v.PriceCharging().plan(request)
    per_kw, n = car.eta_charge / car.capacity_kwh, 18
    points = np.concatenate([np.linspace(0.1, knee, 60), np.linspace(knee, 0.93, 20)])
    after, slope = full_power_map(points, car, 11.0, 1.0)
    rows, right = [], []
    for t in range(n):
        row = np.zeros((points.size, n))
        row[:, :t], row[:, t] = per_kw * (1.0 - slope[:, None]), per_kw
        rows.append(row)
        right.append(after - slope * points - (1.0 - slope) * car.soc)
    best = linprog(
        prices[2:20],
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(right),
        A_eq=np.full((1, n), per_kw),
        b_eq=[0.93 - car.soc],
        bounds=[(0.0, most) for most in np.minimum(11.0, 15.0 - load[2:20])],
    )
    assert found.unmet_kwh[0] == 0.0
    bill = found.p_kw[:, 0] @ prices
    # Tangents lie above the map, so the program is never dearer; 80 of them are close.
    assert best.fun <= bill + 1e-9
    assert bill == pytest.approx(best.fun, rel=5e-4)


# "arb-g2v": energy 40 kWh, from 10 to 30 kWh at up to 7 kW and 90 %.
ARBITRAGE = [0.1, 0.08, 0.06, 0.08, 0.2, 0.3, 0.25, 0.15]


def test_the_published_small_case_is_met():
    request = plan_request(
        [Car(soc=0.25, capacity_kwh=40.0, eta_charge=0.9)],
        [Stay(0, 0, 8, target=0.75, p_kw=7.0)],
        steps=8,
        tariffs=[Prices(ARBITRAGE)],
    )
    found = g2v.PriceCharging().plan(request)
    assert found.p_kw[:, 0] @ ARBITRAGE == pytest.approx(1.6622222222, abs=1e-9)
    assert found.p_kw[:, 0] == pytest.approx([1.222222, 7, 7, 7, 0, 0, 0, 0], abs=1e-6)


@pytest.mark.reference
def test_the_small_case_is_that_of_the_reference(reference):
    text = (reference / "reference/requirements/lp_cases.json").read_text()
    case = next(c for c in json.loads(text)["cases"] if c["id"] == "arb-g2v")
    assert case["inp"]["price_imp"] == ARBITRAGE
    assert case["expect"]["objective"] == pytest.approx(1.6622222222)


def test_prices_count_from_their_publication_on():
    """Plugged in at 10:00, cheap hours of tomorrow are known from 13:00 on, and not before."""
    prices = np.full(48, 0.3)
    prices[11], prices[26:29] = 0.2, 0.1
    stay = Stay(0, 10, 32, target=0.8)

    def used(published, prices):
        request = plan_request([Car(soc=0.5)], [stay], steps=48, tariffs=[Prices(prices)])
        found = g2v.PriceCharging(published=published).plan(request)
        assert found.unmet_kwh[0] == 0.0
        return np.flatnonzero(found.p_kw[:, 0] > 1e-9).tolist()

    # At 10:00 today's cheapest is 11:00; the rest waits for nothing better than now, in order of time.
    assert used("13:00", prices) == [10, 11]
    assert used("09:00", prices) == [26, 27]
    prices[10:13] = [0.4, 0.2, 0.4]
    assert used("13:00", prices) == [11, 26]


def test_prices_not_yet_published_change_nothing():
    rng = np.random.default_rng(3)
    one = rng.uniform(0.1, 0.5, 72)
    other = one.copy()
    other[48:] = rng.uniform(0.1, 0.5, 24)
    plans = [
        g2v.PriceCharging()
        .plan(
            plan_request(
                [Car(soc=0.1, soc_knee=0.5, taper_fraction=0.1)],
                [Stay(0, 8, 70, target=0.95, p_kw=3.7)],
                steps=72,
                tariffs=[Prices(prices)],
            )
        )
        .p_kw
        for prices in (one, other)
    ]
    # The prices of the third day are out at 13:00 of the second.
    np.testing.assert_array_equal(plans[0][:37], plans[1][:37])


def test_taper_costs_nobody_charge_and_the_bill_still_falls():
    prices = 0.3 + 0.2 * np.sin(np.arange(24) / 3)
    car = Car(soc=0.2, soc_knee=0.5, taper_fraction=0.05)
    request = plan_request([car], [Stay(0, 0, 24, target=0.95)], tariffs=[Prices(prices)])
    found, base = g2v.PriceCharging().plan(request), uncontrolled_dispatch(request)
    assert found.unmet_kwh[0] == 0.0
    assert found.p_kw[:, 0] @ prices < base.p_kw[:, 0] @ prices


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InputError, match="enrolled"):
        g2v.PriceCharging(enrolled=-0.1)
