"""What was meant by a key that a section of the study file does not know."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

_SHOWN = {
    "fleet.synthetic": ("fleet", ""),
    "fleet.sessions": ("fleet", " beside 'sessions'"),
    "fleet.stored": ("fleet", " beside 'stored'"),
    "volt_var.pv.CurveConfig": ("volt_var.pv", ""),
    "volt_var.chargers.CurveConfig": ("volt_var.chargers", ""),
}
"""Sections whose place in findings is not that in the file: place, and what stands beside the key."""


def key_remedy(place: tuple[Any, ...], sections: Mapping[str, Collection[str]]) -> str:
    """Return how to mend an unknown key.

    Parameters
    ----------
    place : tuple
        Where it stands, the key last; numbers count the entries of a list or mapping.
    sections : mapping of str to collection of str
        Known keys by section, places joined by points, "" for the top level.

    Examples
    --------
    >>> key_remedy(("b", "one"), {"a": ["one"], "b": ["two"]})
    "it belongs at 'a.one'"
    >>> key_remedy(("b", "tow"), {"a": ["one"], "b": ["two"]})
    "did you mean 'two'?"
    """
    wrong = str(place[-1])
    own = sections.get(".".join(part for part in place[:-1] if isinstance(part, str)), ())
    every = sorted({key for keys in sections.values() for key in keys})
    # A slip of one letter beside its own key is likelier than the same word of another section.
    cutoff = 0.85 if wrong in every else 0.6
    near = difflib.get_close_matches(wrong, sorted(own), n=1, cutoff=cutoff)
    if near:
        return f"did you mean {near[0]!r}?"
    if wrong in every:
        return f"it belongs at {_homes(wrong, sections)}"
    near = difflib.get_close_matches(wrong, every, n=1)
    return f"did you mean {_homes(near[0], sections)}?" if near else "remove it"


def _homes(key: str, sections: Mapping[str, Collection[str]]) -> str:
    """Return the places of a key, each once."""
    found = []
    for section in (name for name, keys in sections.items() if key in keys):
        head, beside = _SHOWN.get(section, (section, ""))
        own = repr(f"{head}.{key}") if head else f"the top level, {key!r}"
        found.append(own + beside)
    return " or ".join(dict.fromkeys(found))
