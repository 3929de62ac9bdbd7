import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridimpact.assess import assess, compare_with_base, violations
from gridimpact.assess.violations import COLUMNS
from tests.assess.case import context, dispatch, request, segment, timeline

ROWS = [(0, 0, 0, 96, 0.8), (1, 1, 0, 96, 0.8), (2, 2, 0, 96, 0.8), (3, 3, 0, 96, 0.8)]


def cars(p=None, rows=ROWS, steps=96):
    time = timeline(steps)
    asked = request(time, rows)
    power = np.zeros((steps, len(asked.vehicle_id)))
    if p is not None:
        power[:] = p
    return asked, dispatch(asked, power)


def low_at(spans, bus=3, depth=0.01, steps=96, with_cars=None, base=False, **flow):
    """A bus below its limit of 0.95 by `depth` in some spans of steps."""
    vm = np.ones((1, steps, 5))
    for start, end in spans:
        vm[0, start:end, bus] = 0.95 - depth
    pair = with_cars or cars()
    pair = (pair[0], None) if base else pair
    return segment(steps, flow_changes={"vm_pu": vm} | flow, with_cars=pair)


def judged(solved, base):
    before = assess(context(), base, "no_ev")
    return compare_with_base(assess(context(), solved, "x"), before), before


def test_steps_in_a_row_are_one_event_with_its_worst_value():
    vm = np.ones((1, 96, 5))
    vm[0, 10:14, 3] = [0.94, 0.93, 0.935, 0.945]
    vm[0, 20, 3] = 0.90
    result = assess(context(), segment(96, flow_changes={"vm_pu": vm}), "x")
    table = result.violations
    assert list(table.columns) == COLUMNS
    assert table["worst"].tolist() == [0.93, 0.90]
    assert table["duration_h"].tolist() == [1.0, 0.25]
    assert table["start"].iloc[0] == np.datetime64("2016-01-04T02:30")
    assert table["end"].iloc[0] == np.datetime64("2016-01-04T03:30")
    assert table["unit"].tolist() == ["pu", "pu"]
    assert table["origin"].tolist() == ["preexisting"] * 2
    assert result.summary["violations"] == 2.0


def test_a_violation_that_is_absent_without_cars_is_their_doing():
    result, base = judged(low_at([(10, 14)]), low_at([], base=True))
    assert result.violations["origin"].tolist() == ["ev_caused"]
    assert result.summary["violations_ev_caused"] == 1.0
    assert result.summary["violations_aggravated"] == 0.0
    assert base.summary["violations_ev_caused"] == 0.0


@pytest.mark.parametrize(
    ("depth", "spans", "origin"),
    [
        (0.0105, [(10, 14)], "preexisting"),  # 0.0005 pu deeper
        (0.012, [(10, 14)], "aggravated"),  # 0.002 pu deeper
        (0.010, [(10, 17)], "preexisting"),  # 45 min longer
        (0.010, [(10, 14), (20, 25)], "aggravated"),  # 75 min longer
        (0.0085, [(10, 20)], "aggravated"),  # milder but 90 min longer
    ],
)
def test_worse_by_a_thousandth_or_an_hour_is_aggravated(depth, spans, origin):
    result, _ = judged(low_at(spans, depth=depth), low_at([(10, 14)], base=True))
    assert set(result.violations["origin"]) == {origin}
    assert result.summary["violations_relieved"] == 0.0


@pytest.mark.parametrize(
    ("spans", "depth", "relieved"),
    [
        ([], 0.01, 2.0),
        ([(10, 14), (30, 40)], 0.008, 2.0),
        ([(10, 14)], 0.01, 2.0),
        ([(10, 14), (30, 40)], 0.0095, 0.0),
    ],
)
def test_violations_that_are_gone_or_milder_are_relieved(spans, depth, relieved):
    base = low_at([(10, 14), (30, 40)], base=True)
    result, _ = judged(low_at(spans, depth=depth), base)
    assert result.summary["violations_relieved"] == relieved
    assert result.summary["violations_aggravated"] == 0.0


def test_pairs_are_made_element_by_element():
    result, _ = judged(low_at([(10, 14)], bus=2), low_at([(10, 14)], bus=3, base=True))
    assert result.violations["origin"].tolist() == ["ev_caused"]
    assert result.summary["violations_relieved"] == 1.0


def test_percentage_points_and_degrees_count_as_one_point():
    def loaded(value, base):
        loads = np.full((1, 96, 3), 50.0)
        loads[0, 5:8, 0] = value
        asked, planned = cars()
        return segment(
            96, flow_changes={"line_loading_percent": loads}, heat=np.full(96, value),
            with_cars=(asked, None if base else planned),
        )  # fmt: skip

    result, _ = judged(loaded(130.5, False), loaded(130.0, True))
    assert set(result.violations["origin"]) == {"preexisting"}
    result, _ = judged(loaded(132.0, False), loaded(130.0, True))
    assert set(result.violations["origin"]) == {"aggravated"}
    assert result.summary["violations_aggravated"] == 2.0


def test_failed_power_flows_are_judged_by_their_time_only():
    def broken(count, base):
        status = np.zeros((1, 96), dtype=np.int8)
        status[0, :count] = 1
        asked, planned = cars()
        return segment(
            96, flow_changes={"status": status}, with_cars=(asked, None if base else planned)
        )

    result, _ = judged(broken(7, False), broken(4, True))
    assert result.violations["origin"].tolist() == ["preexisting"]
    result, _ = judged(broken(9, False), broken(4, True))
    assert result.violations["origin"].tolist() == ["aggravated"]


def test_two_clean_cases_compare_clean():
    result, _ = judged(low_at([]), low_at([], base=True))
    assert list(result.violations.columns) == COLUMNS
    assert not len(result.violations)
    assert result.summary["violations_relieved"] == 0.0
    assert result.summary["ev_cost_per_car_eur"] == 0.0


def test_under_voltage_names_the_cars_that_draw_on_the_same_feeder():
    # Cars 0 and 1 stand on feeder 1, cars 2 and 3 on feeder 2.
    pair = cars([7.0, 11.0, 22.0, 3.0])
    result = assess(context(), low_at([(10, 11)], with_cars=pair), "x")
    assert result.violations["caused_by"].tolist() == ["car1 11.0 kW, car0 7.0 kW"]
    at_busbar = low_at([], with_cars=pair)
    vm = at_busbar.flow.vm_pu.copy()
    vm[0, 5, 1] = 0.94
    fixed = dataclasses.replace(at_busbar, flow=dataclasses.replace(at_busbar.flow, vm_pu=vm))
    result = assess(context(busbar_vm_pu=np.ones(5)), fixed, "x")
    assert result.violations["caused_by"].iloc[0] == (
        "car2 22.0 kW, car1 11.0 kW, car0 7.0 kW (+1 more, 43.0 kW in all)"
    )


def test_over_voltage_names_the_cars_that_feed():
    pair = cars([-5.0, 11.0, -22.0, 0.0])
    result = assess(context(), low_at([(10, 11)], depth=-0.1, with_cars=pair), "x")
    assert result.violations["kind"].tolist() == ["voltage_high"]
    assert result.violations["caused_by"].tolist() == ["car0 5.0 kW"]


def test_a_line_names_the_cars_it_supplies_in_the_direction_of_the_more():
    def overloaded(line, p):
        loads = np.full((1, 96, 3), 50.0)
        loads[0, 30, line] = 110.0
        return segment(96, flow_changes={"line_loading_percent": loads}, with_cars=cars(p))

    power = [7.0, 11.0, -22.0, 3.0]
    texts = [
        assess(context(), overloaded(line, power), "x").violations["caused_by"].iloc[0]
        for line in range(3)
    ]
    assert texts == ["car1 11.0 kW, car0 7.0 kW", "car1 11.0 kW", "car2 22.0 kW"]
    idle = assess(context(), overloaded(0, 0.0), "x")
    assert idle.violations["caused_by"].tolist() == [""]


def test_a_car_away_causes_nothing():
    pair = cars([11.0] * 2, rows=[(0, 0, 0, 10, 0.8), (1, 0, 0, 96, 0.8)])
    result = assess(context(), low_at([(20, 21)], with_cars=pair), "x")
    assert result.violations["caused_by"].tolist() == ["car1 11.0 kW"]


def test_an_element_outside_the_network_has_nobody_behind_it():
    grid = dataclasses.replace(context().grid, line_branch=np.array([-1, 2, 3]))
    from gridimpact.assess.causes import Causes

    asked, planned = cars([11.0] * 4)
    causes = Causes.start(context(grid), {0: (asked, planned)})
    assert causes.text("line", 0, 0, 5) == ""
    assert causes.text("line", 0, 1, 5) == ""
    assert causes.text("transformer", 0, 0, 5).startswith("car0 11.0 kW")


def test_cars_are_named_at_the_worst_events_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(violations, "CAUSES_NAMED", 1)
    vm = np.ones((1, 96, 5))
    vm[0, 10, 3], vm[0, 20, 3] = 0.94, 0.91
    solved = segment(96, flow_changes={"vm_pu": vm}, with_cars=cars([11.0] * 4))
    result = assess(context(), solved, "x")
    assert [bool(text) for text in result.violations["caused_by"]] == [False, True]
    assert any("1 worst of 2 events" in note.text for note in result.notes)


def test_origin_waits_for_the_base_case():
    result = assess(context(), low_at([(1, 2)]), "x")
    assert result.violations["origin"].tolist() == [""]
    assert result.summary["violations_ev_caused"] is None
    assert isinstance(result.violations, pd.DataFrame)
