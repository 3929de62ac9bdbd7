"""Capacity by strategy with its intervals, and the probability of a violation by number of cars."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gridimpact.errors import InputError
from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.drawing import legend_above, limit_line, new_figure, styled
from gridimpact.report.hosting_drawing import (
    beside,
    capacity_mark,
    cars_axis,
    homes_axis,
    markers,
    strategy_rows,
)
from gridimpact.report.hosting_words import interval_words
from gridimpact.report.style import INK, MUTED, is_number


@styled
def capacity(result: ScanResult) -> Figure:
    """Draw the capacity of each strategy with its interval, managed and with control lost.

    Returns
    -------
    matplotlib.figure.Figure
        One row by strategy: filled where control works, hollow where it is lost, thin marks at the first
        violation and the last passing number; an arrow where the capacity was not reached.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no capacities.
    """
    view.needed(result, "capacity", "capacity")
    labels = view.strategies(result)
    palette = view.colours(result)
    drawn = new_figure(1.75 + 0.5 * len(labels))
    ax = drawn.subplots()
    cars_axis(ax, _highest(result))
    strategy_rows(ax, labels)
    for row, label in enumerate(labels):
        _capacity_row(result, ax, label, row, palette[label])
    homes_axis(ax, result.homes)
    grey = {"color": MUTED, "linestyle": "none", "markeredgecolor": MUTED}
    handles = [
        Line2D([], [], marker="o", markersize=7, **grey),
        Line2D(
            [], [], marker="o", markersize=7, markerfacecolor="white", markeredgewidth=1.5, **grey
        ),
        Line2D([], [], color=MUTED, linewidth=3.2, alpha=0.45),
        Line2D([], [], marker="|", markersize=9, **grey),
        Line2D([], [], marker=">", markersize=5, **grey),
    ]
    confidence = 100 * float(result.settings.get("confidence", 0.95))
    legend_above(
        drawn, handles,
        [f"managed, {view.risk_percent(result):g} % risk", "firm, control lost",
         f"{confidence:g} % interval{_open_words(result, labels)}", "first violation, last passing", "not reached"],
    )  # fmt: skip
    return drawn


def _open_words(result: ScanResult, labels: Sequence[str]) -> str:
    """Return what "?" means where an interval of the figure has no high end."""
    found = (view.capacity(result, s, c) for s in labels for c in ("managed", "firm"))
    return " (?: not known upward)" if any("?" in interval_words(f) for f in found) else ""


def _capacity_row(result: ScanResult, ax: Axes, label: str, row: int, colour: str) -> None:
    own, firm = view.capacity(result, label), view.capacity(result, label, "firm")
    texts = []
    if own is not None:
        ends = [own.first_violation]
        ends += [] if view.some_unbroken(result, own) else [own.last_passing]
        for value in ends:
            if is_number(value):
                ax.plot([value], [row - 0.14], marker="|", markersize=9, color=colour, zorder=3,
                        markeredgewidth=1.2, clip_on=False)  # fmt: skip
        capacity_mark(ax, own, row - 0.14, colour, "o")
        texts.append(interval_words(own))
    if firm is not None:
        capacity_mark(ax, firm, row + 0.18, colour, "o", hollow=True)
        texts.append(f"firm {interval_words(firm)}")
    beside(ax, texts[0] if texts else "not studied", row - 0.16, colour=INK)
    if len(texts) > 1:
        beside(ax, texts[1], row + 0.2)


def _highest(result: ScanResult) -> float:
    """Return the highest number of cars of the scan's tables."""
    known = [view.top_cars(result)]
    if len(result.risk):
        known.append(float(result.risk["cars"].max()))
    if len(result.capacity):
        known.append(float(result.capacity[["at_risk", "last_passing"]].max().max()))
    return max(value for value in known if is_number(value))


@styled
def risk_curve(result: ScanResult, limit: str = "all", control: str = "managed") -> Figure:
    """Draw the probability of a violation by number of cars, with bands and the capacity at risk.

    Parameters
    ----------
    result : ScanResult
        A finished scan.
    limit : str
        "all" or one kind of limit.
    control : str
        "managed" or "firm".

    Returns
    -------
    matplotlib.figure.Figure
        Share of draws [%] by cars and by cars per 100 homes; beneath, one row by strategy with its capacity
        and interval.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no table of risk, or not of this limit.
    """
    frame = view.needed(result, "risk", "risk_curve")
    frame = frame[frame["limit"].astype(str) == limit]
    if not len(frame) or control not in ("managed", "firm"):
        known = ", ".join(dict.fromkeys(result.risk["limit"].astype(str)))
        message = (
            f"risk_curve: limit {limit!r} with control {control!r} was not studied -> choose a limit of "
            f"{known} and control 'managed' or 'firm'"
        )
        raise InputError(message)
    labels = view.strategies(result)
    drawn = new_figure(4.9 + 0.3 * len(labels))
    upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=[3.5, 0.5 + 0.3 * len(labels)])
    cars_axis(upper, _highest(result))
    _curves(result, upper, frame, labels, control)
    _capacities(result, lower, labels, limit, control)
    upper.set_xlabel("")
    upper.tick_params(axis="x", labelbottom=False)
    homes_axis(upper, result.homes)
    return drawn


def _curves(
    result: ScanResult, ax: Axes, frame: pd.DataFrame, labels: Sequence[str], control: str
) -> None:
    palette, marks = view.colours(result), markers(labels)
    for label in labels:
        own = view.rows_of(result, frame, label, control).sort_values("cars")
        if not len(own):
            continue
        cars = own["cars"].to_numpy(dtype=float)
        ax.fill_between(
            cars, 100 * own["low"].to_numpy(dtype=float), 100 * own["high"].to_numpy(dtype=float),
            color=palette[label], alpha=0.13, linewidth=0,
        )  # fmt: skip
        ax.plot(
            cars, 100 * own["probability"].to_numpy(dtype=float), color=palette[label], linewidth=1.9,
            marker=marks[label], markersize=4.5, zorder=3, label=label, clip_on=False,
        )  # fmt: skip
    risk = view.risk_percent(result)
    limit_line(ax, risk, f"accepted risk {risk:g} %")
    ax.set_ylim(0, 102)
    ax.set_ylabel("draws that break a limit [%]")


def _capacities(
    result: ScanResult, ax: Axes, labels: Sequence[str], limit: str, control: str
) -> None:
    palette, marks = view.colours(result), markers(labels)
    ax.set_xlabel("cars in the network")
    strategy_rows(ax, labels)
    for row, label in enumerate(labels):
        found = view.capacity(result, label, control, limit)
        if found is None or not is_number(found.at_risk):
            beside(ax, "not studied", row)
            continue
        capacity_mark(ax, found, row, palette[label], marks[label])
        beside(ax, interval_words(found), row, colour=INK)
