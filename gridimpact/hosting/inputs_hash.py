"""SHA-256 of everything that decides what a scan finds, the same for the same content on any machine."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.study.spec import StudySpec

_PLAIN = (bool, int, str, PurePath, datetime.date, datetime.time, datetime.timedelta)


def content_hash(value: Any) -> str:
    """Return the SHA-256 of plain data, arrays, tables, sparse matrices and records of these.

    Raises
    ------
    InputError
        If it holds anything whose content cannot be read, such as a function.

    Examples
    --------
    >>> content_hash({"b": 1, "a": 2.0}) == content_hash({"a": 2.0, "b": 1})
    True
    >>> content_hash([1]) == content_hash([1.0])
    False
    """
    found = hashlib.sha256()
    for part in _parts(value):
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()


def scan_inputs(spec: StudySpec) -> dict[str, str]:
    """Return the hash of each input of a decided study.

    Returns
    -------
    dict of str to str
        ``network profiles fleet limits tariffs ambient options``; of the network what is solved and placed at,
        not its name or origin.
    """
    fleet = spec.fleet
    options = {
        name: getattr(spec, name)
        for name in (
            "seed",
            "charger_power_factor",
            "site_power_factor",
            "power_flow",
            "zero_sequence",
            "pv_single_phase_kva",
            "volt_var",
            "cold_batteries",
            "transformer",
        )
    }
    contents = {
        "network": (spec.network.grid, spec.network.sites),
        "profiles": spec.profiles,
        "fleet": (fleet.vehicles, fleet.chargers, fleet.sessions),
        "limits": spec.limits,
        "tariffs": spec.tariffs,
        "ambient": spec.ambient,
        "options": options,
    }
    return {name: content_hash(content) for name, content in contents.items()}


def strategy_hashes(rows: Mapping[str, Strategy]) -> dict[str, str]:
    """Return the hash of the settings of each row's strategy."""
    return {label: content_hash(strategy) for label, strategy in rows.items()}


def _parts(value: Any) -> Iterator[bytes]:
    """Yield the bytes of a value, what kind it is first."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value}".encode()
    elif isinstance(value, float | complex):
        yield f"number {value!r}".encode()
    elif isinstance(value, bytes):
        yield b"bytes" + value
    elif isinstance(value, np.ndarray):
        yield from _array(value)
    elif isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        yield type(value).__name__.encode()
        yield _text_of(value)
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}".encode()
        for key in sorted(value, key=str):
            yield str(key).encode()
            yield from _parts(value[key])
    elif isinstance(value, list | tuple):
        yield f"list {len(value)}".encode()
        for entry in value:
            yield from _parts(entry)
    elif isinstance(value, set | frozenset):
        yield from _parts(sorted(content_hash(entry) for entry in value))
    else:
        yield from _record(value)


def _array(value: np.ndarray[Any, Any]) -> Iterator[bytes]:
    yield f"array {value.dtype.kind}{value.dtype.itemsize} {value.shape}".encode()
    if value.dtype == object:
        yield from _parts(value.ravel().tolist())
    else:
        yield np.ascontiguousarray(value).tobytes()


def _text_of(value: Any) -> bytes:
    table = value if isinstance(value, pd.DataFrame) else value.to_frame()
    return str(table.to_csv(date_format="%Y-%m-%dT%H:%M:%S.%f")).encode()


def _record(value: Any) -> Iterator[bytes]:
    """Yield a record or an object by its class and its fields."""
    if hasattr(value, "tocsr"):
        sparse = value.tocsr().copy()
        sparse.sum_duplicates()
        yield b"sparse"
        yield from _parts([getattr(sparse, n) for n in ("data", "indices", "indptr", "shape")])
        return
    kind = type(value)
    yield f"record {kind.__module__}.{kind.__qualname__}".encode()
    if dataclasses.is_dataclass(value):
        held = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    elif isinstance(value, type) or callable(value) or not hasattr(value, "__dict__"):
        message = (
            f"{value!r}: a {kind.__name__} has no content that can be compared between runs; a strategy of "
            "your own must be made of numbers, texts, arrays and records of them"
        )
        raise InputError(message)
    else:
        held = vars(value)
    yield from _parts(held)
