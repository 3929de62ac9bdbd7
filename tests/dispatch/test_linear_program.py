"""The storage program against published optima, and its fast twin for one battery against it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridimpact.dispatch.kernels_plans import follow
from gridimpact.dispatch.linear_program import solve
from gridimpact.dispatch.linear_program_rows import Columns
from gridimpact.errors import InfeasibleDispatch
from tests.dispatch.storage_cases import (
    battery,
    bill,
    by_program,
    by_recursion,
    demand_charge,
    drawn,
    meter,
)

DAY = [0.1, 0.08, 0.06, 0.08, 0.2, 0.3, 0.25, 0.15]
HALL = [60, 70, 100, 120, 110, 80, 60, 50]


@pytest.mark.parametrize(
    ("down", "wear", "cost", "fed"),
    [
        (0.0, 0.0, 1.6622222222, 0.0),
        (7.0, 0.0, 0.3412345679, 14.0),
        (7.0, 0.08, 1.1296296296, 7.0),
        (7.0, 0.25, 1.6622222222, 0.0),
    ],
    ids=["charging only", "two-way", "some wear", "wear above the spread is charging only"],
)
def test_arbitrage_reaches_the_published_optimum(down: float, wear: float, cost: float, fed: float):
    storage, cells = battery(8, down=down, wear=wear)
    behind = meter(0.0, DAY, DAY, 8)
    found = by_program(storage, cells, behind)
    assert found.cost == pytest.approx(cost, abs=1e-6)
    assert np.maximum(-found.p_kw, 0.0).sum() == pytest.approx(fed, abs=1e-6)
    p_kw, energy = by_recursion(storage, cells, behind)
    assert bill(p_kw, energy, cells, behind) == pytest.approx(cost, abs=1e-6)


def test_a_program_without_binaries_would_earn_at_a_negative_price():
    # Variables c0, c1, d0, d1; 10 of 10 kWh held, 5 kW, 0.9 both ways: the published trap.
    price, eta = np.array([-0.05, 0.1]), 0.9
    gain = np.array([[eta, 0.0, -1.0 / eta, 0.0], [eta, eta, -1.0 / eta, -1.0 / eta]])
    relaxed = linprog(
        np.concatenate([price, -price]),
        A_ub=np.concatenate([gain, -gain]),
        b_ub=[0.0, 0.0, 10.0, 0.0],
        bounds=[(0.0, 5.0)] * 4,
    )
    assert relaxed.fun == pytest.approx(-0.0475)
    assert relaxed.x == pytest.approx([5.0, 0.0, 4.05, 0.0], abs=1e-9)


@pytest.mark.parametrize("price", [0.2, 0.0, -0.05])
def test_one_price_both_ways_without_losses_needs_no_binaries_and_nets_out(price: float):
    storage, cells = battery(4, up=5.0, down=5.0, upper=20.0, need=15.0, eta=1.0)
    found = by_program(storage, cells, meter(0.0, price, price, 4))
    assert not found.binary
    bought = 10.0 if price < 0.0 else 5.0
    assert found.cost == pytest.approx(bought * price, abs=1e-9)
    np.testing.assert_allclose(found.import_kw * found.export_kw, 0.0, atol=1e-9)
    held = np.concatenate([[10.0], found.energy_kwh[0]])
    np.testing.assert_allclose(np.diff(held), found.p_kw[0], atol=1e-9)


def test_variables_exist_only_where_a_battery_is_plugged_in():
    plugged = np.array([False, True, True, False, False, True, False, False])
    storage, _ = battery(8, plugged=plugged, need=[-1, -1, 20, -1, -1, 30, -1, -1])
    columns = Columns.of(storage, (8, 1), 0)
    assert columns.time.tolist() == [1, 2, 5]
    assert columns.charge.size == columns.discharge.size == columns.energy.size == 3
    assert columns.missing_entry.tolist() == [1, 2]


def test_a_negative_price_is_not_earned_by_charging_and_discharging_at_once():
    storage, cells = battery(2, up=5.0, down=5.0, upper=10.0, need=10.0)
    found = by_program(storage, cells, meter(0.0, [-0.05, 0.1], [-0.05, 0.1], 2))
    assert found.binary
    assert found.cost == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(found.p_kw, 0.0, atol=1e-9)


def test_ordinary_prices_need_no_binaries():
    storage, cells = battery(8)
    assert not by_program(storage, cells, meter(0.0, DAY, DAY, 8)).binary


def test_export_dearer_than_import_is_not_earned_at_the_same_meter_at_once():
    storage, cells = battery(4, need=-1.0, initial=0.0, upper=10.0)
    behind = meter(2.0, 0.1, [0.3, 0.05, 0.3, 0.05], 4)
    found = by_program(storage, cells, behind)
    assert found.binary
    np.testing.assert_allclose(found.import_kw * found.export_kw, 0.0, atol=1e-9)
    energy = found.import_kw - found.export_kw
    np.testing.assert_allclose(energy[:, 0], 2.0 + found.p_kw[0], atol=1e-9)


@pytest.mark.parametrize(
    ("power", "capacity", "eta", "cost", "peak"),
    [(12.0, 48.0, 1.0, 1145.0, 108.0), (36.0, 144.0, 0.95, 905.8426592798, 84.0)],
    ids=["two cars", "six cars with losses"],
)
def test_a_demand_charge_is_cut_to_the_published_peak(
    power: float, capacity: float, eta: float, cost: float, peak: float
):
    half = capacity / 2.0
    storage, cells = battery(
        8, up=power, down=power, upper=capacity, initial=half, need=half, eta=eta
    )
    behind = meter(HALL, 0.1, 0.0, 8, own_use=True, peak=demand_charge(10.0))
    found = by_program(storage, cells, behind)
    assert found.cost == pytest.approx(cost, abs=1e-6)
    assert found.peak_kw[0, 0] == pytest.approx(peak, abs=1e-6)
    assert found.import_kw.max() == pytest.approx(peak, abs=1e-6)


def test_a_peak_already_paid_may_be_drawn_again():
    storage, cells = battery(
        8, up=12.0, down=12.0, upper=48.0, initial=24.0, need=24.0, eta=1.0, wear=0.01
    )
    paid = demand_charge(10.0, so_far_kw=125.0)
    found = by_program(storage, cells, meter(HALL, 0.1, 0.0, 8, own_use=True, peak=paid))
    np.testing.assert_allclose(found.p_kw, 0.0, atol=1e-7)
    assert found.peak_kw[0, 0] == pytest.approx(125.0)


def test_only_the_draw_above_the_subscription_costs():
    storage, cells = battery(8, up=12.0, down=12.0, upper=48.0, initial=24.0, need=24.0, eta=1.0)
    terms = demand_charge(30.0, free_kw=100.0)
    found = by_program(storage, cells, meter(HALL, 0.1, 0.0, 8, own_use=True, peak=terms))
    assert found.peak_kw[0, 0] == pytest.approx(108.0)
    # 5 a kW of 100 kW subscribed and 30 a kW above: 740 with the cars, 1100 without.
    assert 5 * 100 + found.cost - 0.1 * sum(HALL) == pytest.approx(740.0, abs=1e-6)
    still, held = battery(8, up=0.0, down=0.0, upper=48.0, initial=24.0, need=24.0)
    alone = by_program(still, held, meter(HALL, 0.1, 0.0, 8, own_use=True, peak=terms))
    assert 5 * 100 + alone.cost - 0.1 * sum(HALL) == pytest.approx(1100.0, abs=1e-6)


@pytest.mark.parametrize("own_use", [False, True])
def test_a_sunny_home_reaches_the_published_optimum(own_use: bool):
    load = [0.4, 0.3, 0.3, 0.5, 0.8, 0.6, 0.5, 0.5, 0.7, 1.8, 2.2, 1.2]
    sun = [0, 0, 0, 0.5, 2.0, 3.0, 3.0, 2.0, 0.5, 0, 0, 0]
    storage, cells = battery(12, up=6.0, down=6.0, upper=24.0, initial=12.0, need=12.0, eta=0.95)
    behind = meter(np.subtract(load, sun), [0.15] * 3 + [0.3] * 9, 0.05, 12, own_use=own_use)
    found = by_program(storage, cells, behind)
    assert found.cost == pytest.approx(-0.0254293629, abs=1e-6)
    assert found.import_kw.sum() == pytest.approx(0.0, abs=1e-6)
    assert found.export_kw.sum() == pytest.approx(0.508587, abs=1e-6)
    assert 1.0 - found.export_kw.sum() / sum(sun) == pytest.approx(0.9537648182, abs=1e-6)


def test_the_published_home_without_a_car():
    load = np.array([0.4, 0.3, 0.3, 0.5, 0.8, 0.6, 0.5, 0.5, 0.7, 1.8, 2.2, 1.2])
    sun = np.array([0, 0, 0, 0.5, 2.0, 3.0, 3.0, 2.0, 0.5, 0, 0, 0])
    storage, cells = battery(12, up=0.0, down=0.0, upper=24.0, initial=12.0, need=12.0)
    found = by_program(storage, cells, meter(load - sun, [0.15] * 3 + [0.3] * 9, 0.05, 12))
    assert found.import_kw.sum() == pytest.approx(6.4)
    assert found.export_kw.sum() == pytest.approx(7.6)
    assert found.cost == pytest.approx(1.39)
    assert 1.0 - found.export_kw.sum() / sun.sum() == pytest.approx(0.3090909091)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_one_battery_is_planned_as_the_linear_program_plans_it(seed: int):
    storage, cells, behind = drawn(seed)
    found = by_program(storage, cells, behind)
    p_kw, energy = by_recursion(storage, cells, behind)
    wanted = storage.need_kwh >= 0.0
    unmet = np.maximum(storage.need_kwh - energy, 0.0)[wanted].sum()
    assert unmet == pytest.approx(found.unmet_kwh, abs=1e-6)
    last = energy[0, storage.plugged[0]][-1:]
    assert bill(p_kw, last[None, :], cells, behind) == pytest.approx(found.cost, abs=1e-5)
    np.testing.assert_allclose(follow(storage, cells, 1.0, p_kw), energy, atol=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_a_plan_keeps_bounds_taper_and_reserve(seed: int):
    storage, cells, behind = drawn(seed)
    p_kw, energy = by_recursion(storage, cells, behind)
    plugged = storage.plugged
    assert np.all(p_kw <= storage.up_kw + 1e-9)
    assert np.all(p_kw >= -storage.down_kw - 1e-9)
    assert np.all(energy[plugged] <= storage.upper_kwh[plugged] + 1e-9)
    assert np.all(energy[plugged] >= storage.lower_kwh[plugged] - 1e-9)
    before = np.concatenate([cells.initial_kwh[:, None], energy[:, :-1]], axis=1)
    before = np.where(np.isnan(storage.arrival_kwh), before - storage.trip_kwh, storage.arrival_kwh)
    most = storage.ratio * before + storage.offset_kwh
    assert np.all((energy <= most + 1e-9) | (p_kw <= 1e-12) | (storage.ratio >= 1.0))


def test_energy_that_cannot_be_reached_is_reported_as_missing():
    storage, cells = battery(2, need=30.0)
    found = by_program(storage, cells, meter(0.0, 0.1, 0.1, 2))
    assert found.unmet_kwh == pytest.approx(30.0 - 10.0 - 2 * 7.0 * 0.9)


def test_least_energies_that_contradict_each_other_are_refused():
    storage, cells = battery(2, lower=39.0)
    with pytest.raises(InfeasibleDispatch, match="no plan"):
        by_program(storage, cells, meter(0.0, 0.1, 0.1, 2))


def test_cars_behind_one_meter_share_its_limits():
    one, cells = battery(8)
    two = type(one)(*(np.concatenate([part, part]) for part in one))
    both = type(cells)(*(np.concatenate([part, part]) for part in cells))
    load = np.full(8, 3.0)
    behind = meter(load, DAY, DAY, 8, own_use=True)
    limited = type(behind)(
        behind.net_kw,
        behind.import_price,
        behind.export_price,
        np.array([12.0]),
        np.array([0.0]),
        behind.feed_limit_kw,
    )
    site = np.zeros((2, 8), dtype=np.int64)
    found = solve(two, both, site, limited, dt_h=1.0)
    fed = np.maximum(-found.p_kw, 0.0).sum(axis=0)
    assert fed.max() == pytest.approx(3.0, abs=1e-7)
    assert (load + found.p_kw.sum(axis=0)).max() <= 12.0 + 1e-7
    assert found.export_kw.max() == pytest.approx(0.0, abs=1e-7)
    assert found.unmet_kwh == pytest.approx(0.0, abs=1e-7)


@pytest.mark.reference
def test_the_quoted_optima_are_those_of_the_reference(reference: Path):
    text = (reference / "reference" / "requirements" / "lp_cases.json").read_text()
    cases = {case["id"]: case["expect"] for case in json.loads(text)["cases"]}
    quoted = {
        "arb-g2v": 1.6622222222,
        "arb-v2g": 0.3412345679,
        "arb-v2g-wear0.08": 1.1296296296,
        "arb-v2g-wear0.25": 1.6622222222,
        "v2b-peak-shave": 1145.0,
        "v2b-6-leafs": 905.8426592798,
    }
    for name, cost in quoted.items():
        assert cases[name]["objective"] == pytest.approx(cost)
    assert cases["negative-price-needs-binary"]["lp_objective"] == pytest.approx(-0.0475)
    assert cases["negative-price-needs-binary"]["milp_objective"] == 0.0
    assert (cases["v2b-peak-shave"]["peak"], cases["v2b-6-leafs"]["peak"]) == (108.0, 84.0)
    assert cases["v2b-peak-shave"]["base_objective"] == pytest.approx(0.1 * sum(HALL) + 10 * 120)
    assert (cases["v2b-subscribed"]["no_ev"], cases["v2b-subscribed"]["v2b"]) == (1100, 740)
    home = cases["v2h-pv"]
    assert home["v2h"]["objective"] == pytest.approx(-0.0254293629)
    assert home["v2h"]["self_consumption"] == pytest.approx(0.9537648182)
    assert home["no_ev"]["cost"] == pytest.approx(1.39)
    assert home["no_ev"]["self_consumption"] == pytest.approx(0.3090909091)
    assert cases["v2h-greedy"] == {"imp": 1.0, "exp": 0.0, "soc_end": 13.535789473684213}
