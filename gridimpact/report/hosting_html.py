"""The page of a hosting scan: no script, no remote resource, every text escaped."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from gridimpact.records import ScanResult
from gridimpact.report import hosting_html_parts as parts
from gridimpact.report import hosting_html_power as power
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import sentence
from gridimpact.report.hosting_answer import PREEXISTING_WORDS, answer
from gridimpact.report.hosting_basis import OPEN_WORDS, basis_words, confidence_percent
from gridimpact.report.hosting_figures import FIGURES, drawable
from gridimpact.report.html import LARGEST_SVG, environment, flat_pairs, notes_by_kind, one_line
from gridimpact.report.words import DISCLAIMER

_ELSEWHERE = frozenset(
    {"limits", "strategies", "notes", "settings", "sources", "files", "format", "scan"}
)


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
        "facts": parts.facts(result),
        "rows": parts.capacity_rows(result),
        "risk": f"{view.risk_percent(result):g}",
        "confidence": f"{confidence_percent(result):g}",
        "alone_heads": [
            "All together",
            *(sentence(view.limit_words(k)) for k in view.limits_told(result)),
        ],
        "alone": parts.alone_rows(result),
        "alone_words": parts.alone_words(result),
        "basis": basis_words(result),
        "open_words": OPEN_WORDS,
        "before": parts.before_rows(result),
        "rule": PREEXISTING_WORDS.get(str(result.settings.get("preexisting", "")), "not stated"),
        "pictures": _pictures(result),
        "not_studied": parts.not_studied(result),
        "connections": power.connection_rows(result),
        "connections_total": len(result.nodal),
        "uniform": power.uniform_rows(result),
        "power_factor": power.POWER_FACTOR_WORDS,
        "mitigation": power.measure_table(result),
        "draws": draws,
        "draws_failed": failed,
        "draw_errors": parts.draw_error_rows(result),
        "reversals": parts.reversal_words(result),
        "stopping": parts.stopping_words(result),
        "method": [("Method", parts.method_words(result)), *parts.settings_rows(result)],
        "limits": flat_pairs(parts.mapping(result.manifest.get("limits"))),
        "strategies": parts.strategy_rows(result),
        "manifest": flat_pairs({k: v for k, v in result.manifest.items() if k not in _ELSEWHERE}),
        "notes": notes_by_kind(parts.all_notes(result)),
        "created": one_line(result.manifest.get("created", "")),
        "version": one_line(result.manifest.get("gridimpact", "")),
        "seed": one_line(result.settings.get("seed", "")),
        "network": [
            ("Network", result.network.name),
            ("Source", result.network.source or "not stated"),
            ("Licence", result.network.licence or "not stated"),
        ],
    }


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
