"""Valley filling of real fleets: exact where it says so, never worse in service."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.dispatch import g2v, uncontrolled_dispatch
from gridimpact.dispatch.g2v import task as task_module
from gridimpact.dispatch.g2v import valley_filling
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request

DEMAND = [8.0, 7.0, 5.0, 4.0, 4.0, 5.0, 7.0, 9.0]


def four_cars():
    windows = [(0, 8), (1, 6), (2, 8), (0, 5)]
    return plan_request(
        [Car(f"car {k}", soc=0.0, capacity_kwh=10.0) for k in range(4)],
        [Stay(k, a, b, target=0.3, p_kw=1.5) for k, (a, b) in enumerate(windows)],
        steps=8,
        groups=[Group(DEMAND)],
    )


def test_four_cars_reach_the_published_least_sum_of_squares():
    found = g2v.ValleyFilling().plan(four_cars())
    total = found.p_kw.sum(axis=1) + DEMAND
    assert (total**2).sum() == pytest.approx(467.66666666666674, rel=1e-9)
    assert not found.unmet_kwh.any()


def nights(count=12, days=4, seed=5, **car):
    rng = np.random.default_rng(seed)
    steps = 96 * days
    stays = []
    for k in range(count):
        for d in range(days):
            a = 96 * d + int(rng.integers(66, 86))
            b = min(96 * d + int(rng.integers(120, 132)), steps)
            stays.append(
                Stay(k, a, b, target=0.9, trip_kwh=float(rng.uniform(2, 14)), cut=b == steps)
            )
    back = 12 + 8 * np.sin(np.arange(steps) / 96 * 2 * np.pi) + rng.uniform(0, 2, steps)
    return plan_request(
        [Car(f"car {k:02}", soc=0.9, eta_charge=0.9, **car) for k in range(count)],
        stays,
        steps=steps,
        step_s=900,
        groups=[Group(back, 80.0)],
    )


def squares(request, found):
    return ((found.p_kw.sum(axis=1) + request.background_kw[:, 0]) ** 2).sum()


def test_peak_and_sum_of_squares_fall_and_the_energy_stays():
    request = nights()
    found, base = g2v.ValleyFilling().plan(request), uncontrolled_dispatch(request)
    assert squares(request, found) < 0.9 * squares(request, base)
    peak = (found.p_kw.sum(axis=1) + request.background_kw[:, 0]).max()
    assert peak < 0.7 * (base.p_kw.sum(axis=1) + request.background_kw[:, 0]).max()
    assert found.p_kw.sum() == pytest.approx(base.p_kw.sum(), rel=1e-9)
    assert found.soc[-1] == pytest.approx(base.soc[-1], abs=1e-9)
    assert not found.notes


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 99))
def test_taper_costs_nobody_charge(seed):
    request = nights(6, 2, seed, soc_knee=0.6, taper_fraction=0.0)
    found, base = g2v.ValleyFilling().plan(request), uncontrolled_dispatch(request)
    assert np.all(found.unmet_kwh <= base.unmet_kwh + 1e-6)
    assert squares(request, found) < squares(request, base)


def test_planning_again_with_the_taper_leaves_less_to_the_guard():
    request = nights(6, 2, soc_knee=0.6, taper_fraction=0.0)
    everyone = np.ones(6, dtype=bool)
    task = task_module.charging_task(request, everyone)
    cuts = []
    for _ in range(3):
        power, _ = valley_filling.pour_together(request, task)
        task, cut = task_module.taper_caps(task, power)
        cuts.append(cut)
    assert cuts[0] > cuts[1] > cuts[2]


def test_the_interpreted_taper_is_the_compiled_one(monkeypatch):
    request = nights(3, 1, soc_knee=0.6, taper_fraction=0.2)
    mixed = np.array([True, False, True])
    task = task_module.charging_task(request, mixed)
    power, _ = valley_filling.pour_together(request, task)
    fast, cut = task_module.taper_caps(task, power)
    monkeypatch.setattr(task_module, "lower_caps", task_module.lower_caps.py_func)
    slow, cut_slow = task_module.taper_caps(task, power)
    np.testing.assert_allclose(slow.cap_kw, fast.cap_kw, rtol=1e-12)
    assert cut_slow == pytest.approx(cut)
    assert np.any(fast.cap_kw < task.cap_kw)


def test_the_main_fuse_is_kept_where_the_target_allows():
    load = np.array([6.0, 1.0, 1.0, 6.0])
    request = plan_request(
        [Car(soc=0.5)],
        [Stay(0, 0, 4, target=0.74)],
        steps=4,
        places=[Place(load_kw=load, import_limit_kw=7.0)],
        groups=[Group([1.0, 9.0, 9.0, 1.0])],
    )
    found = g2v.ValleyFilling().plan(request)
    assert np.all(found.p_kw[:, 0] + load <= 7.0 + 1e-9)
    assert found.unmet_kwh[0] == 0.0
    # 12 kWh: one hour each at 1 kW beside the load, the rest in the middle.
    assert found.p_kw[:, 0] == pytest.approx([1.0, 5.0, 5.0, 1.0])


def test_a_target_beyond_the_fuse_is_still_served():
    request = plan_request(
        [Car(soc=0.5)],
        [Stay(0, 0, 4, target=0.9)],
        steps=4,
        places=[Place(load_kw=1.0, import_limit_kw=3.0)],
    )
    found = g2v.ValleyFilling().plan(request)
    assert found.unmet_kwh[0] == 0.0
    assert found.p_kw.sum() == pytest.approx(20.0)


def test_those_not_enrolled_are_the_landscape_of_the_others():
    request = nights()
    found = g2v.ValleyFilling(enrolled=0.5).plan(request)
    base = uncontrolled_dispatch(request)
    others = ~found.controlled
    assert 0 < others.sum() < 12
    assert np.array_equal(found.p_kw[:, others], base.p_kw[:, others])
    full = g2v.ValleyFilling().plan(request)
    assert squares(request, full) < squares(request, found) < squares(request, base)


def test_an_open_gap_is_told(monkeypatch):
    monkeypatch.setattr(valley_filling, "GAP", 1e-18)
    monkeypatch.setattr(
        valley_filling,
        "fill_rolling",
        lambda *args, real=valley_filling.fill_rolling, **kw: real(*args, **{**kw, "sweeps": 2}),
    )
    found = g2v.ValleyFilling().plan(four_cars())
    assert found.notes[0].kind == "warning"
    assert "gap" in found.notes[0].text


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InputError, match="enrolled"):
        g2v.ValleyFilling(enrolled=2.0)
