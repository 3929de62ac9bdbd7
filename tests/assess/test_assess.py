import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.assess import Assessor, VoltageReducer, assess, chunks_of, limit_profile
from gridimpact.conventions import METRICS
from gridimpact.errors import InputError
from tests.assess.case import SITES, context, dispatch, flow, request, segment, tariff, timeline


def busy(steps=7 * 96 + 30, seed=1, step="15min", start="2016-01-28"):
    """A noisy week with cars, failures, warm-up, heat and a demand charge."""
    rng = np.random.default_rng(seed)
    time = timeline(steps, step=step, start=start)
    rows = [
        (car, car, int(begin), int(begin) + 60, 0.8)
        for car in range(4)
        for begin in range(car, steps - 70, 90)
    ]
    rate = tariff(steps, import_price=rng.uniform(0.1, 0.4, steps), demand_charge_per_kw_month=7.0)
    asked = request(time, rows, tariffs=(rate,))
    asked = dataclasses.replace(
        asked, site_load_kw=rng.uniform(0, 3, (steps, 4)), site_pv_kw=-rng.uniform(0, 4, (steps, 4))
    )
    planned = dispatch(asked, rng.uniform(-5, 11, (steps, 4)), unmet=rng.uniform(0, 1, len(rows)))
    status = (rng.random((1, steps)) < 0.02).astype(np.int8)
    bad = status[0] > 0
    arrays = {
        "vm_pu": 1 - 0.07 * rng.random((1, steps, 5)) ** 2,
        "line_loading_percent": 125 * rng.random((1, steps, 3)),
        "transformer_loading_percent": 165 * rng.random((1, steps, 1)),
        "transformer_p_kw": rng.normal(0, 50, (1, steps, 1)),
        "losses_kw": rng.random((1, steps)),
        "status": status,
    }
    for name in ("vm_pu", "line_loading_percent", "transformer_loading_percent", "losses_kw"):
        arrays[name][:, bad] = np.nan
    return segment(
        steps, step=step, start=start, flow_changes=arrays, counted=np.arange(steps) >= 20,
        with_cars=(asked, planned), heat=rng.uniform(60, 125, steps),
    )  # fmt: skip


@given(st.integers(3, 400), st.sampled_from(["eu_lv_planning", "en_50160"]))
@settings(max_examples=6, deadline=None)
def test_the_size_of_chunks_changes_not_one_bit(size, profile):
    both = [busy(), busy(200, seed=2, start="2016-03-03")]
    ground = context(limits=limit_profile(profile))
    whole = assess(ground, both, "x", chunk_steps=10**6)
    parts = assess(ground, both, "x", chunk_steps=size)
    assert dict(parts.summary) == dict(whole.summary)
    pd.testing.assert_frame_equal(parts.violations, whole.violations, check_exact=True)
    for name, table in whole.tables.items():
        pd.testing.assert_frame_equal(parts.tables[name], table, check_exact=True)
    assert parts.notes == whole.notes


def test_minute_steps_are_cut_anywhere_with_the_same_means():
    solved = busy(7 * 1440 + 100, step="1min")
    ground = context(limits=limit_profile("en_50160"))
    whole = assess(ground, solved, "x", chunk_steps=10**6)
    parts = assess(ground, solved, "x", chunk_steps=997)
    pd.testing.assert_frame_equal(parts.tables["buses"], whole.tables["buses"], check_exact=True)


def test_every_metric_has_a_place_and_missing_ones_a_reason():
    full = assess(context(), busy(), "x")
    assert list(full.summary) == list(METRICS)
    waiting = {name for name, value in full.summary.items() if value is None}
    assert waiting == {
        "violations_ev_caused",
        "violations_aggravated",
        "violations_relieved",
        "ev_cost_per_car_eur",
        "stored_change_kwh",
        "unbalance_max_percent",
        "voltage_step_max_percent",
        "neutral_current_max_a",
        "battery_years_low",
        "battery_years_high",
    }
    bare = assess(context(), segment(96), "no_ev")
    assert list(bare.summary) == list(METRICS)
    assert {note.where for note in bare.notes} >= {"money", "cars", "transformers", "voltage"}


def test_figures_agree_with_plain_arithmetic():
    solved = busy()
    result = assess(context(), solved, "x")
    ok = (solved.flow.status[0] == 0) & solved.counted
    voltage = np.where(ok[:, None], solved.flow.vm_pu[0], np.nan)[:, 1:]
    assert result.summary["vm_min_pu"] == np.nanmin(voltage)
    drop = voltage[:, [0]] - voltage
    outside = (drop > 0.05) | (drop < -0.03)
    assert result.summary["voltage_hours_outside"] == outside.any(axis=1).sum() / 4
    assert result.summary["voltage_buses_outside"] == outside.any(axis=0).sum()
    power = np.where(ok, solved.flow.transformer_p_kw[0, :, 0], 0.0)
    assert result.summary["energy_import_kwh"] == pytest.approx(power.clip(0).sum() / 4)
    assert result.summary["losses_kwh"] == pytest.approx(solved.flow.losses_kw[0][ok].sum() / 4)
    loads = solved.flow.transformer_loading_percent[0, :, 0]
    assert result.summary["transformer_hours_over_80"] == (ok & (loads > 80)).sum() / 4
    lows = result.violations[result.violations["kind"].isin(["voltage_low", "voltage_high"])]
    assert lows["duration_h"].sum() == pytest.approx(outside.sum() / 4)


def test_runs_do_not_join_across_segments():
    vm = np.full((1, 8, 5), 1.0)
    vm[0, :, 3] = 0.9
    first = segment(8, flow_changes={"vm_pu": vm}, start="2016-01-04")
    second = segment(8, flow_changes={"vm_pu": vm}, start="2016-07-04")
    result = assess(context(), [first, second], "x")
    assert result.violations["duration_h"].tolist() == [2.0, 2.0]
    assert result.violations["start"].dt.month.tolist() == [1, 7]
    assert result.summary["hours_assessed"] == 4.0


def test_weeks_of_several_segments_are_kept_apart():
    weeks = [segment(7 * 96, start=day) for day in ("2016-01-04", "2016-07-04")]
    result = assess(context(), weeks, "x")
    verdict = result.tables["verdicts"].set_index("subject").loc["en_50160"]
    assert verdict["reason"] == "5 buses over 2 whole weeks"


def test_streaming_and_assessing_at_once_are_the_same():
    parts = [busy(), busy(200, seed=2, start="2016-03-03")]
    assessor = Assessor.start(context())
    for part in parts:
        assessor.update(part)
    streamed = assessor.finish("x")
    assert dict(streamed.summary) == dict(assess(context(), iter(parts), "x").summary)


def test_reducers_keep_scenarios_apart():
    vm = np.ones((2, 10, 5))
    vm[1, 3:5, 3] = 0.9
    solved = segment(10)
    solved = dataclasses.replace(solved, flow=flow(10, scenarios=2, vm_pu=vm))
    reducer = VoltageReducer.start(context())
    for chunk in chunks_of(solved, 0, 4):
        reducer.update(chunk)
    found = reducer.finish()
    assert found.steps_any_outside.tolist() == [0, 2]
    assert found.vm_min_pu[:, 3].tolist() == [1.0, 0.9]
    assert found.low[["scenario", "start", "end"]].values.tolist() == [[1, 3, 5]]
    # The first scenario is reported.
    assert not len(assess(context(), solved, "x").violations)


def test_arrays_that_do_not_fit_are_named_at_once():
    solved = segment(96)
    wrong = dataclasses.replace(
        solved, counted=np.ones(90, dtype=bool), hot_spot_c=np.zeros((1, 80, 1))
    )
    with pytest.raises(InputError) as found:
        assess(context(), wrong, "x")
    assert [problem.where for problem in found.value.problems] == ["counted", "hot_spot_c"]
    asked = request(timeline(96), [(0, 0, 0, 96, 0.8)])
    lonely = dataclasses.replace(solved, dispatch=dispatch(asked, np.zeros((96, 1))))
    with pytest.raises(InputError, match="give the request behind the dispatch"):
        assess(context(), lonely, "x")


def test_segments_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="steps of 3600 s, those before of 900 s"):
        assess(context(), [segment(96), segment(24, step="1h")], "x")
    asked = request(timeline(96), [(0, 0, 0, 96, 0.8)])
    other = dataclasses.replace(asked, site_id=tuple(reversed(SITES)))
    with pytest.raises(InputError, match="other sites"):
        assess(context(), [segment(96, with_cars=(each, None)) for each in (asked, other)], "x")
    with pytest.raises(InputError, match="no segment was given"):
        assess(context(), [], "x")
