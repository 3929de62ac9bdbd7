"""Strategies stepped against the power flow keep what they measure, and deliver what they say."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.ageing import Nameplate, equivalent_ageing, thermal_series
from gridimpact.dispatch.strategy import Strategy, take_vehicles
from gridimpact.errors import InputError
from gridimpact.study.catalogue import make_strategy
from gridimpact.study.closed_loop import InLoop, closed_loop
from gridimpact.study.closed_loop_settle import AT_REST_PU
from gridimpact.study.power_flow import flow_setup
from gridimpact.study.requests import build_requests
from gridimpact.study.save import strategy_entry
from gridimpact.study.thermal import temperatures
from tests.study.case import fleet_of, whole
from tests.study.closed_loop_case import (
    Asked,
    Run,
    busbar_with_cars,
    cars_at_homes,
    charger_voltage,
    long_feeder,
    run,
    small_spec,
)

ga = gi.grid_aware


@pytest.fixture(scope="module")
def spec():
    return small_spec()


@pytest.fixture(scope="module")
def free(spec) -> Run:
    return run(gi.Uncontrolled(), spec)


def loading(found: Run) -> np.ndarray:
    return found.flow.transformer_loading_percent[0] / 100.0


def test_without_a_limit_in_reach_the_loop_delivers_the_base_plan_bit_by_bit(spec, free):
    found = run(ga.MeasuredLimit(3.0), spec).dispatch
    assert found.p_kw.tobytes() == free.dispatch.p_kw.tobytes()
    assert found.soc.tobytes() == free.dispatch.soc.tobytes()
    valley = gi.g2v.ValleyFilling()
    based = run(ga.HotSpotLimit(250.0, base=valley, highest_loading=3.0), spec).dispatch
    assert based.p_kw.tobytes() == run(valley, spec).dispatch.p_kw.tobytes()


@pytest.mark.parametrize("allocation", ["equal", "proportional", "laxity"])
def test_measured_limit_is_used_to_the_full_and_never_passed(spec, free, allocation):
    limit = 0.16
    found = run(ga.MeasuredLimit(limit, allocation=allocation), spec)
    assert loading(free).max() > limit + 0.05
    assert loading(found).max() <= limit + 1e-9
    held = found.dispatch.p_kw.sum(axis=1) < free.dispatch.p_kw.sum(axis=1) - 1.0
    assert held.any()
    assert np.all(loading(found)[held] >= limit - AT_REST_PU - 1e-9)
    # What was held back is made up: every car is served, later.
    assert found.dispatch.unmet_kwh.sum() == 0.0
    assert found.dispatch.p_kw.sum() == pytest.approx(free.dispatch.p_kw.sum(), rel=1e-9)


def test_a_limit_that_leaves_too_little_is_reported_as_such(spec):
    found = run(ga.MeasuredLimit(0.03), spec).dispatch
    assert found.unmet_kwh.sum() > 1.0
    assert set(found.unmet_cause) == {"limit"}
    served = run(ga.MeasuredLimit(0.03, guard=True), spec).dispatch
    assert served.unmet_kwh.sum() == 0.0


@pytest.mark.parametrize("curve", [None, [[0.96, 0.0], [0.961, 1.0]], [[0.96, 0.1], [0.9601, 0.9]]])
def test_droop_rests_on_its_curve_whatever_its_gain(spec, free, curve):
    strategy = ga.ChargingDroop(0.95, 0.99, curve=curve)
    found = run(strategy, spec)
    assert not any(note.kind == "warning" for note in found.dispatch.notes)
    volts, power = charger_voltage(found), found.dispatch.p_kw
    assert charger_voltage(free).min() < volts.min()
    slope = max(np.diff([s for _, s in strategy.points]) / np.diff([v for v, _ in strategy.points]))
    near = 2e-3 + 22.0 * slope * 3e-6
    allowed = strategy.share(volts) * 22.0
    assert np.all(power <= allowed + near)
    # A car that is far from its target wants all it may have.
    eager = (power > 0.0) & (found.dispatch.soc < 0.7)
    assert eager.sum() >= 9
    np.testing.assert_allclose(power[eager], allowed[eager], atol=near)


def test_volt_watt_lowers_feeding_where_the_voltage_is_high():
    spec = small_spec(fleet=cars_at_homes(kwh=0.0, feeds=True), network=long_feeder(600.0))
    base = Asked(-22.0)
    free, found = run(base, spec), run(ga.VoltWatt(base=base), spec)
    volts = charger_voltage(found)
    assert charger_voltage(free).max() > volts.max() + 0.01 > 1.07
    feeding = found.dispatch.p_kw < -1e-6
    cap = ga.VoltWatt().share(volts) * 22.0
    assert np.all(-found.dispatch.p_kw[feeding] <= cap[feeding] + 0.01)
    limited = (
        feeding & (-found.dispatch.p_kw < 21.9) & (volts > 1.061) & (found.dispatch.soc > 0.15)
    )
    assert limited.any()
    np.testing.assert_allclose(-found.dispatch.p_kw[limited], cap[limited], atol=0.01)
    (trips,) = found.dispatch.figures
    assert (trips.service, trips.name) == ("interconnection", "must_trip")
    assert trips.value == ((volts >= 1.10) & feeding).sum() == 0.0


def test_a_late_answer_is_the_answer_to_what_was_measured_then(spec):
    strategy = ga.ChargingDroop(0.95, 0.99, latency_s=3600.0, fallback="full")
    found = run(strategy, spec)
    before = strategy.share(charger_voltage(found))[:-1] * 22.0
    now = found.dispatch.p_kw[1:]
    eager = now > 1e-6
    assert np.all(now[eager] <= before[eager] + 1e-6)
    wants = eager & (found.dispatch.soc[1:] < 0.7)
    assert (before[wants] < 21.9).any()
    np.testing.assert_allclose(now[wants], before[wants], atol=1e-6)
    slower = ga.MeasuredLimit(0.16, latency_s=7200.0)
    assert slower.signals.lag(3600) == 2
    # Of constant background the late central limit is right after its first answer, not before.
    late = loading(run(slower, spec))[:, 0]
    assert late.max() <= 0.16 + 0.02


def test_without_signals_chargers_fall_back_and_the_plan_without_a_grid_says_the_same(spec):
    for strategy in (
        ga.MeasuredLimit(0.1, lost=1.0, floor_kw=3.0),
        ga.ChargingDroop(lost=1.0, fallback="full"),
        ga.HotSpotLimit(60.0, lost=1.0, fallback="last"),
    ):
        found = run(strategy, spec)
        firm = strategy.plan(found.request)
        np.testing.assert_allclose(found.dispatch.p_kw, firm.p_kw, atol=1e-9)
        assert any("every signal counts as lost" in note.text for note in firm.notes)
    assert run(ga.MeasuredLimit(0.1, lost=1.0, floor_kw=3.0), spec).dispatch.p_kw.max() == 3.0


def test_lost_signals_keep_the_last_value_or_the_floor(spec, free):
    heard = run(ga.MeasuredLimit(0.16), spec).dispatch.p_kw
    last = run(ga.MeasuredLimit(0.16, lost=0.5, fallback="last"), spec).dispatch.p_kw
    assert not np.allclose(last, heard)
    assert last.max() <= free.dispatch.p_kw.max() + 1e-9


def test_chargers_that_do_not_obey_follow_the_base(spec, free):
    nobody = run(ga.MeasuredLimit(0.05, obeys=0.0), spec).dispatch
    assert nobody.p_kw.tobytes() == free.dispatch.p_kw.tobytes()
    assert any("pass the limit" in note.text for note in nobody.notes)
    some = ga.MeasuredLimit(0.05, obeys=0.6)
    found = run(some, spec)
    obedient = some.signals.obedient(found.request)[found.request.stays.charger]
    assert 0 < obedient.sum() < 3
    rebels = found.request.stays.vehicle[~obedient]
    same = np.array_equal(found.dispatch.p_kw[:, rebels], free.dispatch.p_kw[:, rebels])
    assert same
    half = run(ga.MeasuredLimit(0.05, enrolled=0.0), spec).dispatch
    assert not half.controlled.any()
    assert half.p_kw.tobytes() == free.dispatch.p_kw.tobytes()


def test_scenarios_side_by_side_are_the_same_bytes_as_alone(spec):
    segment, setup, plate = whole(spec), flow_setup(spec), Nameplate.preset("iec_onan")
    first = build_requests(spec, segment)
    others = [
        dataclasses.replace(first, site_load_kw=first.site_load_kw * share) for share in (0.1, 2.0)
    ]
    batch = [first, *others]
    for strategy in (ga.HotSpotLimit(46.0), ga.ChargingDroop(0.95, 0.99), ga.MeasuredLimit(0.15)):
        together = closed_loop(strategy, spec, segment, batch, setup, plate)
        for request, found in zip(batch, together, strict=True):
            alone = closed_loop(strategy, spec, segment, [request], setup, plate)[0]
            assert found.p_kw.tobytes() == alone.p_kw.tobytes()
        assert together[0].p_kw.tobytes() != together[2].p_kw.tobytes()


def test_the_order_of_vehicles_changes_nothing(spec):
    segment, setup = whole(spec), flow_setup(spec)
    request = build_requests(spec, segment)
    shuffled, _ = take_vehicles(request, np.array([2, 0, 1]))
    stepped = InLoop(ga.MeasuredLimit(0.15), spec, segment, setup, None)
    assert isinstance(stepped, Strategy)
    one, two = stepped.plan(request), stepped.plan(shuffled)
    assert np.array_equal(one.p_kw[:, [2, 0, 1]], two.p_kw)


def hottest(found: Run) -> float:
    """Return the highest hot spot that a study tells of a run [degC]."""
    by_phase = found.flow.transformer_phase_loading_percent if found.flow.phases == 3 else None
    series, _ = temperatures(
        found.spec,
        whole(found.spec),
        Nameplate.preset("iec_onan"),
        found.flow.transformer_loading_percent,
        found.given,
        by_phase,
    )
    return float(series.hot_spot_c.max())


def test_the_hot_spot_found_by_the_study_keeps_the_limit_of_the_controller(spec, free):
    limit = hottest(free) - 1.5
    found = run(ga.HotSpotLimit(limit), spec)
    assert limit - 0.1 < hottest(found) <= limit + 1e-6
    assert found.dispatch.unmet_kwh.sum() == 0.0
    with pytest.raises(InputError, match="ambient"):
        closed_loop(ga.HotSpotLimit(), spec, whole(spec), [found.request], flow_setup(spec), None)
    study = gi.Study(spec.network, spec.profiles, spec.fleet, strategies=[ga.HotSpotLimit()])
    with pytest.raises(InputError, match="needs temperatures"):
        study.check()


@pytest.mark.parametrize(
    "strategy", [ga.ChargingDroop(), ga.MeasuredLimit(0.2)], ids=lambda s: s.name
)
def test_where_full_power_has_no_solution_the_cars_are_held_back_to_one_that_has(strategy):
    spec = small_spec(network=long_feeder(2500.0))
    assert not np.isfinite(run(gi.Uncontrolled(), spec).flow.residual_kva).all()
    found = run(strategy, spec)
    assert np.isfinite(found.flow.residual_kva).all()
    assert found.dispatch.p_kw.max() > 1.0
    assert not any(note.kind == "warning" for note in found.dispatch.notes)


def test_a_segment_without_any_stay_is_solved_too():
    car = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0}
    spec = small_spec(fleet=fleet_of([], dict.fromkeys("abc", car)))
    found = run(ga.HotSpotLimit(), spec).dispatch
    assert found.p_kw.shape == (24, 3)
    assert not found.p_kw.any()


def test_single_phase_cars_answer_to_their_own_phase():
    fleet = cars_at_homes(phases="a", p_max_kw=7.4)
    spec = small_spec(fleet=fleet, zero_sequence="assume", power_flow="three_phase")
    free = run(gi.Uncontrolled(), spec)
    strategy = ga.ChargingDroop(0.93, 0.98)
    found = run(strategy, spec)
    assert not any(note.kind == "warning" for note in found.dispatch.notes)
    volts = charger_voltage(found)
    assert charger_voltage(free).min() < volts.min()
    rated = found.request.stays.p_charge_kw[0]
    allowed = strategy.share(volts) * rated
    resting = (found.dispatch.p_kw > 1e-6) & (found.dispatch.soc < 0.7)
    assert (allowed[resting] < rated).any()
    np.testing.assert_allclose(
        found.dispatch.p_kw[resting], np.minimum(allowed, rated)[resting], atol=0.01
    )
    limit = hottest(free) - 0.5
    assert hottest(run(ga.HotSpotLimit(limit), spec)) == pytest.approx(limit, abs=0.02)


def base_load_kw(hour: np.ndarray) -> np.ndarray:
    """Return the base load of the ageing cases of `transformer_ageing_ev.json` on 250 kVA [kW]."""
    evening, morning = np.exp(-(((hour - 19) / 2.2) ** 2)), np.exp(-(((hour - 8) / 1.5) ** 2))
    return 250.0 * (0.45 + 0.30 * evening + 0.10 * morning)


def test_charging_delayed_to_midnight_ages_more_than_uncontrolled_and_a_hot_spot_limit_less():
    # Parameters of the reference cases: R 3.2, 55 K, 25 K, n = m = 0.8, 180 min, 5 min, 30 degC. There,
    # on fixed loadings: uncontrolled 0.066, all at midnight 0.268, valley 0.013; here constant power draws
    # more current at the lower voltage behind the transformer, so that the trap is deeper.
    plate = dataclasses.replace(
        Nameplate.preset("ieee_65c", loss_ratio=3.2),
        tau_oil_h=np.array([3.0]),
        tau_winding_h=np.array([5.0 / 60.0]),
    )
    spec = busbar_with_cars(base_load_kw)
    day = slice(48 + 96, 48 + 192)

    def aged(strategy: object) -> float:
        found = run(strategy, spec, plate)
        assert found.dispatch.p_kw[day].sum() * 0.25 == pytest.approx(300.0, rel=1e-6)
        series = thermal_series(loading(found)[None], np.full(288, 30.0), plate, 0.25)
        return float(equivalent_ageing(series.ageing_rate[0, day, 0], axis=0))

    uncontrolled = aged(gi.Uncontrolled())
    midnight = aged(gi.g2v.DelayedStart("00:00"))
    limited = aged(ga.HotSpotLimit(85.0))
    assert uncontrolled == pytest.approx(0.0664, rel=0.2)
    assert midnight > 4.0 * uncontrolled
    assert limited < 0.35 * uncontrolled


def test_a_study_file_names_grid_aware_strategies_and_their_base():
    plain = make_strategy({"grid_aware.hot_spot_limit": {"limit_c": 110}})
    assert plain == ga.HotSpotLimit(110)
    made = make_strategy(
        {
            "grid_aware.volt_watt": {
                "curve": [[1.05, 1.0], [1.09, 0.0]],
                "base": {"v2g.arbitrage": {"reserve_soc": 0.5}},
                "obeys": 0.9,
            }
        }
    )
    assert made.base == gi.v2g.Arbitrage(0.5)
    assert make_strategy(strategy_entry(made)) == made


def test_a_study_runs_them_as_any_other_row_and_tells_their_settings(spec):
    strategy = ga.MeasuredLimit(0.16, latency_s=30.0, obeys=0.9)
    study = gi.Study(
        spec.network, spec.profiles, spec.fleet, strategies=[strategy], ambient=spec.ambient
    )
    result = study.run("all", progress=False)
    row = result.summary().loc["grid_aware_measured_limit"]
    assert row["cars_controlled"] == 3
    told = [n.text for n in result.notes if n.where == strategy.name]
    assert any("latency 30 s" in t and "90% of chargers obey" in t for t in told)
    assert "obeys=0.9" in result.manifest["strategies"]["grid_aware_measured_limit"]["settings"]
    assert math.isfinite(row["hot_spot_max_c"])
