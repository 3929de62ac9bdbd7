"""Every kind of violation tells element, begin, end, duration, size, limit, cars behind it and origin."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridimpact.assess import assess, compare_with_base, limit_profile
from gridimpact.assess.limits import LimitProfile
from gridimpact.assess.violations import COLUMNS
from gridimpact.study.voltage_step_report import FoundSteps, with_steps
from tests.assess.case import context, dispatch, request, segment, sites, street, timeline
from tests.assess.test_three_phase import phases

WEEK = 7 * 96
YEAR = 364 * 96
STEPS = {
    "voltage_low", "voltage_high", "line_loading", "transformer_loading", "line_loading_mean",
    "transformer_loading_mean", "transformer3w_loading", "transformer3w_loading_mean", "unbalance",
    "hot_spot", "asymmetry", "fuse_loading", "not_converged", "voltage_step",
}  # fmt: skip
PERIODS = {"voltage_week", "unbalance_week", "ageing"}


def ground(limits: LimitProfile):
    grid = dataclasses.replace(
        street(),
        transformer3w_index=np.array([7]),
        transformer3w_name=("T3",),
        transformer3w_branch=np.array([[0, 1, 2]]),
    )
    return context(grid=grid, sites=sites("abc"), limits=limits)


def strained(steps: int, where: slice, *, with_cars: bool, bad: bool):
    """A week in three phases in which, where `bad`, everything that can be passed is passed."""
    asked = request(timeline(steps), [(k, k, 0, steps, 0.8) for k in range(4)])
    planned = dispatch(asked, np.full((steps, 4), 11.0))
    quiet = phases(steps)
    vm, uneven = quiet.vm_pu.copy(), quiet.unbalance_percent.copy()
    line, load = quiet.line_loading_percent.copy(), quiet.transformer_loading_percent.copy()
    three = np.full((1, steps, 1), 50.0)
    status, site = np.zeros((1, steps), dtype=np.int8), np.zeros((1, steps, 4))
    hot = np.full((1, steps, 1), 60.0)
    if bad:
        vm[0, where, 3, 1], vm[0, where, 4, 2] = 0.80, 1.2
        uneven[0, where, 3] = 4.0
        line[0, where, 0], load[0, where, 0], three[0, where, 0] = 130.0, 180.0, 170.0
        status[0, where.stop : where.stop + 2] = 1
        site[0, where, 1], hot[0, where] = 7.4, 150.0
    flow = dataclasses.replace(
        quiet, vm_pu=vm, unbalance_percent=uneven, line_loading_percent=line,
        transformer_loading_percent=load, transformer3w_loading_percent=three, status=status,
    )  # fmt: skip
    solved = segment(steps, with_cars=(asked, planned if with_cars else None))
    return dataclasses.replace(
        solved, flow=flow, site_asymmetry_kva=site, hot_spot_c=hot, top_oil_c=hot - 20.0,
        ageing_rate=np.full((1, steps, 1), 2.0 if bad else 0.1),
    )  # fmt: skip


def step_at(result, limits, size):
    found = FoundSteps(
        bus=np.array([3]),
        step_pu=np.array([size]),
        phase=np.array([0]),
        from_kw=np.array([0.0]),
        to_kw=np.array([11.0]),
        car=("car1",),
        moment=np.datetime64("2016-01-04T18:00:00"),
        dt_h=0.25,
        one_phase_as_three=False,
    )
    return with_steps(result, limits, street(), found)


def compared(limits: dict[str, object], steps: int, where: slice) -> pd.DataFrame:
    profile = limit_profile(limits)
    base = assess(ground(profile), strained(steps, where, with_cars=False, bad=False), "no_ev")
    result = assess(ground(profile), strained(steps, where, with_cars=True, bad=True), "x")
    result = compare_with_base(step_at(result, profile, 0.045), base)
    assert result.summary["violations"] == len(result.violations)
    assert result.summary["violations_ev_caused"] == len(result.violations)
    return result.violations


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    every = {
        "base": "en_50160", "unbalance_share": None, "unbalance_percent": 2.0, "line_mean_percent": 100,
        "transformer_mean_percent": 100, "single_phase_kva": 4.6, "fuse_percent": 100,
        "step_change_pu": 0.03,
    }  # fmt: skip
    by_week = {"base": "en_50160"}
    return pd.concat(
        [
            compared(every, WEEK, slice(40, 90)),
            compared(by_week, WEEK, slice(40, 90)),
            compared(by_week, YEAR, slice(40, 90)).query("kind == 'ageing'"),
        ]
    )


def test_every_kind_there_is_happens_here(events):
    assert set(events["kind"]) == STEPS | PERIODS


def test_nothing_is_left_out_of_any_violation(events):
    assert list(events.columns) == COLUMNS
    for kind, own in events.groupby("kind"):
        assert own["name"].str.len().min() > 0, kind
        assert (own["end"] > own["start"]).all(), kind
        assert (own["duration_h"] > 0).all(), kind
        assert np.isfinite(own["worst"].astype(float)).all(), kind
        assert np.isfinite(own["limit"].astype(float)).all(), kind
        assert set(own["unit"]) <= {"pu", "%", "degC", "kVA", "1", "lanes"}, kind
        assert set(own["origin"]) == {"ev_caused"}, kind


def test_every_violation_names_the_cars_behind_it(events):
    # Cars draw all the time, so only a bus that is too high has none that feeds.
    silent = set(events.loc[events["caused_by"] == "", "kind"])
    assert silent == {"voltage_high"}
    named = events[events["caused_by"] != ""]
    assert named["caused_by"].str.contains(r"car\d .*kW").all()


def test_weeks_and_years_name_the_cars_by_their_mean_power(events):
    week = events[(events["kind"] == "voltage_week") & (events["name"] == "A2")].iloc[0]
    assert week["caused_by"] == "car0 11.0 kW, car1 11.0 kW"
    year = events[events["kind"] == "ageing"].iloc[0]
    assert year["caused_by"].startswith("car0 11.0 kW, car1 11.0 kW, car2 11.0 kW (+1 more")


def test_the_duration_is_the_time_between_begin_and_end(events):
    steps = events[events["kind"].isin(STEPS)]
    hours = (steps["end"] - steps["start"]) / pd.Timedelta("1h")
    assert np.allclose(hours.astype(float), steps["duration_h"].astype(float))


def test_what_was_there_before_cars_is_not_theirs():
    profile = limit_profile({"base": "vde_ar_n_4100", "transformer_mean_percent": 100})
    where = slice(40, 90)
    base = assess(ground(profile), strained(WEEK, where, with_cars=False, bad=True), "no_ev")
    assert set(base.violations["origin"]) == {"preexisting"}
    same = compare_with_base(
        assess(ground(profile), strained(WEEK, where, with_cars=True, bad=True), "x"), base
    )
    by_kind = same.violations.groupby("kind")["origin"].unique()
    assert by_kind["transformer_loading_mean"].tolist() == ["preexisting"]
    assert by_kind["asymmetry"].tolist() == ["preexisting"]
    # Only the fuse is passed by the cars themselves.
    assert by_kind["fuse_loading"].tolist() == ["ev_caused"]
