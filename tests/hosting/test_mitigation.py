"""What is offered against what binds, what it costs, and that real scans rank it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from gridimpact.hosting.measures import Costs, lines_to, measures_for
from gridimpact.hosting.mitigation import mitigate
from gridimpact.hosting.options import RunOptions
from gridimpact.records import BINDING_COLUMNS, MITIGATION_COLUMNS, ScanSettings
from tests.hosting.evaluate_case import DAYS, study

IN_PROCESS = RunOptions(workers=0, progress=False)


def binding(*rows: tuple[str, int]) -> pd.DataFrame:
    """Return what binds in every draw: limit and element."""
    table = [("uncontrolled", limit, element, "", 1, 10, 100.0) for limit, element in rows]
    return pd.DataFrame(table, columns=list(BINDING_COLUMNS))


def names(spec, table):
    return [measure.name for measure in measures_for(spec, table, Costs())]


def test_only_what_touches_the_binding_limit_is_offered():
    spec = study()
    bus = int(spec.network.grid.bus_index[-1])
    transformer = int(spec.network.grid.transformer_index[0])
    line = int(spec.network.grid.line_index[0])
    assert names(spec, binding(("transformer_loading", transformer))) == ["transformer"]
    assert names(spec, binding(("line_loading", line))) == ["cable"]
    assert set(names(spec, binding(("voltage", bus)))) >= {"cable", "volt_var"}
    assert names(spec, binding(("service", -1))) == []
    rare = binding(("transformer_loading", transformer)).assign(percent=1.0)
    assert names(spec, rare) == []


def test_lines_to_a_bus_are_those_on_its_way_from_the_busbar():
    grid = gi.open_network("kerber_village_250kva").grid
    far = int(np.nanargmax(grid.bus_distance_m))
    way = lines_to(grid, [far])
    assert grid.line_length_m[sorted(way)].sum() == pytest.approx(grid.bus_distance_m[far])
    assert lines_to(grid, [int(grid.transformer_lv[0])]) == set()


def test_prices_lie_on_straight_lines_between_ratings():
    costs = Costs(transformer_eur={100.0: 5000.0, 300.0: 9000.0})
    assert costs.of_transformer(200.0) == pytest.approx(7000.0)
    assert costs.of_transformer(600.0) == pytest.approx(18000.0)
    with pytest.raises(InputError, match="tap_eur: is -1"):
        Costs(tap_eur=-1.0)


def test_a_larger_transformer_hosts_more_cars_where_it_binds_and_the_cheapest_gain_comes_first():
    spec = dataclasses.replace(
        study(),
        limits=dataclasses.replace(study().limits, drop_pu=0.5, hot_spot_c=None, fuse_percent=None),
    )
    rows = {"uncontrolled": gi.Uncontrolled(), "g2v_average_rate": gi.g2v.AverageRate()}
    settings = ScanSettings(
        cars=(4, 8), labels=tuple(rows), managed={k: k for k in rows},
        firm=dict.fromkeys(rows, "uncontrolled"), days=DAYS, draws=(3, 3), risk=0.3, seed=1,
    )  # fmt: skip
    found = mitigate(spec, settings, rows, draws=3, run=IN_PROCESS)
    assert list(found.columns) == list(MITIGATION_COLUMNS)
    by_name = found.set_index("measure")
    assert found["measure"].iloc[0] == "as it is"
    assert by_name.loc["as it is", "binding"] == "transformer_loading"
    larger = by_name.loc["transformer"]
    assert larger["at_risk"] > by_name.loc["as it is", "at_risk"]
    assert larger["eur_per_car"] == pytest.approx(larger["cost_eur"] / larger["gained"])
    assert larger["cost_eur"] == pytest.approx(Costs().of_transformer(100.0))
    price = found.loc[found["step"] == 1, "eur_per_car"].dropna()
    assert price.is_monotonic_increasing


def test_a_strategy_that_was_not_scanned_is_told():
    settings = ScanSettings(cars=(4,), labels=("a",), managed={"a": "a"}, firm={})
    with pytest.raises(InputError, match="no strategy 'b' in the scan; there are a"):
        mitigate(study(), settings, {}, strategy="b")
