"""The answer of a scan in sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.hosting.draw_capacity import ALL, UNCONTROLLED
from gridimpact.records import ScanSettings

_FAMILIES = ("g2v", "v2g", "v2h", "v2b")
_WORDS = {
    "line_loading": "line loading",
    "transformer_loading": "transformer loading",
    "hot_spot": "transformer hot spot",
    "ageing": "transformer ageing",
    "connection": "the main fuse",
    "service": "driver service",
    "power_flow": "power flow without a solution",
}


def headline(capacity: pd.DataFrame, homes: int, settings: ScanSettings) -> list[str]:
    """Return the answer in sentences: capacities, what limits them, and what is left with control lost.

    Parameters
    ----------
    capacity : DataFrame
        As `gridimpact.hosting.capacity.capacity_table` gives it.
    homes : int
        Homes in the network.
    settings : ScanSettings

    Returns
    -------
    list of str
        First "57 cars uncontrolled [53-60], 143 with valley filling [138-149], limited by voltage in
        81 % of draws that fail, most often at Home 41, feeder 2; 57 homes, 200 draws, 5 % risk, 95 %
        confidence", then one sentence a
        strategy where they are limited differently, then the firm capacities; empty for an empty table.
        "Not reached up to" stands where the capacity lies at or beyond the highest number scanned.
    """
    every = capacity[capacity["limit"] == ALL]
    managed = every[every["control"] == "managed"]
    firm = every[(every["control"] == "firm") & (every["strategy"] != UNCONTROLLED)]
    if managed.empty:
        return []
    limits = {str(s): text for s, text in zip(managed["strategy"], _limits(managed), strict=True)}
    found = {text for text in limits.values() if text}
    one = len(found) == 1 and all(limits.values())
    first = _capacities(managed) + (f", {found.pop()}" if one else "")
    sentences = [f"{first}; {_basis(managed, homes, settings)}."]
    if not one:
        sentences += [
            f"{_sentence(_name(strategy))} is {text}." for strategy, text in limits.items() if text
        ]
    if not firm.empty:
        sentences.append(f"With control lost: {_capacities(firm)}.")
    return sentences


def _capacities(table: pd.DataFrame) -> str:
    parts = [
        _capacity(str(strategy), float(value), bool(reached), float(low), float(high), not k)
        for k, (strategy, value, reached, low, high) in enumerate(
            zip(
                table["strategy"],
                table["at_risk"],
                table["reached"],
                table["low"],
                table["high"],
                strict=True,
            )
        )
    ]
    return ", ".join(parts)


def _capacity(
    strategy: str, value: float, reached: bool, low: float, high: float, first: bool
) -> str:
    """Return "57 cars uncontrolled [53-60]", or that it was not reached up to the highest number."""
    how = strategy if strategy == UNCONTROLLED else f"with {_name(strategy)}"
    if np.isnan(value):
        return f"{how} not known"
    end = f"{high:.0f}" if np.isfinite(high) else "not reached"
    if reached:
        return f"{value:.0f} {'cars ' if first else ''}{how} [{low:.0f}-{end}]"
    interval = f" [{low:.0f}-{end}]" if low < value else ""
    return f"{how} not reached up to {value:.0f} cars{interval}"


def _limits(table: pd.DataFrame) -> list[str]:
    """Return what limits each row, "" where no draw fails."""
    return [
        f"limited by {_WORDS.get(kind, kind)} in {percent:.0f} % of draws that fail"
        + (f", most often at {element}" if element else "")
        if kind
        else ""
        for kind, percent, element in zip(
            table["binding"], table["binding_percent"], table["binding_element"], strict=True
        )
    ]


def _basis(table: pd.DataFrame, homes: int, settings: ScanSettings) -> str:
    draws, failed = int(table["draws"].max()), int(table["draws_failed"].max())
    parts = [
        f"{homes} homes",
        f"{draws} draws" + (f" and {failed} that failed" if failed else ""),
        f"{100 * settings.risk:g} % risk",
        f"{100 * settings.confidence:g} % confidence",
    ]
    return ", ".join(parts)


def _name(strategy: str) -> str:
    """Return a strategy in words: "v2g_peak_shaving" reads "V2G peak shaving"."""
    words = strategy.replace("_", " ").split(" ")
    return " ".join(word.upper() if word in _FAMILIES else word for word in words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
