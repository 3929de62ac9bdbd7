"""One self-contained page: no script, no remote resource, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridimpact.conventions import METRICS
from gridimpact.records import Note, StudyResult
from gridimpact.report import view
from gridimpact.report.choice import choose
from gridimpact.report.figures import FIGURES
from gridimpact.report.frames import failed_lanes
from gridimpact.report.html_parts import facts, violation_rows
from gridimpact.report.life import life_section
from gridimpact.report.money import money_notes, money_rows
from gridimpact.report.services import service_rows
from gridimpact.report.style import display_name, metric_unit, number, unit_text
from gridimpact.report.tables import comparison_table
from gridimpact.report.verdicts import verdict_table, voltage_reason_words
from gridimpact.report.violations import SHOWN_OF_A_KIND, violation_counts, violations_frame
from gridimpact.report.words import DISCLAIMER, answer

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST_SVG = 400_000
"""Bytes beyond which a figure is embedded as PNG, so that a page stays below 3 MB."""

_SERVICE = (
    ("departures", "Departures"),
    ("ev_energy_kwh", "Net energy to cars"),
    ("ev_discharge_kwh", "Fed back"),
    ("stored_change_kwh", "Stored in batteries, end less begin"),
    ("battery_throughput_kwh", "Battery throughput"),
    ("equivalent_full_cycles", "Full cycles per car"),
    ("energy_import_kwh", "Drawn from upstream"),
    ("energy_export_kwh", "Fed upstream"),
    ("losses_kwh", "Network losses"),
    ("cost_per_home_eur", "Bill per home"),
    ("building_peak_kw", "Building peak"),
)
_SHOWN_ELSEWHERE = frozenset(
    {
        "limits",
        "sources",
        "strategies",
        "notes",
        "busbar_sensitivity",
        "files",
        "format",
        "transformer",
    }
)
_HEADS = {"steps": "steps solved, warm-up days too", "steps_failed": "of these failed"}
_GLOSSARY_SKIP = frozenset({"cars", "lanes"})


_SHIFTS = ("lower", "as_set", "higher")


@dataclass(frozen=True, slots=True)
class _Picture:
    """A figure as the page shows it."""

    name: str
    heading: str
    caption: str
    uri: str


def write_html(result: StudyResult, path: Path | str) -> Path:
    """Write the report of a study as one page.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    path : Path or str
        File to write, UTF-8.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    target = Path(path)
    target.write_text(page(result), encoding="utf-8")
    return target


def page(result: StudyResult) -> str:
    """Return the report of a study as HTML text."""
    return environment().get_template("report.html.j2").render(**_content(result))


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates of pages; what they print is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("gridimpact.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(result: StudyResult) -> dict[str, Any]:
    """Return everything the template names."""
    violations = violations_frame(result)
    counts = violation_counts(result)
    failed, total = view.lanes(result)
    return {
        "name": result.name,
        "answer": answer(result),
        "disclaimer": DISCLAIMER,
        "facts": facts(result),
        "comparison": comparison_table(result),
        "chosen": choose(result),
        "period": view.period(result),
        "dates": view.dates(result),
        "voltage_reason": voltage_reason_words(result),
        "verdicts": verdict_table(result),
        "verdict_limits": one_line(view.limits(result).get("name", "")),
        "money": money_rows(result),
        "money_notes": money_notes(result),
        "pictures": _pictures(result),
        "violations": violation_rows(result, violations),
        "violations_of_a_kind": SHOWN_OF_A_KIND,
        "violations_total": len(violations),
        "violation_counts": [
            (display_name(str(label)), [int(n) for n in row])
            for label, row in zip(counts.index, counts.to_numpy(), strict=True)
        ],
        "service": comparison_table(result, _SERVICE),
        "services": service_rows(result),
        "life": life_section(result),
        "notes": notes_by_kind(view.all_notes(result)),
        "lanes_failed": failed,
        "lanes_total": total,
        "lanes": [
            (display_name(str(label)), int(row["failed"]), int(row["of"]))
            for label, row in failed_lanes(result).iterrows()
        ],
        "limits": flat_pairs(view.limits(result)),
        "strategies": _strategies(result),
        "sources": _sources(result),
        "busbar": _busbar(result),
        "manifest": flat_pairs(
            {
                _HEADS.get(key, key): value
                for key, value in result.manifest.items()
                if key not in _SHOWN_ELSEWHERE
            }
        ),
        "glossary": _glossary(result),
        "created": one_line(result.manifest.get("created", "")),
        "version": one_line(result.manifest.get("gridimpact", "")),
        "seed": one_line(result.manifest.get("seed", result.dataset.attrs.get("seed", ""))),
    }


def _pictures(result: StudyResult) -> list[_Picture]:
    from gridimpact.report.drawing import render

    found = []
    for drawing in FIGURES:
        drawn = drawing.draw(result)
        kind, data = "svg+xml", render(drawn, "svg")
        if len(data) > LARGEST_SVG:
            kind, data = "png", render(drawn, "png")
        uri = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
        found.append(_Picture(drawing.name, drawing.heading, drawing.words(result), uri))
    return found


def notes_by_kind(notes: Sequence[Note]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return notes by kind, assumptions first."""
    heads = {
        "assumption": "Assumed",
        "warning": "Warnings",
        "dropped": "Left out",
        "info": "For information",
    }
    kinds = [*heads, *sorted({note.kind for note in notes} - set(heads))]
    grouped = [
        (heads.get(kind, kind), [(note.where, note.text) for note in notes if note.kind == kind])
        for kind in kinds
    ]
    return [(head, rows) for head, rows in grouped if rows]


def _strategies(result: StudyResult) -> list[dict[str, str]]:
    described = result.manifest.get("strategies", {})
    rows = []
    for label in view.strategies(result):
        own = described.get(label, {}) if isinstance(described, Mapping) else {}
        rows.append(
            {
                "name": display_name(label),
                "cars": view.cars_controlled(result, label),
                "foresight": one_line(own.get("foresight", "")),
                "settings": one_line(own.get("settings", "")),
            }
        )
    return rows


def _busbar(result: StudyResult) -> list[tuple[str, list[str]]]:
    """Return the lowest voltage of each strategy with the source set lower, as it is, and higher."""
    found = result.manifest.get("busbar_sensitivity", {})
    if not isinstance(found, Mapping):
        return []
    return [
        (display_name(label), [number(found[label].get(k), "pu") for k in _SHIFTS])
        for label in view.strategies(result)
        if isinstance(found.get(label), Mapping)
    ]


def _sources(result: StudyResult) -> list[dict[str, str]]:
    network = {
        "name": result.network.name,
        "source": result.network.source,
        "licence": result.network.licence,
    }
    listed = [item for item in result.manifest.get("sources", []) if isinstance(item, Mapping)]
    rows = [
        {key: one_line(item.get(key, "")) for key in ("name", "source", "licence")}
        for item in listed
    ]
    known = any(row["source"] == one_line(network["source"]) for row in rows)
    return rows if known else [{key: one_line(value) for key, value in network.items()}, *rows]


def _glossary(result: StudyResult) -> list[tuple[str, str, str]]:
    """Return each figure of the comparison with unit and meaning."""
    known = view.comparison(result).columns
    return [
        (metric.meaning, unit_text(metric_unit(metric.name)), name)
        for name, metric in METRICS.items()
        if name in known and name not in _GLOSSARY_SKIP
    ]


def flat_pairs(found: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as flat heads and texts; what is not set is left out."""
    rows: list[tuple[str, str]] = []
    for key, value in found.items():
        head = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += flat_pairs(value, f"{head}: ")
        elif value is not None and value != "":
            rows.append((head, one_line(value)))
    return rows


def one_line(value: Any) -> str:
    """Return a value as one line of text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one_line(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(one_line(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
