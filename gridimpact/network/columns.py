"""Turn columns of plain values into typed arrays, refusing what does not fit the column's dtype."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.network.tables import DEFAULTS, MAX_TEXT
from gridimpact.records import FloatArray

SHOWN = 5
"""Rows named in one problem; the rest is counted."""


def rows_text(rows: Sequence[Any], values: Sequence[Any] | None = None) -> str:
    """Return the first rows of a finding with their values, and how many more there are.

    Examples
    --------
    >>> rows_text([1, 2], [0.5, -1])
    'row 1 (0.5), row 2 (-1)'
    >>> rows_text(list(range(8)))
    'row 0, row 1, row 2, row 3, row 4 and 3 more'
    """
    shown = [
        f"row {row}" + ("" if values is None else f" ({_short(value)})")
        for row, value in zip(
            rows[:SHOWN], (values if values is not None else rows)[:SHOWN], strict=True
        )
    ]
    more = len(rows) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def column(table: Any, name: str, missing: float = 0.0) -> FloatArray:
    """Return a column as numbers; where it or a value is missing, the default.

    Examples
    --------
    >>> column(pd.DataFrame({"x_ohm": [0.1, None]}), "x_ohm", 2.0).tolist()
    [0.1, 2.0]
    """
    if name not in table:
        return np.full(len(table), missing)
    values = np.array(table[name].to_numpy(dtype=np.float64, na_value=np.nan))
    return np.where(np.isnan(values), missing, values)


def _short(value: Any) -> str:
    """Return a value as short text."""
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _is_missing(value: Any) -> bool:
    """Return whether a plain value stands for "nothing"."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _as_float(value: Any) -> float | None:
    """Return a number, NaN for a missing one, None where the value is no number."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _as_int(value: Any) -> int | None:
    """Return a whole number that fits pandapower's index columns, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or _is_missing(value):
        return None
    if value != value // 1 or not 0 <= value < 2**31:
        return None
    return int(value)


def _as_bool(value: Any) -> bool | None:
    """Return a truth value; 0 and 1 count, text does not."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return None


def _as_text(value: Any) -> str | None:
    """Return text; numbers are written out; None where the value is neither."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else None
    return str(value) if isinstance(value, bool | int | float) else None


def point(value: Any) -> str | None:
    """Return a GeoJSON geometry as canonical text, None where it is none.

    Examples
    --------
    >>> point({"type": "Point", "coordinates": [1, 2.5]})
    '{"type": "Point", "coordinates": [1.0, 2.5]}'
    >>> point("nowhere") is None
    True
    """
    for _ in range(2):  # pandapower may have wrapped the text in quotes once more
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return None
    if not isinstance(value, dict) or value.get("type") not in ("Point", "LineString"):
        return None
    try:
        numbers = np.asarray(value.get("coordinates"), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    wanted = 1 if value["type"] == "Point" else 2
    if numbers.ndim != wanted or numbers.shape[-1] < 2 or not np.isfinite(numbers).all():
        return None
    return json.dumps({"type": value["type"], "coordinates": numbers[..., :2].tolist()})


def typed_column(
    table: str, column: str, index: Any, values: Sequence[Any], dtype: str | None
) -> tuple[pd.Series | None, Problem | None]:
    """Return one column with its dtype, or the problem that forbids it.

    Parameters
    ----------
    table, column : str
        Names, for the words of a problem.
    index : pandas.Index
        Row labels of the table.
    values : sequence
        Plain values.
    dtype : str or None
        Dtype of a known column; None lets the values decide (numbers, truth values or text).

    Returns
    -------
    series, problem
        Exactly one of them is None, but for an extra column that holds no plain values: both None.
    """
    if column == "geo":
        return pd.Series([point(value) for value in values], index=index, dtype=object), None
    if dtype is None:
        return _extra(index, values), None
    caster, wanted = _CASTS[_kind(dtype)]
    default = DEFAULTS.get(column, False if dtype == "bool" else None)
    if column in ("in_service", "closed"):
        default = None  # a missing state is no state
    cast = [_cell(value, caster, default, _kind(dtype)) for value in values]
    bad = [number for number, value in enumerate(cast) if value is _BAD]
    if bad:
        where = rows_text([index[i] for i in bad], [values[i] for i in bad])
        return None, Problem(f"{table}, {column}", f"{where}: must be {wanted}", "mend the value")
    target: Any = {"text": object, "nullable": "Int64"}.get(_kind(dtype), dtype)
    return pd.Series(cast, index=index, dtype=target), None


_BAD = object()


def _cell(value: Any, caster: Callable[[Any], Any], default: Any, kind: str) -> Any:
    """Return one cast cell, its default where missing, or the mark of a bad one."""
    if _is_missing(value):
        if kind == "number":
            return math.nan
        if kind in ("text", "nullable"):
            return None
        return _BAD if default is None else default
    cast = caster(value)
    return _BAD if cast is None else cast


def _kind(dtype: str) -> str:
    """Return the kind of a pandas dtype name."""
    if dtype == "Int64":
        return "nullable"
    if dtype.startswith("float"):
        return "number"
    if "int" in dtype:
        return "whole"
    return "truth" if dtype == "bool" else "text"


_CASTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "number": (_as_float, "a number"),
    "whole": (_as_int, "a whole number from 0 to 2147483647"),
    "nullable": (_as_int, "a whole number from 0 to 2147483647, or empty"),
    "truth": (_as_bool, "true or false"),
    "text": (_as_text, f"text of at most {MAX_TEXT} characters"),
}


def _extra(index: Any, values: Sequence[Any]) -> pd.Series | None:
    """Return an extra column by what its values are; None where they are not plain."""
    found = {type(value) for value in values if not _is_missing(value)}
    if not found <= {str, int, float, bool}:
        return None
    if found == {bool} and not any(_is_missing(value) for value in values):
        return pd.Series(list(values), index=index, dtype=bool)
    if found and found <= {int, float}:
        numbers = [_as_float(value) for value in values]
        return None if None in numbers else pd.Series(numbers, index=index, dtype=np.float64)
    texts = [None if _is_missing(value) else _as_text(value) for value in values]
    return pd.Series(texts, index=index, dtype=object)
