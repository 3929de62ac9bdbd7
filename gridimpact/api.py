"""The two objects of daily work: a study, and the result it gives.

Both are thin: a study holds a specification and calls the rooms in order, a result shows records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridimpact.api_life import LifeAccess
from gridimpact.assess.limits import LimitProfile
from gridimpact.dispatch.shortfall import missed
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import Fleet, Network, Note, PlanRequest, Profiles, StudyResult
from gridimpact.report import repr_html_study_result, write_excel, write_html
from gridimpact.report.plot import Plot
from gridimpact.report.services import services_frame
from gridimpact.report.tables import text_table
from gridimpact.report.violations import stacked
from gridimpact.study.build import Prices, make_spec, spec_from_file
from gridimpact.study.check import check_days, check_spec
from gridimpact.study.requests import build_requests
from gridimpact.study.run import run_study
from gridimpact.study.save import save_study
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import StudySpec
from gridimpact.study.store import write_results
from gridimpact.study.store_read import read_results

if TYPE_CHECKING:
    import xarray as xr


class Study:
    """A comparison of strategies on one network, the same homes and the same sessions.

    Parameters
    ----------
    network : Network
        From `open_network`.
    profiles : Profiles
        One column per site of the network, from `synthesize_households` or `read_profiles`.
    fleet : Fleet or sequence of Fleet
        Placed cars, from `place`.
    strategies : sequence of strategy objects or names
        "uncontrolled" and the case without cars are always run beside them.
    limits : str, mapping or LimitProfile
        Limit profile; "eu_lv_planning", "en_50160", "ansi_c84_1", ...
    prices : str, Tariff, mapping by site kind or None
        None leaves money out of the study.
    ambient : str, path, array, Ambient or None
        Air temperature; None leaves transformer ageing out.
    seed : int
        Of every draw the study itself makes.
    name : str
        Title of the report.
    power_flow : str
        "three_phase", "balanced", or "auto": three phases where a connection in use has fewer and
        the network's data allow it.
    zero_sequence : str
        "require" takes only the zero-sequence data the network holds, "assume" fills gaps by stated
        ratios.
    pv_single_phase_kva : float or None
        PV up to this power feeds one phase of its site, drawn by seed; None feeds all of them.
    volt_var : mapping or None
        Curve by "pv" and "chargers": a name such as "ieee_1547_b" or "vde_ar_n_4105", or a mapping of
        ``v_pu`` and ``q_share``.
    cold_batteries : bool
        Batteries as cold as the ambient air take and give less.
    transformer : mapping or None
        Thermal model, data, life and money of the transformers; keys as
        `gridimpact.study.TransformerOptions`.

    Raises
    ------
    InputError
        If the parts do not fit together.
    """

    def __init__(  # noqa: PLR0913 - what a planner types, each by name
        self,
        network: Network,
        profiles: Profiles,
        fleet: Fleet | Sequence[Fleet],
        *,
        strategies: Sequence[Strategy | str],
        limits: str | LimitProfile | Mapping[str, Any] = "eu_lv_planning",
        prices: Prices = None,
        ambient: Any = None,
        seed: int = 0,
        name: str = "study",
        power_flow: str = "auto",
        zero_sequence: str = "require",
        pv_single_phase_kva: float | None = None,
        volt_var: Mapping[str, Any] | None = None,
        cold_batteries: bool = False,
        transformer: Mapping[str, Any] | None = None,
    ) -> None:
        self.spec: StudySpec = make_spec(
            network,
            profiles,
            fleet,
            strategies=strategies,
            limits=limits,
            prices=prices,
            ambient=ambient,
            options={
                "name": name,
                "seed": seed,
                "power_flow": power_flow,
                "zero_sequence": zero_sequence,
                "pv_single_phase_kva": pv_single_phase_kva,
                "volt_var": dict(volt_var or {}),
                "cold_batteries": cold_batteries,
                "transformer": transformer,
            },
        )
        self.days: str | Sequence[str] = "design"

    @classmethod
    def from_file(cls, path: str | Path) -> Study:
        """Return the study a folder or `study.yaml` describes.

        Raises
        ------
        InputError
            With every problem of the file at once.
        """
        study = cls.__new__(cls)
        study.spec, config = spec_from_file(Path(path))
        study.days = config.days
        return study

    def check(self) -> tuple[Problem, ...]:
        """Look at the whole study without solving; return the warnings.

        Raises
        ------
        InputError
            If anything would stop a run or mislead its reader; lists every such problem.
        """
        problems = [*check_spec(self.spec), *check_days(self.spec, self.days)]
        raise_problems(problems, f"study {self.spec.name!r}")
        return tuple(p for p in problems if p.severity != "error")

    def requests(self, days: str | Sequence[str] | None = None) -> tuple[PlanRequest, ...]:
        """Return what strategies are told of each span of days, for plans of your own; nothing is solved.

        Parameters
        ----------
        days : str or sequence of str, optional
            As for `run`, the margins before and after included.

        Raises
        ------
        InputError
            If the days cannot be read or lie outside the timeline.
        """
        load = self.spec.profiles.load_p_kw.sum(axis=1)
        sun = self.spec.profiles.pv_p_kw.sum(axis=1)
        chosen = self.days if days is None else days
        segments = choose_segments(self.spec.timeline, chosen, load + sun, sun)
        return tuple(build_requests(self.spec, segment) for segment in segments)

    def run(
        self,
        days: str | Sequence[str] | None = None,
        *,
        verify: int = 0,
        progress: bool | None = None,
        verify_engine: str | None = None,
    ) -> Result:
        """Solve every strategy and return the result.

        Parameters
        ----------
        days : str or sequence of str, optional
            "design", "all", local dates or ranges "2016-01-18/2016-01-24"; the study file's
            choice, else "design".
        verify : int
            Random steps to solve again with another engine; the largest difference is in the manifest.
        progress : bool, optional
            Show a bar; by default where the terminal can.
        verify_engine : str, optional
            "pandapower" or "power-grid-model"; by default whichever fits the power flow.

        Raises
        ------
        InputError
            If `check` finds an error.
        """
        chosen = self.days if days is None else days
        problems = [*check_spec(self.spec), *check_days(self.spec, chosen)]
        raise_problems(problems, f"study {self.spec.name!r}")
        told = tuple(Note("warning", p.where, p.what) for p in problems)
        spec = dataclasses.replace(self.spec, notes=(*self.spec.notes, *told))
        found = run_study(
            spec, days=chosen, verify=verify, verify_engine=verify_engine, progress=progress
        )
        return Result(found)

    def save(self, folder: str | Path) -> Path:
        """Write the study as a folder that `Study.from_file` and `gridimpact run` read."""
        return save_study(self.spec, Path(folder), self.days)

    def __repr__(self) -> str:
        """Return network, cars and strategies in one line."""
        spec = self.spec
        names = ", ".join(s.name for s in spec.strategies)
        return (
            f"Study({spec.name!r}: {spec.network.name}, {len(spec.network.sites)} sites, "
            f"{len(spec.fleet.vehicles)} cars, {spec.timeline}; {names})"
        )


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
