"""Scans whose draws follow a known law, so that the truth can be counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.network import open_network
from gridimpact.records import LIMIT_BIT, SCENARIO_DTYPE, Network, ScanSettings

VOLTAGE, LINE = LIMIT_BIT["voltage"], LIMIT_BIT["line_loading"]


@lru_cache(maxsize=1)
def rural() -> Network:
    """Return a feeder with thirteen homes."""
    return open_network("kerber_rural")


def asked(
    cars: Sequence[int], labels: Sequence[str] = ("uncontrolled",), **more: Any
) -> ScanSettings:
    """Return settings in which every row is a strategy of its own; without control all are the first."""
    return ScanSettings(
        cars=tuple(cars),
        labels=tuple(labels),
        managed=more.pop("managed", {label: label for label in labels}),
        firm=more.pop("firm", {label: labels[0] for label in labels}),
        **more,
    )


def rows_of(draw: Any, cars: Any, broken: Any, strategy: int = 0, refined: Any = 0) -> NDArray[Any]:
    """Return scenarios in which nothing but the voltage and the lines was assessed."""
    rows = np.zeros(np.broadcast(draw, cars, broken, refined).shape, SCENARIO_DTYPE)
    for name in SCENARIO_DTYPE.names:
        if SCENARIO_DTYPE[name].kind == "f":
            rows[name] = np.nan
    for name in ("voltage_bus", "unbalance_bus", "line", "transformer", "site"):
        rows[name] = -1
    rows["voltage_margin_pu"], rows["line_percent"] = 0.01, 50.0
    rows["draw"], rows["cars"], rows["broken"] = draw, cars, broken
    rows["strategy"], rows["refined"] = strategy, refined
    return rows.ravel()


def refined_rows(hosted: NDArray[Any], levels: Sequence[int], strategy: int = 0) -> NDArray[Any]:
    """Return what bisection to one car leaves of draws that host so many cars; by draw and cars."""
    count, top = len(hosted), max(levels)
    beside = np.stack([hosted, hosted + 1], axis=1)
    cars = np.concatenate([np.tile(levels, (count, 1)), beside], axis=1)
    refined = np.repeat([0, 1], [len(levels), 2]) * np.ones((count, 1), dtype=np.int64)
    draw = np.arange(count)[:, np.newaxis]
    broken = np.where(cars > hosted[:, np.newaxis], VOLTAGE, 0)
    between = (refined == 0) | ((cars < top) & (cars > 0) & ~np.isin(cars, levels))
    keep = between.ravel()
    return rows_of(draw, cars, broken, strategy, refined)[keep]
