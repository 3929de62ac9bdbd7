"""Assessments of several strategies as one table, a row each, in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridimpact.conventions import METRICS
from gridimpact.records import Assessment


def compare(assessments: Mapping[str, Assessment]) -> pd.DataFrame:
    """Return one row per strategy and one column per metric; NaN where a figure was not assessed.

    Parameters
    ----------
    assessments : mapping
        By strategy label; "no_ev" and "uncontrolled" come first whatever their place.
    """
    first = [name for name in ("no_ev", "uncontrolled") if name in assessments]
    order = [*first, *[name for name in assessments if name not in first]]
    rows = {
        name: {metric: _number(assessments[name].summary.get(metric)) for metric in METRICS}
        for name in order
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(METRICS))
    table.index.name = "strategy"
    return table


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
