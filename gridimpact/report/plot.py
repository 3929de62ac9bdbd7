"""The figures of a result by name, as a notebook asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridimpact.records import StudyResult
from gridimpact.report import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plot:
    """The figures of a result; each method returns a matplotlib figure."""

    def __init__(self, record: StudyResult) -> None:
        self._record = record

    def headroom(self) -> Figure:
        """Worst value over limit, by strategy."""
        return figures.headroom(self._record)

    def transformer_week(self) -> Figure:
        """Show the transformer's load in its worst week against its rating."""
        return figures.transformer_week(self._record)

    def duration(self) -> Figure:
        """Hours over each share of the rating."""
        return figures.duration(self._record)

    def voltage_profile(self) -> Figure:
        """Voltage by metres from the busbar, at the worst step."""
        return figures.voltage_profile(self._record)

    def map(self) -> Figure:
        """Network with loadings and voltages at the worst step."""
        return figures.map(self._record)

    def hottest_day(self) -> Figure:
        """Ambient, oil and hot spot on the hottest day, ageing beneath."""
        return figures.hottest_day(self._record)

    def fleet(self) -> Figure:
        """Power per car over the day and shortfall at departure."""
        return figures.fleet(self._record)

    def money(self) -> Figure:
        """Money per car by strategy."""
        return figures.money(self._record)
