"""Every figure of a study by metric and strategy, and the power flows that failed, as data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.conventions import METRICS
from gridimpact.records import StudyResult
from gridimpact.report import view


def summary_frame(result: StudyResult, against: str | None = None) -> pd.DataFrame:
    """Return all figures, metrics by strategies, with unit and meaning.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    against : str, optional
        Label of a strategy; every other column then holds the difference to it.

    Returns
    -------
    pandas.DataFrame
        Index metric; columns ``unit``, ``meaning`` and one per strategy.

    Raises
    ------
    KeyError
        If `against` is not a strategy of the study.
    """
    labels = view.strategies(result)
    if against is not None and against not in labels:
        message = f"no strategy {against!r} in the study; choose from {', '.join(labels)}"
        raise KeyError(message)
    metrics = [name for name in METRICS if name in view.comparison(result).columns]
    frame = pd.DataFrame(
        {label: [view.figure(result, label, metric) for metric in metrics] for label in labels},
        index=pd.Index(metrics, name="metric"),
    )
    if against is not None:
        others = [label for label in labels if label != against]
        frame[others] = frame[others].sub(frame[against], axis=0)
    frame.insert(0, "meaning", [METRICS[metric].meaning for metric in metrics])
    frame.insert(0, "unit", [METRICS[metric].unit for metric in metrics])
    return frame


def failed_lanes(result: StudyResult) -> pd.DataFrame:
    """Return failed and all power flows by strategy."""
    labels = view.strategies(result)
    rows = {
        label: [
            np.nan_to_num(view.figure(result, label, metric))
            for metric in ("lanes_failed", "lanes")
        ]
        for label in labels
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["failed", "of"]).astype(int)
