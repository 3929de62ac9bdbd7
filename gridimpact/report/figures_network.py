"""Figures of the network: voltage by distance from the busbar, and the two maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gridimpact.records import BoolArray, FloatArray, Grid, StudyResult
from gridimpact.report import view
from gridimpact.report.choice import Binding, binding, choose
from gridimpact.report.drawing import empty, limit_line, new_figure, spread, styled
from gridimpact.report.style import INK, LIMIT, MUTED, NO_EV, UNCONTROLLED, display_name, is_number

_GREY = "#c6ccd3"
_LOADING_BINS = (0, 25, 50, 80, 100, 120)
_LOADING_COLOURS = ("#cfd6dd", "#f2d98d", "#f0a04b", "#d9602b", "#a11d33", "#4a0d2b")
_VOLTAGE_COLOURS = ("#35106b", "#5a9fce", "#bfdcee", "#f4f6f8", "#b5dfc0", "#00674f")


def _compared(result: StudyResult) -> list[str]:
    """Return uncontrolled and recommended, as far as they were run."""
    labels = view.strategies(result)
    wanted = [UNCONTROLLED, choose(result).recommended]
    found = [label for label in wanted if label in labels and label is not None]
    return found or labels[:1]


@styled
def voltage_profile(result: StudyResult) -> Figure:
    """Draw the voltage by metres from the busbar at the worst step of each strategy.

    Returns
    -------
    matplotlib.figure.Figure
        No added EV, uncontrolled and recommended; the three feeders with the worst voltage in
        colour and named, the others grey; the limit band shaded. Counted steps only.
    """
    labels = view.strategies(result)
    shown = [label for label in (NO_EV, *_compared(result)) if label in labels]
    found = {label: _voltage_moment(result, label) for label in shown}
    moments = {label: worst for label, worst in found.items() if worst is not None}
    shown = list(moments)
    if not shown:
        return empty("Voltage was not assessed.")
    drawn = new_figure(4.0)
    axes = drawn.subplots(1, len(shown), sharey=True, sharex=True, squeeze=False)[0]
    band = (view.limit(result, "vm_min_pu"), view.limit(result, "vm_max_pu"))
    axes[0].set_ylim(_voltage_range(result, moments, band))
    for place, (ax, label) in enumerate(zip(axes, shown, strict=True)):
        _band(ax, band, named=place == 0)
        _profile_panel(result, ax, label, moments[label])
    axes[0].set_ylabel("voltage [pu]")
    return drawn


def _voltage_range(
    result: StudyResult, moments: Mapping[str, view.Worst], band: tuple[float, float]
) -> tuple[float, float]:
    """Return the range that holds the band and every voltage drawn."""
    ends = [bound for bound in band if is_number(bound)]
    for label, worst in moments.items():
        vm = view.values(result, "vm_pu", label)[worst.step][_same_supply(result, worst.position)]
        ends += [float(np.nanmin(vm)), float(np.nanmax(vm))]
    pad = 0.12 * (max(ends) - min(ends) or 0.01)
    return min(ends) - pad, max(ends) + pad


def _voltage_moment(result: StudyResult, label: str) -> view.Worst | None:
    """Return the moment nearest to, or furthest beyond, either limit."""
    low = view.worst(result, "vm_pu", label, lowest=True)
    high = view.worst(result, "vm_pu", label)
    if low is None or high is None:
        return None
    down, up = view.limit(result, "vm_min_pu"), view.limit(result, "vm_max_pu")
    if not (is_number(down) and is_number(up)):
        return low
    return low if (low.value - 1) / (down - 1) >= (high.value - 1) / (up - 1) else high


def _same_supply(result: StudyResult, position: int) -> BoolArray:
    """Return the buses behind the transformer that supplies one of them."""
    grid = result.network.grid
    part = view.network_buses(result) & np.isfinite(grid.bus_distance_m)
    supply = np.asarray(grid.bus_transformer)
    return np.asarray(part & (supply == supply[position]), dtype=np.bool_)


def _profile_panel(result: StudyResult, ax: Axes, label: str, worst: view.Worst) -> None:
    grid = result.network.grid
    part = _same_supply(result, worst.position)
    vm = view.values(result, "vm_pu", label)[worst.step]
    colour = view.colours(result)[label]
    feeders = _worst_feeders(grid, vm, part, low=vm[worst.position] < 1)
    both = part[grid.line_from] & part[grid.line_to]
    owner = np.maximum(grid.bus_feeder[grid.line_from], grid.bus_feeder[grid.line_to])
    x, y = np.asarray(grid.bus_distance_m), vm
    for chosen, tone, width in ((False, _GREY, 0.9), (True, colour, 1.7)):
        pick = both & (np.isin(owner, feeders) == chosen)
        pieces = np.stack(
            [
                np.column_stack([x[grid.line_from[pick]], y[grid.line_from[pick]]]),
                np.column_stack([x[grid.line_to[pick]], y[grid.line_to[pick]]]),
            ],
            axis=1,
        )
        ax.add_collection(LineCollection(list(pieces), colors=tone, linewidths=width, zorder=3))
        dots = part & (np.isin(grid.bus_feeder, feeders) == chosen)
        ax.scatter(x[dots], y[dots], s=5, color=tone, zorder=3.5, linewidths=0)
    _name_feeders(result, ax, vm, part, feeders)
    ax.plot(x[worst.position], y[worst.position], "o", ms=8, mfc="none", mec=INK, mew=1.2, zorder=5)
    when = view.moment(result.dataset["time"].values[worst.step], view.zone(result))
    ax.set_title(display_name(label), color=colour, pad=17)
    name = view.element_names(result, "bus")[worst.position]
    ax.text(
        0, 1.02, f"{when}, {_short(name)} {worst.value:.3f}", transform=ax.transAxes, color=MUTED,
        fontsize=8.5, va="bottom",
    )  # fmt: skip
    ax.set_xlabel("metres from the busbar")
    ax.set_xlim(0, float(np.nanmax(x[part])) * 1.22)


def _short(text: str, width: int = 18) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _worst_feeders(grid: Grid, vm: FloatArray, part: BoolArray, *, low: bool) -> NDArray[np.int64]:
    """Return up to three feeders with the worst voltage."""
    numbers = np.unique(grid.bus_feeder[part & (grid.bus_feeder > 0)])
    extreme = [
        (np.nanmin if low else np.nanmax)(vm[part & (grid.bus_feeder == number)])
        for number in numbers
    ]
    order = np.argsort(extreme if low else -np.asarray(extreme))
    return np.asarray(numbers[order[:3]], dtype=np.int64)


def _name_feeders(
    result: StudyResult, ax: Axes, vm: FloatArray, part: BoolArray, feeders: NDArray[np.int64]
) -> None:
    """Write each coloured feeder's number at its far end, apart from one another."""
    grid = result.network.grid
    ends = []
    for number in feeders:
        own = np.flatnonzero(part & (grid.bus_feeder == number))
        ends.append(own[np.argmax(np.asarray(grid.bus_distance_m)[own])])
    height = [float(vm[end]) for end in ends]
    low, high = ax.get_ylim()
    for end, number, y in zip(ends, feeders, spread(height, 0.05 * (high - low)), strict=True):
        ax.annotate(
            f"feeder {number}",
            (float(grid.bus_distance_m[end]), float(vm[end])),
            xytext=(float(np.nanmax(np.asarray(grid.bus_distance_m)[part])) * 1.03, y),
            va="center",
            fontsize=8.5,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": _GREY, "linewidth": 0.6, "shrinkA": 0},
        )


def _band(ax: Axes, band: tuple[float, float], *, named: bool) -> None:
    """Draw both limits and shade what lies outside them."""
    for bound, beyond in zip(band, ax.get_ylim(), strict=True):
        if not is_number(bound):
            continue
        limit_line(ax, bound, f"limit {bound:.3f}" if named else "", place=0.01)
        ax.axhspan(min(bound, beyond), max(bound, beyond), color=LIMIT, alpha=0.05, lw=0, zorder=0)


@dataclass(frozen=True)
class _Scales:
    """Colour scales of a map."""

    loading: ListedColormap
    loading_norm: BoundaryNorm
    voltage: ListedColormap
    voltage_norm: BoundaryNorm


def _scales(result: StudyResult) -> _Scales:
    low, high = view.limit(result, "vm_min_pu"), view.limit(result, "vm_max_pu")
    low = low if is_number(low) and low < 0.995 else 0.95
    high = high if is_number(high) and high > 1.005 else 1.05
    steps = [low - (1 - low) * 0.6, low, (1 + low) / 2, 0.995, 1.005, high, high + (high - 1) * 0.6]
    top = _LOADING_BINS[-1] + 30
    return _Scales(
        ListedColormap(list(_LOADING_COLOURS)),
        BoundaryNorm([*_LOADING_BINS, top], len(_LOADING_COLOURS), clip=True),
        ListedColormap(list(_VOLTAGE_COLOURS)),
        BoundaryNorm(steps, len(_VOLTAGE_COLOURS), clip=True),
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
    shown = _compared(result)
    scales = _scales(result)
    xy, aspect = _layout(result.network.grid)
    if not np.isfinite(xy).any():
        return empty("The network has no coordinates.")
    drawn = new_figure(5.6)
    axes = drawn.subplots(1, len(shown), squeeze=False)[0]
    for ax, label in zip(axes, shown, strict=True):
        _map_panel(result, ax, label, xy, scales)
        ax.set_aspect(aspect, adjustable="datalim")
        ax.set_title(display_name(label), color=view.colours(result)[label], loc="left")
    _map_keys(drawn, axes, scales)
    return drawn


def _layout(grid: Grid) -> tuple[FloatArray, float]:
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
    thick = 1.0 + 2.2 * np.clip(np.nan_to_num(loading[order]) / 100, 0, 1.2)
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
    worst_vm = _furthest(view.counted_values(result, "vm_pu", label))
    ax.scatter(
        xy[shown, 0], xy[shown, 1], s=_dot(int(shown.sum())), zorder=3, linewidths=0.45,
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


def _furthest(vm: FloatArray) -> FloatArray:
    """Return the voltage furthest from nominal over time."""
    away = np.nan_to_num(np.abs(vm - 1), nan=-1.0)
    return np.asarray(np.take_along_axis(vm, away.argmax(axis=0)[None], axis=0)[0])


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
    over = found.use > 1
    value = f"{found.value:.3f} pu" if found.kind == "bus" else f"{found.value:.0f} %"
    ax.plot(*at, "o", ms=17, mfc="none", mec=LIMIT if over else INK, mew=1.8, zorder=6,
            clip_on=False)  # fmt: skip
    # The words lean towards the middle of the map, where they stay inside it.
    left, down = (at > np.nanmean(xy, axis=0)).tolist()
    ax.annotate(
        f"{_short(found.name, 24)}\n{value}, limit {found.bound:g}", tuple(at),
        xytext=(-14 if left else 14, -10 if down else 10), textcoords="offset points",
        ha="right" if left else "left", va="top" if down else "bottom", fontsize=9, fontweight="bold",
        color=LIMIT if over else INK, zorder=7,
        bbox={"facecolor": "white", "alpha": 0.82, "edgecolor": "none", "pad": 1.5},
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
        (scales.voltage, scales.voltage_norm, "bus: voltage furthest from nominal [pu]", "{:.3f}"),
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
