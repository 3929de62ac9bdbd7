"""The comparison a reader sees agrees with the figures it is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.conventions import METRICS
from gridimpact.report import comparison_table, summary_frame, text_table, violations_frame
from gridimpact.report.frames import failed_lanes
from gridimpact.report.tables import COLUMNS
from gridimpact.report.violations import violation_counts


def cell(table, label, metric):
    place = [column.metric for column in table.columns].index(metric)
    return next(row for row in table.rows if row.label == label).cells[place]


def test_no_added_ev_and_uncontrolled_come_first(result):
    shuffled = replace(result, comparison=result.comparison.iloc[::-1])
    labels = [row.label for row in comparison_table(shuffled).rows]
    assert labels[:2] == ["no_ev", "uncontrolled"]
    assert len(labels) == len(result.comparison)


def test_every_column_is_a_metric_of_the_conventions():
    assert {metric for metric, _ in COLUMNS} <= set(METRICS)


def test_each_row_says_how_many_cars_it_controls_of_how_many(result):
    cars = {row.label: row.cars for row in comparison_table(result).rows}
    assert cars["v2g_peak_shaving"] == "17 of 60"
    assert cars["uncontrolled"] == "0 of 60"
    assert cars["no_ev"] == "-"


def test_cells_outside_their_limit_are_marked_and_the_furthest_framed(result):
    table = comparison_table(result)
    metric = "transformer_loading_max_percent"
    for label in result.comparison.index:
        assert cell(table, label, metric).over == (result.comparison.at[label, metric] > 150)
    assert cell(table, "uncontrolled", metric).worst


def test_voltage_is_marked_by_the_drop_from_the_busbar(result):
    table = comparison_table(result)
    for label in result.comparison.index:
        outside = result.comparison.at[label, "voltage_hours_outside"] > 0
        assert cell(table, label, "vm_min_pu").over == outside


def test_absolute_band_marks_the_voltage_itself(result):
    limits = {"name": "own", "vm_min_pu": 0.95, "vm_max_pu": 1.02}
    table = comparison_table(replace(result, manifest={**result.manifest, "limits": limits}))
    for label in result.comparison.index:
        assert cell(table, label, "vm_min_pu").over == (
            result.comparison.at[label, "vm_min_pu"] < 0.95
        )
        assert cell(table, label, "vm_max_pu").over


def test_ageing_is_judged_only_over_a_year(result):
    limits = {**result.manifest["limits"], "ageing_equivalent": 1.0}
    fast = result.comparison.assign(ageing_equivalent=2.0)
    weeks = replace(result, comparison=fast, manifest={**result.manifest, "limits": limits})
    year = replace(weeks, comparison=fast.assign(hours_assessed=8760.0))
    assert not cell(comparison_table(weeks), "mix", "ageing_equivalent").over
    assert cell(comparison_table(year), "mix", "ageing_equivalent").over


def test_a_column_nobody_assessed_is_left_out(result):
    frame = result.comparison.assign(hot_spot_max_c=np.nan)
    table = comparison_table(replace(result, comparison=frame))
    assert "hot_spot_max_c" not in [column.metric for column in table.columns]


def test_terminal_table_fits_a_hundred_columns_whatever_the_name(result):
    long = replace(result, name="A very long name " * 20)
    lines = text_table(long).split("\n")
    assert max(map(len, lines)) <= 100
    assert len(lines) == len(result.comparison) + 7
    assert "3 of 9,408 assessed power flows failed" in lines[-1]


def test_perfect_foresight_is_marked_as_an_upper_bound(result):
    bounds = {row.label for row in comparison_table(result).rows if row.upper_bound}
    assert bounds == {"g2v_valley_filling"}
    assert "G2V valley filling*" in text_table(result)


def test_terminal_table_marks_what_is_outside(result):
    line = next(ln for ln in text_table(result).split("\n") if ln.startswith("Uncontrolled"))
    assert "165!" in line


def test_summary_against_a_strategy_gives_differences(result):
    frame = summary_frame(result, against="uncontrolled")
    metric = "transformer_loading_max_percent"
    raw = result.comparison[metric]
    assert frame.at[metric, "mix"] == pytest.approx(raw["mix"] - raw["uncontrolled"])
    assert frame.at[metric, "uncontrolled"] == pytest.approx(raw["uncontrolled"])
    assert frame.at[metric, "unit"] == "%"
    with pytest.raises(KeyError, match="choose from"):
        summary_frame(result, against="nobody")


def test_violations_are_in_local_time_and_sum_to_their_counts(result):
    frame = violations_frame(result)
    assert str(frame["start"].dt.tz) == "Europe/Berlin"
    assert len(frame) == int(violation_counts(result).to_numpy().sum())
    assert frame["duration_h"].iloc[0] == frame["duration_h"].max()


def test_a_study_without_violations_has_an_empty_table_and_zero_counts(result):
    none = {k: replace(a, violations=a.violations.iloc[:0]) for k, a in result.assessments.items()}
    calm = replace(result, assessments=none)
    assert violations_frame(calm).empty
    assert int(violation_counts(calm).to_numpy().sum()) == 0


def test_failed_lanes_are_counted_by_strategy(result):
    frame = failed_lanes(result)
    assert frame.at["v2g_peak_shaving", "failed"] == 3
    assert frame["failed"].sum() == 3
    assert frame["of"].sum() == 1344 * 7
