"""Reactive power answered around an engine ends where the one answered inside does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridimpact.conventions import Status
from gridimpact.powerflow import BatchedEngine, FlowOptions, PandapowerEngine
from gridimpact.powerflow.volt_var import volt_var
from tests.powerflow.nets import grid_of, injections, two_bus


def test_a_voltage_that_is_implausible_only_on_the_way_is_no_failure():
    net = two_bus(0.3, 0.3)
    grid = grid_of(net)
    still = injections([1], np.full((1, 1, 1), -40.0), np.zeros((1, 1, 1)))
    flow = replace(still, volt_var=volt_var([0], 60.0))
    high, held = (float(BatchedEngine().solve(grid, f).vm_pu[0, 0, 1]) for f in (still, flow))
    chosen = FlowOptions(vm_plausible_pu=(0.5, (high + held) / 2))
    inside, around = (e.solve(grid, flow, chosen) for e in (BatchedEngine(), PandapowerEngine(net)))
    assert inside.status[0, 0] == around.status[0, 0] == Status.OK
    np.testing.assert_allclose(around.vm_pu, inside.vm_pu, rtol=0, atol=1e-7)
    low = FlowOptions(vm_plausible_pu=(0.5, (1.0 + held) / 2))
    inside, around = (e.solve(grid, flow, low) for e in (BatchedEngine(), PandapowerEngine(net)))
    assert inside.status[0, 0] == around.status[0, 0] == Status.IMPLAUSIBLE


def test_active_power_beyond_the_rating_is_told_by_every_engine():
    net = two_bus(0.1, 0.1)
    still = injections([1], np.full((1, 1, 1), -12.0), np.zeros((1, 1, 1)))
    flow = replace(still, volt_var=volt_var([0], 10.0))
    for engine in (BatchedEngine(), PandapowerEngine(net)):
        notes = engine.solve(grid_of(net), flow).notes
        assert sum(note.where == "Volt-VAr" for note in notes) == 1
