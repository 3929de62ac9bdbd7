"""Worst value against each limit by number of cars, and what breaks first by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gridimpact.errors import InputError
from gridimpact.records import LIMIT_KINDS, FloatArray, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.drawing import cell_colour, legend_above, limit_line, new_figure, styled
from gridimpact.report.findings import sentence
from gridimpact.report.hosting_drawing import beside, shown_name, strategy_rows
from gridimpact.report.style import INK, MUTED, is_number


class _Limit(NamedTuple):
    """One panel: column of the scenarios, title, factor, and the limit's name in the profile or its value."""

    column: str
    title: str
    factor: float
    bound: str | float


_LIMITS = (
    _Limit("voltage_margin_pu", "Voltage, margin to its bound [% of nominal]", 100.0, 0.0),
    _Limit("line_percent", "Line, highest loading [%]", 1.0, "line_loading_percent"),
    _Limit(
        "transformer_percent",
        "Transformer, highest loading [%]",
        1.0,
        "transformer_loading_percent",
    ),
    _Limit("hot_spot_c", "Transformer hot spot [°C]", 1.0, "hot_spot_c"),
    _Limit("ageing_equivalent", "Transformer ageing, 1 is normal", 1.0, "ageing_equivalent"),
    _Limit("unbalance_percent", "Voltage unbalance, highest [%]", 1.0, "unbalance_percent"),
    _Limit("fuse_percent", "Main fuse, highest loading [%]", 1.0, 100.0),
    _Limit("unmet_percent", "Energy missing at departures [%]", 1.0, ""),
    _Limit("export_percent", "Fed upward [% of rating]", 1.0, ""),
)
_FROM_SETTINGS = frozenset({"unmet_percent", "export_percent"})
_WHISKERS = (5, 95)
"""Percent of draws below which whiskers end; a choice."""


@styled
def limits(result: ScanResult, strategy: str | None = None) -> Figure:
    """Draw the worst value against each limit over all draws, by number of cars, of one strategy.

    Parameters
    ----------
    result : ScanResult
        A finished scan.
    strategy : str, optional
        Uncontrolled charging unless named.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per limit assessed: box from 25 to 75 % of draws, line at the median, whiskers from 5 to
        95 %, at the common numbers of cars, which stand side by side, not to scale.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no scenarios, or not this strategy.
    """
    frame = view.needed(result, "scenarios", "limits")
    label = view.known_strategy(result, strategy)
    own = view.rows_of(result, frame, label)
    own = own[(~own["refined"].astype(bool)) & (own["cars"].astype(int) > 0)]
    shown = [one for one in _LIMITS if _told(own, one.column)]
    if not shown:
        message = f"limits: no limit was assessed under {label!r} -> choose another strategy"
        raise InputError(message)
    rows = -(-len(shown) // 2)
    drawn = new_figure(0.3 + 2.55 * rows)
    grid = np.atleast_2d(drawn.subplots(rows, 2 if len(shown) > 1 else 1, squeeze=False))
    for ax in grid.ravel()[len(shown) :]:
        ax.set_visible(False)
    colour = view.colours(result)[label]
    for ax, one in zip(grid.ravel(), shown, strict=False):
        _limit_panel(result, ax, one, own, colour)
    for ax in grid.ravel()[max(len(shown) - 2, 0) : len(shown)]:
        ax.set_xlabel("cars in the network")
    drawn.suptitle(
        shown_name(label), x=0.01, ha="left", fontsize=10, color=colour, fontweight="bold"
    )
    return drawn


def _told(frame: pd.DataFrame, column: str) -> bool:
    return column in frame.columns and bool(np.isfinite(frame[column].astype(float)).any())


def _bound(result: ScanResult, one: _Limit) -> float:
    if one.column in _FROM_SETTINGS:
        found = result.settings.get(one.column)
        return float(str(found)) if is_number(found) else float("nan")
    if isinstance(one.bound, str):
        return view.limit_value(result, one.bound)
    return float(one.bound)


def _limit_panel(
    result: ScanResult, ax: Axes, one: _Limit, frame: pd.DataFrame, colour: str
) -> None:
    levels = sorted({int(cars) for cars in frame["cars"]})
    stats, part = [], False
    for place, cars in enumerate(levels):
        found = frame.loc[frame["cars"] == cars, one.column].to_numpy(dtype=np.float64) * one.factor
        known = found[np.isfinite(found)]
        # A box of the draws that happen to be known would be one of those that fail.
        whole = len(known) == len(found)
        stats.append(_box(known if whole else known[:0]))
        if not whole:
            part = True
            ax.plot(np.full(len(known), place), known, "o", markersize=3, color=colour, alpha=0.6)
    tone = {"color": colour, "linewidth": 1.1}
    ax.bxp(
        stats, positions=range(len(levels)), widths=0.62, showfliers=False, patch_artist=True,
        boxprops={"facecolor": cell_colour(colour, 0.22), "edgecolor": colour, "linewidth": 1.0},
        medianprops={"color": colour, "linewidth": 2.0}, whiskerprops=tone, capprops=tone,
    )  # fmt: skip
    step = -(-len(levels) // 14)
    ax.set_xticks(range(0, len(levels), step), [str(cars) for cars in levels[::step]])
    ax.set_xlim(-0.7, len(levels) - 0.3)
    title = f"{one.title} (dots: partly assessed)" if part else one.title
    ax.set_title(title)
    bound = _bound(result, one)
    if is_number(bound):
        words = "bound" if one.column == "voltage_margin_pu" else f"limit {bound:g}"
        limit_line(ax, bound, words, place=0.006)
        low, high = ax.get_ylim()
        room = 0.12 * (max(high, bound) - min(low, bound))
        ax.set_ylim(min(low, bound - room), max(high, bound + room))
    else:
        ax.set_title(f"{title}, no limit set")


def _box(values: FloatArray) -> dict[str, object]:
    """Return the parts of a box; NaN where nothing was solved."""
    if not values.size:
        nan = float("nan")
        return {"med": nan, "q1": nan, "q3": nan, "whislo": nan, "whishi": nan}
    low, q1, middle, q3, high = np.percentile(values, [_WHISKERS[0], 25, 50, 75, _WHISKERS[1]])
    return {"med": middle, "q1": q1, "q3": q3, "whislo": low, "whishi": high}


_HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "ooo", "|||", "++", "**")
_LEAST_LABEL = 6.0
"""Percent of the bar's length below which a part carries no number."""


def binding_shares(result: ScanResult) -> pd.DataFrame:
    """Return the share of failing draws [%] that break each limit first, (strategy, kind of limit)."""
    frame = view.needed(result, "binding", "binding")
    labels = view.strategies(result)
    kinds = [kind for kind in LIMIT_KINDS if (frame["limit"].astype(str) == kind).any()]
    shares = pd.DataFrame(0.0, index=labels, columns=kinds)
    for label in labels:
        own = view.rows_of(result, frame, label)
        found = own.groupby(own["limit"].astype(str))["percent"].sum()
        for kind in kinds:
            shares.loc[label, kind] = float(found.get(kind, 0.0))
    return shares


@styled
def binding(result: ScanResult) -> Figure:
    """Draw which limit breaks first, in which share of draws, by strategy.

    Returns
    -------
    matplotlib.figure.Figure
        Stacked bars [% of the draws that fail]; beyond 100 where draws break several limits at once.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no table of what binds.
    """
    shares = binding_shares(result)
    labels, kinds = list(shares.index), list(shares.columns)
    drawn = new_figure(1.15 + 0.42 * len(labels))
    ax = drawn.subplots()
    strategy_rows(ax, labels)
    longest = max(float(shares.sum(axis=1).max()), 100.0)
    styles = {kind: _style_of(kind) for kind in kinds}
    for row, label in enumerate(labels):
        start = 0.0
        for kind in kinds:
            width = float(shares.loc[label, kind])
            if width <= 0:
                continue
            ax.barh(row, width, left=start, height=0.6, **styles[kind])
            if width >= _LEAST_LABEL * longest / 100:
                _share_text(ax, start + width / 2, row, width)
            start += width
        if start == 0:
            ax.text(
                0.6,
                row,
                "no draw breaks a limit: not reached",
                va="center",
                color=MUTED,
                fontsize=9,
            )
        beside(ax, _place(result, label), row, colour=MUTED, gap=1.015)
    ax.set_xlim(0, longest)
    ax.set_xlabel("draws that fail, by the limit broken first [%]")
    legend_above(
        drawn, [Patch(**styles[kind]) for kind in kinds],
        [sentence(view.limit_words(kind)) for kind in kinds],
    )  # fmt: skip
    return drawn


def _style_of(kind: str) -> dict[str, object]:
    hatch = _HATCHES[LIMIT_KINDS.index(kind) % len(_HATCHES)]
    colour = view.LIMIT_COLOURS[kind]
    return {
        "facecolor": cell_colour(colour, 0.75),
        "edgecolor": "white",
        "hatch": hatch,
        "linewidth": 0.8,
    }


def _share_text(ax: Axes, at: float, row: float, width: float) -> None:
    ax.text(
        at, row, f"{width:.0f} %", ha="center", va="center", fontsize=8.8, color=INK,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.0},
    )  # fmt: skip


def _place(result: ScanResult, label: str) -> str:
    """Return where the limit that binds most often does so."""
    found = view.capacity(result, label)
    words = view.binding_place(result, found) if found else ""
    return words if len(words) <= 30 else words[:29] + "…"


__all__: Sequence[str] = ("binding", "binding_shares", "limits")
