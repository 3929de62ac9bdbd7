"""Settings of tap changers under load: what they become, and what a tired engineer gets wrong."""

from __future__ import annotations

import copy

import numpy as np
import pandapower as pp
import pytest

from gridimpact.errors import GridError
from gridimpact.network import open_network, with_phases, with_tap_control, with_tap_controls
from gridimpact.network.admittance import build_node_model
from gridimpact.network.tap_control import grid_at_taps, tap_steps
from gridimpact.records import Network
from tests.powerflow.nets import everything, grid_of, village

GOOD = {"vm_set_pu": 1.0, "deadband_pu": 0.06}


def opened(net) -> Network:
    return Network("net", "test", "none", net, grid_of(net), None)


def problems(net, settings) -> list[str]:
    with pytest.raises(GridError) as error:
        with_tap_controls(opened(net), settings)
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize("side", ["hv", "lv"])
@pytest.mark.parametrize("kind", ["Ratio", "Symmetrical", "Ideal"])
def test_every_position_is_the_pi_model_of_the_net_with_that_tap(side, kind):
    net = everything()
    net.trafo["tap_side"], net.trafo["tap_changer_type"] = side, kind
    net.trafo["tap_step_degree"] = 3.0 if kind == "Ideal" else 30.0
    if kind == "Ideal":
        net.trafo["tap_step_percent"] = 0.0
    row = 1
    network = opened(net)
    from gridimpact.network.check_tap_control import check_settings
    from gridimpact.network.tap_control import _control

    found, ready = check_settings(network, {row: GOOD})
    assert not found
    control = _control(network, ready[0])
    grid = network.grid.__class__(**{**vars(network.grid), "tap_controls": (control,)})
    for k, tap in enumerate(control.tap_pos):
        moved = copy.deepcopy(net)
        moved.trafo.loc[row, "tap_pos"] = tap
        expected = build_node_model(moved).admittance
        there = grid_at_taps(grid, (k,)).admittance
        for name in ("y_ff", "y_ft", "y_tf", "y_tt"):
            np.testing.assert_allclose(getattr(there, name), getattr(expected, name), rtol=1e-12)
        assert abs(there.y_bus - expected.y_bus).max() < 1e-9 * abs(expected.y_bus).max()
    assert control.tap_pos[control.start] == net.trafo.tap_pos[row]


def test_a_setting_becomes_a_band_at_the_low_voltage_side():
    network = with_tap_control(opened(village()), 0, vm_set_pu=1.01, deadband_pu=0.06)
    control = network.grid.tap_controls[0]
    assert (control.transformer, control.bus) == (0, 1)
    assert (control.vm_low_pu, control.vm_high_pu) == pytest.approx((0.98, 1.04))
    assert control.tap_pos.tolist() == [-2, -1, 0, 1, 2]
    assert control.start == 2
    assert control.six_port is None
    # A tap of 2.5 % more on the high-voltage side lowers the voltage by as much.
    assert tap_steps(network.grid)[0, 0] == pytest.approx(-1.01 * 0.025 / 1.025, rel=1e-2)
    assert network.notes == ()


def test_another_bus_may_be_held_and_both_at_once_are_given_in_any_order():
    net = everything()
    settings = {1: GOOD, 0: GOOD | {"bus": int(net.bus.index[7])}}
    network = with_tap_controls(opened(net), settings)
    assert [c.transformer for c in network.grid.tap_controls] == [0, 1]
    assert network.grid.tap_controls[0].bus == 7


def test_line_drop_is_counted_per_unit_of_rated_current():
    network = with_tap_control(
        opened(village()), 0, vm_set_pu=1.0, deadband_pu=0.06, line_drop=(0.02, 0.01)
    )
    control = network.grid.tap_controls[0]
    rated_ka = 0.25 / (np.sqrt(3) * 0.4)
    assert control.drop_r_pu == pytest.approx(0.02 * rated_ka / (0.4 / np.sqrt(3)))
    assert control.drop_x_pu == pytest.approx(control.drop_r_pu / 2)


def test_a_band_narrower_than_a_step_is_warned_about():
    network = with_tap_control(opened(village()), 0, vm_set_pu=1.0, deadband_pu=0.02)
    assert [note.kind for note in network.notes] == ["warning"]
    assert "narrower than a tap step of 0.024" in network.notes[0].text


def _set(column, value, table="trafo"):
    return lambda net: net[table].__setitem__(column, value)


WRONG = {
    "no such transformer": (None, {7: GOOD}, "transformer 7: no such row in table trafo; there are 0"),
    "a name for an index": (None, {"T1": GOOD}, "no such row"),
    "no mapping": (None, {0: 1.02}, "is float, must be a mapping"),
    "no settings at all": (None, [0], "is list, must be settings by transformer"),
    "slip of the pen": (None, {0: GOOD | {"deadband": 1}}, "did you mean 'deadband_pu'?"),
    "set-point missing": (None, {0: {"deadband_pu": 0.06}}, "vm_set_pu: is missing"),
    "set-point in kV": (None, {0: GOOD | {"vm_set_pu": 0.4}}, "is 0.4, must be above 0.8"),
    "set-point as text": (None, {0: GOOD | {"vm_set_pu": "1"}}, "is '1', must be above 0.8"),
    "band of nothing": (None, {0: GOOD | {"deadband_pu": 0.0}}, "must be above 0, at most 0.2 pu"),
    "band in percent": (None, {0: GOOD | {"deadband_pu": 6}}, "is 6, must be above 0"),
    "side unknown": (None, {0: GOOD | {"side": "mv"}}, "is 'mv', must be 'lv' or 'hv'"),
    "bus unknown": (None, {0: GOOD | {"bus": 99}}, "is 99: no such row in table bus"),
    "bus upstream": (None, {0: GOOD | {"bus": 0}}, "bus 0 is not behind transformer 0"),
    "high side at the source": (None, {0: GOOD | {"side": "hv"}}, "is not behind transformer 0"),
    "bus without supply": (lambda n: pp.create_bus(n, 0.4), {0: GOOD | {"bus": 8}}, "has no supply"),
    "drop of one number": (None, {0: GOOD | {"line_drop": 0.1}}, "must be resistance and reactance"),
    "drop in percent": (None, {0: GOOD | {"line_drop": [3, 4]}}, "% of the voltage at rated current"),
    "drop of a distant bus": (
        None, {0: GOOD | {"bus": 4, "line_drop": [0.01, 0.0]}}, "not the transformer's own",
    ),
    "out of service": (_set("in_service", False), {0: GOOD}, "out of service"),
    "no taps": (_set("tap_max", np.nan), {0: GOOD}, "tap_max: is nan, must be a whole number"),
    "one tap": (_set("tap_max", -2.0), {0: GOOD}, "leaves nothing to change"),
    "tap outside": (_set("tap_pos", 3.0), {0: GOOD}, "is 3, outside -2 to 2"),
    "half a tap": (_set("tap_pos", 0.5), {0: GOOD}, "tap_pos: is 0.5, must be a whole number"),
    "no step": (_set("tap_step_percent", 0.0), {0: GOOD}, "changes nothing"),
    "no kind": (_set("tap_changer_type", None), {0: GOOD}, "type None with a step of 2.5 %"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_it_is_refused_with_place_and_remedy(case):
    change, settings, words = WRONG[case]
    net = village()
    # A second source keeps the low-voltage side alive where the transformer is out of service.
    if change is not None:
        change(net)
    found = problems(net, settings)
    assert any(words in text for text in found), found
    assert all(" -> " in text for text in found)


def test_every_problem_of_every_setting_is_named_at_once():
    net = everything()
    found = problems(net, {0: {"vm_set_pu": 9}, 1: GOOD | {"side": "x"}, 5: GOOD})
    assert len(found) == 4


def test_a_transformer_holds_one_voltage_and_not_with_an_open_switch():
    network = with_tap_control(opened(village()), 0, **GOOD)
    with pytest.raises(GridError, match="already holds a voltage"):
        with_tap_control(network, 0, **GOOD)
    net = village()
    pp.create_ext_grid(net, 1, vm_pu=1.0, va_degree=-150)
    pp.create_switch(net, 0, 0, et="t", closed=False)
    assert any("open switch" in text for text in problems(net, {0: GOOD}))


def test_phases_before_or_after_give_the_same_six_ports():
    plain = opened(village())
    after = with_phases(with_tap_control(plain, 0, **GOOD), zero_sequence="assume")
    before = with_tap_control(with_phases(plain, zero_sequence="assume"), 0, **GOOD)
    one, other = (network.grid.tap_controls[0].six_port for network in (after, before))
    assert one.shape == (5, 6, 6)
    np.testing.assert_allclose(one, other, rtol=1e-12)
    model = after.grid.phase_model
    branch = model.transformer_branch[0]
    np.testing.assert_allclose(one[2], model.y[branch], rtol=1e-9, atol=1e-9)
    assert np.array_equal(grid_at_taps(after.grid, (4,)).phase_model.y[branch], one[4])


def test_a_control_without_six_ports_is_refused_in_three_phases():
    network = with_phases(with_tap_control(opened(village()), 0, **GOOD), zero_sequence="assume")
    control = network.grid.tap_controls[0]
    bare = control.__class__(**{**vars(control), "six_port": None})
    grid = network.grid.__class__(**{**vars(network.grid), "tap_controls": (bare,)})
    with pytest.raises(GridError, match="given without three phases"):
        grid_at_taps(grid, (0,))


def test_a_study_opens_a_network_with_its_tap_controls():
    network = open_network("kerber_village", tap_control={0: GOOD})
    assert len(network.grid.tap_controls) == 1
    with pytest.raises(GridError, match="3 problems"):
        open_network("kerber_village", tap_control={0: {"side": "x"}})


def test_the_network_given_is_not_written_to():
    network = opened(village())
    before = network.grid.admittance.y_bus.copy()
    moved = grid_at_taps(with_tap_control(network, 0, **GOOD).grid, (0,))
    assert network.grid.tap_controls == ()
    assert (network.grid.admittance.y_bus != before).nnz == 0
    assert (moved.admittance.y_bus != before).nnz > 0
    assert network.net.trafo.tap_pos.tolist() == [0.0]
