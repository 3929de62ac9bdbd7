"""A text file or a frame as a table of plain columns, without guessing."""

from __future__ import annotations

import csv
import re
import warnings
from dataclasses import dataclass, fields
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.records import FloatArray

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "-", "--"})
_TIME_NAMES = ("time", "time_utc", "timestamp", "datetime", "date", "zeit", "zeitstempel")
_DECIMAL_COMMA = re.compile(r"^[+-]?\d+,\d+$")


class TextFormat(TypedDict, total=False):
    """How a text file is written and what odd values mean; every key may be left out.

    ``decimal`` ("." or ","), ``separator`` ("," ";" or tab), ``encoding``, ``date_format``
    (strptime), ``fold`` ("first", "second" or "infer" for the repeated hour in autumn), ``negative``
    ("refuse", or "pv": what lies below zero is PV feeding back), ``largest_kw`` (a typical site's
    median above it is taken for a wrong unit).
    """

    decimal: str
    separator: str
    encoding: str
    date_format: str
    fold: str
    negative: str
    largest_kw: float


@dataclass(frozen=True)
class Dialect:
    """Settings of a `TextFormat` with its defaults."""

    decimal: str = "."
    separator: str = ","
    encoding: str = ""
    date_format: str = ""
    fold: str = ""
    negative: str = "refuse"
    largest_kw: float = 100.0


_CHOICES = {
    "decimal": (".", ","),
    "separator": (",", ";", "\t", "|"),
    "fold": ("", "first", "second", "infer"),
    "negative": ("refuse", "pv"),
}


def dialect_of(given: TextFormat, problems: list[Problem]) -> Dialect:
    """Return the settings with defaults; unknown ones are noted with the nearest known."""
    known = [field.name for field in fields(Dialect)]
    taken: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            problems.append(Problem(key, "is not a setting of read_profiles", remedy))
        elif key in _CHOICES and value not in _CHOICES[key]:
            choices = ", ".join(repr(choice) for choice in _CHOICES[key] if choice)
            problems.append(Problem(key, f"is {value!r}", f"choose of {choices}"))
        else:
            taken[key] = value
    return Dialect(**taken)


def text_table(path: Path, dialect: Dialect, problems: list[Problem]) -> pd.DataFrame | None:
    """Return a delimited file with every cell as text, or None where it cannot be read."""
    text = _decoded(path, dialect, problems)
    if text is None:
        return None
    header = next(csv.reader(StringIO(text), delimiter=dialect.separator), [])
    if len(header) < 2:
        problems.append(_one_column(path, text, dialect))
        return None
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    for name in twice:
        problems.append(Problem(f"{path.name}, heading {name!r}", "is given more than once"))
    if twice:
        return None
    try:
        with warnings.catch_warnings():
            # More fields than headings are cut off with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                StringIO(text),
                sep=dialect.separator,
                dtype=str,
                keep_default_na=False,
                index_col=False,
                skipinitialspace=True,
            )
    except pd.errors.ParserWarning:
        what = f"has rows of more fields than its {len(names)} headings"
        remedy = "a decimal comma splits numbers: write points, or separator=';' and decimal=','"
        problems.append(Problem(path.name, what, remedy))
        return None
    except (ValueError, pd.errors.ParserError) as error:
        problems.append(Problem(path.name, f"rows do not fit the heading: {error}"))
        return None
    table.columns = pd.Index(names)
    return table.fillna("")


def _decoded(path: Path, dialect: Dialect, problems: list[Problem]) -> str | None:
    """Return a file's text by its byte-order mark, the encoding given, or UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        problems.append(Problem(str(path), f"cannot be read: {error.strerror}"))
        return None
    marked = next((name for mark, name in _BOMS if raw.startswith(mark)), "")
    encoding = dialect.encoding or marked or "utf-8"
    if not marked and not dialect.encoding and b"\x00" in raw[:200]:
        problems.append(
            Problem(
                path.name, "holds zero bytes and no byte-order mark", "give encoding='utf-16-le'"
            )
        )
        return None
    try:
        return raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        problems.append(
            Problem(path.name, f"is not {encoding}: {error}", "give encoding, for example 'cp1252'")
        )
        return None


def _one_column(path: Path, text: str, dialect: Dialect) -> Problem:
    """Return the problem of a file that reads as one column, with the separator it seems to have."""
    first = text.split("\n", 1)[0]
    likely = [sign for sign in (",", ";", "\t", "|") if sign in first and sign != dialect.separator]
    remedy = f"give separator={likely[0]!r}" if likely else "a time and one column per site needed"
    if ";" in likely and _DECIMAL_COMMA.search(text.split(";")[-1].strip()):
        remedy += " and decimal=','"
    return Problem(path.name, f"reads as one column with separator {dialect.separator!r}", remedy)


def time_column(table: pd.DataFrame, wanted: str | None, problems: list[Problem]) -> str | None:
    """Return the name of the time column: the one asked for, a usual name, or the first."""
    names = [str(name) for name in table.columns]
    if wanted is not None:
        if wanted in names:
            return wanted
        problems.append(Problem(f"columns, time: {wanted!r}", "is no heading", f"of {names[:8]}"))
        return None
    usual = [name for name in names if name.strip().lower() in _TIME_NAMES]
    return usual[0] if usual else names[0]


def numbers(column: pd.Series, where: str, dialect: Dialect, problems: list[Problem]) -> FloatArray:
    """Return a column as numbers, NaN where it is empty; text that is no number is noted."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    text = column.astype(str).str.strip()
    empty = text.str.lower().isin(_MISSING)
    plain = text.str.replace(",", ".", regex=False) if dialect.decimal == "," else text
    values = pd.to_numeric(plain.where(~empty), errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.isnan(values) & ~empty.to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        sample = text.iloc[row]
        hint = "give decimal=','" if _DECIMAL_COMMA.match(sample) else "write plain numbers"
        problems.append(
            Problem(
                f"{where} row {row + 1}",
                f"{int(wrong.sum())} values are no numbers, first {sample[:40]!r}",
                hint,
            )
        )
        # Already told of; missing values are told of apart.
        values = np.where(wrong, 0.0, values)
    return values
