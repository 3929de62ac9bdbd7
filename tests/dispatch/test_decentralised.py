"""Valley filling by a broadcast price: the published case, the central optimum, and messages that get lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gridimpact.dispatch import g2v, kernels_broadcast
from gridimpact.dispatch.g2v import decentralised
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request
from tests.dispatch.test_valley_filling import DEMAND, four_cars, nights, squares

Decentralised = g2v.DecentralisedValleyFilling


def figure(found: Dispatch, name: str) -> float:
    """Return one figure of a dispatch."""
    return next(item.value for item in found.figures if item.name == name)


def test_four_cars_agree_on_the_published_optimum_in_eleven_rounds():
    # The broadcast protocol with gamma 0.125, half of the largest step for four cars.
    found = Decentralised(tolerance=1e-6).plan(four_cars())
    total = found.p_kw.sum(axis=1) + DEMAND
    assert figure(found, "rounds") == 11.0
    assert (total**2).sum() == pytest.approx(467.66666666666674, rel=1e-6)
    short = Decentralised(iterations=10).plan(four_cars())
    missing = ((short.p_kw.sum(axis=1) + DEMAND) ** 2).sum() / 467.66666666666674 - 1.0
    assert missing > 1e-6
    assert short.notes[0].kind == "warning"
    exact = Decentralised(iterations=3000, tolerance=1e-15).plan(four_cars())
    total = exact.p_kw.sum(axis=1) + DEMAND
    assert total == pytest.approx([8.0, *[22.0 / 3.0] * 6, 9.0], abs=1e-5)
    assert (total**2).sum() == pytest.approx(467.66666666666674, rel=1e-10)


@pytest.mark.reference
def test_the_quoted_optimum_is_that_of_the_reference(reference: Path):
    text = (reference / "reference" / "requirements" / "valley_filling.json").read_text()
    case = json.loads(text)["gan_topcu_low"]
    assert case["inp"]["D"] == DEMAND
    assert case["expect"]["sum_sq"] == pytest.approx(467.66666666666674)
    assert case["expect"]["iterations_to_1e_6_rel"] == 11
    assert case["expect"]["total"] == pytest.approx([8.0, *[22.0 / 3.0] * 6, 9.0], abs=1e-6)


def least_squares(request: PlanRequest) -> float:
    """Return the least sum of squares of the first group's load by a general solver."""
    stays, held = request.stays, request.batteries
    v = np.repeat(np.arange(stays.vehicle.size), stays.end - stays.start)
    t = np.concatenate([np.arange(a, b) for a, b in zip(stays.start, stays.end, strict=True)])
    gain = (stays.soc_target - request.soc_initial[stays.vehicle]) * held.capacity_kwh
    need = np.minimum(gain / held.eta_charge, stays.p_charge_kw * (stays.end - stays.start))
    base = request.background_kw[:, 0]

    def load(x: np.ndarray) -> np.ndarray:
        return base + np.bincount(t, x, base.size)

    owner = (v[None, :] == np.arange(need.size)[:, None]).astype(float)
    found = minimize(
        lambda x: (load(x) ** 2).sum(),
        (need / (stays.end - stays.start))[v],
        jac=lambda x: 2.0 * load(x)[t],
        bounds=[(0.0, top) for top in stays.p_charge_kw[v]],
        constraints={"type": "eq", "fun": lambda x: owner @ x - need, "jac": lambda _: owner},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return float(found.fun)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 999))
def test_central_and_decentralised_filling_are_the_quadratic_optimum(seed: int):
    rng = np.random.default_rng(seed)
    marks = [sorted(rng.choice(13, 2, replace=False)) for _ in range(4)]
    request = plan_request(
        [Car(f"car {k}", soc=0.3, eta_charge=0.9) for k in range(4)],
        [
            Stay(k, int(a), int(b), target=0.3 + rng.uniform(0.05, 0.5), p_kw=4.0)
            for k, (a, b) in enumerate(marks)
        ],
        steps=12,
        groups=[Group(rng.uniform(3.0, 15.0, 12))],
    )
    best = least_squares(request)
    central = squares(request, g2v.ValleyFilling().plan(request))
    agreed = squares(request, Decentralised(iterations=3000, tolerance=1e-12).plan(request))
    assert central == pytest.approx(best, rel=1e-6)
    assert agreed == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(
    "lost",
    [{}, {"missed": 0.4}, {"late": 0.5, "step_size": 0.3}, {"missed": 0.3, "late": 0.3}],
    ids=["all heard", "missed", "late", "both"],
)
def test_a_fleet_agrees_on_the_central_load_though_messages_are_lost(lost: dict[str, float]):
    request = nights(8, 2)
    central, found = g2v.ValleyFilling().plan(request), Decentralised(**lost).plan(request)
    assert squares(request, found) == pytest.approx(squares(request, central), rel=1e-6)
    np.testing.assert_allclose(found.p_kw.sum(axis=1), central.p_kw.sum(axis=1), atol=0.15)
    assert figure(found, "relative_gap") < 1e-4
    assert not found.unmet_kwh.any()


def test_nested_groups_reach_the_central_optimum():
    rng = np.random.default_rng(7)
    request = plan_request(
        [Car(f"car {k}", soc=0.3) for k in range(4)],
        [Stay(k, k, 10 + k, target=0.6, p_kw=4.0) for k in range(4)],
        steps=14,
        groups=[Group(rng.uniform(5, 15, 14)), Group(rng.uniform(1, 8, 14), chargers=(1, 2))],
    )

    def both(found: Dispatch) -> float:
        inner = found.p_kw[:, 1:3].sum(axis=1)
        loads = request.background_kw + np.stack([found.p_kw.sum(axis=1), inner], axis=1)
        return float((loads**2).sum())

    central, found = g2v.ValleyFilling().plan(request), Decentralised().plan(request)
    assert both(found) == pytest.approx(both(central), rel=1e-6)


def test_what_a_car_hears_depends_on_its_own_name_alone():
    strategy = Decentralised(missed=0.5)
    both = strategy._heard(["a", "b"], 3, 0)
    assert np.array_equal(both[:, 1], strategy._heard(["b"], 3, 0)[:, 0])
    assert not np.array_equal(both[:, 0], both[:, 1])
    assert np.mean(both == kernels_broadcast.MISSED) == pytest.approx(0.5, abs=0.1)


def test_the_fuse_is_shared_and_kept_where_the_target_allows():
    load = np.array([6.0, 1.0, 1.0, 6.0])
    request = plan_request(
        [Car(soc=0.5)],
        [Stay(0, 0, 4, target=0.74)],
        steps=4,
        places=[Place(load_kw=load, import_limit_kw=7.0)],
        groups=[Group([1.0, 9.0, 9.0, 1.0])],
    )
    found = Decentralised().plan(request)
    assert found.p_kw[:, 0] == pytest.approx([1.0, 5.0, 5.0, 1.0])
    beyond = replace(request, site_import_limit_kw=np.array([3.0]))
    assert Decentralised().plan(beyond).unmet_kwh[0] == 0.0


def test_the_interpreted_kernels_are_the_compiled_ones(monkeypatch: pytest.MonkeyPatch):
    request, strategy = nights(3, 1), Decentralised(iterations=5, missed=0.2, late=0.2)
    fast = strategy.plan(request)
    for name in ("project", "sharing", "priced", "open_part", "negotiate", "gap_of"):
        plain = getattr(kernels_broadcast, name).py_func
        monkeypatch.setattr(kernels_broadcast, name, plain)
        monkeypatch.setattr(decentralised, name, plain, raising=False)
    slow = strategy.plan(request)
    np.testing.assert_allclose(slow.p_kw, fast.p_kw, atol=1e-9)
    assert figure(slow, "relative_gap") == pytest.approx(figure(fast, "relative_gap"))


@pytest.mark.parametrize(
    "bad",
    [{"iterations": 0}, {"tolerance": 0.0}, {"step_size": 1.0}, {"missed": 0.99}, {"late": -0.1}],
    ids=lambda bad: next(iter(bad)),
)
def test_settings_that_lead_nowhere_are_refused(bad: dict[str, float]):
    with pytest.raises(InputError, match=next(iter(bad))):
        Decentralised(**bad)
