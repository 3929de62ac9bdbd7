"""A fleet's power shared among its cars, each car's own limits first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridimpact.dispatch import v2g
from gridimpact.dispatch.aggregator import disaggregate, flexibility, summed
from gridimpact.dispatch.aggregator.kernels_levels import share_out
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2g.virtual_power_plant import daily_series
from gridimpact.errors import InputError
from gridimpact.timeline import Timeline
from tests.dispatch.requests import Car, Stay, plan_request, small_requests


def same_window(powers, hours, steps=12, feed=0.0):
    """Return cars with one window that need it for the hours given."""
    cars = [Car(f"car {k:02}", soc=0.1, capacity_kwh=100.0) for k in range(len(powers))]
    stays = [
        Stay(k, 0, steps, target=0.1 + p * h / 100.0, p_kw=p, p_discharge_kw=feed)
        for k, (p, h) in enumerate(zip(powers, hours, strict=True))
    ]
    return plan_request(cars, stays, steps=steps)


def inside(fleet, rng):
    """Return a random power of a fleet that keeps to its envelope."""
    stored, power = 0.0, np.zeros(fleet.e_min_kwh.size)
    for t in range(power.size):
        low = max(fleet.p_min_kw[t], fleet.e_min_kwh[t] - stored)
        high = min(fleet.p_max_kw[t], fleet.e_max_kwh[t] - stored)
        power[t] = rng.uniform(low, max(low, high))
        stored += power[t]
    return power


@pytest.mark.parametrize("order", ["laxity", "proportional"])
@pytest.mark.parametrize("seed", range(5))
def test_one_window_and_one_share_of_its_time_follow_the_envelope_exactly(order, seed):
    rng = np.random.default_rng(seed)
    request = same_window(rng.uniform(3, 22, 6), np.full(6, 3.3))
    wanted = inside(summed(flexibility(request)), rng)
    found = disaggregate(request, wanted, order=order, ceiling="target")
    assert np.abs(found.residual_kw).max() < 1e-8
    assert not found.dispatch.unmet_kwh.any()


def test_the_summed_envelope_is_an_outer_bound_and_the_rest_is_reported():
    # 4 kW in the two middle hours lie within the envelope, but the first car fills only one of them.
    request = same_window([2.0, 2.0], [1.0, 3.0], steps=4)
    fleet, wanted = summed(flexibility(request)), np.array([0.0, 4.0, 4.0, 0.0])
    stored = np.cumsum(wanted)
    assert np.all((stored <= fleet.e_max_kwh) & (stored >= fleet.e_min_kwh))
    assert np.all((wanted <= fleet.p_max_kw) & (wanted >= fleet.p_min_kw))
    found = disaggregate(request, wanted, ceiling="target")
    assert found.residual_kwh == pytest.approx(4.0)
    assert not found.dispatch.unmet_kwh.any()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_laxity_follows_whatever_any_plan_of_one_window_could(seed):
    rng = np.random.default_rng(seed)
    powers, hours = rng.uniform(2, 11, 5), rng.uniform(0.5, 8, 5)
    request = same_window(powers, hours, steps=8)
    # Any split of the need over the hours, found by a linear program, is some plan's fleet power.
    cells = 5 * 8
    need = np.zeros((5, cells))
    for k in range(5):
        need[k, k * 8 : (k + 1) * 8] = 1.0
    plan = linprog(
        rng.normal(size=cells),
        A_eq=need,
        b_eq=powers * hours,
        bounds=[(0.0, powers[k // 8]) for k in range(cells)],
    )
    wanted = plan.x.reshape(5, 8).sum(axis=0)
    found = disaggregate(request, wanted, ceiling="target")
    assert np.abs(found.residual_kw).max() < 1e-6
    assert not found.dispatch.unmet_kwh.any()


def test_the_least_laxity_charges_and_the_most_surplus_feeds():
    cars = [Car(n, soc=s, capacity_kwh=50) for n, s in (("a", 0.3), ("b", 0.5), ("c", 0.9))]
    ends = (9, 5, 9)
    stays = [
        Stay(k, 0, end, target=0.5 + 0.2 * (k == 0), p_discharge_kw=6.0, reserve=0.4)
        for k, end in enumerate(ends)
    ]
    request = plan_request(cars, stays, steps=10)
    charge = disaggregate(request, np.r_[10.0, np.zeros(9)])
    # Waits: a 9 - 2 = 7 h, b 5 h, c more than 9 h.
    assert charge.dispatch.p_kw[0] == pytest.approx([0.0, 10.0, 0.0])
    feed = disaggregate(request, np.r_[-5.0, np.zeros(9)])
    assert feed.dispatch.p_kw[0] == pytest.approx([0.0, 0.0, -5.0])
    parts = disaggregate(request, np.r_[9.0, np.zeros(9)], order="proportional")
    # 10 kW of room for a and b; c takes 5 kWh more.
    assert parts.dispatch.p_kw[0] == pytest.approx([3.6, 3.6, 1.8])


def test_equal_cars_get_equal_shares():
    request = same_window([10.0] * 4, [4.0] * 4)
    found = disaggregate(request, np.full(12, 40.0 * 4.0 / 12.0), ceiling="target")
    np.testing.assert_allclose(found.dispatch.p_kw, 40.0 / 12.0)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    request_=small_requests(),
    seed=st.integers(0, 99),
    order=st.sampled_from(["laxity", "proportional"]),
)
def test_floor_and_target_win_over_any_call(request_, seed, order):
    wanted = np.random.default_rng(seed).uniform(-60, 60, request_.timeline.count)
    found = disaggregate(request_, wanted, order=order)
    base = uncontrolled_dispatch(request_)
    own = found.dispatch
    first = np.concatenate([[True], np.diff(request_.stays.vehicle) != 0])
    assert np.all(own.unmet_kwh[first] <= base.unmet_kwh[first] + 1e-6)
    for i, v in enumerate(request_.stays.vehicle):
        steps = slice(request_.stays.start[i], request_.stays.end[i])
        feeds = own.p_kw[steps, v] < -1e-9
        assert np.all(own.soc[steps, v][feeds] >= request_.stays.soc_reserve[i] - 1e-9)
    np.testing.assert_allclose(found.residual_kw, wanted - own.p_kw.sum(axis=1))
    # Nothing is left over while somebody could still have given it.
    assert np.abs(own.p_kw - own.p_requested_kw).max() < 1e-6


def test_cars_outside_the_fleet_charge_uncontrolled_and_do_not_count():
    request = same_window([10.0] * 3, [4.0] * 3)
    fleet = np.array([True, False, True])
    found = disaggregate(request, np.full(12, 6.0), controlled=fleet)
    assert found.dispatch.p_kw[0, 1] == 10.0
    np.testing.assert_allclose(found.dispatch.p_kw[:8, fleet].sum(axis=1), 6.0)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(1, 8), st.integers(0, 999), st.floats(0.0, 1.2))
def test_shared_power_adds_up_and_ends_at_one_level(count, seed, part):
    rng = np.random.default_rng(seed)
    rank, speed, most = rng.normal(size=count), rng.uniform(0.5, 5, count), rng.uniform(0, 9, count)
    power, wanted = np.empty(count), part * most.sum()
    share_out(wanted, rank, speed, most, power)
    assert power.sum() == pytest.approx(min(wanted, most.sum()), abs=1e-9)
    after = rank + power / speed
    open_ = (power > 1e-9) & (power < most - 1e-9)
    if open_.any():
        level = after[open_][0]
        np.testing.assert_allclose(after[open_], level)
        assert np.all(rank[power <= 1e-9] >= level - 1e-9)
        assert np.all(after[power >= most - 1e-9] <= level + 1e-9)


def test_a_virtual_power_plant_follows_its_daily_profile():
    cars = [Car(f"car {k:02}", soc=0.6) for k in range(20)]
    stays = [Stay(k, 0, 48, target=0.7, p_discharge_kw=10.0) for k in range(20)]
    request = plan_request(cars, stays, steps=48)
    profile = tuple(30.0 if h < 6 else (-20.0 if 17 <= h < 20 else 0.0) for h in range(24))
    found = v2g.VirtualPowerPlant(0.3, 1.0, profile).plan(request)
    np.testing.assert_allclose(found.p_kw.sum(axis=1), [*profile, *profile], atol=1e-8)
    told = {figure.name: figure.value for figure in found.figures}
    assert told["residual_kwh"] == pytest.approx(0.0, abs=1e-6)
    assert not found.unmet_kwh.any()


def test_profiles_go_by_the_local_clock():
    zone = Timeline.days("2016-03-26", 2, step="1h", zone="Europe/Berlin")
    hours = tuple(float(h) for h in range(24))
    assert daily_series(hours, zone).tolist() == [*range(24), 0, 1, *range(3, 24)]
    halves = daily_series((1.0, 2.0), zone)
    assert halves[11:13].tolist() == [1.0, 2.0]
    assert not daily_series((), zone).any()


def test_a_car_that_came_with_more_than_its_target_keeps_it():
    request = plan_request([Car(soc=0.9)], [Stay(0, 0, 9, target=0.4, p_discharge_kw=10.0)])
    found = v2g.VirtualPowerPlant(0.2, 1.0, (-10.0,)).plan(request)
    assert found.soc[:8].min() < 0.6
    assert found.soc[8, 0] == pytest.approx(0.9)
    # The function itself knows only floor and target.
    bare = disaggregate(replace(request), np.full(24, -10.0))
    assert bare.dispatch.soc[8, 0] == pytest.approx(0.4)


def test_what_makes_no_sense_is_refused():
    request = same_window([10.0], [1.0])
    with pytest.raises(InputError, match="one finite value per step"):
        disaggregate(request, np.zeros(5))
    with pytest.raises(InputError, match="order 'best' is unknown"):
        disaggregate(request, np.zeros(12), order="best")
    with pytest.raises(InputError, match="order 'best' is unknown"):
        v2g.VirtualPowerPlant(order="best")
    with pytest.raises(InputError, match="give a list of powers"):
        v2g.VirtualPowerPlant(profile_kw="much")
    with pytest.raises(InputError, match="not finite"):
        v2g.VirtualPowerPlant(profile_kw=(np.nan,))
