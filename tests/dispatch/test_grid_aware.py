"""The parts of grid-aware control that need no network: curves, shares of a budget, heat, trips, settings."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.ageing import Nameplate, ThermalState, steady_state, thermal_step
from gridimpact.dispatch import g2v, grid_aware
from gridimpact.dispatch.grid_aware.allocate import share_budget
from gridimpact.dispatch.grid_aware.curves import CHARGING, FEEDING
from gridimpact.dispatch.grid_aware.protocol import (
    AnswersLoading,
    AnswersVoltage,
    GridAware,
    Heat,
    Measured,
    Wanted,
)
from gridimpact.dispatch.grid_aware.transformer import largest_loading
from gridimpact.dispatch.grid_aware.trips import MUST_TRIP, must_trip, trip_time_s
from gridimpact.dispatch.strategy import label
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Stay, plan_request

ga = grid_aware


@pytest.mark.reference
def test_curves_pass_through_the_points_of_the_reference(reference):
    told = json.loads((reference / "reference/requirements/voltage_support_1547.json").read_text())
    for strategy, cases, answer in (
        (ga.VoltWatt(), told["volt_watt"], "expect_p_limit_pu"),
        (ga.ChargingDroop(), told["charging_droop"]["cases"], "expect"),
    ):
        volts = np.array([case["V"] for case in cases])
        wanted = np.array([case[answer] for case in cases])
        np.testing.assert_allclose(strategy.share(volts), wanted, atol=1e-12)


def test_volt_watt_and_droop_pass_through_published_points():
    # IEEE 1547-2018 Table 10: all at 1.06, 0.2 at 1.10 pu; the research droop clip((V - 0.90) / 0.05, 0, 1).
    volts = np.array([1.0, 1.06, 1.08, 1.10, 1.15])
    np.testing.assert_allclose(ga.VoltWatt().share(volts), [1.0, 1.0, 0.6, 0.2, 0.2], atol=1e-12)
    volts = np.array([0.89, 0.90, 0.925, 0.94, 0.95, 1.0, np.nan])
    np.testing.assert_allclose(
        ga.ChargingDroop().share(volts), [0.0, 0.0, 0.5, 0.8, 1.0, 1.0, 0.0], atol=1e-12
    )
    # AS/NZS 4777.2:2020, Australia A: 253 V and 260 V of 230 V.
    australia = ga.VoltWatt("as_nzs_4777_2_australia_a")
    np.testing.assert_allclose(
        australia.share(np.array([253.0, 256.5, 260.0]) / 230.0), [1, 0.6, 0.2]
    )
    assert ga.ChargingDroop(curve="research_droop").points == ga.ChargingDroop().points
    for known in (FEEDING, CHARGING):
        assert all(curve.source for curve in known.values())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ga.VoltWatt("ieee"), "is unknown"),
        (lambda: ga.VoltWatt([[1.0, 0.0], [1.1, 1.0]]), "do not fall"),
        (lambda: ga.ChargingDroop(curve=[[1.0, 0.5], [0.9, 1.0]]), "do not rise"),
        (lambda: ga.ChargingDroop(curve=[[0.9, -1.0], [1.0, 1.0]]), "outside 0..1"),
        (lambda: ga.ChargingDroop(0.95, 0.9), "two rising voltages"),
        (lambda: ga.MeasuredLimit(0.0), "share of the rating"),
        (lambda: ga.MeasuredLimit(allocation="fair"), "is unknown"),
        (lambda: ga.HotSpotLimit(20.0), "40 to 250"),
        (lambda: ga.HotSpotLimit(lost=1.5, obeys=-1.0), "2 problems"),
        (lambda: ga.HotSpotLimit(fallback="hope"), "use one of full, floor, last"),
        (lambda: ga.HotSpotLimit(latency_s=-1.0), "latency_s"),
        (lambda: ga.HotSpotLimit(base="uncontrolled"), "no strategy"),
        (lambda: ga.HotSpotLimit(base=ga.VoltWatt()), "no strategy"),
        (lambda: ga.OperatingEnvelope("laxity"), "is unknown"),
        (lambda: trip_time_s(np.ones(1), "IV"), "is unknown"),
    ],
)
def test_wrong_settings_are_refused_with_a_remedy(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_names_knowledge_and_protocols_follow_from_the_settings():
    assert isinstance(ga.VoltWatt(), AnswersVoltage)
    assert isinstance(ga.HotSpotLimit(), AnswersLoading)
    assert not isinstance(g2v.ValleyFilling(), GridAware)
    assert ga.MeasuredLimit().foresight.causal
    assert ga.MeasuredLimit().foresight.stays == "none"
    assert ga.MeasuredLimit(allocation="laxity").foresight.stays == "announced"
    assert ga.HotSpotLimit(guard=True).foresight.stays == "announced"
    assert not ga.HotSpotLimit(base=g2v.ValleyFilling()).foresight.causal
    assert ga.OperatingEnvelope().foresight.base_load == "perfect"
    assert (
        label(ga.HotSpotLimit(98.0, obeys=0.9))
        == "grid_aware_hot_spot_limit(obeys=0.9, limit_c=98)"
    )
    assert hash(ga.VoltWatt([[1.05, 1.0], [1.1, 0.0]]))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    size=st.lists(st.floats(0.0, 22.0), min_size=1, max_size=12),
    budget=st.floats(-5.0, 150.0),
    rule=st.sampled_from(["equal", "proportional", "laxity"]),
)
def test_a_budget_is_used_up_or_everyone_has_what_they_want(size, budget, rule):
    size = np.array(size)
    laxity = np.arange(size.size, dtype=float)[::-1]
    got = share_budget(
        size, np.zeros(size.size, dtype=np.int64), np.array([budget]), rule, laxity_h=laxity
    )
    assert np.all((got >= -1e-12) & (got <= size + 1e-12))
    assert got.sum() == pytest.approx(min(size.sum(), max(budget, 0.0)), abs=1e-9)
    short = got < size - 1e-9
    if rule == "equal" and short.any():
        assert np.ptp(got[short]) < 1e-9
        assert got[~short].max(initial=0.0) <= got[short].max() + 1e-9
    if rule == "laxity" and short.any():
        first = size.size - 1 - np.flatnonzero(short[::-1])[0]
        assert np.all(got[:first] <= 1e-9)


def test_groups_have_budgets_of_their_own_and_least_power_goes_first():
    size, group = np.array([11.0, 11.0, 11.0, 7.0]), np.array([0, 0, 1, -1])
    least = np.array([0.0, 9.0, 0.0, 0.0])
    got = share_budget(size, group, np.array([6.0, 4.0]), "equal", least_kw=least)
    assert got.tolist() == [0.0, 9.0, 4.0, 7.0]


def test_the_largest_loading_brings_the_hot_spot_to_the_limit_and_no_further():
    plate = Nameplate.preset("ieee_65c", 2)
    warm = steady_state([[0.6, 0.9], [0.3, 1.1]], 25.0, plate)

    def heat(state: ThermalState, steady: bool = False) -> Heat:
        share = np.ones(state.gradient_k.shape)
        parts = (state.top_oil_rise_k, state.gradient_k, state.ambient_c, share)
        return Heat(*parts, plate.packed, 0.25, steady)

    limit = largest_loading(heat(warm), 110.0)
    after = thermal_step(warm, limit, 25.0, plate, 0.25).hot_spot_c
    np.testing.assert_allclose(after, 110.0, atol=1e-9)
    # At rest 110 degC in 30 degC of air is rated load: the preset's hot-spot rise is 80 K.
    rest = replace(warm, ambient_c=np.full((2, 2), 30.0))
    np.testing.assert_allclose(largest_loading(heat(rest, steady=True), 110.0), 1.0, atol=1e-9)
    held = largest_loading(heat(warm), 110.0, hold_h=4.0)
    # Where the hot spot is still falling the end of the step decides, else the end of the time held.
    assert np.all(held <= limit)
    assert np.all(held.ravel()[:3] < limit.ravel()[:3] - 0.1)
    late = thermal_step(warm, held, 25.0, plate, 4.0).hot_spot_c
    assert np.all(late <= 110.0 + 1e-9)
    np.testing.assert_allclose(late[0], 110.0, atol=1e-9)
    hot = replace(warm, top_oil_rise_k=np.full((2, 2), 200.0))
    assert np.all(largest_loading(heat(hot), 110.0) == 0.0)
    assert np.all(largest_loading(heat(warm), 250.0, highest=1.5) == 1.5)


def test_a_late_central_answer_adds_the_headroom_of_then_to_the_power_of_then():
    measured = Measured(
        vm_low_pu=np.ones((1, 3)),
        vm_high_pu=np.ones((1, 3)),
        loading_pu=np.array([[0.8]]),
        power_kw=np.array([[80.0]]),
        answering_kw=np.array([[10.0]]),
        rated_kw=np.array([100.0]),
    )
    place = np.array([[0, 1, 2]])
    wanted = Wanted(
        size_kw=np.array([[11.0, 11.0, 2.0]]),
        least_kw=np.zeros((1, 3)),
        rated_kw=np.full((1, 3), 11.0),
        laxity_h=np.zeros((1, 3)),
        charger=place,
        transformer=np.zeros((1, 3), dtype=np.int64),
    )
    got = ga.MeasuredLimit(0.9).respond(measured, wanted)
    np.testing.assert_allclose(got, [[9.0, 9.0, 2.0]])
    np.testing.assert_allclose(
        ga.MeasuredLimit(0.8).respond(replace(measured, loading_pu=np.array([[np.nan]])), wanted),
        0.0,
    )


def test_must_trip_times_are_those_of_the_tables():
    # IEEE 1547-2018 Tables 11 to 13, default settings.
    volts = np.array([0.40, 0.60, 0.80, 0.90, 1.00, 1.09, 1.15, 1.25, np.nan])
    inf = np.inf
    assert trip_time_s(volts, "I").tolist() == [0.16, 2.0, inf, inf, inf, inf, 2.0, 0.16, inf]
    assert trip_time_s(volts, "II").tolist() == [0.16, 10.0, inf, inf, inf, inf, 2.0, 0.16, inf]
    assert trip_time_s(volts, "III").tolist() == [2.0, 21.0, 21.0, inf, inf, inf, 13.0, 0.16, inf]
    assert must_trip(np.array([0.6]), 5.0, "II").tolist() == [False]
    assert set(MUST_TRIP) == {"I", "II", "III"}


def test_firm_power_is_the_floor_of_those_who_obey_and_energy_is_made_up_within_it():
    cars = [
        Car(name=f"car {k}", soc=0.4, eta_charge=0.9, soc_knee=0.8, taper_fraction=0.2)
        for k in range(4)
    ]
    request = plan_request(cars, [Stay(k, 2, 20, target=0.9) for k in range(4)])
    free = uncontrolled_dispatch(request)
    for fallback, highest in (("floor", 4.2), ("full", 10.0), ("last", 10.0)):
        found = ga.MeasuredLimit(fallback=fallback).plan(request)
        assert found.p_kw.max() == pytest.approx(highest)
        np.testing.assert_allclose(found.soc[-1], free.soc[-1], atol=1e-9)
    short = ga.MeasuredLimit(floor_kw=0.5).plan(request)
    assert set(short.unmet_cause) == {"limit"}
    kept = ga.MeasuredLimit(floor_kw=0.5, guard=True).plan(request)
    assert kept.unmet_kwh.sum() == 0.0
    mixed = ga.MeasuredLimit(floor_kw=0.0, obeys=0.5).plan(request)
    assert {0.0, 10.0} == set(mixed.p_kw.max(axis=0).tolist())
