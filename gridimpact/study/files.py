"""Tables and plain data as files: the same bytes for the same content, and no text a spreadsheet would run."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that a spreadsheet runs as a formula."""
TEXT_COLUMNS: Mapping[Hashable, type[object]] = dict.fromkeys(
    (
        "site_id",
        "charger_id",
        "vehicle_id",
        "session_id",
        "name",
        "caused_by",
        "origin",
        "kind",
        "phase",
        "vm_min_phase",
        "vm_max_phase",
        "loading_max_phase",
    ),
    object,
)
"""Columns that stay text when read, even where they hold digits."""
TIME_COLUMNS = ("start", "end", "plug_in", "plug_out", "at", "time")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; a text that a spreadsheet would run as a formula gets a leading apostrophe."""
    safe = table.reset_index() if table.index.name else table
    safe = safe.copy(deep=False)
    for column in safe.columns:
        if safe[column].dtype == object:
            safe[column] = safe[column].map(_harmless)
    safe.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S")


def read_table(path: Path, text: Mapping[Hashable, Any] = TEXT_COLUMNS) -> pd.DataFrame:
    """Return a written table; ids stay text and a guarding apostrophe comes off again.

    Parameters
    ----------
    path : Path
        As `write_csv` wrote it.
    text : mapping
        Kind of the columns that are not to be guessed.
    """
    table = pd.read_csv(
        path, keep_default_na=False, na_values=[""], dtype=dict(text), float_precision="round_trip"
    )
    for column in table.columns:
        if column in TIME_COLUMNS:
            table[column] = pd.to_datetime(table[column])
        elif table[column].dtype == object:
            table[column] = table[column].map(_unguarded).fillna("")
    return table


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data with sorted keys; NaN becomes null."""
    text = json.dumps(plain_data(data), indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def plain_data(value: Any) -> Any:
    """Return plain data with NaN as None, so that no reader trips over it.

    Examples
    --------
    >>> plain_data({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(k): plain_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain_data(v) for v in value]
    if isinstance(value, np.generic):
        return plain_data(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def _harmless(value: Any) -> Any:
    # An apostrophe of the text's own is guarded as well, so that reading takes off the right one.
    guard = isinstance(value, str) and value.lstrip("'").startswith(DANGEROUS)
    return f"'{value}" if guard else value


def _unguarded(value: Any) -> Any:
    guarded = isinstance(value, str) and value[:1] == "'"
    return value[1:] if guarded and value.lstrip("'").startswith(DANGEROUS) else value
