"""Records that compiled code takes: it must tell them apart."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import combinations

import gridimpact


def _records() -> set[type]:
    names = [m.name for m in pkgutil.walk_packages(gridimpact.__path__, "gridimpact.")]
    found = {
        thing
        for name in names
        if not name.endswith("__main__")
        for thing in vars(importlib.import_module(name)).values()
        if isinstance(thing, type) and issubclass(thing, tuple) and hasattr(thing, "_fields")
    }
    return {record for record in found if record.__module__.startswith("gridimpact.")}


def test_named_tuples_of_one_name_have_different_numbers_of_fields() -> None:
    # numba remembers the type of an argument by class name and contents. Where two classes agree in
    # both, the one seen later is looked up anew by every call: milliseconds, with all threads waiting.
    pairs = combinations(sorted(_records(), key=lambda record: record.__name__), 2)
    same = [
        (first, second)
        for first, second in pairs
        if first.__name__ == second.__name__ and len(first._fields) == len(second._fields)
    ]
    assert not same
