"""The twelve published cases of the IEEE four-node feeder: every voltage and current."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from tests.network.kersting import CASES, kersting_case
from tests.network.phase_flow import STAR_TO_DELTA, branch_currents, solve_phases


def _complex(text):
    size, angle = re.fullmatch(r"([\d.]+)([+-][\d.]+)d", text).groups()
    return float(size) * np.exp(1j * np.deg2rad(float(angle)))


def _found(model, voltage, node, quantity):
    kind, _, place = quantity.rpartition("_")
    number = int(re.search(r"\d+", node).group())
    if kind.startswith("current"):
        line = 0 if number == 12 else 1
        current = branch_currents(model, voltage)[model.line_branch[line], 0]
        return 1e3 * current["ABC".index(place)]
    at = model.bus_node[number - 1]
    volt = voltage[at] * model.node_vn_kv[at] * 1e3 / np.sqrt(3)
    if len(place) == 1:
        return volt["ABC".index(place)]
    return (STAR_TO_DELTA @ volt)[["AB", "BC", "CA"].index(place)]


@pytest.mark.reference
@pytest.mark.parametrize(("load", "step", "windings"), CASES)
def test_every_published_value_of_the_four_node_feeder_is_met(load, step, windings, reference):
    folder = reference / "reference/powerflow/kersting_4node"
    published = pd.read_csv(folder / f"{load}_{step}_{windings}.csv")
    network, star, delta = kersting_case(load, step, windings)
    model = network.grid.phase_model
    voltage = solve_phases(model, star, delta)
    assert len(published) == 15
    for row in published.itertuples():
        wanted = _complex(row.published_value_polar_V_deg)
        found = _found(model, voltage, row.node, row.quantity)
        # The values are printed to 1 V, 0.1 A (1 A above 1000 A) and 0.1 degree.
        size = 0.4 if "current" in row.quantity else 0.65
        assert abs(abs(found) - abs(wanted)) < size < row.gridlabd_tolerance_V
        assert abs(np.rad2deg(np.angle(found / wanted))) < 0.06
