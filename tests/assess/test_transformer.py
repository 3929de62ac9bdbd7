import numpy as np
import pytest

from gridimpact.ageing import ageing_rate
from gridimpact.assess import ThermalReducer, assess, limit_profile
from tests.assess.case import context, segment

YEAR = 365 * 96


def row(result):
    return result.tables["transformers"].iloc[0]


def test_a_hot_spot_over_120_is_a_violation_with_its_hours():
    heat = [90, 121, 125, 119, 130]
    result = assess(context(), segment(5, heat=heat), "x")
    assert result.summary["hot_spot_max_c"] == 130.0
    assert result.summary["top_oil_max_c"] == 110.0
    assert result.summary["hot_spot_hours_over_limit"] == 0.75
    assert result.violations["worst"].tolist() == [125.0, 130.0]
    assert result.tables["verdicts"].set_index("subject").loc["hot_spot", "verdict"] == "fail"


def test_a_year_of_normal_ageing_costs_its_share_of_life():
    result = assess(context(), segment(YEAR, heat=np.full(YEAR, 98.0)), "x")
    assert result.summary["ageing_equivalent"] == pytest.approx(1.0)
    assert result.summary["loss_of_life_percent"] == pytest.approx(100 * 8760 / 180_000)
    assert row(result)["end_of_life_years"] == pytest.approx(180_000 / 8760)
    assert row(result)["life"] == "limiting"
    assert result.tables["verdicts"].set_index("subject").loc["ageing", "verdict"] == "pass"
    assert row(result)["ageing_equivalent_upgraded"] == pytest.approx(
        float(ageing_rate(98.0, "upgraded"))
    )
    assert not any("no annual figures" in note.text for note in result.notes)


def test_a_cool_year_says_that_life_is_not_limiting():
    result = assess(context(), segment(YEAR, heat=np.full(YEAR, 50.0)), "x")
    assert result.summary["ageing_equivalent"] < 0.01
    assert np.isnan(row(result)["end_of_life_years"])
    assert row(result)["life"] == "life is not limiting"


def test_a_year_that_ages_too_fast_is_a_violation():
    result = assess(context(), segment(YEAR, heat=np.full(YEAR, 104.0)), "x")
    ageing = result.violations[result.violations["kind"] == "ageing"].iloc[0]
    assert (ageing["worst"], ageing["limit"]) == pytest.approx((2.0, 1.0))
    assert ageing["duration_h"] == 8760.0
    assert result.tables["verdicts"].set_index("subject").loc["ageing", "verdict"] == "fail"


def test_a_week_gives_no_annual_figure():
    result = assess(context(), segment(672, heat=np.full(672, 110.0)), "x")
    assert result.summary["ageing_equivalent"] == pytest.approx(4.0)
    assert result.summary["loss_of_life_percent"] == pytest.approx(100 * 4 * 168 / 180_000)
    assert np.isnan(row(result)["end_of_life_years"])
    assert row(result)["life"] == "needs a year"
    assert not (result.violations["kind"] == "ageing").any()
    assert result.tables["verdicts"].set_index("subject").loc["ageing", "verdict"] == "not assessed"
    assert any("7 days are assessed" in note.text for note in result.notes)


def test_warm_up_is_not_aged():
    heat = np.r_[np.full(96, 140.0), np.full(96, 98.0)]
    result = assess(context(), segment(192, heat=heat, counted=np.arange(192) >= 96), "x")
    assert result.summary["hot_spot_max_c"] == 98.0
    assert result.summary["ageing_equivalent"] == pytest.approx(1.0)
    assert result.summary["hours_assessed"] == 24.0


def test_failed_power_flows_are_aged_all_the_same():
    status = np.ones((1, 4), dtype=np.int8)
    result = assess(context(), segment(4, heat=[98.0] * 4, flow_changes={"status": status}), "x")
    assert result.summary["ageing_equivalent"] == pytest.approx(1.0)
    assert result.summary["vm_min_pu"] is None


def test_without_a_limit_hours_over_it_are_not_assessed():
    limits = limit_profile({"hot_spot_c": None, "ageing_equivalent": None})
    result = assess(context(limits=limits, plate=None), segment(4, heat=[150.0] * 4), "x")
    assert result.summary["hot_spot_hours_over_limit"] is None
    assert not len(result.violations)
    assert "insulation" not in result.tables["transformers"]
    assert result.tables["verdicts"].set_index("subject").loc["ageing", "verdict"] == "not assessed"


def test_unknown_temperatures_give_no_figures():
    assert ThermalReducer.start(context()).finish() is None
    result = assess(context(), segment(4, heat=[np.nan] * 4), "x")
    assert result.summary["ageing_equivalent"] is None
    assert result.tables["verdicts"].set_index("subject").loc["hot_spot", "verdict"] == (
        "not assessed"
    )
