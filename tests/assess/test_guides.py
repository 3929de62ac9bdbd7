"""Hours over the normal and emergency limits of loading guides, and loads no model covers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridimpact.ageing import LOADING_GUIDES, Nameplate, age
from gridimpact.assess import Assessor, SegmentResult, assess, limit_profile
from tests.assess.case import context, segment, street, timeline


def of(loading, heat, **limits):
    arrays = {"transformer_loading_percent": np.asarray(loading, dtype=float)[None, :, None]}
    ground = context(limits=limit_profile(limits))
    return assess(ground, segment(len(heat), flow_changes=arrays, heat=heat), "x")


def row(result):
    return result.tables["transformers"].iloc[0]


def hot_spot(result):
    return result.tables["verdicts"].set_index("subject").loc["hot_spot"]


def test_hours_over_each_level_of_iec_60076_7():
    # Limits of a distribution transformer: 120, 140 and 160 degC, 1.5, 1.8 and 2.0 of the rating.
    heat = np.array([100, 119, 125, 141, 161, 90, 90, 90.0])
    load = np.array([100, 120, 120, 120, 120, 160, 190, 210.0])
    found = row(of(load, heat))
    assert found["loading_guide"] == "iec_distribution"
    assert found["hours_over_normal"] == 6 / 4
    assert found["hours_over_long_time_emergency"] == 4 / 4
    assert found["hours_over_short_time_emergency"] == 3 / 4  # oil of 121 degC, over 115, too
    assert np.isnan(found["hours_over_planned"])
    assert found["free_bubble_h"] == 2 / 4
    assert found["outside_model_h"] == 1 / 4
    assert found["outside_model"]


def test_top_oil_alone_may_pass_the_guide():
    solved = segment(4, heat=np.full(4, 110.0))
    warm = dataclasses.replace(solved, top_oil_c=np.full((1, 4, 1), 106.0))
    assert row(assess(context(), solved, "x"))["hours_over_normal"] == 0.0
    assert row(assess(context(), warm, "x"))["hours_over_normal"] == 1.0
    assert LOADING_GUIDES["iec_distribution"].limits[0].top_oil_c == 105.0


def test_ieee_and_large_transformers_have_guides_of_their_own():
    found = row(of(np.full(4, 100.0), np.full(4, 90.0), loading_guide="ieee"))
    assert found["loading_guide"] == "ieee_distribution"
    assert np.isnan(found["hours_over_long_time_emergency"])
    big = dataclasses.replace(street(), transformer_sn_kva=np.array([40_000.0]))
    result = assess(
        context(grid=big, limits=limit_profile("ansi_c84_1")),
        segment(4, heat=np.full(4, 135.0)),
        "x",
    )
    assert row(result)["loading_guide"] == "ieee_power"
    assert row(result)["hours_over_planned"] == 1.0
    assert row(result)["hours_over_long_time_emergency"] == 1.0  # oil of 115 degC over 110


def test_the_same_rules_as_the_summary_of_ageing():
    rng = np.random.default_rng(2)
    load = rng.uniform(0.2, 2.2, (1, 200, 1))
    plate = Nameplate.preset("iec_onan")
    air = np.full(200, 35.0)
    from gridimpact.ageing import thermal_series

    series = thermal_series(load, air, plate, 0.25)
    summary = age(load, air, plate, 0.25, guide="iec_distribution")
    solved = SegmentResult(
        timeline(200),
        segment(200, flow_changes={"transformer_loading_percent": 100.0 * load}).flow,
        top_oil_c=series.top_oil_c,
        hot_spot_c=series.hot_spot_c,
        ageing_rate=series.ageing_rate,
    )
    found = row(assess(context(plate=plate), solved, "x"))
    assert found["hours_over_normal"] == summary.hours_over["normal_cyclic"][0, 0]
    for level in ("long_time_emergency", "short_time_emergency"):
        assert found[f"hours_over_{level}"] == summary.hours_over[level][0, 0]
    assert found["free_bubble_h"] == summary.free_bubble_h[0, 0]
    assert found["outside_model_h"] == summary.outside_model_h[0, 0]


def test_a_load_no_model_covers_is_flagged_and_never_a_pass():
    result = of(np.full(4, 230.0), np.full(4, 100.0))
    assert hot_spot(result)["verdict"] == "not assessed"
    assert "1 h with a load outside the range of the model" in hot_spot(result)["reason"]
    assert any("not to be trusted" in note.text for note in result.notes)
    hotter = of(np.full(4, 230.0), np.full(4, 150.0))
    assert hot_spot(hotter)["verdict"] == "fail"
    assert "free gas" in hot_spot(hotter)["reason"]
    quiet = of(np.full(4, 90.0), np.full(4, 100.0))
    assert hot_spot(quiet)["reason"] == "never over 120 degC"


@pytest.mark.parametrize("cut", [1, 13, 50])
def test_loads_that_came_in_parts_stand_beside_their_temperatures(cut):
    rng = np.random.default_rng(8)
    whole = segment(
        96,
        flow_changes={"transformer_loading_percent": rng.uniform(50, 230, (1, 96, 1))},
        heat=rng.uniform(80, 170, 96),
    )
    at_once = assess(context(), whole, "x")
    assessor = Assessor.start(context(), chunk_steps=40)
    assessor.begin(SegmentResult(timeline(96)))
    names = [
        f.name
        for f in dataclasses.fields(whole.flow)
        if isinstance(getattr(whole.flow, f.name), np.ndarray)
    ]
    for part in (slice(0, cut), slice(cut, 96)):
        arrays = {name: getattr(whole.flow, name)[:, part] for name in names}
        assessor.take(part.start, dataclasses.replace(whole.flow, **arrays))
    heat = {n: getattr(whole, n) for n in ("top_oil_c", "hot_spot_c", "ageing_rate")}
    assessor.end(heat)
    pd.testing.assert_frame_equal(
        assessor.finish("x").tables["transformers"], at_once.tables["transformers"]
    )
