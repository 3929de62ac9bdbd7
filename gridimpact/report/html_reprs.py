"""Small HTML cards that records show of themselves in a notebook; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from gridimpact.conventions import METRICS, Status
from gridimpact.records import (
    Assessment,
    Dispatch,
    Fleet,
    FlowResult,
    Network,
    Note,
    Profiles,
    StudyResult,
)
from gridimpact.report.style import INK, LIMIT, MUTED, RULE, metric_unit, number, unit_text
from gridimpact.report.tables import comparison_table
from gridimpact.report.verdicts import voltage_reason_words

_CARD = (
    f"font:13px/1.45 -apple-system,'Segoe UI',Arial,sans-serif;color:{INK};background:#fff;"
    f"border:1px solid {RULE};border-radius:4px;padding:10px 14px;display:inline-block;max-width:100%"
)
CELL = f"padding:3px 12px 3px 0;border:0;text-align:left;background:#fff;color:{INK}"


def card(kind: str, title: str, rows: Sequence[tuple[str, Any]], below: str = "") -> str:
    """Return a titled card of heads and values; `below` is HTML made here."""
    lines = "".join(
        f'<tr style="background:#fff"><td style="{CELL};color:{MUTED}">{escape(head)}</td>'
        f'<td style="{CELL}">{escape(str(value))}</td></tr>'
        for head, value in rows
        if str(value)
    )
    return (
        f'<div style="{_CARD}"><div style="color:{MUTED};font-size:12px">{escape(kind)}</div>'
        f'<div style="font-weight:600;font-size:15px;margin-bottom:4px">{escape(title)}</div>'
        f'<table style="border-collapse:collapse;margin:0">{lines}</table>{below}</div>'
    )


def notes_list(notes: Sequence[Note]) -> str:
    """Return a folded list of notes, "" where there are none."""
    if not notes:
        return ""
    items = "".join(
        f"<li>{escape(note.kind)}, {escape(note.where)}: {escape(note.text)}</li>"
        for note in notes[:20]
    )
    more = f"<li>and {len(notes) - 20} more</li>" if len(notes) > 20 else ""
    return (
        f'<details style="margin-top:6px"><summary style="color:{MUTED}">{len(notes)} '
        f"note{'s' if len(notes) != 1 else ''}</summary><ul>{items}{more}</ul></details>"
    )


def _counts(values: Any) -> str:
    """Return how often each value occurs, most frequent first."""
    names, counts = np.unique(np.asarray(values, dtype=str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:6]
    rest = len(names) - len(order)
    text = ", ".join(f"{counts[k]} {names[k]}" for k in order)
    return f"{text} and {rest} more kinds" if rest > 0 else text


def repr_html_network(record: Network) -> str:
    """Return the card of a network."""
    grid = record.grid
    levels = ", ".join(f"{kv:g}" for kv in sorted(set(grid.bus_vn_kv.tolist()), reverse=True))
    unrated = int(np.isnan(grid.line_i_max_ka).sum())
    lines = f"{len(grid.line_index)}, {np.nansum(grid.line_length_m) / 1000:.2f} km"
    rows = [
        ("Buses", f"{len(grid.bus_index)} at {levels} kV"),
        ("Lines", lines + (f", {unrated} unrated" if unrated else "")),
        (
            "Transformers",
            f"{len(grid.transformer_index)}, {float(grid.transformer_sn_kva.sum()):,.0f} kVA",
        ),
        ("Sites", _counts(record.sites["kind"]) if len(record.sites) else "none"),
        ("Not supplied", f"{n} buses" if (n := int((~grid.bus_supplied).sum())) else ""),
        ("Coordinates", "geographic" if grid.bus_geographic else "a layout of our own"),
        ("Source", record.source),
        ("Licence", record.licence),
    ]
    return card("Network", record.name, rows, notes_list(record.notes))


def repr_html_profiles(record: Profiles) -> str:
    """Return the card of profiles."""
    hours = record.timeline.count * record.timeline.dt_h
    load = record.load_p_kw.sum(axis=1)
    energy = float(load.sum()) * record.timeline.dt_h
    rows = [
        ("Time", str(record.timeline)),
        ("Sites", f"{len(record.site_id)}"),
        (
            "Load",
            f"{energy:,.0f} kWh in {hours / 24:.0f} days, together at most {load.max():,.1f} kW",
        ),
        (
            "PV",
            f"{-float(record.pv_p_kw.sum()) * record.timeline.dt_h:,.0f} kWh at "
            f"{int((record.pv_p_kw < 0).any(axis=0).sum())} sites",
        ),
        (
            "Heat pumps",
            f"{float(record.heat_pump_p_kw.sum()) * record.timeline.dt_h:,.0f} kWh"
            if record.heat_pump_p_kw is not None
            else "",
        ),
        ("Calibration", record.calibrated),
        ("Source", record.source),
    ]
    return card("Profiles", f"{len(record.site_id)} sites", rows, notes_list(record.notes))


def repr_html_fleet(record: Fleet) -> str:
    """Return the card of a fleet."""
    cars, chargers, sessions = record.vehicles, record.chargers, record.sessions
    rows = [
        ("Cars", f"{len(cars)}, {float(cars['capacity_kwh'].sum()):,.0f} kWh together"),
        ("Models", _counts(cars["model"]) if len(cars) and "model" in cars else ""),
        ("Chargers", f"{len(chargers)}, {int(chargers['bidirectional'].sum())} bidirectional"),
        (
            "Placed",
            f"{int((chargers['site_id'].astype(str) != '').sum())} of {len(chargers)} chargers",
        ),
        ("Sessions", f"{len(sessions):,}"),
        (
            "From",
            f"{sessions['plug_in'].min()} to {sessions['plug_out'].max()} UTC"
            if len(sessions)
            else "",
        ),
        ("Rejected", f"{len(record.rejected):,} rows of the source"),
    ]
    return card("Fleet", f"{len(cars)} cars", rows, notes_list(record.notes))


def repr_html_dispatch(record: Dispatch) -> str:
    """Return the card of a dispatch."""
    total = record.p_kw.sum(axis=1)
    missing = record.unmet_kwh[np.isfinite(record.unmet_kwh)]
    rows = [
        ("Cars", f"{int(record.controlled.sum())} of {record.p_kw.shape[1]} controlled"),
        ("Steps", f"{record.p_kw.shape[0]:,}"),
        ("Highest draw", f"{total.max(initial=0.0):,.1f} kW together"),
        ("Highest feed", f"{-total.min(initial=0.0):,.1f} kW together"),
        ("Stays", f"{len(record.unmet_kwh):,}, {int((missing > 1e-6).sum()):,} below target"),
        ("Unmet", f"{float(missing.sum()):,.1f} kWh"),
    ]
    return card("Dispatch", record.strategy, rows, notes_list(record.notes))


def _range(values: Any, unit: str) -> str:
    known = np.asarray(values)[np.isfinite(values)]
    if not known.size:
        return "not solved"
    return f"{number(known.min(), unit)} to {number(known.max(), unit)} {unit}"


def repr_html_flow_result(record: FlowResult) -> str:
    """Return the card of a power-flow result."""
    found = {
        kind.name.lower().replace("_", " "): int((record.status == kind).sum()) for kind in Status
    }
    rows = [
        ("Lanes", ", ".join(f"{count:,} {name}" for name, count in found.items() if count)),
        ("Voltage", _range(record.vm_pu, "pu")),
        ("Line loading", _range(record.line_loading_percent, "%")),
        ("Transformer loading", _range(record.transformer_loading_percent, "%")),
        ("Residual", f"at most {np.nanmax(record.residual_kva, initial=0.0):.2g} kVA"),
        ("Unserved", f"{record.unserved_kwh:,.1f} kWh" if record.unserved_kwh else ""),
    ]
    return card("Power flow", record.engine, rows, notes_list(record.notes))


_HEADLINE = (
    "transformer_loading_max_percent",
    "line_loading_max_percent",
    "vm_min_pu",
    "vm_max_pu",
    "hot_spot_max_c",
    "ageing_equivalent",
    "violations_ev_caused",
    "departures_below_target_percent",
    "ev_cost_per_car_eur",
)


def repr_html_assessment(record: Assessment) -> str:
    """Return the card of an assessment."""
    rows = [("Limits", record.limits)]
    for name in _HEADLINE:
        value = record.summary.get(name)
        text = number(value, metric_unit(name))
        unit = unit_text(metric_unit(name))
        rows.append(
            (
                METRICS[name].meaning,
                f"{text} {unit}".strip() if value is not None else "not assessed",
            )
        )
    rows.append(("violations", f"{len(record.violations):,}"))
    return card("Assessment", record.strategy, rows, notes_list(record.notes))


def repr_html_study_result(record: StudyResult) -> str:
    """Return the card of a study: its comparison, cells outside a limit in red."""
    table = comparison_table(record)
    keep = [
        place
        for place, column in enumerate(table.columns)
        if column.metric in _HEADLINE or column.metric == "transformer_hours_over_100"
    ]
    head = "".join(
        f'<th style="{CELL};color:{MUTED};font-weight:600;vertical-align:bottom">'
        f"{escape(table.columns[k].head)} {escape(table.columns[k].unit)}</th>"
        for k in keep
    )
    lines = []
    for row in table.rows:
        cells = "".join(
            f'<td style="{CELL}{f";color:{LIMIT};font-weight:600" if row.cells[k].over else ""}">'
            f"{escape(row.cells[k].text)}{' ▲' if row.cells[k].over else row.cells[k].mark}</td>"
            for k in keep
        )
        chip = (
            f'<span style="display:inline-block;width:9px;height:9px;background:{row.colour};'
            f'margin-right:7px"></span>'
        )
        lines.append(
            f'<tr style="background:#fff"><td style="{CELL};white-space:nowrap">{chip}'
            f'{escape(row.name)}</td><td style="{CELL};color:{MUTED};white-space:nowrap">'
            f"{escape(row.cars)}</td>{cells}</tr>"
        )
    grid = (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;margin-top:6px">'
        f'<tr style="background:#fff"><th style="{CELL};color:{MUTED}">Strategy</th>'
        f'<th style="{CELL};color:{MUTED}">Controls</th>{head}</tr>{"".join(lines)}</table></div>'
    )
    reason = voltage_reason_words(record)
    if reason:
        grid += f'<div style="color:{MUTED};font-size:12px">† not assessed: {escape(reason)}</div>'
    return card("Study", record.name, [], grid)
