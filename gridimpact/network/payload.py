"""The gate for JSON: the standard decoder and a walk over the tree; nothing is imported or built.

Only the net itself, tables of pandas in the orientation "split" and plain values pass.
"""

from __future__ import annotations

import json
from typing import Any

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.controllers import stored_tap_controllers
from gridimpact.network.tables import (
    LEGACY,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_DEPTH,
    MAX_ROWS,
    SCALARS,
    RawNet,
    RawTable,
    known_dtypes,
    why_dropped,
)
from gridimpact.records import Note

_NET = ("pandapower.auxiliary", "pandapowerNet")
_FRAME = {("pandas.core.frame", "DataFrame"), ("pandas", "DataFrame")}
_SERIES = {("pandas.core.series", "Series"), ("pandas", "Series")}
_FRAME_KEYS = {
    "_module",
    "_class",
    "_object",
    "orient",
    "dtype",
    "is_multiindex",
    "is_multicolumn",
    "index_name",
    "index_names",
    "column_name",
    "column_names",
}


def parse_json(text: bytes, where: str) -> tuple[RawNet, list[Note]]:
    """Read the text of a pandapower JSON file into plain tables.

    Parameters
    ----------
    text : bytes
        Whole file.
    where : str
        Its name, for messages.

    Returns
    -------
    RawNet, list of Note
        Tables as plain values, and what was dropped.

    Raises
    ------
    GridError
        If the file is too large, no JSON, not a pandapower net, or asks for any object.
    """
    if len(text) > MAX_BYTES:
        message = f"{where} has {len(text)} bytes, more than the {MAX_BYTES} that are read"
        raise GridError(message)
    tree = decode(text, where)
    if not isinstance(tree, dict) or (tree.get("_module"), tree.get("_class")) != _NET:
        message = f"{where} is not a pandapower net saved as JSON; save it with pandapower.to_json"
        raise GridError(message)
    body = tree.get("_object")
    if not isinstance(body, dict):
        message = f"{where} holds a net without tables"
        raise GridError(message)
    return _gate(body, where)


def decode(text: bytes | str, where: str) -> Any:
    """Return JSON as plain values.

    Raises
    ------
    GridError
        If the text is no JSON, repeats a key, nests too deep or holds an endless number.
    """
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(plain, object_pairs_hook=_unique)
    except RecursionError as error:
        message = f"{where} nests deeper than can be read"
        raise GridError(message) from error
    except ValueError as error:
        message = f"{where} is no readable JSON: {error}"
        raise GridError(message) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys occur once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        message = f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice"
        raise ValueError(message)
    return found


def _gate(body: dict[str, Any], where: str) -> tuple[RawNet, list[Note]]:
    """Let the known entries of a net pass, note what is dropped, refuse objects."""
    raw, notes, problems = RawNet(), list[Note](), list[Problem]()
    known = {*known_dtypes(), *LEGACY}
    for key, value in body.items():
        reason = why_dropped(key)
        if reason is not None:
            notes += [] if _is_empty(value) else [Note("dropped", key, f"{key} dropped: {reason}")]
            notes += stored_tap_controllers(value) if key == "controller" else []
        elif key in known:
            table = _table(key, value, problems)
            if table is not None:
                raw.tables[key] = table
        elif asked := foreign(value):
            problems.append(Problem(f"{where}, {key}", asked, "remove this entry"))
        elif key in SCALARS and isinstance(value, str | int | float):
            raw.scalars[key] = value
        elif key == "std_types" and isinstance(value, dict):
            raw.line_types = plain_types(value.get("line"))
        elif isinstance(value, dict | list) and not _is_empty(value):
            notes.append(Note("dropped", key, f"{key} dropped: not used by a study"))
    raise_problems(problems, f"network {where}", GridError)
    return raw, notes


def _is_empty(value: Any) -> bool:
    """Return whether an entry of a net holds nothing, without decoding it."""
    if isinstance(value, dict) and isinstance(value.get("_object"), str):
        return bool(value["_object"].rstrip().endswith(('"data":[]}', '"data": []}')))
    return value is None or value is False or value in ({}, [], "")


def foreign(value: Any) -> str | None:
    """Return what object a value asks for, None where it is plain or a table of pandas."""
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > MAX_DEPTH:
            return f"nests deeper than {MAX_DEPTH} levels"
        if isinstance(item, dict):
            if "_module" in item or "_class" in item:
                pair = (item.get("_module"), item.get("_class"))
                text = item.get("_object")
                if pair not in _FRAME | _SERIES or not isinstance(text, str):
                    return _asks(item)
                if not text.lstrip().startswith("{"):
                    return f"refers to the file {text[:80]!r}"
            stack += [(child, depth + 1) for child in item.values()]
        elif isinstance(item, list):
            stack += [(child, depth + 1) for child in item]
    return None


def _asks(item: dict[str, Any]) -> str:
    """Return in words what object an entry names."""
    module, kind = str(item.get("_module"))[:80], str(item.get("_class"))[:80]
    if kind in ("function", "method"):
        return f"refers to the {kind} {module}.{str(item.get('_object'))[:80]}, which is code"
    return f"asks for the object {module}.{kind}; a network may hold tables and plain values only"


def _table(name: str, value: Any, problems: list[Problem]) -> RawTable | None:
    """Return one table of a net as plain values; None where it cannot be used."""
    wrong = _wrong_frame(value)
    if wrong is not None:
        problems.append(Problem(name, wrong, "save the net again with pandapower.to_json"))
        return None
    try:
        content = decode(value["_object"], name)
    except GridError as error:
        problems.append(Problem(name, str(error), "save the net again with pandapower.to_json"))
        return None
    wrong = wrong_shape(content)
    if wrong is not None:
        problems.append(Problem(name, wrong, "save the net again with pandapower.to_json"))
        return None
    columns, data = content["columns"], content["data"]
    for row in data:
        asked = next((foreign(cell) for cell in row if isinstance(cell, dict | list)), None)
        if asked is not None:
            problems.append(Problem(name, asked, "remove this cell"))
            return None
    cells = zip(*data, strict=True) if data else ([] for _ in columns)
    pairs = zip(columns, cells, strict=True)
    return RawTable(content["index"], {name: list(column) for name, column in pairs})


def _wrong_frame(value: Any) -> str | None:
    """Return why an entry is no table that may be read."""
    if not isinstance(value, dict):
        return f"is {type(value).__name__}, not a table"
    if (value.get("_module"), value.get("_class")) not in _FRAME:
        return _asks(value)
    if unknown := set(value) - _FRAME_KEYS:
        return f"has the settings {sorted(map(str, unknown))}, which no saved table has"
    text = value.get("_object")
    if not isinstance(text, str):
        return "has no table text"
    if not text.lstrip().startswith("{"):
        return f"refers to the file {text[:80]!r}; a network must hold its own tables"
    if value.get("orient") != "split":
        return f"is written in the orientation {value.get('orient')!r}, must be 'split'"
    if value.get("is_multiindex") or value.get("is_multicolumn"):
        return "has several levels of index or columns"
    return None


def wrong_shape(content: Any) -> str | None:
    """Return why a decoded table has no usable shape."""
    if not isinstance(content, dict) or set(content) != {"columns", "index", "data"}:
        return "must hold exactly columns, index and data"
    columns, index, data = content["columns"], content["index"], content["data"]
    if not all(isinstance(part, list) for part in (columns, index, data)):
        return "columns, index and data must be lists"
    if len(columns) > MAX_COLUMNS or len(data) > MAX_ROWS:
        return f"has {len(data)} rows and {len(columns)} columns, more than {MAX_ROWS} and {MAX_COLUMNS}"
    if not all(isinstance(c, str) for c in columns) or len(set(columns)) != len(columns):
        return "column names must be text and differ"
    if len(index) != len(data) or not all(
        isinstance(row, list) and len(row) == len(columns) for row in data
    ):
        return "rows, index and columns differ in length"
    return None


def plain_types(value: Any) -> dict[str, dict[str, Any]]:
    """Return the line types of a net as plain numbers and text; anything else is left out."""
    if not isinstance(value, dict):
        return {}
    return {
        str(name): {str(k): v for k, v in entry.items() if isinstance(v, str | int | float)}
        for name, entry in value.items()
        if isinstance(entry, dict)
    }
