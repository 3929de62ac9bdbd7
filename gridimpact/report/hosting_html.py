"""The page of a hosting scan: no script, no remote resource, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridimpact.records import Note, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural, sentence
from gridimpact.report.hosting_figures import FIGURES, drawable
from gridimpact.report.hosting_words import (
    PREEXISTING_WORDS,
    answer,
    called,
    cars_words,
    interval_words,
    is_worse,
    power_words,
)
from gridimpact.report.html import LARGEST_SVG, environment, flat_pairs, notes_by_kind, one_line
from gridimpact.report.style import UNCONTROLLED, display_name, is_number, number
from gridimpact.report.words import DISCLAIMER

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
    ("seed", "Seed"),
)
_ELSEWHERE = frozenset(
    {"limits", "strategies", "notes", "settings", "sources", "files", "format", "scan"}
)
_LISTED = 12
"""Connections the page lists; the rest stays in the exported tables."""


def write_hosting_html(result: ScanResult, path: Path | str) -> Path:
    """Write the report of a hosting scan as one page.

    Parameters
    ----------
    result : ScanResult
        A finished scan of any method.
    path : Path or str
        File to write, UTF-8.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    target = Path(path)
    target.write_text(hosting_page(result), encoding="utf-8")
    return target


def hosting_page(result: ScanResult) -> str:
    """Return the report of a hosting scan as HTML text."""
    return environment().get_template("hosting.html.j2").render(**_content(result))


def _content(result: ScanResult) -> dict[str, Any]:
    """Return everything the template names."""
    draws, failed = view.draws_told(result)
    return {
        "name": result.name,
        "answer": answer(result),
        "disclaimer": DISCLAIMER,
        "facts": _facts(result),
        "rows": _rows(result),
        "risk": f"{view.risk_percent(result):g}",
        "confidence": f"{100 * float(result.settings.get('confidence', 0.95)):g}",
        "alone_heads": [
            "All together",
            *(sentence(view.limit_words(k)) for k in view.limits_told(result)),
        ],
        "alone": _alone(result),
        "before": _before(result),
        "rule": PREEXISTING_WORDS.get(str(result.settings.get("preexisting", "")), "not stated"),
        "pictures": _pictures(result),
        "not_studied": _not_studied(result),
        "connections": _connections(result),
        "connections_total": len(result.nodal),
        "uniform": _uniform(result),
        "mitigation": _mitigation(result),
        "draws": draws,
        "draws_failed": failed,
        "draw_errors": _draw_errors(result),
        "reversals": _reversals(result),
        "stopping": _stopping(result),
        "method": [("Method", _method(result)), *_settings(result)],
        "limits": flat_pairs(_mapping(result.manifest.get("limits"))),
        "strategies": _strategies(result),
        "manifest": flat_pairs({k: v for k, v in result.manifest.items() if k not in _ELSEWHERE}),
        "notes": notes_by_kind(_all_notes(result)),
        "created": one_line(result.manifest.get("created", "")),
        "version": one_line(result.manifest.get("gridimpact", "")),
        "seed": one_line(result.settings.get("seed", "")),
        "network": [
            ("Network", result.network.name),
            ("Source", result.network.source or "not stated"),
            ("Licence", result.network.licence or "not stated"),
        ],
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {"name": str(value)}


def _all_notes(result: ScanResult) -> list[Note]:
    return list(dict.fromkeys((*result.network.notes, *result.notes)))


def _method(result: ScanResult) -> str:
    words = _METHOD_WORDS.get(result.method, "")
    name = result.method.replace("_", " ")
    return f"{name}: {words}" if words else name


def _facts(result: ScanResult) -> list[tuple[str, str]]:
    grid = result.network.grid
    draws, failed = view.draws_told(result)
    rating = float(grid.transformer_sn_kva.sum())
    limits = _mapping(result.manifest.get("limits"))
    profile = " ".join(str(limits[key]) for key in ("name", "edition") if limits.get(key))
    drawn = f"{draws:,}" + (f", {failed:,} more failed" if failed else "") if draws else "none"
    return [
        ("Network", f"{result.network.name}, {len(grid.bus_index)} buses"),
        ("Transformers", f"{len(grid.transformer_index)}, {rating:,.0f} kVA"),
        ("Homes", f"{result.homes:,}"),
        ("Method", result.method.replace("_", " ")),
        ("Draws", drawn),
        ("Days", one_line(result.settings.get("days", "")) or "not stated"),
        ("Limits", profile or "not stated"),
    ]


def _rows(result: ScanResult) -> list[dict[str, Any]]:
    """Return the table by strategy."""
    if not len(result.capacity):
        return []
    palette, base = view.colours(result), view.capacity(result, UNCONTROLLED)
    rows = []
    for label in view.strategies(result):
        own, firm = view.capacity(result, label), view.capacity(result, label, "firm")
        gain = (
            own.at_risk - base.at_risk if own and base and label != UNCONTROLLED else float("nan")
        )
        at_least = "≥ " if own and not own.reached and is_number(gain) else ""
        rows.append(
            {
                "name": display_name(label),
                "colour": palette[label],
                "worse": is_worse(result, label),
                "managed": interval_words(own) if own else "not studied",
                "firm": interval_words(firm) if firm else "not studied",
                "per_home": f"{own.at_risk / result.homes:.2f}" if own and result.homes else "-",
                "first": number(own.first_violation) if own else "-",
                "last": _last(result, own),
                "binding": (view.binding_words(result, own) or "not reached") if own else "-",
                "gain": f"{at_least}{gain:+,.0f}" if is_number(gain) else "-",
            }
        )
    return rows


def _last(result: ScanResult, found: view.Capacity | None) -> str:
    if found is None:
        return "-"
    return "not reached" if view.some_unbroken(result, found) else number(found.last_passing)


def _alone(result: ScanResult) -> list[dict[str, Any]]:
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


def _before(result: ScanResult) -> list[tuple[str, str]]:
    return [
        (sentence(view.limit_words(str(kind))), plural(int(count), "element"))
        for kind, count in result.base.items()
        if is_number(count)
    ]


def _pictures(result: ScanResult) -> list[dict[str, str]]:
    from gridimpact.report.drawing import render

    found = []
    for drawing in FIGURES:
        if not drawable(result, drawing):
            continue
        drawn = drawing.draw(result)
        kind, data = "svg+xml", render(drawn, "svg")
        if len(data) > LARGEST_SVG:
            kind, data = "png", render(drawn, "png")
        uri = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
        found.append(
            {
                "name": drawing.name,
                "heading": drawing.heading,
                "caption": drawing.caption,
                "uri": uri,
            }
        )
    return found


def _not_studied(result: ScanResult) -> list[str]:
    """Return what the page would show and the scan does not hold."""
    held = (
        (len(result.capacity), "Capacity by strategy, with control working and lost"),
        (len(result.nodal), "Each connection alone"),
        (len(result.uniform), "The same power at every customer"),
        (len(result.mitigation), "What would raise the capacity, and its cost"),
    )
    return [words for count, words in held if not count]


def _connections(result: ScanResult) -> list[dict[str, str]]:
    """Return the weakest connections of each direction."""
    if not len(result.nodal):
        return []
    rows = []
    for direction, own in result.nodal.groupby("direction", sort=False):
        weakest = own.sort_values("capacity_kw", kind="stable", na_position="last").head(_LISTED)
        for record in weakest.to_dict(orient="records"):
            where = view.element_words(
                result.network.grid, str(record["binding"]), record["binding_element"]
            )
            binding = (
                view.limit_words(str(record["binding"])) if record["binding"] else "not reached"
            )
            rows.append(
                {
                    "direction": str(direction),
                    "name": str(record["name"]) or str(record["site_id"]),
                    "phases": str(record["phases"]),
                    "feeder": number(record["feeder"]),
                    "distance": number(record["distance_m"], "m"),
                    "power": ("" if record["reached"] else "≥ ")
                    + power_words(record["capacity_kw"]),
                    "cars": number(record["cars"]),
                    "binding": f"{binding} at {where}" if where and record["binding"] else binding,
                }
            )
    return rows


def _uniform(result: ScanResult) -> list[tuple[str, str, str]]:
    rows = []
    for record in result.uniform.to_dict(orient="records"):
        kind, reached = str(record["binding"] or ""), bool(record["reached"])
        where = view.element_words(
            result.network.grid, kind, record["binding_element"], str(record["name"] or "")
        )
        words = view.limit_words(kind) + (f" at {where}" if where else "")
        power = ("" if reached else "at least ") + power_words(record["capacity_kw"])
        rows.append((str(record["direction"]), power, words if reached else "not reached"))
    return rows


_MEASURES: tuple[tuple[str, str], ...] = (
    ("step", "Step"),
    ("measure", "Measure"),
    ("detail", "What is done"),
    ("cost_eur", "Cost, EUR"),
    ("at_risk", "Capacity, cars"),
    ("gained", "Gained, cars"),
    ("eur_per_car", "EUR a gained car"),
    ("binding", "Then limited by"),
    ("binding_element", "At"),
)
"""Columns of the table of measures a reader sees, with their heads."""


def _mitigation(result: ScanResult) -> dict[str, Any]:
    """Return heads and cells of the table of measures."""
    frame = result.mitigation
    shown = [(column, head) for column, head in _MEASURES if column in frame.columns]
    rows = [
        [_measure_cell(column, record) for column, _ in shown]
        for record in frame.to_dict(orient="records")
    ]
    return {"heads": [head for _, head in shown], "rows": rows}


def _measure_cell(column: str, record: Mapping[Any, Any]) -> dict[str, Any]:
    value = record[column]
    if column == "at_risk":
        text = number(value) if record.get("reached", True) else f"≥ {number(value)}"
        return {"text": text, "number": True}
    if column in ("measure", "binding", "detail", "binding_element"):
        words = one_line(value)
        words = "" if words == "nan" else words
        if column == "binding":
            words = view.limit_words(words)
        elif column == "measure":
            words = words.replace("_", " ")
        return {"text": words or "-", "number": False}
    return {"text": number(value, "EUR" if "eur" in column else "1"), "number": True}


def _draw_errors(result: ScanResult) -> list[tuple[str, str]]:
    """Return the draws that failed with why, the first ones."""
    frame = result.draws
    if not len(frame) or "error" not in frame.columns:
        return []
    failed = frame[frame["error"].astype(str).str.len() > 0].head(_LISTED)
    return [(f"Draw {d}", str(e)) for d, e in zip(failed["draw"], failed["error"], strict=True)]


def _stopping(result: ScanResult) -> str:
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


def _reversals(result: ScanResult) -> list[str]:
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


def _settings(result: ScanResult) -> list[tuple[str, str]]:
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


def _strategies(result: ScanResult) -> list[dict[str, str]]:
    described = _mapping(result.manifest.get("strategies"))
    labels = view.strategies(result) or [str(label) for label in described]
    rows = []
    for label in labels:
        own = _mapping(described.get(label))
        rows.append(
            {
                "name": display_name(label),
                "foresight": one_line(own.get("foresight", "")),
                "settings": one_line(own.get("settings", "")),
                "firm": display_name(view.row_of(result, label, "firm")),
            }
        )
    return rows
