"""What an element carries on the mean of some hours, beside what it carries for a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.assess import assess, limit_profile
from gridimpact.assess.moving import window_means
from gridimpact.errors import InputError
from tests.assess.case import context, segment

MEAN = {"transformer_mean_percent": 100.0, "transformer_mean_h": 2.0, "line_mean_percent": 100.0}


def judged(loading, **changes):
    """Assess the transformer's loading (time,) against 150 % at instants and 100 % over two hours."""
    given_ = {"transformer_loading_percent": np.asarray(loading, dtype=float)[None, :, None]}
    solved = segment(len(loading), flow_changes=given_ | changes)
    return assess(context(limits=limit_profile(MEAN)), solved, "x")


def verdict(result, subject="transformer_loading"):
    return result.tables["verdicts"].set_index("subject").loc[subject]


def test_an_hour_of_140_percent_is_borne_where_the_mean_of_two_hours_is():
    loading = np.full(96, 50.0)
    loading[40:44] = 140.0
    result = judged(loading)
    assert verdict(result)["verdict"] == "pass"
    assert verdict(result)["reason"] == "never over 150 %, never over 100 % on the mean of 2 h"
    row = result.tables["transformers"].iloc[0]
    assert row["loading_mean_max_percent"] == pytest.approx((4 * 140 + 4 * 50) / 8)
    assert row["loading_mean_max_end"] == np.datetime64("2016-01-04T11:00")


def test_a_mean_over_its_limit_is_one_event_from_the_first_window_to_the_last():
    loading = np.full(96, 50.0)
    loading[40:50] = 120.0
    result = judged(loading)
    event = result.violations.iloc[0]
    means = pd.Series(loading).rolling(8).mean()
    over = np.flatnonzero(means > 100.0)
    assert result.violations["kind"].tolist() == ["transformer_loading_mean"]
    assert event["start"] == pd.Timestamp("2016-01-04") + (over[0] - 7) * pd.Timedelta("15min")
    assert event["end"] == pd.Timestamp("2016-01-04") + (over[-1] + 1) * pd.Timedelta("15min")
    assert event["duration_h"] == (over[-1] + 1 - over[0] + 7) / 4
    assert (event["worst"], event["limit"], event["unit"]) == (120.0, 100.0, "%")
    assert verdict(result)["reason"] == "1 times over 100 % on the mean of 2 h"


def test_windows_that_overlap_are_one_event():
    loading = np.full(96, 90.0)
    loading[[40, 41, 52, 53]] = 140.0
    result = judged(loading)
    # Two peaks of means, with means of 90 % between; the windows before the second reach the first.
    means = pd.Series(loading).rolling(8).mean()
    over = np.flatnonzero(means > 100.0)
    assert np.diff(over).max() > 1
    assert len(result.violations) == 1
    assert result.violations["duration_h"].iloc[0] == (over[-1] - over[0] + 8) / 4


def test_the_worst_mean_agrees_with_pandas():
    loading = np.random.default_rng(3).uniform(20, 160, 96)
    result = judged(loading)
    expected = pd.Series(loading).rolling(8).mean().max()
    told = result.tables["transformers"]["loading_mean_max_percent"].iloc[0]
    assert told == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("lost", "known"), [(4, True), (5, False)])
def test_a_window_that_misses_more_than_half_of_its_steps_is_not_assessed(lost, known):
    values = np.full((1, 8, 1), 110.0)
    values[0, :lost] = np.nan
    mean = window_means(values, np.zeros(8, dtype=bool), 8)
    assert mean.shape == (1, 1, 1)
    assert np.array_equal(mean.ravel(), [110.0 if known else np.nan], equal_nan=True)


def test_failed_steps_are_left_out_of_the_mean():
    loading = np.full(96, 80.0)
    loading[20:28] = 120.0
    status = np.zeros((1, 96), dtype=np.int8)
    status[0, 22:24] = 1
    result = judged(loading, status=status)
    told = result.tables["transformers"]["loading_mean_max_percent"].iloc[0]
    assert told == 120.0
    assert "2 of 96 steps failed" in verdict(result)["reason"]


def test_windows_never_reach_into_the_warm_up():
    loading = np.full(20, 60.0)
    loading[:8] = 190.0
    counted = np.arange(20) >= 8
    given_ = {"transformer_loading_percent": loading[None, :, None]}
    solved = segment(20, flow_changes=given_, counted=counted)
    result = assess(context(limits=limit_profile(MEAN)), solved, "x")
    assert result.tables["transformers"]["loading_mean_max_percent"].iloc[0] == 60.0
    short = segment(14, flow_changes={"transformer_loading_percent": loading[None, :14, None]},
                    counted=counted[:14])  # fmt: skip
    result = assess(context(limits=limit_profile(MEAN)), short, "x")
    assert verdict(result)["verdict"] == "not assessed"
    assert "no 2 h on end" in verdict(result)["reason"]


@given(st.integers(1, 40))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_means_are_the_same_bits_wherever_time_is_cut(size):
    rng = np.random.default_rng(5)
    loads = rng.uniform(60, 140, (1, 96, 3))
    loads[0, rng.random(96) < 0.2] = np.nan
    status = np.isnan(loads[:, :, 0]).astype(np.int8)
    arrays = {"line_loading_percent": loads, "status": status}
    ground = context(limits=limit_profile(MEAN | {"line_loading_percent": 150.0}))
    solved = segment(96, flow_changes=arrays)
    whole = assess(ground, solved, "x", chunk_steps=1000)
    parts = assess(ground, solved, "x", chunk_steps=size)
    pd.testing.assert_frame_equal(parts.violations, whole.violations, check_exact=True)
    for name in ("lines", "transformers"):
        pd.testing.assert_frame_equal(parts.tables[name], whole.tables[name], check_exact=True)
    assert (whole.violations["kind"] == "line_loading_mean").any()


def test_segments_are_never_joined_into_one_window():
    hot = {"transformer_loading_percent": np.full((1, 6, 1), 140.0)}
    days = [segment(6, flow_changes=hot, start=day) for day in ("2016-01-04", "2016-01-06")]
    result = assess(context(limits=limit_profile(MEAN)), days, "x")
    assert np.isnan(result.tables["transformers"]["loading_mean_max_percent"].iloc[0])


def test_a_mean_needs_its_length_and_without_one_there_is_none():
    with pytest.raises(InputError, match="give line_mean_h as well"):
        limit_profile({"line_mean_percent": 90, "line_mean_h": None})
    bare = limit_profile({"line_mean_h": None, "transformer_mean_h": None})
    result = assess(context(limits=bare), segment(96), "x")
    assert "loading_mean_max_percent" not in result.tables["lines"]
