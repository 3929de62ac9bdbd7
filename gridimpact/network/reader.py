"""The strict reader of pandapower nets: a network is data, never code.

JSON, Excel and live objects pass the same gate; a fresh net is built and typed columns are copied.
pandapower's own readers are not used on a user's file, because they import what the file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.assemble import assemble
from gridimpact.network.controllers import live_tap_controllers
from gridimpact.network.payload import parse_json, plain_types
from gridimpact.network.spreadsheet import parse_excel
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


def read_net(source: Any) -> tuple[Any, list[Note]]:
    """Read a pandapower net from a file or a live object without running anything it brings.

    Parameters
    ----------
    source : path or pandapowerNet
        A ``.json`` file written by ``pandapower.to_json``, an ``.xlsx`` workbook written by
        ``pandapower.to_excel``, or a net; a net is copied, never written to.

    Returns
    -------
    net, notes
        A fresh pandapower net with the copied tables, and what was dropped.

    Raises
    ------
    GridError
        If the source is no net, asks for objects or code, has a newer format, or holds values
        that do not fit their columns; all such values are named at once.
    MissingExtra
        If a workbook is given and the extra ``excel`` is not installed.
    """
    if isinstance(source, Mapping):
        raw, notes = parse_live(source)
        return assemble(raw, notes, "the given net")
    path = Path(source)
    content = _content(path)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        raw, notes = parse_excel(content, path.name)
    elif path.suffix.lower() in (".p", ".pkl", ".pickle"):
        message = f"{path.name}: pickled networks can run code and are never read; save as JSON"
        raise GridError(message)
    else:
        raw, notes = parse_json(content, path.name)
    return assemble(raw, notes, path.name)


def _content(path: Path) -> bytes:
    """Return a regular file's bytes, up to the cap."""
    if not path.is_file():
        message = f"no network file {path.name!r} in {path.parent}"
        raise GridError(message)
    size = path.stat().st_size
    if size > MAX_BYTES:
        message = f"{path.name} has {size} bytes, more than the {MAX_BYTES} that are read"
        raise GridError(message)
    return path.read_bytes()


def parse_live(net: Mapping[str, Any]) -> tuple[RawNet, list[Note]]:
    """Copy a live net into plain tables; objects in its cells are refused or dropped.

    Parameters
    ----------
    net : mapping
        A pandapower net.

    Returns
    -------
    RawNet, list of Note
        Tables as plain values, and what was dropped.
    """
    if "bus" not in net or not isinstance(net["bus"], pd.DataFrame):
        message = "the given object is no pandapower net: it has no table 'bus'"
        raise GridError(message)
    raw, notes, problems = RawNet(), list[Note](), list[Problem]()
    known = {*known_dtypes(), *LEGACY}
    for key in map(str, net):
        value, reason = net[key], why_dropped(key)
        if reason is not None:
            if not key.startswith(("_", "res_")) and hasattr(value, "__len__") and len(value):
                notes.append(Note("dropped", key, f"{key} dropped: {reason}"))
                notes += live_tap_controllers(value) if key == "controller" else []
        elif key in known and isinstance(value, pd.DataFrame):
            raw.tables[key] = _live_table(key, value, problems)
        elif key in SCALARS:
            raw.scalars[key] = value
        elif key == "std_types" and isinstance(value, dict):
            raw.line_types = plain_types(value.get("line"))
        elif isinstance(value, pd.DataFrame | dict | list) and len(value):
            notes.append(Note("dropped", key, f"{key} dropped: not used by a study"))
    raise_problems(problems, "the given net", GridError)
    return raw, notes


def _live_table(name: str, frame: pd.DataFrame, problems: list[Problem]) -> RawTable:
    """Return a data frame as plain values."""
    if len(frame) > MAX_ROWS or frame.shape[1] > MAX_COLUMNS or not frame.columns.is_unique:
        text = f"must have at most {MAX_ROWS} rows and {MAX_COLUMNS} columns of different names"
        problems.append(Problem(name, text, "split the network"))
        return RawTable([], {})
    columns = {str(c): [_plain(v) for v in frame[c].tolist()] for c in frame.columns}
    return RawTable([_plain(v) for v in frame.index.tolist()], columns)


def _plain(value: Any) -> Any:
    """Return a cell of a live table without numpy and pandas types."""
    if isinstance(value, np.generic):
        return value.item()
    return None if value is pd.NA or value is pd.NaT else value
