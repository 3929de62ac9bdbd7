"""What every strategy must keep, whatever its rule; a new one is tested by a line in `strategies.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridimpact.battery import mean_charge_limit_kw, mean_discharge_limit_kw, meter_kw, net_kw
from gridimpact.dispatch.strategy import Strategy, label, take_vehicles
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import small_requests
from tests.dispatch.strategies import CURTAILS, STRATEGIES

CASES = pytest.mark.parametrize("strategy", STRATEGIES, ids=label)
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def soc_on_arrival(request: PlanRequest, found: Dispatch) -> np.ndarray:
    """Return the state of charge that every stay begins with, told by the dispatch."""
    state = request.soc_initial.copy()
    arrival = np.zeros(request.stays.vehicle.size)
    for i, v in enumerate(request.stays.vehicle):
        given_soc = request.stays.soc_arrival[i]
        lost = request.stays.trip_kwh[i] - found.away_kwh[i]
        arrival[i] = (
            state[v] - lost / request.batteries.capacity_kwh[v]
            if np.isnan(given_soc)
            else given_soc
        )
        end = request.stays.end[i]
        state[v] = found.soc[end - 1, v] if end > request.stays.start[i] else arrival[i]
    return arrival


def plugged_in(request: PlanRequest) -> np.ndarray:
    """Return when each vehicle is plugged in, (time, vehicle)."""
    plugged = np.zeros((request.timeline.count, len(request.vehicle_id)), dtype=bool)
    for i, v in enumerate(request.stays.vehicle):
        plugged[request.stays.start[i] : request.stays.end[i], v] = True
    return plugged


@CASES
@FEW
@given(request_=small_requests())
def test_the_energy_ledger_closes_for_every_stay(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    held, dt_h = request_.batteries, request_.timeline.dt_h
    for i, (v, begin) in enumerate(
        zip(request_.stays.vehicle, soc_on_arrival(request_, found), strict=True)
    ):
        power = found.p_kw[request_.stays.start[i] : request_.stays.end[i], v]
        loss = np.where(power == 0.0, 0.0, held.idle_kw[v])
        battery = np.where(
            power > 0.0,
            np.maximum(power - loss, 0.0) * held.eta_charge[v],
            (power - loss) / held.eta_discharge[v],
        )
        inner = (
            0.0
            if found.inner_loss_kwh is None
            else found.inner_loss_kwh[request_.stays.start[i] : request_.stays.end[i], v]
        )
        soc = begin + np.cumsum(battery * dt_h - inner) / held.capacity_kwh[v]
        told = found.soc[request_.stays.start[i] : request_.stays.end[i], v]
        np.testing.assert_allclose(told, soc, rtol=1e-9, atol=1e-11)


@CASES
@FEW
@given(request_=small_requests())
def test_state_of_charge_stays_in_the_battery(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    arrivals = soc_on_arrival(request_, found)
    held = request_.batteries
    lowest = np.minimum(held.soc_min, request_.soc_initial)
    np.minimum.at(lowest, request_.stays.vehicle, arrivals)
    highest = np.maximum(held.soc_max, request_.soc_initial)
    np.maximum.at(highest, request_.stays.vehicle, arrivals)
    assert np.all(found.soc >= lowest - 1e-9)
    assert np.all(found.soc <= highest + 1e-9)
    assert np.all(arrivals >= lowest[request_.stays.vehicle] - 1e-9)


@CASES
@FEW
@given(request_=small_requests())
def test_power_stays_within_charger_battery_and_stay(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    assert found.p_kw.shape == found.soc.shape == found.p_requested_kw.shape
    assert np.all(found.p_kw[~plugged_in(request_)] == 0.0)
    held, arrivals = request_.batteries, soc_on_arrival(request_, found)
    for i, v in enumerate(request_.stays.vehicle):
        steps = slice(request_.stays.start[i], request_.stays.end[i])
        before = np.concatenate([[arrivals[i]], found.soc[steps, v][:-1]])[
            : request_.stays.end[i] - request_.stays.start[i]
        ]
        power, idle = found.p_kw[steps, v], held.idle_kw[v]
        draw = mean_charge_limit_kw(
            before,
            request_.timeline.dt_h,
            net_kw(request_.stays.p_charge_kw[i], idle),
            held.capacity_kwh[v],
            held.eta_charge[v],
            held.soc_knee[v],
            held.taper_fraction[v],
            held.soc_max[v],
        )
        feed = mean_discharge_limit_kw(
            before,
            request_.timeline.dt_h,
            request_.stays.p_discharge_kw[i] + idle,
            held.capacity_kwh[v],
            held.eta_discharge[v],
            held.soc_min[v],
            held.soc_knee_discharge[v],
            held.taper_fraction_discharge[v],
        )
        assert np.all(power <= meter_kw(draw, idle) + 1e-9)
        assert np.all(power >= np.minimum(meter_kw(-feed, idle), 0.0) - 1e-9)
        # Power that would only heat the converter is never drawn.
        steady = True if found.p_low_kw is None else power == found.p_low_kw[steps, v]
        assert not np.any(steady & (power > 0.0) & (power <= idle))


@CASES
@FEW
@given(request_=small_requests())
def test_only_bidirectional_controlled_cars_discharge(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    may = found.controlled if strategy.bidirectional else np.zeros_like(found.controlled)
    assert np.all(found.p_kw[:, ~may] >= 0.0)


@CASES
@FEW
@given(request_=small_requests())
def test_a_missed_target_is_reported_with_a_cause(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    arrivals = soc_on_arrival(request_, found)
    for i, v in enumerate(request_.stays.vehicle):
        first, end = request_.stays.start[i], request_.stays.end[i]
        reached = found.soc[end - 1, v] if end > first else arrivals[i]
        missing = (request_.stays.soc_target[i] - reached) * request_.batteries.capacity_kwh[v]
        assert found.unmet_kwh[i] == pytest.approx(max(missing, 0.0), abs=2e-7)
        assert (found.unmet_cause[i] != "") == (found.unmet_kwh[i] > 0.0)
        assert found.unmet_cause[i] in ("", "too_short", "too_little_power", "limit", "soc_floor")


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s.name not in CURTAILS], ids=label)
@FEW
@given(request_=small_requests())
def test_nobody_is_served_worse_than_uncontrolled(strategy: Strategy, request_: PlanRequest):
    found, base = strategy.plan(request_), uncontrolled_dispatch(request_)
    assert np.all(found.unmet_kwh <= base.unmet_kwh + 1e-6)


@CASES
@FEW
@given(request_=small_requests())
def test_discharge_never_goes_below_the_reserve(strategy: Strategy, request_: PlanRequest):
    found = strategy.plan(request_)
    for i, v in enumerate(request_.stays.vehicle):
        steps = slice(request_.stays.start[i], request_.stays.end[i])
        feeds = found.p_kw[steps, v] < -1e-9
        assert np.all(found.soc[steps, v][feeds] >= request_.stays.soc_reserve[i] - 1e-9)


@CASES
@FEW
@given(request_=small_requests())
def test_the_same_request_gives_the_same_bytes(strategy: Strategy, request_: PlanRequest):
    one, two = strategy.plan(request_), strategy.plan(request_)
    assert one.p_kw.tobytes() == two.p_kw.tobytes()
    assert one.soc.tobytes() == two.soc.tobytes()
    assert np.array_equal(one.controlled, two.controlled)


@CASES
@FEW
@given(request_=small_requests(), seed=st.integers(0, 99))
def test_vehicles_in_another_order_get_the_same_plan(
    strategy: Strategy, request_: PlanRequest, seed: int
):
    order = np.random.default_rng(seed).permutation(len(request_.vehicle_id))
    shuffled, stays = take_vehicles(request_, order)
    one, two = strategy.plan(request_), strategy.plan(shuffled)
    assert np.array_equal(one.p_kw[:, order], two.p_kw)
    assert np.array_equal(one.soc[:, order], two.soc)
    assert np.array_equal(one.unmet_kwh[stays], two.unmet_kwh)
    assert tuple(one.unmet_cause[k] for k in stays) == two.unmet_cause
    assert np.array_equal(one.away_kwh[stays], two.away_kwh)
    assert np.array_equal(one.controlled[order], two.controlled)


@CASES
@FEW
@given(request_=small_requests(), now=st.integers(1, 23))
def test_causal_strategies_do_not_look_ahead(strategy: Strategy, request_: PlanRequest, now: int):
    if not strategy.foresight.causal:
        return
    stays = request_.stays
    later = stays.start >= now
    rng = np.random.default_rng(now)
    noise = rng.uniform(0.5, 2.0, (request_.timeline.count, 1))
    noise[:now] = 1.0
    changed = replace(
        request_,
        stays=replace(
            stays,
            soc_target=np.where(later, 0.31, stays.soc_target),
            trip_kwh=np.where(later, 1.0, stays.trip_kwh),
        ),
        site_load_kw=request_.site_load_kw * noise,
        site_pv_kw=request_.site_pv_kw * noise,
        background_kw=request_.background_kw * noise,
        import_limit_kw=request_.import_limit_kw * noise,
    )
    if strategy.foresight.prices == "none":
        price = request_.tariffs[0].import_price * noise[:, 0]
        changed = replace(
            changed, tariffs=(replace(request_.tariffs[0], import_price=price, export_price=price),)
        )
    one, two = strategy.plan(request_), strategy.plan(changed)
    np.testing.assert_array_equal(one.p_kw[:now], two.p_kw[:now])


@CASES
@FEW
@given(request_=small_requests())
def test_the_request_is_not_written_to(strategy: Strategy, request_: PlanRequest):
    names = ("site_load_kw", "site_pv_kw", "background_kw", "soc_initial", "site_import_limit_kw")
    before = {name: getattr(request_, name).copy() for name in names}
    for array in (*(getattr(request_, name) for name in names), request_.stays.soc_target):
        array.flags.writeable = False
    strategy.plan(request_)
    for name in names:
        assert np.array_equal(before[name], getattr(request_, name))


@CASES
def test_names_and_knowledge_are_stated(strategy: Strategy):
    assert isinstance(strategy, Strategy)
    assert strategy.name == strategy.name.lower()
    assert label(strategy).startswith(strategy.name)
    assert hash(strategy) == hash(replace(strategy))
