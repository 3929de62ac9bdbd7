from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.profiles.calibration import stretch_to_peak


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.7, 1.4))
def test_the_maximum_is_met_and_every_energy_kept(seed: int, ratio: float) -> None:
    load = np.random.default_rng(seed).gamma(1.5, 0.3, size=(400, 12))
    before = load.sum(axis=1).max()
    mean = load.sum(axis=1).mean()
    wanted = mean + ratio * (before - mean) * 0.8
    stretch = stretch_to_peak(load, wanted)
    after = load * stretch.time_factor[:, None] * stretch.site_factor
    assert after.sum(axis=1).max() == pytest.approx(wanted, rel=1e-6)
    np.testing.assert_allclose(after.sum(axis=0), load.sum(axis=0), rtol=1e-9)
    assert after.min() >= 0.0
    assert stretch.peak_before_kw == pytest.approx(before)


def test_a_maximum_already_met_changes_nothing() -> None:
    load = np.random.default_rng(1).gamma(2.0, 0.3, size=(300, 5))
    stretch = stretch_to_peak(load, float(load.sum(axis=1).max()))
    assert stretch.exponent == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(stretch.time_factor, 1.0, atol=1e-5)


@pytest.mark.parametrize("peak", [0.5, 1e4])
def test_a_maximum_that_contradicts_the_energy_is_refused(peak: float) -> None:
    load = np.random.default_rng(1).gamma(2.0, 0.3, size=(300, 5))
    with pytest.raises(InputError, match="does not go with these loads"):
        stretch_to_peak(load, peak)


def test_loads_without_energy_cannot_be_calibrated() -> None:
    with pytest.raises(InputError, match="without energy"):
        stretch_to_peak(np.zeros((4, 2)), 10.0)
