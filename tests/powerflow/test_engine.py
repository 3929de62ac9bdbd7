"""Options, refusals and the small parts of an engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gridimpact.errors import GridError, InputError
from gridimpact.network import open_network
from gridimpact.powerflow import BatchedEngine, FlowOptions, solve, solve_chunks
from gridimpact.powerflow.engine import KEPT, check_injections
from gridimpact.powerflow.newton import solve_newton
from gridimpact.powerflow.system import shunt_admittance
from tests.powerflow import nets


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance_pu": 0.0}, {"tolerance_pu": 0.5}, {"max_iterations": 0},
        {"newton_iterations": -1}, {"residual_kva": 0.0}, {"vm_plausible_pu": (1.5, 0.5)},
        {"threads": -1}, {"threads": 1.5}, {"threads": None}, {"max_iterations": 2.5},
        {"keep": ("vm",)}, {"storage": "float16"},
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_with_its_value(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))) as error:
        FlowOptions(**wrong)
    assert str(next(iter(wrong.values()))) in str(error.value)


def test_options_go_into_the_result():
    grid = nets.grid_of(nets.two_bus())
    found = solve(grid, nets.random_injections([1], 2, 5.0), FlowOptions(tolerance_pu=1e-9))
    assert found.options["tolerance_pu"] == 1e-9
    assert found.engine == BatchedEngine.name


@pytest.mark.parametrize("name", ["p_kw", "q_kvar", "phase_share", "zip_p", "zip_q"])
def test_a_wrong_shape_is_named(name):
    grid = nets.grid_of(nets.two_bus())
    given = nets.random_injections([1], 2, 5.0)
    wrong = getattr(given, name)
    with pytest.raises(InputError, match=f"{name}: has shape"):
        check_injections(grid, replace(given, **{name: np.concatenate([wrong, wrong], axis=-1)}))


def test_a_bus_outside_the_grid_and_impossible_shares_are_named_together():
    grid = nets.grid_of(nets.two_bus())
    given = nets.random_injections([1, 2, -1], 1, 5.0, zip_p=[[0.7, 0.7], [0, 0], [-0.1, 0]])
    given = replace(given, phase_share=np.array([[1.0, 0.5, 0], [1, 0, 0], [np.nan, 0, 0]]))
    with pytest.raises(InputError) as error:
        check_injections(grid, given)
    found = [problem.where for problem in error.value.problems]
    assert found == [
        "bus of element 1", "bus of element 2", "zip_p of element 0", "zip_p of element 2",
        "phase_share of element 0", "phase_share of element 2",
    ]  # fmt: skip


def test_many_gaps_are_counted_after_the_first_ones():
    grid = nets.grid_of(nets.two_bus())
    given = nets.random_injections([1], 50, 5.0)
    given.p_kw[0, :30] = np.nan
    with pytest.raises(InputError, match="10 more values are not finite"):
        check_injections(grid, given)


def test_finite_values_whose_sum_overflows_are_not_refused_as_gaps():
    grid = nets.grid_of(nets.two_bus())
    given = nets.injections([1], [[[1.5e308], [1.5e308]]], [[[0], [0]]])
    check_injections(grid, given)
    assert (solve(grid, given).status == 1).all()


@pytest.mark.parametrize("where", [(0, 0, 0), (0, 0, 11), (1, 69, 0), (0, 37, 5), (1, 69, 11)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("zip_p", [None, [[0.3, 0.3]] * 12])
def test_a_gap_anywhere_is_refused_by_the_engine(where, value, zip_p):
    """At a source as at a load, in the last lane of a broken block as in the first."""
    grid = nets.grid_of(nets.two_bus())
    given = nets.random_injections([0, *[1] * 10, 0], 70, 5.0, scenarios=2, zip_p=zip_p)
    scenario, step, element = where
    for name in ("p_kw", "q_kvar"):
        values = getattr(given, name).copy()
        values[where] = value
        place = f"{name} scenario {scenario}, step {step}, element {element}: is {value}"
        with pytest.raises(InputError, match=place):
            BatchedEngine().solve(grid, replace(given, **{name: values}))


def test_a_network_or_its_grid_may_be_given():
    network = open_network("kerber_village")
    given = nets.random_injections([4, 9], 3, 10.0)
    by_network, by_grid = solve(network, given), solve(network.grid, given)
    assert by_network.vm_pu.tobytes() == by_grid.vm_pu.tobytes()
    for source in (network, network.grid):
        parts = list(solve_chunks(source, given, chunk=2))
        assert [part.result.status.size for part in parts] == [2, 1]
        joined = np.concatenate([part.result.vm_pu for part in parts], axis=1)
        assert joined.tobytes() == by_grid.vm_pu.tobytes()


def test_factors_are_kept_for_the_grids_last_seen():
    engine = BatchedEngine()
    grids = [nets.grid_of(nets.two_bus(r_ohm=0.1 + 0.01 * k)) for k in range(9)]
    given = nets.random_injections([1], 2, 5.0)
    first = [engine.solve(grid, given).vm_pu for grid in grids]
    for grid, before in zip(grids, first, strict=True):
        assert engine.solve(grid, given).vm_pu.tobytes() == before.tobytes()


def test_an_admittance_that_is_not_its_branches_is_refused():
    grid = nets.grid_of(nets.village())
    wrong = replace(grid.admittance, y_ft=1.01 * grid.admittance.y_ft)
    with pytest.raises(GridError, match="does not hold the branches"):
        BatchedEngine().solve(replace(grid, admittance=wrong), nets.random_injections([2], 1, 1.0))


def test_the_balance_at_a_node_catches_voltages_that_are_wrong():
    # The check works on branches and shunts alone: impedances changed behind the solver's back show.
    grid = nets.grid_of(nets.village())
    engine = BatchedEngine()
    given = nets.random_injections([2, 5], 2, 20.0)
    right = engine.solve(grid, given)
    prepared = next(iter(engine._known.values()))[1]
    prepared.elimination.factors.gain_re[:] *= 1.001
    found = engine.solve(grid, given, FlowOptions(newton_iterations=0))
    assert (right.status == 0).all()
    assert (found.status == 1).all()
    rescued = engine.solve(grid, given)
    np.testing.assert_allclose(rescued.vm_pu, right.vm_pu, rtol=0, atol=1e-9)


def test_shunts_are_what_the_branches_leave_of_the_admittance():
    net = nets.everything()
    grid = nets.grid_of(net)
    shunt = shunt_admittance(grid.admittance)
    # 2 steps of 0.1 Mvar and 1 kW at 21 kV, on a base of 0.5 MVA at 20 kV; capacitors feed in.
    expected = 2 * (0.001 + 0.1j) / 0.5 * (20 / 21) ** 2
    assert shunt[grid.bus_node[2]] == pytest.approx(expected, rel=1e-9)
    assert shunt[grid.bus_node[3]] == pytest.approx((0.03 + 0.02j) / 0.5, rel=1e-9)
    assert np.abs(np.delete(shunt, grid.bus_node[[2, 3]])).max() < 1e-9


def test_newton_gives_up_on_too_few_steps_and_on_a_singular_start():
    grid = nets.grid_of(nets.two_bus())
    drawn = np.array([[0.05 + 0j], [0j], [0j]])
    start = np.ones(1, dtype=complex)
    node = np.array([1])
    assert solve_newton(grid.admittance, node, drawn, start, (1e-10, 1)) is None
    found = solve_newton(grid.admittance, node, drawn, start, (1e-10, 20))
    assert found is not None
    assert abs(found[0]) < 1
    assert solve_newton(grid.admittance, node, drawn, 0.0 * start, (1e-10, 20)) is None
    assert solve_newton(grid.admittance, node, 100 * drawn, start, (1e-10, 20)) is None


def test_threads_share_blocks_out_without_changing_a_bit(monkeypatch):
    import gridimpact.powerflow.batched as batched

    monkeypatch.setattr(batched, "_WORTH_A_THREAD", 1)
    grid = nets.grid_of(nets.village())
    given = nets.random_injections([2, 4, 7], 333, 60.0, 2)
    one = solve(grid, given, FlowOptions(threads=1))
    for threads in (2, 3, 7, 0):
        many = solve(grid, given, FlowOptions(threads=threads))
        for name in (*KEPT, "status", "residual_kva"):
            assert getattr(many, name).tobytes() == getattr(one, name).tobytes()


def test_cores_are_counted_where_affinity_is_unknown(monkeypatch):
    import gridimpact.powerflow.blocks as blocks

    monkeypatch.delattr(blocks.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(blocks.os, "cpu_count", lambda: 3)
    assert blocks._cores() == 3


def test_importing_the_room_loads_neither_compiler_nor_pandapower():
    code = "import sys, gridimpact.powerflow; print({'numba', 'pandapower'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
