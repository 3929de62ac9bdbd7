import numpy as np
import pytest
from scipy import stats

from gridimpact.hosting.capacity import (
    binding_table,
    capacity_table,
    feeder_table,
    risk_table,
    scenario_frame,
)
from gridimpact.records import (
    BINDING_COLUMNS,
    FEEDER_COLUMNS,
    FEEDER_DTYPE,
    LIMIT_BIT,
    RISK_COLUMNS,
    SCENARIO_DTYPE,
)
from tests.hosting.drawn_rows import LINE, VOLTAGE, asked, refined_rows, rows_of, rural

LEVELS = (10, 20)


def test_share_of_draws_that_violate_is_counted_at_the_levels_alone():
    hosted = np.repeat([5, 15, 25], [2, 30, 68])
    table = risk_table(refined_rows(hosted, LEVELS), asked(LEVELS, draws=(100, 100)))
    assert tuple(table.columns) == RISK_COLUMNS
    every = table[table.limit == "all"]
    assert every[["cars", "draws", "violated", "probability"]].to_numpy().tolist() == [
        [10, 100, 2, 0.02],
        [20, 100, 32, 0.32],
    ]
    for k, low, high in zip(every.violated, every.low, every.high, strict=True):
        own = stats.binomtest(int(k), 100).proportion_ci(0.95, method="exact")
        assert (low, high) == pytest.approx((own.low, own.high))
    assert table[table.limit == "line_loading"].probability.eq(0).all()


def first_rows():
    """Eight draws that pass at 10; seven fail at 20: voltage alone, lines alone, or both."""
    broken = np.array([VOLTAGE] * 3 + [VOLTAGE | LINE] * 2 + [LINE] * 2 + [0])
    rows = rows_of(np.arange(8)[:, None], [LEVELS], np.stack([0 * broken, broken], axis=1))
    grid = rural().grid
    far, near = int(np.nanargmax(grid.bus_distance_m)), int(np.flatnonzero(grid.bus_feeder == 1)[0])
    rows["voltage_bus"] = np.where(rows["draw"] < 4, far, near)
    rows["line"] = 2
    return rows, far, near


def test_draw_that_breaks_two_limits_counts_under_both():
    rows, far, near = first_rows()
    table = binding_table(rows, asked(LEVELS), rural())
    assert tuple(table.columns) == BINDING_COLUMNS
    assert table.limit.tolist() == ["voltage", "voltage", "line_loading"]
    assert table.draws.tolist() == [4, 1, 4]
    np.testing.assert_allclose(table.percent, 100 * table.draws / 7)
    grid, sites = rural().grid, rural().sites
    assert table.element.tolist() == [grid.bus_index[far], grid.bus_index[near], grid.line_index[2]]
    at_far = sites[sites["bus"] == grid.bus_index[far]]
    assert table.name[0] == (at_far["name"].iloc[0] if len(at_far) == 1 else grid.bus_name[far])
    assert table.name[2] == grid.line_name[2]
    assert table.feeder.tolist() == [
        grid.bus_feeder[far],
        1,
        max(grid.bus_feeder[grid.line_from[2]], grid.bus_feeder[grid.line_to[2]]),
    ]


def test_capacity_names_the_limit_that_binds_most_often_and_where():
    rows, _, _ = first_rows()
    rows["broken"][(rows["draw"] == 6) & (rows["cars"] == 20)] |= VOLTAGE
    own = capacity_table(rows, asked(LEVELS), rural()).iloc[0]
    assert own.binding == "voltage"
    assert own.binding_percent == pytest.approx(100 * 6 / 7)
    table = binding_table(rows, asked(LEVELS), rural())
    assert own.binding_element == f"{table.name[0]}, feeder {table.feeder[0]}"


def test_service_binds_at_no_element_and_a_fuse_at_its_meter():
    rows = rows_of(np.arange(4)[:, None], [[10]], LIMIT_BIT["service"])
    rows["broken"][:1] = LIMIT_BIT["connection"]
    rows["site"] = 5
    table = binding_table(rows, asked([10]), rural()).set_index("limit")
    assert table.loc["service", ["element", "name", "draws"]].tolist() == [-1, "", 3]
    site = rural().sites.iloc[5]
    assert table.loc["connection", ["element", "name"]].tolist() == [site["bus"], site["name"]]
    assert binding_table(rows[:0], asked([10]), rural()).empty


def test_feeder_is_green_without_violation_yellow_up_to_the_risk_and_red_above():
    draws, numbers = 20, np.array([1, 2, 3])
    rows = rows_of(np.arange(draws)[:, None], [LEVELS], 0)
    rows = np.concatenate([rows, rows_of(np.arange(draws), 13, VOLTAGE, refined=1)])
    feeders = np.zeros((len(rows), 3), FEEDER_DTYPE)
    feeders["feeder"] = numbers
    at_top = rows["cars"] == 20
    feeders["broken"][at_top & (rows["draw"] == 7), 1] = VOLTAGE
    feeders["broken"][at_top & (rows["draw"] < 2), 2] = LINE
    feeders["broken"][rows["refined"] == 1] = VOLTAGE
    table = feeder_table(rows, feeders, asked(LEVELS, risk=0.05), rural().grid)
    assert tuple(table.columns) == FEEDER_COLUMNS
    every = table[table.limit == "all"].set_index(["feeder", "cars"])
    assert every.probability.to_dict() == {
        (1, 10): 0, (1, 20): 0, (2, 10): 0, (2, 20): 0.05, (3, 10): 0, (3, 20): 0.1,
    }  # fmt: skip
    assert [every.colour[f, 20] for f in numbers] == ["green", "yellow", "red"]
    assert set(every.colour.xs(10, level="cars")) == {"green"}
    lines = table[(table.limit == "line_loading") & (table.cars == 20)]
    assert lines.probability.tolist() == [0, 0, 0.1]
    assert set(table.transformer) <= {*rural().grid.transformer_name, ""}
    assert feeder_table(rows[:0], feeders[:0], asked(LEVELS), rural().grid).empty


def test_table_of_scenarios_reads_without_the_program():
    rows = rows_of([0, 1], 10, [VOLTAGE | LINE, 0], strategy=1, refined=[0, 1])
    rows["line"], rows["voltage_bus"] = [3, -1], [0, -1]
    frame = scenario_frame(rows, asked(LEVELS, ("uncontrolled", "other")), rural())
    assert tuple(frame.columns) == SCENARIO_DTYPE.names
    assert frame.strategy.tolist() == ["other", "other"]
    assert frame.broken.tolist() == ["voltage, line_loading", ""]
    assert frame.line.tolist() == [rural().grid.line_name[3], ""]
    assert frame.refined.tolist() == [False, True]
    np.testing.assert_array_equal(frame.line_percent, rows["line_percent"])
    assert scenario_frame(rows[:0], asked(LEVELS), rural()).empty
