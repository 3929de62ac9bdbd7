import dataclasses

import numpy as np

from gridimpact.assess import LoadingReducer, assess, limit_profile
from tests.assess.case import context, segment, street


def line_loads(values):
    loads = np.full((1, len(values), 3), 10.0)
    loads[0, :, 1] = values
    return {"line_loading_percent": loads}


def test_hours_are_counted_above_each_mark():
    solved = segment(6, flow_changes=line_loads([70, 85, 101, 125, 100, 80]))
    result = assess(context(), solved, "x")
    row = result.tables["lines"].set_index("name").loc["L2"]
    assert row[["hours_over_80", "hours_over_100", "hours_over_120"]].tolist() == [1.0, 0.5, 0.25]
    assert row["loading_max_percent"] == 125.0
    assert row["loading_max_time"] == np.datetime64("2016-01-04T00:45")
    assert row["longest_over_limit_h"] == 0.5
    assert result.summary["line_hours_over_100"] == 0.5
    assert result.summary["line_loading_max_percent"] == 125.0


def test_hours_with_any_element_over_do_not_add_up_over_elements():
    loads = np.full((1, 4, 3), 110.0)
    result = assess(context(), segment(4, flow_changes={"line_loading_percent": loads}), "x")
    assert result.summary["line_hours_over_100"] == 1.0
    assert len(result.violations) == 3


def test_unrated_lines_are_counted_not_passed():
    loads = np.full((1, 4, 3), 50.0)
    loads[:, :, 2] = np.nan
    result = assess(
        context(street(rated=False)), segment(4, flow_changes={"line_loading_percent": loads}), "x"
    )
    assert result.summary["lines_unrated"] == 1.0
    assert np.isnan(result.tables["lines"]["hours_over_100"][2])
    verdict = result.tables["verdicts"].set_index("subject").loc["line_loading"]
    assert (verdict["verdict"], verdict["reason"]) == (
        "not assessed",
        "1 of 3 lines have no rating",
    )
    assert any("have no ampacity" in note.text for note in result.notes)


def test_lines_out_of_service_are_neither_rated_nor_unrated():
    grid = dataclasses.replace(street(), line_branch=np.array([1, 2, -1]))
    result = assess(context(grid), segment(4), "x")
    assert result.summary["lines_unrated"] == 0.0
    assert not result.tables["lines"]["in_service"][2]


def test_the_transformer_may_run_to_150_percent_or_to_100_under_a_dso_profile():
    loads = np.full((1, 8, 1), 130.0)
    solved = segment(8, flow_changes={"transformer_loading_percent": loads})
    plan = assess(context(), solved, "x")
    assert not len(plan.violations)
    assert plan.summary["transformer_hours_over_120"] == 2.0
    dso = assess(context(limits=limit_profile("eu_lv_dso")), solved, "x")
    assert dso.violations[["kind", "duration_h", "worst", "limit"]].values.tolist() == [
        ["transformer_loading", 2.0, 130.0, 100.0]
    ]
    verdict = dso.tables["verdicts"].set_index("subject").loc["transformer_loading", "verdict"]
    assert verdict == "fail"


def test_without_a_limit_nothing_is_judged():
    limits = limit_profile({"line_loading_percent": None, "transformer_loading_percent": None})
    result = assess(context(limits=limits), segment(4, flow_changes=line_loads([300] * 4)), "x")
    assert not len(result.violations)
    verdicts = result.tables["verdicts"].set_index("subject")["verdict"]
    assert verdicts["line_loading"] == "not assessed"


def test_a_network_without_transformers_is_assessed_without_them():
    grid = dataclasses.replace(
        street(),
        transformer_index=np.zeros(0, dtype=int), transformer_name=(),
        transformer_hv=np.zeros(0, dtype=int), transformer_lv=np.zeros(0, dtype=int),
        transformer_sn_kva=np.zeros(0), transformer_branch=np.zeros(0, dtype=int),
        bus_transformer=np.full(5, -1),
    )  # fmt: skip
    empty = {
        name: np.zeros((1, 4, 0))
        for name in ("transformer_loading_percent", "transformer_p_kw", "transformer_q_kvar")
    }
    result = assess(context(grid, plate=None), segment(4, flow_changes=empty), "x")
    assert result.summary["transformer_loading_max_percent"] is None
    assert result.summary["hot_spot_max_c"] is None
    assert any("temperature and life are not assessed" in note.text for note in result.notes)


def test_an_empty_reducer_finishes():
    found = LoadingReducer.start(context()).finish()
    assert found.steps_over.shape == (3, 1, 3)
    assert found.steps_any_over.tolist() == [[0], [0], [0]]
