"""What a user asks of a hosting scan, and the settings and rows that come of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import raise_problems
from gridimpact.hosting.firm import firm_of
from gridimpact.hosting.options_check import given_cars, option_problems
from gridimpact.records import LIMIT_KINDS, ScanSettings
from gridimpact.study.catalogue import as_strategy
from gridimpact.study.run import labelled
from gridimpact.study.spec import StudySpec

CARS_PER_HOME = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Shares that are scanned unless told otherwise."""
PRECISION_PER_HOME = 0.1
"""Width of the interval at which no more draws are added, in cars per home; an own choice."""


@dataclass(frozen=True)
class ScanRequest:
    """What a user asks; None leaves it to the study or to the method.

    Attributes
    ----------
    method : str
        "stochastic", "time_series", "nodal" or "uniform".
    cars_per_home : sequence of float, optional
        Numbers of private cars to solve, by home of the network; `CARS_PER_HOME` unless given.
    cars : sequence of int, optional
        The numbers themselves.
    strategies : sequence of strategy objects or names, optional
        The study's unless given; uncontrolled charging is always there.
    days : str or sequence of str, optional
        The study's unless given; "random_day" and "random_week" draw one of the year by draw.
    precision : float, optional
        Width of the interval at which no more draws are added [cars per home]; 0.1 unless given.
    draws : int or (int, int)
        Number of draws, or least and most.
    limits : sequence of str, optional
        Kinds of limit that count, of `gridimpact.records.LIMIT_KINDS`; all unless given.
    car_kw : float
        Power of one car [kW], by which "nodal" turns power into cars.
    direction : str
        "import", "export" or "both", of "nodal" and "uniform".

    The others are as in `gridimpact.records.ScanSettings`.
    """

    method: str = "stochastic"
    cars_per_home: Sequence[float] | None = None
    cars: Sequence[int] | None = None
    strategies: Sequence[Strategy | str | Mapping[str, Any]] | None = None
    days: str | Sequence[str] | None = None
    risk: float = 0.05
    confidence: float = 0.95
    precision: float | None = None
    draws: int | Sequence[int] = (200, 1000)
    preexisting: str = "worse"
    limits: str | Sequence[str] | None = None
    unmet_percent: float | None = 1.0
    export_percent: float | None = None
    behaviour: str | Mapping[str, Any] | None = None
    placement: str | None = None
    phases: str = "allocate"
    refine: bool = True
    seed: int = 0
    car_kw: float = 11.0
    direction: str | Sequence[str] = "both"

    @property
    def given(self) -> bool:
        """Whether the study's own cars or their own places are scanned, in their order."""
        ordered = self.method == "time_series" and None in (self.behaviour, self.placement)
        return ordered or "given" in (self.behaviour, self.placement)


@dataclass(frozen=True)
class RunOptions:
    """How a scan is run; nothing of it changes what is found.

    Attributes
    ----------
    workers : int or None
        Processes; 0 solves in this one, None takes one for each core.
    cluster : str or None
        Address of a Dask scheduler, which then takes the place of local processes.
    timeout_s : float or None
        Time a draw may take [s] before its worker is given up.
    budget_gb : float
        Memory all workers together may take [GB].
    out : Path or None
        Folder that results are written to, draw by draw.
    resume : bool
        Goes on where an earlier scan into the same folder ended.
    progress : bool or None
        Whether to show a bar; None shows it where the terminal can.
    """

    workers: int | None = None
    cluster: str | None = None
    timeout_s: float | None = None
    budget_gb: float = 2.0
    out: Path | None = None
    resume: bool = False
    progress: bool | None = None


def settings_of(
    spec: StudySpec, request: ScanRequest, days: str | Sequence[str] = "design"
) -> tuple[ScanSettings, dict[str, Strategy]]:
    """Return the settings of a scan and the rows it solves.

    Parameters
    ----------
    spec : StudySpec
        The study.
    request : ScanRequest
        What is asked.
    days : str or sequence of str
        The study's own, where the request names none.

    Returns
    -------
    settings : ScanSettings
    rows : dict of str to strategy
        Every strategy that is solved, by label and in the order of ``settings.labels``: uncontrolled charging,
        the strategies asked for, then those that stand for their loss of control where no other row does.

    Raises
    ------
    InputError
        With every wrong option at once.
    """
    raise_problems(option_problems(spec, request, days), "hosting")
    rows, firm = rows_of(spec.strategies if request.strategies is None else request.strategies)
    given = request.method == "time_series"
    homes = homes_of(spec)
    least, most = (1, 1) if given else draws_of(request.draws)
    precision = PRECISION_PER_HOME if request.precision is None else request.precision
    settings = ScanSettings(
        cars=levels_of(spec, request),
        labels=tuple(rows),
        managed={label: label for label in firm},
        firm=firm,
        days=plain_days(days if request.days is None else request.days),
        behaviour=request.behaviour or ("given" if given else "resample"),
        placement=request.placement or ("given" if given else "draw"),
        phases="keep" if given and request.phases == "allocate" else request.phases,
        preexisting=request.preexisting,
        limits=kinds_of(request.limits),
        unmet_percent=request.unmet_percent,
        export_percent=request.export_percent,
        refine=request.refine,
        risk=float(request.risk),
        confidence=float(request.confidence),
        precision_cars=max(1.0, precision * homes),
        draws=(least, most),
        seed=request.seed,
    )
    return settings, rows


def rows_of(
    strategies: Sequence[Strategy | str | Mapping[str, Any]],
) -> tuple[dict[str, Strategy], dict[str, str]]:
    """Return every strategy that is solved by label, and for each one asked for the row that shows it firm.

    Uncontrolled charging comes first and is always there.
    """
    rows = labelled(tuple(as_strategy(s) for s in strategies))
    firm: dict[str, str] = {}
    for label, strategy in list(rows.items()):
        firm[label] = _row_of(firm_of(strategy), rows, label)
    return rows, firm


def settings_from(plain: Mapping[str, Any]) -> ScanSettings:
    """Return the settings that a stored scan holds as plain data."""
    own = {f.name: plain[f.name] for f in dataclasses.fields(ScanSettings) if f.name in plain}
    lists = {key: tuple(value) for key, value in own.items() if isinstance(value, list)}
    return ScanSettings(**(own | lists))


def homes_of(spec: StudySpec) -> int:
    """Return the number of homes of the network."""
    return int((spec.network.sites["kind"].astype(str) == "home").sum())


def draws_of(draws: int | Sequence[int]) -> tuple[int, int]:
    """Return least and most draws.

    Examples
    --------
    >>> draws_of(200)
    (200, 200)
    """
    least, most = draws if isinstance(draws, Sequence) else (draws, draws)
    return int(least), int(most)


def levels_of(spec: StudySpec, request: ScanRequest) -> tuple[int, ...]:
    """Return the numbers of cars to solve, rising; none, which is always solved, is left out.

    Where each car of the study stands for itself, `CARS_PER_HOME` ends at all of them.
    """
    if request.cars is not None:
        wanted = {int(number) for number in request.cars}
    else:
        shares = CARS_PER_HOME if request.cars_per_home is None else request.cars_per_home
        wanted = {round(float(share) * homes_of(spec)) for share in shares}
        if request.cars_per_home is None and request.given:
            all_cars = given_cars(spec)
            wanted = {number for number in wanted if number < all_cars} | {all_cars}
    return tuple(sorted(wanted - {0}))


def _row_of(strategy: Strategy, rows: dict[str, Strategy], label: str) -> str:
    """Return the label of the row that solves a strategy; rows grow by those no other solves."""
    for name, there in rows.items():
        if type(there) is type(strategy) and there == strategy:
            return name
    name = f"{label}, control lost"
    rows[name] = strategy
    return name


def kinds_of(limits: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the kinds of limit that count, in the order of the table of kinds."""
    chosen = LIMIT_KINDS if limits is None else (limits,) if isinstance(limits, str) else limits
    return tuple(kind for kind in LIMIT_KINDS if kind in chosen)


def plain_days(days: str | Sequence[str]) -> str | tuple[str, ...]:
    """Return days as plain data."""
    return days if isinstance(days, str) else tuple(str(day) for day in days)
