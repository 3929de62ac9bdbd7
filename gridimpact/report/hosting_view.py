"""What tables, words and figures look up in a hosting scan: rows, capacities, names of limits and elements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridimpact.errors import InputError
from gridimpact.records import LIMIT_KINDS, ScanResult
from gridimpact.report.hosting_elements import element_words
from gridimpact.report.style import UNCONTROLLED, is_number, strategy_colours

LIMIT_WORDS: Mapping[str, str] = {
    "voltage": "voltage",
    "unbalance": "voltage unbalance",
    "line_loading": "line loading",
    "transformer_loading": "transformer loading",
    "hot_spot": "transformer hot spot",
    "ageing": "transformer life",
    "connection": "main fuse",
    "service": "driver service",
    "export": "export",
    "power_flow": "power flow without solution",
}
"""Name of each kind of limit inside a sentence."""

LIMIT_COLOURS: Mapping[str, str] = {
    "voltage": "#0072b2",
    "unbalance": "#56b4e9",
    "line_loading": "#e69f00",
    "transformer_loading": "#d55e00",
    "hot_spot": "#8c1d40",
    "ageing": "#cc79a7",
    "connection": "#5d7c8a",
    "service": "#009e73",
    "export": "#7aa61e",
    "power_flow": "#2b3440",
}


@dataclass(frozen=True, slots=True)
class Capacity:
    """One row of the table of capacities, as numbers and texts; NaN and "" where there is none."""

    strategy: str
    control: str
    limit: str
    first_violation: float
    at_risk: float
    low: float
    high: float
    reached: bool
    last_passing: float
    draws: int
    draws_failed: int
    reversals: int
    binding: str
    binding_percent: float
    binding_element: Any


def limit_words(kind: str) -> str:
    """Return a kind of limit as it stands inside a sentence.

    Examples
    --------
    >>> limit_words("connection"), limit_words("my_own")
    ('main fuse', 'my own')
    """
    return LIMIT_WORDS.get(kind, kind.replace("_", " "))


def strategies(result: ScanResult) -> list[str]:
    """Return the strategies with a capacity, uncontrolled first, then in the order of the scan."""
    found = _unique(result.capacity, "strategy") or _unique(result.risk, "strategy")
    first = [label for label in (UNCONTROLLED,) if label in found]
    return first + [label for label in found if label not in first]


def _unique(frame: pd.DataFrame, column: str) -> list[str]:
    return [str(v) for v in dict.fromkeys(frame[column])] if column in frame.columns else []


def colours(result: ScanResult) -> dict[str, str]:
    """Return the colour of each strategy of the scan."""
    return strategy_colours(strategies(result))


def row_of(result: ScanResult, strategy: str, control: str = "managed") -> str:
    """Return the label of the row solved that shows a strategy managed or firm."""
    found = result.settings.get(control, {})
    return str(found.get(strategy, strategy)) if isinstance(found, Mapping) else strategy


def rows_of(
    result: ScanResult, frame: pd.DataFrame, strategy: str, control: str = "managed"
) -> pd.DataFrame:
    """Return the rows of a table that belong to a strategy, under its own name or that of its row."""
    own = frame[frame["strategy"].astype(str) == row_of(result, strategy, control)]
    if len(own) or control != "managed":
        return own
    return frame[frame["strategy"].astype(str) == strategy]


def capacity(
    result: ScanResult, strategy: str, control: str = "managed", limit: str = "all"
) -> Capacity | None:
    """Return a capacity, None where it was not studied."""
    frame = result.capacity
    if not len(frame):
        return None
    own = frame[
        (frame["strategy"].astype(str) == strategy)
        & (frame["control"].astype(str) == control)
        & (frame["limit"].astype(str) == limit)
    ]
    if not len(own):
        return None
    row = own.iloc[0].to_dict()

    def value(name: str) -> float:
        return float(row[name]) if is_number(row.get(name)) else float("nan")

    return Capacity(
        strategy, control, limit,
        value("first_violation"), value("at_risk"), value("low"), value("high"),
        bool(row.get("reached", True)), value("last_passing"),
        _count(row.get("draws")), _count(row.get("draws_failed")), _count(row.get("reversals")),
        text_of(row.get("binding")), value("binding_percent"), row.get("binding_element"),
    )  # fmt: skip


def _count(value: Any) -> int:
    return int(float(value)) if is_number(value) else 0


def text_of(value: Any) -> str:
    """Return a text of a table; "" where there is none, also after a file was read."""
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def limits_told(result: ScanResult) -> list[str]:
    """Return the kinds of limit with a capacity of their own, in the order of `LIMIT_KINDS`."""
    found = _unique(result.capacity, "limit")
    known = [kind for kind in LIMIT_KINDS if kind in found]
    return known + [kind for kind in found if kind not in known and kind != "all"]


def limit_value(result: ScanResult, name: str) -> float:
    """Return a number of the limit profile stored with the scan, NaN where there is none."""
    profile = result.manifest.get("limits", {})
    found = profile.get(name) if isinstance(profile, Mapping) else None
    return float(str(found)) if is_number(found) else float("nan")


def needed(result: ScanResult, table: str, what: str) -> pd.DataFrame:
    """Return a table of the scan.

    Raises
    ------
    InputError
        Where the scan does not hold it, naming what to run.
    """
    frame: pd.DataFrame = getattr(result, table)
    if len(frame):
        return frame
    run = {
        "nodal": "hosting_capacity(study, method='nodal')",
        "uniform": "hosting_capacity(study, method='uniform')",
        "mitigation": "the mitigation of this scan",
        "pairs": "hosting_capacity(study, method='stochastic') with uncontrolled charging and "
        "another strategy",
    }.get(table, "hosting_capacity(study, method='stochastic')")
    message = (
        f"{what}: the scan {result.name!r} ({result.method}) has no table of {table} -> run {run}"
    )
    raise InputError(message)


def known_strategy(result: ScanResult, strategy: str | None) -> str:
    """Return a strategy of the scan, uncontrolled or the first where none is named.

    Raises
    ------
    InputError
        If it is none of the scan's.
    """
    labels = strategies(result)
    if strategy is None:
        return labels[0]
    if strategy not in labels:
        message = f"strategy {strategy!r} is not in the scan -> choose from {', '.join(labels)}"
        raise InputError(message)
    return strategy


def some_unbroken(result: ScanResult, found: Capacity) -> bool:
    """Return whether some draw breaks no limit up to the highest number of cars scanned."""
    return not is_number(found.last_passing) or found.last_passing >= top_cars(result)


def binding_place(result: ScanResult, found: Capacity) -> str:
    """Return where a capacity's limit binds most often; "" where unknown."""
    if not found.binding:
        return ""
    name, feeder, element = _from_binding(result, found)
    return element_words(result.network.grid, found.binding, element, name, feeder)


def binding_words(result: ScanResult, found: Capacity, *, percent: bool = True) -> str:
    """Return what limits a capacity: "voltage at the far end of feeder 2 in 81 % of draws"; "" for nothing."""
    if not found.binding:
        return ""
    where = binding_place(result, found)
    text = limit_words(found.binding) + (f" at {where}" if where else "")
    if percent and is_number(found.binding_percent):
        which = "draws that break a limit" if some_unbroken(result, found) else "draws"
        text += f" in {found.binding_percent:.0f} % of {which}"
    return text


def _from_binding(result: ScanResult, found: Capacity) -> tuple[str, Any, Any]:
    """Return name, feeder and index of the element that binds most often under the limit that binds."""
    frame, element = result.binding, found.binding_element
    named = (element, None, element) if isinstance(element, str) else ("", None, element)
    if not len(frame):
        return named
    own = rows_of(result, frame, found.strategy, found.control)
    own = own[own["limit"].astype(str) == found.binding]
    if not len(own):
        return named
    row = own.sort_values("draws", ascending=False, kind="stable").iloc[0]
    return text_of(row["name"]), row["feeder"], row["element"]


def voltage_untold(result: ScanResult) -> tuple[int, int]:
    """Return scenarios with cars whose voltage was neither passed nor failed, and all with cars.

    A balanced power flow cannot pass voltages of single-phase connections: the distance to the bound is told
    only where it is broken.
    """
    frame, counted = result.scenarios, {str(kind) for kind in result.settings.get("limits", ())}
    if not len(frame) or "voltage_margin_pu" not in frame.columns or "voltage" not in counted:
        return 0, 0
    own = frame[frame["cars"].astype(int) > 0]
    unknown = own["voltage_margin_pu"].isna() & ~own["broken_any"].fillna("").astype(
        str
    ).str.contains("power_flow")
    return int(unknown.sum()), len(own)


def draws_told(result: ScanResult) -> tuple[int, int]:
    """Return how many draws support the capacities and how many failed."""
    frame = result.capacity
    if not len(frame):
        return 0, 0
    return _count(frame["draws"].max()), _count(frame["draws_failed"].max())


def risk_percent(result: ScanResult) -> float:
    """Return the share of draws that may violate [%]."""
    return 100.0 * float(result.settings.get("risk", 0.05))


def top_cars(result: ScanResult) -> float:
    """Return the highest number of cars scanned, NaN where there is none."""
    found: Sequence[Any] = result.settings.get("cars", ())
    known = [float(value) for value in found if is_number(value)]
    return max(known) if known else float("nan")
