"""Cold batteries give and take less, and keep their energy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gridimpact.battery.temperature import charge_limit_kw, discharge_limit_kw, usable_share
from gridimpact.dispatch import v2g
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.study.cold import cold_stays
from tests.dispatch.requests import Car, Prices, Stay, plan_request


def test_colder_batteries_never_do_more():
    temp = np.linspace(-40.0, 45.0, 200)
    for values in (usable_share(temp), charge_limit_kw(temp, 60.0), discharge_limit_kw(temp, 60.0)):
        assert np.all(np.diff(values) >= 0.0)
    assert usable_share(20.0) == 1.0
    assert usable_share(-50.0) == usable_share(-30.0)


def test_frost_slows_a_fast_charge_but_not_a_slow_one_in_mild_cold():
    assert charge_limit_kw(0.0, 60.0) == pytest.approx(24.0)
    assert charge_limit_kw(-20.0, 60.0) < 11.0 / 2.0


def test_a_warm_stay_is_left_as_it_was():
    request = plan_request([Car()], [Stay(0, 0, 10, p_discharge_kw=6.0, reserve=0.4)], steps=12)
    cold = cold_stays(request.stays, request.batteries, np.full(12, 22.0))
    for name in ("p_charge_kw", "p_discharge_kw", "soc_reserve"):
        assert np.array_equal(getattr(cold, name), getattr(request.stays, name))


def test_the_mean_of_each_stay_decides():
    request = plan_request(
        [Car()], [Stay(0, 0, 4, reserve=0.4), Stay(0, 6, 10, reserve=0.9)], steps=12
    )
    air = np.where(np.arange(12) < 5, -10.0, np.where(np.arange(12) < 8, -20.0, 0.0))
    cold = cold_stays(request.stays, request.batteries, air)
    assert cold.soc_reserve == pytest.approx([0.4 + 0.17, 1.0])
    assert cold.p_charge_kw == pytest.approx([0.15 * 50, 0.15 * 50])


def test_a_fleet_in_frost_feeds_less_and_its_ledger_closes():
    car = Car(soc=0.8, eta_charge=0.9, eta_discharge=0.85, idle_kw=0.2)
    stay = Stay(0, 0, 24, target=0.8, reserve=0.3, p_discharge_kw=10.0)
    price = np.where((np.arange(24) >= 8) & (np.arange(24) < 14), 1.0, 0.1)
    warm = plan_request([car], [stay], tariffs=[Prices(price, price)])
    cold = dataclasses.replace(
        warm, stays=cold_stays(warm.stays, warm.batteries, np.full(24, -15.0))
    )
    fed = [v2g.Arbitrage(enrolled=1.0).plan(r) for r in (warm, cold)]
    assert -np.minimum(fed[1].p_kw, 0).sum() < -np.minimum(fed[0].p_kw, 0).sum()
    discharging = fed[1].p_kw[:, 0] < -1e-9
    assert np.all(fed[1].soc[discharging, 0] >= 0.3 + 0.225 - 1e-9)
    power = fed[1].p_kw[:, 0]
    net = np.where(power == 0.0, 0.0, power - 0.2)
    battery = np.where(net > 0.0, net * 0.9, net / 0.85)
    np.testing.assert_allclose(fed[1].soc[:, 0], 0.8 + np.cumsum(battery) / 50.0, rtol=1e-9)
    slow = uncontrolled_dispatch(dataclasses.replace(cold, soc_initial=np.array([0.2]))).p_kw
    assert slow.max() <= 0.105 * 50 / 0.9 + 0.2 + 1e-9
