"""The answer of a hosting scan in words, every sentence computed from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural, sentence
from gridimpact.report.hosting_view import Capacity
from gridimpact.report.style import UNCONTROLLED, display_name, family, is_number, number
from gridimpact.report.words import Answer, Passage

PREEXISTING_WORDS: Mapping[str, str] = {
    "worse": "what was violated without them counts only where they make it worse",
    "ignore": "elements violated without them never count",
    "count": "everything violated counts, also what was violated without them",
}
"""The rules on what was there before, as the scan's setting names them."""
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
    """Return a capacity with its interval for a table: "57 [52-61]", "≥ 200 [193-]", "-" where not studied."""
    if found is None or not is_number(found.at_risk):
        return "-"
    text = number(found.at_risk) if found.reached else f"≥ {number(found.at_risk)}"
    if not _has_interval(found):
        return text
    end = number(found.high) if found.reached and is_number(found.high) else ""
    return f"{text} [{number(found.low)}-{end}]"


def _has_interval(found: Capacity) -> bool:
    """Return whether an interval says something: one draw has none, nor has what was never broken."""
    return found.draws > 1 and is_number(found.low) and (found.reached or found.low < found.at_risk)


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
    return name.removeprefix("G2V ") if family(label) == "g2v" else name


def headline(result: ScanResult) -> str:
    """Return the answer in one sentence: cars by strategy, what limits them, at which risk."""
    if not len(result.capacity):
        return _power_headline(result)
    labels = _best(result)
    parts: list[str] = []
    for label in labels:
        found = view.capacity(result, label)
        how = "uncontrolled" if label == UNCONTROLLED else f"with {called(label)}"
        parts.append(f"{cars_words(found, noun=not parts)} {how}")
    return f"{sentence(', '.join(parts))}{_limited_words(result, labels)}."


def _best(result: ScanResult) -> list[str]:
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
        reason = view.limit_words(str(least["binding"])) if least["binding"] else ""
        why = f", limited by {reason}" if reason else ""
        parts.append(
            f"Each connection alone, {direction}: {power_words(powers.min())} to "
            f"{power_words(powers.max())} kW, least at {least['name'] or least['site_id']}{why}."
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
        where = view.element_words(
            result.network.grid, str(row["binding"]), row["binding_element"], str(row["name"] or "")
        )
        at = f" at {where}" if where else ""
        parts.append(
            f"Every customer at once, {direction}: {power} kW each, "
            f"limited by {view.limit_words(str(row['binding']))}{at}."
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


def answer(result: ScanResult) -> Answer:
    """Return the answer of a scan: headline, then what supports it.

    Parameters
    ----------
    result : ScanResult
        A finished scan.

    Returns
    -------
    gridimpact.report.words.Answer
        Strategies with intervals and draws, capacity with control lost, strategies worse than uncontrolled
        charging, what was there before, what was not studied.
    """
    head = f"{result.name}, {plural(result.homes, 'home')}: {headline(result)}"
    if not len(result.capacity):
        nothing = Passage("Strategies and cars:", "not studied.", "minor")
        return Answer(head, (nothing, *_before(result)))
    labels = view.strategies(result)
    passages: list[Passage | None] = [_support(result)]
    passages += [_one(result, label) for label in (_best(result) or labels[:1])]
    passages += [_firm(result), *(_danger(result, s) for s in labels if is_worse(result, s))]
    return Answer(head, (*(p for p in passages if p is not None), *_before(result)))


def _support(result: ScanResult) -> Passage:
    draws, _ = view.draws_told(result)
    risk = view.risk_percent(result)
    if draws == 1:
        text = "the highest number of cars before a limit breaks; it has no probability and no interval."
        return Passage("One course of events:", text, "minor")
    confidence = 100 * float(result.settings.get("confidence", 0.95))
    return Passage(
        f"At {risk:g} % risk:",
        f"the highest number of cars at which at most {risk:g} % of {plural(draws, 'draw')} break a limit; "
        f"in brackets the {confidence:g} % interval.",
        "minor",
    )


def _one(result: ScanResult, label: str) -> Passage:
    found = view.capacity(result, label)
    lead = "Uncontrolled:" if label == UNCONTROLLED else f"{sentence(display_name(label))}:"
    if found is None:
        return Passage(lead, "not studied.")
    parts = [f"{cars_words(found, noun=True)}{_range_words(found)}"]
    if result.homes:
        parts.append(f"{found.at_risk / result.homes:.2f} a home")
    text = ", ".join(parts)
    if not found.reached:
        text += "; the capacity was not reached with the cars scanned"
    if is_number(found.first_violation):
        text += f". The first draw fails at {number(found.first_violation)}"
        text += (
            ", and some still pass at the highest number scanned"
            if view.some_unbroken(result, found)
            else f", the last passes at {number(found.last_passing)}"
        )
    else:
        text += ". No draw breaks a limit: not reached"
    binds = view.binding_words(result, found)
    if binds:
        text += f". Limited by {binds}"
    if found.reversals:
        text += f". In {plural(found.reversals, 'draw')} more cars pass where fewer fail"
    return Passage(lead, f"{text}.")


def _range_words(found: Capacity) -> str:
    if not _has_interval(found):
        return ""
    high = f"{number(found.high)}]" if found.reached and is_number(found.high) else "or more]"
    return f" [{number(found.low)} {'to ' if high[0].isdigit() else ''}{high}"


def _firm(result: ScanResult) -> Passage | None:
    """Say what is left where control is lost."""
    labels = [s for s in view.strategies(result) if s != UNCONTROLLED]
    found = {s: view.capacity(result, s, "firm") for s in labels}
    told = {s: f"{cars_words(f)}{_range_words(f)}" for s, f in found.items() if f is not None}
    if not told:
        return Passage("With control lost:", "not studied.", "minor") if labels else None
    if len(set(told.values())) == 1:
        text = next(iter(told.values()))
        which = "under every strategy" if len(told) > 1 else f"of {called(next(iter(told)))}"
        return Passage("With control lost (firm):", f"{text} {which}.", "minor")
    text = ", ".join(f"{called(label)} {words}" for label, words in told.items())
    return Passage("With control lost (firm):", f"{text}.", "minor")


def _danger(result: ScanResult, label: str) -> Passage:
    own, base = view.capacity(result, label), view.capacity(result, UNCONTROLLED)
    fewer = base.at_risk - own.at_risk if own and base else float("nan")
    found = pair(result, label).get("worse_percent")
    share = f", worse in {found:.0f} % of draws" if found is not None and is_number(found) else ""
    return Passage(
        f"Avoid {called(label)}:",
        f"{cars_words(own, noun=True)}, {number(fewer)} fewer than uncontrolled{share}. "
        "Cars that answer one signal charge at the same moment: a synchronised response.",
        "verdict warn",
    )


def _before(result: ScanResult) -> list[Passage]:
    """Say what is violated without added cars and how it counts."""
    rule = PREEXISTING_WORDS.get(str(result.settings.get("preexisting", "")), "")
    found = {kind: int(count) for kind, count in result.base.items() if is_number(count)}
    broken = [f"{view.limit_words(k)} at {plural(n, 'element')}" for k, n in found.items() if n]
    if not found:
        text = "not studied"
    elif broken:
        text = f"violated are {', '.join(broken)}"
    else:
        text = "no violation"
    return [Passage("Without added cars:", f"{text}{f'; {rule}' if rule else ''}.", "minor")]


def not_judged_words(result: ScanResult) -> list[str]:
    """Return lines for a terminal: draws that failed, reversals, what was there before, what to avoid."""
    lines = [f"{p.lead} {p.text}" for p in answer(result).passages if p.role == "verdict warn"]
    draws, failed = view.draws_told(result)
    if failed:
        lines.append(f"{failed:,} of {draws + failed:,} draws could not be solved.")
    lines += [f"{p.lead} {p.text}" for p in _before(result)]
    return lines
