"""The capacities of a hosting scan as a table, as text for a terminal and as a notebook's card."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.findings import plural
from gridimpact.report.hosting_answer import firm_limit, not_judged_words
from gridimpact.report.hosting_basis import (
    OPEN_WORDS,
    basis_words,
    confidence_percent,
    draws_for_low_end,
)
from gridimpact.report.hosting_words import (
    gain_words,
    headline,
    interval_words,
    last_words,
    power_words,
)
from gridimpact.report.html_reprs import CELL, card, notes_list
from gridimpact.report.style import MUTED, UNCONTROLLED, display_name, is_number, number

WIDTH = 100
"""Columns of a terminal."""

_SUMMARY = (
    "managed", "managed_low", "managed_high", "managed_reached", "managed_per_home",
    "firm", "firm_low", "firm_high", "firm_reached", "first_violation", "last_passing",
    "last_passing_reached", "gain_over_uncontrolled", "binding", "binding_percent", "binding_at",
    "firm_binding", "firm_binding_percent", "firm_binding_at", "draws", "draws_failed", "risk_percent",
    "confidence_percent", "draws_for_low_end", "reversals",
)  # fmt: skip


def hosting_summary(result: ScanResult) -> pd.DataFrame:
    """Return the capacities of a scan, one row by strategy.

    Parameters
    ----------
    result : ScanResult
        A finished scan.

    Returns
    -------
    pandas.DataFrame
        Index ``strategy``; capacities [cars] managed and firm with their intervals and whether they were
        reached, managed cars per home, first violation and last passing of the managed row
        (``last_passing_reached`` False: some draws pass the highest number scanned), gain [cars]
        over uncontrolled charging (a bound where one of the two was not reached, NaN where neither was),
        what binds, in which share of draws and where, managed and firm, the draws, risk and confidence [%]
        and how many draws a low end needs: with fewer it is 0 and says nothing. A scan of
        connections or of a uniform power alone gives one row by direction: least, median and highest power
        [kW] instead.
    """
    labels = view.strategies(result) if len(result.capacity) else []
    if not labels:
        return _power_summary(result)
    base = view.capacity(result, UNCONTROLLED)
    rows = []
    for label in labels:
        own, firm = view.capacity(result, label), view.capacity(result, label, "firm")
        found: dict[str, object] = dict.fromkeys(_SUMMARY)
        if own is not None:
            found |= {
                "managed": own.at_risk, "managed_low": own.low, "managed_high": own.high,
                "managed_reached": own.reached,
                "managed_per_home": own.at_risk / result.homes if result.homes else float("nan"),
                "first_violation": own.first_violation, "last_passing": own.last_passing,
                "gain_over_uncontrolled": own.at_risk - base.at_risk
                if base and (own.reached or base.reached)
                else float("nan"),
                "binding": own.binding, "binding_percent": own.binding_percent,
                "binding_at": view.binding_place(result, own), "draws": own.draws,
                "draws_failed": own.draws_failed, "reversals": own.reversals,
                "last_passing_reached": not view.some_unbroken(result, own),
                "risk_percent": view.risk_percent(result),
                "confidence_percent": confidence_percent(result),
                "draws_for_low_end": draws_for_low_end(result),
            }  # fmt: skip
        if firm is not None:
            found |= {
                "firm": firm.at_risk, "firm_low": firm.low, "firm_high": firm.high,
                "firm_reached": firm.reached, "firm_binding": firm.binding,
                "firm_binding_percent": firm.binding_percent,
                "firm_binding_at": view.binding_place(result, firm),
            }  # fmt: skip
        rows.append(found)
    frame = pd.DataFrame(rows, index=pd.Index(labels, name="strategy"), columns=list(_SUMMARY))
    return frame.infer_objects()


def _power_summary(result: ScanResult) -> pd.DataFrame:
    """Return least, median and highest power [kW] by method and direction."""
    rows = []
    for method in ("nodal", "uniform"):
        frame = getattr(result, method)
        if not len(frame):
            continue
        for direction, own in frame.groupby("direction", sort=False):
            least = own.loc[own["capacity_kw"].astype(float).idxmin()]
            rows.append(
                {
                    "method": method, "direction": direction, "least_kw": own["capacity_kw"].min(),
                    "median_kw": own["capacity_kw"].median(), "highest_kw": own["capacity_kw"].max(),
                    "not_reached": int((~own["reached"].astype(bool)).sum()), "of": len(own),
                    "least_at": str(least["name"]), "binding": str(least["binding"]),
                }
            )  # fmt: skip
    columns = (
        "method", "direction", "least_kw", "median_kw", "highest_kw", "not_reached", "of",
        "least_at", "binding",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).set_index(["method", "direction"])


def text_summary(result: ScanResult) -> str:
    """Return the scan's answer for a terminal, at most 100 columns wide.

    Returns
    -------
    str
        Headline, one line per strategy, then what was not counted.
    """
    lines = [f"{result.name}: {headline(result)}"]
    if len(result.capacity):
        lines += _capacity_lines(result)
    elif len(result.nodal) or len(result.uniform):
        lines += _power_lines(result)
    told = not_judged_words(result)
    return "\n".join(part for line in [*lines, *told] for part in _folded(line))


def _capacity_lines(result: ScanResult) -> list[str]:
    labels = view.strategies(result)
    heads = ("Managed", "Firm", "First fails", "Last passes", "A home", "Gain")
    rows = [_text_cells(result, label) for label in labels]
    widths = [max(len(h), *(len(r[k]) for r in rows)) + 2 for k, h in enumerate(heads)]
    names = [display_name(label) for label in labels]
    first = min(max(8, *(len(name) for name in names)), WIDTH - sum(widths))

    def line(name: str, cells: Sequence[str]) -> str:
        body = "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return f"{_short(name, first):<{first}}{body}"

    rule = "-" * (first + sum(widths))
    table = [line(name, row) for name, row in zip(names, rows, strict=True)]
    binds = [(name, _binds(result, label)) for name, label in zip(names, labels, strict=True)]
    told = [f"  {_short(name, first):<{first}}  {words}" for name, words in binds if words]
    lost = [(name, firm_limit(result, label)) for name, label in zip(names, labels, strict=True)]
    firm = [f"  {_short(name, first):<{first}}  {words}" for name, words in lost if words]
    legend = [f"[a to ?]: {OPEN_WORDS[3:]}."] if any("?" in c for row in rows for c in row) else []
    return [
        rule, line("Cars", heads), rule, *table, rule, basis_words(result), *legend,
        *(["Limited by", *told] if told else []), *(["Limited by (firm)", *firm] if firm else []),
    ]  # fmt: skip


def _binds(result: ScanResult, label: str) -> str:
    own = view.capacity(result, label)
    return view.binding_words(result, own) if own else ""


def _text_cells(result: ScanResult, label: str) -> list[str]:
    own, firm = view.capacity(result, label), view.capacity(result, label, "firm")
    base = view.capacity(result, UNCONTROLLED)
    per_home = own.at_risk / result.homes if own and result.homes else float("nan")
    return [
        interval_words(own), interval_words(firm),
        number(own.first_violation) if own else "-", last_words(result, own),
        f"{per_home:.2f}" if is_number(per_home) else "-",
        gain_words(own, base),
    ]  # fmt: skip


def _power_lines(result: ScanResult) -> list[str]:
    rule = "-" * WIDTH
    lines = [
        rule,
        f"{'':<20}{'Least':>10}{'Median':>10}{'Highest':>10}  Least at, limited by",
        rule,
    ]
    for key, row in _power_summary(result).iterrows():
        method, direction = key if isinstance(key, tuple) else (str(key), "")
        powers = "".join(
            f"{power_words(row[c]):>7} kW" for c in ("least_kw", "median_kw", "highest_kw")
        )
        where = ", ".join(
            part for part in (row["least_at"], view.limit_words(row["binding"])) if part
        )
        head = f"{f'{method}, {direction}':<20}{powers}"
        lines.append(f"{head}  {_short(where, WIDTH - len(head) - 2)}".rstrip())
    return [*lines, rule]


def _short(text: str, width: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= width else clean[: max(width - 1, 0)] + "…"


def _folded(line: str) -> list[str]:
    """Return a line broken at blanks so that no piece passes the terminal's width."""
    if len(line) <= WIDTH:
        return [line]
    if line.startswith("  "):
        return [line[: WIDTH - 1] + "…"]
    pieces, now = [], ""
    for word in line.split(" "):
        if now and len(now) + 1 + len(word) > WIDTH:
            pieces.append(now)
            now = word
        else:
            now = f"{now} {word}" if now else word
    return [*pieces, now]


def repr_html_scan_result(record: ScanResult) -> str:
    """Return the card of a hosting scan: its headline and the capacities by strategy."""
    draws, failed = view.draws_told(record)
    rows = [
        ("Network", record.network.name),
        ("Homes", f"{record.homes}"),
        ("Method", record.method.replace("_", " ")),
        ("Draws", f"{draws:,}" + (f", {failed:,} failed" if failed else "") if draws else ""),
    ]
    grid = f'<div style="margin-top:6px;max-width:60em">{escape(headline(record))}</div>'
    if len(record.capacity):
        grid += _card_table(record)
    else:
        grid += _power_summary(record).to_html(border=0, escape=True) if _has_power(record) else ""
    return card("Hosting scan", record.name, rows, grid + notes_list(record.notes))


def _has_power(record: ScanResult) -> bool:
    return bool(len(record.nodal) or len(record.uniform))


def _card_table(record: ScanResult) -> str:
    palette = view.colours(record)
    heads = (
        "Strategy", "Managed", "Firm", "First violation", "Last passing", "A home", "Gain",
        "Limited by",
    )  # fmt: skip
    head = "".join(f'<th style="{CELL};color:{MUTED};font-weight:600">{h}</th>' for h in heads)
    lines = []
    for label in view.strategies(record):
        chip = (
            f'<span style="display:inline-block;width:9px;height:9px;background:{palette[label]};'
            f'margin-right:7px"></span>'
        )
        cells = "".join(
            f'<td style="{CELL}">{escape(text)}</td>'
            for text in (*_text_cells(record, label), _binds(record, label) or "-")
        )
        lines.append(
            f'<tr style="background:#fff"><td style="{CELL};white-space:nowrap">{chip}'
            f"{escape(display_name(label))}</td>{cells}</tr>"
        )
    scope = f"cars of {plural(record.homes, 'home')}; {basis_words(record)} {OPEN_WORDS}."
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;margin-top:6px">'
        f'<tr style="background:#fff">{head}</tr>{"".join(lines)}</table></div>'
        f'<div style="color:{MUTED};font-size:12px">{escape(scope)}</div>'
    )
