import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.hosting.refine import UNKNOWN, Bracket, bisect, first_bracket


@settings(max_examples=10, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 41))
def test_bisection_ends_between_the_last_number_that_passes_and_the_first_that_fails(least, room):
    first = least + room
    asked = []

    def fails(pairs):
        asked.extend(pairs)
        return [cars >= first for _, cars in pairs]

    found = bisect({3: Bracket(least, least + 2 * room)}, fails)[3]
    assert (found.passes, found.fails) == (first - 1, first)
    assert len(asked) <= np.ceil(np.log2(2 * room))


def test_strategies_are_bisected_side_by_side():
    rounds = []

    def fails(pairs):
        rounds.append(pairs)
        return [cars >= {0: 3, 1: 14}[s] for s, cars in pairs]

    found = bisect({1: Bracket(8, 16), 0: Bracket(0, 8)}, fails)
    assert found == {0: Bracket(2, 3), 1: Bracket(13, 14)}
    assert [len(pairs) for pairs in rounds] == [2, 2, 2]


@pytest.mark.parametrize(
    ("broken", "floor", "found"),
    [
        ({5: False, 10: False}, 0, None),
        ({5: True, 10: False}, 0, Bracket(0, 5)),
        ({5: False, 10: True}, None, Bracket(5, 10)),
        ({5: True}, None, None),
        ({0: True}, UNKNOWN, Bracket(UNKNOWN, 0)),
    ],
)
def test_capacity_lies_below_the_first_level_that_fails(broken, floor, found):
    assert first_bracket(broken, floor) == found


def test_nothing_is_asked_of_a_closed_bracket():
    assert bisect({0: Bracket(4, 5)}, lambda _: [][0]) == {0: Bracket(4, 5)}
