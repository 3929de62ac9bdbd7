"""What the figures of a hosting scan share: marks of strategies, the axis of cars, capacities as dots."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from gridimpact.report.drawing import short
from gridimpact.report.hosting_view import Capacity
from gridimpact.report.style import INK, MUTED, display_name, is_number

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
LONGEST_NAME = 30
"""Letters of a strategy's name beside a figure."""


def markers(labels: Sequence[str]) -> dict[str, str]:
    """Return one mark for each strategy, so that they are told apart without colour."""
    return {label: MARKERS[k % len(MARKERS)] for k, label in enumerate(labels)}


def shown_name(label: str) -> str:
    """Return a strategy's name, cut where it is longer than a figure bears."""
    return short(" ".join(display_name(label).split()), LONGEST_NAME)


def homes_axis(ax: Axes, homes: int) -> None:
    """Put cars per 100 homes above an axis of cars."""
    if homes <= 0:
        return
    upper = ax.secondary_xaxis(
        "top", functions=(lambda cars: cars * 100 / homes, lambda share: share * homes / 100)
    )
    upper.set_xlabel("cars per 100 homes")
    upper.tick_params(length=3)
    upper.spines["top"].set_visible(False)


def cars_axis(ax: Axes, highest: float) -> None:
    """Let an axis of cars begin at none and end a little after the highest number scanned."""
    ax.set_xlim(0, highest * 1.03 if highest > 0 else 1)
    ax.set_xlabel("cars in the network")


def strategy_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Give each strategy a row, the first on top, its name at the left."""
    ax.set_yticks(range(len(labels)), [shown_name(label) for label in labels])
    ax.set_ylim(len(labels) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=9.5)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")


def capacity_mark(
    ax: Axes, found: Capacity, row: float, colour: str, marker: str, *, hollow: bool = False
) -> None:
    """Draw a capacity as a dot with its interval; one that was not reached goes on as an arrow."""
    high = found.high if found.reached and is_number(found.high) else found.at_risk
    if is_number(found.low):
        ax.plot([found.low, high], [row, row], color=colour, linewidth=3.2, alpha=0.45,
                solid_capstyle="butt", zorder=3)  # fmt: skip
    if not found.reached:
        beyond_mark(ax, found.at_risk, row, colour)
    ax.plot(
        [found.at_risk], [row], marker=marker, markersize=7, zorder=4, linestyle="none", color=colour,
        markerfacecolor="white" if hollow else colour, markeredgecolor=colour, markeredgewidth=1.5,
        clip_on=False,
    )  # fmt: skip


def beyond_mark(ax: Axes, value: float, row: float, colour: str) -> None:
    """Draw an arrow from a value to the right: it lies there or beyond."""
    ax.annotate(
        "", (value, row), xytext=(24, 0), textcoords="offset points", annotation_clip=False, zorder=3,
        arrowprops={"arrowstyle": "<|-,head_width=0.26,head_length=0.45", "color": colour,
                    "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def beside(ax: Axes, text: str, row: float, *, colour: str = MUTED, gap: float = 1.03) -> None:
    """Write a text at the right of a row, outside the axes; the layout keeps room for it."""
    ax.annotate(
        text, (gap, row), xycoords=("axes fraction", "data"), va="center", ha="left",
        fontsize=9, color=colour, annotation_clip=False,
    )  # fmt: skip
