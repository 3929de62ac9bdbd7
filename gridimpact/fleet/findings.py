"""What a check of a table found: which rows, why, and how to mend them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import Problem
from gridimpact.records import BoolArray

_LISTED = 20
"""Rows of one kind that a message names; the rest are counted."""


@dataclass(frozen=True)
class Finding:
    """Rows of a table that break one rule.

    Attributes
    ----------
    bad : numpy.ndarray of bool
        (row,) which rows.
    column : str
        Column the rule speaks of.
    reason : str
        What is wrong, without the value.
    remedy : str
        How to mend it.
    values : sequence
        (row,) the values found, shown in the message.
    """

    bad: BoolArray
    column: str
    reason: str
    remedy: str
    values: Sequence[Any] | NDArray[Any]


def as_problems(findings: Iterable[Finding], table: str, ids: Sequence[object]) -> list[Problem]:
    """Return one problem per bad row, the first rows of each rule by name and the rest as a count.

    Parameters
    ----------
    findings : iterable of Finding
        Result of a check.
    table : str
        Name of the table.
    ids : sequence
        (row,) names of the rows.
    """
    problems = []
    for finding in findings:
        rows = np.flatnonzero(finding.bad)
        for row in rows[:_LISTED].tolist():
            where = f"{table} row {row} ({ids[row]}), {finding.column}"
            what = f"{finding.reason}, found {_shown(finding.values[row])}"
            problems.append(Problem(where, what, finding.remedy))
        if rows.size > _LISTED:
            what = f"{finding.reason} in {rows.size - _LISTED} more rows"
            problems.append(Problem(f"{table}, {finding.column}", what, finding.remedy))
    return problems


def as_rejects(findings: Iterable[Finding], rows: Sequence[object]) -> pd.DataFrame:
    """Return the bad rows with their first reason, columns ``row`` and ``reason``.

    Parameters
    ----------
    findings : iterable of Finding
        Result of a check, the weightiest rule first.
    rows : sequence
        (row,) numbers of the rows in the source.
    """
    reason: dict[int, str] = {}
    for finding in findings:
        for row in np.flatnonzero(finding.bad).tolist():
            text = f"{finding.column}: {finding.reason}, found {_shown(finding.values[row])}"
            reason.setdefault(row, text)
    order = sorted(reason)
    return pd.DataFrame(
        {"row": [rows[int(row)] for row in order], "reason": [reason[row] for row in order]}
    )


def no_rejects() -> pd.DataFrame:
    """Return an empty table of rejects."""
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "reason": pd.Series(dtype="object")})


def _shown(value: object) -> str:
    """Return a value for a message, long texts cut."""
    if isinstance(value, (float, np.floating)):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
