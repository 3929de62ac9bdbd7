"""Charging under a limit never passes it, and says what that cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.dispatch import g2v, uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request


def street(count=10, limit=60.0, seed=1, **options):
    rng = np.random.default_rng(seed)
    back = 15 + 10 * np.sin(np.arange(48) / 24 * 2 * np.pi - 2) + rng.uniform(0, 2, 48)
    return plan_request(
        [
            Car(f"car {k}", soc=0.2, eta_charge=0.92, soc_knee=0.7, taper_fraction=0.1)
            for k in range(count)
        ],
        [
            Stay(k, int(rng.integers(14, 20)), int(rng.integers(30, 36)), target=0.85)
            for k in range(count)
        ],
        steps=48,
        groups=[Group(back, limit)],
        **options,
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 99),
    limit=st.floats(20.0, 90.0),
    order=st.sampled_from(["least_laxity", "earliest_departure", "first_come"]),
)
def test_cars_never_pass_the_limit(seed, limit, order):
    request = street(limit=limit, seed=seed)
    found = g2v.TransformerLimit(0.9, order).plan(request)
    total = found.p_kw.sum(axis=1) + request.background_kw[:, 0]
    allowed = np.maximum(0.9 * limit, request.background_kw[:, 0])
    assert np.all(total <= allowed + 1e-9)


def test_without_a_limit_it_is_uncontrolled_charging():
    request = street(limit=np.inf)
    found = g2v.TransformerLimit().plan(request)
    np.testing.assert_allclose(found.p_kw, uncontrolled_dispatch(request).p_kw, atol=1e-12)


def test_the_limit_binds_and_all_are_served_in_the_night():
    request = street()
    found, base = g2v.TransformerLimit().plan(request), uncontrolled_dispatch(request)
    back = request.background_kw[:, 0]
    assert (base.p_kw.sum(axis=1) + back).max() > 80.0
    assert (found.p_kw.sum(axis=1) + back).max() == pytest.approx(54.0)
    assert not found.unmet_kwh.any()


def test_energy_that_the_limit_takes_is_reported_as_such():
    request = street(limit=32.0)
    found = g2v.TransformerLimit().plan(request)
    assert found.unmet_kwh.sum() > 10.0
    assert set(found.unmet_cause) <= {"", "limit"}


def test_cars_not_enrolled_take_their_power_first():
    request = street()
    found = g2v.TransformerLimit(enrolled=0.5).plan(request)
    base = uncontrolled_dispatch(request)
    others = ~found.controlled
    assert np.array_equal(found.p_kw[:, others], base.p_kw[:, others])
    around = base.p_kw[:, others].sum(axis=1) + request.background_kw[:, 0]
    total = found.p_kw.sum(axis=1) + request.background_kw[:, 0]
    assert np.all(total <= np.maximum(54.0, around) + 1e-9)


def test_the_main_fuse_limits_as_well():
    request = plan_request(
        [Car(soc=0.2)], [Stay(0, 0, 20)], places=[Place(load_kw=3.0, import_limit_kw=8.0)]
    )
    found = g2v.TransformerLimit().plan(request)
    assert found.p_kw.max() == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [({"limit": 0.0}, "limit"), ({"order": "random"}, "order"), ({"enrolled": -1.0}, "enrolled")],
)
def test_settings_that_cannot_be_are_refused(settings_, words):
    with pytest.raises(InputError, match=words):
        g2v.TransformerLimit(**settings_)
