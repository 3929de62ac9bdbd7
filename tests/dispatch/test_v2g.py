"""V2G: arbitrage against published optima, peak shaving against an independent solver and valley filling."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.optimize import minimize

from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.execute import power_by_group, power_by_site
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request, small_requests

DAY = [0.1, 0.08, 0.06, 0.08, 0.2, 0.3, 0.25, 0.15]
SHAVE = v2g.PeakShaving(enrolled=1.0, relief_per_kwh=1.0)
FEW = settings(max_examples=10, deadline=None, derandomize=True)


def total(request: PlanRequest, found: Dispatch) -> np.ndarray:
    """Return the load of the first group."""
    return (request.background_kw + power_by_group(request, found.p_kw))[:, 0]


def bill(request: PlanRequest, found: Dispatch) -> float:
    """Return what all sites pay, wear included."""
    power = request.site_load_kw + request.site_pv_kw + power_by_site(request, found.p_kw)
    bought = np.stack([request.tariffs[k].import_price for k in request.site_tariff], axis=1)
    sold = np.stack([request.tariffs[k].export_price for k in request.site_tariff], axis=1)
    held = request.batteries
    wear = held.wear_per_kwh / held.eta_discharge * np.maximum(-found.p_kw, 0.0)
    paid = bought * np.maximum(power, 0.0) - sold * np.maximum(-power, 0.0)
    return float((paid.sum() + wear.sum()) * request.timeline.dt_h)


def trader(wear: float, down: float = 7.0, price: object = DAY) -> PlanRequest:
    """Return the published case: 40 kWh, 10 held, 30 wanted, 7 kW, 0.9 both ways."""
    car = Car("car", 0.25, 40.0, 0.9, 0.9, wear=wear * 0.9)
    stay = Stay(0, 0, 8, target=0.75, p_kw=7.0, p_discharge_kw=down)
    return plan_request([car], [stay], steps=8, tariffs=[Prices(price, price)])


@pytest.mark.parametrize(
    ("wear", "down", "cost", "fed"),
    [
        (0.0, 0.0, 1.6622222222, 0.0),
        (0.0, 7.0, 0.3412345679, 14.0),
        (0.08, 7.0, 1.1296296296, 7.0),
        (0.25, 7.0, 1.6622222222, 0.0),
    ],
)
def test_arbitrage_earns_the_published_optimum(wear: float, down: float, cost: float, fed: float):
    request = trader(wear, down)
    found = v2g.Arbitrage(reserve_soc=0.0, enrolled=1.0).plan(request)
    assert bill(request, found) == pytest.approx(cost, abs=1e-6)
    assert np.maximum(-found.p_kw, 0.0).sum() == pytest.approx(fed, abs=1e-6)


def test_a_flat_price_with_losses_moves_nothing_out():
    found = v2g.Arbitrage(reserve_soc=0.0, enrolled=1.0).plan(trader(0.0, price=[0.2] * 8))
    assert found.p_kw.min() >= 0.0
    assert found.soc[-1, 0] == pytest.approx(0.75)


def test_without_losses_or_wear_a_flat_price_still_moves_nothing_out():
    request = trader(0.0, price=[0.2] * 8)
    ideal = replace(request.batteries, eta_charge=np.ones(1), eta_discharge=np.ones(1))
    found = v2g.Arbitrage(0.0, 1.0).plan(replace(request, batteries=ideal))
    assert found.p_kw.min() >= 0.0


@FEW
@given(request_=small_requests())
def test_arbitrage_costs_no_more_than_uncontrolled(request_: PlanRequest):
    ample = replace(
        request_,
        site_import_limit_kw=np.full(len(request_.site_id), np.inf),
        site_export_limit_kw=np.full(len(request_.site_id), np.inf),
        batteries=replace(request_.batteries, taper_fraction=np.ones(len(request_.vehicle_id))),
    )
    free = uncontrolled_dispatch(ample)
    # Where uncontrolled charging leaves energy missing, a plan may buy more and serve better.
    assume(free.unmet_kwh.sum() + free.away_kwh.sum() == 0.0)
    found = v2g.Arbitrage(enrolled=1.0).plan(ample)
    assert bill(ample, found) <= bill(ample, free) + 1e-4


@pytest.mark.parametrize("strategy", [v2g.Arbitrage(0.5, 1.0), v2g.PeakShaving(0.5, 1.0)])
@FEW
@given(request_=small_requests())
def test_no_discharge_below_the_reserve(
    strategy: v2g.Arbitrage | v2g.PeakShaving, request_: PlanRequest
):
    found = strategy.plan(request_)
    assert np.all(found.soc[found.p_kw < -1e-9] >= 0.5 - 1e-9)


def test_cars_at_one_meter_trade_together_within_the_fuse():
    price = np.tile([0.1, 0.4], 12)
    request = plan_request(
        [Car("a", 0.5), Car("b", 0.5)],
        [Stay(k, 0, 24, charger=k, target=0.5, p_discharge_kw=10.0) for k in (0, 1)],
        places=[Place("home", 1.0, 0.0, 15.0, 5.0, chargers=2)],
        tariffs=[Prices(price, 0.2)],
    )
    found = v2g.Arbitrage(0.2, 1.0).plan(request)
    power = 1.0 + found.p_kw.sum(axis=1)
    assert power.max() == pytest.approx(15.0, abs=1e-6)
    assert power.min() == pytest.approx(-5.0, abs=1e-6)


def village(
    cars: int = 3, *, wear: float = 0.0, eta: float = 0.95, down: float = 6.0, taper: float = 1.0
) -> PlanRequest:
    """Return cars at home for a night behind a transformer with an evening peak."""
    base = 20.0 + 15.0 * np.exp(-(((np.arange(24) - 6.0) / 2.5) ** 2))
    fleet = [
        Car(f"car {k}", 0.6 + 0.05 * k, 40.0, eta, eta, 0.05, 1.0, 0.7, taper, wear=wear)
        for k in range(cars)
    ]
    stays = [
        Stay(k, 1 + k, min(20 + k, 24), target=0.8, p_kw=7.0, p_discharge_kw=down)
        for k in range(cars)
    ]
    return plan_request(fleet, stays, groups=[Group(base, 40.0)])


def squares(request: PlanRequest, power: np.ndarray, relief: float = 1.0) -> float:
    """Return what peak shaving minimises, for power (time, vehicle)."""
    held = request.batteries
    load = request.background_kw[:, 0] + power.sum(axis=1)
    wear = held.wear_per_kwh / held.eta_discharge * np.maximum(-power, 0.0)
    return float((relief / 80.0 * load**2).sum() + wear.sum())


def best_by_slsqp(request: PlanRequest, begin: np.ndarray) -> float:
    """Return the least objective a general solver finds from a first plan."""
    held, stays = request.batteries, request.stays
    cells = [(t, v) for v in range(stays.vehicle.size) for t in range(stays.start[v], stays.end[v])]
    time, vehicle = np.array(cells).T
    size = len(cells)

    def power(x: np.ndarray) -> np.ndarray:
        p_kw = np.zeros_like(begin)
        p_kw[time, vehicle] = x[:size] - x[size:]
        return p_kw

    def cost(x: np.ndarray) -> float:
        load = request.background_kw[:, 0] + power(x).sum(axis=1)
        wear = (held.wear_per_kwh / held.eta_discharge)[vehicle] * x[size:]
        return float((load**2).sum() / 80.0 + wear.sum())

    def slope(x: np.ndarray) -> np.ndarray:
        load = request.background_kw[:, 0] + power(x).sum(axis=1)
        price = load[time] / 40.0
        return np.concatenate([price, (held.wear_per_kwh / held.eta_discharge)[vehicle] - price])

    rows, limits = [], []
    for v in range(stays.vehicle.size):
        own = np.flatnonzero(vehicle == v)
        for k in range(own.size):
            gain = np.zeros(2 * size)
            gain[own[: k + 1]] = held.eta_charge[v]
            gain[size + own[: k + 1]] = -1.0 / held.eta_discharge[v]
            held_kwh = request.soc_initial[v] * 40.0
            least = 0.8 * 40.0 if k == own.size - 1 else 0.4 * 40.0
            rows += [gain, -gain]
            limits += [least - held_kwh, held_kwh - 40.0]
    matrix, bound = np.array(rows), np.array(limits)
    top = np.concatenate([stays.p_charge_kw[vehicle], stays.p_discharge_kw[vehicle]])
    start = np.concatenate(
        [np.maximum(begin, 0)[time, vehicle], np.maximum(-begin, 0)[time, vehicle]]
    )
    found = minimize(
        cost,
        start,
        jac=slope,
        bounds=[(0.0, high) for high in top],
        constraints={"type": "ineq", "fun": lambda x: matrix @ x - bound, "jac": lambda _: matrix},
        method="SLSQP",
        options={"maxiter": 300, "ftol": 1e-10},
    )
    return float(found.fun)


@pytest.mark.parametrize("wear", [0.0, 0.1])
def test_peak_shaving_is_the_joint_optimum(wear: float):
    request = village(wear=wear)
    found = SHAVE.plan(request)
    ours = squares(request, found.p_kw)
    other = best_by_slsqp(request, uncontrolled_dispatch(request).p_kw)
    assert ours <= other + 2e-4
    assert ours >= other - 2e-3
    assert found.notes == ()


def test_without_discharge_peak_shaving_is_valley_filling():
    request = village(down=0.0, eta=0.9)
    one = SHAVE.plan(request)
    two = g2v.ValleyFilling().plan(request)
    np.testing.assert_allclose(total(request, one), total(request, two), atol=0.1)


@pytest.mark.parametrize("taper", [0.2, 1.0])
def test_the_peak_is_lower_than_with_valley_filling(taper: float):
    request = village(6, wear=0.02, taper=taper)
    one = SHAVE.plan(request)
    two = g2v.ValleyFilling().plan(request)
    assert total(request, one).max() < total(request, two).max() - 3.0
    assert one.unmet_kwh.sum() == pytest.approx(0.0, abs=1e-6)


def test_peaks_and_valleys_end_at_two_levels_that_losses_hold_apart():
    request = village(6, eta=0.9)
    found = v2g.PeakShaving(0.0, 1.0, 1.0).plan(request)
    load = total(request, found)
    high = load[(found.p_kw < -1e-3).any(axis=1)]
    low = load[(found.p_kw > 1e-3).any(axis=1)]
    assert high.max() - high.min() < 0.2
    assert low.max() / 0.9 == pytest.approx(high.min() * 0.9, rel=0.02)


def test_wear_above_the_worth_of_relief_stops_discharge():
    found = SHAVE.plan(village(wear=1.2))
    assert found.p_kw.min() >= 0.0


def test_a_lightly_loaded_transformer_is_left_alone():
    request = village(3, wear=0.03)
    heavy = v2g.PeakShaving(0.2, 1.0).plan(request)
    light = v2g.PeakShaving(0.2, 1.0).plan(
        replace(request, import_limit_kw=np.full((24, 1), 400.0))
    )
    assert heavy.p_kw.min() < -1.0
    assert light.p_kw.min() >= 0.0


def test_a_group_that_feeds_back_is_not_fed():
    base = np.where(np.arange(24) < 12, -30.0, 30.0)
    request = plan_request(
        [Car("car", 0.9, eta_charge=0.9, eta_discharge=0.9)],
        [Stay(0, 0, 24, target=0.5, p_discharge_kw=10.0)],
        groups=[Group(base)],
    )
    found = v2g.PeakShaving(0.1, 1.0, 1.0).plan(request)
    assert found.p_kw[:12].min() >= 0.0
    assert found.p_kw[12:].min() < -0.3
    assert found.soc[-1, 0] >= 0.9 - 1e-9


def test_a_second_car_behind_the_fuse_takes_its_share_only():
    request = plan_request(
        [Car("a", 0.2), Car("b", 0.2)],
        [Stay(k, 0, 24, charger=k, p_kw=10.0) for k in (0, 1)],
        places=[Place("home", 2.0, 0.0, 10.0, 10.0, chargers=2)],
        groups=[Group(np.linspace(9.0, 1.0, 24))],
    )
    found = SHAVE.plan(request)
    assert (2.0 + found.p_kw.sum(axis=1)).max() <= 10.0 + 1e-6


def test_a_search_that_stops_early_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gridimpact.dispatch.v2g.peak_shaving.ROUNDS", 1)
    found = SHAVE.plan(village(6))
    assert "relative gap" in found.notes[0].text


def test_windows_join_over_several_days():
    base = np.tile(20.0 + 15.0 * np.exp(-(((np.arange(24) - 19.0) / 2.5) ** 2)), 4)
    marks = [0, 8, 18, 32, 42, 56, 66, 80, 90, 96]
    stays = [
        Stay(0, a, b, trip_kwh=10.0 * (a > 0), p_discharge_kw=6.0, cut=b == 96)
        for a, b in list(pairwise(marks))[::2]
    ]
    request = plan_request(
        [Car("car", 0.8, eta_charge=0.95, eta_discharge=0.95)],
        stays,
        steps=96,
        groups=[Group(base, 40.0)],
    )
    found = SHAVE.plan(request)
    np.testing.assert_allclose(found.p_kw, found.p_requested_kw, atol=1e-7)
    assert total(request, found).max() < base.max() - 1.0
    assert found.soc[-1, 0] >= uncontrolled_dispatch(request).soc[-1, 0] - 1e-9


@pytest.mark.parametrize(
    "bad",
    [{"reserve_soc": 1.2}, {"enrolled": -0.1}, {"relief_per_kwh": 0.0}],
    ids=["reserve", "share", "relief"],
)
def test_impossible_settings_are_refused(bad: dict[str, float]):
    with pytest.raises(InputError):
        v2g.PeakShaving(**bad)


def test_arbitrage_refuses_a_reserve_above_one():
    with pytest.raises(InputError, match="reserve_soc"):
        v2g.Arbitrage(reserve_soc=1.5)
