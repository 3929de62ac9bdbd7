"""Connections, the uniform power and measures as rows of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.hosting_elements import element_words
from gridimpact.report.hosting_words import (
    power_words,
)
from gridimpact.report.html import one_line
from gridimpact.report.style import display_name, number

_LISTED = 8
"""Connections the page lists; the rest stays in the exported tables."""
POWER_FACTOR_WORDS = (
    "Power factor: import with the study's charger_power_factor (0.99 lagging unless it says otherwise), "
    "export at 1."
)


def connection_rows(result: ScanResult) -> list[dict[str, str]]:
    """Return the weakest connections of each direction."""
    if not len(result.nodal):
        return []
    rows = []
    for direction, own in result.nodal.groupby("direction", sort=False):
        weakest = own.sort_values("capacity_kw", kind="stable", na_position="last").head(_LISTED)
        for record in weakest.to_dict(orient="records"):
            kind, power = view.text_of(record["binding"]), power_words(record["capacity_kw"])
            where = element_words(result.network.grid, kind, record["binding_element"])
            binding = view.limit_words(kind) if kind else "not reached"
            rows.append(
                {
                    "direction": str(direction),
                    "name": view.text_of(record["name"]) or str(record["site_id"]),
                    "phases": str(record["phases"]),
                    "feeder": number(record["feeder"]),
                    "distance": number(record["distance_m"], "m"),
                    "power": power if record["reached"] or power == "-" else f"≥ {power}",
                    "cars": number(record["cars"]),
                    "binding": f"{binding} at {where}" if where and kind else binding,
                }
            )
    return rows


def uniform_rows(result: ScanResult) -> list[tuple[str, str, str]]:
    """Return direction, power and limit of the uniform method."""
    rows = []
    for record in result.uniform.to_dict(orient="records"):
        kind, reached = view.text_of(record["binding"]), bool(record["reached"])
        name = view.text_of(record["name"])
        where = element_words(result.network.grid, kind, record["binding_element"], name)
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


def measure_table(result: ScanResult) -> dict[str, Any]:
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
        words = one_line(view.text_of(value))
        if column == "binding":
            words = view.limit_words(words)
        elif column == "detail" and record["measure"] == "managed":
            words = display_name(words)
        elif column == "measure":
            words = words.replace("_", " ")
        return {"text": words or "-", "number": False}
    return {"text": number(value, "EUR" if "eur" in column else "1"), "number": True}
