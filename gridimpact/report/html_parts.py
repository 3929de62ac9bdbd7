"""Parts of the page as heads and texts: what was studied, and the violations listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import display_name, number, unit_text
from gridimpact.report.violations import element_words, listed


def facts(result: StudyResult) -> list[tuple[str, str]]:
    """Return what was studied, as heads and short texts."""
    grid, sites = result.network.grid, result.network.sites
    kinds = sites["kind"].value_counts()
    homes = ", ".join(f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in kinds.items())
    cars = max((view.figure(result, s, "cars") for s in view.strategies(result)), default=0.0)
    rating = float(grid.transformer_sn_kva.sum())
    return [
        ("Network", f"{result.network.name}, {len(grid.bus_index)} buses"),
        ("Transformers", f"{len(grid.transformer_index)}, {rating:,.0f} kVA"),
        ("Sites", homes),
        ("Cars", f"{cars:,.0f}"),
        ("Assessed", view.dates(result)),
        ("Power flow", _flow_words(result)),
        *_checked(result),
        ("Step", f"{view.step_h(result) * 60:g} min, {view.zone(result)}"),
    ]


def _flow_words(result: StudyResult) -> str:
    """Return the kind of power flow and the engine that solved it."""
    kind = "three-phase" if view.three_phase(result) else "balanced"
    engine = str(result.manifest.get("engine", ""))
    return f"{kind}, {engine}" if engine else kind


def _checked(result: StudyResult) -> list[tuple[str, str]]:
    """Return how many steps another engine solved again, and the largest difference it found."""
    found = result.manifest.get("verified", {})
    lanes = found.get("lanes", 0) if isinstance(found, Mapping) else 0
    if not lanes:
        return []
    engine = str(found.get("engine") or "pandapower")
    return [
        ("Checked", f"{lanes} steps again by {engine}, voltages within {found['vm_pu']:.1g} pu")
    ]


_ORIGIN = {"ev_caused": "EV-caused", "aggravated": "aggravated", "preexisting": "there before"}


def violation_rows(result: StudyResult, frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the first violations of each strategy and kind, then how many more there are."""
    rows = []
    for own, left_out in listed(result, frame):
        rows += _rows(own, view.zone(result))
        if left_out:
            rows.append({"more": f"and {left_out:,} more", "strategy": rows[-1]["strategy"]})
    return rows


def _rows(frame: pd.DataFrame, zone: str) -> list[dict[str, str]]:
    rows = []
    for record in frame.to_dict(orient="records"):
        unit = str(record.get("unit", ""))
        ageing = str(record.get("kind")) == "ageing"
        form = "ageing" if ageing else "pu" if unit in ("pu", "1") else unit
        rows.append(
            {
                "more": "",
                "strategy": display_name(str(record.get("strategy", ""))),
                "kind": str(record.get("kind", "")).replace("_", " "),
                "element": element_words({str(k): v for k, v in record.items()}),
                "start": _stamp(record.get("start"), zone),
                "duration": number(record.get("duration_h"), "h"),
                "worst": f"{number(record.get('worst'), form)} {unit_text(unit)}".strip(),
                "limit": number(record.get("limit"), form),
                "origin": _ORIGIN.get(str(record.get("origin")), str(record.get("origin", ""))),
            }
        )
    return rows


def _stamp(value: Any, zone: str) -> str:
    moment = pd.Timestamp(value) if value is not None else pd.NaT
    if pd.isna(moment):
        return "-"
    return view.moment(moment.tz_convert("UTC").tz_localize(None) if moment.tz else moment, zone)
