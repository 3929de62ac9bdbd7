"""The violations of all strategies in one table, and how many of each origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import is_number, number, unit_text

SHOWN_OF_A_KIND = 3
"""Violations listed of each strategy and kind."""
USUAL_BAND_PU = 0.05
"""Departure from nominal that planning allows; a voltage twice as far out counts as twice."""
_KIND_WORDS = {
    "transformer_loading": "transformer {}",
    "transformer3w_loading": "transformer {}",
    "line_loading": "line {}",
    "voltage_low": "low voltage of {}",
    "voltage_high": "high voltage of {}",
    "voltage_week": "share of a week inside the voltage band of {}",
    "transformer_loading_mean": "mean load of transformer {}",
    "transformer3w_loading_mean": "mean load of transformer {}",
    "line_loading_mean": "mean load of line {}",
    "voltage_step": "step of the voltage by one charger at {}",
    "asymmetry": "difference of two phases at {}",
    "fuse_loading": "main fuse of {}",
    "unbalance": "voltage unbalance at {}",
    "unbalance_week": "share of a week inside the unbalance limit of {}",
}
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


def worst_of_cars(result: StudyResult, strategy: str) -> Mapping[str, Any] | None:
    """Return the EV-caused or aggravated violation furthest beyond its limit, None without any."""
    found = result.assessments.get(strategy)
    if found is None or not {"origin", "worst", "limit"} <= set(found.violations.columns):
        return None
    table = found.violations[found.violations["origin"].isin(("ev_caused", "aggravated"))]
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    return max(rows, key=severity, default=None)


def severity(row: Mapping[str, Any]) -> float:
    """Return how far a violation is beyond its limit: 1 at the limit, 2 at twice a loading."""
    worst, bound = row.get("worst"), row.get("limit")
    if worst is None or bound is None or not (is_number(worst) and is_number(bound)):
        return 0.0
    beyond = abs(float(worst) - float(bound))
    if row.get("unit") == "pu":
        return 1.0 + beyond / USUAL_BAND_PU
    return 1.0 + beyond / abs(float(bound)) if float(bound) else 1.0


def violation_words(row: Mapping[str, Any]) -> str:
    """Return one violation in words: what, where, its worst value and the limit."""
    kind, unit = str(row.get("kind", "")), str(row.get("unit", ""))
    name = element_words(row)
    if unit == "lanes":
        return f"{number(row.get('worst'))} power flows failed"
    form = "ageing" if kind == "ageing" else unit
    worst, bound = (f"{number(row.get(key), form)} {unit_text(unit)}" for key in ("worst", "limit"))
    what = _KIND_WORDS.get(kind, f"{kind.replace('_', ' ')} of {{}}").replace("{}", name)
    return f"{what} at {worst.strip()}, limit {bound.strip()}"


def element_words(row: Mapping[str, Any]) -> str:
    """Return the element of a violation, and its phase where it has one."""
    name = str(row.get("name") or row.get("element", ""))
    phase = str(row.get("phase") or "")
    return f"{name}, phase {phase}" if phase in ("a", "b", "c") else name


def listed(result: StudyResult, frame: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, int]]:
    """Give the first rows of each strategy and kind, with the number of rows left out."""
    if frame.empty:
        return
    place = {label: row for row, label in enumerate(view.strategies(result))}
    ordered = frame.sort_values("strategy", key=lambda own: own.map(place), kind="stable")
    for _, own in ordered.groupby(["strategy", "kind"], sort=False):
        yield own.head(SHOWN_OF_A_KIND), max(len(own) - SHOWN_OF_A_KIND, 0)


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
