"""The map of the network: uncontrolled beside recommended, loadings, voltages, what binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from gridimpact.records import FloatArray, Grid, StudyResult
from gridimpact.report import view
from gridimpact.report.choice import Binding, binding, compared
from gridimpact.report.drawing import empty, new_figure, short, styled
from gridimpact.report.style import INK, LIMIT, MUTED, display_name, is_number
from gridimpact.report.voltage import shown_voltage

_GREY = "#c6ccd3"
_LOADING_BINS = (0, 25, 50, 80, 100, 120)
_LOADING_COLOURS = ("#cfd6dd", "#f2d98d", "#f0a04b", "#d9602b", "#a11d33", "#4a0d2b")
_VOLTAGE_COLOURS = ("#35106b", "#5a9fce", "#bfdcee", "#f4f6f8", "#b5dfc0", "#00674f")


@dataclass(frozen=True)
class _Scales:
    """Colour scales of a map."""

    loading: ListedColormap
    loading_norm: BoundaryNorm
    voltage: ListedColormap
    voltage_norm: BoundaryNorm
    voltage_words: str
    voltage_form: str


def _scales(result: StudyResult) -> _Scales:
    _, limits, words = shown_voltage(result, view.strategies(result)[0])
    middle, near, wide = (0.0, 0.5, 5.0) if words.endswith("[%]") else (1.0, 0.005, 0.05)
    low = limits.low if is_number(limits.low) and limits.low < middle - near else middle - wide
    high = limits.high if is_number(limits.high) and limits.high > middle + near else middle + wide
    steps = [
        1.6 * low - 0.6 * middle, low, (middle + low) / 2, middle - near, middle + near, high,
        1.6 * high - 0.6 * middle,
    ]  # fmt: skip
    top = _LOADING_BINS[-1] + 30
    return _Scales(
        ListedColormap(list(_LOADING_COLOURS)),
        BoundaryNorm([*_LOADING_BINS, top], len(_LOADING_COLOURS), clip=True),
        ListedColormap(list(_VOLTAGE_COLOURS)),
        BoundaryNorm(steps, len(_VOLTAGE_COLOURS), clip=True),
        words,
        "{:+.1f}" if words.endswith("[%]") else "{:.3f}",
    )


@styled
def network_map(result: StudyResult) -> Figure:
    """Draw the network under uncontrolled charging beside the recommended strategy.

    Returns
    -------
    matplotlib.figure.Figure
        Each line by its highest loading and each bus by its worst voltage in the counted steps
        (not at one moment); the binding element ringed. Unrated lines are thin and grey.
    """
    shown = compared(result)
    scales = _scales(result)
    xy, aspect = layout(result.network.grid)
    if not np.isfinite(xy).any():
        return empty("The network has no coordinates.")
    drawn = new_figure(5.6)
    axes = drawn.subplots(1, len(shown), squeeze=False)[0]
    for ax, label in zip(axes, shown, strict=True):
        _map_panel(result, ax, label, xy, scales)
        ax.set_aspect(aspect, adjustable="datalim")
        ax.set_title(display_name(label), color=view.colours(result)[label], loc="left", pad=17)
    _map_keys(drawn, axes, scales)
    return drawn


def layout(grid: Grid) -> tuple[FloatArray, float]:
    """Return the places of buses (bus, 2) and the aspect at which metres are square."""
    xy = np.asarray(grid.bus_xy, dtype=np.float64)
    if not grid.bus_geographic or not np.isfinite(xy).any():
        return xy, 1.0
    return xy, 1.0 / max(float(np.cos(np.radians(np.nanmean(xy[:, 1])))), 0.05)


def _map_panel(result: StudyResult, ax: Axes, label: str, xy: FloatArray, scales: _Scales) -> None:
    grid = result.network.grid
    loading = _extreme(view.counted_values(result, "line_loading_percent", label))
    pieces = np.stack([xy[grid.line_from], xy[grid.line_to]], axis=1)
    order = np.argsort(np.nan_to_num(loading, nan=-1.0), kind="stable")
    rated = np.isfinite(loading)[order]
    fine = float(np.clip(18 / np.sqrt(max(len(grid.bus_index), 1)), 0.35, 1.0))
    thick = fine * (1.0 + 2.2 * np.clip(np.nan_to_num(loading[order]) / 100, 0, 1.2))
    ax.add_collection(
        LineCollection(list(pieces[order][~rated]), colors=_GREY, linewidths=0.8, linestyles=":")
    )
    ax.add_collection(
        LineCollection(
            list(pieces[order][rated]), linewidths=thick[rated], zorder=2,
            colors=scales.loading(scales.loading_norm(loading[order][rated])),
        )
    )  # fmt: skip
    shown = view.network_buses(result) & np.isfinite(xy).all(axis=1)
    worst_vm = _furthest(shown_voltage(result, label)[0], scales.voltage_norm)
    ax.scatter(
        xy[shown, 0], xy[shown, 1], s=_dot(int(shown.sum())), zorder=3, linewidths=0.45 * fine,
        edgecolors="#4a5460", color=scales.voltage(scales.voltage_norm(worst_vm[shown])),
    )  # fmt: skip
    heavy = _extreme(view.counted_values(result, "transformer_loading_percent", label))
    at = xy[grid.transformer_lv]
    ax.scatter(
        at[:, 0], at[:, 1], marker="s", s=62, zorder=4, linewidths=1.0, edgecolors=INK,
        color=scales.loading(scales.loading_norm(np.nan_to_num(heavy))),
    )  # fmt: skip
    found = binding(result, label)
    if found is not None:
        _ring(result, ax, found, xy)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.margins(0.07)
    ax.autoscale_view()


def _dot(count: int) -> float:
    return float(np.clip(1700 / max(count, 1), 3, 26))


def _extreme(values: FloatArray) -> FloatArray:
    """Return the highest value over time, NaN where there is none."""
    some = np.isfinite(values).any(axis=0)
    highest: FloatArray = np.where(some, np.max(np.nan_to_num(values, nan=-np.inf), axis=0), np.nan)
    return highest


def _furthest(values: FloatArray, norm: BoundaryNorm) -> FloatArray:
    """Return the value over time that uses most of its side of the band, which ends the scale."""
    low, high = norm.boundaries[1], norm.boundaries[-2]
    middle = (norm.boundaries[3] + norm.boundaries[4]) / 2
    away = values - middle
    use = np.nan_to_num(np.maximum(away / (high - middle), away / (low - middle)), nan=-1.0)
    return np.asarray(np.take_along_axis(values, use.argmax(axis=0)[None], axis=0)[0])


def _ring(result: StudyResult, ax: Axes, found: Binding, xy: FloatArray) -> None:
    grid = result.network.grid
    if found.kind == "bus":
        at = xy[found.position]
    elif found.kind == "transformer":
        at = xy[grid.transformer_lv[found.position]]
    else:
        at = (xy[grid.line_from[found.position]] + xy[grid.line_to[found.position]]) / 2
    if not np.isfinite(at).all():
        return
    tone = LIMIT if found.use > 1 else INK
    ax.plot(*at, "o", ms=17, mfc="none", mec=tone, mew=1.8, zorder=6, clip_on=False)
    ax.text(
        0, 1.01, f"ringed: {short(found.name, 24)}, {found.words}", transform=ax.transAxes,
        color=tone, fontsize=8.8, va="bottom",
    )  # fmt: skip


def _map_keys(drawn: Figure, axes: Sequence[Axes], scales: _Scales) -> None:
    """Put both colour scales beneath the maps."""
    parts = (
        (
            scales.loading,
            scales.loading_norm,
            "line and transformer: highest loading [%]",
            "{:.0f}",
        ),
        (scales.voltage, scales.voltage_norm, f"bus: {scales.voltage_words}", scales.voltage_form),
    )
    for place, (colours, norm, text, form) in enumerate(parts):
        bar = drawn.colorbar(
            ScalarMappable(norm, colours), ax=list(axes) if len(axes) == 1 else axes[place],
            location="bottom", aspect=38, shrink=0.86, pad=0.02, extend="neither",
            spacing="uniform", drawedges=True,
        )  # fmt: skip
        inner = norm.boundaries[1:-1]
        bar.set_ticks(inner, labels=[form.format(value) for value in inner])
        bar.set_label(text, color=MUTED, fontsize=9)
        bar.outline.set_visible(False)
        bar.dividers.set_color("white")
        bar.ax.tick_params(length=0, labelsize=8.5)
