"""The phase model against the published European feeder, the balanced flow and pandapower."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from tests.network.phase_flow import solve_phases

_VOLT = 416 / np.sqrt(3)


@lru_cache(maxsize=1)
def _european():
    return with_phases(open_network("ieee_european_lv"))


def _star_at(network, powers_kw):
    """Return the published powers at power factor 0.95, (node, 3) [kVA]."""
    model, sites = network.grid.phase_model, network.sites
    star = np.zeros((len(model.node_vn_kv), 3), dtype=complex)
    bus = network.net.bus.index.get_indexer(sites.bus)
    phase = ["abc".index(p) for p in sites.phases]
    s = np.asarray(powers_kw) * (1 + 1j * np.tan(np.arccos(0.95)))
    np.add.at(star, (model.bus_node[bus], phase), s)
    return star


def _bus_volt(network, voltage, names):
    bus = names.astype(str).str.removeprefix("Bus").astype(int)
    node = network.grid.phase_model.bus_node[network.net.bus.index.get_indexer(bus)]
    return voltage[node]


@pytest.mark.reference
@pytest.mark.parametrize("minute", [1, 566, 1440])
def test_the_published_snapshots_are_met_within_a_millivolt(minute, reference):
    folder = reference / "reference/powerflow/ieee_european_lv"
    powers = pd.read_csv(folder / "inputs/profiles_1min_55.csv", index_col="minute")
    network = _european()
    found = solve_phases(network.grid.phase_model, _star_at(network, powers.loc[minute]))
    published = pd.read_csv(folder / f"expected_csv/snapshot_{minute:04d}_gridlabd_voltages.csv")
    published = published[published.node_name.str.startswith("Bus")]
    own = _VOLT * _bus_volt(network, found, published.node_name)
    wanted = published[[f"volt{p}_mag" for p in "ABC"]].to_numpy()
    assert own.shape == (906, 3)
    assert np.abs(np.abs(own) - wanted).max() < 1e-4
    angle = published[[f"volt{p}_angle" for p in "ABC"]].to_numpy()
    assert np.abs(own - wanted * np.exp(1j * angle)).max() < 1e-3
    other = pd.read_csv(folder / f"expected_csv/snapshot_{minute:04d}_opendss_voltages.csv")
    other = other[other.Bus.astype(str).str.isdigit()]
    own = _VOLT * np.abs(_bus_volt(network, found, other.Bus))
    assert own.shape == (906, 3)
    assert np.abs(own - other[[f"Magnitude{p}" for p in (1, 2, 3)]].to_numpy()).max() < 5e-3
