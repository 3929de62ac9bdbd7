"""The style of every figure and the small helpers they share; drawn without pyplot, on any backend."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import INK, LIMIT, MUTED, RULE, display_name

P = ParamSpec("P")

WIDTH_IN = 10.2


class ReportFigure(Figure):  # type: ignore[misc]  # matplotlib is not typed
    """A matplotlib figure that shows itself in a notebook."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Return the sans-serif fonts this machine has, best first."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    wanted = ("Source Sans 3", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
    return [name for name in wanted if name in known] or ["DejaVu Sans"]


def _style() -> dict[str, Any]:
    return {
        "font.family": _fonts(),
        "font.size": 9.5,
        "text.color": INK,
        "text.parse_math": False,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 7,
        "axes.labelsize": 9.5,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": "#aab2bb",
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.formatter.use_mathtext": False,
        "axes.unicode_minus": True,
        "grid.color": "#e6e9ed",
        "grid.linewidth": 0.7,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.solid_capstyle": "round",
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        "svg.hashsalt": "gridimpact",
    }


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a drawing function under the report's style, leaving the caller's style alone."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(_style()):
            made = draw(*args, **kwargs)
            # Ticks are made at the first drawing; here, so that they take this style.
            made.draw_without_rendering()
            _freeze(made)
        return made

    return wrapper


def _freeze(drawn: Figure) -> None:
    """Keep the layout found, rounded: the solver's last digits differ from run to run."""
    drawn.set_layout_engine("none")
    for axes in drawn.axes:
        box = axes.get_position(original=True)
        axes.set_position([round(float(side), 5) for side in box.bounds])


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """Return an empty figure that lays itself out."""
    made = ReportFigure(figsize=(width_in, height_in), layout="constrained")
    made.get_layout_engine().set(w_pad=0.06, h_pad=0.05, wspace=0.04, hspace=0.06)
    return made


def render(drawn: Figure, form: str = "svg") -> bytes:
    """Return a figure as SVG or PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context(_style()):
        if form == "svg":
            drawn.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        else:
            drawn.savefig(buffer, format=form, dpi=150)
    return buffer.getvalue()


def empty(text: str) -> Figure:
    """Return a small figure that says why there is nothing to draw."""
    drawn = new_figure(1.2)
    drawn.text(0.02, 0.5, text, color=MUTED, va="center")
    return drawn


def limit_line(
    axes: Axes,
    value: float,
    text: str = "",
    *,
    horizontal: bool = True,
    place: float = 1.0,
    below: bool = False,
) -> None:
    """Draw a limit as a thin dashed line with its name at the end of it, above or below."""
    line = {"color": LIMIT, "linewidth": 1.0, "linestyle": (0, (5, 3)), "zorder": 2.5}
    if not horizontal:
        axes.axvline(value, **line)
        return
    axes.axhline(value, **line)
    axes.annotate(
        text,
        (place, value),
        xycoords=("axes fraction", "data"),
        xytext=(0, -4 if below else 3),
        textcoords="offset points",
        ha="right" if place > 0.5 else "left",
        va="top" if below else "bottom",
        color=LIMIT,
        fontsize=8.5,
        zorder=6,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
    )


def legend_above(target: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put a legend in a row above the axes, clear of the data."""
    fits = sum(len(label) + 4 for label in labels) < 135
    columns = len(labels) if fits else -(-len(labels) // 2)
    target.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=columns,
        handlelength=1.4,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.2,
    )


def strategy_legend(
    target: Figure,
    result: StudyResult,
    labels: Sequence[str],
    extra: Sequence[tuple[Any, str]] = (),
) -> None:
    """Put the strategies' colours in a row above the axes."""
    palette = view.colours(result)
    handles: list[Any] = [Line2D([], [], color=palette[label], linewidth=2.6) for label in labels]
    names = [display_name(label) for label in labels]
    legend_above(target, [*handles, *(h for h, _ in extra)], [*names, *(name for _, name in extra)])


def ceiling(peaks: Sequence[float], floor: float = 0.0) -> float | None:
    """Return where to end an axis so that one far outlier does not flatten all others.

    Parameters
    ----------
    peaks : sequence of float
        Highest value of each series; NaN where there is none.
    floor : float
        The axis shows at least this.

    Returns
    -------
    float or None
        None where no series stands far above the others.

    Examples
    --------
    >>> ceiling([100.0, 110.0, 400.0]), ceiling([100.0, 110.0, 150.0])
    (143.0, None)
    """
    known = sorted(value for value in peaks if np.isfinite(value))
    if len(known) < 3 or known[-1] <= 1.8 * max(known[-2], floor):
        return None
    return 1.3 * max(known[-2], floor)


def spread(wanted: Sequence[float], gap: float) -> NDArray[np.float64]:
    """Return positions as near as possible to those wanted, at least `gap` apart.

    Examples
    --------
    >>> [round(float(v), 3) for v in spread([1.0, 1.1, 3.0], 0.5)]
    [0.8, 1.3, 3.0]
    """
    order = np.argsort(np.asarray(wanted, dtype=np.float64), kind="stable")
    sorted_ = np.asarray(wanted, dtype=np.float64)[order]
    blocks: list[list[float]] = []
    for value in sorted_:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and _overlap(blocks[-2], blocks[-1], gap):
            centre, count = blocks.pop()
            before, number = blocks.pop()
            blocks.append([(before * number + centre * count) / (number + count), number + count])
    placed = [
        centre + (k - (count - 1) / 2) * gap for centre, count in blocks for k in range(int(count))
    ]
    found = np.empty(len(placed))
    found[order] = placed
    return found


def _overlap(first: Sequence[float], second: Sequence[float], gap: float) -> bool:
    upper = first[0] + (first[1] - 1) / 2 * gap
    lower = second[0] - (second[1] - 1) / 2 * gap
    return lower - upper < gap - 1e-12


def short(text: str, width: int = 18) -> str:
    """Return a text cut to a width."""
    return text if len(text) <= width else text[: width - 1] + "…"


def cell_colour(base: str, share: float) -> tuple[float, float, float]:
    """Return a colour mixed with white; share 1 is the colour itself."""
    rgb = np.array(mpl.colors.to_rgb(base))
    mixed = rgb * share + (1 - share)
    return (float(mixed[0]), float(mixed[1]), float(mixed[2]))


__all__ = [
    "MUTED",
    "RULE",
    "WIDTH_IN",
    "ReportFigure",
    "ceiling",
    "cell_colour",
    "empty",
    "legend_above",
    "limit_line",
    "new_figure",
    "render",
    "short",
    "spread",
    "strategy_legend",
    "styled",
]
