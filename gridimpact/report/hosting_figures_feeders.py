"""Green, yellow and red numbers of cars by feeder and strategy."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.drawing import legend_above, new_figure, short, styled
from gridimpact.report.hosting_drawing import shown_name
from gridimpact.report.style import INK, MUTED, is_number

_LIGHTS = {
    "green": {"facecolor": "#6dbb93", "edgecolor": "white"},
    "yellow": {"facecolor": "#f6d64a", "edgecolor": "#6d5c00", "hatch": "////"},
    "red": {"facecolor": "#b3261e", "edgecolor": "#f3c6c3", "hatch": "xxx"},
    "grey": {"facecolor": "#eef0f2", "edgecolor": "#eef0f2"},
}
"""Colours that also differ in lightness and hatching."""
_LEAST_WIDTH = 0.018
"""Width of a colour known at one level only, as a share of the axis."""
MOST_FEEDERS = 18
"""Feeders drawn, the weakest ones; the others stay in the table."""


def light_spans(own: pd.DataFrame, end: float) -> list[tuple[float, float, str]]:
    """Return (from, to, colour) along the numbers of cars of one feeder, from none on.

    Parameters
    ----------
    own : pandas.DataFrame
        Rows of `FEEDER_COLUMNS` of one strategy, feeder and limit.
    end : float
        Highest number of cars.

    Returns
    -------
    list of tuple
        A colour ends at the last level of which it is known; "grey" lies between two levels of different
        colour, where nothing was solved, and beyond the last level. A colour of one level has no width. Green
        begins at none, where no car breaks anything.
    """
    rows = own.sort_values("cars")
    levels = [float(v) for v in rows["cars"]]
    colours = [str(v) for v in rows["colour"]]
    spans: list[tuple[float, float, str]] = [(0.0, 0.0, "green")] if levels[0] > 0 else []
    for level, colour in zip(levels, colours, strict=True):
        if spans and spans[-1][2] == colour:
            spans[-1] = (spans[-1][0], level, colour)
            continue
        if spans and level > spans[-1][1]:
            spans.append((spans[-1][1], level, "grey"))
        spans.append((level, level, colour))
    if end > levels[-1]:
        spans.append((levels[-1], end, "grey"))
    return spans


@styled
def feeders(result: ScanResult) -> Figure:
    """Draw green, yellow and red numbers of cars for each feeder and strategy.

    Returns
    -------
    matplotlib.figure.Figure
        One panel by strategy, one row by feeder, the weakest under uncontrolled charging on top; the number at
        the end of green is the highest level at which no draw breaks a limit in the feeder.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no table of feeders.
    """
    frame = view.needed(result, "feeders", "feeders")
    frame = frame[frame["limit"].astype(str) == "all"]
    labels = [s for s in view.strategies(result) if len(view.rows_of(result, frame, s))]
    order = _weakest_first(result, frame, labels)
    shown = order[:MOST_FEEDERS]
    columns = min(len(labels), 3)
    rows = math.ceil(len(labels) / columns)
    drawn = new_figure(0.75 + rows * (0.62 + 0.26 * max(len(shown), 2)))
    grid = drawn.subplots(rows, columns, squeeze=False, sharex=True)
    end = float(frame["cars"].max())
    names = _names(frame, shown)
    for place, ax in enumerate(grid.ravel()):
        if place >= len(labels):
            ax.set_visible(False)
            continue
        _panel(ax, view.rows_of(result, frame, labels[place]), shown, end)
        ax.set_title(
            short(shown_name(labels[place]), 32), color=view.colours(result)[labels[place]]
        )
        ax.set_yticks(range(len(shown)), names)
        ax.tick_params(axis="y", labelleft=place % columns == 0, labelcolor=INK)
        last = place + columns >= len(labels)
        ax.set_xlabel("cars in the network" if last else "")
        ax.tick_params(axis="x", labelbottom=last, length=3 if last else 0)
    legend_above(
        drawn, [Patch(**style) for style in _LIGHTS.values()],
        ["green: no draw breaks a limit", f"yellow: up to {view.risk_percent(result):g} % do",
         "red: more do", "grey: not solved"],
    )  # fmt: skip
    if len(order) > len(shown):
        grid[0, 0].set_ylabel(f"weakest {len(shown)} of {len(order)} feeders", color=MUTED)
    return drawn


def _weakest_first(result: ScanResult, frame: pd.DataFrame, labels: list[str]) -> list[int]:
    """Return the feeders by how often they break a limit under the first strategy, ties by number."""
    own = view.rows_of(result, frame, labels[0])
    risk = own.groupby("feeder")["probability"].sum()
    return [int(n) for n in sorted(risk.index, key=lambda n: (-float(risk[n]), int(n)))]


def _names(frame: pd.DataFrame, numbers: list[int]) -> list[str]:
    """Return the names of feeders, with their transformer where there is more than one."""
    several = frame["transformer"].astype(str).nunique() > 1
    names = []
    for number in numbers:
        name = f"feeder {number}" if number > 0 else "busbar and transformer"
        if several:
            own = frame.loc[frame["feeder"] == number, "transformer"].astype(str).iloc[0]
            name = f"{name}, {short(own, 14)}" if own else name
        names.append(name)
    return names


def _panel(ax: Axes, frame: pd.DataFrame, shown: list[int], end: float) -> None:
    for row, number in enumerate(shown):
        own = frame[frame["feeder"].astype(int) == number]
        if not len(own):
            ax.text(0, row, " not studied", va="center", color=MUTED, fontsize=8.5)
            continue
        # Grey first: a colour of a single level is widened over it, to be seen.
        spans = sorted(light_spans(own, end), key=lambda span: span[2] != "grey")
        for start, stop, colour in spans:
            if start == stop == 0.0:
                continue
            pad = max(_LEAST_WIDTH * end - (stop - start), 0.0) / 2 if colour != "grey" else 0.0
            ax.barh(
                row, stop - start + 2 * pad, left=start - pad, height=0.66, linewidth=0.0,
                **_LIGHTS[colour],
            )  # fmt: skip
        _green_end(ax, own, row)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, end * (1 + _LEAST_WIDTH / 2))
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def _green_end(ax: Axes, own: pd.DataFrame, row: int) -> None:
    """Write the highest number of cars before the first level that is not green."""
    rows = own.sort_values("cars")
    first = rows.loc[rows["colour"].astype(str) != "green", "cars"].min()
    green = rows["cars"] if not is_number(first) else rows.loc[rows["cars"] < first, "cars"]
    text = f"{int(green.max())}" if len(green) else "0"
    text = f"≥ {text}" if not is_number(first) else text
    ax.annotate(
        text, (0, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip
