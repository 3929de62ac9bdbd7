"""Figures of the transformer: its worst week, how long it is loaded how high, its hottest day."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter

from gridimpact.records import BoolArray, FloatArray, StudyResult
from gridimpact.report import view
from gridimpact.report.choice import choose
from gridimpact.report.drawing import (
    ceiling,
    cell_colour,
    empty,
    limit_line,
    new_figure,
    strategy_legend,
    styled,
)
from gridimpact.report.phases import transformer_kva, worst_phase
from gridimpact.report.style import (
    INK,
    MUTED,
    NO_EV,
    UNCONTROLLED,
    display_name,
    is_number,
)


def worst_transformer(result: StudyResult) -> view.Worst | None:
    """Return the highest counted transformer loading under uncontrolled charging, else of any row."""
    labels = view.strategies(result)
    first = [UNCONTROLLED] if UNCONTROLLED in labels else labels
    found = [
        view.worst(result, "transformer_loading_percent", label)
        for label in (first if first else labels)
    ]
    return max((w for w in found if w is not None), key=lambda w: w.value, default=None)


def week_of(result: StudyResult, step: int) -> BoolArray:
    """Return the counted steps of the segment around a step, a local week of it where it is long."""
    local = view.local_times(result)
    shown = view.counted(result).copy()
    data = result.dataset
    if "segment" in data.coords:
        segment = np.asarray(data["segment"].values)
        shown &= segment == segment[step]
    if shown.sum() * view.step_h(result) > 8 * 24:
        monday = local[step].normalize() - pd.Timedelta(days=int(local[step].dayofweek))
        shown &= np.asarray((local >= monday) & (local < monday + pd.Timedelta(days=7)))
    return shown


def _local_axis(result: StudyResult, shown: BoolArray) -> FloatArray:
    """Return local clock times as matplotlib dates."""
    naive = view.local_times(result)[shown].tz_localize(None)
    return np.asarray(mdates.date2num(naive.to_numpy()), dtype=np.float64)


def _day_ticks(ax: Axes, x: FloatArray) -> None:
    """Name days in their middle and part them by thin lines."""
    days = np.arange(np.floor(x[0]), np.ceil(x[-1] + 1e-9))
    ax.xaxis.set_major_locator(FixedLocator([*(days + 0.5)]))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: mdates.num2date(v).strftime("%a %d %b").replace(" 0", " "))
    )
    ax.tick_params(axis="x", length=0)
    for day in days[1:]:
        ax.axvline(day, color="#d9dee4", linewidth=0.7, zorder=0)
    ax.set_xlim(x[0], x[-1])


@styled
def transformer_week(result: StudyResult) -> Figure:
    """Draw the signed apparent power of the worst transformer through its worst week.

    Returns
    -------
    matplotlib.figure.Figure
        Local time by kVA, positive draws from the upstream grid; the rating is drawn both ways.
        In three phases the worst phase is drawn, its loading times the rating.
    """
    worst = worst_transformer(result)
    if worst is None:
        return empty("Transformer loading was not assessed.")
    labels, palette, chosen = view.strategies(result), view.colours(result), choose(result)
    shown = week_of(result, worst.step)
    x = _local_axis(result, shown)
    drawn = new_figure(4.1)
    ax = drawn.subplots()
    lowest, peaks = 0.0, {}
    for label in labels:
        kva = transformer_kva(result, label, worst.position)[shown]
        lowest = min(lowest, float(np.nanmin(kva, initial=0.0)))
        peaks[label] = float(np.nanmax(kva, initial=0.0))
        if label == NO_EV:
            ax.fill_between(x, 0, kva, step="post", color=cell_colour(palette[label], 0.3), lw=0)
            continue
        main = label in (UNCONTROLLED, chosen.recommended)
        ax.step(
            x, kva, where="post", color=palette[label], linewidth=2.2 if main else 1.0,
            zorder=3 if main else 4,
        )  # fmt: skip
    rating = float(result.network.grid.transformer_sn_kva[worst.position])
    limit_line(ax, rating, f"rating {rating:g} kVA", place=0.004)
    if lowest < -0.5 * rating:
        limit_line(ax, -rating, f"rating {rating:g} kVA, feeding back")
    ax.axhline(0, color="#aab2bb", linewidth=0.8)
    ax.set_ylim(top=max(ax.get_ylim()[1], 1.1 * rating))
    _cut(ax, palette, peaks, rating, "kVA")
    _day_ticks(ax, x)
    ax.set_ylabel(f"{worst_phase(result, after=' as ')}kVA, feeding back below zero")
    ax.set_title(f"{view.element_names(result, 'transformer')[worst.position]}, its worst week")
    lines = [label for label in labels if label != NO_EV]
    grey = Patch(color=cell_colour(palette.get(NO_EV, MUTED), 0.3))
    strategy_legend(drawn, result, lines, [(grey, "No added EV")] if NO_EV in labels else [])
    return drawn


def _cut(
    ax: Axes, palette: Mapping[str, str], peaks: Mapping[str, float], floor: float, unit: str
) -> None:
    """End the axis below one far outlier and say how high it goes."""
    top = ceiling(list(peaks.values()), floor)
    if top is None:
        return
    label = max(peaks, key=lambda name: peaks[name])
    ax.set_ylim(top=top)
    ax.text(
        0.995, 0.985, f"{display_name(label)} goes up to {peaks[label]:,.0f} {unit}",
        transform=ax.transAxes, ha="right", va="top", fontsize=9, fontweight="bold",
        color=palette[label], zorder=7,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.2},
    )  # fmt: skip


@styled
def duration(result: StudyResult) -> Figure:
    """Draw how many hours the worst transformer spends above each percentage of its rating.

    Returns
    -------
    matplotlib.figure.Figure
        Hours on a logarithmic axis, so that the few hours of the peak are seen; counted steps only.
    """
    worst = worst_transformer(result)
    if worst is None:
        return empty("Transformer loading was not assessed.")
    labels, palette, chosen = view.strategies(result), view.colours(result), choose(result)
    drawn = new_figure(3.9)
    ax = drawn.subplots()
    dt_h, total, peaks = view.step_h(result), 1.0, {}
    for label in labels:
        load = view.counted_values(result, "transformer_loading_percent", label)
        load = np.sort(load[:, worst.position][np.isfinite(load[:, worst.position])])[::-1]
        if not load.size:
            continue
        total = max(total, load.size * dt_h)
        peaks[label] = float(load[0])
        # A thousand points, evenly on the logarithmic axis, draw a year as well as all of it.
        pick = np.unique(np.geomspace(1, load.size, 1000).astype(int)) - 1
        main = label in (UNCONTROLLED, chosen.recommended)
        ax.plot((pick + 1) * dt_h, load[pick], color=palette[label],
                linewidth=2.8 if main else 1.3, zorder=3 if main else 4)  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(dt_h, total)
    ticks = [h for h in (0.25, 0.5, 1, 2, 5, 10, 24, 100, 336, 1000, 8760) if dt_h <= h <= total]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    bound = view.limit(result, "transformer_loading_max_percent")
    limit_line(ax, 100.0, "rating, 100 %")
    if is_number(bound) and bound != 100.0:
        limit_line(ax, bound, f"limit {bound:g} %")
    ax.set_ylim(0, 1.06 * ax.dataLim.ymax)
    _cut(ax, palette, peaks, 100.0, "%")
    ax.set_xlabel(f"hours {view.within(result)}, logarithmic axis")
    ax.set_ylabel(f"% of rating{worst_phase(result, ', ')}")
    ax.set_title(
        f"{view.element_names(result, 'transformer')[worst.position]}: hours above a loading"
    )
    strategy_legend(drawn, result, labels)
    return drawn


@styled
def hottest_day(result: StudyResult) -> Figure:
    """Draw ambient, top oil and hot spot on the hottest day, with the ageing rate beneath.

    Returns
    -------
    matplotlib.figure.Figure
        No added EV, uncontrolled and recommended on the local day of the highest hot spot.
    """
    chosen = choose(result)
    labels = [
        label
        for label in (NO_EV, UNCONTROLLED, chosen.recommended)
        if label is not None and label in view.strategies(result)
    ]
    lead = UNCONTROLLED if UNCONTROLLED in labels else (labels[-1] if labels else "")
    worst = view.worst(result, "hot_spot_c", lead)
    if worst is None:
        return empty("Transformer temperature was not assessed.")
    local, palette = view.local_times(result), view.colours(result)
    shown = view.counted(result) & np.asarray(local.normalize() == local[worst.step].normalize())
    x = _local_axis(result, shown)
    drawn = new_figure(5.0)
    upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=[2.3, 1])
    for label in labels:
        temperature = {
            name: view.values(result, name, label)[shown, worst.position]
            for name in ("hot_spot_c", "top_oil_c", "ageing_rate")
        }
        upper.plot(x, temperature["hot_spot_c"], color=palette[label], linewidth=2.0)
        upper.plot(x, temperature["top_oil_c"], color=palette[label], linewidth=1.1, ls=(0, (4, 2)))
        lower.plot(x, temperature["ageing_rate"], color=palette[label], linewidth=1.8)
    if "temp_air_c" in result.dataset:
        upper.plot(x, result.dataset["temp_air_c"].values[shown], color=INK, lw=1.1, ls=":")
    _finish_hottest(result, upper, lower, x)
    day = local[worst.step]
    name = view.element_names(result, "transformer")[worst.position]
    upper.set_title(f"{name}, {day:%a} {day.day} {day:%B %Y}")
    kinds = [
        (Line2D([], [], color=MUTED, linewidth=2.0), "hot spot"),
        (Line2D([], [], color=MUTED, linewidth=1.1, ls=(0, (4, 2))), "top oil"),
        (Line2D([], [], color=INK, linewidth=1.1, ls=":"), "ambient"),
    ]
    strategy_legend(drawn, result, labels, kinds)
    return drawn


def _finish_hottest(result: StudyResult, upper: Axes, lower: Axes, x: FloatArray) -> None:
    bound = view.limit(result, "hot_spot_max_c")
    top = upper.get_ylim()[1]
    if is_number(bound) and bound < 1.6 * top:
        limit_line(upper, bound, f"hot-spot limit {bound:g} °C")
        upper.set_ylim(top=max(top, bound * 1.06))
    upper.set_ylabel("°C")
    lower.set_yscale("log")
    limit_line(lower, 1.0, "normal ageing")
    low, high = lower.get_ylim()
    # Below a ten-thousandth of normal, ageing tells nobody anything.
    lower.set_ylim(max(low, 1e-4) if high > 1e-3 else low, max(high, 5.0))
    lower.set_ylabel("ageing, 1 normal")
    lower.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    lower.set_xlim(x[0], np.floor(x[0]) + 1)
    lower.xaxis.set_major_locator(mdates.HourLocator(byhour=range(0, 24, 3)))
    lower.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M"))
