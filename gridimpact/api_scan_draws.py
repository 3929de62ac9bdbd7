"""The draws of a scan as studies of their own, and what would raise its capacity; methods of `gridimpact.Scan`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from gridimpact.api import Study
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.hosting.draws import decided, make_draw, spec_with
from gridimpact.hosting.inputs_hash import scan_inputs
from gridimpact.hosting.measures import Costs
from gridimpact.hosting.mitigation import mitigate
from gridimpact.hosting.options import RunOptions, settings_from
from gridimpact.hosting.random_days import RANDOM_DAYS
from gridimpact.records import ScanResult, ScanSettings
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


class ScanDraws:
    """Any draw of a scan as a study, and measures scanned on the same draws.

    Attributes
    ----------
    record : ScanResult
        What was found.
    study : Study or None
        What was scanned; without it no draw can be made again.
    """

    record: ScanResult
    study: Study | None
    _strategies: Mapping[str, Strategy]
    _decided: StudySpec | None = None

    def worst_draw(self, strategy: str = "uncontrolled", cars: int | None = None) -> Study:
        """Return the draw that fails at the fewest cars under a strategy, as a study ready to run.

        Parameters
        ----------
        strategy : str
            Label of a row.
        cars : int, optional
            Number of private cars; the first at which this draw fails unless given.

        Raises
        ------
        InputError
            If no draw fails, there is no such row, or the study is not known.
        """
        table = self.record.scenarios
        known = list(dict.fromkeys(table["strategy"])) if len(table) else []
        if strategy not in known:
            message = (
                f"no strategy {strategy!r} in this scan; there are {', '.join(known) or 'none'}"
            )
            raise InputError(message)
        failing = table[(table["strategy"] == strategy) & (table["broken"] != "")]
        if not len(failing):
            message = f"no draw fails under {strategy!r} up to {table['cars'].max()} cars"
            raise InputError(message)
        first = failing.sort_values(["cars", "draw"], kind="stable").iloc[0]
        return self.draw(int(first["draw"]), int(first["cars"]) if cars is None else cars, strategy)

    def draw(self, number: int, cars: int, strategy: str | None = None) -> Study:
        """Return a draw at a number of private cars as a study ready to run.

        Parameters
        ----------
        number : int
            Of the draw, from 0; any, solved by the scan or not.
        cars : int
            Up to the highest number scanned.
        strategy : str, optional
            Label of the one row to run; all strategies of the scan unless given.

        Raises
        ------
        InputError
            If the study is not known or not the one that was scanned, or the draw holds fewer cars.
        """
        settings, spec = self._settings(), self._spec()
        made = make_draw(spec, settings, number)
        labels = list(settings.managed) if strategy is None else [strategy]
        chosen = tuple(self._strategy(label) for label in labels)
        found = dataclasses.replace(spec_with(made, cars), strategies=chosen)
        found = dataclasses.replace(found, name=f"{found.name}, draw {number}, {cars} cars")
        days = settings.days if settings.days not in RANDOM_DAYS else _dates(made.segments)
        return Study.from_spec(found, days)

    def mitigation(
        self,
        strategy: str = "uncontrolled",
        *,
        costs: Costs | None = None,
        draws: int | None = None,
        steps: int = 1,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Return what would raise the capacity and at what cost, every measure scanned anew.

        The scan's record holds it from then on: `report` shows it, `save` writes it.

        Parameters
        ----------
        strategy : str
            The row whose capacity is to rise.
        costs : Costs, optional
            Prices; own round numbers unless given.
        draws : int, optional
            Of each scan; those of this scan, at most 200, unless given.
        steps : int
            How many measures may follow one another.
        workers, progress
            As in `hosting_capacity`.

        Returns
        -------
        pandas.DataFrame
            `gridimpact.records.MITIGATION_COLUMNS`, the cheapest gain first.
        """
        settings = self._settings()
        rows = {label: self._strategy(label) for label in settings.labels}
        self._spec()
        table = mitigate(
            self._known_study().spec,
            settings,
            rows,
            strategy=strategy,
            costs=costs,
            draws=min(len(self.record.draws), 200) if draws is None else draws,
            steps=steps,
            run=RunOptions(workers=workers, progress=progress),
        )
        self.record = dataclasses.replace(self.record, mitigation=table)
        return table.copy()

    def _settings(self) -> ScanSettings:
        if not len(self.record.draws):
            message = f"a scan by method {self.record.method!r} has no draws"
            raise InputError(message)
        return settings_from(self.record.settings)

    def _known_study(self) -> Study:
        if self.study is None:
            message = "the study is not known here: Scan.from_folder(folder, study=...)"
            raise InputError(message)
        return self.study

    def _spec(self) -> StudySpec:
        """Return the study as it was decided for all draws, once it is known to be the one scanned."""
        if self._decided is None:
            spec = decided(self._known_study().spec, self._settings())
            now, then = scan_inputs(spec), self.record.manifest["inputs"]
            other = [name for name in now if now[name] != then[name]]
            if other:
                message = (
                    f"the study given is not the one that was scanned: other {', '.join(other)}"
                )
                raise InputError(message)
            self._decided = spec
        return self._decided

    def _strategy(self, label: str) -> Strategy:
        if label not in self._strategies:
            known = ", ".join(self._strategies)
            message = (
                f"strategy {label!r} is not known here, there are {known}; give strategies=[...]"
            )
            raise InputError(message)
        return self._strategies[label]


def _dates(segments: Sequence[Segment]) -> list[str]:
    """Return the counted days of segments as dates and ranges of dates."""
    found = []
    for segment in segments:
        days = segment.timeline.local[segment.counted]
        first, last = days[0].date(), days[-1].date()
        found.append(str(first) if first == last else f"{first}/{last}")
    return found
