"""Needs that cannot be met are relaxed and explained, never a crash and never over-power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridimpact.battery.arrival import arrival_states, hours_to_charge, needs
from gridimpact.dispatch import Receding, Uncontrolled, execute, g2v, v2g, v2h
from gridimpact.dispatch.shortfall import COLUMNS, missed, shortfalls
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.study.plan import plan
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request, small_requests
from tests.dispatch.strategies import STRATEGIES

CAUSES = ("", "too_short", "too_little_power", "limit", "soc_floor")


@st.composite
def absurd_requests(draw: st.DrawFn):
    """Draw requests nobody can fulfil: no power, no time, targets beyond the battery, dead fuses."""
    request = draw(small_requests())
    stays, rng = request.stays, np.random.default_rng(draw(st.integers(0, 999)))
    count = stays.vehicle.size

    def some(values, share=0.4):
        return np.where(rng.random(count) < share, values, np.nan)

    def put(old, new):
        return np.where(np.isnan(new), old, new)

    worse = replace(
        stays,
        soc_target=put(stays.soc_target, some(1.0)),
        soc_reserve=put(stays.soc_reserve, some(0.97)),
        p_charge_kw=put(stays.p_charge_kw, some(0.0, 0.2)),
        end=np.where(rng.random(count) < 0.2, stays.start, stays.end),
        trip_kwh=put(stays.trip_kwh, some(500.0, 0.2)),
    )
    return replace(
        request,
        stays=worse,
        site_load_kw=request.site_load_kw * 30.0,
        import_limit_kw=request.import_limit_kw * draw(st.sampled_from([0.0, 0.1])),
        export_limit_kw=request.export_limit_kw * 0.0,
    )


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(request_=absurd_requests())
def test_no_strategy_crashes_or_passes_a_charger_on_impossible_needs(request_):
    for strategy in STRATEGIES:
        found = plan(strategy, request_)
        assert np.all(found.soc <= np.maximum(request_.batteries.soc_max, 0.9) + 1e-9)
        assert set(found.unmet_cause) <= set(CAUSES)
        assert np.array_equal(found.unmet_kwh > 0.0, np.array(found.unmet_cause) != "")
        table = shortfalls(request_, found)
        assert len(table) == np.count_nonzero(found.unmet_kwh)
        assert table["remedy"].str.len().gt(10).all()


@pytest.mark.parametrize("strategy", [v2g.Arbitrage(), g2v.PriceCharging(), v2h.TimeOfUse()])
def test_a_price_that_is_no_number_is_refused_before_any_plan(strategy):
    price = np.full(24, 0.3)
    price[7] = np.nan
    with pytest.raises(InputError, match=r"import_price of tariff tariff 0: holds values"):
        strategy.plan(plan_request([Car()], [Stay(0, 0, 9)], tariffs=[Prices(price)]))


def test_the_table_tells_the_power_and_the_hours_that_would_have_met_the_target():
    request = plan_request(
        [Car("a", soc=0.2, eta_charge=0.9), Car("b", soc=0.2), Car("c", soc=0.9)],
        [Stay(0, 0, 2, target=0.8), Stay(1, 0, 4, target=0.8), Stay(2, 0, 4)],
        steps=6,
    )
    table = shortfalls(request, uncontrolled_dispatch(request))
    assert table.columns.tolist() == COLUMNS
    assert table["vehicle_id"].tolist() == ["a"]
    row = table.iloc[0]
    # 30 kWh at 0.9 take 33.3 kWh: 3.33 h of 10 kW, or 16.7 kW for 2 h.
    assert row["hours_needed"] == pytest.approx(10.0 / 3.0)
    assert row["power_needed_kw"] == pytest.approx(50.0 / 3.0)
    assert row["unmet_kwh"] == pytest.approx(12.0)
    assert row["unmet_cause"] == "too_short"
    assert row["departure"] == np.datetime64("2016-01-04T02:00")
    assert "stay 3.3 h instead of 2.0 h, or charge with 16.7 kW" in row["remedy"]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_the_power_and_the_hours_told_do_meet_the_target(request_):
    base = uncontrolled_dispatch(request_)
    found = needs(request_, base)
    short = (base.unmet_kwh > 0.0) & (found.plugged_h > 0.0) & np.isfinite(found.power_needed_kw)
    stays = request_.stays
    stronger = np.where(short, found.power_needed_kw + 1e-9, stays.p_charge_kw)
    better = replace(
        request_,
        stays=replace(
            stays,
            p_charge_kw=stronger,
            trip_kwh=np.zeros(stays.vehicle.size),
            soc_arrival=arrival_states(request_, base),
        ),
    )
    again = uncontrolled_dispatch(better)
    assert np.all(again.unmet_kwh[short] <= 1e-4)


def test_hours_to_charge_invert_the_taper():
    from gridimpact.battery import mean_charge_limit_kw

    hours = hours_to_charge(0.3, [0.7, 0.9, 0.99], 0.2, 0.8, 0.1)
    for time, target in zip(hours, [0.7, 0.9, 0.99], strict=True):
        gained = mean_charge_limit_kw(0.3, time, 10.0, 50.0, 1.0, 0.8, 0.1) * time / 50.0
        assert 0.3 + gained == pytest.approx(target)


def test_each_cause_is_told():
    # A: leaves too soon; B: came empty; C: the group's limit; D: the plan gave nothing.
    cars = [Car(name, soc=0.3) for name in "ABCD"]
    stays = [
        Stay(0, 0, 1, target=0.9),
        Stay(1, 2, 3, target=0.9, trip_kwh=40.0),
        Stay(2, 0, 8, target=0.9),
        Stay(3, 0, 8, target=0.9),
    ]
    request = plan_request(cars, stays, steps=10, groups=[Group(0.0, 1.0, chargers=(2,))])
    limited = g2v.TransformerLimit(1.0).plan(request)
    assert limited.unmet_cause == ("too_short", "soc_floor", "limit", "")
    idle = execute(
        request,
        np.zeros((10, 4)),
        strategy="idle",
        controlled=np.ones(4, bool),
        guard=False,
        shortfall="too_little_power",
    )
    assert idle.unmet_cause[3] == "too_little_power"
    words = shortfalls(request, limited).set_index("vehicle_id")["remedy"]
    assert "limit of fuse or group" in words["C"]
    assert "before it" in words["B"]


@pytest.mark.parametrize("fuse", [False, True])
def test_a_main_fuse_or_group_limit_that_holds_cars_back_is_the_cause(fuse):
    places = [Place("building", 8.0, import_limit_kw=10.0 if fuse else np.inf, chargers=3)]
    groups = [Group(8.0, np.inf if fuse else 10.0)]
    cars = [Car(f"car {k}", soc=0.2) for k in range(3)]
    stays = [Stay(k, 0, 6, target=0.8) for k in range(3)]
    request = plan_request(cars, stays, steps=8, places=places, groups=groups)
    for strategy in (g2v.TransformerLimit(1.0), Receding(g2v.TransformerLimit(1.0), every="2h")):
        found = strategy.plan(request)
        assert found.p_kw.sum(axis=1).max() <= 2.0 + 1e-9
        assert "limit" in found.unmet_cause
        assert set(found.unmet_cause) <= {"", "limit"}
    # Plans that guard the target go over the fuse rather than leave it unmet, and say nothing.
    assert not g2v.ValleyFilling().plan(request).unmet_kwh.any()


def test_a_study_tells_the_shortfalls_of_all_its_strategies():
    cars = [Car("a", soc=0.2), Car("b", soc=0.2), Car("c", soc=0.9)]
    stays = [Stay(0, 0, 2, target=0.8), Stay(1, 0, 1, target=0.8), Stay(2, 0, 4)]
    request = plan_request(cars, stays, steps=6)
    base = shortfalls(request, uncontrolled_dispatch(request))
    kept = pd.DataFrame([{"segment": 0, "unmet_kwh": 0.0, "session_id": "met"}])
    table = pd.concat([base.iloc[::-1].assign(segment=0).drop(columns="remedy"), kept])
    found = missed({"no_ev": {}, "one": {"departures": table}, "two": {"departures": table}})
    assert found.columns.tolist() == ["strategy", "segment", *COLUMNS]
    assert found["strategy"].tolist() == ["one", "one", "two", "two"]
    assert found["vehicle_id"].tolist() == ["b", "a", "b", "a"]
    assert found["remedy"].tolist() == [*base["remedy"], *base["remedy"]]


def test_a_study_without_cars_has_no_shortfalls():
    assert missed({"no_ev": {}}).empty
    assert missed({}).columns.tolist()[:2] == ["strategy", "segment"]


def test_nothing_is_told_where_nothing_is_missing():
    request = plan_request([Car(soc=0.9)], [Stay(0, 0, 5)])
    assert shortfalls(request, Uncontrolled().plan(request)).empty


def test_a_stay_without_a_target_is_refused_before_it_is_planned():
    with pytest.raises(InputError, match="soc_target of the stays"):
        plan_request([Car()], [Stay(0, 2, 9, target=float("nan"))])
