"""Parts of the page of a hosting scan as heads and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridimpact.records import Note, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural, sentence
from gridimpact.report.hosting_answer import firm_limit
from gridimpact.report.hosting_words import (
    called,
    cars_words,
    gain_words,
    interval_words,
    is_worse,
    last_words,
)
from gridimpact.report.html import one_line
from gridimpact.report.style import UNCONTROLLED, display_name, is_number, number

_METHOD_WORDS: Mapping[str, str] = {
    "stochastic": "Monte Carlo over placement, behaviour and phases; every strategy sees the same draws",
    "time_series": "the study's own cars and places, in their order",
    "nodal": "each connection alone, the others as they are",
    "uniform": "the same power at every customer at once",
}
_SETTINGS: tuple[tuple[str, str], ...] = (
    ("days", "Days"),
    ("behaviour", "Behaviour of cars"),
    ("placement", "Placement"),
    ("phases", "Phases"),
    ("cars", "Numbers of cars solved"),
    ("limits", "Limits that count"),
    ("unmet_percent", "Unmet energy allowed [%]"),
    ("export_percent", "Export allowed [% of rating]"),
    ("refine", "Refined to one car in each draw"),
    ("precision_cars", "Interval asked for [cars]"),
    ("draws", "Draws, least and most"),
    ("direction", "Direction"),
    ("car_kw", "Power of a car [kW]"),
    ("seed", "Seed"),
)
_ERRORS = 12
"""Draws that failed which the page lists."""


def mapping(value: Any) -> Mapping[str, Any]:
    """Return nested settings; a single text as their name."""
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {"name": str(value)}


def all_notes(result: ScanResult) -> list[Note]:
    """Return every note of network and scan once."""
    return list(dict.fromkeys((*result.network.notes, *result.notes)))


def method_words(result: ScanResult) -> str:
    """Return the method with what it does."""
    words = _METHOD_WORDS.get(result.method, "")
    name = result.method.replace("_", " ")
    return f"{name}: {words}" if words else name


def facts(result: ScanResult) -> list[tuple[str, str]]:
    """Return what was scanned, as heads and short texts."""
    grid = result.network.grid
    draws, failed = view.draws_told(result)
    rating = float(grid.transformer_sn_kva.sum())
    limits = mapping(result.manifest.get("limits"))
    profile = " ".join(str(limits[key]) for key in ("name", "edition") if limits.get(key))
    drawn = f", {plural(draws, 'draw')}" if draws else ""
    drawn += f", {failed:,} failed" if failed else ""
    return [
        ("Network", f"{result.network.name}, {len(grid.bus_index)} buses"),
        ("Transformers", f"{len(grid.transformer_index)}, {rating:,.0f} kVA"),
        ("Homes", f"{result.homes:,}"),
        ("Method", result.method.replace("_", " ") + drawn),
        ("Days", one_line(result.settings.get("days", "")) or "not stated"),
        ("Limits", profile or "not stated"),
    ]


def capacity_rows(result: ScanResult) -> list[dict[str, Any]]:
    """Return the table by strategy."""
    if not len(result.capacity):
        return []
    palette, base = view.colours(result), view.capacity(result, UNCONTROLLED)
    rows = []
    for label in view.strategies(result):
        own, firm = view.capacity(result, label), view.capacity(result, label, "firm")
        rows.append(
            {
                "name": display_name(label),
                "colour": palette[label],
                "worse": is_worse(result, label),
                "tag": "leaves drivers short"
                if own and own.binding == "service"
                else "worse than uncontrolled",
                "firm_binding": firm_limit(result, label),
                "managed": interval_words(own) if own else "not studied",
                "firm": interval_words(firm) if firm else "not studied",
                "per_home": f"{own.at_risk / result.homes:.2f}" if own and result.homes else "-",
                "first": number(own.first_violation) if own else "-",
                "last": last_words(result, own),
                "binding": (view.binding_words(result, own) or "not reached") if own else "-",
                "gain": gain_words(own, base),
            }
        )
    return rows


def alone_rows(result: ScanResult) -> list[dict[str, Any]]:
    """Return the managed capacity of each strategy under all limits and under each alone."""
    if not len(result.capacity):
        return []
    palette, kinds = view.colours(result), ["all", *view.limits_told(result)]
    return [
        {
            "name": display_name(label),
            "colour": palette[label],
            "cells": [interval_words(view.capacity(result, label, limit=kind)) for kind in kinds],
        }
        for label in view.strategies(result)
    ]


def alone_words(result: ScanResult) -> str:
    """Say how fine the capacity under each limit alone is."""
    if result.settings.get("refine"):
        return "Each column as if no other limit counted; each limit alone refined to one car too."
    return (
        "Each column as if no other limit counted. Not refined: every capacity is known to the numbers of "
        "cars solved around it."
    )


def before_rows(result: ScanResult) -> list[tuple[str, str]]:
    """Return what is violated without added cars, by limit."""
    return [
        (sentence(view.limit_words(str(kind))), plural(int(count), "element"))
        for kind, count in result.base.items()
        if is_number(count)
    ]


def not_studied(result: ScanResult) -> list[str]:
    """Return what the page would show and the scan does not hold."""
    held = (
        (len(result.capacity), "Capacity by strategy, with control working and lost"),
        (len(result.nodal), "Each connection alone"),
        (len(result.uniform), "The same power at every customer"),
        (len(result.mitigation), "What would raise the capacity, and its cost"),
    )
    return [words for count, words in held if not count]


def draw_error_rows(result: ScanResult) -> list[tuple[str, str]]:
    """Return the draws that failed with why, the first ones."""
    frame = result.draws
    if not len(frame) or "error" not in frame.columns:
        return []
    told = [
        (f"Draw {d}", view.text_of(e)) for d, e in zip(frame["draw"], frame["error"], strict=True)
    ]
    return [(draw, error) for draw, error in told if error][:_ERRORS]


def stopping_words(result: ScanResult) -> str:
    """Say when draws are no longer added."""
    draws, width = result.settings.get("draws"), result.settings.get("precision_cars")
    if not isinstance(draws, Sequence) or len(draws) != 2 or not is_number(width):
        return "The rule of stopping is not stated."
    if draws[0] == draws[1]:
        return f"Exactly {plural(int(draws[0]), 'draw')} were asked for."
    return (
        f"Between {int(draws[0]):,} and {int(draws[1]):,}: added until every managed strategy's interval is at most "
        f"{number(width)} cars wide, the confidence corrected for repeated looks."
    )


def reversal_words(result: ScanResult) -> list[str]:
    """Say in which strategies more cars pass where fewer fail."""
    if not len(result.capacity):
        return []
    found = [(label, view.capacity(result, label)) for label in view.strategies(result)]
    return [
        f"{sentence(called(label))}: in {plural(own.reversals, 'draw')} a higher number passes after a lower "
        f"one failed; the capacity counts the lower ({cars_words(own, noun=True)})."
        for label, own in found
        if own is not None and own.reversals
    ]


def settings_rows(result: ScanResult) -> list[tuple[str, str]]:
    """Return what was asked, as heads and texts."""
    rows = []
    for key, head in _SETTINGS:
        value = result.settings.get(key)
        if key in result.settings:
            rows.append((head, "not judged" if value is None else _setting_words(key, value)))
    return rows


def _setting_words(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "limits" and isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(view.limit_words(str(kind)) for kind in value)
    return one_line(value)


def strategy_rows(result: ScanResult) -> list[dict[str, str]]:
    """Return what each strategy knows, its settings and what stands for its loss of control."""
    described = mapping(result.manifest.get("strategies"))
    labels = view.strategies(result) or [str(label) for label in described]
    rows = []
    for label in labels:
        own = mapping(described.get(label))
        rows.append(
            {
                "name": display_name(label),
                "foresight": one_line(own.get("foresight", "")),
                "settings": one_line(own.get("settings", "")),
                "firm": display_name(view.row_of(result, label, "firm")),
            }
        )
    return rows
