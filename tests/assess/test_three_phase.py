"""Three phase-to-neutral voltages are judged one by one; the worst phase speaks for its bus."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from gridimpact.assess import Assessor, SegmentResult, assess, limit_profile
from gridimpact.records import FlowResult
from tests.assess.case import context, flow, segment, sites, timeline

WEEK = 7 * 96


def phases(steps=96, *, unbalance=None, nema=None, **changes):
    """A quiet three-phase flow of the street; keyword arguments replace arrays."""
    arrays = {
        "vm_pu": np.ones((1, steps, 5, 3)),
        "unbalance_percent": np.full((1, steps, 5), 0.5) if unbalance is None else unbalance,
        "transformer_phase_loading_percent": np.full((1, steps, 1, 3), 40.0),
        "line_i_ka": np.full((1, steps, 3, 4), 0.05),
    } | changes
    if nema is not None:
        arrays["unbalance_nema_percent"] = nema
    return dataclasses.replace(flow(steps), phases=3, **arrays)


def solved(found: FlowResult, **more) -> SegmentResult:
    return SegmentResult(timeline(found.status.shape[1]), found, **more)


def verdict(result, subject):
    return result.tables["verdicts"].set_index("subject").loc[subject]


def low_on_phase_b(steps=96, value=0.93, where=slice(40, 44)):
    vm = np.ones((1, steps, 5, 3))
    vm[0, where, 3, 1] = value
    return phases(steps, vm_pu=vm)


def test_the_worst_phase_counts_and_is_named():
    result = assess(context(sites=sites("a")), solved(low_on_phase_b()), "x")
    assert result.summary["vm_min_pu"] == 0.93
    event = result.violations.iloc[0]
    assert (event["kind"], event["name"], event["phase"]) == ("voltage_low", "A2", "b")
    assert event["limit"] == pytest.approx(0.95)
    bus = result.tables["buses"].set_index("name").loc["A2"]
    assert (bus["vm_min_phase"], bus["hours_outside"]) == ("b", 1.0)
    worst = result.tables["worst"].set_index("metric").loc["vm_min_pu"]
    assert (worst["name"], worst["phase"]) == ("A2", "b")
    assert verdict(result, "voltage")["verdict"] == "fail"


def test_single_phase_customers_may_pass_where_each_phase_was_solved():
    result = assess(context(sites=sites("a")), solved(phases(WEEK)), "x")
    assert verdict(result, "voltage")["verdict"] == "pass"
    assert verdict(result, "en_50160")["verdict"] == "pass"
    assert set(result.tables["buses"]["en_50160"]) == {"pass"}


def test_a_phase_is_measured_from_the_same_phase_of_its_busbar():
    vm = np.ones((1, 8, 5, 3))
    vm[0, :, 1, 1] = 0.97
    vm[0, :, 2:, 1] = 0.925  # 4.5 % under its own phase of the busbar: kept
    vm[0, 3, 4, 2] = 0.945  # 5.5 % under phase c of the busbar
    result = assess(context(), solved(phases(8, vm_pu=vm)), "x")
    assert result.violations[["name", "phase"]].values.tolist() == [["B1", "c"]]
    assert result.violations["limit"].iloc[0] == pytest.approx(0.95)


def test_equal_phases_are_judged_as_the_balanced_flow_is():
    rng = np.random.default_rng(4)
    one = 1.0 + 0.05 * rng.standard_normal((1, WEEK + 96, 5))
    balanced = assess(context(), segment(WEEK + 96, flow_changes={"vm_pu": one}), "x")
    three = assess(context(), solved(phases(WEEK + 96, vm_pu=np.repeat(one[..., None], 3, 3))), "x")
    for name in ("vm_min_pu", "vm_max_pu", "voltage_hours_outside", "voltage_buses_outside"):
        assert three.summary[name] == balanced.summary[name]
    columns = ["kind", "element", "start", "end", "worst", "limit"]
    pd.testing.assert_frame_equal(three.violations[columns], balanced.violations[columns])
    shares = [each.tables["buses"]["week_share_min"] for each in (balanced, three)]
    pd.testing.assert_series_equal(*shares)


def test_en_50160_asks_each_phase_by_itself():
    vm = np.ones((1, WEEK, 5, 3))
    for k in range(3):  # 4 % of the week low on each phase in turn: no phase misses its share
        vm[0, 100 * k : 100 * k + int(0.04 * WEEK), 3, k] = 0.89
    kept = assess(context(), solved(phases(WEEK, vm_pu=vm)), "x")
    assert verdict(kept, "en_50160")["verdict"] == "pass"
    assert kept.tables["buses"]["week_share_min"][3] == pytest.approx(1 - 26 / WEEK)
    vm[0, : int(0.06 * WEEK), 3, 2] = 0.89
    broken = assess(context(), solved(phases(WEEK, vm_pu=vm)), "x")
    assert verdict(broken, "en_50160")["verdict"] == "fail"


def test_a_phase_that_is_not_there_says_nothing():
    vm = np.ones((1, WEEK, 5, 3))
    vm[0, :, 4, 1:] = np.nan
    vm[0, 7, 4, 0] = 0.96
    result = assess(context(), solved(phases(WEEK, vm_pu=vm)), "x")
    row = result.tables["buses"].set_index("name").loc["B1"]
    assert (row["vm_min_pu"], row["vm_min_phase"], row["hours_known"]) == (0.96, "a", 168.0)
    assert row["en_50160"] == "pass"


@pytest.mark.parametrize(("share", "expected"), [(0.04, "pass"), (0.06, "fail")])
def test_unbalance_may_pass_two_percent_in_five_percent_of_a_week(share, expected):
    vuf = np.full((1, WEEK, 5), 1.0)
    vuf[0, : int(share * WEEK), 3] = 2.6
    result = assess(context(), solved(phases(WEEK, unbalance=vuf)), "x")
    found = verdict(result, "unbalance")
    assert found["verdict"] == expected
    assert "highest 2.60 %" in found["reason"]
    assert result.summary["unbalance_max_percent"] == 2.6
    events = result.violations[result.violations["kind"] == "unbalance_week"]
    assert len(events) == (expected == "fail")


def test_less_than_a_week_leaves_unbalance_open_but_tells_the_highest_once():
    result = assess(context(), solved(phases(96)), "x")
    found = verdict(result, "unbalance")
    assert found["verdict"] == "not assessed"
    assert "no whole week" in found["reason"]
    assert "highest" not in found["reason"]
    worst = result.tables["worst"].set_index("metric").loc["unbalance_max_percent"]
    assert worst["value"] == result.summary["unbalance_max_percent"] == 0.5


def test_ansi_asks_the_nema_number_at_every_step():
    nema = np.full((1, 96, 5), 1.0)
    nema[0, 10, 2] = 3.2
    limits = limit_profile("ansi_c84_1")
    result = assess(context(limits=limits), solved(phases(nema=nema)), "x")
    assert verdict(result, "unbalance")["verdict"] == "fail"
    event = result.violations.set_index("kind").loc["unbalance"]
    assert (event["name"], event["worst"], event["limit"]) == ("A1", 3.2, 3.0)
    quiet = assess(context(limits=limits), solved(phases(nema=np.full((1, 96, 5), 2.9))), "x")
    assert verdict(quiet, "unbalance")["verdict"] == "pass"


def test_the_loaded_phase_and_the_neutral_current_are_told():
    current = np.full((1, 96, 3, 4), 0.05)
    current[0, 20, 1] = [0.1, 0.2, 0.05, 0.13]
    line = np.full((1, 96, 3), 25.0)
    line[0, 20, 1] = 120.0
    heavy = np.full((1, 96, 1, 3), 40.0)
    heavy[0, :, 0, 2] = 60.0
    found = phases(
        line_i_ka=current, line_loading_percent=line, transformer_phase_loading_percent=heavy
    )
    result = assess(context(), solved(found), "x")
    assert result.summary["neutral_current_max_a"] == pytest.approx(130.0)
    worst = result.tables["worst"].set_index("metric").loc["neutral_current_max_a"]
    assert (worst["name"], worst["value"]) == ("L2", pytest.approx(130.0))
    row = result.tables["lines"].set_index("name").loc["L2"]
    assert (row["loading_max_phase"], row["neutral_max_a"]) == ("b", pytest.approx(130.0))
    event = result.violations.set_index("kind").loc["line_loading"]
    assert (event["name"], event["phase"]) == ("L2", "b")
    assert result.tables["transformers"]["loading_max_phase"].tolist() == ["c"]


@pytest.mark.parametrize("cuts", [(1,), (7, 50), (95,)])
def test_a_segment_solved_in_parts_is_judged_as_a_whole(cuts):
    rng = np.random.default_rng(11)
    vm = 1.0 + 0.05 * rng.standard_normal((1, 96, 5, 3))
    found = phases(vm_pu=vm, unbalance=rng.random((1, 96, 5)))
    heat = {
        "top_oil_c": rng.uniform(40, 60, (1, 96, 1)),
        "hot_spot_c": rng.uniform(90, 130, (1, 96, 1)),
        "ageing_rate": rng.random((1, 96, 1)),
    }
    whole = assess(context(), solved(found, **heat), "x")
    assessor = Assessor.start(context())
    assessor.begin(SegmentResult(timeline(96)))
    edges = [0, *cuts, 96]
    for first, last in itertools.pairwise(edges):
        part = {
            n: getattr(found, n)[:, first:last]
            for n in (
                "vm_pu", "line_loading_percent", "transformer_loading_percent", "transformer_p_kw",
                "transformer_q_kvar", "losses_kw", "status", "residual_kva", "unbalance_percent",
                "transformer_phase_loading_percent", "line_i_ka",
            )
        }  # fmt: skip
        assessor.take(first, dataclasses.replace(found, **part))
    assessor.end(heat)
    parts = assessor.finish("x")
    assert dict(parts.summary) == dict(whole.summary)
    pd.testing.assert_frame_equal(parts.violations, whole.violations, check_exact=True)
    for name, table in whole.tables.items():
        pd.testing.assert_frame_equal(parts.tables[name], table, check_exact=True)


def test_unbalance_limits_are_checked_like_the_others():
    own = limit_profile({"unbalance_percent": 1.3, "unbalance_share": None})
    vuf = np.full((1, 96, 5), 1.0)
    vuf[0, 5, 2] = 1.4
    result = assess(context(limits=own), solved(phases(unbalance=vuf)), "x")
    assert result.violations["kind"].tolist() == ["unbalance"]
    with pytest.raises(ValueError, match="unbalance_percent"):
        limit_profile({"unbalance_percent": 0.0})
