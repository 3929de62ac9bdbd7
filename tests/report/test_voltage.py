"""Voltages are judged by the share of the band they use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.report.choice import binding
from gridimpact.report.voltage import (
    Band,
    band,
    busbar_voltage,
    departures,
    hours_outside,
    worst_departure,
)


def with_limits(result, **limits):
    return replace(result, manifest={**result.manifest, "limits": limits})


def test_busbar_is_the_supplied_side_of_the_transformer(result):
    vm = result.dataset["vm_pu"].sel(strategy="mix").values
    reference = busbar_voltage(result, "mix")
    assert np.array_equal(reference[:, 2:], np.repeat(vm[:, [1]], vm.shape[1] - 2, axis=1))
    # The bus above the transformer is counted from the source.
    assert np.all(reference[:, 0] == 1.0)


def test_hours_outside_agree_with_the_comparison(result):
    for label in result.comparison.index:
        found = hours_outside(result, label, lower=True) + hours_outside(result, label, lower=False)
        assert found == pytest.approx(result.comparison.at[label, "voltage_hours_outside"])


def test_use_is_one_exactly_at_the_limit(result):
    low, _ = departures(result, "uncontrolled")
    drop = low.busbar_pu - low.vm_pu
    at_limit = with_limits(result, drop_pu=drop, rise_pu=0.03)
    assert departures(at_limit, "uncontrolled")[0].use == pytest.approx(1.0)
    assert hours_outside(at_limit, "uncontrolled", lower=True) == 0.0


def test_the_tighter_of_absolute_and_relative_limit_holds():
    both = Band(low=0.9, high=1.1, drop=0.05, rise=0.03)
    assert both.bounds(1.0) == pytest.approx((0.95, 1.03))
    assert both.bounds(0.93) == pytest.approx((0.90, 0.96))
    assert not both.relative
    assert np.isnan(Band(np.nan, np.nan, np.nan, 0.03).bounds(1.0)[0])


def test_without_limits_the_lowest_voltage_is_shown_and_nothing_binds_on_it(result):
    free = with_limits(result, name="none")
    low = worst_departure(free, "uncontrolled")
    counted = result.dataset["vm_pu"].sel(strategy="uncontrolled").where(result.dataset["counted"])
    assert low.vm_pu == pytest.approx(float(counted.isel(bus=slice(1, None)).min()))
    assert np.isnan(low.use)
    assert binding(free, "uncontrolled") is None


def test_medium_voltage_limits_apply_where_no_bus_is_low_voltage(result):
    grid = replace(result.network.grid, bus_vn_kv=np.full(58, 20.0))
    above = replace(
        with_limits(result, vm_min_pu=0.9, mv_min_pu=0.975, drop_pu=0.05),
        network=replace(result.network, grid=grid),
    )
    assert band(above).low == 0.975
    assert np.isnan(band(above).drop)


def test_the_element_that_uses_most_of_its_limit_binds(result):
    tight = with_limits(result, transformer_loading_percent=100.0, drop_pu=0.2, rise_pu=0.2)
    assert binding(tight, "uncontrolled").kind == "transformer"
    assert binding(with_limits(result, line_loading_percent=1.0), "mix").kind == "line"
    assert binding(with_limits(result, drop_pu=0.01), "mix").kind == "bus"
