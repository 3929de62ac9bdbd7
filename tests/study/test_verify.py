"""Random steps solved again by another engine: which engine, what it compares, what it leaves out and why."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gridimpact.errors import InputError, MissingExtra
from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.network.tap_control import with_tap_controls
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine
from gridimpact.powerflow.volt_var import volt_var
from gridimpact.study import verify
from gridimpact.study.verify import Difference, compare_lanes, draw_lanes
from tests.powerflow import nets

STEPS = np.arange(3)


def study(network):
    """Return all that verification reads of a study."""
    return SimpleNamespace(network=network)


def loaded(network, size_kw=6.0, **more):
    """Return three steps of random power at every site, each on one phase."""
    position = {index: place for place, index in enumerate(network.grid.bus_index)}
    bus = [position[index] for index in network.sites["bus"]]
    given = nets.random_injections(
        bus, 3, size_kw, 1, phase_share=np.eye(3)[np.arange(len(bus)) % 3]
    )
    return replace(given, **more)


@pytest.fixture(scope="module")
def rural():
    return open_network("kerber_rural")


@pytest.fixture(scope="module")
def phased(rural):
    return with_phases(rural, zero_sequence="assume")


def test_lanes_are_drawn_once_each_and_the_same_for_the_same_seed():
    lanes = draw_lanes(50, 20, 7)
    assert len(set(lanes.tolist())) == 20
    assert lanes.tolist() == draw_lanes(50, 20, 7).tolist() != draw_lanes(50, 20, 8).tolist()
    assert draw_lanes(5, 20, 7).tolist() == [0, 1, 2, 3, 4]


def test_a_balanced_study_is_checked_by_pandapower_unless_told_otherwise(rural):
    given = loaded(rural)
    flow = BatchedEngine().solve(rural.grid, given)
    found = compare_lanes(study(rural), given, flow, STEPS)
    assert found.engine.startswith("pandapower")
    assert found.lanes == 3
    assert found.vm_pu < 1e-8
    assert found.line_loading_percent < 1e-4
    assert found.transformer_loading_percent < 1e-4
    assert found.skipped == {}


@pytest.mark.crosscheck
def test_power_grid_model_checks_where_it_is_named_and_by_default_in_three_phases(rural, phased):
    pytest.importorskip("power_grid_model")
    given = loaded(rural)
    flow = BatchedEngine().solve(rural.grid, given)
    found = compare_lanes(study(rural), given, flow, STEPS, "power-grid-model")
    assert found.engine.startswith("power-grid-model")
    assert 1e-10 < found.vm_pu < 2e-6
    flow = BatchedEngine().solve(phased.grid, given, FlowOptions(phases=3))
    found = compare_lanes(study(phased), given, flow, STEPS)
    assert found.engine.startswith("power-grid-model")
    assert found.lanes == 3
    assert 1e-10 < found.vm_pu < 2e-6


def test_runpp_3ph_checks_three_phases_where_power_grid_model_is_missing_or_cannot(
    phased, monkeypatch
):
    given = loaded(phased, connection=np.ones(len(phased.sites), dtype=np.int64))
    flow = BatchedEngine().solve(phased.grid, given, FlowOptions(phases=3))
    found = compare_lanes(study(phased), given, flow, STEPS[:1])
    assert "runpp_3ph" in found.engine
    assert found.lanes == 1
    assert found.vm_pu < 1e-6

    def missing(net):
        raise MissingExtra("not installed")

    monkeypatch.setattr(verify, "PgmEngine", missing)
    found = compare_lanes(study(phased), given, flow, STEPS[:1])
    assert "runpp_3ph" in found.engine
    with pytest.raises(MissingExtra):
        compare_lanes(study(phased), given, flow, STEPS[:1], "power-grid-model")


def test_a_falsified_result_is_found_at_its_size(rural):
    given = loaded(rural)
    flow = BatchedEngine().solve(rural.grid, given)
    for name, field, error in (
        ("vm_pu", "vm_pu", 1e-4),
        ("line_loading_percent", "line_loading_percent", 0.5),
        ("transformer_loading_percent", "transformer_loading_percent", -0.7),
    ):
        values = getattr(flow, name).copy()
        values[0, 1, -1] += error
        found = compare_lanes(study(rural), given, replace(flow, **{name: values}), STEPS)
        assert getattr(found, field) == pytest.approx(abs(error), rel=1e-2)


def test_steps_that_failed_are_counted_and_not_compared(rural):
    given = loaded(rural)
    p_kw = given.p_kw.copy()
    p_kw[0, 1] = 1e5
    given = replace(given, p_kw=p_kw)
    flow = BatchedEngine().solve(rural.grid, given)
    found = compare_lanes(study(rural), given, flow, STEPS)
    assert found.lanes == 2
    assert found.skipped == {"failed in the study itself": 1}
    none = compare_lanes(study(rural), given, flow, STEPS[1:2])
    assert (none.lanes, none.engine, none.skipped) == (0, "", {"failed in the study itself": 1})


def test_a_step_the_other_engine_does_not_solve_is_counted_with_its_name(rural):
    given = loaded(rural)
    flow = BatchedEngine().solve(rural.grid, given)
    p_kw = given.p_kw.copy()
    p_kw[0, 2] = 1e5
    found = compare_lanes(study(rural), replace(given, p_kw=p_kw), flow, STEPS)
    assert found.lanes == 2
    [(reason, count)] = found.skipped.items()
    assert count == 1
    assert reason.startswith("not solved by pandapower")


def test_what_no_other_engine_can_hold_is_skipped_with_the_reason(rural):
    given = loaded(rural)
    flow = PandapowerEngine(rural.net).solve(rural.grid, given)
    net = nets.everything()
    [(reason, count)] = compare_lanes(
        study(SimpleNamespace(net=net, grid=rural.grid)), given, flow, STEPS
    ).skipped.items()
    assert count == 3
    assert "cannot check it" in reason
    found = compare_lanes(study(rural), given, flow, STEPS, "pandapower")
    assert found.skipped == {"solved by pandapower, which alone can": 3}


def test_an_unknown_engine_is_refused(rural):
    given = loaded(rural)
    flow = BatchedEngine().solve(rural.grid, given)
    with pytest.raises(InputError, match="must be one of pandapower, power-grid-model"):
        compare_lanes(study(rural), given, flow, STEPS, "opendss")


def test_tap_changers_stand_where_the_study_left_them():
    network = open_network("lv_schutterwald_area")
    settings = {int(network.grid.transformer_index[0]): {"vm_set_pu": 1.0, "deadband_pu": 0.03}}
    network = with_tap_controls(network, settings)
    given = loaded(network, 4.0)
    given = replace(given, p_kw=given.p_kw * 0.1 + np.array([-3.0, 0.5, 2.5])[None, :, None])
    flow = BatchedEngine().solve(network.grid, given)
    assert len(np.unique(flow.tap_pos)) > 1
    found = compare_lanes(study(network), given, flow, STEPS)
    assert found.lanes == 3
    assert found.vm_pu < 1e-8


def test_answering_reactive_power_is_answered_anew(rural):
    given = loaded(rural)
    given = replace(given, p_kw=np.abs(given.p_kw) + np.array([0.0, 6.0, 12.0])[None, :, None])
    given = replace(given, volt_var=volt_var(np.arange(len(given.bus)), 25.0, "ieee_1547_b"))
    flow = BatchedEngine().solve(rural.grid, given)
    assert np.abs(flow.volt_var_q_kvar).max() > 0.5
    assert compare_lanes(study(rural), given, flow, STEPS).vm_pu < 1e-7


def test_differences_join_to_the_larger_of_each_kind():
    first = Difference(2, 1e-9, 3e-5, 1e-6, "a", {"failed": 1})
    second = Difference(1, 2e-9, 1e-5, 2e-6, "b", {"failed": 2, "lost": 1})
    joined = first.joined(second)
    assert joined == Difference(3, 2e-9, 3e-5, 2e-6, "a; b", {"failed": 3, "lost": 1})
    assert Difference().joined(first) == first
