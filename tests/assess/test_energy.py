import dataclasses

import numpy as np
import pytest

from gridimpact.assess import EnergyReducer, assess
from gridimpact.assess.energy import slack_transformers
from tests.assess.case import context, request, segment, street, timeline


def test_import_and_export_are_read_at_the_transformer_and_not_netted():
    power = np.full((1, 8, 1), 40.0)
    power[0, 4:] = -10.0
    solved = segment(8, flow_changes={"transformer_p_kw": power})
    result = assess(context(), solved, "x")
    assert result.summary["energy_import_kwh"] == 40.0
    assert result.summary["energy_export_kwh"] == 10.0
    assert result.summary["losses_kwh"] == 2.0


def test_failed_lanes_give_no_energy():
    status = np.zeros((1, 8), dtype=np.int8)
    status[0, 2:4] = 1
    solved = segment(8, flow_changes={"status": status})
    result = assess(context(), solved, "x")
    assert result.summary["losses_kwh"] == 1.5
    assert result.summary["energy_import_kwh"] == 60.0


def test_demand_without_supply_is_said_and_spoils_nothing_else():
    status = np.zeros((1, 8), dtype=np.int8)
    status[0, 2:5] = 2
    result = assess(context(), segment(8, flow_changes={"status": status}), "x")
    assert result.summary["lanes_failed"] == 0.0
    assert result.summary["losses_kwh"] == 2.0
    assert any("3 of 8 power flows leave demand" in note.text for note in result.notes)
    verdict = result.tables["verdicts"].set_index("subject").loc["power_flow", "verdict"]
    assert verdict == "fail"


def line_fed():
    grid = street()
    admittance = dataclasses.replace(grid.admittance, slack_node=np.array([1]))
    return dataclasses.replace(grid, admittance=admittance)


def test_where_lines_leave_the_source_the_meters_and_losses_are_summed():
    solved = segment(8)
    asked = request(timeline(8), [(0, 0, 0, 8, 0.8)], load_kw=2.0)
    metered = dataclasses.replace(solved, request=asked)
    result = assess(context(line_fed()), metered, "x")
    assert result.summary["energy_import_kwh"] == pytest.approx((4 * 2.0 + 1.0) * 2)
    assert any("sum of meters and losses" in note.text for note in result.notes)
    blind = assess(context(line_fed()), solved, "x")
    assert blind.summary["energy_import_kwh"] is None
    assert any("exchange with upstream is not assessed" in note.text for note in blind.notes)


def test_slack_transformers_are_those_whose_upper_side_is_the_source():
    transformers, complete = slack_transformers(street())
    assert (transformers.tolist(), complete) == ([0], True)
    transformers, complete = slack_transformers(line_fed())
    assert (transformers.tolist(), complete) == ([], False)


def test_an_empty_reducer_finishes():
    found = EnergyReducer.start(context()).finish()
    assert found.import_kwh is None
    assert found.losses_kwh.tolist() == [0.0]
