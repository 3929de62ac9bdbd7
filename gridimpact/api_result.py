"""The result of a study in the hand: tables, figures and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridimpact.api_life import LifeAccess
from gridimpact.dispatch.shortfall import missed
from gridimpact.errors import InputError
from gridimpact.records import Note, StudyResult
from gridimpact.report import repr_html_study_result, write_excel, write_html
from gridimpact.report.plot import Plot
from gridimpact.report.services import services_frame
from gridimpact.report.tables import text_table
from gridimpact.report.violations import stacked
from gridimpact.study.store import write_results
from gridimpact.study.store_read import read_results

if TYPE_CHECKING:
    import xarray as xr


class Result(LifeAccess):
    """What a study found; tables, figures and files.

    Attributes
    ----------
    record : StudyResult
        Everything, as the frozen record that reports are made of.
    """

    def __init__(self, record: StudyResult) -> None:
        self.record = record

    @classmethod
    def from_folder(cls, folder: str | Path) -> Result:
        """Return the result stored in a results folder."""
        return cls(read_results(Path(folder)))

    @property
    def dataset(self) -> xr.Dataset:
        """Time series of every strategy, labelled."""
        return self.record.dataset

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, seed, engine, counts of failed steps, wall time."""
        return self.record.manifest

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was assumed, left out or found odd, warnings of the check among it."""
        return self.record.notes

    @property
    def plot(self) -> Plot:
        """Figures by name, e.g. ``result.plot.voltage_profile()``."""
        return Plot(self.record)

    def summary(self, against: str | None = None) -> pd.DataFrame:
        """Return the comparison, one row per strategy.

        Parameters
        ----------
        against : str, optional
            Label of a strategy; the figures are then differences to it.
        """
        table = self.record.comparison
        if against is None:
            return table.copy()
        self._known(against)
        numbers = table.apply(pd.to_numeric, errors="coerce")
        differences: pd.DataFrame = numbers.sub(numbers.loc[against], axis=1)
        return differences

    def violations(self, caused_by: str | None = None, strategy: str | None = None) -> pd.DataFrame:
        """Return the violations of all strategies, or of one.

        Parameters
        ----------
        caused_by : str, optional
            ``"ev"`` keeps those that cars cause or aggravate.
        strategy : str, optional
            Label of one strategy.
        """
        if caused_by not in (None, "ev"):
            message = f"caused_by={caused_by!r} is unknown; use 'ev' or leave it out"
            raise InputError(message)
        if strategy is not None:
            self._known(strategy)
        chosen = [strategy] if strategy else list(self.record.assessments)
        parts = [self.record.assessments[s].violations.assign(strategy=s) for s in chosen]
        table = stacked(parts)
        if caused_by == "ev":
            table = table[table["origin"].isin(("ev_caused", "aggravated"))]
        front = ["strategy", *[c for c in table.columns if c != "strategy"]]
        return table[front].reset_index(drop=True)

    def shortfalls(self, strategy: str | None = None) -> pd.DataFrame:
        """Return departures that missed their target: whose, how much, why, and what would have met it.

        Parameters
        ----------
        strategy : str, optional
            Label of one strategy.
        """
        if strategy is not None:
            self._known(strategy)
        chosen = [strategy] if strategy else list(self.record.assessments)
        return missed({s: self.record.assessments[s].tables for s in chosen})

    def services(self, strategy: str | None = None) -> pd.DataFrame:
        """Return what services offered, moved and earned, and what the network saw at their extremes.

        Parameters
        ----------
        strategy : str, optional
            Label of one strategy.

        Returns
        -------
        pandas.DataFrame
            Columns ``strategy service name value period note``; rows of service "network" are the worst of
            all counted steps with every car at its least or highest power at once.
        """
        if strategy is not None:
            self._known(strategy)
        return services_frame(self.record, strategy)

    def report(self, path: str | Path) -> Path:
        """Write the report, one self-contained HTML page, and return its path."""
        write_html(self.record, Path(path))
        return Path(path)

    def excel(self, path: str | Path) -> Path:
        """Write every table to a spreadsheet and return its path."""
        write_excel(self.record, Path(path))
        return Path(path)

    def save(self, folder: str | Path) -> Path:
        """Write the results folder: manifest, network, tables, netCDF, report, spreadsheet."""
        extras: dict[str, Callable[[StudyResult, Path], Any]] = {
            "report.html": write_html,
            "summary.xlsx": write_excel,
        }
        return write_results(self.record, Path(folder), extras)

    def _known(self, label: str) -> None:
        if label not in self.record.comparison.index:
            known = ", ".join(str(s) for s in self.record.comparison.index)
            message = f"no strategy {label!r} in this result; there are {known}"
            raise InputError(message)

    def __repr__(self) -> str:
        """Return the comparison as a terminal shows it."""
        return text_table(self.record)

    def _repr_html_(self) -> str:
        """Return the comparison as a notebook shows it."""
        return repr_html_study_result(self.record)
