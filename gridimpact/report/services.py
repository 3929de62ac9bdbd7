"""What services offered and earned, and what the network saw at their extremes, as one table."""

from __future__ import annotations

import re

import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import display_name, is_number, number

COLUMNS = ("strategy", "service", "name", "value", "period", "note")
_BY_HOUR = re.compile(r"_\d\dh$")
"""Figures by hour of the day stay in the table and out of the page."""
_UNITS = {
    "_kw": "kW",
    "_kw_h": "kW h",
    "_kwh": "kWh",
    "_eur": "EUR",
    "_percent": "%",
    "_hours": "h",
    "hours": "h",
    "_h": "h",
    "_s": "s",
}


def services_frame(result: StudyResult, strategy: str | None = None) -> pd.DataFrame:
    """Return the services of all strategies, or of one, one row per figure.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    strategy : str, optional
        Label of one strategy.

    Returns
    -------
    pandas.DataFrame
        Columns ``strategy service name value period note``; empty where no service was given.
    """
    chosen = [strategy] if strategy is not None else view.strategies(result)
    parts = [
        table.assign(strategy=label)
        for label in chosen
        if label in result.assessments
        and (table := result.assessments[label].tables.get("services")) is not None
    ]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def service_rows(result: StudyResult) -> list[dict[str, str]]:
    """Return the figures as a page shows them: names and values as text, hours of the day left out."""
    frame = services_frame(result)
    return [
        {
            "strategy": display_name(str(row.strategy)),
            "service": str(row.service).replace("_", " "),
            "name": _words(str(row.name)),
            "value": number(row.value, _unit(str(row.name)))
            + (f" {_unit(str(row.name))}" if is_number(row.value) else ""),
            "period": "" if str(row.period) == "all" else str(row.period),
            "note": str(row.note),
        }
        for row in frame.itertuples(index=False)
        if not _BY_HOUR.search(str(row.name))
    ]


def _unit(name: str) -> str:
    """Return the unit that a figure's name tells, "" for a plain number.

    Examples
    --------
    >>> _unit("capacity_up_kw"), _unit("firm_up_kw_h"), _unit("score"), _unit("vm_min_pu_least_draw")
    ('kW', 'kW h', '', 'pu')
    """
    if "_pu" in name:
        return "pu"
    if "_percent" in name:
        return "%"
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def _words(name: str) -> str:
    """Return a figure's name as words, without its unit.

    Examples
    --------
    >>> _words("capacity_up_kw"), _words("vm_min_pu_least_draw"), _words("firm_up_kw_h")
    ('capacity up', 'lowest voltage, least draw', 'firm up')
    """
    for end in ("_least_draw", "_highest_draw", "_rebound"):
        if name.endswith(end):
            return f"{_words(name.removesuffix(end))}, {end[1:].replace('_', ' ')}"
    plain = {
        "vm_min_pu": "lowest voltage",
        "vm_max_pu": "highest voltage",
        "voltage_step_percent": "voltage step",
        "line_loading_percent": "line loading",
        "transformer_loading_percent": "transformer loading",
    }
    if name in plain:
        return plain[name]
    ends = sorted((end for end in _UNITS if end.startswith("_") and name.endswith(end)), key=len)
    return name.removesuffix(ends[-1] if ends else "").replace("_", " ")
