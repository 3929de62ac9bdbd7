"""Scenarios judged together get the verdicts a study gives each of them alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridimpact as gi
from gridimpact.assess import AssessContext, assess
from gridimpact.conventions import Status
from gridimpact.errors import InputError
from gridimpact.hosting.judge import Beyond, Judge, Service, rows_of
from gridimpact.records import LIMIT_BIT, LIMIT_KINDS
from tests.hosting.judge_case import (
    SETTINGS,
    Case,
    flow_part,
    judged_alone,
    masks_alone,
    middle_week,
    read,
    solved,
    spec_with,
)

OWN = (
    ("vm_min_pu", 0.95), ("vm_max_pu", 1.05), ("mv_min_pu", 1.0), ("drop_pu", 0.04),
    ("line_mean_percent", 60.0), ("line_loading_percent", 80.0), ("fuse_percent", 100.0),
    ("transformer_mean_percent", 40.0), ("transformer_loading_percent", 60.0),
    ("hot_spot_c", 110.0),
)  # fmt: skip
WEEKLY = (
    ("base", "en_50160"), ("week_min_pu", 0.95), ("week_max_pu", 1.03), ("week_share", 0.9),
    ("mv_min_pu", None), ("mv_max_pu", None),
)  # fmt: skip
HARSH = (
    ("base", "vde_ar_n_4100"), ("unbalance_percent", 0.8), ("unbalance_share", None),
    ("drop_pu", 0.05),
)  # fmt: skip
BY_WEEKS = (
    ("unbalance_percent", 0.8),
    ("week_min_pu", 0.95),
    ("week_max_pu", 1.05),
    ("week_share", 0.95),
)


def base_of(case):
    return read(case, scenarios=slice(0, 1))


def masks(case, readings=None, **changes):
    readings = read(case) if readings is None else readings
    asked = dataclasses.replace(SETTINGS, **changes)
    rows, feeders = rows_of(readings, base_of(case), Service.none(readings.scenarios), asked)
    return rows, feeders


@pytest.mark.parametrize(
    ("limits", "power_flow"),
    [
        ("eu_lv_planning", "balanced"),
        ("en_50160", "balanced"),
        ("ansi_c84_1", "balanced"),
        (OWN, "balanced"),
        (WEEKLY, "balanced"),
        (HARSH, "three_phase"),
        (BY_WEEKS, "three_phase"),
    ],
    ids=["eu", "en", "ansi", "means", "weekly", "phases", "phase_weeks"],
)
def test_every_scenario_has_the_verdict_a_study_gives_it_alone(limits, power_flow):
    case = solved(limits, power_flow)
    caused, there, alone = judged_alone(limits, power_flow)
    rows, _ = masks(case)
    assert rows["broken"].tolist() == caused
    assert rows["broken_any"].tolist() == there
    assert rows["broken"][0] == rows["broken"][1] == 0
    for row, one in zip(rows, alone, strict=True):
        for ours, theirs in (
            ("vm_min_pu", "vm_min_pu"),
            ("vm_max_pu", "vm_max_pu"),
            ("line_percent", "line_loading_max_percent"),
            ("transformer_percent", "transformer_loading_max_percent"),
            ("hot_spot_c", "hot_spot_max_c"),
            ("ageing_equivalent", "ageing_equivalent"),
            ("unbalance_percent", "unbalance_max_percent"),
        ):
            told = one.summary[theirs]
            assert row[ours] == told or np.isnan(row[ours])
            assert (told is None) <= np.isnan(row[ours])
        assert np.isnan(row["ageing_equivalent"])
        asked = case.spec.limits.fuse_percent is not None
        assert np.isnan(row["fuse_percent"]) != asked
        assert np.isnan(row["unbalance_percent"]) == (power_flow == "balanced")
        assert row["line_percent"] > 0.0
        assert row["hot_spot_c"] > 60.0


def test_the_cases_hold_what_was_there_before_and_what_cars_add():
    broken, new = 0, 0
    for limits, flow in (("eu_lv_planning", "balanced"), (OWN, "balanced"), (HARSH, "three_phase")):
        rows, _ = masks(solved(limits, flow))
        assert rows["broken_any"][1] > 0
        assert rows["broken"][1] == rows["broken"][2] == 0
        broken |= int(rows["broken_any"][1])
        new |= int(np.bitwise_or.reduce(rows["broken"]))
    asked = (
        "voltage",
        "line_loading",
        "transformer_loading",
        "hot_spot",
        "connection",
        "unbalance",
    )
    for kind in asked:
        assert new & LIMIT_BIT[kind], kind
    assert broken & LIMIT_BIT["voltage"]


def test_depth_and_hours_are_those_of_the_events_of_a_study():
    for limits, flow in ((OWN, "balanced"), (WEEKLY, "balanced"), (HARSH, "three_phase")):
        case = solved(limits, flow)
        readings, alone = read(case), judged_alone(limits, flow)[2]
        grid = case.spec.network.grid
        axes = {"bus": grid.bus_index, "line": grid.line_index}
        compared = 0
        for k, one in enumerate(alone):
            table = one.violations
            for name, part in readings.beyond.items():
                own = table[table["kind"] == name]
                assert own["element"].nunique() == part.violated[k].sum(), name
                for element, events in own.groupby("element"):
                    index = axes.get({"v": "bus", "l": "line", "u": "bus"}.get(name[0], ""))
                    at = int(element) if index is None else int(np.flatnonzero(index == element)[0])
                    depth = (events["worst"].astype(float) - events["limit"].astype(float)).abs()
                    assert part.depth[k, at] == pytest.approx(depth.max(), abs=1e-12)
                    hours = events["duration_h"].astype(float).sum()
                    assert part.hours[k, at] == pytest.approx(hours)
                    compared += 1
        assert compared > 8


def test_the_rule_on_what_was_there_before_orders_the_masks():
    case = solved("eu_lv_planning")
    by_rule = {
        rule: masks(case, preexisting=rule)[0]["broken"] for rule in ("ignore", "worse", "count")
    }
    assert not np.any(by_rule["ignore"] & ~by_rule["worse"])
    assert not np.any(by_rule["worse"] & ~by_rule["count"])
    assert by_rule["count"][0] > 0
    assert by_rule["worse"][0] == 0


def test_only_limits_asked_for_count_but_all_are_told():
    case = solved(OWN)
    rows, feeders = masks(case, limits=("hot_spot",), preexisting="count")
    assert set(rows["broken"].tolist()) <= {0, LIMIT_BIT["hot_spot"]}
    assert set(np.unique(feeders["broken"]).tolist()) <= {0, LIMIT_BIT["hot_spot"]}
    assert rows["broken_any"][4] & LIMIT_BIT["voltage"]


@given(st.lists(st.integers(1, 215), max_size=6, unique=True), st.integers(1, 5))
@settings(max_examples=8, derandomize=True, deadline=None)
def test_neither_parts_of_time_nor_the_batch_change_a_bit(cuts, split):
    for limits, flow in ((OWN, "balanced"), (BY_WEEKS, "three_phase")):
        case = solved(limits, flow)
        whole = masks(case)
        base, service = base_of(case), Service.none(6)
        parts = [read(case, cuts, slice(0, split)), read(case, cuts, slice(split, 6))]
        found = [rows_of(part, base, Service.none(part.scenarios), SETTINGS) for part in parts]
        for k in range(2):
            joined = np.concatenate([each[k] for each in found])
            assert joined.tobytes() == whole[k].tobytes()
        assert len(service.fed_kwh) == len(whole[0])


def test_scenarios_may_come_one_slice_at_a_time():
    case = solved(OWN)
    tally = Judge(case.spec, SETTINGS, object()).start(6)
    tally.begin(0, case.segment, case.site_p_kw)
    for part in (slice(0, 4), slice(4, 6)):
        for time in (slice(0, 100), slice(100, 216)):
            flow = flow_part(case.flow, part, time)
            tally.take(
                time.start, flow, scenario=part, site_asymmetry_kva=case.asymmetry[part, time]
            )
    tally.end(case.heat)
    rows, _ = masks(case, tally.finish())
    assert rows.tobytes() == masks(case)[0].tobytes()


def spoiled(case: Case, seed: int) -> Case:
    """Return a case with failed lanes, some of them many on end."""
    rng = np.random.default_rng(seed)
    status = case.flow.status.copy()
    status[2:, :] = np.where(rng.random(status[2:].shape) < 0.15, Status.NOT_CONVERGED, status[2:])
    status[3, 60:75] = Status.IMPLAUSIBLE
    status[0, 50] = Status.NOT_CONVERGED
    failed = status != Status.OK
    changes = {"status": status}
    for field in dataclasses.fields(case.flow):
        values = getattr(case.flow, field.name)
        if isinstance(values, np.ndarray) and field.name != "status" and values.size:
            values = values.copy()
            values[failed] = np.nan
            changes[field.name] = values
    return dataclasses.replace(case, flow=dataclasses.replace(case.flow, **changes))


@pytest.mark.parametrize(("limits", "power_flow"), [(OWN, "balanced"), (BY_WEEKS, "three_phase")])
def test_failed_lanes_are_violations_and_leave_the_rest_as_a_study_sees_it(limits, power_flow):
    case = spoiled(solved(limits, power_flow), 3)
    caused, there, _ = masks_alone(case)
    whole, cut = read(case), read(case, (61, 64, 120))
    rows, _ = masks(case, whole)
    assert rows["broken"].tolist() == caused
    assert rows["broken_any"].tolist() == there
    assert (rows["failed_lanes"] > 0).tolist() == [True, False, True, True, True, True]
    assert rows["broken"][3] & LIMIT_BIT["power_flow"]
    assert not rows["broken"][0] & LIMIT_BIT["power_flow"]
    assert masks(case, cut)[0].tobytes() == rows.tobytes()


def test_nothing_that_failed_passes():
    case = solved("eu_lv_planning")
    status = np.full_like(case.flow.status, Status.NOT_CONVERGED)
    status[0] = Status.OK
    flow = dataclasses.replace(case.flow, status=status)
    rows, _ = masks(dataclasses.replace(case, flow=flow, heat={}))
    assert (rows["broken"][1:] & LIMIT_BIT["power_flow"]).all()
    assert np.isnan(rows["voltage_margin_pu"][1:]).all()
    assert np.isnan(rows["line_percent"][1:]).all()
    assert (rows["voltage_bus"][1:] == -1).all()


@pytest.mark.parametrize("rule", ["worse", "ignore", "count"])
def test_one_step_more_without_a_solution_counts_in_every_feeder_whatever_is_asked(rule):
    case = solved("eu_lv_planning")
    status = case.flow.status.copy()
    status[:, 50] = status[4, 51] = Status.NOT_CONVERGED
    case = dataclasses.replace(case, flow=dataclasses.replace(case.flow, status=status))
    rows, feeders = masks(case, preexisting=rule, limits=("hot_spot",))
    bit = LIMIT_BIT["power_flow"]
    failed = [rule == "count"] * 4 + [True, rule == "count"]
    assert ((rows["broken"] & bit) > 0).tolist() == failed
    assert ((feeders["broken"] & bit) > 0).all(axis=1).tolist() == failed
    assert ((feeders["broken"] & bit) > 0).any(axis=1).tolist() == failed


def test_demand_left_without_supply_fails_the_power_flow_as_in_a_study():
    case = solved("eu_lv_planning")
    status = case.flow.status.copy()
    status[4, 30:33] = Status.UNSUPPLIED
    case = dataclasses.replace(case, flow=dataclasses.replace(case.flow, status=status))
    rows, _ = masks(case)
    assert rows["broken"][4] & LIMIT_BIT["power_flow"]
    assert rows["failed_lanes"][4] == 0
    context = AssessContext(case.spec.network.grid, case.spec.network.sites, case.spec.limits)
    verdicts = assess(context, case.one(4), "x").tables["verdicts"].set_index("subject")["verdict"]
    assert verdicts["power_flow"] == "fail"


def test_the_margin_is_the_least_distance_to_the_bound_of_the_step():
    case = solved(OWN)
    rows, feeders = masks(case)
    grid, limits = case.spec.network.grid, case.spec.limits
    volts = case.flow.vm_pu[:, case.segment.counted]
    low = np.maximum(limits.vm_min_pu, volts[:, :, [1]] - limits.drop_pu)
    inside = np.minimum(volts - low, limits.vm_max_pu - volts).min(axis=1)
    inside[:, 0] = (volts[:, :, 0] - limits.mv_min_pu).min(axis=1)
    assert rows["voltage_margin_pu"] == pytest.approx(inside.min(axis=1), abs=1e-15)
    assert rows["voltage_bus"].tolist() == inside.argmin(axis=1).tolist()
    for k, number in enumerate((0, 1, 2)):
        own = grid.bus_feeder == number
        assert feeders["feeder"][0, k] == number
        told = feeders["voltage_margin_pu"][:, k]
        assert told == pytest.approx(inside[:, own].min(axis=1), rel=1e-6)


def test_a_weekly_margin_is_negative_exactly_where_the_week_is_broken():
    case = solved(WEEKLY)
    readings = read(case)
    limits, volts = case.spec.limits, case.flow.vm_pu[:, case.segment.counted]
    away = np.sort(np.minimum(volts - limits.week_min_pu, limits.week_max_pu - volts), axis=1)
    allowed = int(away.shape[1] * (1.0 - limits.week_share) + 1e-9)
    hard = np.minimum(volts - limits.vm_min_pu, limits.vm_max_pu - volts).min(axis=1)
    expected = np.minimum(away[:, allowed], hard)
    lv = case.spec.network.grid.bus_vn_kv < 1.0
    assert readings.margin_pu[:, lv] == pytest.approx(expected[:, lv], abs=1e-15)
    broken = readings.beyond["voltage_week"].violated | readings.beyond["voltage_low"].violated
    broken |= readings.beyond["voltage_high"].violated
    assert np.array_equal(broken[:, lv], readings.margin_pu[:, lv] < 0.0)
    assert broken.any()
    assert not broken.all()


def test_a_feeder_holds_its_own_violations_and_the_station_those_of_the_transformer():
    case = solved(OWN)
    readings = read(case)
    rows, feeders = masks(case, preexisting="count")
    grid = case.spec.network.grid
    for bit, name, owner in (
        ("line_loading", "line_loading", grid.bus_feeder[grid.line_to]),
        ("voltage", "voltage_low", grid.bus_feeder),
    ):
        for k, number in enumerate(feeders["feeder"][0]):
            there = readings.beyond[name].violated[:, owner == number].any(axis=1)
            if name == "line_loading":
                there |= (
                    readings.beyond["line_loading_mean"].violated[:, owner == number].any(axis=1)
                )
            else:
                there |= readings.beyond["voltage_high"].violated[:, owner == number].any(axis=1)
            assert np.array_equal((feeders["broken"][:, k] & LIMIT_BIT[bit]) > 0, there)
    heat = LIMIT_BIT["hot_spot"] | LIMIT_BIT["transformer_loading"]
    assert not (feeders["broken"][:, 1:] & heat).any()
    assert np.array_equal(feeders["broken"][:, 0] & heat, rows["broken"] & heat)


def test_the_element_named_binds_itself_however_much_worse_another_was_before():
    case = solved(OWN)
    readings, base = read(case), base_of(case)
    plain = masks(case)[0]
    worst, before = plain["line"][4], dict(base.beyond)
    for name in ("line_loading", "line_loading_mean"):
        now = readings.beyond[name]
        there = np.arange(now.depth.shape[1]) == worst
        before[name] = Beyond(*(np.where(there, part[[4]], 0.0) for part in (now.depth, now.hours)))
    base = dataclasses.replace(base, beyond=before)
    for rule in ("ignore", "worse"):
        asked = dataclasses.replace(SETTINGS, preexisting=rule)
        row = rows_of(readings, base, Service.none(6), asked)[0][4]
        other = np.argsort(readings.line_percent[4])[::-1]
        other = [k for k in other if readings.beyond["line_loading"].violated[4, k] and k != worst]
        assert row["broken"] & LIMIT_BIT["line_loading"]
        assert row["line"] == other[0]
        assert row["line_percent"] == plain["line_percent"][4] > readings.line_percent[4, other[0]]


def test_power_fed_upward_over_the_rating_is_export():
    case = solved("eu_lv_planning")
    counted = case.flow.transformer_p_kw[:, case.segment.counted, 0]
    upward = np.maximum(-100.0 * counted / 250.0, 0.0).max(axis=1)
    limit = upward[5] - 2.0
    asked = dataclasses.replace(SETTINGS, export_percent=limit)
    readings, base = read(case, settings=asked), read(case, (), slice(0, 1), asked)
    rows, feeders = rows_of(readings, base, Service.none(6), asked)
    assert rows["export_percent"] == pytest.approx(upward)
    assert upward[0] == 0.0
    assert ((rows["broken"] & LIMIT_BIT["export"]) > 0).tolist() == [False] * 5 + [True]
    assert feeders["broken"][5, 0] & LIMIT_BIT["export"]
    assert not (masks(case)[0]["broken_any"] & LIMIT_BIT["export"]).any()


def test_energy_missing_beyond_the_limit_breaks_service_and_no_car_breaks_none():
    case = solved("eu_lv_planning")
    unmet = np.array([np.nan, 0.0, 0.9, 1.0, 1.1, 30.0])
    service = Service(*([unmet] * 5))
    readings, base = read(case), base_of(case)
    rows, feeders = rows_of(readings, base, service, SETTINGS)
    bit = LIMIT_BIT["service"]
    assert ((rows["broken"] & bit) > 0).tolist() == [False] * 4 + [True] * 2
    assert np.array_equal(rows["broken"] & bit, rows["broken_any"] & bit)
    assert not (feeders["broken"] & bit).any()
    assert np.array_equal(rows["unmet_percent"], unmet, equal_nan=True)
    never = dataclasses.replace(SETTINGS, unmet_percent=None)
    assert not (rows_of(readings, base, service, never)[0]["broken_any"] & bit).any()


def test_a_year_of_fast_ageing_is_judged_and_a_week_is_not():
    year = gi.Timeline.year(2016, step="12h", zone="UTC")
    short = solved("eu_lv_planning")
    spec = spec_with("eu_lv_planning", "balanced", year)
    steps = np.arange(year.count) % short.segment.timeline.count
    flow = flow_part(short.flow, slice(None), steps)
    rate = np.ones((6, year.count, 1)) * np.array([0.5, 0.5, 0.9, 1.2, 5.0, 0.1])[:, None, None]
    heat = {"hot_spot_c": 90.0 + rate, "top_oil_c": 70.0 + rate, "ageing_rate": rate}
    case = Case(spec, middle_week(spec), flow, short.site_p_kw[:, steps], heat)
    caused, there, _ = masks_alone(case)
    rows, _ = masks(case)
    assert rows["broken"].tolist() == caused
    assert rows["broken_any"].tolist() == there
    assert rows["ageing_equivalent"] == pytest.approx([0.5, 0.5, 0.9, 1.2, 5.0, 0.1])
    assert ((rows["broken"] & LIMIT_BIT["ageing"]) > 0).tolist() == [False] * 3 + [True] * 2 + [
        False
    ]
    whole = dataclasses.replace(SETTINGS, days="all")
    heated = dataclasses.replace(
        spec, ambient=gi.records.Ambient(year, np.full(year.count, 10.0), source="flat")
    )
    assert "ageing" not in Judge(heated, whole, object()).not_assessed
    one_week = dataclasses.replace(SETTINGS, days="random_week")
    assert "year" in Judge(heated, one_week, object()).not_assessed["ageing"]


def test_what_cannot_pass_is_named_and_a_balanced_flow_may_still_fail_it():
    case = solved("eu_lv_planning")
    sites = case.spec.network.sites.assign(phases="a")
    network = dataclasses.replace(case.spec.network, sites=sites)
    single = dataclasses.replace(case, spec=dataclasses.replace(case.spec, network=network))
    judge = Judge(single.spec, SETTINGS, None)
    found = judge.not_assessed
    assert "fewer than three phases" in found["voltage"]
    assert "fewer than three phases" in found["unbalance"]
    assert "temperatures" in found["hot_spot"]
    assert "1 of 5 lines" in found["line_loading"]
    assert "transformer_loading" not in found
    assert set(found) <= set(LIMIT_KINDS)
    rows, _ = masks(single)
    assert rows["broken"][4] & LIMIT_BIT["voltage"]
    assert rows["voltage_margin_pu"][4] < 0.0
    high = dataclasses.replace(single.flow, vm_pu=np.ones_like(single.flow.vm_pu))
    rows, _ = masks(dataclasses.replace(single, flow=high))
    assert np.isnan(rows["voltage_margin_pu"]).all()
    assert not (rows["broken_any"] & LIMIT_BIT["voltage"]).any()
    assert "voltage" not in Judge(case.spec, SETTINGS, None).not_assessed


def test_parts_out_of_order_or_missing_are_refused():
    case = solved("eu_lv_planning")
    tally = Judge(case.spec, SETTINGS, None).start(6)
    with pytest.raises(InputError, match="no segment is open"):
        tally.take(0, case.flow)
    tally.begin(0, case.segment)
    with pytest.raises(InputError, match="do not follow"):
        tally.take(5, case.flow)
    with pytest.raises(InputError, match="missing"):
        tally.end({})
    with pytest.raises(InputError, match="still open"):
        tally.finish()
    with pytest.raises(InputError, match="one is needed"):
        rows_of(read(case), read(case), Service.none(6), SETTINGS)
    with pytest.raises(InputError, match="preexisting"):
        masks(case, preexisting="some")


def test_a_three_winding_transformer_leads_where_it_carries_more_and_has_no_place():
    case = solved("eu_lv_planning")
    three = np.array([[10.0], [20.0], [np.nan], [999.0], [np.nan], [999.0]])
    readings = dataclasses.replace(read(case), transformer3w_percent=three)
    rows, _ = masks(case, readings)
    plain = masks(case)[0]
    assert rows["transformer"].tolist() == [0, 0, 0, -1, 0, -1]
    assert np.array_equal(rows["transformer_percent"][:3], plain["transformer_percent"][:3])
    assert rows["transformer_percent"][3] == 999.0
