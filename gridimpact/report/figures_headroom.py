"""The figure of headroom: the worst value of each strategy against each limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.drawing import ceiling, empty, limit_line, new_figure, styled
from gridimpact.report.style import INK, LIMIT, MUTED, display_name, is_number, number
from gridimpact.report.verdicts import voltage_unassessed
from gridimpact.report.voltage import band, departures, hours_outside


class _Panel(NamedTuple):
    """One limit: title, unit, where bars begin, the limit, and value and hours by strategy."""

    title: str
    unit: str
    base: float
    bound: float
    values: dict[str, float]
    hours: dict[str, float]
    unjudged: frozenset[str] = frozenset()
    """Strategies whose value was not assessed: given, but neither kept nor broken."""

    def over(self, label: str) -> bool:
        """Return whether a strategy lies beyond the limit."""
        value = self.values[label]
        if not (is_number(value) and is_number(self.bound)):
            return False
        return value < self.bound if self.downward else value > self.bound

    @property
    def downward(self) -> bool:
        """Whether bars grow to the left."""
        return is_number(self.bound) and self.bound < self.base


_LOADS = (
    ("transformer_loading_max_percent", "Transformer [%]", "%", "transformer_loading_percent"),
    ("line_loading_max_percent", "Line [%]", "%", "line_loading_percent"),
)
LABEL_GAP, LABEL_LETTER = 0.14, 0.085
"""Gap before a label and width of a letter, as shares of the room bars have."""
_HEAT = ("hot_spot_max_c", "Hot spot [°C]", "degC", "hot_spot_c")


def _load_panel(
    result: StudyResult, labels: Sequence[str], what: tuple[str, str, str, str]
) -> _Panel:
    metric, title, unit, variable = what
    bound = view.limit(result, metric)
    return _Panel(
        title, unit, 0.0, bound,
        {label: view.figure(result, label, metric) for label in labels},
        {label: view.hours_beyond(result, variable, label, bound) for label in labels},
    )  # fmt: skip


def _voltage_panels(result: StudyResult, labels: Sequence[str]) -> list[_Panel]:
    """Return lower and upper side of the band, from the busbar where the profile counts from it."""
    limits, panels = band(result), []
    unjudged = frozenset(label for label in labels if voltage_unassessed(result, label))
    found = {label: departures(result, label) for label in labels}
    for side, lower in enumerate((True, False)):
        own = {label: found[label][side] for label in labels}
        hours = {label: hours_outside(result, label, lower=lower) for label in labels}
        if limits.relative:
            title = "Drop from busbar [%]" if lower else "Rise from busbar [%]"
            sign = -100.0 if lower else 100.0
            values = {
                label: max(sign * (one.vm_pu - one.busbar_pu), 0.0) if one else float("nan")
                for label, one in own.items()
            }
            bound = (limits.drop if lower else limits.rise) * 100
            panels.append(_Panel(title, "percent", 0.0, bound, values, hours, unjudged))
        else:
            title = "Lowest voltage [pu]" if lower else "Highest voltage [pu]"
            values = {label: one.vm_pu if one else float("nan") for label, one in own.items()}
            bound = limits.low if lower else limits.high
            panels.append(_Panel(title, "pu", 1.0, bound, values, hours, unjudged))
    return panels


@styled
def headroom(result: StudyResult) -> Figure:
    """Draw the worst value of each strategy against each limit, with the hours beyond it.

    Parameters
    ----------
    result : StudyResult
        A finished study.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per limit, one bar per strategy; counted steps only.
    """
    labels = view.strategies(result)
    panels = [_load_panel(result, labels, what) for what in _LOADS]
    panels += [*_voltage_panels(result, labels), _load_panel(result, labels, _HEAT)]
    panels = [panel for panel in panels if any(map(is_number, panel.values.values()))]
    if not panels:
        return empty("No limit was assessed.")
    drawn = new_figure(1.0 + 0.36 * len(labels))
    axes = drawn.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for place, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        _headroom_panel(result, ax, panel, labels)
        ax.tick_params(axis="y", length=0, labelleft=place == 0, labelsize=9.5, labelcolor=INK)
    axes[0].set_yticks(range(len(labels)), [display_name(label) for label in labels])
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    return drawn


def _headroom_panel(result: StudyResult, ax: Axes, panel: _Panel, labels: Sequence[str]) -> None:
    palette = view.colours(result)
    ends = [v for v in (*panel.values.values(), panel.bound, panel.base) if is_number(v)]
    cap = None if panel.downward else _cap(panel)
    ends = [value if cap is None else min(value, cap) for value in ends]
    low, high = min(ends), max(ends)
    room = (high - low) or 1.0
    for row, label in enumerate(labels):
        value = panel.values[label]
        if not is_number(value):
            ax.text(panel.base, row, " not assessed", va="center", color=MUTED, fontsize=8.5)
            continue
        end = value if cap is None else min(value, cap)
        ax.barh(row, end - panel.base, left=panel.base, height=0.56, color=palette[label])
        if end < value:
            # Two white cuts say that the bar goes on.
            for share in (0.9, 0.94):
                at = panel.base + share * (end - panel.base)
                ax.plot([at - 0.015 * room, at + 0.015 * room], [row + 0.36, row - 0.36],
                        color="white", linewidth=1.6, zorder=3)  # fmt: skip
        _headroom_value(ax, panel, label, row, end, room)
    if is_number(panel.bound):
        limit_line(ax, panel.bound, horizontal=False)
    left = panel.downward
    ax.set_xlim(low - (0.75 * room if left else 0), high + (0.02 if left else 0.65) * room)
    name = f"limit {panel.bound:g}" if is_number(panel.bound) else "no limit set"
    name += "   † not assessed" if panel.unjudged else ""
    ax.set_title(panel.title, pad=16, fontsize=9.5)
    ax.text(
        0, 1.02, name, transform=ax.transAxes, fontsize=8.5, va="bottom",
        color=LIMIT if is_number(panel.bound) else MUTED,
    )  # fmt: skip
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.axvline(panel.base, color="#aab2bb", linewidth=0.8)


def _cap(panel: _Panel) -> float | None:
    """Return where bars are cut, so that one far outlier does not flatten the others."""
    top = ceiling([value - panel.base for value in panel.values.values()],
                  panel.bound - panel.base if is_number(panel.bound) else 0.0)  # fmt: skip
    return None if top is None else panel.base + top


def _headroom_value(ax: Axes, panel: _Panel, label: str, row: int, end: float, room: float) -> None:
    """Write the value at the end of its bar, beyond the limit's line where it would lie on it."""
    value, over = panel.values[label], panel.over(label)
    text = f"{value:.1f}" if panel.unit == "percent" else number(value, panel.unit)
    if over and panel.hours[label] > 0:
        text += f"  {number(panel.hours[label], 'h')} h"
    text += "†" if label in panel.unjudged and not over else ""
    reach = room * (LABEL_GAP + LABEL_LETTER * len(text))
    if is_number(panel.bound) and 0 <= (panel.bound - end) * (-1 if panel.downward else 1) < reach:
        end = panel.bound
    ax.annotate(
        text, (end, row), xytext=(-4 if panel.downward else 4, 0), textcoords="offset points",
        ha="right" if panel.downward else "left", va="center", fontsize=8.8, zorder=5,
        color=LIMIT if over else INK, fontweight="bold" if over else "normal",
        bbox={"facecolor": "white", "alpha": 1.0, "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip
