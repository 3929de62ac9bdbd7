"""What a journal belongs to, as canonical text, and how two such keys differ."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gridimpact.errors import InputError

SHOWN = 12


def canonical(key: Mapping[str, Any]) -> str:
    """Return a key as JSON that is the same text whenever the content is the same.

    Parameters
    ----------
    key : mapping
        Of text, numbers, None, arrays, sequences and mappings of these. Not-a-number and infinity
        are kept as text.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If an entry is anything else, as its text might differ from run to run.

    Examples
    --------
    >>> canonical({"seed": 1, "limits": {"drop_pu": 0.05}})
    '{"limits":{"drop_pu":0.05},"seed":1}'
    """
    plain = _plain(key, "key")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def differences(then: str, now: str) -> list[str]:
    """Return a line for each entry in which two canonical keys differ.

    Examples
    --------
    >>> differences('{"limits":{"drop_pu":0.05}}', '{"limits":{"drop_pu":0.04}}')
    ['limits.drop_pu: 0.05 then, 0.04 now']
    """
    old, new = dict(_flat(json.loads(then))), dict(_flat(json.loads(now)))
    lines = [
        f"{name}: {_short(old, name)} then, {_short(new, name)} now"
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or json.dumps(old[name]) != json.dumps(new[name])
    ]
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"and {more} more"] if more > 0 else lines


def _short(entries: Mapping[str, Any], name: str) -> str:
    if name not in entries:
        return "not given"
    text = json.dumps(entries[name], ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with its dotted name; an empty container is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{i}]")
    elif name:
        yield name, value


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(k): _plain(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    message = f"{where}: a {type(value).__name__} cannot be part of what a journal belongs to"
    raise InputError(message)
