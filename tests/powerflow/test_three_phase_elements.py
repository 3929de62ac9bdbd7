"""What a network holds beside lines and loads, in three phases, against the balanced flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine, PgmEngine
from gridimpact.powerflow.engine import KEPT, FlowOptions
from gridimpact.powerflow.volt_var import volt_var
from tests.powerflow.three_phase_nets import draws, two_node

WINDINGS = (*KEPT, "transformer3w_loading_percent")


def substation(**tap):
    """A three-winding transformer between 110, 20 and 10 kV."""
    net = pp.create_empty_network()
    bus = [pp.create_bus(net, vn_kv) for vn_kv in (110.0, 20.0, 10.0)]
    pp.create_ext_grid(net, bus[0])
    pp.create_transformer3w(net, *bus, std_type="63/25/38 MVA 110/20/10 kV", **tap)
    return net


@pytest.mark.parametrize("p_kw", [[15e3, 8e3], [1e3, 30e3], [24e3, 0.0]])
def test_each_winding_of_three_is_loaded_as_in_the_balanced_flow(p_kw):
    network = with_phases(open_network(substation()), zero_sequence="assume")
    given = draws([1, 2], p_kw, [2e3, 1e3])
    one, three = (
        BatchedEngine().solve(network.grid, given, FlowOptions(phases=phases, keep=WINDINGS))
        for phases in (1, 3)
    )
    assert one.transformer3w_loading_percent.min() > 40
    for name in ("transformer3w_loading_percent", "losses_kw"):
        np.testing.assert_allclose(getattr(three, name), getattr(one, name), rtol=1e-9)


def test_ratings_of_three_windings_may_differ_between_grids_of_one_phase_model():
    grid = with_phases(open_network(substation()), zero_sequence="assume").grid
    other = replace(grid, transformer3w_i_rated_ka=2 * grid.transformer3w_i_rated_ka)
    given, chosen = draws([1, 2], [15e3, 8e3]), FlowOptions(phases=3, keep=WINDINGS)
    found = [BatchedEngine().solve(g, given, chosen) for g in (grid, other)]
    loading = [flow.transformer3w_loading_percent for flow in found]
    np.testing.assert_allclose(loading[0], 2 * loading[1], rtol=1e-12)


@pytest.mark.crosscheck
def test_losses_are_those_of_the_network_and_not_of_the_source_behind_it():
    net = pp.create_empty_network()
    first, last = (pp.create_bus(net, 0.4) for _ in range(2))
    pp.create_ext_grid(net, first, s_sc_max_mva=2.0, rx_max=0.5, x0x_max=1.0, r0x0_max=0.5)
    pp.create_line_from_parameters(
        net, first, last, length_km=0.1, r_ohm_per_km=0.3, x_ohm_per_km=0.1, c_nf_per_km=0.0,
        max_i_ka=0.3, r0_ohm_per_km=1.2, x0_ohm_per_km=0.4, c0_nf_per_km=0.0,
    )  # fmt: skip
    network = with_phases(open_network(net), source_impedance=True)
    chosen = FlowOptions(phases=3, keep=(*KEPT, "line_i_ka"))
    given = draws([1], [30.0], None, [[0.0, 1.0, 0.0]])
    found = BatchedEngine().solve(network.grid, given, chosen)
    # One phase out through its conductor, back through what zero sequence sees: (2 Z1 + Z0) / 3.
    r_ohm = 0.1 * (2 * 0.3 + 1.2) / 3
    wanted = 1e3 * found.line_i_ka[0, 0, 0, 1] ** 2 * r_ohm
    assert found.vm_pu[0, 0, 0, 1] < 0.999
    assert found.losses_kw[0, 0] == pytest.approx(wanted, rel=1e-9)
    checked = PgmEngine(network.net).solve(network.grid, given, chosen)
    assert checked.losses_kw[0, 0] == pytest.approx(wanted, rel=1e-6)


def test_what_the_network_draws_where_nothing_is_earthed_is_told_to_lie_between_phases():
    fixed = np.zeros((2, 3), dtype=np.complex128)
    fixed[1] = 2.0
    chosen = FlowOptions(phases=3)
    nothing = draws([1], [0.0], connection=[1])
    for earthed in (True, False):
        grid = two_node(fixed_s_kva=fixed, earthed=[True, earthed])
        text = " ".join(note.text for note in BatchedEngine().solve(grid, nothing, chosen).notes)
        assert ("1 nodes with motors or wards stand" in text) is not earthed


def test_active_power_beyond_the_rating_is_told_in_three_phases_too():
    given = replace(draws([1], [[-12.0], [-9.0]]), volt_var=volt_var([0], 10.0))
    notes = BatchedEngine().solve(two_node(), given, FlowOptions(phases=3)).notes
    assert any("in 1 power flows" in note.text and note.where == "Volt-VAr" for note in notes)
