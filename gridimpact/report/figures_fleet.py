"""Figures of cars and money: fleet power over the day with the service given, and cost per car."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gridimpact.records import FloatArray, StudyResult
from gridimpact.report import view
from gridimpact.report.drawing import ceiling, cell_colour, empty, legend_above, new_figure, styled
from gridimpact.report.money import money_words
from gridimpact.report.style import INK, MUTED, NO_EV, display_name, is_number, number


def _with_cars(result: StudyResult) -> list[str]:
    return [
        label
        for label in view.strategies(result)
        if label != NO_EV and is_number(view.figure(result, label, "cars"))
    ]


@styled
def fleet(result: StudyResult) -> Figure:
    """Draw the power per car over the day (5, 50 and 95 % of the days) and the service given.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per strategy, local time by kW averaged over all cars, positive draws from the
        grid; beneath, the share of departures below target and the energy missing. Counted
        steps only.
    """
    labels = _with_cars(result)
    data = result.dataset
    if not labels or "charger_p_kw" not in data:
        return empty("No car is in the study.")
    columns = min(3, len(labels))
    rows = -(-len(labels) // columns)
    height = 1.9 * rows + 0.6 + 0.26 * len(labels) + 0.5
    drawn = new_figure(height)
    parts = drawn.add_gridspec(3, 1, height_ratios=[1.9 * rows, 0.22, 0.7 + 0.26 * len(labels)])
    axes = parts[0].subgridspec(rows, columns).subplots(sharex=True, sharey=True, squeeze=False)
    for ax in axes.ravel()[len(labels) :]:
        ax.set_visible(False)
    peaks = {
        label: _day_panel(result, ax, label)
        for ax, label in zip(axes.ravel(), labels, strict=False)
    }
    top = ceiling(list(peaks.values()))
    if top is not None:
        axes[0, 0].set_ylim(top=top)
        for ax, label in zip(axes.ravel(), labels, strict=False):
            if peaks[label] > top:
                ax.text(0.99, 0.97, f"up to {peaks[label]:.1f} kW", transform=ax.transAxes,
                        ha="right", va="top", fontsize=8.5, color=INK)  # fmt: skip
    for ax in axes[:, 0]:
        ax.set_ylabel("kW per car")
    _service(result, parts[2].subgridspec(1, 2).subplots(sharey=True), labels)
    return drawn


def _day_panel(result: StudyResult, ax: Axes, label: str) -> float:
    """Draw one strategy's day and return the top of its band [kW per car]."""
    hour, low, middle, high = _quantiles(result, label)
    colour = view.colours(result)[label]
    ax.fill_between(hour, low, high, step="post", color=cell_colour(colour, 0.28), lw=0)
    ax.step(hour, middle, where="post", color=colour, linewidth=1.8)
    ax.axhline(0, color="#aab2bb", linewidth=0.8)
    ax.set_xlim(0, 24)
    ax.set_xticks([0, 6, 12, 18, 24], ["0", "6", "12", "18", "24 h"])
    ax.tick_params(axis="x", labelbottom=True)
    cars = view.cars_controlled(result, label)
    ax.set_title(display_name(label), color=colour, fontsize=9.5)
    if cars != "-":
        ax.set_title(
            f"controls {cars}", loc="right", fontsize=8.5, color=MUTED, fontweight="normal"
        )
    return float(np.nanmax(high, initial=0.0))


def _quantiles(
    result: StudyResult, label: str
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the local hour and the 5, 50 and 95 % of the fleet's mean power over the days."""
    shown = view.counted(result)
    cars = view.figure(result, label, "cars")
    power = view.values(result, "charger_p_kw", label)[shown].sum(axis=1) / max(cars, 1.0)
    local = view.local_times(result)[shown]
    hour = pd.Index(local.hour + local.minute / 60.0)
    shares = np.array([0.05, 0.5, 0.95])
    table = pd.Series(power).groupby(np.asarray(hour)).quantile(shares).unstack()
    closed = [*table.index, 24.0]
    arrays = [np.append(table[q].to_numpy(), table[q].to_numpy()[-1]) for q in shares]
    return np.asarray(closed, dtype=np.float64), arrays[0], arrays[1], arrays[2]


_SERVICE = (
    ("departures_below_target_percent", "%", "Departures below target [%]"),
    ("unmet_kwh", "kWh", "Energy missing at departures [kWh"),
)


def _service(result: StudyResult, axes: Sequence[Axes], labels: Sequence[str]) -> None:
    for place, (ax, (metric, unit, title)) in enumerate(zip(axes, _SERVICE, strict=True)):
        full = f"{title}, {view.within(result)}]" if unit == "kWh" else title
        _bars(result, ax, labels, metric, unit)
        ax.set_title(full, fontsize=9.5, y=1.02)
        ax.tick_params(axis="y", length=0, labelleft=place == 0, labelcolor=INK)
    axes[0].set_yticks(range(len(labels)), [display_name(label) for label in labels])
    axes[0].set_ylim(len(labels) - 0.4, -0.6)


def _bars(result: StudyResult, ax: Axes, labels: Sequence[str], metric: str, unit: str) -> None:
    palette = view.colours(result)
    found = [view.figure(result, label, metric) for label in labels]
    top = max([value for value in found if is_number(value)], default=0.0)
    for row, (label, value) in enumerate(zip(labels, found, strict=True)):
        known = is_number(value)
        ax.barh(row, value if known else 0.0, height=0.56, color=palette[label])
        ax.annotate(
            number(value, unit) if known else "not assessed", (value if known else 0.0, row),
            xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.8,
            color=INK if known else MUTED,
        )  # fmt: skip
    ax.set_xlim(0, 1.15 * top if top > 0 else 1.0)
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)


@styled
def money(result: StudyResult) -> Figure:
    """Draw what a car costs under each strategy: energy bill and battery wear.

    Returns
    -------
    matplotlib.figure.Figure
        EUR per car, a year where a year was assessed, else in the assessed time (never scaled up).
    """
    labels = [
        label
        for label in _with_cars(result)
        if is_number(view.figure(result, label, "ev_cost_per_car_eur"))
    ]
    if not labels:
        return empty("Money was not assessed.")
    palette = view.colours(result)
    drawn = new_figure(1.1 + 0.44 * len(labels))
    ax = drawn.subplots()
    bills = [view.figure(result, label, "ev_cost_per_car_eur") for label in labels]
    wears = [
        float(np.nan_to_num(view.figure(result, label, "wear_cost_per_car_eur")))
        for label in labels
    ]
    totals = np.array(bills) + np.array(wears)
    for row, (label, bill, wear) in enumerate(zip(labels, bills, wears, strict=True)):
        ax.barh(row, bill, height=0.56, color=palette[label])
        ax.barh(
            row, wear, left=max(bill, 0.0), height=0.56, color=cell_colour(palette[label], 0.45)
        )
        text = f"{bill + wear:.2f}"
        text += f"  ({bill:.2f} + {wear:.2f} wear)" if abs(wear) >= 0.005 else ""
        told = money_words(result, label)
        text += f"\n{told}" if told else ""
        ax.annotate(text, (max(bill + wear, wear, 0.0), row), xytext=(5, 0),
                    textcoords="offset points", va="center", fontsize=8.5,
                    linespacing=1.15)  # fmt: skip
    ax.axvline(0, color="#aab2bb", linewidth=0.8)
    ax.set_xlim(min(0.0, float(totals.min()) * 1.1), max(1.0, float(totals.max())) * 1.55)
    ax.set_yticks(range(len(labels)), [display_name(label) for label in labels])
    ax.tick_params(axis="y", labelsize=9.5, labelcolor=INK)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.set_title(f"EUR per car, mean over all cars, {view.within(result)}")
    legend_above(
        drawn, [Patch(color=MUTED), Patch(color=cell_colour(MUTED, 0.45))],
        ["energy bill", "battery wear"],
    )  # fmt: skip
    return drawn
