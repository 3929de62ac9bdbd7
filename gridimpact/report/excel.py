"""Every table of a study in one workbook, in which text can become neither formula nor link."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.conventions import METRICS
from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.frames import summary_frame
from gridimpact.report.life import life_frames
from gridimpact.report.style import display_name
from gridimpact.report.violations import stacked, violations_frame
from gridimpact.report.words import answer

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_SUFFIXES = (
    ("_percent", "%"), ("_kwh", "kWh"), ("_kvar", "kvar"), ("_kva", "kVA"), ("_kw", "kW"),
    ("_pu", "pu"), ("_eur", "EUR"), ("_c", "°C"), ("_ka", "kA"), ("_m", "m"), ("_a", "A"),
    ("_h", "h"), ("_v", "V"),
)  # fmt: skip
_ROWS = 1_048_575


def csv_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet runs as a formula.

    A text that begins with ``= + - @``, a tab or a carriage return gets a leading apostrophe;
    numbers and column names stay as they are.

    Examples
    --------
    >>> csv_safe(pd.DataFrame({"name": ["=1+1", "Home 2"], "p_kw": [-1.0, 2.0]}))
         name  p_kw
    0   '=1+1  -1.0
    1  Home 2   2.0
    """
    safe = frame.copy()
    for place, kind in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind):
            safe.isetitem(place, frame.iloc[:, place].map(_harmless).to_numpy(dtype=object))
    return safe


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value


def write_excel(result: StudyResult, path: Path | str) -> Path:
    """Write summary, every table, violations and notes as sheets of one workbook.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    path : Path or str
        File to write, ending in ``.xlsx``.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    import xlsxwriter

    target = Path(path)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(target), options) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        date = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        taken: set[str] = set()
        for title, frame in _sheets(result):
            sheet = book.add_worksheet(_title(title, taken))
            _fill(sheet, frame, head, date)
    return target


def _sheets(result: StudyResult) -> Iterable[tuple[str, pd.DataFrame]]:
    """Give title and table of each sheet."""
    found = answer(result)
    texts = [found.headline, *(f"{p.lead} {p.text}" for p in found.passages)]
    yield "answer", pd.DataFrame({result.name: texts})
    yield "summary", _with_units(summary_frame(result))
    yield "violations", violations_frame(result)
    yield from life_frames(result)
    names: dict[str, None] = {}
    for assessment in result.assessments.values():
        names |= dict.fromkeys(assessment.tables)
    for name in names:
        parts = [
            table.reset_index().assign(strategy=label)
            for label in view.strategies(result)
            if label in result.assessments
            and (table := result.assessments[label].tables.get(name)) is not None
        ]
        frame = stacked(parts)
        front = ["strategy", *[column for column in frame.columns if column != "strategy"]]
        yield name, frame[front]
    notes = view.all_notes(result)
    yield (
        "notes",
        pd.DataFrame(
            {
                "kind": [note.kind for note in notes],
                "where": [note.where for note in notes],
                "text": [note.text for note in notes],
            }
        ),
    )


def _with_units(frame: pd.DataFrame) -> pd.DataFrame:
    """Name the strategies as the report does."""
    own = {
        label: display_name(label) for label in frame.columns if label not in ("unit", "meaning")
    }
    return frame.rename(columns=own).reset_index()


def _unit(column: str) -> str:
    """Return the unit a column's name tells, "" where it tells none."""
    if column in METRICS and METRICS[column].unit != "1":
        return METRICS[column].unit
    return next((unit for suffix, unit in _SUFFIXES if column.endswith(suffix)), "")


def _title(name: str, taken: set[str]) -> str:
    """Return a sheet name a spreadsheet takes: at most 31 characters, none of them forbidden."""
    clean = re.sub(r"[\[\]:*?/\\']", "_", name)[:28] or "sheet"
    found, number = clean, 2
    while found.lower() in taken:
        found, number = f"{clean}_{number}", number + 1
    taken.add(found.lower())
    return found


def _fill(sheet: Any, frame: pd.DataFrame, head: Any, date: Any) -> None:
    for column, name in enumerate(str(label) for label in frame.columns):
        unit = _unit(name)
        sheet.write_string(0, column, f"{name} [{unit}]" if unit else name, head)
        values = frame.iloc[:_ROWS, column]
        lengths = [len(str(value)) for value in values.head(60)]
        sheet.set_column(column, column, min(max([len(name) + 2, 9, *lengths]), 60))
        for row, value in enumerate(values, start=1):
            _write(sheet, row, column, value, date)
    sheet.freeze_panes(1, 1)


def _write(sheet: Any, row: int, column: int, value: Any, date: Any) -> None:
    """Write one cell by its type; what is missing stays empty."""
    if isinstance(value, pd.Timestamp | np.datetime64):
        stamp = pd.Timestamp(value)
        if not pd.isna(stamp):
            sheet.write_datetime(row, column, stamp.tz_localize(None).to_pydatetime(), date)
    elif isinstance(value, bool | np.bool_):
        sheet.write_boolean(row, column, bool(value))
    elif isinstance(value, int | float | np.integer | np.floating):
        if np.isfinite(value):
            sheet.write_number(row, column, float(value))
        elif np.isinf(value):
            sheet.write_string(row, column, "inf" if value > 0 else "-inf")
    elif value is not None and value is not pd.NaT:
        sheet.write_string(row, column, str(value))
