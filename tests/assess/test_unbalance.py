import numpy as np

from gridimpact.assess import assess, unbalance_verdict
from tests.assess.case import context, dispatch, request, segment, sites, timeline


def verdict(result, subject="voltage"):
    return result.tables["verdicts"].set_index("subject").loc[subject]


def test_a_balanced_flow_with_single_phase_connections_never_passes():
    single = context(sites=sites("a"))
    result = assess(single, segment(7 * 96), "x")
    assert verdict(result)["verdict"] == "not assessed"
    assert "4 connections on fewer than three phases" in verdict(result)["reason"]
    assert verdict(result, "en_50160")["verdict"] == "not assessed"
    assert set(result.tables["buses"]["en_50160"]) == {"not assessed"}
    assert verdict(result, "unbalance")["verdict"] == "not assessed"


def test_a_balanced_flow_that_already_fails_fails():
    vm = np.ones((1, 7 * 96, 5))
    vm[0, :, 3] = 0.88
    result = assess(context(sites=sites("a")), segment(7 * 96, flow_changes={"vm_pu": vm}), "x")
    assert verdict(result)["verdict"] == "fail"
    assert verdict(result, "en_50160")["verdict"] == "fail"


def test_single_phase_chargers_count_only_where_cars_are_added():
    solid = context(charger_phases=("abc", "a"))
    assert solid.single_phase_connections == 1
    time = timeline(8)
    asked = request(time, [(0, 0, 0, 8, 0.8)])
    with_cars = segment(8, with_cars=(asked, dispatch(asked, np.zeros((8, 1)))))
    assert verdict(assess(solid, with_cars, "x"))["verdict"] == "not assessed"
    assert verdict(assess(solid, segment(8), "no_ev"))["verdict"] == "pass"


def test_unbalance_of_a_balanced_flow_is_unknown():
    assert unbalance_verdict(context()).verdict == "not assessed"
    assert "4 connections" in unbalance_verdict(context(sites=sites("a"))).reason
