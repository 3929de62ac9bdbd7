"""The figure of voltage by metres from the busbar, per feeder and phase, at the worst step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from gridimpact.records import BoolArray, FloatArray, Grid, StudyResult
from gridimpact.report import view
from gridimpact.report.choice import compared
from gridimpact.report.drawing import empty, limit_line, new_figure, short, spread, styled
from gridimpact.report.style import INK, LIMIT, MUTED, NO_EV, display_name, is_number
from gridimpact.report.voltage import Band, Departure, band, departures

_GREY = "#c6ccd3"
_TOGETHER_PU = 5e-4
PHASE_COLOURS = {"a": "#a4531a", "b": "#1f2a37", "c": "#2a7f9e"}
"""Brown, black and blue: apart also for those who see few colours."""


@styled
def voltage_profile(result: StudyResult) -> Figure:
    """Draw the voltage by metres from the busbar at the worst step of each strategy.

    Returns
    -------
    matplotlib.figure.Figure
        No added EV, uncontrolled and recommended; the three feeders with the worst voltage in
        colour and named, the others grey; the limit band shaded. Counted steps only. In three
        phases each phase has a colour of its own.
    """
    labels = view.strategies(result)
    shown = [label for label in (NO_EV, *compared(result)) if label in labels]
    moments = _moments(result, shown)
    shown = list(moments)
    if not shown:
        return empty("Voltage was not assessed.")
    drawn = new_figure(4.0)
    axes = drawn.subplots(1, len(shown), sharey=True, sharex=True, squeeze=False)[0]
    axes[0].set_ylim(_voltage_range(result, moments))
    for ax, label in zip(axes, shown, strict=True):
        _band(ax, band(result), moments[label].busbar_pu)
        _profile_panel(result, ax, label, moments[label])
    axes[0].set_ylabel("voltage [pu]")
    if view.three_phase(result):
        names = [
            Line2D([], [], color=tone, label=f"phase {p}") for p, tone in PHASE_COLOURS.items()
        ]
        drawn.legend(
            handles=names, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5
        )
    return drawn


def _moments(result: StudyResult, labels: Sequence[str]) -> dict[str, Departure]:
    """Return each strategy's worst voltage on the side of the band that binds most of all."""
    found = {label: departures(result, label) for label in labels}
    sides = [
        {label: pair[side] for label, pair in found.items() if pair[side] is not None}
        for side in (0, 1)
    ]
    use = [
        max((float(np.nan_to_num(one.use)) for one in side.values() if one), default=0.0)
        for side in sides
    ]
    chosen = sides[1] if use[1] > use[0] else sides[0]
    return {label: one for label, one in chosen.items() if one is not None}


def _voltage_range(result: StudyResult, moments: Mapping[str, Departure]) -> tuple[float, float]:
    """Return the range that holds the bands and every voltage drawn."""
    ends: list[float] = []
    for label, worst in moments.items():
        vm = _at_step(result, label, worst.step)[_same_supply(result, worst.position)]
        ends += [float(np.nanmin(vm)), float(np.nanmax(vm))]
        ends += [bound for bound in band(result).bounds(worst.busbar_pu) if is_number(bound)]
    pad = 0.12 * (max(ends) - min(ends) or 0.01)
    return min(ends) - pad, max(ends) + pad


def _same_supply(result: StudyResult, position: int) -> BoolArray:
    """Return the buses behind the transformer that supplies one of them."""
    grid = result.network.grid
    part = view.network_buses(result) & np.isfinite(grid.bus_distance_m)
    supply = np.asarray(grid.bus_transformer)
    return np.asarray(part & (supply == supply[position]), dtype=np.bool_)


def _profile_panel(result: StudyResult, ax: Axes, label: str, worst: Departure) -> None:
    grid = result.network.grid
    part = _same_supply(result, worst.position)
    by_phase = _at_step(result, label, worst.step)
    colour = view.colours(result)[label]
    low = worst.vm_pu < worst.busbar_pu
    # The furthest phase of each bus says which feeders are the worst.
    furthest = (np.fmin if low else np.fmax).reduce(by_phase, axis=1)
    feeders = _worst_feeders(grid, furthest, part, low=low)
    x, y = np.asarray(grid.bus_distance_m), by_phase[:, max(worst.phase, 0)]
    tones = [colour] if by_phase.shape[1] == 1 else list(PHASE_COLOURS.values())
    for values in by_phase.T:
        _draw_feeders(ax, grid, values, part & ~np.isin(grid.bus_feeder, feeders), _GREY)
    for values, tone in zip(by_phase.T, tones, strict=True):
        _draw_feeders(ax, grid, values, part & np.isin(grid.bus_feeder, feeders), tone)
    _name_feeders(grid, ax, by_phase, part, feeders, low=low)
    ax.plot(x[worst.position], y[worst.position], "o", ms=8, mfc="none", mec=INK, mew=1.2, zorder=5)
    when = view.moment(result.dataset["time"].values[worst.step], view.zone(result))
    ax.set_title(display_name(label), color=colour, pad=17)
    name = view.element_names(result, "bus")[worst.position]
    place = f"{short(name)}{view.phase_words(worst.phase)}"
    ax.text(
        0, 1.02, f"{when}, {place} {worst.vm_pu:.3f}", transform=ax.transAxes, color=MUTED,
        fontsize=8.5, va="bottom",
    )  # fmt: skip
    ax.set_xlabel("metres from the busbar")
    room = 1.22 if by_phase.shape[1] == 1 else 1.5
    ax.set_xlim(0, max(float(np.nanmax(x[part])), 1.0) * room)


def _at_step(result: StudyResult, label: str, step: int) -> FloatArray:
    """Return the voltages of one step, (bus, phase), one phase where the three are one."""
    vm = view.values(result, "vm_pu", label, slice(step, step + 1))[0]
    return np.asarray(vm.reshape(len(vm), -1), dtype=np.float64)


def _draw_feeders(ax: Axes, grid: Grid, values: FloatArray, buses: BoolArray, tone: str) -> None:
    """Draw the lines that end at some buses, and the buses themselves."""
    x, width = np.asarray(grid.bus_distance_m), 0.9 if tone == _GREY else 1.7
    owner = np.where(
        grid.bus_feeder[grid.line_from] > grid.bus_feeder[grid.line_to],
        grid.line_from,
        grid.line_to,
    )
    ends = np.isfinite(x[grid.line_from] + x[grid.line_to])
    pick = buses[owner] & ends
    pieces = np.stack(
        [
            np.column_stack([x[end[pick]], values[end[pick]]])
            for end in (grid.line_from, grid.line_to)
        ],
        axis=1,
    )
    ax.add_collection(LineCollection(list(pieces), colors=tone, linewidths=width, zorder=3))
    ax.scatter(x[buses], values[buses], s=5, color=tone, zorder=3.5, linewidths=0)


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
    grid: Grid,
    ax: Axes,
    by_phase: FloatArray,
    part: BoolArray,
    feeders: NDArray[np.int64],
    *,
    low: bool,
) -> None:
    """Write each coloured feeder's number at the far end of its worst phase, apart from others."""
    distance = np.asarray(grid.bus_distance_m)
    names, ends, tones = [], [], []
    for number in feeders:
        own = np.flatnonzero(part & (grid.bus_feeder == number))
        vm = by_phase[own]
        if not np.isfinite(vm).any():
            continue
        extreme = np.nanargmin(vm) if low else np.nanargmax(vm)
        phase = int(np.unravel_index(extreme, vm.shape)[1])
        known = own[np.isfinite(vm[:, phase])]
        end = known[np.argmax(distance[known])]
        # Where the phases run together, naming one would tell nothing.
        single = float(np.ptp(by_phase[end])) < _TOGETHER_PU
        names.append(f"feeder {number}{'' if single else view.phase_words(phase)}")
        tones.append(INK if single else list(PHASE_COLOURS.values())[phase])
        ends.append((float(distance[end]), float(by_phase[end, phase])))
    bottom, top = ax.get_ylim()
    heights = spread([y for _, y in ends], 0.05 * (top - bottom))
    place = float(np.nanmax(distance[part])) * 1.03
    for name, end, tone, y in zip(names, ends, tones, heights, strict=True):
        ax.annotate(
            name, end, xytext=(place, y), va="center", fontsize=8.5, color=tone,
            arrowprops={"arrowstyle": "-", "color": _GREY, "linewidth": 0.6, "shrinkA": 0},
        )  # fmt: skip


def _band(ax: Axes, limits: Band, busbar_pu: float) -> None:
    """Draw both limits at this moment and shade what lies outside them."""
    words = (limits.drop, "% below"), (limits.rise, "% above")
    for bound, beyond, (share, side) in zip(
        limits.bounds(busbar_pu), ax.get_ylim(), words, strict=True
    ):
        if not is_number(bound):
            continue
        text = f"{share * 100:g} {side} the busbar" if limits.relative else f"limit {bound:.3f}"
        limit_line(ax, bound, text, place=0.01, below=beyond < bound)
        ax.axhspan(min(bound, beyond), max(bound, beyond), color=LIMIT, alpha=0.05, lw=0, zorder=0)
