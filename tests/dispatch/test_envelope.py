"""Earliest and latest charging bound every plan that serves its stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from gridimpact.dispatch import execute
from gridimpact.dispatch.envelope import envelope
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from tests.dispatch.requests import Car, Stay, plan_request, small_requests


def test_bounds_are_straight_lines_without_taper():
    request = plan_request([Car(soc=0.2)], [Stay(0, 1, 6, target=0.6)], steps=8)
    found = envelope(request)
    assert found.earliest[1:6, 0] == pytest.approx([0.4, 0.6, 0.6, 0.6, 0.6])
    assert found.latest[1:6, 0] == pytest.approx([-0.2, 0.0, 0.2, 0.4, 0.6])
    assert np.isnan(found.earliest[[0, 6, 7], 0]).all()
    assert found.energy_kwh[0] == pytest.approx(20.0)
    assert envelope(request, ceiling="max").earliest[5, 0] == pytest.approx(1.0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(request_=small_requests())
def test_uncontrolled_runs_along_the_earliest_and_the_guard_along_the_latest(request_):
    found = envelope(request_)
    soon = uncontrolled_dispatch(request_)
    inside = np.isfinite(found.earliest)
    np.testing.assert_allclose(soon.soc[inside], found.earliest[inside], atol=1e-9)
    everyone = np.ones(len(request_.vehicle_id), dtype=bool)
    late = execute(
        request_, np.zeros_like(soon.p_kw), strategy="late", controlled=everyone, ceiling="target"
    )
    assert np.all(late.soc[inside] >= found.latest[inside] - 1e-9)
    assert np.all(late.soc[inside] <= found.earliest[inside] + 1e-9)
    used = np.array(
        [
            soon.p_kw[a:b, v].sum()
            for v, a, b in zip(
                request_.stays.vehicle, request_.stays.start, request_.stays.end, strict=True
            )
        ]
    )
    np.testing.assert_allclose(used * request_.timeline.dt_h, found.energy_kwh, atol=1e-8)


def test_a_stay_of_no_step_has_no_bounds():
    request = plan_request([Car()], [Stay(0, 2, 2)], steps=4)
    assert np.isnan(envelope(request).latest).all()
