"""The violations of all strategies in one table, and how many of each origin."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view

_WORST_FIRST = {"ev_caused": 0, "aggravated": 1, "preexisting": 2}


def violations_frame(result: StudyResult) -> pd.DataFrame:
    """Return the violations of all strategies in local time, EV-caused and longest first.

    Returns
    -------
    pandas.DataFrame
        The columns of `Assessment.violations` with ``strategy`` in front; ``start`` and ``end``
        in the study's zone.
    """
    parts = []
    for label in view.strategies(result):
        if label in result.assessments:
            part = result.assessments[label].violations
            parts.append(part.assign(strategy=label))
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0].iloc[:0] if parts else pd.DataFrame()
    frame = stacked(filled)
    for column in ("start", "end"):
        if column in frame:
            stamps = pd.to_datetime(frame[column])
            if stamps.dt.tz is None:
                stamps = stamps.dt.tz_localize("UTC")
            frame[column] = stamps.dt.tz_convert(view.zone(result))
    order = frame.assign(
        _origin=frame["origin"].map(_WORST_FIRST).fillna(3) if "origin" in frame else 0
    ).sort_values(["_origin", "duration_h"], ascending=[True, False], kind="stable")
    front = ["strategy", *[column for column in frame.columns if column != "strategy"]]
    return order[front].reset_index(drop=True)


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below the other; a column that holds nothing takes no part in its type."""
    columns = list(dict.fromkeys(column for part in parts for column in part.columns))
    known = [part.dropna(axis=1, how="all") for part in parts if len(part)]
    if not known:
        return pd.DataFrame(columns=columns)
    return pd.concat(known, ignore_index=True).reindex(columns=columns)


def violation_counts(result: StudyResult) -> pd.DataFrame:
    """Return violations by strategy and origin, zeros included."""
    frame = violations_frame(result)
    labels = view.strategies(result)
    origins = list(_WORST_FIRST)
    if frame.empty or "origin" not in frame:
        return pd.DataFrame(0, index=labels, columns=origins)
    found = pd.crosstab(frame["strategy"], frame["origin"])
    return found.reindex(index=labels, columns=origins, fill_value=0)
