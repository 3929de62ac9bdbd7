"""What breaks first: the limits and elements broken at each draw's first failing number of cars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.draw_capacity import (
    ALL,
    counted_kinds,
    first_failures,
    limit_mask,
    rows_under,
)
from gridimpact.hosting.named_elements import ELEMENT, ElementAxis, element_axes
from gridimpact.records import BINDING_COLUMNS, LIMIT_BIT, IntArray, Network, ScanSettings


@dataclass(frozen=True)
class Binding:
    """The limit that binds most often."""

    limit: str
    percent: float
    """Of the draws that bind; NaN where none does."""
    element: str
    """The element it binds at most often, in words."""


def binding_table(rows: NDArray[Any], settings: ScanSettings, network: Network) -> pd.DataFrame:
    """Return what breaks first under each solved row of a scan, by limit and element.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of all draws solved.
    settings : ScanSettings
    network : Network
        Names the elements.

    Returns
    -------
    DataFrame
        `BINDING_COLUMNS`, most frequent limit and element first. ``draws`` break this limit at this element at
        their first failing number, ``percent`` of all draws that fail at all. A draw that breaks several
        limits at once counts under each, so the shares of limits may add up to more than 100. ``element``
        is the pandapower index, of a connection that of its bus; -1 and "" where the limit has none.
    """
    axes = element_axes(network)
    table: list[tuple[Any, ...]] = []
    for label in settings.labels:
        first = first_failures(rows_under(rows, settings, label), limit_mask(ALL, settings))
        for kind in _by_frequency(first, counted_kinds(settings)):
            axis = axes.get(ELEMENT.get(kind, ("",))[0])
            for position, count in _elements(first, kind):
                named = (-1, "", -1) if axis is None else _named(axis, position)
                percent = 100.0 * count / len(first)
                table.append((label, kind, *named, count, percent))
    return pd.DataFrame(table, columns=list(BINDING_COLUMNS))


def most_binding(
    first: NDArray[Any], kinds: tuple[str, ...], axes: dict[str, ElementAxis]
) -> Binding:
    """Return what binds most often among the first failures of all draws of one strategy."""
    ranked = _by_frequency(first, kinds)
    if not ranked:
        return Binding("", np.nan, "")
    kind = ranked[0]
    axis = axes.get(ELEMENT.get(kind, ("",))[0])
    position = _elements(first, kind)[0][0]
    return Binding(
        limit=kind,
        percent=100.0 * float(_breaks(first, kind).mean()),
        element="" if axis is None else axis.text(position),
    )


def _breaks(first: NDArray[Any], kind: str) -> NDArray[np.bool_]:
    return np.asarray((first["broken"] & LIMIT_BIT[kind]) != 0)


def _by_frequency(first: NDArray[Any], kinds: tuple[str, ...]) -> list[str]:
    """Return the kinds that any draw breaks, most frequent first, equals in their own order."""
    counts = {kind: int(_breaks(first, kind).sum()) for kind in kinds}
    return sorted((kind for kind in kinds if counts[kind]), key=lambda kind: -counts[kind])


def _elements(first: NDArray[Any], kind: str) -> list[tuple[int, int]]:
    """Return position and number of draws of each element a kind breaks at, most frequent first."""
    own = first[_breaks(first, kind)]
    positions: IntArray = (
        own[ELEMENT[kind][1]].astype(np.int64) if kind in ELEMENT else np.full(len(own), -1)
    )
    found, counts = np.unique(positions, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(int(found[k]), int(counts[k])) for k in order]


def _named(axis: ElementAxis, position: int) -> tuple[int, str, int]:
    return int(axis.index[position]), str(axis.name[position]), int(axis.feeder[position])
