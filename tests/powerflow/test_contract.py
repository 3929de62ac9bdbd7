"""What every engine promises; a new engine is tested by one line in `ENGINES`."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridimpact.conventions import Status
from gridimpact.errors import FlowNotConverged, InputError
from gridimpact.powerflow import (
    BatchedEngine,
    Engine,
    FlowOptions,
    PandapowerEngine,
    require_converged,
    solve_in_chunks,
)
from gridimpact.powerflow.engine import KEPT
from gridimpact.powerflow.pgm_engine import PgmEngine
from tests.powerflow import nets

ENGINES = {
    "batched": lambda net: BatchedEngine(),
    "pandapower": PandapowerEngine,
    "power-grid-model": PgmEngine,
}

RESULTS = (*KEPT, "status", "residual_kva")


@pytest.fixture(params=ENGINES, scope="module")
def make(request):
    return ENGINES[request.param]


@pytest.fixture(scope="module")
def case(make):
    net = nets.village()
    return make(net), nets.grid_of(net)


def same_bytes(first, second, pick=slice(None)):
    for name in RESULTS:
        left, right = getattr(first, name)[:, pick], getattr(second, name)
        assert np.ascontiguousarray(left).tobytes() == np.ascontiguousarray(right).tobytes(), name


def test_an_engine_is_named_and_follows_the_protocol(case):
    engine, _ = case
    assert isinstance(engine, Engine)
    assert engine.name


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1000))
def test_permuted_lanes_give_permuted_results(case, seed):
    engine, grid = case
    given_ = nets.random_injections([2, 4, 5, 7], 4, 60.0, seed)
    order = np.random.default_rng(seed).permutation(4)
    permuted = replace(given_, p_kw=given_.p_kw[:, order], q_kvar=given_.q_kvar[:, order])
    found, again = engine.solve(grid, given_), engine.solve(grid, permuted)
    for name in RESULTS:
        assert getattr(found, name)[:, order].tobytes() == getattr(again, name).tobytes()


def test_a_batch_gives_the_same_bytes_as_a_loop_over_its_lanes(case):
    engine, grid = case
    given_ = nets.random_injections([2, 3, 7], 3, 80.0, 3)
    whole = engine.solve(grid, given_)
    for number in range(3):
        one = nets.injections(given_.bus, given_.p_kw[:, [number]], given_.q_kvar[:, [number]])
        same_bytes(whole, engine.solve(grid, one), [number])


def test_a_lane_without_solution_changes_no_other_lane(case):
    engine, grid = case
    given_ = nets.random_injections([2, 3, 7], 4, 50.0, 4)
    calm = engine.solve(grid, given_)
    p_kw = given_.p_kw.copy()
    p_kw[0, 2] = 1e5
    wild = engine.solve(grid, replace(given_, p_kw=p_kw))
    assert wild.status[0].tolist() == [0, 0, Status.NOT_CONVERGED, 0]
    for name in RESULTS:
        found, expected = getattr(wild, name)[0], getattr(calm, name)[0]
        assert found[[0, 1, 3]].tobytes() == expected[[0, 1, 3]].tobytes()
    for name in (*KEPT, "residual_kva"):
        assert np.isnan(getattr(wild, name)[0, 2]).all()


def test_one_thread_and_two_give_the_same_bytes(case):
    engine, grid = case
    lanes = 100 if isinstance(engine, BatchedEngine) else 3
    given_ = nets.random_injections([2, 3, 7], lanes, 80.0, 5)
    one = engine.solve(grid, given_, FlowOptions(threads=1))
    same_bytes(one, engine.solve(grid, given_, FlowOptions(threads=2)))
    same_bytes(one, engine.solve(grid, given_, FlowOptions(threads=5)))


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_chunks_of_any_size_give_the_same_bytes_and_cover_every_lane_once(case, chunk):
    engine, grid = case
    given_ = nets.random_injections([2, 7], 3, 80.0, 6, scenarios=2)
    whole = engine.solve(grid, given_)
    seen = np.zeros((2, 3), dtype=int)
    for part in solve_in_chunks(engine, grid, given_, None, chunk):
        seen[part.scenario, part.time] += 1
        assert part.result.status.size <= max(chunk, 1)
        assert part.injections.timeline.count == part.result.status.shape[1]
        for name in RESULTS:
            expected = getattr(whole, name)[part.scenario, part.time]
            assert np.ascontiguousarray(expected).tobytes() == getattr(part.result, name).tobytes()
    assert (seen == 1).all()


def test_a_chunk_holds_at_least_one_lane(case):
    engine, grid = case
    with pytest.raises(InputError, match="at least one lane"):
        next(solve_in_chunks(engine, grid, nets.random_injections([2], 2, 1.0), None, 0))


@pytest.mark.parametrize("power_factor", [1.0, 0.95, 0.8])
def test_two_bus_collapse_is_found_where_the_closed_form_puts_it(make, power_factor):
    # Largest power over an impedance |z| at angle theta: |S| = E^2 / (2 |z| (1 + cos(theta - phi))).
    net = nets.two_bus()
    z = complex(0.4, 0.3)
    phi = np.arccos(power_factor)
    s_max_kva = 1e3 * 0.4**2 / (2 * abs(z) * (1 + np.cos(np.angle(z) - phi)))
    size = s_max_kva * np.array([0.2, 0.9, 0.9999, 1.001, 1.3])
    found = make(net).solve(
        nets.grid_of(net),
        nets.injections(
            [1], (size * np.cos(phi)).reshape(1, 5, 1), (size * np.sin(phi)).reshape(1, 5, 1)
        ),
    )
    lost = Status.NOT_CONVERGED
    assert found.status[0].tolist() == [0, 0, 0, lost, lost]
    # v^4 + (2 (r p + x q) - 1) v^2 + |z|^2 |s|^2 = 0 in units of the source voltage.
    drop = size / (1e3 * 0.4**2) * (z * np.exp(-1j * phi)).real
    square = (size / (1e3 * 0.4**2)) ** 2 * abs(z) ** 2
    solvable = np.maximum((1 - 2 * drop) ** 2 - 4 * square, 0.0)
    vm_pu = np.sqrt((1 - 2 * drop + np.sqrt(solvable)) / 2)
    np.testing.assert_allclose(found.vm_pu[0, :2, 1], vm_pu[:2], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.vm_pu[0, 2, 1], vm_pu[2], rtol=0, atol=1e-6)
    assert np.isnan(found.vm_pu[0, 3:]).all()
    assert not np.isnan(found.residual_kva[0, :3]).any()


def test_it_says_when_no_lane_is_solved(make):
    net = nets.two_bus()
    found = make(net).solve(nets.grid_of(net), nets.injections([1], [[[1e4], [2e4]]], [[[0], [0]]]))
    with pytest.raises(FlowNotConverged, match="none of 2") as error:
        require_converged(found)
    assert error.value.failed.tolist() == [[True, True]]
    assert any("no solution" in note.text for note in found.notes)


def test_implausible_voltage_is_marked_and_not_reported(make):
    net = nets.two_bus()
    given_ = nets.injections([1], [[[50.0], [5.0], [-220.0]]], [[[0], [0], [0]]])
    options = FlowOptions(vm_plausible_pu=(0.9, 1.25))
    found = make(net).solve(nets.grid_of(net), given_, options)
    assert found.status[0].tolist() == [Status.IMPLAUSIBLE, Status.OK, Status.IMPLAUSIBLE]
    assert np.isnan(found.vm_pu[0, 0]).all()
    assert require_converged(found).tolist() == [[False, True, False]]


def test_no_argument_is_written_to(make):
    net = nets.everything(uneven=False)
    grid = nets.grid_of(net)
    bus = np.flatnonzero(grid.bus_supplied)
    given_ = nets.random_injections(bus, 2, 5.0)
    tables = {name: net[name].copy() for name in ("bus", "line", "trafo", "load", "shunt")}
    frozen = [getattr(r, f.name) for r in (grid, grid.admittance, given_) for f in fields(r)]
    arrays = [value for value in frozen if isinstance(value, np.ndarray)]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    make(net).solve(grid, given_)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
    for name, table in tables.items():
        assert net[name].equals(table)
    assert not len(net.res_bus)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_injections_that_are_no_numbers_are_refused_with_their_place(case, value):
    engine, grid = case
    given_ = nets.random_injections([2, 4], 3, 5.0)
    given_.p_kw[0, 2, 1] = value
    given_.q_kvar[0, 1, 0] = value
    with pytest.raises(InputError) as error:
        engine.solve(grid, given_)
    assert "p_kw scenario 0, step 2, element 1" in str(error.value)
    assert "q_kvar scenario 0, step 1, element 0" in str(error.value)


def test_demand_without_supply_is_reported_and_spoils_nothing_else(make):
    net = nets.everything(uneven=False)
    grid = nets.grid_of(net)
    dark = int(np.flatnonzero(~grid.bus_supplied)[0])
    given_ = nets.injections(
        [7, dark, dark],
        [[[4.0, 0.0, -1.0], [4.0, 2.0, -5.0], [4.0, 3.0, 1.0]]],
        np.zeros((1, 3, 3)),
    )
    found = make(net).solve(grid, given_)
    assert found.status[0].tolist() == [Status.OK, Status.UNSUPPLIED, Status.UNSUPPLIED]
    assert found.unserved_kwh == pytest.approx((2.0 + 3.0 + 1.0) * 0.25)
    assert np.isnan(found.vm_pu[0][:, ~grid.bus_supplied]).all()
    assert not np.isnan(found.vm_pu[0][:, grid.bus_supplied]).any()
    assert require_converged(found).all()


def test_power_in_equals_power_drawn_plus_losses(case):
    engine, grid = case
    given_ = nets.random_injections([2, 3, 5, 7], 3, 60.0, 8)
    found = engine.solve(grid, given_)
    balance = given_.p_kw.sum(axis=2) + found.losses_kw
    np.testing.assert_allclose(found.transformer_p_kw[:, :, 0], balance, atol=1e-6)
    assert (found.losses_kw > 0).all()


def test_only_the_arrays_asked_for_come_back(case):
    engine, grid = case
    given_ = nets.random_injections([2, 7], 3, 60.0, 9)
    full = engine.solve(grid, given_)
    for name in KEPT:
        found = engine.solve(grid, given_, FlowOptions(keep=(name,)))
        assert getattr(found, name).tobytes() == getattr(full, name).tobytes()
        assert all(getattr(found, other).size == 0 for other in KEPT if other != name)
        assert found.status.shape == (1, 3)


@pytest.mark.slow  # results in float32 have kernels of their own, half a minute to compile
def test_float32_storage_is_the_rounded_float64(case):
    engine, grid = case
    given_ = nets.random_injections([2, 7], 3, 60.0, 10)
    full = engine.solve(grid, given_)
    small = engine.solve(grid, given_, FlowOptions(storage="float32"))
    for name in KEPT:
        assert getattr(small, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(small, name), getattr(full, name).astype(np.float32))


def test_uneven_phases_are_named_as_an_assumption(case):
    engine, grid = case
    one_phase = np.array([[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    found = engine.solve(grid, nets.random_injections([2, 7], 1, 5.0, phase_share=one_phase))
    assert [note.kind for note in found.notes] == ["assumption"]
    assert found.notes[0].text.startswith("1 elements")


def test_a_network_without_elements_idles_at_its_no_load_voltage(case):
    engine, grid = case
    found = engine.solve(grid, nets.injections([], np.zeros((1, 2, 0)), np.zeros((1, 2, 0))))
    assert (found.status == 0).all()
    assert np.all(np.abs(found.vm_pu - 1.01) < 0.01)
    assert np.all(found.transformer_p_kw > 0)
