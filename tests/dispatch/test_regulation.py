"""Regulation by cars: bands, energy, losses and needs against a plain simulation tick by tick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.dispatch import Mix, g2v, v2g
from gridimpact.dispatch.services import Signal
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import Dispatch
from tests.dispatch.requests import Car, Place, Stay, plan_request

START = np.datetime64("2016-01-04")


def signal(values: np.ndarray, step_s: int = 4) -> Signal:
    """Return a signal that begins with the requests of the tests."""
    return Signal("test", START, step_s, values)


def figures(found: Dispatch) -> dict[str, float]:
    """Return the figures of a dispatch by name."""
    return {figure.name: figure.value for figure in found.figures}


def fleet(count: int = 3, **car: float):
    """Return cars that stay for eight hours at quarter-hour steps."""
    cars = [Car(f"car {k}", soc=0.4 + 0.05 * k, **car) for k in range(count)]
    stays = [Stay(k, 0, 32, p_kw=7.4, p_discharge_kw=7.4, reserve=0.2) for k in range(count)]
    return plan_request(cars, stays, steps=36, step_s=900)


def waves(seed: int = 0, ticks: int = 36 * 225) -> Signal:
    """Return a saw of many periods that is neutral within every step."""
    part = np.random.default_rng(seed).uniform(-1.0, 1.0, (ticks // 225, 112))
    return signal(np.concatenate([part, [[0.0]] * len(part), -part], axis=1).ravel())


def test_the_band_is_the_charger_and_twice_of_it_with_feeding():
    car, stay = Car(soc=0.5), Stay(0, 0, 4, target=0.574, p_kw=7.4, p_discharge_kw=7.4)
    request = plan_request([car], [stay], steps=4, step_s=900)
    still = signal(np.zeros(4), 900)
    # 3.7 kWh in one hour at 7.4 kW: the operating point is half of the charger.
    low, high = (
        g2v.Regulation(signal=still, product="both").plan(request),
        v2g.Regulation(signal=still, product="both", enrolled=1.0, reserve_soc=0.0).plan(request),
    )
    for found, up in ((low, 3.7), (high, 11.1)):
        assert found.p_kw[0, 0] == pytest.approx(3.7)
        assert found.p_low_kw is not None
        assert found.p_high_kw is not None
        assert found.p_high_kw[0, 0] - found.p_kw[0, 0] == pytest.approx(3.7)
        assert found.p_kw[0, 0] - found.p_low_kw[0, 0] <= up + 1e-9
    assert low.p_low_kw is not None
    assert low.p_low_kw[0, 0] == pytest.approx(0.0)


def test_a_feeding_car_offers_eleven_kilowatts_up_where_the_target_bears_it():
    car, stay = Car(soc=0.5), Stay(0, 0, 32, target=0.8, p_kw=7.4, p_discharge_kw=7.4)
    request = plan_request([car], [stay], steps=32, step_s=900)
    still = signal(np.zeros(4), 900)
    found = v2g.Regulation(signal=still, product="both", point=0.5, enrolled=1.0, reserve_soc=0.2)
    step = found.plan(request)
    assert step.p_low_kw is not None
    assert step.p_high_kw is not None
    assert step.p_kw[0, 0] - step.p_low_kw[0, 0] == pytest.approx(11.1)
    assert step.p_high_kw[0, 0] - step.p_kw[0, 0] == pytest.approx(3.7)


def test_charging_alone_offers_at_most_half_of_what_feeding_does():
    request, asked = fleet(), waves()
    charge = figures(g2v.Regulation(signal=asked).plan(request))
    feed = figures(v2g.Regulation(signal=asked, enrolled=1.0, reserve_soc=0.2).plan(request))
    assert charge["capacity_up_kw_h"] > 0.0
    assert charge["capacity_up_kw_h"] / feed["capacity_up_kw_h"] <= 0.5
    # Half of the charger each way, and over a stay no more than the energy to charge.
    energy = sum((0.8 - 0.4 - 0.05 * k) * 50.0 for k in range(3))
    assert charge["capacity_up_kw_h"] <= energy + 1e-6


def tick_by_tick(found: Dispatch, asked: np.ndarray, eta: float, idle: float, dt_h: float):
    """Return mean power and battery gain of every step from points and bands, in plain loops."""
    assert found.p_low_kw is not None
    assert found.p_high_kw is not None
    steps, cars = found.p_kw.shape
    mean, gain = np.zeros((steps, cars)), np.zeros((steps, cars))
    for t in range(steps):
        for v in range(cars):
            point = found.p_requested_kw[t, v]
            up, down = point - found.p_low_kw[t, v], found.p_high_kw[t, v] - point
            power = np.where(asked[t] > 0, point - up * asked[t], point - down * asked[t])
            mean[t, v] = power.mean()
            battery = np.where(
                power > 0,
                np.maximum(power - idle, 0) * eta,
                np.where(power < 0, (power - idle) / eta, 0),
            )
            gain[t, v] = battery.mean() * dt_h
    return mean, gain


@pytest.mark.parametrize("idle", [0.0, 0.2])
@pytest.mark.parametrize("latency", [0.0, 8.0])
def test_means_and_losses_are_those_of_every_tick(idle: float, latency: float):
    request = fleet(eta_charge=0.9, eta_discharge=0.9, idle_kw=idle)
    asked = signal(np.sin(np.arange(36 * 225) * 0.7))
    rule = v2g.Regulation(signal=asked, latency_s=latency, enrolled=1.0, reserve_soc=0.2)
    found = rule.plan(request)
    late = np.concatenate([np.zeros(int(latency // 4)), asked.values])[: asked.values.size]
    mean, gain = tick_by_tick(found, late.reshape(36, 225), 0.9, idle, 0.25)
    np.testing.assert_allclose(found.p_kw, mean, atol=1e-9)
    soc = request.soc_initial + np.cumsum(gain, axis=0) / 50.0
    np.testing.assert_allclose(found.soc, soc, atol=1e-9)
    assert found.cycled_kwh is not None
    assert found.inner_loss_kwh is not None
    assert found.cycled_kwh.sum() > 1.0
    if idle == 0.0:
        # What goes in and out again is lost both ways.
        lost = found.cycled_kwh * (1 / 0.9 - 0.9)
        np.testing.assert_allclose(found.inner_loss_kwh, lost, atol=1e-9)


@settings(max_examples=10, derandomize=True, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.85, 0.95, 1.0]))
def test_a_neutral_signal_hardly_moves_the_state_of_charge(seed: int, eta: float):
    car = Car(soc=0.6, capacity_kwh=40.0, eta_charge=eta, eta_discharge=eta)
    stay = Stay(0, 0, 32, target=0.6, p_kw=7.4, p_discharge_kw=7.4, reserve=0.2)
    request = plan_request([car], [stay], steps=32, step_s=900)
    still = v2g.Regulation(signal=waves(seed), latency_s=0.0, enrolled=1.0, point=0.0).plan(request)
    held = still.p_requested_kw == 0.0
    assert held.sum() >= 8
    first = int(np.flatnonzero(~held[:, 0])[0]) if not held.all() else 32
    assert still.cycled_kwh is not None
    lost = still.cycled_kwh[:first, 0].sum() * (1.0 / eta - eta)
    fall = 0.6 - still.soc[first - 1, 0]
    assert fall >= -1e-12
    assert fall * 40.0 == pytest.approx(lost, abs=1e-6)


def test_charging_only_adds_no_cycles():
    request = fleet(eta_charge=0.9)
    found, base = g2v.Regulation(signal=waves(3)).plan(request), uncontrolled_dispatch(request)
    assert found.cycled_kwh is not None
    assert not found.cycled_kwh.any()
    assert np.all(found.p_kw >= 0.0)
    assert found.unmet_kwh.max() == 0.0
    charged = (found.soc[-1] - found.soc_initial) * 50.0
    least = (base.soc[-1] - base.soc_initial) * 50.0
    np.testing.assert_allclose(charged, least, atol=0.4)
    np.testing.assert_allclose(found.p_kw.sum(axis=0) * 0.25 * 0.9, charged, rtol=1e-9)


@pytest.mark.parametrize("rail", [-1.0, 1.0])
@pytest.mark.parametrize("family", [g2v, v2g])
def test_the_owners_target_wins_at_either_rail(family, rail: float):
    request = fleet(eta_charge=0.9, eta_discharge=0.9, soc_max=0.95)
    rule = family.Regulation(signal=signal(np.full(9, rail), 900), latency_s=0.0, enrolled=1.0)
    found = rule.plan(request)
    assert found.unmet_kwh.max() == 0.0
    assert found.soc.max() <= 0.95 + 1e-12
    assert found.soc.min() >= 0.2 - 1e-12
    last = figures(found)
    assert (last["energy_drift_kwh"] < 0.0) == (rail > 0.0)
    assert found.p_low_kw is not None
    # In its last step before departure a car that just met its target has nothing to give up.
    if rail > 0.0:
        np.testing.assert_allclose(found.p_low_kw[31], found.p_kw[31], atol=1e-9)


def test_a_car_leaves_the_service_when_its_reserve_is_near():
    car, stay = Car(soc=0.45), Stay(0, 0, 16, target=0.3, p_kw=7.4, p_discharge_kw=7.4, reserve=0.4)
    request = plan_request([car], [stay], steps=16, step_s=900)
    rule = v2g.Regulation(
        signal=signal(np.ones(16), 900), latency_s=0.0, enrolled=1.0, product="up", point=0.0
    )
    found = rule.plan(request)
    assert found.soc.min() >= 0.4 - 1e-12
    assert figures(found)["soc_limited_share"] > 0.0
    longer = replace(rule, sustain_h=2.0).plan(request)
    assert found.p_low_kw is not None
    assert longer.p_low_kw is not None
    # 2.5 kWh above the reserve: 7.4 kW for a quarter of an hour, 1.25 kW for two hours.
    assert found.p_low_kw[0, 0] == pytest.approx(-7.4)
    assert longer.p_low_kw[0, 0] == pytest.approx(-1.25)


def test_the_main_fuse_bears_full_regulation_down_of_all_cars_behind_it():
    cars = [Car(f"car {k}", soc=0.3) for k in range(2)]
    stays = [Stay(k, 0, 40, p_kw=11.0, p_discharge_kw=11.0) for k in range(2)]
    place = Place(load_kw=3.0, import_limit_kw=15.0, export_limit_kw=4.0, chargers=2)
    request = plan_request(cars, stays, steps=40, step_s=900, places=[place])
    rule = v2g.Regulation(signal=waves(), product="both", enrolled=1.0, reserve_soc=0.1)
    found = rule.plan(request)
    assert found.p_low_kw is not None
    assert found.p_high_kw is not None
    assert np.all(3.0 + found.p_high_kw.sum(axis=1) <= 15.0 + 1e-9)
    assert np.all(3.0 + found.p_low_kw.sum(axis=1) >= -4.0 - 1e-9)
    assert found.p_low_kw.sum(axis=1).min() == pytest.approx(-7.0)


def test_a_fleet_that_answers_at_once_scores_one_and_a_late_one_less():
    request = fleet()
    asked = signal(np.sin(np.arange(36 * 225) / 40.0))
    scores = [
        figures(g2v.Regulation(signal=asked, latency_s=late).plan(request))["score"]
        for late in (0.0, 8.0, 60.0)
    ]
    assert scores[0] == pytest.approx(1.0)
    assert scores[0] > scores[1] > scores[2]


def test_payments_close_and_follow_the_firm_offer():
    rule = g2v.Regulation(signal=waves(), latency_s=0.0, capability_price=30.0)
    found = figures(rule.plan(fleet()))
    sold = (found["firm_up_kw_h"] + found["firm_down_kw_h"]) / 2000.0
    assert found["paid_eur"] == pytest.approx(30.0 * sold * found["score"])
    shares = found["paid_owners_eur"] + found["paid_aggregator_eur"]
    assert shares == pytest.approx(found["paid_eur"], abs=1e-9)
    assert found["firm_up_kw_h"] <= found["capacity_up_kw_h"] + 1e-9
    assert "paid_eur" not in figures(g2v.Regulation(signal=waves()).plan(fleet()))


def test_in_a_mix_the_others_hold_their_mean():
    request = fleet(8)
    mix = Mix({v2g.Regulation(signal=waves(), reserve_soc=0.2): 0.5})
    found = mix.plan(request)
    own = mix.assigned(request) == 0
    assert own.any()
    assert not own.all()
    assert found.p_low_kw is not None
    assert found.cycled_kwh is not None
    np.testing.assert_array_equal(found.p_low_kw[:, ~own], found.p_kw[:, ~own])
    assert not found.cycled_kwh[:, ~own].any()
    assert found.cycled_kwh[:, own].any()


def test_wrong_settings_are_all_told_at_once():
    with pytest.raises(InputError) as error:
        g2v.Regulation(product="sideways", point=-0.5, latency_s=-1.0, signal="file.csv")
    for word in ("product", "point", "latency_s", "read_signal"):
        assert word in str(error.value)
    assert v2g.Regulation(point=-0.5).point == -0.5
