"""The answer of a hosting scan: headline, then each sentence that supports it."""

from __future__ import annotations

from collections.abc import Mapping

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural, sentence
from gridimpact.report.hosting_basis import (
    OPEN_WORDS,
    confidence_percent,
    too_few_words,
    unassessed_words,
)
from gridimpact.report.hosting_view import Capacity
from gridimpact.report.hosting_words import (
    best_of_families,
    bracket_words,
    called,
    cars_words,
    has_interval,
    headline,
    is_worse,
    last_words,
    pair,
)
from gridimpact.report.style import UNCONTROLLED, display_name, is_number, number
from gridimpact.report.words import Answer, Passage

PREEXISTING_WORDS: Mapping[str, str] = {
    "worse": "what was violated without them counts only where they make it worse",
    "ignore": "elements violated without them never count",
    "count": "everything violated counts, also what was violated without them",
}
"""The rules on what was there before, as the scan's setting names them."""
_CONTROLS = ("managed", "firm")


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
    passages += [_one(result, label) for label in (best_of_families(result) or labels[:1])]
    passages += [
        _voltage(result),
        _unassessed(result),
        _firm(result),
        *(_danger(result, s) for s in labels if is_worse(result, s)),
    ]
    return Answer(head, (*(p for p in passages if p is not None), *_before(result)))


def _support(result: ScanResult) -> Passage:
    draws, _ = view.draws_told(result)
    risk = view.risk_percent(result)
    if draws == 1:
        text = "the highest number of cars before a limit breaks; it has no probability and no interval."
        return Passage("One course of events:", text, "minor")
    found = [view.capacity(result, s, c) for s in view.strategies(result) for c in _CONTROLS]
    open_ = any(f is not None and "?]" in _range_words(f) for f in found)
    return Passage(
        f"At {risk:g} % risk:",
        f"the highest number of cars at which at most {risk:g} % of {plural(draws, 'draw')} break a limit; "
        f"in brackets the {confidence_percent(result):g} % interval{f' ({OPEN_WORDS})' if open_ else ''}."
        f"{too_few_words(result)}",
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
            f", the last passes at {last_words(result, found)}, the highest number scanned"
            if view.some_unbroken(result, found)
            else f", the last passes at {last_words(result, found)}"
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
    return f" {bracket_words(found)}" if has_interval(found) else ""


def _firm(result: ScanResult) -> Passage | None:
    """Say what is left where control is lost."""
    labels = [s for s in view.strategies(result) if s != UNCONTROLLED]
    found = {s: view.capacity(result, s, "firm") for s in labels}
    told = {s: f"{cars_words(f)}{_range_words(f)}" for s, f in found.items() if f is not None}
    if not told:
        return Passage("With control lost:", "not studied.", "minor") if labels else None
    why = {s: firm_limit(result, s) for s in told}
    if len(set(told.values())) == 1:
        text = next(iter(told.values()))
        which = "under every strategy" if len(told) > 1 else f"of {called(next(iter(told)))}"
        bound = f", limited by {next(iter(why.values()))}" if any(why.values()) else ""
        return Passage("With control lost (firm):", f"{text} {which}{bound}.", "minor")
    text = ", ".join(
        f"{called(label)} {words}{f' (limited by {why[label]})' if why[label] else ''}"
        for label, words in told.items()
    )
    return Passage("With control lost (firm):", f"{text}.", "minor")


def firm_limit(result: ScanResult, label: str) -> str:
    """Return what limits a strategy with control lost, "" where its firm capacity is that of no control."""
    firm, base = view.capacity(result, label, "firm"), view.capacity(result, UNCONTROLLED)
    if firm is None or label == UNCONTROLLED:
        return ""
    if base and (firm.at_risk, firm.reached) == (base.at_risk, base.reached):
        return ""
    return view.binding_words(result, firm)


def _unassessed(result: ScanResult) -> Passage | None:
    """Say which other limits were not assessed, with the reason."""
    words = unassessed_words(result)
    return Passage("Not assessed:", f"{words}.", "minor") if words else None


def _voltage(result: ScanResult) -> Passage | None:
    """Say where voltage was not assessed: what was not assessed was not passed."""
    unknown, total = view.voltage_untold(result)
    if not unknown:
        return None
    text = (
        f"in {100 * unknown / total:.0f} % of scenarios it neither passed nor failed, as a balanced power flow cannot "
        "pass single-phase connections. Only violations it found count; with all three phases solved "
        "(zero_sequence: assume, where the network lacks the data) capacities may be lower."
    )
    return Passage("Voltage not assessed:", text, "verdict warn")


def _danger(result: ScanResult, label: str) -> Passage:
    own, base = view.capacity(result, label), view.capacity(result, UNCONTROLLED)
    fewer = base.at_risk - own.at_risk if own and base else float("nan")
    found = pair(result, label).get("worse_percent")
    share = f", worse in {found:.0f} % of draws" if found is not None and is_number(found) else ""
    text = f"{cars_words(own, noun=True)}, {number(fewer)} fewer than uncontrolled{share}. "
    binds = view.binding_words(result, own) if own else ""
    if own and own.binding == "service":
        allowed = result.settings.get("unmet_percent")
        most = f" (limit {float(str(allowed)):g} %)" if is_number(allowed) else ""
        text += f"Limited by {binds}: energy is missing at departures{most}."
        return Passage(f"{sentence(called(label))} leaves drivers short:", text, "verdict warn")
    text += f"Limited by {binds}. " if binds else ""
    text += "The usual cause is that many cars start at the same moment."
    return Passage(f"Avoid {called(label)}:", text, "verdict warn")


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
    missing = _unassessed(result)
    if missing:
        lines.append(f"{missing.lead} {missing.text}")
    draws, failed = view.draws_told(result)
    if failed:
        lines.append(f"{failed:,} of {draws + failed:,} draws could not be solved.")
    lines += [f"{p.lead} {p.text}" for p in _before(result)]
    return lines
