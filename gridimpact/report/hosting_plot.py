"""The figures of a hosting scan by name, as a notebook asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridimpact.records import ScanResult
from gridimpact.report import hosting_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class HostingPlot:
    """The figures of a scan; each method returns a matplotlib figure.

    A figure whose table the scan does not hold raises `gridimpact.errors.InputError`, naming what to run.
    """

    def __init__(self, record: ScanResult) -> None:
        self._record = record

    def capacity(self) -> Figure:
        """Capacity by strategy with intervals, managed and firm."""
        return hosting_figures.capacity(self._record)

    def risk_curve(self, limit: str = "all", control: str = "managed") -> Figure:
        """Probability of a violation by number of cars; of one kind of limit, or with control lost ("firm")."""
        return hosting_figures.risk_curve(self._record, limit, control)

    def binding(self) -> Figure:
        """Limits that break first, by strategy."""
        return hosting_figures.binding(self._record)

    def limits(self, strategy: str | None = None) -> Figure:
        """Worst value against each limit by number of cars, of one strategy (uncontrolled unless named)."""
        return hosting_figures.limits(self._record, strategy)

    def feeders(self) -> Figure:
        """Green, yellow and red numbers of cars by feeder and strategy."""
        return hosting_figures.feeders(self._record)

    def nodal_map(self, direction: str = "import") -> Figure:
        """Map of the power each connection alone may take, or feed ("export")."""
        return hosting_figures.nodal_map(self._record, direction)

    def nodal(self, by: str = "capacity") -> Figure:
        """Power of each connection, sorted by "capacity" or by "distance"."""
        return hosting_figures.nodal(self._record, by)

    def pairs(self) -> Figure:
        """Cars gained over uncontrolled charging, draw by draw."""
        return hosting_figures.pairs(self._record)

    def mitigation(self) -> Figure:
        """Cars gained and cost of each measure."""
        return hosting_figures.mitigation(self._record)
