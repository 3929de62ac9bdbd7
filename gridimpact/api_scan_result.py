"""The result of a hosting scan in the hand: tables, figures, page and files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gridimpact.api import Study
from gridimpact.api_scan_draws import ScanDraws
from gridimpact.dispatch.strategy import Strategy
from gridimpact.hosting.geojson import write_nodal_geojson
from gridimpact.hosting.options import rows_of
from gridimpact.hosting.output import read_scan, write_scan
from gridimpact.records import Note, ScanResult
from gridimpact.report import hosting_summary, repr_html_scan_result, text_summary
from gridimpact.report.hosting_html import write_hosting_html
from gridimpact.report.hosting_plot import HostingPlot


class Scan(ScanDraws):
    """What a hosting scan found; tables, figures, files, and any of its draws as a study.

    Attributes
    ----------
    record : ScanResult
        Everything, as the frozen record that reports are made of.
    study : Study or None
        What was scanned; needed for draws and mitigation.
    """

    def __init__(
        self,
        record: ScanResult,
        study: Study | None = None,
        strategies: Mapping[str, Strategy] | None = None,
    ) -> None:
        self.record = record
        self.study = study
        self._strategies = dict(strategies or {})

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        study: Study | None = None,
        strategies: Sequence[Strategy | str | Mapping[str, Any]] | None = None,
    ) -> Scan:
        """Return the scan stored in a folder.

        Parameters
        ----------
        folder : path
            As `save` or `hosting_capacity` wrote it.
        study : Study, optional
            What was scanned, to make its draws again.
        strategies : sequence, optional
            Those scanned, where they are neither the study's nor of its section ``hosting``.

        Raises
        ------
        InputError
            If the folder holds no finished scan.
        """
        record = read_scan(Path(folder))
        if study is None:
            return cls(record)
        own = study.hosting.get("strategies")
        chosen = next(s for s in (strategies, own, study.spec.strategies) if s is not None)
        return cls(record, study, rows_of(chosen)[0])

    @property
    def capacity(self) -> pd.DataFrame:
        """Capacities by strategy, control and limit: first violation, at risk with its interval, last passing."""
        return self.record.capacity.copy()

    @property
    def risk(self) -> pd.DataFrame:
        """Probability of a violation by number of cars, with its interval."""
        return self.record.risk.copy()

    @property
    def binding(self) -> pd.DataFrame:
        """What breaks first, by limit and element."""
        return self.record.binding.copy()

    @property
    def feeders(self) -> pd.DataFrame:
        """Probability and colour of each feeder by number of cars."""
        return self.record.feeders.copy()

    @property
    def pairs(self) -> pd.DataFrame:
        """Cars gained over uncontrolled charging, draw by draw."""
        return self.record.pairs.copy()

    @property
    def scenarios(self) -> pd.DataFrame:
        """Every strategy at every number of cars in every draw."""
        return self.record.scenarios.copy()

    @property
    def draws(self) -> pd.DataFrame:
        """Every draw, whether it was solved, and the hash of its sessions."""
        return self.record.draws.copy()

    @property
    def nodal(self) -> pd.DataFrame:
        """Power each connection alone may draw and feed."""
        return self.record.nodal.copy()

    @property
    def uniform(self) -> pd.DataFrame:
        """Power every customer at once may draw and feed."""
        return self.record.uniform.copy()

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, seed, hashes of inputs, counts of draws, times."""
        return self.record.manifest

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was assumed, left out or found odd."""
        return self.record.notes

    @property
    def plot(self) -> HostingPlot:
        """Figures by name, e.g. ``scan.plot.risk_curve()``."""
        return HostingPlot(self.record)

    def summary(self) -> pd.DataFrame:
        """Return the capacities, one row by strategy; of power scans one row by direction."""
        return hosting_summary(self.record)

    def report(self, path: str | Path) -> Path:
        """Write the report, one self-contained HTML page, and return its path."""
        _write_page(self.record, Path(path))
        return Path(path)

    def geojson(self, path: str | Path, *, lines: bool = False) -> Path:
        """Write the power each connection may draw and feed as a map layer, with the lines if wanted."""
        return write_nodal_geojson(self.record, self.record.network, path, lines=lines)

    def save(self, folder: str | Path, *, parquet: bool = False) -> Path:
        """Write the folder of results: manifest, network, tables, page."""
        return write_scan(self.record, Path(folder), EXTRAS, parquet=parquet)

    def __repr__(self) -> str:
        """Return the answer as a terminal shows it."""
        return text_summary(self.record)

    def _repr_html_(self) -> str:
        """Return the answer as a notebook shows it."""
        return repr_html_scan_result(self.record)


def _write_page(record: ScanResult, path: Path) -> None:
    """Write the page without what differs from run to run, so that its bytes are those of the scan."""
    manifest = {key: value for key, value in record.manifest.items() if key != "run"}
    write_hosting_html(dataclasses.replace(record, manifest=manifest), path)


EXTRAS: Mapping[str, Callable[[ScanResult, Path], Any]] = {"hosting.html": _write_page}


"""Files of a scan's folder that are made on this floor."""
