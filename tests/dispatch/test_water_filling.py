"""Pouring energy into valleys against published levels, a general solver and the optimality conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, minimize

from gridimpact.dispatch import water_filling
from gridimpact.dispatch.water_filling import Pours, fill_rolling, water_fill
from gridimpact.errors import InputError

DEMAND = [8.0, 7.0, 5.0, 4.0, 4.0, 5.0, 7.0, 9.0]


@pytest.fixture(params=["compiled", "interpreted"])
def kernels(request, monkeypatch):
    """Run with the compiled kernels, and as plain Python, which coverage can see."""
    if request.param == "interpreted":
        for name in ("poured", "pour", "landscape", "answer", "settle", "fill"):
            monkeypatch.setattr(water_filling, name, getattr(water_filling, name).py_func)


def pours(windows, energy, cap, *, sites=None, groups=None):
    start = np.array([a for a, _ in windows], dtype=np.int64)
    end = np.array([b for _, b in windows], dtype=np.int64)
    steps = end - start
    offset = np.concatenate([[0], np.cumsum(steps)])[:-1].astype(np.int64)
    groups = [[0]] * len(windows) if groups is None else groups
    counts = np.array([len(g) for g in groups], dtype=np.int64)
    return Pours(
        start,
        end,
        np.asarray(energy, float),
        offset,
        np.concatenate([[0], np.cumsum(counts)])[:-1].astype(np.int64),
        counts,
        np.array([g for some in groups for g in some] or [0], dtype=np.int64),
        np.full(len(windows), -1, np.int64) if sites is None else np.array(sites, np.int64),
        np.repeat(np.broadcast_to(np.asarray(cap, float), start.shape), steps),
    )


def test_levels_equal_the_published_ones(kernels):
    power, level = water_fill(DEMAND, np.inf, 12.0)
    assert level == pytest.approx(22 / 3, abs=1e-12)
    assert power == pytest.approx([0, 1 / 3, 7 / 3, 10 / 3, 10 / 3, 7 / 3, 1 / 3, 0])
    power, level = water_fill(DEMAND, 2.5, 12.0)
    assert level == pytest.approx(8.0, abs=1e-12)
    assert power == pytest.approx([0, 1, 2.5, 2.5, 2.5, 2.5, 1, 0])


def test_the_corners_are_nothing_and_everything(kernels):
    assert water_fill(DEMAND, 2.0, 0.0)[0].tolist() == [0.0] * 8
    power, level = water_fill(DEMAND, 2.0, 99.0)
    assert power.tolist() == [2.0] * 8
    assert level == 11.0
    assert water_fill(DEMAND, 0.0, 5.0) == (pytest.approx(np.zeros(8)), 0.0)
    # Half-hour steps: the same energy needs twice the power.
    assert water_fill(DEMAND, 9.0, 6.0, 0.5)[0].sum() == pytest.approx(12.0)


@settings(max_examples=200, deadline=None)
@given(
    base=st.lists(st.floats(-50, 50), min_size=1, max_size=40),
    share=st.floats(0.0, 1.0),
    seed=st.integers(0, 999),
)
def test_filled_steps_end_at_one_level(base, share, seed):
    base = np.array(base)
    cap = np.random.default_rng(seed).choice([0.0, 1.5, 11.0], base.size)
    energy = share * cap.sum()
    power, level = water_fill(base, cap, energy)
    assert power.sum() == pytest.approx(energy, abs=1e-9)
    assert np.all((power >= 0) & (power <= cap))
    partly = (power > 1e-9) & (power < cap - 1e-9)
    np.testing.assert_allclose((base + power)[partly], level, atol=1e-9)
    if 0.0 < energy < cap.sum():
        assert np.all(base[(power <= 0) & (cap > 0)] >= level - 1e-9)
        assert np.all((base + power)[(power >= cap) & (cap > 0)] <= level + 1e-9)


@pytest.mark.parametrize(
    ("base", "cap", "energy", "dt_h"),
    [([np.nan], 1, 1, 1), ([1.0], -1, 1, 1), ([1.0], 1, -1, 1), ([1.0], 1, 1, 0)],
)
def test_a_landscape_that_is_none_is_refused(base, cap, energy, dt_h):
    with pytest.raises(InputError, match="water filling needs"):
        water_fill(base, cap, energy, dt_h)


def test_four_cars_reach_the_published_joint_optimum(kernels):
    # Gan, Topcu, Low (2013) set-up: least sum of squares 467.666..., valley flat at 22/3.
    total = np.array([DEMAND])
    _, gap = fill_rolling(
        pours([(0, 8), (1, 6), (2, 8), (0, 5)], [3.0] * 4, 1.5),
        total,
        np.zeros((0, 8)),
        day=24,
    )
    assert (total**2).sum() == pytest.approx(467.66666666666674, rel=1e-9)
    assert total[0] == pytest.approx([8, *[22 / 3] * 6, 9], abs=1e-4)
    assert gap <= 1e-9


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_two_nested_groups_agree_with_a_general_solver(seed):
    rng = np.random.default_rng(seed)
    steps, cars = 10, 4
    back = np.stack([rng.uniform(5, 15, steps), rng.uniform(1, 8, steps)])
    windows = [tuple(sorted(rng.choice(steps + 1, 2, replace=False))) for _ in range(cars)]
    member = [[0], [0, 1], [0, 1], [1]]
    cap = 3.0
    energy = [rng.uniform(0.1, 0.95) * cap * (b - a) for a, b in windows]
    total = back.copy()
    task = pours(windows, energy, cap, groups=member)
    power, _ = fill_rolling(task, total, np.zeros((0, steps)), day=steps, tolerance=1e-12)

    cells = [(i, t) for i, (a, b) in enumerate(windows) for t in range(a, b)]
    lift = np.zeros((2 * steps, len(cells)))
    sums = np.zeros((cars, len(cells)))
    for column, (i, t) in enumerate(cells):
        sums[i, column] = 1.0
        for g in member[i]:
            lift[g * steps + t, column] = 1.0
    scale = (back**2).sum()
    found = minimize(
        lambda x: ((back.ravel() + lift @ x) ** 2).sum() / scale,
        np.concatenate(
            [np.full(b - a, e / (b - a)) for (a, b), e in zip(windows, energy, strict=True)]
        ),
        jac=lambda x: 2 * lift.T @ (back.ravel() + lift @ x) / scale,
        bounds=Bounds(0.0, cap),
        constraints=LinearConstraint(sums, energy, energy),
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert (total**2).sum() <= found.fun * scale * (1 + 1e-9)
    np.testing.assert_allclose((back.ravel() + lift @ power).reshape(2, -1), total, atol=1e-9)
    np.testing.assert_allclose(sums @ power, energy, atol=1e-9)
    assert np.all((power >= 0) & (power <= cap))


def best_other_plan(task, total, power):
    """Return the gain that the best other plan promises by the gradient, over the objective."""
    gain = 0.0
    for i in range(task.start.size):
        cells = slice(task.offset[i], task.offset[i] + task.end[i] - task.start[i])
        slope = 2 * total[0, task.start[i] : task.end[i]]
        order = np.argsort(slope, kind="stable")
        cap = task.cap[cells][order]
        used = np.clip(task.energy[i] - np.concatenate([[0], np.cumsum(cap)[:-1]]), 0, cap)
        gain += slope @ power[cells] - slope[order] @ used
    return gain / (total**2).sum()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_no_other_plan_gains_more_than_the_gap(seed):
    rng = np.random.default_rng(seed)
    steps = 96
    windows = []
    for _ in range(30):
        a = int(rng.integers(0, steps - 8))
        windows.append((a, int(rng.integers(a + 4, steps + 1))))
    energy = [rng.uniform(0.05, 0.9) * 11 * (b - a) for a, b in windows]
    total = rng.uniform(20, 80, (1, steps))
    task = pours(windows, energy, 11.0)
    power, gap = fill_rolling(task, total, np.zeros((0, steps)), day=steps)
    assert gap <= 1e-9
    assert best_other_plan(task, total, power) <= 2e-9


def test_a_fuse_is_kept_unless_the_target_needs_more(kernels):
    back = np.array([[5.0, 1.0, 1.0, 5.0]])
    room = np.array([[4.0, 1.0, 4.0, 4.0]])
    task = pours([(0, 4)], [6.0], 4.0, sites=[0])
    power, _ = fill_rolling(task, back.copy(), room.copy(), day=4)
    assert power == pytest.approx([0.5, 1.0, 4.0, 0.5])
    tight = pours([(1, 3)], [7.0], 4.0, sites=[0])
    power, _ = fill_rolling(tight, back.copy(), room.copy(), day=4)
    # Five fit under the fuse; the two more lie where the charger has room.
    assert power == pytest.approx([3.0, 4.0])


def test_cars_behind_one_fuse_share_it(kernels):
    room = np.full((1, 6), 5.0)
    task = pours([(0, 6), (0, 6)], [12.0, 12.0], 4.0, sites=[0, 0])
    power, _ = fill_rolling(task, np.zeros((1, 6)), room, day=6)
    assert np.all(power[:6] + power[6:] <= 5.0 + 1e-9)
    assert power.reshape(2, 6).sum(axis=1) == pytest.approx([12.0, 12.0])


def test_without_groups_a_charge_is_spread_evenly(kernels):
    task = pours([(1, 5)], [6.0], 4.0, groups=[[]])
    power, _ = fill_rolling(task, np.zeros((0, 6)), np.zeros((0, 6)), day=6)
    assert power == pytest.approx([1.5] * 4)


def test_caps_that_leave_no_room_end_the_search(kernels):
    task = pours([(0, 4)], [6.0], 0.0)
    power, gap = fill_rolling(task, np.ones((1, 4)), np.zeros((0, 4)), day=4)
    assert not power.any()
    assert gap == 0.0


def test_a_long_horizon_rolls_on_and_serves_every_stay():
    day = 24
    rng = np.random.default_rng(3)
    windows = [(18 + 24 * d, 31 + 24 * d) for d in range(9)] + [(5, 220)]
    energy = [20.0] * 9 + [60.0]
    total = rng.uniform(5, 15, (1, 10 * day))
    before = total.copy()
    task = pours(windows, energy, 7.0)
    power, gap = fill_rolling(task, total, np.zeros((0, 240)), day=day)
    assert gap <= 1e-9
    sums = np.add.reduceat(power, task.offset)
    assert sums == pytest.approx(energy)
    assert total.sum() - before.sum() == pytest.approx(sum(energy))


def test_a_search_cut_short_tells_its_gap():
    windows = [(0, 8), (1, 6), (2, 8), (0, 5)]
    total = np.array([DEMAND])
    _, gap = fill_rolling(
        pours(windows, [3.0] * 4, 1.5), total, np.zeros((0, 8)), day=24, tolerance=1e-15, sweeps=2
    )
    assert gap > 1e-15
