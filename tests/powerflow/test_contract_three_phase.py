"""What every engine promises in three phases; a new engine is tested by one line in `ENGINES`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.conventions import Status
from gridimpact.errors import GridError, InputError
from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine
from gridimpact.powerflow.engine import ASKED, KEPT
from gridimpact.powerflow.pgm_engine import PgmEngine
from tests.powerflow import nets

ENGINES = {
    "batched": lambda net: BatchedEngine(),
    "pandapower": PandapowerEngine,
    "power-grid-model": PgmEngine,
}

THREE = FlowOptions(phases=3)
RESULTS = (*KEPT, "status", "residual_kva")


@pytest.fixture(scope="module")
def network():
    return with_phases(open_network(nets.village(), name="village"), zero_sequence="assume")


@pytest.fixture(params=ENGINES, scope="module")
def case(request, network):
    if request.param == "power-grid-model":
        pytest.importorskip("power_grid_model")
    return ENGINES[request.param](network.net), network.grid


def given(lanes=2):
    """Return elements on one phase, on two and unevenly on three."""
    share = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.3, 0.2]])
    return nets.random_injections([3, 4, 7], lanes, 25.0, 8, phase_share=share)


def test_results_have_a_phase_axis_where_the_record_says(case):
    engine, grid = case
    found = engine.solve(grid, given(), FlowOptions(phases=3, keep=KEPT + ASKED))
    buses, lines = len(grid.bus_index), len(grid.line_index)
    assert found.phases == 3
    assert found.vm_pu.shape == (1, 2, buses, 3)
    assert found.line_i_ka.shape == (1, 2, lines, 4)
    assert found.unbalance_percent.shape == found.unbalance_nema_percent.shape == (1, 2, buses)
    for name in ("loading_percent", "p_kw", "q_kvar"):
        assert getattr(found, f"transformer_phase_{name}").shape == (1, 2, 1, 3)
    worst = found.transformer_phase_loading_percent.max(axis=3)
    np.testing.assert_allclose(found.transformer_loading_percent, worst)
    assert not any("evenly" in note.text for note in found.notes)


def test_power_in_equals_power_drawn_plus_losses_and_phases_get_their_own(case):
    engine, grid = case
    some = given()
    found = engine.solve(grid, some, FlowOptions(phases=3, keep=KEPT + ASKED))
    balance = some.p_kw.sum(axis=2) + found.losses_kw
    np.testing.assert_allclose(found.transformer_p_kw[:, :, 0], balance, atol=1e-4)
    drawn = some.p_kw @ some.phase_share
    delivered = found.transformer_phase_p_kw[:, :, 0]
    assert (np.abs(delivered - drawn) < 0.1 * np.abs(drawn).max()).all()


def test_a_lane_without_solution_changes_no_other_lane(case):
    engine, grid = case
    calm = given()
    p_kw = calm.p_kw.copy()
    p_kw[0, 0] = 1e5
    found = engine.solve(grid, replace(calm, p_kw=p_kw), THREE)
    alone = engine.solve(grid, calm, THREE)
    assert found.status[0].tolist() == [Status.NOT_CONVERGED, Status.OK]
    for name in RESULTS:
        assert getattr(found, name)[0, 1].tobytes() == getattr(alone, name)[0, 1].tobytes()
    assert np.isnan(found.vm_pu[0, 0]).all()


def test_an_even_load_is_the_balanced_one(case):
    engine, grid = case
    even = nets.random_injections([3, 7], 1, 25.0, 8)
    found = engine.solve(grid, even, FlowOptions(phases=3, keep=(*KEPT, "unbalance_percent")))
    balanced = engine.solve(grid, even)
    np.testing.assert_allclose(found.vm_pu.mean(axis=3), balanced.vm_pu, atol=1e-7)
    np.testing.assert_allclose(found.losses_kw, balanced.losses_kw, atol=1e-5)
    assert found.unbalance_percent.max() < 1e-5


def test_only_the_arrays_asked_for_come_back(case):
    engine, grid = case
    found = engine.solve(
        grid, given(), FlowOptions(phases=3, keep=("losses_kw",), storage="float32")
    )
    assert found.losses_kw.dtype == np.float32
    assert found.vm_pu.size == found.line_loading_percent.size == 0


def test_a_grid_without_a_model_in_phases_is_refused(case):
    engine, grid = case
    with pytest.raises((GridError, InputError), match="phase"):
        engine.solve(replace(grid, phase_model=None), given(), THREE)
