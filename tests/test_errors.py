"""Problems are raised together, warnings are not raised."""

from __future__ import annotations

import pytest

from gridimpact.errors import GridError, GridImpactError, InputError, Problem, raise_problems


def test_all_problems_are_told_at_once():
    found = [
        Problem("a", "is wrong", "mend a"),
        Problem("b", "is odd", severity="warning"),
        Problem("c", "too"),
    ]
    with pytest.raises(GridError) as caught:
        raise_problems(found, "network", GridError)
    assert str(caught.value) == "network: 2 problems\n  1. a: is wrong -> mend a\n  2. c: too"
    assert [p.where for p in caught.value.problems] == ["a", "c"]


def test_warnings_alone_raise_nothing():
    raise_problems([Problem("a", "is odd", severity="warning")], "network")


def test_wrong_input_is_also_a_value_error():
    assert issubclass(InputError, ValueError)
    assert issubclass(GridError, GridImpactError)
