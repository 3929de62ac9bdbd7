import dataclasses

import numpy as np
import pytest

from gridimpact.assess import ServiceReducer, assess
from tests.assess.case import context, dispatch, request, segment, timeline

ROWS = [
    (0, 0, 0, 40, 0.8),  # leaves in the warm-up
    (0, 0, 50, 80, 0.8),
    (1, 1, 20, 60, 0.8),
    (1, 1, 70, 96, 0.8, True),  # cut by the end
]


def solved(unmet=(9.0, 0.2, 3.0, 8.0), p=None, controlled=(True, False)):
    time = timeline(96)
    asked = request(time, ROWS)
    power = np.zeros((96, 2)) if p is None else p
    planned = dispatch(asked, power, unmet=unmet, controlled=list(controlled))
    return segment(96, counted=np.arange(96) >= 48, with_cars=(asked, planned))


def test_only_departures_inside_counted_time_are_judged():
    result = assess(context(), solved(), "x")
    assert result.summary["departures"] == 2.0
    rows = result.tables["departures"]
    assert rows["session_id"].tolist() == ["s2", "s1"]
    assert rows["departure"].tolist() == [
        np.datetime64("2016-01-04T15:00"),
        np.datetime64("2016-01-04T20:00"),
    ]
    assert result.summary["unmet_kwh"] == pytest.approx(3.2)


def test_a_half_percent_of_the_capacity_is_forgiven():
    result = assess(context(), solved(), "x")
    rows = result.tables["departures"].set_index("session_id")
    assert rows["below_target"].to_dict() == {"s2": True, "s1": False}
    assert result.summary["departures_below_target_percent"] == 50.0
    strict = assess(context(target_tolerance=0.0), solved(), "x")
    assert strict.summary["departures_below_target_percent"] == 100.0


def test_energy_through_the_battery_follows_both_efficiencies():
    p = np.zeros((96, 2))
    p[52:56, 0] = 10.0
    p[60:64, 0] = -8.0
    p[0:20, 1] = 11.0  # before counting
    result = assess(context(), solved(p=p), "x")
    assert result.summary["ev_energy_kwh"] == pytest.approx(2.0)
    assert result.summary["ev_discharge_kwh"] == pytest.approx(8.0)
    assert result.summary["battery_throughput_kwh"] == pytest.approx(9.0 + 10.0)
    assert result.summary["equivalent_full_cycles"] == pytest.approx(19.0 / 100 / 2)
    assert result.summary["wear_cost_per_car_eur"] == pytest.approx(10.0 * 0.05 / 2)
    cars = result.tables["vehicles"].set_index("vehicle_id")
    assert cars.loc["car0", "equivalent_full_cycles"] == pytest.approx(0.19)
    assert cars.loc["car1", "departures_below_target"] == 1.0
    assert (result.summary["cars"], result.summary["cars_controlled"]) == (2.0, 1.0)


def test_without_cars_energy_is_zero_and_shares_are_missing():
    result = assess(context(), dataclasses.replace(solved(), dispatch=None), "no_ev")
    assert result.summary["cars"] == 0.0
    assert result.summary["ev_energy_kwh"] == 0.0
    assert result.summary["departures_below_target_percent"] is None
    assert result.summary["equivalent_full_cycles"] is None
    assert not len(result.tables["departures"])
    assert not len(result.tables["vehicles"])
    assert any("no added cars" in note.text for note in result.notes)


def test_no_departure_in_counted_time_is_said():
    time = timeline(96)
    asked = request(time, [(0, 0, 0, 96, 0.8, True)])
    planned = dispatch(asked, np.zeros((96, 1)))
    result = assess(context(), segment(96, with_cars=(asked, planned)), "x")
    assert result.summary["departures"] == 0.0
    assert result.summary["departures_below_target_percent"] is None
    assert result.tables["vehicles"]["departures"].tolist() == [0.0]
    assert any("no departure lies inside" in note.text for note in result.notes)


def test_a_stay_to_the_last_step_that_is_not_cut_departs():
    time = timeline(96)
    asked = request(time, [(0, 0, 0, 96, 0.8)])
    result = assess(
        context(), segment(96, with_cars=(asked, dispatch(asked, np.zeros((96, 1))))), "x"
    )
    assert result.summary["departures"] == 1.0


def test_an_empty_reducer_has_nothing():
    assert ServiceReducer.start(context()).finish() is None
