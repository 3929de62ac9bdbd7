"""The step of the voltage when a charger switches, solved again by pandapower and by hand."""

from __future__ import annotations

import copy
import dataclasses
from functools import lru_cache

import numpy as np
import pandapower as pp
import pytest

import gridimpact as gi
from gridimpact.assess import limit_profile
from gridimpact.network import open_network
from gridimpact.powerflow.given import phase_shares
from gridimpact.records import Injections
from gridimpact.study import voltage_step
from gridimpact.study.asymmetry import PhaseMeter
from gridimpact.study.elements import CHARGER, ONE_PHASE_CARS, elements_of
from gridimpact.study.power_flow import resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.run import run_study
from gridimpact.study.voltage_step_report import bounds
from tests.network.nets import feeder
from tests.study import case
from tests.study.test_three_phase import mixed_spec, one_phase_study

CAR = {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0, "p_discharge_max_kw": 10.0}
NIGHT = ("2016-04-15 01:00", "2016-04-15 09:00", 30.0)
LAST = "Home 3"


@lru_cache(maxsize=4)
def solved(limit: float | None, both_ways: bool):
    """An 11 kW car at the end of a cable of three homes, each drawing 1 kW all day."""
    net = case.three_homes()
    fleet = case.fleet_of([("a", *NIGHT)], {"a": CAR}, p_discharge_max_kw=10.0)
    placed = gi.place(fleet, net, at={"c_a": LAST})
    chosen = [gi.v2g.PeakShaving(enrolled=1.0)] if both_ways else []
    study = gi.Study(
        net, case.constant(net), placed, strategies=["uncontrolled", *chosen],
        limits={"step_change_pu": limit},
    )  # fmt: skip
    return study.run("all", progress=False)


def by_pandapower(result, from_kw, to_kw):
    """Return the step at the last home [%] with all homes at what the study stored."""
    net = copy.deepcopy(result.record.network.net)
    net.load = net.load.iloc[:0]
    data = result.dataset
    worst = int(np.nanargmin(data["vm_pu"].sel(strategy="uncontrolled").min("bus").to_numpy()))
    for k, bus in enumerate(result.record.network.sites["bus"]):
        p, q = (float(data[name].to_numpy()[worst, k]) for name in ("load_p_kw", "load_q_kvar"))
        pp.create_load(net, bus, p_mw=p / 1e3, q_mvar=q / 1e3)
    own = result.record.network.sites["bus"].loc[LAST]
    voltage = []
    for power in (from_kw, to_kw):
        there = copy.deepcopy(net)
        q_kvar = abs(power) * np.tan(np.arccos(0.99))
        pp.create_load(there, own, p_mw=power / 1e3, q_mvar=q_kvar / 1e3)
        pp.runpp(there, tolerance_mva=1e-10, numba=False)
        voltage.append(there.res_bus.vm_pu.at[own])
    return 100.0 * abs(voltage[0] - voltage[1])


def by_hand(result, power_kw):
    """Return R dP + X dQ over U^2 from the source, which is stiff, to the last home [%]."""
    net = result.record.network.net
    trafo, length = net.trafo.iloc[0], net.line["length_km"]
    q_kvar = power_kw * np.tan(np.arccos(0.99))
    reactance = np.sqrt(trafo.vk_percent**2 - trafo.vkr_percent**2)
    station = (power_kw * trafo.vkr_percent + q_kvar * reactance) / (1e3 * trafo.sn_mva)
    r, x = ((net.line[name] * length).sum() for name in ("r_ohm_per_km", "x_ohm_per_km"))
    return station + 100.0 * (power_kw * r + q_kvar * x) / (1e3 * 0.4**2)


def verdict(result, row="uncontrolled", subject="voltage_step"):
    return result.record.assessments[row].tables["verdicts"].set_index("subject").loc[subject]


def test_the_step_is_that_of_pandapower_with_the_charger_off_and_on():
    result = solved(None, both_ways=False)
    told = result.record.assessments["uncontrolled"]
    expected = by_pandapower(result, 0.0, 11.0)
    assert told.summary["voltage_step_max_percent"] == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(by_hand(result, 11.0), rel=0.05)
    buses = told.tables["buses"].set_index("bus")["voltage_step_percent"]
    assert np.nanmax(buses) == told.summary["voltage_step_max_percent"]
    assert buses.notna().sum() == 1


def test_a_car_that_may_feed_steps_from_full_feed_to_full_draw():
    result = solved(0.002, both_ways=True)
    swing = result.record.assessments["v2g_peak_shaving"]
    assert swing.summary["voltage_step_max_percent"] == pytest.approx(
        by_pandapower(result, -10.0, 11.0), abs=1e-6
    )
    event = swing.violations.set_index("kind").loc["voltage_step"]
    assert event["caused_by"] == "a -10.0 to 11.0 kW"
    only = result.record.assessments["uncontrolled"].violations.set_index("kind")
    assert only.loc["voltage_step", "caused_by"] == "a 11.0 kW"


def test_a_step_over_the_limit_is_a_violation_the_cars_cause():
    result = solved(0.002, both_ways=True)
    told = result.record.assessments["uncontrolled"]
    event = told.violations.set_index("kind").loc["voltage_step"]
    assert (event["limit"], event["origin"], event["duration_h"]) == (0.2, "ev_caused", 1.0)
    assert event["worst"] == told.summary["voltage_step_max_percent"]
    assert verdict(result)["verdict"] == "fail"
    assert told.summary["violations_ev_caused"] == len(told.violations) == 1
    basis = told.tables["basis"].set_index("figure").loc["voltage_step_max_percent"]
    assert (basis["steps_known"], basis["words"]) == (1, "all 1 switches")


def test_without_a_limit_or_a_charger_nothing_is_judged():
    told = verdict(solved(None, both_ways=False))
    assert told["verdict"] == "not assessed"
    assert "no limit" in told["reason"]
    base = verdict(solved(0.002, both_ways=True), "no_ev")
    assert (base["verdict"], base["reason"]) == (
        "not assessed",
        "no charger switches in this case",
    )
    bare = solved(0.002, both_ways=True).record.assessments["no_ev"]
    assert bare.summary["voltage_step_max_percent"] is None


def test_a_step_within_the_limit_passes():
    result = solved(0.05, both_ways=False)
    assert verdict(result)["verdict"] == "pass"
    assert "voltage_step" not in set(result.record.assessments["uncontrolled"].violations["kind"])


@lru_cache(maxsize=2)
def on_one_phase(power_flow: str):
    net = open_network(feeder(3))
    study = one_phase_study(
        net, limits="vde_ar_n_4100", power_flow=power_flow, zero_sequence="assume"
    )
    return study.run("all", progress=False)


def test_one_phase_alone_steps_several_times_as_far():
    three = on_one_phase("three_phase").record.assessments["uncontrolled"]
    one = on_one_phase("balanced").record.assessments["uncontrolled"]
    ratio = three.summary["voltage_step_max_percent"] / one.summary["voltage_step_max_percent"]
    # Three times the current of a phase, and a return path of the neutral beside.
    assert 3.0 < ratio < 12.0


def test_a_balanced_flow_never_passes_a_charger_of_one_phase():
    told = verdict(on_one_phase("balanced"))
    assert told["verdict"] == "not assessed"
    assert "fewer than three phases" in told["reason"]


def test_a_charger_of_7_4_kw_on_one_phase_breaks_4_6_kva():
    told = on_one_phase("three_phase").record.assessments["uncontrolled"]
    site = told.tables["sites"].set_index("site_id").loc["Home 2"]
    # The home's own kilowatt is on all three phases alike.
    assert site["asymmetry_max_kva"] == pytest.approx(7.4 / 0.99, rel=1e-9)
    assert verdict(on_one_phase("three_phase"), subject="asymmetry")["verdict"] == "fail"
    event = told.violations.set_index("kind").loc["asymmetry"]
    assert (event["name"], event["origin"]) == ("Home 2", "ev_caused")
    others = told.tables["sites"].set_index("site_id")["asymmetry_max_kva"].drop("Home 2")
    assert np.allclose(others, 0.0, atol=1e-9)


def meter_of(spec):
    request = build_requests(spec, case.whole(spec))
    return PhaseMeter(spec, request, with_cars=True), elements_of(spec, with_cars=True)


def test_a_phase_that_feeds_beside_one_that_draws_adds_up():
    spec = resolved(one_phase_study(open_network(feeder(3)), zero_sequence="assume").spec)
    meter, elements = meter_of(spec)
    count = len(elements.kind)
    p = np.zeros((1, 1, count))
    charger = elements.places(CHARGER)[0]
    p[0, 0, charger] = -3.0
    given = Injections(
        timeline=case.DAY.part(0, 1), bus=np.zeros(count, dtype=np.int64), p_kw=p,
        q_kvar=np.zeros_like(p), phase_share=phase_shares(list(elements.phases)),
        zip_p=np.zeros((count, 2)), zip_q=np.zeros((count, 2)),
    )  # fmt: skip
    assert meter(given)[0, 0].tolist() == [0.0, 3.0, 0.0]
    share = given.phase_share.copy()
    share[1] = [1.0, 0.0, 0.0]
    p[0, 0, 1] = 4.0
    both = dataclasses.replace(given, phase_share=share)
    assert meter(both)[0, 0].tolist() == [0.0, 7.0, 0.0]
    delta = np.zeros(count, dtype=np.int64)
    delta[charger] = 1
    assert np.isnan(meter(dataclasses.replace(both, connection=delta))[0, 0, 1])


def test_a_car_of_one_phase_at_a_shared_charger_switches_on_its_own_phase():
    # A third of 11 kW on one phase loads it as 11 kW on three do, and the neutral beside.
    spec = mixed_spec()
    found = run_study(spec, days="all", progress=False).assessments["uncontrolled"]
    only = dataclasses.replace(
        spec, fleet=dataclasses.replace(spec.fleet, sessions=spec.fleet.sessions.iloc[1:])
    )
    three = run_study(only, days="all", progress=False).assessments["uncontrolled"]
    assert elements_of(spec, with_cars=True).places(ONE_PHASE_CARS).size == 1
    assert elements_of(only, with_cars=True).places(ONE_PHASE_CARS).size == 0
    steps = [each.summary["voltage_step_max_percent"] for each in (three, found)]
    assert 1.5 * steps[0] < steps[1]


def test_profiles_of_the_uk_and_of_america_judge_the_step_by_level():
    assert limit_profile("uk_esqcr").step_change_pu == 0.03
    grid = case.three_homes().grid
    bound = bounds(limit_profile("ieee_1547"), grid)
    low = np.asarray(grid.bus_vn_kv) <= 1.0
    assert set(bound[low]) == {0.05}
    assert set(bound[~low]) == {0.03}
    assert np.isinf(bounds(limit_profile("eu_lv_planning"), grid)).all()


@pytest.mark.slow
def test_a_slow_engine_switches_where_the_voltage_is_lowest(monkeypatch):
    net = feeder(3)
    pp.create_gen(net, net.line["to_bus"].iloc[0], p_mw=0.001, vm_pu=1.0)
    held = open_network(net)
    assert held.grid.beyond_batched
    sessions = [("a", *NIGHT), ("b", *NIGHT)]
    fleet = case.fleet_of(sessions, {"a": CAR, "b": CAR})
    placed = gi.place(fleet, held, at={"c_a": "Home 2", "c_b": LAST})
    day = gi.Timeline.days("2016-04-15", 1, step="12h", zone="UTC")
    monkeypatch.setattr(voltage_step, "SLOW_CONNECTIONS", 1)
    study = gi.Study(held, case.constant(held, day), placed, strategies=["uncontrolled"],
                     limits="uk_esqcr")  # fmt: skip
    told = study.run("all", progress=False).record.assessments["uncontrolled"]
    steps = told.tables["buses"].set_index("name")["voltage_step_percent"].dropna()
    assert steps.index.tolist() == ["node 2"]
    reason = told.tables["verdicts"].set_index("subject").loc["voltage_step"]
    assert "the 1 of 2 connections of the lowest voltage" in reason["reason"]
    assert reason["verdict"] == "not assessed"
