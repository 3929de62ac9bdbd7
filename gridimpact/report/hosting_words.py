"""The answer of a hosting scan in words, every sentence computed from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import sentence
from gridimpact.report.hosting_elements import element_words
from gridimpact.report.hosting_view import Capacity
from gridimpact.report.style import UNCONTROLLED, display_name, family, is_number, number

_TOLD = 5
"""Strategies a headline names."""


def cars_words(found: Capacity | None, *, noun: bool = False) -> str:
    """Return a capacity as a reader wants it: "57", "at least 200" where none was reached, "not studied".

    Examples
    --------
    >>> cars_words(None)
    'not studied'
    """
    if found is None or not is_number(found.at_risk):
        return "not studied"
    text = number(found.at_risk)
    if noun:
        text += " car" if found.at_risk == 1 else " cars"
    return text if found.reached else f"at least {text}"


def interval_words(found: Capacity | None) -> str:
    """Return a capacity with its interval for a table: "57 [52 to 61]", "≥ 200 [193 to ?]", "-" where not studied.

    "?" is a high end that is not known.
    """
    if found is None or not is_number(found.at_risk):
        return "-"
    text = number(found.at_risk) if found.reached else f"≥ {number(found.at_risk)}"
    if not has_interval(found):
        return text
    return f"{text} {bracket_words(found)}"


def bracket_words(found: Capacity) -> str:
    """Return the interval of a capacity: "[52 to 61]", "[0 to ?]" where its high end is not known."""
    end = number(found.high) if found.reached and is_number(found.high) else "?"
    return f"[{number(found.low)} to {end}]"


def last_words(result: ScanResult, found: Capacity | None) -> str:
    """Return the highest number at which any draw passes: "61", "≥ 200" where that is the highest scanned."""
    if found is None:
        return "-"
    if not view.some_unbroken(result, found):
        return number(found.last_passing)
    top = view.top_cars(result)
    top = found.last_passing if is_number(found.last_passing) else top
    return f"≥ {number(top)}" if is_number(top) else "-"


def has_interval(found: Capacity) -> bool:
    """Return whether an interval says something: one draw has none, nor has what was never broken."""
    return found.draws > 1 and is_number(found.low) and (found.reached or found.low < found.at_risk)


def gain_words(own: Capacity | None, base: Capacity | None) -> str:
    """Return the cars gained over another capacity: "+12", "≥ +12" or "≤ +12" where one was not reached, else "-"."""
    if own is None or base is None or own.strategy == base.strategy:
        return "-"
    gain = own.at_risk - base.at_risk
    if not is_number(gain) or not (own.reached or base.reached):
        return "-"
    bound = "" if own.reached and base.reached else "≥ " if base.reached else "≤ "
    return f"{bound}{gain:+,.0f}"


def power_words(value: object) -> str:
    """Return a power [kW] with the digits a connection deserves.

    Examples
    --------
    >>> power_words(2.374), power_words(36.84), power_words(139.7), power_words(None)
    ('2.37', '36.8', '140', '-')
    """
    if not is_number(value):
        return "-"
    power = float(str(value))
    return (
        f"{power:.2f}"
        if abs(power) < 10
        else f"{power:.1f}"
        if abs(power) < 100
        else f"{power:,.0f}"
    )


def called(label: str) -> str:
    """Return a strategy's name inside a sentence."""
    if label == "mix":
        return "a realistic mix"
    name = display_name(label)
    if name == "G2V price":
        return "price charging"
    return name.removeprefix("G2V ") if family(label) == "g2v" else name


def headline(result: ScanResult) -> str:
    """Return the answer in one sentence: cars by strategy, what limits them, at which risk."""
    if not len(result.capacity):
        return _power_headline(result)
    labels = best_of_families(result)
    parts: list[str] = []
    for label in labels:
        found = view.capacity(result, label)
        how = "uncontrolled" if label == UNCONTROLLED else f"with {called(label)}"
        parts.append(f"{cars_words(found, noun=not parts)} {how}")
    risk = f" at {view.risk_percent(result):g} % risk" if view.draws_told(result)[0] > 1 else ""
    untold = " Voltage was not fully assessed." if view.voltage_untold(result)[0] else ""
    return f"{sentence(', '.join(parts))}{risk}{_limited_words(result, labels)}.{untold}"


def best_of_families(result: ScanResult) -> list[str]:
    """Return uncontrolled charging and the best strategy of each family, in the order of the scan."""
    labels = view.strategies(result)
    chosen: dict[str, str] = {}
    for label in labels:
        kind = family(label)
        best = chosen.get(kind)
        if best is None or _size(result, label) > _size(result, best):
            chosen[kind] = label
    found = [label for label in labels if label in chosen.values()]
    rest = [label for label in found if label != UNCONTROLLED and not is_worse(result, label)]
    rest = sorted(rest, key=lambda label: -_size(result, label))[: _TOLD - 1]
    first = [label for label in found if label == UNCONTROLLED]
    told = first + sorted(rest, key=lambda label: _size(result, label))
    return told or found[:_TOLD]


def _size(result: ScanResult, label: str) -> float:
    found = view.capacity(result, label)
    return found.at_risk if found is not None and is_number(found.at_risk) else -1.0


def _limited_words(result: ScanResult, labels: Sequence[str]) -> str:
    """Return what limits the strategies named, once where all share it."""
    told: dict[str, list[str]] = {}
    for label in labels:
        found = view.capacity(result, label)
        words = view.binding_words(result, found, percent=False) if found else ""
        if words:
            told.setdefault(words, []).append(label)
    bound = [label for own in told.values() for label in own]
    if not told:
        return ", with no limit reached" if all(_unreached(result, s) for s in labels) else ""
    if len(told) == 1 and len(bound) == len(labels):
        return f", limited by {next(iter(told))}"
    if len(told) == 1:
        return f", limited by {next(iter(told))} where a limit was reached"
    parts = [
        f"{words} ({', '.join('uncontrolled' if s == UNCONTROLLED else called(s) for s in own)})"
        for words, own in told.items()
    ]
    return f", limited by {' and '.join([', '.join(parts[:-1]), parts[-1]])}"


def _unreached(result: ScanResult, label: str) -> bool:
    found = view.capacity(result, label)
    return found is not None and not found.reached


def _power_headline(result: ScanResult) -> str:
    parts = [*_nodal_parts(result), *_uniform_parts(result)]
    return " ".join(parts) if parts else "Hosting capacity: not studied."


def _nodal_parts(result: ScanResult) -> list[str]:
    parts = []
    for direction, own in _by_direction(result.nodal):
        powers = own["capacity_kw"].astype(float)
        least = own.loc[powers.idxmin()] if powers.notna().any() else None
        if least is None:
            parts.append(f"Each connection alone, {direction}: not studied.")
            continue
        reason = view.limit_words(view.text_of(least["binding"]))
        why = f", limited by {reason}" if reason else ""
        name = view.text_of(least["name"]) or least["site_id"]
        parts.append(
            f"Each connection alone, {direction}: {power_words(powers.min())} to "
            f"{power_words(powers.max())} kW, least at {name}{why}."
        )
    return parts


def _uniform_parts(result: ScanResult) -> list[str]:
    parts = []
    for direction, own in _by_direction(result.uniform):
        row = own.iloc[0]
        power = power_words(row["capacity_kw"])
        if not bool(row["reached"]):
            parts.append(
                f"Every customer at once, {direction}: no limit reached up to {power} kW each."
            )
            continue
        kind, name = view.text_of(row["binding"]), view.text_of(row["name"])
        where = element_words(result.network.grid, kind, row["binding_element"], name)
        at = f" at {where}" if where else ""
        parts.append(
            f"Every customer at once, {direction}: {power} kW each, "
            f"limited by {view.limit_words(kind)}{at}."
        )
    return parts


def _by_direction(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    if not len(frame):
        return []
    return [(str(key), own) for key, own in frame.groupby("direction", sort=False)]


def pair(result: ScanResult, label: str) -> Mapping[str, float]:
    """Return the row of the table of pairs of a strategy, empty where it was not compared."""
    frame = result.pairs
    if not len(frame):
        return {}
    own = view.rows_of(result, frame, label)
    return {str(k): v for k, v in own.iloc[0].to_dict().items()} if len(own) else {}


def is_worse(result: ScanResult, label: str) -> bool:
    """Return whether a strategy bears fewer cars than uncontrolled charging, in the same draws where told."""
    if label == UNCONTROLLED:
        return False
    own, base = view.capacity(result, label), view.capacity(result, UNCONTROLLED)
    if own is None or base is None or not own.at_risk < base.at_risk:
        return False
    found = pair(result, label)
    if not is_number(found.get("worse_percent")):
        return True
    return float(found["worse_percent"]) > float(found["better_percent"])
