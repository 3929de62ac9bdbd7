"""Say what a dropped tap controller did, so that its user can give the same as a setting.

Only plain numbers and words are read; nothing a file names is imported, built or called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridimpact.errors import GridError
from gridimpact.records import Note

_KINDS = ("DiscreteTapControl", "ContinuousTapControl")
_WORDS = ("element", "side")
_NUMBERS = ("vm_lower_pu", "vm_upper_pu", "vm_set_pu", "_vm_set_pu")
_STEPLESS_BAND_PU = 0.02
"""Band proposed for a controller that knew none [pu]."""
_MOST = 50
"""Controllers spoken of."""


def stored_tap_controllers(table: Any) -> list[Note]:
    """Return notes on the tap controllers of a net's JSON entry ``controller``.

    Parameters
    ----------
    table : object
        The entry as the JSON decoder left it; anything unexpected gives no note.
    """
    from gridimpact.network.payload import decode

    try:
        content = decode(table["_object"], "controller")
        column = content["columns"].index("object")
        cells = [row[column] for row in content["data"]][:_MOST]
        found = []
        for cell in cells:
            if isinstance(cell, dict) and cell.get("_class") in _KINDS:
                found += _notes(decode(cell["_object"], "controller"))
    except (GridError, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return []
    return found


def live_tap_controllers(frame: Any) -> list[Note]:
    """Return notes on the tap controllers of a net in memory."""
    if not isinstance(frame, pd.DataFrame) or "object" not in frame:
        return []
    found = []
    for held in frame["object"].tolist()[:_MOST]:
        entries = getattr(held, "__dict__", None)
        if type(held).__name__ in _KINDS and isinstance(entries, dict):
            found += _notes(entries)
    return found


def _notes(entries: Any) -> list[Note]:
    """Return a note for each two-winding transformer of one controller."""
    if not isinstance(entries, Mapping) or entries.get("element", "trafo") != "trafo":
        return []
    words = {name: entries.get(name) for name in _WORDS}
    numbers = {name: _number(entries.get(name)) for name in _NUMBERS}
    low, high = numbers["vm_lower_pu"], numbers["vm_upper_pu"]
    middle = numbers["vm_set_pu"] if low is None or high is None else (low + high) / 2
    width = _STEPLESS_BAND_PU if low is None or high is None else high - low
    if middle is None:
        return []
    places = entries.get("element_index")
    rows = [_number(place) for place in (places if isinstance(places, list) else [places])]
    side = ', side="hv"' if words["side"] == "hv" else ""
    return [
        Note(
            "dropped",
            f"controller of transformer {int(row)}",
            "its tap controller is code and was dropped; the same is with_tap_control(network, "
            f"{int(row)}, vm_set_pu={middle:.6g}, deadband_pu={width:.6g}{side})",
        )
        for row in rows[:_MOST]
        if row is not None
    ]


def _number(value: Any) -> float | None:
    """Return a plain number, also where numpy wrapped it, else None."""
    if isinstance(value, Mapping):
        value = value.get("_object")
    elif hasattr(value, "item") and type(value).__module__ == "numpy":
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
