"""Charging by price: as cheap as a linear program, and as synchronised as feared."""

from __future__ import annotations

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
