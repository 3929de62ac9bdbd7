"""The unbalanced power flow against published solutions, and against models known to be wrong."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridimpact.network import extract_grid
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine
from tests.network.kersting import CASES, kersting_case
from tests.network.phase_flow import solve_phases
from tests.powerflow.feeder import (
    FOLDER,
    PEAK,
    SNAPSHOTS,
    VOLT,
    feeder,
    loads,
    published,
)
from tests.powerflow.three_phase_nets import draws, solved

pytestmark = pytest.mark.reference

KERSTING = "reference/powerflow/kersting_4node"
_MINUTES = list(SNAPSHOTS)


def worst_error_v(reference, grid, vm_pu, minute, engine="gridlabd"):
    bus, wanted = published(reference, grid, minute, engine)
    assert wanted.shape == (906, 3)
    return float(np.abs(vm_pu[bus] * VOLT - wanted).max())


def peak_error_v(reference, network):
    """Return the largest error at the peak of a feeder that differs from the published one."""
    grid = network.grid
    found = solved(grid, loads(reference, grid, [PEAK]))
    return worst_error_v(reference, grid, found.vm_pu[0, 0], PEAK)


def changed(change):
    """Return the feeder with its tables changed."""
    network = feeder()
    net = copy.deepcopy(network.net)
    change(net)
    grid = extract_grid(net, network.grid.bus_xy, geographic=False)
    return with_phases(replace(network, net=net, grid=grid))


@pytest.mark.parametrize(("engine", "limit_v"), [("gridlabd", 1e-3), ("opendss", 5e-3)])
def test_three_snapshots_meet_the_published_voltages_everywhere(engine, limit_v, reference):
    grid = feeder().grid
    found = solved(grid, loads(reference, grid, _MINUTES))
    for lane, minute in enumerate(_MINUTES):
        assert worst_error_v(reference, grid, found.vm_pu[0, lane], minute, engine) < limit_v


def test_a_day_of_minutes_meets_the_published_voltages_powers_and_energy(reference):
    grid = feeder().grid
    given = loads(reference, grid, np.arange(1440))
    found = solved(grid, given, "transformer_phase_p_kw", "transformer_phase_q_kvar")
    table = pd.read_csv(reference / FOLDER / "expected_csv/timeseries_load_voltages.csv")
    for number in (1, 32, 53):
        phase = int(np.argmax(given.phase_share[number - 1]))
        volt = found.vm_pu[0, :, given.bus[number - 1], phase] * VOLT
        assert np.abs(volt - table[f"load{number}_V_gridlabd"]).max() < 2e-3
        assert np.abs(volt - table[f"load{number}_V_opendss"]).max() < 5e-3
    power = pd.read_csv(reference / FOLDER / "expected_csv/timeseries_trafo_power_gridlabd_W.csv")
    for part, values in (
        ("real", found.transformer_phase_p_kw),
        ("imag", found.transformer_phase_q_kvar),
    ):
        wanted = power[[f"power_out_{phase}.{part}" for phase in "ABC"]].to_numpy()
        assert np.abs(1e3 * values[0, :, 0] - wanted).max() < 0.1
    energy_kwh = found.transformer_phase_p_kw.sum() / 60
    assert energy_kwh == pytest.approx(488.386084, rel=1e-6)


def test_a_balanced_flow_misses_the_peak_by_nine_volts(reference):
    grid = feeder().grid
    found = BatchedEngine().solve(grid, loads(reference, grid, [PEAK]))
    error_v = worst_error_v(reference, grid, np.repeat(found.vm_pu[0, 0, :, None], 3, axis=1), PEAK)
    assert error_v == pytest.approx(9.2, abs=0.1)


def test_a_magnetising_impedance_as_the_leakage_misses_the_peak_by_a_tenth_of_a_volt(reference):
    def change(net):
        net.trafo["mag0_percent"] = 100.0

    assert peak_error_v(reference, changed(change)) == pytest.approx(0.116, abs=0.002)


def test_an_ideal_source_misses_the_peak_by_nearly_a_quarter_of_a_volt(reference):
    def change(net):
        line = net.line.index[net.line.to_bus.isin([0]) | net.line.from_bus.isin([0])]
        assert len(line) == 1
        net.line.loc[line, ["r_ohm_per_km", "x_ohm_per_km", "r0_ohm_per_km", "x0_ohm_per_km"]] *= (
            1e-6
        )

    assert peak_error_v(reference, changed(change)) == pytest.approx(0.237, abs=0.002)


def test_unit_power_factor_of_many_loads_misses_the_peak_by_nearly_two_volts(reference):
    # pandapower ships the feeder with 34 of its 55 loads at power factor 1.
    from pandapower.networks import ieee_european_lv_asymmetric

    table = ieee_european_lv_asymmetric("on_peak_566").asymmetric_load
    p_kw, q_kvar = (
        1e3 * table[[f"{kind}_{phase}_m{unit}" for phase in "abc"]].to_numpy().sum(axis=1)
        for kind, unit in (("p", "w"), ("q", "var"))
    )
    assert (np.abs(q_kvar) < 1e-3 * p_kw).sum() == 34
    grid = feeder().grid
    given = loads(reference, grid, [PEAK])
    np.testing.assert_allclose(given.p_kw[0, 0], p_kw, atol=1e-6)
    found = solved(grid, replace(given, q_kvar=q_kvar[None, None]))
    error_v = worst_error_v(reference, grid, found.vm_pu[0, 0], PEAK)
    assert error_v == pytest.approx(1.78, abs=0.02)


@pytest.mark.parametrize(("load", "step", "windings"), CASES)
def test_the_four_node_feeder_meets_its_published_values(load, step, windings, reference):
    network, star, delta = kersting_case(load, step, windings)
    grid, model = network.grid, network.grid.phase_model
    node, phase = np.nonzero(star + delta)
    power = (star + delta)[node, phase]
    bus = [int(np.flatnonzero(model.bus_node == k)[0]) for k in node]
    between = [int(windings == "D-D")] * 3
    given = draws(bus, power.real, power.imag, np.eye(3)[phase], connection=between)
    found = solved(grid, given, "line_i_ka")
    assert found.status[0, 0] == 0
    voltage = np.abs(solve_phases(model, star, delta))[model.bus_node]
    np.testing.assert_allclose(found.vm_pu[0, 0], voltage, rtol=0, atol=1e-8)
    table = pd.read_csv(reference / f"{KERSTING}/{load}_{step}_{windings}.csv")
    met = 0
    for row in table.itertuples():
        kind, _, place = row.quantity.rpartition("_")
        number = int(re.search(r"\d+", row.node).group())
        wanted = float(re.match(r"[\d.]+", row.published_value_polar_V_deg).group())
        if kind.startswith("current"):
            size = 1e3 * found.line_i_ka[0, 0, 0 if number == 12 else 1, "ABC".index(place)]
        elif len(place) == 1:
            rated = grid.bus_vn_kv[number - 1] * 1e3 / np.sqrt(3)
            size = found.vm_pu[0, 0, number - 1, "ABC".index(place)] * rated
        else:
            continue
        met += 1
        # The values are printed to 1 V and 0.1 A (1 A above 1000 A).
        assert size == pytest.approx(wanted, abs=0.65)
    assert met >= 6
