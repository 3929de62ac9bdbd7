import dataclasses

import numpy as np
import pytest

from gridimpact.assess import VoltageReducer, assess, chunks_of, limit_profile
from gridimpact.assess.voltage import busbars
from tests.assess.case import context, segment, street


def with_voltage(steps=96, bus=3, where=slice(0, 0), value=1.0, **more):
    vm = np.ones((1, steps, 5))
    vm[0, where, bus] = value
    return segment(steps, flow_changes={"vm_pu": vm}, **more)


def findings(solved, **changes):
    reducer = VoltageReducer.start(context(**changes))
    for chunk in chunks_of(solved, 0, 40):
        reducer.update(chunk)
    return reducer.finish()


def test_the_lowest_voltage_is_found_with_its_bus_and_first_moment():
    result = assess(context(), with_voltage(where=slice(40, 44), value=0.93), "x")
    assert result.summary["vm_min_pu"] == 0.93
    worst = result.tables["worst"].set_index("metric").loc["vm_min_pu"]
    assert (worst["element"], worst["name"]) == (13, "A2")
    assert worst["time"] == np.datetime64("2016-01-04T10:00")
    assert result.summary["voltage_hours_outside"] == 1.0
    assert result.summary["voltage_buses_outside"] == 1.0


def test_drop_and_rise_are_counted_from_the_busbar_of_the_same_step():
    vm = np.full((1, 8, 5), 0.97)
    vm[0, :, 3] = 0.925  # 4.5 % under the busbar: kept, though 7.5 % under nominal
    vm[0, 4, 3] = 0.915  # 5.5 % under
    vm[0, 6, 4] = 1.005  # 3.5 % over
    result = assess(context(), segment(8, flow_changes={"vm_pu": vm}), "x")
    events = result.violations.set_index("kind")
    assert events.loc["voltage_low", "limit"] == pytest.approx(0.92)
    assert events.loc["voltage_high", "limit"] == pytest.approx(1.0)
    assert events.loc["voltage_high", "element"] == 14
    assert len(events) == 2


def test_a_given_set_point_replaces_the_busbar():
    solved = with_voltage(where=slice(3, 4), value=0.96)
    lifted = assess(context(busbar_vm_pu=np.full(5, 1.03)), solved, "x")
    assert lifted.violations["limit"].tolist() == pytest.approx([0.98])
    assert not len(assess(context(), solved, "x").violations)


def test_a_bus_without_transformer_is_measured_from_its_source():
    grid = street(slack_pu=1.04)
    no_transformer = dataclasses.replace(grid, bus_transformer=np.full(5, -1))
    busbar, fixed = busbars(no_transformer)
    assert busbar.tolist() == [-1] * 5
    assert fixed.tolist() == pytest.approx([1.04] * 5)
    result = assess(context(no_transformer), with_voltage(where=slice(0, 1), value=0.985), "x")
    assert result.violations["limit"].iloc[0] == pytest.approx(0.99)


def test_a_transformer_that_feeds_upward_is_measured_at_its_upper_side():
    grid = street()
    upward = dataclasses.replace(
        grid,
        bus_vn_kv=np.array([0.4, 20, 0.4, 0.4, 0.4]),
        bus_transformer=np.array([0, 0, 0, 0, 0]),
    )
    assert busbars(upward)[0].tolist() == [0, 1, 0, 0, 0]


def test_medium_voltage_buses_are_not_judged_by_low_voltage_limits():
    solved = with_voltage(bus=0, where=slice(0, 96), value=0.9)
    plan = assess(context(), solved, "x")
    assert not len(plan.violations)
    assert any("1 medium-voltage buses are not judged" in note.text for note in plan.notes)
    ansi = assess(context(limits=limit_profile("ansi_c84_1")), solved, "x")
    assert ansi.violations["element"].tolist() == [10]
    assert ansi.violations["limit"].tolist() == [0.975]


def test_a_network_without_judged_buses_gets_no_voltage_verdict():
    high = dataclasses.replace(street(), bus_vn_kv=np.full(5, 20.0))
    result = assess(context(high), segment(4), "x")
    assert result.summary["voltage_hours_outside"] is None
    assert result.summary["vm_min_pu"] == 1.0
    verdict = result.tables["verdicts"].set_index("subject").loc["voltage"]
    assert verdict["verdict"] == "not assessed"
    assert any("has no limits for the voltage levels" in note.text for note in result.notes)


def test_failed_lanes_break_a_run_and_are_left_out():
    status = np.zeros((1, 10), dtype=np.int8)
    status[0, 4] = 1
    vm = np.full((1, 10, 5), 1.0)
    vm[0, 2:8, 3] = 0.9
    vm[0, 4] = np.nan
    result = assess(context(), segment(10, flow_changes={"vm_pu": vm, "status": status}), "x")
    low = result.violations[result.violations["kind"] == "voltage_low"]
    assert low["duration_h"].tolist() == [0.5, 0.75]
    failed = result.violations[result.violations["kind"] == "not_converged"]
    assert failed[["element", "name", "duration_h"]].values.tolist() == [[-1, "network", 0.25]]
    assert (result.summary["lanes"], result.summary["lanes_failed"]) == (10, 1)
    assert result.tables["buses"]["hours_known"].tolist() == [2.25] * 5
    assert any("1 of 10 power flows failed" in note.text for note in result.notes)


def test_unsupplied_buses_are_never_judged():
    vm = np.ones((1, 6, 5))
    vm[:, :, 4] = np.nan
    grid = dataclasses.replace(street(), bus_supplied=np.array([True, True, True, True, False]))
    found = findings(segment(6, flow_changes={"vm_pu": vm}), grid=grid)
    assert found.judged.tolist() == [False, True, True, True, False]
    assert np.isnan(found.vm_min_pu[0, 4])
    assert found.steps_known[0].tolist() == [6, 6, 6, 6, 0]


WEEK = 7 * 96


@pytest.mark.parametrize(("share", "passes"), [(0.04, True), (0.06, False)])
def test_en_50160_asks_for_95_percent_of_every_whole_week(share, passes):
    steps = 2 * WEEK
    bad = slice(WEEK, WEEK + int(share * WEEK))
    solved = with_voltage(steps, where=bad, value=0.88)
    result = assess(context(limits=limit_profile("en_50160")), solved, "x")
    weekly = result.violations[result.violations["kind"] == "voltage_week"]
    assert len(weekly) == (0 if passes else 1)
    assert result.tables["buses"]["week_share_min"][3] == pytest.approx(
        1 - int(share * WEEK) / WEEK
    )
    verdicts = result.tables["verdicts"].set_index("subject")["verdict"]
    assert verdicts["en_50160"] == ("pass" if passes else "fail")
    assert verdicts["voltage"] == ("pass" if passes else "fail")
    if not passes:
        row = weekly.iloc[0]
        assert row["start"] == np.datetime64("2016-01-11")
        assert (row["element"], row["limit"], row["unit"]) == (13, 95.0, "%")
    # Hours outside +-10 % are reported either way.
    assert result.summary["voltage_hours_outside"] == int(share * WEEK) / 4


def test_en_50160_stands_beside_another_profile():
    solved = with_voltage(WEEK, where=slice(0, 1), value=0.84)
    result = assess(context(), solved, "x")
    assert result.tables["buses"]["en_50160"].tolist() == ["pass", "pass", "pass", "fail", "pass"]
    assert result.tables["verdicts"].set_index("subject").loc["en_50160", "verdict"] == "fail"
    assert any("steps of 15 min" in note.text for note in result.notes)


def test_less_than_a_week_is_not_assessed_and_says_why():
    counted = np.arange(WEEK + 50) >= 96
    result = assess(context(), segment(WEEK + 50, counted=counted), "x")
    verdict = result.tables["verdicts"].set_index("subject").loc["en_50160"]
    assert verdict["verdict"] == "not assessed"
    assert verdict["reason"] == "no whole week of counted time without a gap"
    assert result.tables["buses"]["en_50160"].tolist() == ["not assessed"] * 5


def test_minute_steps_are_averaged_over_ten_minutes():
    steps = 7 * 1440 + 5
    vm = np.ones((1, steps, 5))
    vm[0, 0:9, 3] = 0.87  # nine of ten minutes: mean 0.884, one mean outside
    vm[0, 20:22, 3] = 0.87  # two of ten: mean 0.975, inside
    solved = segment(steps, step="1min", flow_changes={"vm_pu": vm})
    weeks = findings(solved).weeks
    assert weeks.known[0, 0, 3] == 1008
    assert weeks.inside[0, 0, 3] == 1007


def test_unsound_minutes_are_left_out_of_their_mean():
    steps = 7 * 1440
    status = np.zeros((1, steps), dtype=np.int8)
    status[0, :15] = 1
    weeks = findings(segment(steps, step="1min", flow_changes={"status": status})).weeks
    assert weeks.known[0, 0, 3] == 1007
    assert np.all(weeks.share == 1.0)


def test_an_own_weekly_band_is_judged_and_leaves_en_50160_open():
    limits = limit_profile(
        {"base": "en_50160", "week_min_pu": 0.95, "week_max_pu": 1.05, "week_share": 0.99}
    )
    solved = with_voltage(WEEK, where=slice(0, 20), value=0.94)
    result = assess(context(limits=limits), solved, "x")
    assert result.violations["kind"].tolist() == ["voltage_week"]
    verdict = result.tables["verdicts"].set_index("subject").loc["en_50160"]
    assert verdict["verdict"] == "not assessed"


def test_empty_reducer_finishes():
    found = VoltageReducer.start(context()).finish()
    assert found.steps_any_outside.tolist() == [0]
    assert found.vm_min_pu.shape == (1, 0)
    assert found.vm_min_time.shape == (1, 0)
