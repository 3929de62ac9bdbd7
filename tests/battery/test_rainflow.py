"""Cycle counting against the published example and its own invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.battery.cycle_life import PAPER_POINTS, CycleLife, miner
from gridimpact.battery.rainflow import rainflow
from gridimpact.errors import InputError

LIFE = CycleLife.through(PAPER_POINTS)
SERIES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=40)


def test_the_example_of_the_standard_is_counted_as_printed():
    # ASTM E1049-85, figure 6: range and number of cycles.
    cycles = rainflow([-2, 1, -3, 5, -1, 3, -4, 4, -2])
    ranges = {size: cycles[cycles[:, 0] == size, 2].sum() for size in (3, 4, 6, 8, 9)}
    assert ranges == {3: 0.5, 4: 1.5, 6: 0.5, 8: 1.0, 9: 0.5}


@settings(max_examples=10, deadline=None, derandomize=True)
@given(series=SERIES)
def test_cycles_hold_all_the_way_and_the_largest_range(series):
    cycles = rainflow(series)
    way = np.abs(np.diff(series)).sum()
    assert (2.0 * cycles[:, 0] * cycles[:, 2]).sum() == pytest.approx(way)
    widest = max(series) - min(series)
    assert cycles[:, 0].max(initial=0.0) == widest
    # Points on the way between two turns change nothing.
    between = np.repeat(series, 2)[:-1]
    between[1::2] = 0.5 * (np.array(series[:-1]) + np.array(series[1:]))
    np.testing.assert_array_equal(rainflow(between), cycles)


def test_a_daily_cycle_is_one_full_cycle_a_day():
    soc = np.tile([0.9, 0.5], 100)
    cycles = rainflow(soc)
    assert cycles[:, 0] == pytest.approx(0.4)
    assert cycles[:, 2].sum() == pytest.approx(99.5)


def test_a_series_that_is_not_one_of_numbers_is_refused():
    with pytest.raises(InputError, match="finite"):
        rainflow([0.1, np.nan])
    with pytest.raises(InputError, match="one series"):
        rainflow([[0.1, 0.2]])


def test_cycle_life_goes_through_the_papers_two_points():
    assert (LIFE.a, LIFE.b) == pytest.approx((2849.5499516038776, 2.5197987529969073), rel=1e-12)
    assert LIFE.cycles([0.8, 0.7]) == pytest.approx([5000.0, 7000.0], rel=1e-12)
    assert LIFE.cycles([0.8, 0.7]) * [0.8, 0.7] == pytest.approx([4000.0, 4900.0])


def test_depths_beyond_the_two_points_are_extrapolated_with_a_warning():
    with pytest.warns(UserWarning, match="extrapolated"):
        assert LIFE.cycles([1.0, 0.5]) == pytest.approx([2849.5499516038776, 16342.228631882837])


def test_half_of_each_points_cycles_are_one_life():
    assert miner([[0.8, 2500], [0.7, 3500]], LIFE) == pytest.approx(1.0, rel=1e-12)


def test_damage_of_a_series_is_that_of_its_cycles():
    soc = np.tile([0.9, 0.1], 200)
    assert LIFE.damage(soc) == pytest.approx(199.5 / 5000.0)
    shallow = 0.5 + 0.5 * (soc - 0.5)
    both = LIFE.damage(np.stack([soc, shallow], axis=1))
    assert both[1] / both[0] == pytest.approx(0.5**LIFE.b)


@pytest.mark.parametrize("points", [[[0.8, 5000]], [[0.8, 5000], [0.8, 7000]], [[0, 1], [1, 1]]])
def test_points_that_define_no_law_are_refused(points):
    with pytest.raises(InputError, match="two points"):
        CycleLife.through(points)


def test_a_law_in_which_deeper_cycles_wear_less_is_refused():
    with pytest.raises(InputError, match="a above 0"):
        CycleLife(2000.0, -1.0)
