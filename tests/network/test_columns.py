"""Columns take only values that mean what the column says."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.network.columns import point, typed_column


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        ("float64", 1, True),
        ("float64", 2.5, "2,5"),
        ("uint32", 3.0, 3.5),
        ("int64", 0, -1),
        ("Int64", 7, "7"),
        ("bool", 1, 2),
        ("bool", False, "no"),
        ("object", "x", ["x"]),
    ],
)
def test_a_value_fits_its_dtype_or_is_named(dtype, good, bad):
    index = pd.Index([5, 9])
    series, problem = typed_column("load", "c", index, [good, good], dtype)
    assert problem is None
    assert series.loc[9] == good
    series, problem = typed_column("load", "c", index, [good, bad], dtype)
    assert series is None
    assert "row 9" in problem.what


def test_missing_numbers_are_nan_and_missing_bus_numbers_are_wrong():
    index = pd.Index([0, 1])
    series, _ = typed_column("load", "q_mvar", index, [None, 1.0], "float64")
    assert series.isna().tolist() == [True, False]
    _, problem = typed_column("load", "bus", index, [None, 1], "uint32")
    assert problem is not None


def test_numbers_beyond_any_float_are_wrong():
    _, problem = typed_column("load", "p_mw", pd.Index([0]), [10**400], "float64")
    assert problem is not None


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_plain_value_gives_a_typed_column_a_problem_or_nothing(value):
    for dtype in ("float64", "uint32", "bool", "Int64", "object", None):
        series, problem = typed_column("t", "c", pd.Index([0]), [value], dtype)
        assert series is None or problem is None
        assert series is None or len(series) == 1
    assert point(value) is None or isinstance(value, str | dict)


def test_geometry_needs_finite_numbers():
    assert point({"type": "Point", "coordinates": [1, float("nan")]}) is None
    assert point({"type": "Polygon", "coordinates": [[1, 2]]}) is None
    assert point('"{\\"type\\":\\"Point\\",\\"coordinates\\":[1,2,3]}"') is not None
