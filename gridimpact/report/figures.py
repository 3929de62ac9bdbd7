"""The figures of a study in the order of the report; the drawing library is imported at first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridimpact.records import StudyResult
from gridimpact.report import view

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def headroom(result: StudyResult) -> Figure:
    """Draw the worst value of each strategy against each limit, with the hours beyond it."""
    from gridimpact.report import figures_headroom

    return figures_headroom.headroom(result)


def transformer_week(result: StudyResult) -> Figure:
    """Draw the transformer's signed apparent power [kVA] through its worst week, local time."""
    from gridimpact.report import figures_transformer

    return figures_transformer.transformer_week(result)


def duration(result: StudyResult) -> Figure:
    """Draw the hours the transformer spends above each percentage of its rating."""
    from gridimpact.report import figures_transformer

    return figures_transformer.duration(result)


def voltage_profile(result: StudyResult) -> Figure:
    """Draw the voltage [pu] by metres from the busbar at each strategy's worst step."""
    from gridimpact.report import figures_voltage

    return figures_voltage.voltage_profile(result)


def map(result: StudyResult) -> Figure:
    """Draw the network by loading and voltage, uncontrolled beside recommended."""
    from gridimpact.report import figures_map

    return figures_map.network_map(result)


def hottest_day(result: StudyResult) -> Figure:
    """Draw ambient, top oil and hot spot [°C] on the hottest day, the ageing rate beneath."""
    from gridimpact.report import figures_transformer

    return figures_transformer.hottest_day(result)


def fleet(result: StudyResult) -> Figure:
    """Draw the power per car over the day (5, 50 and 95 % of the days) and the service given."""
    from gridimpact.report import figures_fleet

    return figures_fleet.fleet(result)


def money(result: StudyResult) -> Figure:
    """Draw energy bill and battery wear per car [EUR]."""
    from gridimpact.report import figures_fleet

    return figures_fleet.money(result)


_NO_FLOW = frozenset({"fleet", "money"})
"""Figures of plans and meters, which need no power flow."""
_FATE = {"hottest_day": "were bridged by the power injected behind the transformer"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of the report: name, heading, one-sentence caption and how it is drawn."""

    name: str
    heading: str
    caption: str
    draw: Callable[[StudyResult], Figure]
    by_phase: str = ""
    """The caption in three phases, where another holds."""

    def words(self, result: StudyResult) -> str:
        """Return the caption that holds for a study, and how many steps the figure lacks."""
        own = self.by_phase if self.by_phase and view.three_phase(result) else self.caption
        failed, total = view.lanes(result)
        if not failed or self.name in _NO_FLOW:
            return own
        fate = _FATE.get(self.name, "are left out")
        return f"{own} {failed:,} of {total:,} steps, all strategies together, failed and {fate}."


FIGURES: tuple[Drawing, ...] = (
    Drawing(
        "headroom",
        "Headroom",
        "The worst value of each strategy against each limit, with the hours beyond it.",
        headroom,
        "The worst value of each strategy against each limit, with the hours beyond it; loadings "
        "are those of the worst phase.",
    ),
    Drawing(
        "transformer_week",
        "The transformer in its worst week",
        "Apparent power through the transformer in local time; below zero it feeds back.",
        transformer_week,
        "The transformer's worst phase in local time, its loading times the rating, so that 100 % "
        "is the rating; below zero the sum of the phases feeds back.",
    ),
    Drawing(
        "duration",
        "How high, how long",
        "Hours the transformer spends above each share of its rating; the logarithmic axis "
        "shows the few hours that matter.",
        duration,
        "Hours the transformer's worst phase spends above each share of its rating; the "
        "logarithmic axis shows the few hours that matter.",
    ),
    Drawing(
        "voltage_profile",
        "Voltage along the feeders",
        "Voltage by cable metres from the busbar at each strategy's worst step; the three worst "
        "feeders are coloured and named, the worst bus is ringed.",
        voltage_profile,
        "Voltage by cable metres from the busbar at each strategy's worst step; of the three worst "
        "feeders each phase has its colour and the worst phase is named, other feeders are grey; "
        "the worst bus is ringed.",
    ),
    Drawing(
        "map",
        "Where it binds",
        "Each line by its highest loading, each bus by its furthest voltage (not at one moment); "
        "the binding element is ringed, unrated lines are dotted.",
        map,
        "Each line by the highest loading of its worst phase, each bus by the furthest voltage of "
        "its phases (not at one moment); the binding element is ringed, unrated lines are dotted.",
    ),
    Drawing(
        "hottest_day",
        "The hottest day",
        "Ambient, top-oil and hot-spot temperature on the day uncontrolled charging heats the "
        "transformer most, and the ageing rate beneath on a logarithmic axis.",
        hottest_day,
    ),
    Drawing(
        "fleet",
        "What the cars do",
        "Power averaged over all cars through the day, the median day and the band from 5 to "
        "95 % of the days; beneath, the service given to drivers.",
        fleet,
    ),
    Drawing(
        "money",
        "What it costs",
        "Energy bill over the same sites without cars, and battery wear, as means over all cars of "
        "the study; beneath each, the difference to uncontrolled charging per controlled car.",
        money,
    ),
)
"""Every figure of the report in its order."""

__all__ = [
    "FIGURES",
    "Drawing",
    "duration",
    "fleet",
    "headroom",
    "hottest_day",
    "map",
    "money",
    "transformer_week",
    "voltage_profile",
]
