"""The comparison as a reader wants it: chosen columns, units, marks against limits; and plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridimpact.conventions import METRICS
from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.choice import is_upper_bound
from gridimpact.report.style import (
    NO_EV,
    display_name,
    is_number,
    metric_unit,
    number,
    unit_text,
)
from gridimpact.report.verdicts import (
    VOLTAGE_METRICS,
    verdicts,
    voltage_reason_words,
    voltage_unassessed,
)
from gridimpact.report.voltage import hours_outside

COLUMNS: tuple[tuple[str, str], ...] = (
    ("transformer_loading_max_percent", "Transformer, highest"),
    ("transformer_hours_over_100", "Transformer over 100 %"),
    ("line_loading_max_percent", "Line, highest"),
    ("vm_min_pu", "Lowest voltage"),
    ("vm_max_pu", "Highest voltage"),
    ("voltage_hours_outside", "Voltage outside band"),
    ("unbalance_max_percent", "Unbalance, highest"),
    ("voltage_step_max_percent", "Voltage step, highest"),
    ("hot_spot_max_c", "Hot spot, highest"),
    ("ageing_equivalent", "Ageing"),
    ("violations_ev_caused", "EV-caused violations"),
    ("violations_aggravated", "Aggravated violations"),
    ("departures_below_target_percent", "Departures below target"),
    ("unmet_kwh", "Unmet energy"),
    ("ev_cost_per_car_eur", "Bill, mean over all cars"),
    ("wear_cost_per_car_eur", "Wear, mean over all cars"),
)
"""Columns of the comparison a reader sees, with their heads; the rest stays in the exported tables."""

_WITHOUT_CARS = frozenset(
    {
        "violations_ev_caused",
        "violations_aggravated",
        "voltage_step_max_percent",
        "departures_below_target_percent",
        "unmet_kwh",
        "ev_discharge_kwh",
        "stored_change_kwh",
        "ev_cost_per_car_eur",
        "wear_cost_per_car_eur",
        "departures",
        "ev_energy_kwh",
        "battery_throughput_kwh",
        "equivalent_full_cycles",
    }
)


_SHOULD_BE_NONE = frozenset(
    {
        "transformer_hours_over_100",
        "voltage_hours_outside",
        "violations_ev_caused",
        "violations_aggravated",
    }
)


_BY_VERDICT = {"unbalance_max_percent": "unbalance", "voltage_step_max_percent": "voltage_step"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is printed, and whether it lies outside its limit or is the worst of those."""

    text: str
    over: bool = False
    worst: bool = False
    mark: str = ""
    """A dagger where the figure is given but not judged."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: metric, head, unit as printed and meaning."""

    metric: str
    head: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Row:
    """One strategy: label, printed name, colour, cars it controls of how many, cells."""

    label: str
    name: str
    colour: str
    cars: str
    cells: tuple[Cell, ...]
    upper_bound: bool = False
    """It needs perfect foresight."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def comparison_table(result: StudyResult, columns: Sequence[tuple[str, str]] = COLUMNS) -> Table:
    """Return the comparison of all strategies, columns nobody assessed left out.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    columns : sequence of (metric, head)
        Metrics of `gridimpact.conventions.METRICS` with their heads.

    Returns
    -------
    Table
        Rows with no added EV and uncontrolled first; cells outside their limit are marked, the
        furthest of them as worst.
    """
    labels = view.strategies(result)
    shown = [
        Column(metric, _head(result, head), unit_text(metric_unit(metric)), METRICS[metric].meaning)
        for metric, head in columns
        if any(_is_told(view.figure(result, label, metric), metric) for label in labels)
    ]
    worst = {column.metric: _worst_label(result, labels, column.metric) for column in shown}
    colours = view.colours(result)
    rows = [
        Row(
            label,
            display_name(label),
            colours[label],
            view.cars_controlled(result, label),
            tuple(_cell(result, label, c.metric, worst[c.metric] == label) for c in shown),
            is_upper_bound(result, label),
        )
        for label in labels
    ]
    return Table(tuple(shown), tuple(rows))


_OF_ONE_PHASE = {
    "Transformer, highest": "Transformer, worst phase",
    "Transformer over 100 %": "Transformer phase over 100 %",
    "Line, highest": "Line, worst phase",
}
"""Heads in three phases, where the highest is that of one phase."""


def _head(result: StudyResult, head: str) -> str:
    return _OF_ONE_PHASE.get(head, head) if view.three_phase(result) else head


def _is_told(value: float, metric: str) -> bool:
    """Return whether a figure calls for its column; without any aggravated violation none does."""
    return is_number(value) and (metric != "violations_aggravated" or value > 0)


def _is_over(result: StudyResult, label: str, metric: str) -> bool:
    """Return whether a cell is marked: outside its limit, or time or counts that should be none."""
    value = view.figure(result, label, metric)
    if metric in _BY_VERDICT:
        # A high moment breaks nothing where the limit is for a share of the week.
        return verdicts(result, label).get(_BY_VERDICT[metric], ("", ""))[0] == "fail"
    if metric in _SHOULD_BE_NONE:
        return is_number(value) and value > 0
    if metric in ("vm_min_pu", "vm_max_pu"):
        lower = metric == "vm_min_pu"
        return is_number(value) and hours_outside(result, label, lower=lower) > 0
    if metric == "ageing_equivalent" and not view.is_year(result):
        # The limit of ageing is for a year; a week of winter is not judged by it.
        return False
    return view.over_limit(result, metric, value)


def _worst_label(result: StudyResult, labels: Sequence[str], metric: str) -> str | None:
    over = [label for label in labels if _is_over(result, label, metric)]
    if not over:
        return None
    sign = -1.0 if METRICS[metric].better == "high" else 1.0
    return max(over, key=lambda label: sign * view.figure(result, label, metric))


def _cell(result: StudyResult, label: str, metric: str, worst: bool) -> Cell:
    if label == NO_EV and metric in _WITHOUT_CARS:
        return Cell("-")
    text = number(view.figure(result, label, metric), metric_unit(metric))
    over = _is_over(result, label, metric)
    open_question = metric in VOLTAGE_METRICS and voltage_unassessed(result, label)
    return Cell(text, over, worst, "†" if open_question and text != "-" and not over else "")


_WIDTH = 100
_TEXT_COLUMNS = (
    ("transformer_loading_max_percent", "Trafo"),
    ("transformer_hours_over_100", ">100 %"),
    ("line_loading_max_percent", "Line"),
    ("vm_min_pu", "V min"),
    ("vm_max_pu", "V max"),
    ("hot_spot_max_c", "Spot"),
    ("violations_ev_caused", "Viol."),
    ("violations_aggravated", "Worse"),
    ("departures_below_target_percent", "Late"),
    ("ev_cost_per_car_eur", "A car"),
)


def text_table(result: StudyResult) -> str:
    """Return the comparison for a terminal, at most 100 columns wide.

    Returns
    -------
    str
        One line per strategy; ``!`` marks a value outside its limit, a dagger a voltage that was
        not assessed.
    """
    table = comparison_table(result, _TEXT_COLUMNS)
    widths = [
        max(len(column.head), *(len(row.cells[place].text) for row in table.rows)) + 2
        for place, column in enumerate(table.columns)
    ]
    own = max(len("controls"), *(len(row.cars) for row in table.rows)) + 1
    first = min(26, _WIDTH - 1 - own - sum(widths))
    units = [
        column.unit or ("pu" if column.metric.startswith("vm_") else "") for column in table.columns
    ]

    def line(name: str, cars: str, cells: Sequence[str]) -> str:
        body = "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return f"{_short(name, first):<{first}}{cars:>{own}}{body}".rstrip()

    rule = "-" * (first + own + sum(widths))
    lines = [
        _short(f"{result.name}: {_scope(result)}", _WIDTH),
        rule,
        line("Strategy", "controls", [column.head + " " for column in table.columns]),
        line("", "cars", [unit + " " for unit in units]),
        rule,
    ]
    lines += [
        line(row.name + ("*" if row.upper_bound else ""), row.cars, [_text(c) for c in row.cells])
        for row in table.rows
    ]
    failed, total = view.lanes(result)
    bound = (
        " * perfect foresight, an upper bound." if any(r.upper_bound for r in table.rows) else ""
    )
    lines += [
        rule,
        f"! outside its limit.{bound} {failed:,} of {total:,} assessed power flows failed.",
    ]
    if view.three_phase(result):
        lines.append("Loadings are those of the worst phase.")
    if any(cell.mark for row in table.rows for cell in row.cells):
        lines.append(_short(f"† not assessed: {voltage_reason_words(result)}", _WIDTH))
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    return cell.text + ("!" if cell.over else cell.mark or " ")


def _scope(result: StudyResult) -> str:
    days = float(view.counted(result).sum()) * view.step_h(result) / 24
    return f"{days:.0f} days assessed, {len(view.strategies(result))} strategies"


def _short(text: str, width: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= width else clean[: width - 1] + "…"
