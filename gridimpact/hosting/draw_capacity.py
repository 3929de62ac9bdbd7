"""How many cars each draw hosts under a strategy: what lies below its first failing number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.records import (
    LIMIT_BIT,
    LIMIT_KINDS,
    BoolArray,
    FloatArray,
    IntArray,
    ScanSettings,
)

ALL = "all"
"""Name of the limit that is broken where any counted kind is."""

UNCONTROLLED = "uncontrolled"
"""Strategy and row that others are measured against."""

_VALUE = {
    "voltage": "voltage_margin_pu",
    "unbalance": "unbalance_percent",
    "line_loading": "line_percent",
    "transformer_loading": "transformer_percent",
    "hot_spot": "hot_spot_c",
    "ageing": "ageing_equivalent",
    "connection": "fuse_percent",
    "service": "unmet_percent",
    "export": "export_percent",
}


@dataclass(frozen=True)
class DrawCapacities:
    """What each draw hosts under one strategy and one set of limits; arrays over (draw,), by draw number."""

    draw: IntArray
    first_failing: FloatArray
    """Lowest number of cars evaluated that violates; inf where none does."""
    hosted: FloatArray
    """Highest number evaluated below `first_failing`, 0 (no added cars) where none is."""
    highest_passing: FloatArray
    """Highest number evaluated that passes, whatever fails below it; 0 where none does."""
    reversed: BoolArray
    """Among the common levels a higher number passes after a lower one fails."""

    @property
    def ceiling(self) -> FloatArray:
        """Highest number the draw may host by what was evaluated; `hosted` itself where refined to one car."""
        return np.maximum(self.first_failing - 1.0, self.hosted)

    @property
    def beyond(self) -> BoolArray:
        """Whether the draw hosts the highest number scanned, and perhaps more."""
        return np.isinf(self.first_failing)


def counted_kinds(settings: ScanSettings) -> tuple[str, ...]:
    """Return the kinds of limit that count, in the order of `LIMIT_KINDS`.

    Service and export count only where a limit is set. A power flow without a solution always counts: it
    has no voltages that could pass.
    """
    unset = {"service"} if settings.unmet_percent is None else set()
    unset |= {"export"} if settings.export_percent is None else set()
    named = (set(settings.limits) | {"power_flow"}) - unset
    return tuple(kind for kind in LIMIT_KINDS if kind in named)


def assessed_kinds(rows: NDArray[Any], settings: ScanSettings) -> tuple[str, ...]:
    """Return the counted kinds that any scenario has a value or a violation of."""
    return tuple(
        kind
        for kind in counted_kinds(settings)
        if kind not in _VALUE
        or np.isfinite(rows[_VALUE[kind]]).any()
        or (rows["broken"] & LIMIT_BIT[kind]).any()
    )


def limit_mask(limit: str, settings: ScanSettings) -> int:
    """Return the bits of one kind of limit, or of every counted kind for "all"."""
    kinds = counted_kinds(settings) if limit == ALL else (limit,)
    return sum(LIMIT_BIT[kind] for kind in kinds)


def rows_under(rows: NDArray[Any], settings: ScanSettings, label: str) -> NDArray[Any]:
    """Return the scenarios of one solved row of the scan."""
    return np.asarray(rows[rows["strategy"] == settings.labels.index(label)])


def draw_capacities(rows: NDArray[Any], mask: int) -> DrawCapacities:
    """Return what each draw hosts.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of one strategy, of many draws, in any order.
    mask : int
        Bits of the limits that count.

    Returns
    -------
    DrawCapacities
        Counted up to the first failure, also where higher numbers pass again: between them nothing is
        promised, so nothing is hosted.
    """
    draw, at = np.unique(rows["draw"], return_inverse=True)
    cars = rows["cars"].astype(np.float64)
    fails = (rows["broken"] & mask) != 0
    level = rows["refined"] == 0
    first = _lowest(at[fails], cars[fails], len(draw))
    below = cars < first[at]
    highest = _highest(at[~fails], cars[~fails], len(draw))
    return DrawCapacities(
        draw=draw.astype(np.int64),
        first_failing=first,
        hosted=_highest(at[below], cars[below], len(draw)),
        highest_passing=highest,
        reversed=_highest(at[~fails & level], cars[~fails & level], len(draw))
        > _lowest(at[fails & level], cars[fails & level], len(draw)),
    )


def first_failures(rows: NDArray[Any], mask: int) -> NDArray[Any]:
    """Return the scenario at the first failing number of each draw that fails; rows of one strategy."""
    failing = rows[(rows["broken"] & mask) != 0]
    failing = failing[np.lexsort((failing["cars"], failing["draw"]))]
    _, start = np.unique(failing["draw"], return_index=True)
    return np.asarray(failing[start])


def _lowest(at: IntArray, values: FloatArray, count: int) -> FloatArray:
    lowest = np.full(count, np.inf)
    np.minimum.at(lowest, at, values)
    return lowest


def _highest(at: IntArray, values: FloatArray, count: int) -> FloatArray:
    highest = np.zeros(count)
    np.maximum.at(highest, at, values)
    return highest
