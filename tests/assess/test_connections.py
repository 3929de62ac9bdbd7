"""Uneven phases and main fuses at each connection point."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gridimpact.assess import assess, limit_profile
from tests.assess.case import context, dispatch, request, segment, timeline
from tests.assess.test_three_phase import phases

ROWS = [(0, 0, 0, 96, 0.8), (1, 1, 0, 96, 0.8), (2, 2, 0, 96, 0.8), (3, 3, 0, 96, 0.8)]
ASKED = limit_profile("vde_ar_n_4100")


def uneven(values, *, limits=ASKED, power=0.0):
    """Assess asymmetries (time, site) of the street with four cars of `power`."""
    steps = len(values)
    asked = request(timeline(steps), [(*row[:3], steps, row[4]) for row in ROWS])
    planned = dispatch(asked, np.full((steps, 4), power))
    solved = segment(steps, with_cars=(asked, planned))
    solved = dataclasses.replace(
        solved, flow=phases(steps), site_asymmetry_kva=np.asarray(values, dtype=float)[None]
    )
    return assess(context(limits=limits), solved, "x")


def verdict(result, subject):
    return result.tables["verdicts"].set_index("subject").loc[subject]


def test_a_charger_of_seven_kva_on_one_phase_breaks_the_rule_of_4_6_kva():
    values = np.full((96, 4), 2.0)
    values[20:24, 1] = [7.4, 7.0, 5.0, 4.7]
    result = uneven(values, power=7.0)
    event = result.violations.set_index("kind").loc["asymmetry"]
    assert (event["name"], event["worst"], event["limit"], event["unit"]) == (
        "home2", 7.4, 4.6, "kVA",
    )  # fmt: skip
    assert event["duration_h"] == 1.0
    assert event["caused_by"] == "car1 7.0 kW"
    assert verdict(result, "asymmetry")["verdict"] == "fail"
    site = result.tables["sites"].set_index("site_id").loc["home2"]
    assert site["asymmetry_max_kva"] == 7.4
    assert site["asymmetry_max_time"] == np.datetime64("2016-01-04T05:00")


def test_exactly_4_6_kva_are_allowed():
    result = uneven(np.full((96, 4), 4.6))
    assert verdict(result, "asymmetry")["verdict"] == "pass"
    assert not (result.violations["kind"] == "asymmetry").any()


def test_a_balanced_flow_knows_no_phase_of_a_connection():
    result = assess(context(limits=ASKED), segment(96), "x")
    assert verdict(result, "asymmetry")["verdict"] == "not assessed"
    assert "balanced" in verdict(result, "asymmetry")["reason"]


def test_only_a_profile_that_asks_judges_connections():
    result = uneven(np.full((96, 4), 9.0), limits=limit_profile("eu_lv_planning"), power=30.0)
    assert {"asymmetry", "fuse_loading"}.isdisjoint(result.tables["verdicts"]["subject"])
    assert {"asymmetry", "fuse_loading"}.isdisjoint(result.violations["kind"])
    assert result.tables["sites"]["asymmetry_max_kva"].tolist() == [9.0] * 4


@pytest.mark.parametrize(("power", "expected"), [(9.0, "pass"), (9.5, "fail")])
def test_a_main_fuse_carries_its_rating_and_no_more(power, expected):
    # Homes draw 1 kW; home2's fuse carries 10 kW, home1's 24 kW, the others' are unknown.
    result = uneven(np.zeros((96, 4)), power=power)
    assert verdict(result, "fuse_loading")["verdict"] == expected
    sites = result.tables["sites"].set_index("site_id")
    assert sites.loc["home2", "fuse_max_percent"] == pytest.approx(10 * (power + 1))
    assert np.isnan(sites.loc["hall", "fuse_max_percent"])
    events = result.violations[result.violations["kind"] == "fuse_loading"]
    assert events["name"].tolist() == (["home2"] if expected == "fail" else [])
    assert events["caused_by"].tolist() == ([f"car1 {power} kW"] if expected == "fail" else [])
