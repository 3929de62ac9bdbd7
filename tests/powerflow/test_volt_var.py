"""Curves of standards, a user's own, and the check of what answers to voltage."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.powerflow.volt_var import (
    CURVE_NAMES,
    CURVES,
    check_volt_var,
    merge_volt_var,
    volt_var,
    volt_var_curve,
    volt_var_for,
    volt_var_notes,
)
from tests.powerflow.nets import injections


def flow_of(p_kw, bus=(1, 2, 3)):
    p_kw = np.full((1, 2, len(bus)), p_kw)
    return injections(bus, p_kw, 0 * p_kw)


def drawn(name, v_pu):
    return np.interp(v_pu, CURVES[name].v_pu, CURVES[name].q_share)


@pytest.mark.parametrize("name", sorted(CURVES))
def test_every_named_curve_is_sound_and_names_its_source(name):
    curve = CURVES[name]
    volt_var_curve(curve.v_pu, curve.q_share)
    assert curve.name == name
    assert curve.standard
    assert curve.edition
    assert curve.clause


@pytest.mark.parametrize("name", sorted(CURVES))
def test_named_curves_absorb_at_high_voltage_give_at_low_and_rest_at_nominal(name):
    assert drawn(name, 1.15) == max(CURVES[name].q_share) > 0
    assert drawn(name, 0.85) == min(CURVES[name].q_share) < 0
    assert drawn(name, 1.0) == 0


def test_vde_curves_hold_the_power_factor_at_rated_apparent_power():
    for name, cos_phi in (("vde_ar_n_4105_090", 0.90), ("vde_ar_n_4105_095", 0.95)):
        assert np.sqrt(1 - drawn(name, 1.1) ** 2) == pytest.approx(cos_phi, abs=1e-12)
        assert drawn(name, [0.97, 1.03]) == pytest.approx([0, 0], abs=1e-12)


def test_the_australian_curve_stands_at_the_volts_of_its_table():
    volts = np.array([207, 213.5, 220, 240, 249, 258])
    share = [-0.44, -0.22, 0, 0, 0.30, 0.60]
    assert drawn("as_nzs_4777_2_australia_a", volts / 230) == pytest.approx(share, abs=1e-12)


@pytest.mark.reference
def test_ieee_1547_curves_are_those_of_the_reference(reference: Path):
    data = json.loads(
        (reference / "reference" / "requirements" / "voltage_support_1547.json").read_text()
    )
    for case in data["cases"]:
        name = f"ieee_1547_{case['cat'].lower()}"
        assert -drawn(name, case["V"]) == pytest.approx(case["expect_q_pu"], abs=1e-12)
    for category in "AB":
        steep = data["most_aggressive"][category]
        found = drawn(f"ieee_1547_{category.lower()}_steepest", steep["V"])
        assert -found == pytest.approx(steep["Q"], abs=1e-12)


def test_all_that_is_wrong_with_a_curve_is_told_at_once():
    with pytest.raises(InputError) as caught:
        volt_var_curve([0.9, 1.0, 1.0, 1.1], [-44, 0, 44, 20])
    text = str(caught.value)
    assert "point 3" in text
    assert "does not lie above 1.0 pu" in text
    assert "point 4" in text
    assert "standards print the other sign" in text
    assert "shares, not percent" in text
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("v_pu", "q_share", "says"),
    [
        ([0.9, 1.1], [0.0], "one share at each voltage"),
        ([], [], "one share at each voltage"),
        ([0.9, np.nan], [0, 0.1], "not finite"),
        ([0.0, 1.0], [0, 0.1], "must be above 0"),
        ([0.9, 1.1], [0.44, -0.44], "standards print the other sign"),
    ],
)
def test_an_unsound_curve_is_refused(v_pu, q_share, says):
    with pytest.raises(InputError, match=says):
        volt_var_curve(v_pu, q_share)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0.5, 1.5), min_size=1, max_size=8, unique=True),
    st.lists(st.floats(-1, 1), min_size=8, max_size=8),
)
def test_any_rising_curve_is_taken_and_any_falling_one_refused(v_pu, shares):
    v, q = np.sort(v_pu), np.sort(shares[: len(v_pu)])
    taken = volt_var_curve(v, q)
    np.testing.assert_array_equal(taken[1], q)
    if q[0] < q[-1]:
        with pytest.raises(InputError):
            volt_var_curve(v, q[::-1])


def test_an_unknown_curve_is_refused_with_the_names_known():
    with pytest.raises(InputError, match="ieee_1547_b"):
        volt_var([0], 5.0, "ieee_1547")


def test_vde_asks_more_of_plants_above_4_6_kva():
    found = volt_var([0, 1, 2], [4.6, 4.7, 10.0], "vde_ar_n_4105")
    assert found.q_share[found.curve].max(axis=1) == pytest.approx(
        [np.sin(np.arccos(0.95)), np.sin(np.arccos(0.90)), np.sin(np.arccos(0.90))]
    )


def test_shares_count_on_apparent_power_unless_told_otherwise():
    assert volt_var([0], 5.0).s_ref_kva == pytest.approx([5.0])
    assert volt_var([0], 5.0, s_ref_kva=4.0).s_ref_kva == pytest.approx([4.0])


@pytest.mark.parametrize("name", CURVE_NAMES)
def test_apparent_power_leaves_room_for_the_largest_share_at_rated_power(name):
    p_kw = np.array([3.0, 11.0, 22.0])
    found = volt_var_for(p_kw, [0, 1, 2], name)
    largest = np.abs(found.q_share[found.curve]).max(axis=1) * found.s_ref_kva
    assert np.hypot(p_kw, largest) == pytest.approx(found.s_max_kva, rel=1e-12)


def test_a_known_rating_is_taken_as_it_is():
    assert volt_var_for(10.0, [0, 1], s_max_kva=10.5).s_max_kva == pytest.approx([10.5, 10.5])


def test_apparent_power_for_an_own_curve_follows_its_largest_share():
    found = volt_var_for(8.0, [0], ([0.9, 1.1], [-0.6, 0.3]))
    assert found.s_max_kva == pytest.approx([10.0])


@pytest.mark.parametrize("largest", [0.81, 1.0])
def test_shares_no_inverter_is_sized_for_need_an_apparent_power(largest):
    curve = ([0.9, 1.1], [-largest, 0.2])
    with pytest.raises(InputError, match=rf"q_share: reaches {largest:g}.*give s_max_kva"):
        volt_var_for(30.0, [0], curve)
    assert volt_var_for(30.0, [0], curve, 33.0).s_max_kva == pytest.approx([33.0])
    largest_free = volt_var_for(30.0, [0], ([0.9, 1.1], [-0.8, 0.8]))
    assert largest_free.s_max_kva == pytest.approx([50.0])


def test_merged_groups_keep_their_own_curves():
    first, second = volt_var([0, 2], 5.0, "ieee_1547_a"), volt_var([1], 9.0, "ieee_1547_b")
    both = merge_volt_var([first, second])
    assert both.element.tolist() == [0, 2, 1]
    for v_pu in np.linspace(0.85, 1.4, 23):
        row = both.curve[2]
        assert np.interp(v_pu, both.v_pu[row], both.q_share[row]) == pytest.approx(
            drawn("ieee_1547_b", v_pu)
        )
        row = both.curve[0]
        assert np.interp(v_pu, both.v_pu[row], both.q_share[row]) == pytest.approx(
            drawn("ieee_1547_a", v_pu)
        )
    check_volt_var(replace(flow_of(1.0), volt_var=both))


def test_nothing_merged_is_nothing():
    assert merge_volt_var([]) is None
    assert merge_volt_var([volt_var([], np.zeros(0))]) is None


def test_an_element_with_two_curves_is_refused():
    with pytest.raises(InputError, match="named more than once"):
        merge_volt_var([volt_var([0, 1], 5.0), volt_var([1], 5.0)])


def test_all_that_is_wrong_with_what_answers_is_told_at_once():
    good = volt_var([0, 1, 2], 5.0)
    wrong = replace(
        good,
        element=np.array([0, 7, -1]),
        s_max_kva=np.array([5.0, np.nan, 0.0]),
        curve=np.array([0, 0, 3]),
    )
    with pytest.raises(InputError) as caught:
        check_volt_var(replace(flow_of(1.0), volt_var=wrong))
    text = str(caught.value)
    for part in ("is 7", "is -1", "s_max_kva of element 7", "s_max_kva of element -1", "is 3"):
        assert part in text


def test_arrays_of_different_length_are_refused():
    wrong = replace(volt_var([0, 1], 5.0), s_max_kva=np.ones(3))
    with pytest.raises(InputError, match="do not match"):
        check_volt_var(replace(flow_of(1.0), volt_var=wrong))


def test_flows_without_answers_pass():
    check_volt_var(flow_of(1.0))
    assert volt_var_notes(flow_of(1.0)) == ()


def test_active_power_beyond_the_rating_is_told_with_its_extent():
    flow = replace(flow_of(6.0), volt_var=volt_var([0, 2], [5.0, 7.0]))
    (note,) = volt_var_notes(flow)
    assert note.kind == "warning"
    assert "1 elements" in note.text
    assert "2 power flows" in note.text
    assert volt_var_notes(replace(flow_of(5.0), volt_var=volt_var([0, 2], 5.0))) == ()
