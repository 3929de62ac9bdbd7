"""Build a fresh pandapower net from plain tables, column by column, and write one back as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.columns import point, rows_text, typed_column
from gridimpact.network.payload import foreign
from gridimpact.network.tables import (
    DEFAULTS,
    LEGACY,
    MAX_BUSES,
    REQUIRED,
    SCALARS,
    RawNet,
    RawTable,
    known_dtypes,
)
from gridimpact.records import Note

OLDEST = (2, 0)
"""Oldest format that is read; older ones count in kW."""


def assemble(raw: RawNet, notes: list[Note], where: str) -> tuple[Any, list[Note]]:
    """Build a fresh pandapower net from plain tables.

    Parameters
    ----------
    raw : RawNet
        Tables as plain values.
    notes : list of Note
        What was dropped so far; not written to.
    where : str
        Name of the source, for messages.

    Returns
    -------
    net, notes
        The net, and all notes.

    Raises
    ------
    GridError
        If the format is newer or older than can be read, or values do not fit.
    """
    from pandapower import create_empty_network

    found = _joined(notes)
    problems: list[Problem] = []
    version = _version(raw.scalars, where)
    net = create_empty_network(
        name=str(raw.scalars.get("name") or ""),
        f_hz=_positive(raw.scalars, "f_hz", 50.0, problems),
        sn_mva=_positive(raw.scalars, "sn_mva", 1.0, problems),
    )
    for name, table in raw.tables.items():
        if table.index and name not in LEGACY:
            net[name] = _typed(name, table, problems, found)
    raise_problems(problems, f"network {where}", GridError)
    _place(net, raw)
    _convert(net, version, where)
    _complete(net, raw, problems, found)
    if len(net.bus) > MAX_BUSES:
        text = f"has {len(net.bus)} rows, more than {MAX_BUSES}"
        problems.append(Problem("bus", text, "cut out the area under study"))
    raise_problems(problems, f"network {where}", GridError)
    net.std_types["line"].update(raw.line_types)
    return net, found


def _joined(notes: list[Note]) -> list[Note]:
    """Return the notes with those on stored results and private entries told as one."""
    single = [note for note in notes if not note.where.startswith(("res_", "_"))]
    count = len(notes) - len(single)
    if count:
        text = f"{count} tables of stored results or private entries dropped: they are not trusted"
        single.append(Note("dropped", "res_*", text))
    return single


def _version(scalars: Mapping[str, Any], where: str) -> tuple[int, ...]:
    """Return the format version of a net, refusing newer and too old ones."""
    from pandapower import __format_version__ as own

    given = str(scalars.get("format_version", scalars.get("version", own)))
    version, known = _numbers(given), _numbers(str(own))
    if not version:
        message = f"{where}: format version {given[:40]!r} is unreadable, must be like {own!r}"
        raise GridError(message)
    if version > known:
        message = (
            f"{where} has format version {given}, newer than {own} of the installed pandapower; "
            "upgrade pandapower or save the net with an older one"
        )
        raise GridError(message)
    if version < OLDEST:
        message = (
            f"{where} has format version {given}, older than 2.0; open it with pandapower and save"
        )
        raise GridError(message)
    return version


def _numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version.

    Examples
    --------
    >>> _numbers("3.3.0.dev2")
    (3, 3, 0)
    """
    parts: list[int] = []
    for part in text.split("."):
        if not (part.isascii() and part.isdigit() and len(part) < 6):
            break
        parts.append(int(part))
    return tuple(parts)


def _positive(
    scalars: Mapping[str, Any], name: str, default: float, problems: list[Problem]
) -> float:
    """Return a positive single value of a net."""
    value = scalars.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        problems.append(Problem(f"net, {name}", f"is {value!r}, must be above 0", "mend the value"))
        return default
    return float(value)


def _typed(name: str, table: RawTable, problems: list[Problem], notes: list[Note]) -> pd.DataFrame:
    """Return one table with dtypes; columns that hold objects are refused, odd extras dropped."""
    dtypes = known_dtypes()[name]
    labels = [v if isinstance(v, int) and not isinstance(v, bool) else -1 for v in table.index]
    if min(labels) < 0 or len(set(labels)) != len(labels):
        bad = [v for i, v in enumerate(table.index) if labels[i] < 0 or labels.count(labels[i]) > 1]
        text = f"row labels must be different whole numbers from 0, found {bad[:5]}"
        problems.append(Problem(name, text, "number the rows"))
        return pd.DataFrame()
    index = pd.Index(labels, dtype=np.int64)
    columns: dict[str, pd.Series] = {}
    for column, values in table.columns.items():
        if column.startswith("_"):
            notes.append(Note("dropped", f"{name}, {column}", "private column dropped"))
            continue
        asked = next((a for v in values if isinstance(v, dict | list) and (a := foreign(v))), None)
        if asked is not None:
            problems.append(Problem(f"{name}, {column}", asked, "remove these cells"))
            continue
        series, problem = typed_column(name, column, index, values, dtypes.get(column))
        if problem is not None:
            problems.append(problem)
        elif series is None:
            notes.append(
                Note("dropped", f"{name}, {column}", "column without plain values dropped")
            )
        else:
            columns[column] = series
    return pd.DataFrame(columns, index=index)


def _place(net: Any, raw: RawNet) -> None:
    """Turn the coordinate tables of format 2 into columns ``geo``."""
    for name, table in (("bus", "bus_geodata"), ("line", "line_geodata")):
        old = raw.tables.get(table)
        if old is None or not old.index:
            continue
        if name == "bus" and {"x", "y"} <= set(old.columns):
            pairs = zip(old.columns["x"], old.columns["y"], strict=True)
            shapes = [point({"type": "Point", "coordinates": list(pair)}) for pair in pairs]
        else:
            coords = old.columns.get("coords", [None] * len(old.index))
            shapes = [point({"type": "LineString", "coordinates": c}) for c in coords]
        places = dict(zip(old.index, shapes, strict=True))
        net[name]["geo"] = pd.Series(
            [places.get(row) for row in net[name].index], index=net[name].index, dtype=object
        )


def _convert(net: Any, version: tuple[int, ...], where: str) -> None:
    """Let pandapower bring the clean tables of an older format up to date."""
    from pandapower import __format_version__ as own
    from pandapower import convert_format

    if version >= _numbers(str(own)):
        return
    net["format_version"] = net["version"] = ".".join(map(str, version))
    try:
        convert_format(net)
    except Exception as error:  # pandapower's converter fails in many ways on incomplete tables
        message = f"{where} of format {net['format_version']} cannot be converted: {error}"
        raise GridError(message) from error


def _complete(net: Any, raw: RawNet, problems: list[Problem], notes: list[Note]) -> None:
    """Add the known columns a file left out and set every known dtype."""
    for name, dtypes in known_dtypes().items():
        table = net[name]
        if not len(table):
            continue
        for column in REQUIRED.get(name, ()):
            if column not in table:
                problems.append(Problem(f"{name}, {column}", "is missing", "add the column"))
        for column, dtype in dtypes.items():
            if column not in table and column not in REQUIRED.get(name, ()):
                table[column] = _filled(column, dtype, table.index)
        if "tap_dependency_table" in table and table["tap_dependency_table"].any():
            rows = rows_text(table.index[table["tap_dependency_table"].to_numpy(bool)].tolist())
            table["tap_dependency_table"] = False
            text = f"{rows}: tap tables are not used, the tap acts by its step"
            notes.append(Note("dropped", f"{name}, tap_dependency_table", text))


def _filled(column: str, dtype: str, index: pd.Index) -> pd.Series:
    """Return a column of its default."""
    if dtype == "bool":
        return pd.Series(bool(DEFAULTS.get(column, False)), index=index)
    if dtype == "object":
        return pd.Series([None] * len(index), index=index, dtype=object)
    if dtype == "Int64":
        return pd.Series(pd.NA, index=index, dtype="Int64")
    value = DEFAULTS.get(column, math.nan if dtype.startswith("float") else 0)
    return pd.Series(value, index=index, dtype=dtype)


def write_net(net: Any, path: Path) -> None:
    """Write a cleaned net as pandapower JSON that this reader and pandapower both read.

    Parameters
    ----------
    net : pandapowerNet
        A net of `read_net`; only its element tables, name and frequency are written.
    path : pathlib.Path
        File to write.
    """
    body: dict[str, Any] = {name: _packed(net[name]) for name in known_dtypes() if len(net[name])}
    body |= {key: net[key] for key in SCALARS}
    tree = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": body}
    path.write_text(json.dumps(tree, allow_nan=False) + "\n", encoding="utf-8")


def _packed(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as pandapower writes it."""
    return {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": frame.to_json(orient="split", double_precision=15),
        "orient": "split",
        "dtype": {str(column): str(dtype) for column, dtype in frame.dtypes.items()},
        "is_multiindex": False,
        "is_multicolumn": False,
    }
