"""Cars gained over uncontrolled charging draw by draw, and what measures gain and cost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from gridimpact.errors import InputError
from gridimpact.records import FloatArray, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.drawing import cell_colour, new_figure, short, styled
from gridimpact.report.hosting_drawing import beside, strategy_rows
from gridimpact.report.hosting_words import pair
from gridimpact.report.style import INK, LIMIT, MUTED, UNCONTROLLED, display_name, is_number, number

_BINS = 48
"""Steps of the axis that a distribution is counted in."""


def hosted(result: ScanResult, label: str) -> pd.Series:
    """Return the cars each draw hosts under one solved row: the highest number solved before it first fails.

    Returns
    -------
    pandas.Series
        Index draw; 0 where the lowest number fails.
    """
    frame = result.scenarios
    own = frame[frame["strategy"].astype(str) == label]
    counted = {str(kind) for kind in result.settings.get("limits", ())} | {"power_flow"}
    if result.settings.get("unmet_percent") is None:
        counted.discard("service")
    if result.settings.get("export_percent") is None:
        counted.discard("export")
    texts = {text: bool(counted & set(text.split(", "))) for text in set(own["broken"].astype(str))}
    fails = own["broken"].astype(str).map(texts)
    first = own[fails].groupby("draw")["cars"].min()
    limit = own["draw"].map(first).fillna(np.inf)
    below = own[own["cars"] < limit].groupby("draw")["cars"].max()
    return below.reindex(np.unique(own["draw"]), fill_value=0).astype(float)


def gains(result: ScanResult, label: str) -> FloatArray:
    """Return the cars a strategy hosts more than uncontrolled charging, (draw,); empty where not solved."""
    if not len(result.scenarios) or "broken" not in result.scenarios.columns:
        return np.zeros(0)
    own = hosted(result, view.row_of(result, label))
    base = hosted(result, view.row_of(result, UNCONTROLLED))
    both = own.index.intersection(base.index)
    return np.asarray(own[both].to_numpy() - base[both].to_numpy(), dtype=np.float64)


@styled
def pairs(result: ScanResult) -> Figure:
    """Draw the cars gained over uncontrolled charging in the same draw, as a distribution.

    Returns
    -------
    matplotlib.figure.Figure
        One row by strategy: how many draws gain how much, the mean with its interval as a dot, shares of draws
        that are better and worse beside it.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan compares no strategy with uncontrolled charging.
    """
    view.needed(result, "pairs", "pairs")
    labels = [s for s in view.strategies(result) if s != UNCONTROLLED and pair(result, s)]
    if not labels:
        view.needed(_without_pairs(result), "pairs", "pairs")
    palette = view.colours(result)
    found = {label: gains(result, label) for label in labels}
    ends = [0.0, *(float(v) for values in found.values() for v in values)]
    ends += [
        float(pair(result, s)[k])
        for s in labels
        for k in ("low", "high")
        if is_number(pair(result, s)[k])
    ]
    low, high = min(ends), max(ends)
    room = 0.04 * (high - low or 1.0)
    drawn = new_figure(0.85 + 0.6 * len(labels))
    ax = drawn.subplots()
    strategy_rows(ax, labels)
    ax.set_ylim(len(labels) - 0.62, -0.72)
    ax.set_xlim(low - room, high + room)
    edges = np.linspace(low - room / 2, high + room / 2, _BINS + 1)
    for row, label in enumerate(labels):
        _gain_row(ax, row, found[label], pair(result, label), palette[label], edges)
    ax.axvline(0, color=INK, linewidth=1.0, zorder=2.5)
    ax.set_xlabel("cars gained over uncontrolled charging in the same draw")
    return drawn


def _without_pairs(result: ScanResult) -> ScanResult:
    from dataclasses import replace

    return replace(result, pairs=pd.DataFrame())


def _gain_row(
    ax: Axes,
    row: int,
    values: FloatArray,
    found: Mapping[str, float],
    colour: str,
    edges: FloatArray,
) -> None:
    counts, _ = np.histogram(values, edges)
    if counts.max(initial=0):
        height = 0.55 * counts / counts.max()
        ax.bar(
            edges[:-1], -height, width=np.diff(edges), bottom=row + 0.1, align="edge", linewidth=0,
            color=cell_colour(colour, 0.45), zorder=2,
        )  # fmt: skip
    mean, low, high = (float(found[k]) for k in ("mean", "low", "high"))
    if is_number(low) and is_number(high):
        ax.plot(
            [low, high], [row + 0.2, row + 0.2], color=colour, linewidth=3.0, alpha=0.55, zorder=3
        )
    ax.plot([mean], [row + 0.2], "o", color=colour, markersize=6, zorder=4)
    bound = "≥ " if found.get("at_least", 0) else ""
    beside(ax, f"mean {bound}{mean:+.0f}", row - 0.2, colour=INK)
    shares = f"better in {found['better_percent']:.0f} %, worse in {found['worse_percent']:.0f} %"
    beside(ax, shares, row + 0.14)


@styled
def mitigation(result: ScanResult) -> Figure:
    """Draw cars gained and cost of each measure, the cheapest gained car first.

    Returns
    -------
    matplotlib.figure.Figure
        One row by measure: bars of the cars gained at the accepted risk, beside it the cost and the cost of one
        more car; rows of later steps stand on the measures taken before.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no table of measures.
    """
    frame = view.needed(result, "mitigation", "mitigation")
    rows = frame[frame["step"].astype(int) > 0].reset_index(drop=True)
    if not len(rows):
        message = "mitigation: no measure was tried -> nothing binds, or give measures to try"
        raise InputError(message)
    drawn = new_figure(0.9 + 0.4 * len(rows))
    left, right = drawn.subplots(1, 2, sharey=True, width_ratios=[1.0, 1.0])
    names = [_measure_name(row) for row in rows.to_dict(orient="records")]
    for ax in (left, right):
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
    left.set_yticks(range(len(rows)), names)
    left.tick_params(axis="y", length=0, labelcolor=INK)
    right.tick_params(axis="y", length=0, labelleft=False)
    gained = rows["gained"].to_numpy(dtype=np.float64)
    cost = rows["cost_eur"].to_numpy(dtype=np.float64)
    for row, (cars, euros) in enumerate(zip(gained, cost, strict=True)):
        _measure_bars(left, right, row, cars, euros, rows.iloc[row])
    for ax, values in ((left, gained), (right, cost)):
        known = [*values[np.isfinite(values)], 0.0]
        reach = (max(known) - min(known)) or 1.0
        ax.set_xlim(min(known) - (0.22 * reach if min(known) < 0 else 0), max(known) + 0.5 * reach)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    left.set_xlabel("cars gained")
    right.set_xlabel("cost [EUR]")
    return drawn


def _measure_name(row: dict[object, object]) -> str:
    """Return what is done: the measure with its detail, with its step where it is a later one."""
    detail, measure = view.text_of(row.get("detail")), str(row["measure"]).replace("_", " ")
    if measure == "managed":
        detail = display_name(detail)
    name = f"{measure}: {detail}" if detail else measure
    step = int(str(row["step"]))
    return short(f"{step}. {name}" if step > 1 else name, 46)


def _measure_bars(
    left: Axes, right: Axes, row: int, cars: float, euros: float, told: pd.Series
) -> None:
    tone = LIMIT if cars < 0 else "#0072b2"
    left.barh(row, cars, height=0.55, color=cell_colour(tone, 0.75))
    end = max(cars, 0.0)
    reached = bool(told["reached"])
    left.annotate(
        f"{'' if reached else '≥ '}{cars:+,.0f}  to {number(told['at_risk'])}", (end, row), xytext=(5, 0),
        textcoords="offset points", va="center", fontsize=8.8, color=INK,
    )  # fmt: skip
    right.barh(row, euros, height=0.55, color=cell_colour("#6b7480", 0.6))
    each = told["eur_per_car"]
    text = f"{euros:,.0f}" + (f"  ({each:,.0f} a car)" if is_number(each) else "  (gains nothing)")
    right.annotate(
        text, (max(euros, 0.0), row), xytext=(5, 0), textcoords="offset points", va="center",
        fontsize=8.8, color=INK if is_number(each) else MUTED,
    )  # fmt: skip


__all__ = ["gains", "hosted", "mitigation", "pairs"]
