"""The figures of a hosting scan in the order of its page; the drawing library is imported at first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridimpact.records import ScanResult
from gridimpact.report import hosting_view as view

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def capacity(result: ScanResult) -> Figure:
    """Draw the capacity of each strategy with its interval, managed and with control lost."""
    from gridimpact.report import hosting_figures_risk

    return hosting_figures_risk.capacity(result)


def risk_curve(result: ScanResult, limit: str = "all", control: str = "managed") -> Figure:
    """Draw the probability of a violation by number of cars, with bands and the capacity at risk."""
    from gridimpact.report import hosting_figures_risk

    return hosting_figures_risk.risk_curve(result, limit, control)


def binding(result: ScanResult) -> Figure:
    """Draw which limit breaks first, in which share of draws, by strategy."""
    from gridimpact.report import hosting_figures_limits

    return hosting_figures_limits.binding(result)


def limits(result: ScanResult, strategy: str | None = None) -> Figure:
    """Draw the worst value against each limit over all draws, by number of cars, of one strategy."""
    from gridimpact.report import hosting_figures_limits

    return hosting_figures_limits.limits(result, strategy)


def feeders(result: ScanResult) -> Figure:
    """Draw green, yellow and red numbers of cars for each feeder and strategy."""
    from gridimpact.report import hosting_figures_feeders

    return hosting_figures_feeders.feeders(result)


def nodal_map(result: ScanResult, direction: str = "import") -> Figure:
    """Draw the network with the power [kW] each connection alone may take or feed."""
    from gridimpact.report import hosting_figures_nodal

    return hosting_figures_nodal.nodal_map(result, direction)


def nodal(result: ScanResult, by: str = "capacity") -> Figure:
    """Draw the power [kW] of each connection, sorted by capacity or by distance."""
    from gridimpact.report import hosting_figures_nodal

    return hosting_figures_nodal.nodal(result, by)


def pairs(result: ScanResult) -> Figure:
    """Draw the cars gained over uncontrolled charging in the same draw, as a distribution."""
    from gridimpact.report import hosting_figures_pairs

    return hosting_figures_pairs.pairs(result)


def mitigation(result: ScanResult) -> Figure:
    """Draw cars gained and cost of each measure."""
    from gridimpact.report import hosting_figures_pairs

    return hosting_figures_pairs.mitigation(result)


@dataclass(frozen=True, slots=True)
class HostingDrawing:
    """One figure of the page: name, heading, caption, table it needs and how it is drawn."""

    name: str
    heading: str
    caption: str
    table: str
    draw: Callable[[ScanResult], Any]


def _import_map(result: ScanResult) -> Figure:
    """Draw the map of the first direction the scan holds."""
    known = list(dict.fromkeys(result.nodal["direction"].astype(str)))
    return nodal_map(result, "import" if "import" in known else known[0])


FIGURES: tuple[HostingDrawing, ...] = (
    HostingDrawing(
        "capacity",
        "How many cars, under which strategy",
        "Cars at the accepted risk with their interval: filled with the strategy's control working, hollow with "
        "it lost. Thin marks: the lowest number at which any draw breaks a limit and the highest at which any "
        "still passes, left out where that is ≥ the highest scanned. An arrow: not reached with the numbers "
        "scanned. [a to ?]: not known upward.",
        "capacity",
        capacity,
    ),
    HostingDrawing(
        "risk_curve",
        "How the risk grows with the number of cars",
        "Share of draws that break any limit at each number of cars, with its interval as a band. Beneath: the "
        "capacity at the accepted risk with its interval.",
        "risk",
        risk_curve,
    ),
    HostingDrawing(
        "binding",
        "What breaks first",
        "Limits broken at the first failing number of cars, in percent of the draws that fail. A draw "
        "that breaks several limits at once counts under each.",
        "binding",
        binding,
    ),
    HostingDrawing(
        "limits",
        "How far from each limit, uncontrolled",
        "Worst value of each draw by number of cars: box from 25 to 75 %, line at the median, whiskers from 5 "
        "to 95 % of draws. Dots in place of a box: not assessed in every draw, so these are those that are known.",
        "scenarios",
        limits,
    ),
    HostingDrawing(
        "feeders",
        "Which feeder, at how many cars in the network",
        "Green: no draw breaks a limit in this feeder. Yellow, hatched: some do, within the accepted "
        "risk. Red, crossed: more do. Grey: not solved, between two levels of different colour. The number is "
        "the last green level.",
        "feeders",
        feeders,
    ),
    HostingDrawing(
        "nodal_map",
        "What each connection alone could take",
        "Highest power of one connection before anything in the network breaks a limit, every other "
        "connection as it is.",
        "nodal",
        _import_map,
    ),
    HostingDrawing(
        "pairs",
        "Cars gained over uncontrolled charging",
        "The same cars at the same homes, charged otherwise: difference of the numbers hosted draw by draw.",
        "pairs",
        pairs,
    ),
    HostingDrawing(
        "mitigation",
        "What would raise the capacity, and what it costs",
        "Each measure solved anew with the same draws.",
        "mitigation",
        mitigation,
    ),
)
"""Figures of the page, in order."""


def drawable(result: ScanResult, drawing: HostingDrawing) -> bool:
    """Return whether a scan holds what a figure needs."""
    if not len(getattr(result, drawing.table)):
        return False
    return drawing.name in ("nodal_map", "mitigation") or bool(view.strategies(result))
