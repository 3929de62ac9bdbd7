"""Tap changers lane by lane: each depends on itself alone, and solved groups come together again."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridimpact.conventions import Status
from gridimpact.network import with_tap_controls
from gridimpact.powerflow import BatchedEngine, FlowOptions, solve, solve_chunks
from gridimpact.powerflow.engine import KEPT
from gridimpact.records import Network
from tests.powerflow import nets
from tests.powerflow.tap_nets import held, opened, series, substation

RESULTS = (*KEPT, "status", "residual_kva", "tap_pos")


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(chunk=st.integers(1, 50), seed=st.integers(0, 100))
def test_a_lanes_positions_and_bytes_depend_on_that_lane_alone(chunk, seed):
    network = _shared()
    loads = nets.random_injections([2, 3, 5], 20, 400.0, seed, scenarios=2)
    loads.p_kw[..., :2] *= 20
    whole = solve(network, loads, FlowOptions(threads=1))
    for part in solve_chunks(network, loads, FlowOptions(threads=2), chunk):
        for name in RESULTS:
            expected = getattr(whole, name)[part.scenario, part.time]
            assert np.ascontiguousarray(expected).tobytes() == getattr(part.result, name).tobytes()


_KNOWN: list[Network] = []


def _shared() -> Network:
    if not _KNOWN:
        settings_ = {row: {"vm_set_pu": 1.01, "deadband_pu": 0.022} for row in (0, 1)}
        _KNOWN.append(with_tap_controls(opened(series()), settings_))
    return _KNOWN[0]


def test_a_lane_without_solution_has_no_position_and_spoils_no_other():
    network = held(substation())
    loads = nets.random_injections([2, 3, 4], 5, 9000.0, 3)
    calm = solve(network, loads)
    loads.p_kw[0, 2] = 1e6
    wild = solve(network, loads)
    assert wild.status[0].tolist() == [0, 0, Status.NOT_CONVERGED, 0, 0]
    assert np.isnan(wild.tap_pos[0, 2]).all()
    for name in RESULTS:
        rest = [0, 1, 3, 4]
        assert getattr(wild, name)[0, rest].tobytes() == getattr(calm, name)[0, rest].tobytes()
    texts = [note.text for note in wild.notes]
    assert "1 of 5 power flows have no solution that could be found; they are NaN." in texts


@pytest.mark.slow  # results in float32 have kernels of their own, half a minute to compile
def test_arrays_left_out_and_single_precision_come_as_without_tap_control():
    network = held(substation())
    loads = nets.random_injections([2, 3, 4], 9, 9000.0, 3)
    full = solve(network, loads)
    small = solve(network, loads, FlowOptions(keep=("losses_kw",), storage="float32"))
    assert small.vm_pu.size == 0
    assert small.losses_kw.dtype == np.float32
    np.testing.assert_array_equal(small.losses_kw, full.losses_kw.astype(np.float32))
    assert small.tap_pos.tobytes() == full.tap_pos.tobytes()


def test_demand_without_supply_is_counted_once():
    net = substation()
    lost = pp.create_bus(net, 20.0)
    loads = nets.injections([3, lost], [[[15000.0, 10.0], [-9000.0, 20.0]]], np.zeros((1, 2, 2)))
    found = solve(held(net), loads)
    assert found.unserved_kwh == pytest.approx(30.0 * 0.25)
    assert found.status[0].tolist() == [Status.UNSUPPLIED, Status.UNSUPPLIED]
    assert "2 power flows leave demand at buses without supply." in [n.text for n in found.notes]


def test_forgotten_positions_are_worked_out_anew(monkeypatch):
    import gridimpact.powerflow.tap_control as module

    loads = nets.random_injections([2, 3, 4], 12, 9000.0, 3)
    first = solve(held(substation()), loads)
    monkeypatch.setattr(module, "_REMEMBERED", 1)
    for network in (held(substation()), held(substation(), vm_set_pu=1.0), held(substation())):
        found = BatchedEngine().solve(network.grid, loads)
    for name in RESULTS:
        assert getattr(found, name).tobytes() == getattr(first, name).tobytes()


def test_lanes_are_sought_in_parts_of_any_size_with_the_same_bytes(monkeypatch):
    import gridimpact.powerflow.tap_control as module

    loads = nets.random_injections([2, 3, 4], 300, 9000.0, 3)
    network = held(substation())
    whole = solve(network, loads)
    monkeypatch.setattr(module, "_VALUES", 1)
    parts = solve(network, loads)
    for name in RESULTS:
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes()


def test_every_combination_of_positions_is_one_group_however_many_there_could_be():
    import gridimpact.powerflow.tap_control as module

    few = np.array([[0, 1], [2, 0], [0, 1], [2, 1]])
    for scale in (1, 2**40):
        groups = module._groups(few * scale, np.array([0, 1, 2, 3]))
        assert [index for index, _ in groups] == [(0, scale), (2 * scale, 0), (2 * scale, scale)]
        assert [lanes.tolist() for _, lanes in groups] == [[0, 2], [1], [3]]
