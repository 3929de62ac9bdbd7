"""Probability of a violation at each level: of the whole network, and of each feeder with its colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.draw_capacity import ALL, assessed_kinds, limit_mask, rows_under
from gridimpact.hosting.intervals import share_interval
from gridimpact.hosting.stopping import look_confidence
from gridimpact.records import (
    FEEDER_COLUMNS,
    LIMIT_BIT,
    RISK_COLUMNS,
    BoolArray,
    FloatArray,
    Grid,
    IntArray,
    ScanSettings,
)

GREEN, YELLOW, RED = "green", "yellow", "red"


def risk_table(rows: NDArray[Any], settings: ScanSettings) -> pd.DataFrame:
    """Return the share of draws that violate at each level, with its interval.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of all draws solved; only the common levels enter, not those added by refinement.
    settings : ScanSettings

    Returns
    -------
    DataFrame
        `RISK_COLUMNS`: one row by solved row ("strategy"), limit ("all", then each assessed kind) and level.
        The verdict is that of the level itself, whatever happened below it. Intervals are
        `share_interval` at `look_confidence`, each valid for its own level at whatever look the scan stops.
    """
    rows = rows[rows["refined"] == 0]
    limits = (ALL, *assessed_kinds(rows, settings))
    confidence = look_confidence(settings)
    parts = []
    for label in settings.labels:
        own = rows_under(rows, settings, label)
        cars, at = np.unique(own["cars"], return_inverse=True)
        draws = np.bincount(at, minlength=len(cars))
        for limit in limits:
            fails = (own["broken"] & limit_mask(limit, settings)) != 0
            violated = np.bincount(at[fails], minlength=len(cars))
            low, high = share_interval(violated, draws, confidence)
            columns = (label, limit, cars.astype(np.int64), draws, violated, violated / draws)
            parts.append(pd.DataFrame(dict(zip(RISK_COLUMNS, (*columns, low, high), strict=True))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=RISK_COLUMNS)


def feeder_table(
    rows: NDArray[Any], feeders: NDArray[Any], settings: ScanSettings, grid: Grid
) -> pd.DataFrame:
    """Return how probable a violation is in each feeder at each level.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        (scenario,) scenarios of all draws solved; only the common levels enter.
    feeders : array of FEEDER_DTYPE
        (scenario, feeder) of the same scenarios, feeders in the same order everywhere.
    settings : ScanSettings
    grid : Grid
        Names the transformer that supplies a feeder.

    Returns
    -------
    DataFrame
        `FEEDER_COLUMNS`: one row by solved row, feeder, level and limit ("all", then each kind that any feeder
        ever breaks). ``colour`` is green where no draw violates, yellow up to the accepted risk, red above.
    """
    level = rows["refined"] == 0
    rows, feeders = rows[level], feeders[level]
    if not len(rows) or not feeders.shape[1]:
        return pd.DataFrame(columns=list(FEEDER_COLUMNS))
    numbers = feeders["feeder"][0].astype(np.int64)
    transformers = [_transformer_of(int(n), grid) for n in numbers]
    ever = int(np.bitwise_or.reduce(feeders["broken"], axis=None))
    seen = [k for k in assessed_kinds(rows, settings) if ever & LIMIT_BIT[k]]
    parts = []
    for position, label in enumerate(settings.labels):
        own = rows["strategy"] == position
        cars, at = np.unique(rows["cars"][own], return_inverse=True)
        for limit in (ALL, *seen):
            breaks = (feeders["broken"][own] & limit_mask(limit, settings)) != 0
            share = _share_by_level(breaks, at, len(cars))
            parts.append(
                pd.DataFrame(
                    {
                        "strategy": label,
                        "feeder": np.repeat(numbers, len(cars)),
                        "transformer": np.repeat(np.array(transformers, dtype=object), len(cars)),
                        "cars": np.tile(cars.astype(np.int64), len(numbers)),
                        "limit": limit,
                        "probability": share.T.ravel(),
                        "colour": [_colour(p, settings.risk) for p in share.T.ravel()],
                    },
                    columns=list(FEEDER_COLUMNS),
                )
            )
    return pd.concat(parts, ignore_index=True)


def _share_by_level(breaks: BoolArray, at: IntArray, levels: int) -> FloatArray:
    """Return the share of draws (level, feeder) that break something."""
    share = np.zeros((levels, breaks.shape[1]))
    np.add.at(share, at, breaks)
    return np.asarray(share / np.bincount(at, minlength=levels)[:, np.newaxis])


def _colour(probability: float, risk: float) -> str:
    if probability <= 0:
        return GREEN
    return YELLOW if probability <= risk else RED


def _transformer_of(feeder: int, grid: Grid) -> str:
    """Return the name of the transformer that supplies a feeder, "" where it is none or not a single one."""
    found = np.unique(grid.bus_transformer[grid.bus_feeder == feeder])
    found = found[found >= 0]
    return grid.transformer_name[found[0]] if len(found) == 1 else ""
