"""Every result variable and metric is named once, with unit and meaning."""

from __future__ import annotations

from gridimpact.conventions import METRICS, POSITIVE_DRAWS, VARIABLES, attributes


def test_units_stand_in_the_names():
    suffix = {"kW": "_kw", "kvar": "_kvar", "kWh": "_kwh", "degC": "_c", "%": "_percent"}
    for variable in VARIABLES.values():
        if variable.unit in suffix:
            assert variable.name.endswith(suffix[variable.unit]), variable.name
    for metric in METRICS.values():
        if metric.unit in suffix and metric.unit != "degC":
            assert suffix[metric.unit] in metric.name, metric.name


def test_power_says_its_sign():
    for name, variable in VARIABLES.items():
        if variable.unit in ("kW", "kvar") and name != "losses_kw":
            assert attributes(name)["sign"] == POSITIVE_DRAWS


def test_every_metric_says_which_way_is_better():
    assert {m.better for m in METRICS.values()} <= {"low", "high", "none"}
