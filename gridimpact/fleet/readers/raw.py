"""A log as text under our column names, and how text files, headers and numbers are read."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import FloatArray, Note

TARGETS = (
    "plug_in",
    "plug_out",
    "energy_kwh",
    "energy_wh",
    "session_id",
    "vehicle_id",
    "charger_id",
    "connector",
    "soc_arrival",
    "soc_target",
    "capacity_kwh",
    "p_max_kw",
)
"""Columns a log can be mapped to."""
_LARGEST_BYTES = 1_000_000_000
Columns = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class RawLog:
    """A log's rows as text.

    Attributes
    ----------
    table : pandas.DataFrame
        Text columns named as in `TARGETS`, one row per row of the source.
    kind : str
        Kind of its chargers where the user names none.
    decimal_comma : bool
        A lone comma in a number is a decimal mark.
    utc : bool
        The format says that times without offset are UTC.
    refused : Mapping of int to str
        Rows the format itself takes out, with the reason.
    notes : tuple of Note
        What the reader has to say.
    """

    table: pd.DataFrame
    kind: str
    decimal_comma: bool = False
    utc: bool = False
    refused: Mapping[int, str] | None = None
    notes: tuple[Note, ...] = ()


def read_bytes(path: Path) -> str:
    """Return a text file's content, unzipped and decoded by its byte-order mark, else UTF-8 or Latin-1."""
    if not path.is_file():
        message = f"log {str(path)!r} is not a file; check the path"
        raise InputError(message)
    if path.stat().st_size > _LARGEST_BYTES:
        message = f"log {path.name!r} is larger than 1 GB; split it by year"
        raise InputError(message)
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            raw = stream.read(_LARGEST_BYTES)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_table(text: str, name: str) -> tuple[pd.DataFrame, str]:
    """Return a delimited text as a table of text and its delimiter; nothing is taken for missing.

    Parameters
    ----------
    text : str
        Content of the file; comma, semicolon, tab or bar between the fields.
    name : str
        Name for messages.
    """
    header = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    if not header.strip() or header.count(delimiter) == 0:
        message = (
            f"log {name!r} reads as one column; separate its fields by comma, semicolon or tab"
        )
        raise InputError(message)
    table = pd.read_csv(
        io.StringIO(text),
        sep=delimiter,
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=True,
        index_col=False,
        quoting=csv.QUOTE_MINIMAL,
    )
    table.columns = [str(column).strip() for column in table.columns]
    return table.fillna(""), delimiter


def read_json(text: str, name: str) -> list[dict[str, Any]]:
    """Return the records of a JSON log: a list, or a list under ``_items`` or ``data``."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"log {name!r} is no valid JSON: {error}"
        raise InputError(message) from error
    if isinstance(content, dict):
        content = content.get("_items", content.get("data", content))
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        message = (
            f"log {name!r} holds no list of sessions (a list, or one under '_items' or 'data')"
        )
        raise InputError(message)
    return content


def plain(name: object) -> str:
    """Return a header without case and punctuation.

    Examples
    --------
    >>> plain("Start_Date___Time")
    'startdatetime'
    """
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def mapped(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the table under our names.

    Parameters
    ----------
    table : pandas.DataFrame
        As read.
    columns : Mapping
        Our name to the source's column; several columns, or ``"Date + Time"``, are joined by a space.

    Raises
    ------
    InputError
        If a name on either side is unknown; the nearest one is offered.
    """
    problems: list[Problem] = []
    found: dict[str, pd.Series[str]] = {}
    for target, source in columns.items():
        if target not in TARGETS:
            close = difflib.get_close_matches(target, TARGETS, n=1, cutoff=0.0)[0]
            problems.append(
                Problem("columns", f"{target!r} is no column of ours", f"write {close!r}")
            )
            continue
        parts = _parts(source, table)
        missing = [part for part in parts if part not in table.columns]
        for part in missing:
            near = difflib.get_close_matches(part, list(table.columns), n=1, cutoff=0.0)
            offer = f"write {near[0]!r}" if near else "the file has no columns"
            problems.append(
                Problem(f"columns, {target}", f"the file has no column {part!r}", offer)
            )
        if not missing:
            joined = table[parts[0]].astype(str).str.strip()
            for part in parts[1:]:
                joined = (joined + " " + table[part].astype(str).str.strip()).str.strip()
            found[target] = joined
    raise_problems(problems, "session log")
    return pd.DataFrame(found, index=table.index)


def _parts(source: str | Sequence[str], table: pd.DataFrame) -> list[str]:
    if isinstance(source, str):
        if source in table.columns:
            return [source]
        return [part.strip() for part in source.split(" + ")]
    return list(source)


def numbers(text: pd.Series[str], decimal_comma: bool) -> FloatArray:
    """Return numbers of text, NaN where there is none; spaces and thousands marks are understood.

    Parameters
    ----------
    text : pandas.Series
        Text.
    decimal_comma : bool
        What a lone comma means. With both marks present the last one is the decimal mark.

    Examples
    --------
    >>> numbers(pd.Series(["1.234,5", "7,25", "", "3 000"]), True).tolist()
    [1234.5, 7.25, nan, 3000.0]
    """
    bare = text.str.replace(r"[\s\u00a0']", "", regex=True)
    comma, point = bare.str.rfind(","), bare.str.rfind(".")
    german = (comma > point) & ((point >= 0) | decimal_comma)
    turned = bare.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    english = bare.where(point < 0, bare.str.replace(",", "", regex=False))
    chosen = turned.where(german, english)
    return np.asarray(pd.to_numeric(chosen, errors="coerce"), dtype=np.float64)
