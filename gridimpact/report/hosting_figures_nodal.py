"""What each connection alone may take or feed: on the map and as bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from gridimpact.errors import InputError
from gridimpact.records import FloatArray, ScanResult
from gridimpact.report import hosting_view as view
from gridimpact.report.drawing import cell_colour, legend_above, new_figure, short, styled
from gridimpact.report.figures_map import layout
from gridimpact.report.findings import sentence
from gridimpact.report.hosting_words import power_words
from gridimpact.report.style import INK, MUTED

_TONES = ("#4a0d2b", "#a11d33", "#d9602b", "#f0a04b", "#f2d98d", "#dfe9f0", "#9cc3dd")
"""Dark where little is left: told apart by lightness alone."""
_LINE = "#c6ccd3"
_NAMED_BARS = 60
"""Connections beyond which bars carry no names."""


def _of_direction(result: ScanResult, direction: str, what: str) -> pd.DataFrame:
    frame = view.needed(result, "nodal", what)
    own = frame[frame["direction"].astype(str) == direction]
    if not len(own):
        known = ", ".join(dict.fromkeys(frame["direction"].astype(str)))
        message = (
            f"{what}: direction {direction!r} was not studied, the scan holds {known} -> run "
            f"hosting_capacity(study, method='nodal', direction={direction!r})"
        )
        raise InputError(message)
    return own


@styled
def nodal_map(result: ScanResult, direction: str = "import") -> Figure:
    """Draw the network with the power [kW] each connection alone may take or feed.

    Parameters
    ----------
    result : ScanResult
        A finished scan with a table of connections.
    direction : str
        "import" or "export".

    Returns
    -------
    matplotlib.figure.Figure
        Connections coloured by power, dark where it is least; squares where no limit was reached; the least is
        ringed.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no connections, not this direction, or the network no coordinates.
    """
    frame = _of_direction(result, direction, "nodal_map")
    grid = result.network.grid
    xy, aspect = layout(grid)
    points = frame[["x", "y"]].to_numpy(dtype=np.float64)
    power = frame["capacity_kw"].to_numpy(dtype=np.float64)
    placed = np.isfinite(points).all(axis=1) & np.isfinite(power)
    if not placed.any():
        message = (
            "nodal_map: no connection has coordinates and a power -> draw plot.nodal() instead"
        )
        raise InputError(message)
    drawn = new_figure(_height(xy, aspect))
    ax = drawn.subplots()
    pieces = np.stack([xy[grid.line_from], xy[grid.line_to]], axis=1)
    pieces = pieces[np.isfinite(pieces).all(axis=(1, 2))]
    ax.add_collection(LineCollection(list(pieces), colors=_LINE, linewidths=1.1, zorder=1))
    _transformers(ax, xy[grid.transformer_lv])
    norm, colours = _scale(power[placed])
    reached = frame["reached"].to_numpy(dtype=np.bool_)
    size = float(np.clip(2600 / max(int(placed.sum()), 1), 12, 62))
    for mask, marker in ((placed & reached, "o"), (placed & ~reached, "s")):
        if mask.any():
            ax.scatter(
                points[mask, 0], points[mask, 1], s=size, marker=marker, zorder=4, linewidths=0.5,
                edgecolors="#4a5460", color=colours(norm(power[mask])),
            )  # fmt: skip
    _ring_least(ax, frame, points, np.where(placed, power, np.inf), result)
    ax.set_aspect(aspect, adjustable="datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.margins(0.06)
    _key(drawn, ax, norm, colours, direction, bool((placed & ~reached).any()))
    return drawn


def _height(xy: FloatArray, aspect: float) -> float:
    """Return the height [in] that a network's shape asks for, within that of other maps."""
    known = xy[np.isfinite(xy).all(axis=1)]
    wide, high = np.ptp(known, axis=0) if len(known) else (1.0, 1.0)
    return float(np.clip(1.4 + 9.0 * high * aspect / max(wide, 1e-12), 2.4, 5.6))


def _transformers(ax: Axes, at: FloatArray) -> None:
    ax.scatter(
        at[:, 0],
        at[:, 1],
        marker="D",
        s=46,
        zorder=3,
        color="white",
        edgecolors=INK,
        linewidths=1.3,
    )


def _scale(power: FloatArray) -> tuple[BoundaryNorm, ListedColormap]:
    """Return steps of colour at round powers."""
    low, high = float(power.min()), float(power.max())
    if high - low < 1e-6 * max(high, 1.0):
        low, high = low - 0.5, high + 0.5
    edges = np.asarray(
        MaxNLocator(nbins=len(_TONES), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    )
    edges = edges[
        np.searchsorted(edges, low, "right") - 1 : np.searchsorted(edges, high, "left") + 1
    ]
    count = len(edges) - 1
    picked = [_TONES[k] for k in np.linspace(0, len(_TONES) - 1, count).round().astype(int)]
    return BoundaryNorm(edges, count, clip=True), ListedColormap(picked)


def _ring_least(
    ax: Axes, frame: pd.DataFrame, points: FloatArray, power: FloatArray, result: ScanResult
) -> None:
    least = int(np.argmin(power))
    row = frame.iloc[least]
    ax.plot(*points[least], "o", ms=16, mfc="none", mec=INK, mew=1.6, zorder=6)
    kind = view.text_of(row["binding"])
    why = f", {view.limit_words(kind)}" if kind else ""
    name = short(" ".join((view.text_of(row["name"]) or str(row["site_id"])).split()), 30)
    feeder = int(row["feeder"])
    where = f", feeder {feeder}" if feeder > 0 else ""
    ax.set_title(
        f"least, ringed: {name}{where}, {power_words(power[least])} kW{why}", fontweight="normal"
    )


def _key(
    drawn: Figure,
    ax: Axes,
    norm: BoundaryNorm,
    colours: ListedColormap,
    direction: str,
    squares: bool,
) -> None:
    bar = drawn.colorbar(
        ScalarMappable(norm, colours), ax=ax, location="bottom", aspect=46, shrink=0.7, pad=0.02,
        spacing="uniform", drawedges=True,
    )  # fmt: skip
    bar.set_ticks(norm.boundaries, labels=[f"{edge:g}" for edge in norm.boundaries])
    verb = "take" if direction == "import" else "feed"
    text = f"power each connection alone may {verb} [kW]; diamond: transformer"
    bar.set_label(text + ("; square: no limit reached" if squares else ""), color=MUTED, fontsize=9)
    bar.outline.set_visible(False)
    bar.dividers.set_color("white")
    bar.ax.tick_params(length=0, labelsize=8.5)


@styled
def nodal(result: ScanResult, by: str = "capacity") -> Figure:
    """Draw the power [kW] of each connection as bars, sorted by capacity or by distance.

    Parameters
    ----------
    result : ScanResult
        A finished scan with a table of connections.
    by : str
        "capacity" (least first) or "distance" (from the busbar).

    Returns
    -------
    matplotlib.figure.Figure
        One panel by direction, bars coloured and hatched by the limit that binds; pale where none was
        reached.

    Raises
    ------
    gridimpact.errors.InputError
        Where the scan holds no connections, or `by` is neither of the two.
    """
    frame = view.needed(result, "nodal", "nodal")
    if by not in ("capacity", "distance"):
        message = f"nodal: by is {by!r} -> choose 'capacity' or 'distance'"
        raise InputError(message)
    directions = list(dict.fromkeys(frame["direction"].astype(str)))
    drawn = new_figure(0.9 + 2.6 * len(directions))
    grid = drawn.subplots(len(directions), 1, squeeze=False)[:, 0]
    kinds = [k for k in dict.fromkeys(frame["binding"].astype(str)) if k and k != "nan"]
    for ax, direction in zip(grid, directions, strict=True):
        column = "capacity_kw" if by == "capacity" else "distance_m"
        own = frame[frame["direction"].astype(str) == direction].sort_values(column, kind="stable")
        _bars(ax, own, by)
        ax.set_title(f"{sentence(direction)}, each connection alone")
    named = len(frame) <= _NAMED_BARS * len(directions)
    how = "least first" if by == "capacity" else "nearest the busbar first, metres below"
    grid[-1].set_xlabel(f"connections, {how}" if named else f"{len(frame)} connections, {how}")
    handles = [Patch(**_style(kind, reached=True)) for kind in kinds]
    names = [sentence(view.limit_words(kind)) for kind in kinds]
    if not frame["reached"].astype(bool).all():
        handles.append(Patch(**_style("", reached=False)))
        names.append("no limit reached")
    legend_above(drawn, handles, names)
    return drawn


def _style(kind: str, *, reached: bool) -> dict[str, object]:
    if not reached:
        return {"facecolor": "white", "edgecolor": MUTED, "linewidth": 0.8}
    colour = view.LIMIT_COLOURS.get(kind, MUTED)
    hatch = "///" if kind not in ("voltage", "") else ""
    return {
        "facecolor": cell_colour(colour, 0.8),
        "edgecolor": "white",
        "hatch": hatch,
        "linewidth": 0.3,
    }


def _bars(ax: Axes, own: pd.DataFrame, by: str) -> None:
    power = own["capacity_kw"].to_numpy(dtype=np.float64)
    rows = zip(power, own["binding"].astype(str), own["reached"].astype(bool), strict=True)
    for place, (value, kind, reached) in enumerate(rows):
        if np.isfinite(value):
            ax.bar(place, value, width=0.82, **_style(kind, reached=reached))
    ax.set_xlim(-0.8, len(own) - 0.2)
    ax.set_ylabel("power [kW]")
    if len(own) > _NAMED_BARS:
        ax.set_xticks([])
        return
    texts = (
        [f"{value:.0f}" for value in own["distance_m"].astype(float)]
        if by == "distance"
        else [
            short(view.text_of(n) or str(s), 12)
            for n, s in zip(own["name"], own["site_id"], strict=True)
        ]
    )
    ax.set_xticks(range(len(own)), texts, rotation=90, fontsize=7.5)
    ax.tick_params(axis="x", length=0)
