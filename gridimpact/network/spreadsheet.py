"""The gate for Excel workbooks written by pandapower: cells are values, never formulas or objects."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any

from gridimpact.errors import GridError, MissingExtra, Problem, raise_problems
from gridimpact.network.tables import (
    LEGACY,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    SCALARS,
    RawNet,
    RawTable,
    known_dtypes,
    why_dropped,
)
from gridimpact.records import Note

MAX_MEMBERS = 1000
"""Most files inside a workbook."""
MAX_RATIO = 200
"""Highest ratio of unpacked to packed size; a sheet of zeros stays below 100."""


def parse_excel(content: bytes, where: str) -> tuple[RawNet, list[Note]]:
    """Read a workbook written by ``pandapower.to_excel`` into plain tables.

    Parameters
    ----------
    content : bytes
        Whole file.
    where : str
        Its name, for messages.

    Returns
    -------
    RawNet, list of Note
        Tables as plain values, and what was dropped.

    Raises
    ------
    MissingExtra
        If openpyxl or defusedxml is not installed.
    GridError
        If the file is no workbook, or unpacks to more than is read.
    """
    try:
        import defusedxml  # noqa: F401  # openpyxl uses it where it is installed
        import openpyxl
    except ImportError as error:
        message = "Excel networks need openpyxl and defusedxml: pip install 'gridimpact[excel]'"
        raise MissingExtra(message) from error
    _check_archive(content, where)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        return _gate(sheets, where)
    except GridError:
        raise
    except Exception as error:  # a broken workbook fails in many ways inside openpyxl
        message = f"{where} is no readable workbook: {error}"
        raise GridError(message) from error


def _check_archive(content: bytes, where: str) -> None:
    """Refuse archives that unpack to far more than they weigh."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        message = f"{where} is no workbook (.xlsx)"
        raise GridError(message) from error
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if len(members) > MAX_MEMBERS or unpacked > MAX_BYTES or unpacked > MAX_RATIO * packed:
        message = (
            f"{where} unpacks to {unpacked} bytes in {len(members)} files from {packed}; at most "
            f"{MAX_BYTES} bytes, {MAX_MEMBERS} files and {MAX_RATIO} times the size are read"
        )
        raise GridError(message)


def _gate(sheets: dict[str, Any], where: str) -> tuple[RawNet, list[Note]]:
    """Let the known sheets pass and note the others."""
    raw, notes, problems = RawNet(), list[Note](), list[Problem]()
    known = {*known_dtypes(), *LEGACY}
    for name, sheet in sheets.items():
        reason = why_dropped(name)
        if name in known:
            table = _sheet(name, sheet.iter_rows(values_only=True), problems)
            if table is not None:
                raw.tables[name] = table
        elif name == "parameters":
            table = _sheet(name, sheet.iter_rows(values_only=True), problems)
            raw.scalars = _scalars(table)
        elif reason is not None:
            notes.append(Note("dropped", name, f"{name} dropped: {reason}"))
        elif name != "dtypes" and not name.endswith("_std_types"):
            notes.append(Note("dropped", name, f"{name} dropped: not used by a study"))
    if "bus" not in raw.tables and not problems:
        problems.append(
            Problem(where, "has no sheet 'bus'", "save the net with pandapower.to_excel")
        )
    raise_problems(problems, f"network {where}", GridError)
    return raw, notes


def _scalars(table: RawTable | None) -> dict[str, Any]:
    """Return the single values of a net."""
    if table is None or not table.index:
        return {}
    found = {name: column[0] for name, column in table.columns.items()}
    return {name: found[name] for name in SCALARS if found.get(name) is not None}


def _sheet(name: str, rows: Iterable[tuple[Any, ...]], problems: list[Problem]) -> RawTable | None:
    """Return one sheet as plain values; the first column is the index."""
    lines = iter(rows)
    header = next(lines, ())
    columns = [str(cell) for cell in header[1:] if cell is not None]
    if len(columns) > MAX_COLUMNS or len(set(columns)) != len(columns):
        text = f"must have at most {MAX_COLUMNS} columns with different names"
        problems.append(Problem(name, text, "save the net with pandapower.to_excel"))
        return None
    index: list[Any] = []
    cells: list[list[Any]] = [[] for _ in columns]
    for line in lines:
        if not line or all(cell is None for cell in line):
            continue
        if len(index) >= MAX_ROWS:
            problems.append(Problem(name, f"has more than {MAX_ROWS} rows", "split the network"))
            return None
        index.append(line[0])
        padded = (*line[1:], *(None for _ in columns))
        for column, cell in zip(cells, padded, strict=False):
            column.append(cell if isinstance(cell, str | int | float | bool) else None)
    return RawTable(index, dict(zip(columns, cells, strict=True)))
