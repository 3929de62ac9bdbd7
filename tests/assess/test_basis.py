"""Every figure says how many steps it rests on and how many failed."""

from __future__ import annotations

import numpy as np

from gridimpact.assess import assess, compare_with_base
from tests.assess.case import context, segment
from tests.assess.test_violations import cars


def with_failed(count):
    status = np.zeros((1, 96), dtype=np.int8)
    status[0, 10 : 10 + count] = 1
    solved = segment(
        96, flow_changes={"status": status}, heat=np.full(96, 70.0), with_cars=cars(5.0)
    )
    return assess(context(), solved, "x")


def test_three_failed_steps_of_96_stand_beside_every_figure_they_spoil():
    result = with_failed(3)
    basis = result.tables["basis"].set_index("figure")
    flow = basis.loc["vm_min_pu"]
    assert (flow["steps_known"], flow["steps_failed"], flow["steps_counted"]) == (93, 3, 96)
    assert flow["words"] == "3 of 96 steps failed"
    assert basis.loc["hot_spot_max_c", "words"] == "carried across 3 of 96 steps that failed"
    assert basis.loc["unmet_kwh", "words"] == "all 96 steps"
    verdicts = result.tables["verdicts"].set_index("subject")["reason"]
    for subject in ("voltage", "line_loading", "transformer_loading", "hot_spot"):
        assert "3 of 96 steps" in verdicts[subject], subject


def test_every_figure_that_is_told_has_a_basis():
    result = with_failed(0)
    told = {name for name, value in result.summary.items() if value is not None}
    counts = {"cars", "cars_controlled", "hours_assessed", "lines_unrated", "lanes", "lanes_failed"}
    basis = result.tables["basis"].set_index("figure")
    assert set(basis.index) == told - counts
    assert (basis["steps_known"] == 96).all()
    assert set(basis["words"]) == {"all 96 steps"}
    assert not result.tables["verdicts"]["reason"].str.contains("failed").any()


def test_the_basis_holds_the_values_of_the_summary():
    result = with_failed(2)
    for figure, value in result.tables["basis"][["figure", "value"]].itertuples(index=False):
        assert result.summary[figure] == value


def test_what_the_base_case_adds_to_the_figures_has_its_basis_too():
    result = compare_with_base(with_failed(1), with_failed(1))
    basis = result.tables["basis"].set_index("figure")
    assert basis.loc["violations_ev_caused", "words"] == "1 of 96 steps failed"
    assert basis.loc["violations_relieved", "value"] == result.summary["violations_relieved"]
