from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.profiles.sampling import Series, held, interpolated
from gridimpact.timeline import Timeline

START = np.datetime64("2016-01-01T00:00:00", "s")


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([60, 300, 900, 1800, 3600]),
    st.sampled_from([60, 300, 600, 900, 3600, 7200]),
    st.integers(0, 2**32 - 1),
)
def test_energy_is_the_same_at_every_step(source_s: int, step_s: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(86_400 // source_s, 3))
    time = Timeline(START, step_s, 86_400 // step_s)
    found, foreign = held(Series(START, source_s, values, "x"), time)
    assert not foreign
    np.testing.assert_allclose(found.sum(0) * step_s, values.sum(0) * source_s, atol=1e-6)


def test_hourly_values_hold_over_quarter_hours() -> None:
    time = Timeline(START, 900, 8)
    found, _ = held(Series(START, 3600, np.array([1.0, -2.0]), "x"), time)
    assert found.tolist() == [1.0] * 4 + [-2.0] * 4


def test_a_straight_line_is_sampled_at_the_middle_of_each_step() -> None:
    line = Series(START, 3600, np.arange(5.0), "x")
    quarter, _ = interpolated(line, Timeline(START, 900, 8))
    np.testing.assert_allclose(quarter, (np.arange(8) + 0.5) / 4.0)
    hour, _ = interpolated(line, Timeline(START, 3600, 4))
    np.testing.assert_allclose(hour, np.arange(4) + 0.5)


def test_a_short_series_is_refused_with_both_periods() -> None:
    with pytest.raises(InputError, match=r"covers 2016-01-01T00:00:00 to 2016-01-01T05:00:00"):
        held(Series(START, 3600, np.zeros(5), "prices"), Timeline(START, 3600, 6))


def test_stamps_off_the_minute_are_refused() -> None:
    odd = Series(START + np.timedelta64(7, "s"), 900, np.zeros(200), "x")
    with pytest.raises(InputError, match="do not meet"):
        held(odd, Timeline(START, 900, 4))
