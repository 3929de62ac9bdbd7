"""Reactive power that answers to the voltage of its own phase, of three phases, and between phases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from gridimpact.conventions import Status
from gridimpact.errors import InputError
from gridimpact.powerflow import FlowOptions
from gridimpact.powerflow.three_phase import solve_three_phase
from gridimpact.powerflow.volt_var import merge_volt_var, volt_var
from gridimpact.powerflow.volt_var_outside import answer_outside
from tests.network.phase_flow import solve_phases
from tests.powerflow.three_phase_nets import (
    BASE_KVA,
    branching,
    draws,
    grid_with,
    model_of,
    series,
    two_node,
)

PHASES = np.eye(3)
STEP = ([0.9995, 1.0005], [-1.0, 1.0])
THREE = FlowOptions(phases=3)


class PhaseEngine:
    """The batched engine in phase coordinates."""

    name = "phase coordinates"

    def solve(self, grid, injections, options=None):
        return solve_three_phase(grid, injections, options)


def inside(grid, flow):
    return solve_three_phase(grid, flow, THREE)


def outside(grid, flow):
    return answer_outside(PhaseEngine(), grid, flow, THREE)


inside_and_outside = pytest.mark.parametrize("run", [inside, outside])


def assert_on_curves(flow, result, measured=None, relative=1e-6):
    """Answers lie on their curves at the voltages measured, weighted by phase."""
    given = flow.volt_var
    assert (result.status == Status.OK).all()
    for k, (e, row) in enumerate(zip(given.element, given.curve, strict=True)):
        vm_pu = result.vm_pu[:, :, flow.bus[e]] @ flow.phase_share[e]
        vm_pu = vm_pu if measured is None else measured[:, :, k]
        share = np.interp(vm_pu, given.v_pu[row], given.q_share[row])
        p_kw, q_kvar = flow.p_kw[:, :, e], flow.q_kvar[:, :, e]
        room = np.sqrt(np.clip(given.s_max_kva[k] ** 2 - p_kw**2, 0.0, None))
        wanted = np.clip(share * given.s_ref_kva[k] + q_kvar, -room, room) - q_kvar
        gap = np.abs(result.volt_var_q_kvar[:, :, k] - wanted)
        assert gap.max() <= relative * given.s_ref_kva[k]


@inside_and_outside
@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("curve", ["ieee_1547_b", "vde_ar_n_4105", STEP])
def test_one_phase_stands_where_its_curve_and_its_line_meet(run, phase, curve):
    z, size_kva, base = 0.03 + 0.08j, 20.0, BASE_KVA / 3
    for source_pu in (0.95, 1.0, 1.06):
        turned = np.exp(-2j * np.pi / 3 * np.arange(3))[None, :]
        model = replace(model_of([(0, 1)], [series(z)], 2), slack_vm_pu=source_pu * turned)
        flow = draws(1, -8.0, None, PHASES[phase], volt_var=volt_var([0], size_kva, curve))
        row, room = flow.volt_var, np.sqrt(size_kva**2 - 64.0)

        def voltage(q_kvar, source_pu=source_pu):
            s = (-8.0 + 1j * q_kvar) / base
            half = source_pu**2 / 2 - (z * np.conj(s)).real
            return np.sqrt(half + np.sqrt(half**2 - abs(z * s) ** 2))

        def gap(q_kvar, row=row, room=room, voltage=voltage):
            share = np.interp(voltage(q_kvar), row.v_pu[row.curve[0]], row.q_share[row.curve[0]])
            return q_kvar - np.clip(share * size_kva, -room, room)

        result = run(grid_with(model), flow)
        expected = brentq(gap, -room - 1e-9, room + 1e-9, xtol=1e-13, rtol=1e-15)
        assert result.volt_var_q_kvar[0, 0, 0] == pytest.approx(expected, abs=1e-5)
        others = [k for k in range(3) if k != phase]
        assert result.vm_pu[0, 0, 1, others] == pytest.approx([source_pu] * 2, abs=1e-9)


@inside_and_outside
@pytest.mark.parametrize("curve", ["ieee_1547_b", "ieee_1547_b_steepest", STEP])
@pytest.mark.parametrize("size_kva", [6.0, 60.0])
def test_single_and_three_phase_inverters_settle_together(run, curve, size_kva):
    model = branching(seed=2, nodes=25)
    rng = np.random.default_rng(7)
    bus = np.arange(1, 25)
    share = PHASES[rng.integers(0, 3, len(bus))]
    share[::4] = 1 / 3
    p_kw = rng.uniform(-4, 4, (3, len(bus)))
    flow = draws(
        bus, p_kw, 0.1 * p_kw, share, volt_var=volt_var(np.arange(len(bus)), size_kva, curve)
    )
    assert_on_curves(flow, run(grid_with(model), flow), relative=3e-6)


@inside_and_outside
def test_voltages_are_those_of_a_nodal_solve_given_the_answers(run):
    model = branching(seed=5, nodes=12)
    bus, share = np.array([3, 7, 11, 11]), np.array([*PHASES, [1 / 3, 1 / 3, 1 / 3]])
    p_kw = np.array([[-9.0, 6.0, -12.0, 3.0]])
    flow = draws(bus, p_kw, None, share, volt_var=volt_var([0, 2, 3], 15.0))
    result = run(grid_with(model), flow)
    q_kvar = np.zeros((1, 4))
    q_kvar[0, [0, 2, 3]] = result.volt_var_q_kvar[0, 0]
    drawn = np.zeros((12, 3), dtype=complex)
    np.add.at(drawn, bus, (p_kw + 1j * q_kvar).T * share)
    expected = np.abs(solve_phases(model, drawn)).reshape(12, 3)
    assert result.vm_pu[0, 0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("curve", ["ieee_1547_b", "ieee_1547_b_steepest", STEP])
def test_delta_answers_to_the_voltage_between_its_phases(curve):
    z, size_kva, base = 0.03 + 0.08j, 25.0, BASE_KVA / 3
    flow = draws(
        1, -8.0, None, PHASES[0], connection=np.array([1]), volt_var=volt_var([0], size_kva, curve)
    )
    result = inside(two_node(z), flow)
    row, room = flow.volt_var, np.sqrt(size_kva**2 - 64.0)

    def gap(q_kvar):
        # Between two phases both lines carry the current: twice the drop at root-three the voltage.
        s = (-8.0 + 1j * q_kvar) / base
        z_pair = 2 * z / 3
        half = 0.5 - (z_pair * np.conj(s)).real
        vm_pu = np.sqrt(half + np.sqrt(half**2 - abs(z_pair * s) ** 2))
        share = np.interp(vm_pu, row.v_pu[0], row.q_share[0])
        return q_kvar - np.clip(share * size_kva, -room, room)

    expected = brentq(gap, -room - 1e-9, room + 1e-9, xtol=1e-13, rtol=1e-15)
    assert result.volt_var_q_kvar[0, 0, 0] == pytest.approx(expected, abs=1e-5)


def test_an_engine_that_tells_no_voltage_between_phases_cannot_lead_delta_from_outside():
    flow = draws(1, 1.0, connection=np.array([1]), volt_var=volt_var([0], 5.0))
    with pytest.raises(InputError, match="between phases"):
        outside(two_node(), flow)


@inside_and_outside
def test_three_equal_phases_answer_as_the_balanced_one(run):
    z, size_kva = 0.02 + 0.07j, 30.0
    whole = draws(1, -20.0, volt_var=volt_var([0], size_kva))
    split = draws(
        [1, 1, 1], [[-20.0 / 3] * 3], None, PHASES, volt_var=volt_var([0, 1, 2], size_kva / 3)
    )
    grid = two_node(z)
    one, three = run(grid, whole), run(grid, split)
    assert three.volt_var_q_kvar.sum() == pytest.approx(one.volt_var_q_kvar.sum(), abs=1e-6)
    assert three.vm_pu == pytest.approx(one.vm_pu, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.floats(0.002, 0.05), min_size=2, max_size=5),
    st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    st.floats(2.0, 40.0),
)
def test_any_rising_curve_settles_in_any_network(seed, gaps, shares, size_kva):
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(3, 15))
    v_pu = 0.94 + np.cumsum([0.0, *gaps])
    curve = (v_pu, np.sort(shares[: len(v_pu)]))
    bus = rng.integers(1, nodes, 6)
    share = np.array([*PHASES, *rng.dirichlet([1, 1, 1], 3)])
    groups = [volt_var([0, 1, 4], size_kva, curve), volt_var([2, 5], size_kva / 2, "ieee_1547_b")]
    flow = draws(bus, rng.uniform(-5, 5, (2, 6)), None, share, volt_var=merge_volt_var(groups))
    grid = grid_with(branching(seed=seed % 7, nodes=nodes, meshed=nodes > 8))
    assert_on_curves(flow, inside(grid, flow), relative=3e-6)


def test_the_bytes_do_not_depend_on_threads_or_neighbours():
    rng = np.random.default_rng(3)
    bus, share = np.arange(1, 20), PHASES[rng.integers(0, 3, 19)]
    flow = draws(bus, rng.uniform(-4, 4, (40, 19)), None, share, volt_var=volt_var(np.arange(19), 30.0, STEP))  # fmt: skip
    grid = grid_with(branching(seed=1, nodes=20))
    whole = solve_three_phase(grid, flow, replace(THREE, threads=1))
    two = solve_three_phase(grid, flow, replace(THREE, threads=2))
    assert two.volt_var_q_kvar.tobytes() == whole.volt_var_q_kvar.tobytes()
    part = replace(flow, timeline=flow.timeline.part(35, 1), p_kw=flow.p_kw[:, 35:36], q_kvar=flow.q_kvar[:, 35:36])  # fmt: skip
    alone = solve_three_phase(grid, part, THREE)
    assert alone.volt_var_q_kvar.tobytes() == whole.volt_var_q_kvar[:, 35:36].tobytes()
