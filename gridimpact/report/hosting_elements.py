"""Where a limit binds, in words: the far end of a feeder, a cable, a transformer."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.records import Grid
from gridimpact.report.style import is_number

_BUS_KINDS = frozenset({"voltage", "unbalance"})
_TRANSFORMER_KINDS = frozenset({"transformer_loading", "hot_spot", "ageing", "export"})
_FAR_END = 0.9
"""A bus at this share of its feeder's length or beyond stands at the far end; a choice of words."""


def element_words(grid: Grid, kind: str, element: Any, name: str = "", feeder: Any = None) -> str:
    """Return where a limit binds: "the far end of feeder 2", "Cable 4, feeder 1", "T1"; "" where unknown.

    Parameters
    ----------
    grid : Grid
        Of the network scanned.
    kind : str
        Kind of limit.
    element : int or str
        pandapower index in the table the kind speaks of; a name is taken as it is.
    name, feeder
        As the table of what binds tells them.
    """
    if "network" in (element, name):
        return ""
    position = _position(grid, kind, element)
    found = name or (element if isinstance(element, str) else "")
    if kind in _BUS_KINDS and position >= 0:
        number = int(grid.bus_feeder[position])
        if number > 0 and _at_far_end(grid, position):
            return f"the far end of feeder {number}"
        found = found or str(grid.bus_name[position]) or f"bus {element}"
        return f"{found}, feeder {number}" if number > 0 else found
    if position >= 0 and not found:
        table = "line" if kind == "line_loading" else "transformer"
        found = str(getattr(grid, f"{table}_name")[position]) or f"{table} {element}"
    if kind not in _TRANSFORMER_KINDS and is_number(feeder) and float(feeder) > 0:
        return f"{found}, feeder {int(feeder)}" if found else f"feeder {int(feeder)}"
    return found


def _position(grid: Grid, kind: str, element: Any) -> int:
    """Return the position of an element by its pandapower index, -1 where it has none."""
    table = (
        "bus" if kind in _BUS_KINDS
        else "line" if kind == "line_loading"
        else "transformer" if kind in _TRANSFORMER_KINDS
        else ""
    )  # fmt: skip
    if not table or isinstance(element, str) or not is_number(element):
        return -1
    at = np.flatnonzero(getattr(grid, f"{table}_index") == int(element))
    return int(at[0]) if at.size else -1


def _at_far_end(grid: Grid, position: int) -> bool:
    own = (grid.bus_feeder == grid.bus_feeder[position]) & np.isfinite(grid.bus_distance_m)
    reach = float(np.max(grid.bus_distance_m[own], initial=0.0))
    return reach > 0 and float(grid.bus_distance_m[position]) >= _FAR_END * reach
