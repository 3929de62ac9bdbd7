"""The rule of tap changers, played against voltages given by position."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.powerflow.tap_rule import move_taps, start_taps
from gridimpact.records import TapControl


def _control(count=5, start=0, low=0.99, high=1.01) -> TapControl:
    return TapControl(0, 0, low, high, np.arange(count), start, np.zeros((count, 4), complex))


def _play(voltages, control, effect=0.02):
    """Let the rule move one lane whose voltage at each position is given; return the path."""
    taps, path = start_taps([control], 1), [control.start]
    plan = (np.array([effect]), np.array([0]))
    for _ in range(20):
        held_ = np.array([[voltages[taps.index[0, 0]]]])
        if not move_taps([control], plan, taps, np.array([0]), held_)[0]:
            return path, taps
        path.append(int(taps.index[0, 0]))
    pytest.fail(f"it hunts: {path}")


def test_a_far_band_is_reached_in_few_moves_and_never_jumped_over():
    path, _ = _play(np.linspace(0.8, 1.0, 11), _control(11, low=0.989, high=1.2))
    assert path == [0, 6, 8, 9, 10]


def test_a_jump_that_the_network_answers_too_strongly_is_taken_back_and_done_step_by_step():
    strong = 0.8 + 0.07 * np.arange(11)
    path, taps = _play(strong, _control(11, low=0.93, high=1.0))
    assert path[:3] == [0, 4, 0]
    assert path[-1] == 2
    assert taps.one_by_one[0, 0]


def test_a_jump_to_the_end_of_the_range_stays_there():
    path, taps = _play(np.full(8, 0.8), _control(8))
    assert path == [0, 6, 7]
    assert taps.at_end[0, 0]


def test_between_two_positions_the_nearer_is_kept_and_a_tie_stays():
    for voltages, end in (((0.97, 1.02), 1), ((0.985, 1.02), 0), ((0.96, 1.04), 1)):
        path, taps = _play(np.array(voltages), _control(2))
        assert path[-1] == end
        assert taps.settled[0, 0]


def test_a_lane_that_failed_rests():
    path, taps = _play(np.array([np.nan, 1.0]), _control(2))
    assert path == [0]
    assert not taps.at_end.any()
