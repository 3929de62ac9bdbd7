"""A report of a three-phase study names the phase that binds and tells unbalance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridimpact.report import view
from gridimpact.report.choice import binding
from gridimpact.report.figures import FIGURES, duration, transformer_week, voltage_profile
from gridimpact.report.figures import map as network_map
from gridimpact.report.figures_voltage import PHASE_COLOURS
from gridimpact.report.findings import effect_words, line_words, transformer_words, voltage_words
from gridimpact.report.html import page
from gridimpact.report.html_parts import facts, violation_rows
from gridimpact.report.phases import unbalance_words
from gridimpact.report.tables import comparison_table, text_table
from gridimpact.report.violations import element_words, violations_frame
from gridimpact.report.voltage import busbar_voltage, departures, hours_outside, shown_voltage

SPREAD = np.array([0.0, -0.03, 0.01])
"""Phases a, b and c beside the balanced voltage [pu], growing with the distance."""


@pytest.fixture(scope="module")
def three(result):
    """Return the village with phases that part along the feeder."""
    data = result.dataset
    distance = np.asarray(result.network.grid.bus_distance_m)
    share = np.nan_to_num(distance / np.nanmax(distance))
    vm = data["vm_pu"].values[..., None] + share[:, None] * SPREAD
    phases = xr.DataArray(vm, dims=("strategy", "time", "bus", "phase"))
    data = data.drop_vars("vm_pu").assign(vm_pu=phases).assign_coords(phase=["a", "b", "c"])
    loading = result.dataset["transformer_loading_percent"].values
    carried = xr.DataArray(
        loading[..., None] * np.array([0.4, 1.0, 0.7]),
        dims=("strategy", "time", "transformer", "phase"),
    )
    data = data.assign(transformer_phase_loading_percent=carried)
    table = result.comparison.assign(unbalance_max_percent=1.234, neutral_current_max_a=87.3)
    manifest = {**result.manifest, "engine": "batched 1", "verified": {
        "lanes": 50, "vm_pu": 3e-9, "engine": "power-grid-model 1.12"}}  # fmt: skip
    return replace(result, dataset=data, comparison=table, manifest=manifest)


def test_the_worst_phase_is_found_by_bus_and_moment(three):
    low, high = departures(three, "uncontrolled")
    vm = view.counted_values(three, "vm_pu", "uncontrolled")
    vm[:, ~view.network_buses(three)] = np.nan
    away = vm - busbar_voltage(three, "uncontrolled")
    assert low.phase == 1
    assert low.vm_pu - low.busbar_pu == pytest.approx(np.nanmin(away))
    assert high.vm_pu - high.busbar_pu == pytest.approx(np.nanmax(away))
    limit = three.manifest["limits"]["drop_pu"]
    hours = (away < -limit).any(axis=(1, 2)).sum() * view.step_h(three)
    assert hours_outside(three, "uncontrolled", lower=True) == pytest.approx(hours)


def test_a_part_at_a_time_finds_the_same(three, monkeypatch):
    whole = departures(three, "uncontrolled"), hours_outside(three, "uncontrolled", lower=True)
    monkeypatch.setattr("gridimpact.report.voltage._AT_ONCE", 5_000)
    fresh = replace(three)
    parts = departures(fresh, "uncontrolled"), hours_outside(fresh, "uncontrolled", lower=True)
    assert parts == whole


def test_reading_voltages_leaves_them_as_they_are(three):
    before = three.dataset["vm_pu"].values.copy()
    departures(replace(three), "mix")
    assert np.array_equal(before, three.dataset["vm_pu"].values, equal_nan=True)


def test_words_name_the_phase(three):
    assert ", phase b: " in voltage_words(three, "uncontrolled")
    found = binding(three, "uncontrolled")
    assert found.kind != "bus" or found.name.endswith("phase b")


def test_each_phase_is_drawn_in_its_own_colour(three):
    drawn = voltage_profile(three)
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == [
        "phase a", "phase b", "phase c",
    ]  # fmt: skip
    tones = {line.get_color() for line in drawn.legends[0].get_lines()}
    assert tones == set(PHASE_COLOURS.values())
    assert ", phase b" in " ".join(text.get_text() for text in drawn.axes[0].texts)


def test_the_map_takes_the_furthest_phase(three, result):
    values, _, _ = shown_voltage(three, "uncontrolled")
    balanced, _, _ = shown_voltage(result, "uncontrolled")
    assert values.shape == (3 * len(balanced), balanced.shape[1])
    assert np.nanmin(values) < np.nanmin(balanced) - 0.5
    assert network_map(three).axes


def test_unbalance_has_a_column_and_the_engine_a_line(three, result):
    column = next(c for c in comparison_table(three).columns if c.metric == "unbalance_max_percent")
    assert (column.head, column.unit) == ("Unbalance, highest", "%")
    told = dict(facts(three))
    assert told["Power flow"] == "three-phase, batched 1"
    assert told["Checked"] == "50 steps again by power-grid-model 1.12, voltages within 3e-09 pu"
    assert "balanced" in dict(facts(result))["Power flow"]


def test_violations_name_the_phase(three):
    label = "uncontrolled"
    own = three.assessments[label]
    row = own.violations.iloc[:1].assign(kind="voltage_low", name="Home 7", phase="c", unit="pu")
    found = {label: replace(own, violations=pd.concat([row]))}
    told = replace(three, assessments=found)
    rows = violation_rows(told, violations_frame(told))
    assert rows[0]["element"] == "Home 7, phase c"
    assert element_words({"name": "Home 7", "phase": ""}) == "Home 7"
    assert element_words({"name": "Home 7", "phase": float("nan")}) == "Home 7"


def test_the_transformer_figure_peaks_at_the_loading_of_the_headline(three, result):
    worst = view.worst(three, "transformer_loading_percent", "uncontrolled")
    rating = float(three.network.grid.transformer_sn_kva[0])
    drawn = transformer_week(three)
    peaks = [np.nanmax(line.get_ydata()) for line in drawn.axes[0].get_lines()]
    assert any(peak == pytest.approx(worst.value * rating / 100.0) for peak in peaks)
    assert "worst phase" in drawn.axes[0].get_ylabel()
    assert "worst phase" not in transformer_week(result).axes[0].get_ylabel()


def test_every_loading_is_said_to_be_of_the_worst_phase(three, result):
    assert " % (worst phase, b; limit " in transformer_words(three, "uncontrolled")
    assert ", worst phase)" in line_words(three, "uncontrolled")
    assert " % (worst phase), " in effect_words(three, "mix")
    assert "worst phase" in duration(three).axes[0].get_ylabel()
    heads = {column.head for column in comparison_table(three).columns}
    assert {"Transformer, worst phase", "Line, worst phase"} <= heads
    assert "Transformer, highest" in {column.head for column in comparison_table(result).columns}
    assert text_table(three).endswith("Loadings are those of the worst phase.")
    assert max(map(len, text_table(three).split("\n"))) <= 100
    assert "phase" not in transformer_words(result, "uncontrolled")


def test_captions_hold_for_phases_only_where_there_are_phases(three, result):
    captions = {drawing.name: drawing.words(three) for drawing in FIGURES}
    for name in ("headroom", "transformer_week", "duration", "voltage_profile", "map"):
        assert "phase" in captions[name]
    assert all(drawing.words(result).startswith(drawing.caption) for drawing in FIGURES)
    assert captions["voltage_profile"] in page(three).replace("&#39;", "'")


def test_a_feeder_is_named_at_its_worst_phase_in_that_colour(three):
    ax = voltage_profile(three).axes[1]
    names = [text for text in ax.texts if text.get_text().startswith("feeder ")]
    assert len(names) == 3
    assert {text.get_text().partition(", ")[2] for text in names} == {"phase b"}
    assert {text.get_color() for text in names} == {PHASE_COLOURS["b"]}
    assert len({text.get_text() for text in names}) == 3


def test_a_feeder_whose_phases_run_together_has_no_worst_phase(three):
    level = three.dataset["vm_pu"].isel(phase=0, drop=True)
    data = three.dataset.drop_vars("vm_pu").assign(vm_pu=level.expand_dims(phase=3, axis=-1))
    ax = voltage_profile(replace(three, dataset=data)).axes[1]
    names = [text.get_text() for text in ax.texts if text.get_text().startswith("feeder ")]
    assert names
    assert not any("phase" in name for name in names)


def test_unbalance_and_neutral_current_are_told_with_place_and_time(three, result):
    label = "uncontrolled"
    moment = np.datetime64("2016-01-18T18:30")
    worst = pd.DataFrame(
        [("unbalance_max_percent", 4, "Home 9", "", moment, 1.234),
         ("neutral_current_max_a", 7, "Cable 8", "", moment, 87.3)],
        columns=["metric", "element", "name", "phase", "time", "value"],
    )  # fmt: skip
    own = three.assessments[label]
    found = {**three.assessments, label: replace(own, tables={**own.tables, "worst": worst})}
    words = unbalance_words(replace(three, assessments=found), label)
    assert words == (
        "Unbalance at most 1.2 % (Home 9, Mon 18 Jan 19:30); "
        "neutral current up to 87 A (Cable 8, Mon 18 Jan 19:30)."
    )
    assert unbalance_words(three, label) == "Unbalance at most 1.2 %; neutral current up to 87 A."
    assert unbalance_words(result, label) == ""


def test_unrated_lines_are_called_not_assessed_once(three):
    data = three.dataset.assign(line_loading_percent=three.dataset["line_loading_percent"] * np.nan)
    table = three.comparison.assign(lines_unrated=906.0)
    words = line_words(replace(three, dataset=data, comparison=table), "uncontrolled")
    assert words == "Line loading not assessed: 906 lines without ampacity."


def test_steps_solved_and_steps_assessed_are_told_apart(three):
    told = page(replace(three, manifest={**three.manifest, "steps": 1536, "steps_failed": 4}))
    assert "steps solved, warm-up days too" in told
    assert "of these failed" in told
    assert "on the assessed days, all strategies together" in told
