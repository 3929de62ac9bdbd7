"""power-grid-model as an engine: balanced agreement, what it refuses, taps and reactive power around it."""

from __future__ import annotations

import builtins
import copy
from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError, InputError, MissingExtra
from gridimpact.network import list_networks, open_network
from gridimpact.network.grid import extract_grid
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import BatchedEngine, FlowOptions
from gridimpact.powerflow.engine import KEPT
from gridimpact.powerflow.volt_var import volt_var
from tests.powerflow import nets
from tests.powerflow.test_accuracy import at_sites

pytest.importorskip("power_grid_model")
from gridimpact.powerflow.pgm_engine import PgmEngine

pytestmark = pytest.mark.crosscheck

ASKED = FlowOptions(keep=(*KEPT, "line_i_ka", "transformer3w_loading_percent"))


def gap(first, second, name):
    left, right = getattr(first, name), getattr(second, name)
    np.testing.assert_array_equal(np.isnan(left), np.isnan(right), err_msg=name)
    return np.abs(left - right)[np.isfinite(left)].max(initial=0.0)


@pytest.mark.parametrize("name", list_networks().index)
def test_balanced_flows_agree_but_for_where_the_iron_stands(name):
    network = open_network(name)
    given = at_sites(network, [0.1, 0.6, -0.6, 1.0])
    found = BatchedEngine().solve(network.grid, given)
    expected = PgmEngine(network.net).solve(network.grid, given)
    assert (expected.status == 0).all()
    shift = np.nanmax(np.abs(found.vm_pu - expected.vm_pu)[0], axis=1)
    assert (shift[:3] < 2e-6).all()
    # A T and a pi part by the impedance times a quarter of the magnetising admittance, over the drop.
    trafo = network.net.trafo
    z_y = (trafo.vk_percent * trafo.i0_percent).max() / 1e4 / 4
    drop = (
        trafo.vk_percent.max() / 100 * np.nanmax(found.transformer_loading_percent[0], axis=1) / 100
    )
    assert (shift < 1.2 * z_y * drop + 1e-8).all()


@pytest.mark.parametrize("name", list_networks().index)
def test_balanced_flows_without_iron_are_the_same(name):
    network = open_network(name)
    net = copy.deepcopy(network.net)
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    grid = extract_grid(net, network.grid.bus_xy, False)
    given = at_sites(replace(network, net=net, grid=grid), [0.1, 1.0, -1.0])
    found = BatchedEngine().solve(grid, given, ASKED)
    expected = PgmEngine(net).solve(grid, given, ASKED)
    assert gap(found, expected, "vm_pu") < 1e-8
    for result in ("line_loading_percent", "transformer_loading_percent", "losses_kw"):
        assert gap(found, expected, result) < 1e-6
    assert gap(found, expected, "line_i_ka") < 1e-8


def test_every_element_agrees_three_windings_and_islands_among_them():
    net = nets.everything(uneven=False)
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    net.trafo3w[["pfe_kw", "i0_percent"]] = 0.0
    grid = nets.grid_of(net)
    bus = np.flatnonzero(grid.bus_supplied)
    share = np.random.default_rng(1).dirichlet([2, 1, 1], len(bus))[:, 1:]
    given = nets.random_injections(bus, 3, 20.0, 4, zip_p=share, zip_q=share[::-1])
    found = BatchedEngine().solve(grid, given, ASKED)
    expected = PgmEngine(net).solve(grid, given, ASKED)
    assert gap(found, expected, "vm_pu") < 1e-9
    for result in ASKED.keep[1:]:
        assert gap(found, expected, result) < 1e-5, result


@pytest.mark.parametrize("side", ["hv", "mv", "lv"])
@pytest.mark.parametrize("at_star", [False, True])
def test_taps_of_three_windings_stand_where_pandapower_has_them(side, at_star):
    net = nets.everything(uneven=False)
    net.trafo3w[["pfe_kw", "i0_percent"]] = 0.0
    net.trafo3w.loc[0, ["tap_side", "tap_at_star_point", "tap_step_percent"]] = side, at_star, 1.5
    net.trafo3w.loc[0, "tap_step_degree"] = 0.0
    net.trafo3w.loc[0, "shift_lv_degree"] = 330.0
    net.trafo3w.loc[0, "shift_mv_degree"] = 12.5
    grid = nets.grid_of(net)
    given = nets.random_injections(np.flatnonzero(grid.bus_supplied), 1, 20.0, 4)
    found, expected = BatchedEngine().solve(grid, given), PgmEngine(net).solve(grid, given)
    assert gap(found, expected, "vm_pu") < 2e-7


@pytest.mark.parametrize(
    ("kind", "side", "percent", "degree"),
    [("Ratio", "hv", 2.5, 0.0), ("Ratio", "lv", 2.5, 0.0), ("Symmetrical", "hv", 1.5, 60.0),
     ("Ideal", "hv", 0.0, 3.0), ("Ideal", "lv", 2.0, 0.0)],
)  # fmt: skip
def test_tap_changers_of_every_kind_agree(kind, side, percent, degree):
    net = nets.village()
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    columns = ["tap_changer_type", "tap_side", "tap_step_percent", "tap_step_degree", "tap_pos"]
    for column, value in zip(columns, (kind, side, percent, degree, 2), strict=True):
        net.trafo[column] = value
    net.trafo["tap_neutral"] = 0
    grid = nets.grid_of(net)
    given = nets.random_injections([2, 5], 2, 30.0, 4)
    found, expected = BatchedEngine().solve(grid, given), PgmEngine(net).solve(grid, given)
    assert gap(found, expected, "vm_pu") < 1e-9


def test_reactive_power_that_answers_to_voltage_is_the_same_from_outside():
    net = nets.village()
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    grid = nets.grid_of(net)
    given = nets.injections([4, 7], [[[60.0, 50.0], [-60.0, -50.0]]], np.zeros((1, 2, 2)))
    given = replace(given, volt_var=volt_var([0, 1], 80.0, "ieee_1547_b"))
    found, expected = BatchedEngine().solve(grid, given), PgmEngine(net).solve(grid, given)
    assert np.abs(found.volt_var_q_kvar).max() > 1.0
    assert gap(found, expected, "volt_var_q_kvar") < 1e-4
    assert gap(found, expected, "vm_pu") < 1e-8


def test_a_chunked_batch_is_the_whole_batch(monkeypatch):
    from gridimpact.powerflow import pgm_run

    net = nets.village()
    grid = nets.grid_of(net)
    given = nets.random_injections([2, 5], 7, 30.0, 4)
    whole = PgmEngine(net).solve(grid, given)
    monkeypatch.setattr(pgm_run, "_CHUNK_BYTES", 1)
    parts = PgmEngine(net).solve(grid, given)
    for name in KEPT:
        assert getattr(whole, name).tobytes() == getattr(parts, name).tobytes()


def test_what_power_grid_model_cannot_hold_is_named():
    net = nets.everything()
    pp.create_gen(net, 1, p_mw=0.1)
    pp.create_xward(net, 2, 0, 0, 0, 0, 0.1, 0.1, 1.0)
    with pytest.raises(GridError) as error:
        PgmEngine(net).solve(nets.grid_of(nets.everything()), nets.random_injections([2], 1, 1.0))
    for told in ("gen 0: holds its voltage", "xward 0: holds", "impedance 0: differs by direction"):
        assert told in str(error.value)


def test_what_three_phases_lack_is_named():
    network = with_phases(open_network("kerber_rural"), zero_sequence="assume")
    bare = open_network("kerber_rural").net
    given = nets.random_injections([3], 1, 1.0)
    with pytest.raises(GridError) as error:
        PgmEngine(bare).solve(network.grid, given, FlowOptions(phases=3))
    assert "line 0: lacks zero-sequence impedance" in str(error.value)
    assert "trafo 0: lacks its vector group or zero-sequence impedance" in str(error.value)
    turned = copy.deepcopy(network.net)
    turned.trafo["shift_degree"] = 120.0
    with pytest.raises(GridError, match="clock number its vector group cannot have"):
        PgmEngine(turned).solve(network.grid, given, FlowOptions(phases=3))


def test_a_grid_of_another_network_is_refused():
    with pytest.raises(InputError, match="not that of the engine"):
        PgmEngine(nets.two_bus()).solve(
            nets.grid_of(nets.village()), nets.random_injections([2], 1, 1.0)
        )


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "power_grid_model":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'gridimpact\[crosscheck\]'"):
        PgmEngine(nets.two_bus())
