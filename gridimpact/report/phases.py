"""What a three-phase study tells beyond a balanced one: the worst phase, unbalance, the neutral."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.records import FloatArray, StudyResult
from gridimpact.report import view
from gridimpact.report.style import is_number, number


def worst_phase(result: StudyResult, before: str = "", after: str = "") -> str:
    """Return "worst phase" between two texts; "" in a balanced study, whose phases are one."""
    return f"{before}worst phase{after}" if view.three_phase(result) else ""


def loaded_phase(result: StudyResult, label: str, worst: view.Worst) -> str:
    """Return the phase of a transformer's highest loading: "worst phase, c"; "" if balanced."""
    name = "transformer_phase_loading_percent"
    words = worst_phase(result)
    if not words or name not in result.dataset:
        return words
    steps = slice(worst.step, worst.step + 1)
    found = view.values(result, name, label, steps)[0, worst.position]
    return f"{words}, {'abc'[int(np.nanargmax(found))]}" if np.isfinite(found).any() else words


def transformer_kva(result: StudyResult, label: str, position: int) -> FloatArray:
    """Return what a transformer carries [kVA], (time,), negative where it feeds back.

    In three phases it is the loading of the worst phase times the rating, the figure the limit is
    for; else the apparent power of all phases.
    """
    p_kw = view.values(result, "transformer_p_kw", label)[:, position]
    if view.three_phase(result):
        rating = float(result.network.grid.transformer_sn_kva[position])
        loading = view.values(result, "transformer_loading_percent", label)[:, position]
        size = loading * rating / 100.0
    else:
        size = np.hypot(p_kw, view.values(result, "transformer_q_kvar", label)[:, position])
    return np.asarray(np.where(p_kw < 0, -1.0, 1.0) * size, dtype=np.float64)


def unbalance_words(result: StudyResult, label: str) -> str:
    """Return the highest unbalance and neutral current with place and time, "" if balanced."""
    if not view.three_phase(result):
        return ""
    parts = []
    unbalance = view.figure(result, label, "unbalance_max_percent")
    if is_number(unbalance):
        where = _where(result, label, "unbalance_max_percent")
        parts.append(f"Unbalance at most {number(unbalance, 'percent')} %{where}")
    neutral = view.figure(result, label, "neutral_current_max_a")
    if is_number(neutral):
        where = _where(result, label, "neutral_current_max_a")
        head = "neutral current up to" if parts else "Neutral current up to"
        parts.append(f"{head} {number(neutral, 'A')} A{where}")
    return "; ".join(parts) + "." if parts else ""


def _where(result: StudyResult, label: str, metric: str) -> str:
    """Return element and time of a worst moment in brackets, "" where the assessment has none."""
    own = result.assessments.get(label)
    table = None if own is None else own.tables.get("worst")
    if table is None:
        return ""
    rows = table[table["metric"] == metric]
    if not len(rows):
        return ""
    row = rows.iloc[0]
    name = str(row["name"]).strip() or str(row["element"])
    when = "" if pd.isna(row["time"]) else f", {view.moment(row['time'], view.zone(result))}"
    return f" ({name}{when})"
