"""A report of a three-phase study names the phase that binds and tells unbalance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridimpact.report import view
from gridimpact.report.choice import binding
from gridimpact.report.figures import map as network_map
from gridimpact.report.figures import voltage_profile
from gridimpact.report.figures_voltage import PHASE_COLOURS
from gridimpact.report.findings import voltage_words
from gridimpact.report.html_parts import facts, violation_rows
from gridimpact.report.tables import comparison_table
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
    table = result.comparison.assign(unbalance_max_percent=1.234)
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
