"""The batched engine against runpp and power-grid-model on SimBench networks, where they are installed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gridimpact.network import open_network
from gridimpact.powerflow import BatchedEngine
from tests.powerflow import nets
from tests.powerflow.test_accuracy import HEAVIER, at_sites

pytest.importorskip("simbench", reason="SimBench networks come with the extra simbench")

CODES = (
    "1-LV-rural1--0-sw",
    "1-LV-urban6--0-sw",
    "1-LV-semiurb4--0-sw",
    "1-MV-semiurb--0-sw",
    "1-MV-rural--0-sw",
)

pytestmark = pytest.mark.slow


@cache
def bench(code):
    return open_network(f"simbench:{code}")


@pytest.mark.parametrize("code", CODES)
def test_simbench_networks_agree_with_pandapower_light_heavy_and_reversed(code):
    network, engine = bench(code), BatchedEngine()
    trial = engine.solve(network.grid, at_sites(network, HEAVIER))
    low = np.where(trial.status[0] == 0, np.nan_to_num(trial.vm_pu[0], nan=9.0).min(axis=1), 0.0)
    heavy = HEAVIER[np.flatnonzero(low > 0.85)[-1]]
    given = at_sites(network, [0.1, heavy, -1.0])
    found = engine.solve(network.grid, given)
    assert (found.status == 0).all()
    assert found.vm_pu[0, 1].min() < found.vm_pu[0, 0].min() < found.vm_pu[0, 2].max()
    for number in range(3):
        net = nets.plain_runpp(
            network.net, given.bus, given.p_kw[0, number], given.q_kvar[0, number]
        )
        nets.assert_agrees(net, network.grid, nets.lane(found, number))


@pytest.mark.crosscheck
@pytest.mark.parametrize("code", CODES)
def test_simbench_networks_agree_with_power_grid_model(code):
    pytest.importorskip("power_grid_model")
    from gridimpact.powerflow.pgm_engine import PgmEngine

    network = bench(code)
    given = at_sites(network, [0.1, 0.7, -0.7])
    found = BatchedEngine().solve(network.grid, given)
    expected = PgmEngine(network.net).solve(network.grid, given)
    assert (expected.status == 0).all()
    supplied = network.grid.bus_supplied
    np.testing.assert_allclose(
        found.vm_pu[..., supplied], expected.vm_pu[..., supplied], rtol=0, atol=2e-6
    )
