"""A network goes to the engine that can solve it, by itself and visibly."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network import open_network, with_phases
from gridimpact.powerflow import (
    BatchedEngine,
    Engine,
    PandapowerEngine,
    engine_for,
    solve,
    solve_chunks,
)
from tests.network.nets import feeder
from tests.powerflow import nets


def held(bus=3, **more):
    net = feeder()
    pp.create_gen(net, bus, **({"p_mw": 0.02, "vm_pu": 1.01} | more))
    return net


def test_a_network_without_held_voltages_goes_to_the_batched_engine():
    network = open_network(feeder())
    for source in (network, network.grid):
        assert isinstance(engine_for(source), BatchedEngine)


def test_a_generator_brings_pandapower_in_and_the_result_says_so():
    network = open_network(held())
    engine = engine_for(network)
    assert isinstance(engine, PandapowerEngine)
    assert isinstance(engine, Engine)
    loads = nets.random_injections([2, 4], 4, 10.0, 1)
    found = solve(network, loads)
    assert found.engine.startswith("pandapower")
    assert found.notes[0].text.startswith(
        "solved by pandapower step by step because of generator 0 (holds its voltage); about 20 ms"
    )
    np.testing.assert_allclose(found.vm_pu[0, :, 3], 1.01, atol=1e-9)
    assert any("no limits of reactive power" in note.text for note in found.notes)
    parts = list(solve_chunks(network, loads, chunk=3))
    assert [part.result.status.size for part in parts] == [3, 1]
    joined = np.concatenate([part.result.vm_pu for part in parts], axis=1)
    assert joined.tobytes() == found.vm_pu.tobytes()


def test_a_grid_alone_that_needs_pandapower_is_refused_with_the_way_out():
    grid = open_network(held()).grid
    loads = nets.random_injections([2, 4], 1, 10.0, 1)
    for ask in (engine_for, lambda g: solve(g, loads), lambda g: BatchedEngine().solve(g, loads)):
        with pytest.raises(GridError, match=r"cannot follow generator 0 .* solve the network"):
            ask(grid)


def test_many_elements_are_counted_after_the_first():
    net = feeder(homes=8)
    for bus in range(3, 10):
        pp.create_gen(net, bus, p_mw=0.001, vm_pu=1.0)
    network = open_network(net)
    found = solve(network, nets.injections([2], [[[1.0]]], [[[0.0]]]))
    assert "generator 2 (holds its voltage) and 4 more" in found.notes[0].text
    with pytest.raises(GridError, match="and 2 more"):
        engine_for(network.grid)


def test_progress_is_told_lane_by_lane():
    seen = []
    network = open_network(held())
    engine = engine_for(network, progress=lambda done, total: seen.append((done, total)))
    engine.solve(network.grid, nets.random_injections([2], 3, 5.0))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_generator_out_of_service_or_at_a_dead_bus_changes_nothing():
    off = held(in_service=False)
    dead = held()
    dead.bus.loc[4, "in_service"] = False
    dead.gen.loc[0, "bus"] = 4
    dead.line.loc[2, "in_service"] = False
    dead.load.loc[2, "in_service"] = False
    for net in (off, dead):
        network = open_network(net)
        assert network.grid.beyond_batched == ()
        assert isinstance(engine_for(network), BatchedEngine)
    notes = [note.text for note in open_network(dead).notes]
    assert "generator, row 0: at a bus out of service, does nothing" in notes


def test_a_slack_generator_with_its_external_grid_out_of_service_is_a_source():
    net = feeder()
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 0, p_mw=0.0, vm_pu=1.03, slack=True)
    network = open_network(net)
    assert network.grid.beyond_batched == ()
    found = solve(network, nets.injections([2], [[[5.0]]], [[[0.0]]]))
    assert found.vm_pu[0, 0, 0] == pytest.approx(1.03)


def test_two_sources_of_one_set_point_at_one_bus_act_as_one():
    net = feeder()
    loads = nets.injections([2], [[[5.0]]], [[[0.0]]])
    one = solve(open_network(net), loads)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    two = solve(open_network(net), loads)
    np.testing.assert_allclose(two.vm_pu, one.vm_pu, rtol=0, atol=1e-12)


def test_three_phases_refuse_what_holds_a_voltage():
    with pytest.raises(GridError, match="three phases cannot follow generator 0"):
        with_phases(open_network(held()), zero_sequence="assume")


def test_a_generators_power_without_its_own_limits_is_told():
    notes = [note.text for note in open_network(held(p_mw=0.02, scaling=0.5)).notes]
    assert "1 generators that hold a voltage feed their own 10 kW at every step" in notes


def test_a_written_network_keeps_what_holds_a_voltage(tmp_path):
    from gridimpact.network.writer import write_network

    network = open_network(held())
    write_network(network, tmp_path / "net.json", keep_loads=True)
    again = open_network(tmp_path / "net.json")
    assert again.grid.beyond_batched == network.grid.beyond_batched
