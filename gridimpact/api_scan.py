"""How many cars a network hosts, in one call, and what was found in the hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridimpact.api import Study
from gridimpact.api_scan_result import EXTRAS, Scan
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError, raise_problems
from gridimpact.hosting.connections_scan import scan_connections
from gridimpact.hosting.options import RunOptions, ScanRequest, settings_of
from gridimpact.hosting.options_check import option_problems, run_problems
from gridimpact.hosting.output import write_scan
from gridimpact.hosting.request_notes import pool_notes
from gridimpact.hosting.scan import run_scan
from gridimpact.records import Note
from gridimpact.study.catalogue import as_strategy
from gridimpact.study.check import check_spec

__all__ = ["Scan", "hosting_capacity"]


def hosting_capacity(  # noqa: PLR0913 - what a planner types, each by name
    study: Study,
    *,
    method: str = "stochastic",
    cars_per_home: Sequence[float] | None = None,
    cars: Sequence[int] | None = None,
    strategies: Sequence[Strategy | str | Mapping[str, Any]] | None = None,
    days: str | Sequence[str] | None = None,
    risk: float = 0.05,
    confidence: float = 0.95,
    precision: float | None = None,
    draws: int | Sequence[int] = (200, 1000),
    preexisting: str = "worse",
    limits: Sequence[str] | None = None,
    unmet_percent: float | None = 1.0,
    export_percent: float | None = None,
    behaviour: str | Mapping[str, Any] | None = None,
    placement: str | None = None,
    phases: str = "allocate",
    refine: bool = True,
    workers: int | None = None,
    cluster: str | None = None,
    timeout_s: float | None = None,
    budget_gb: float = 2.0,
    out: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    progress: bool | None = None,
    car_kw: float = 11.0,
    direction: str | Sequence[str] = "both",
    parquet: bool = False,
) -> Scan:
    """Return how many cars a study's network hosts, by strategy, limited by what, and how sure that is.

    Parameters
    ----------
    study : Study
        Network, homes, limits and prices; its cars lend their behaviour to the draws.
    method : str
        ``"stochastic"``: draws of homes, drivers and phases at rising numbers of cars; ``"time_series"``: the
        study's own cars added one after the other, one course of events and so no interval; ``"nodal"``: each
        connection alone, in kW; ``"uniform"``: the same kW at every customer.
    cars_per_home : sequence of float
        Numbers of private cars, by home; 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5 unless given.
    cars : sequence of int
        The numbers themselves.
    strategies : sequence of strategy objects or names
        The study's unless given; uncontrolled charging is always among them, and each is shown with its
        control working ("managed") and lost ("firm").
    days : str or sequence of str
        As `Study.run`, the study's unless given; ``"random_day"`` and ``"random_week"`` take another one in
        each draw, of all the timeline holds.
    risk : float
        Share of draws that may violate a limit, 0.05 for 5 %.
    confidence : float
        Of the intervals, 0.95 for 95 %.
    precision : float
        Draws are added until the interval of every strategy is at most this wide [cars per home]; 0.1.
    draws : int or (int, int)
        Number of draws, or the least and the most.
    preexisting : str
        What was violated without added cars: ``"worse"``, the default, counts it only where cars make it worse,
        ``"ignore"`` never counts it, ``"count"`` always.
    limits : sequence of str
        Kinds that count, of `gridimpact.records.LIMIT_KINDS`; all unless given. Tables show each alone too. A power
        flow without a solution always counts.
    unmet_percent : float or None
        Limit on the energy missing at departures, beyond what uncontrolled charging misses [% of what is asked
        for]; None leaves driver service out.
    export_percent : float or None
        Limit on the power fed upward through a transformer [% of its rating]; None leaves export out.
    behaviour : str or mapping
        ``"resample"``: each car is one of the study's, drawn with replacement; ``"given"``: the study's cars in
        the order of their ids; a mapping: arguments of `synthesize_fleet`, anew for each draw. "resample"
        unless given, "given" for a time series.
    placement : str
        ``"draw"``: homes in another order in each draw; ``"given"``: the study's own sites. "draw" unless
        given, "given" for a time series.
    phases : str
        As `place`, anew for each draw where ``"allocate"``.
    refine : bool
        Solves each draw at further numbers of cars until its own capacity is known to one car.
    workers : int or None
        Processes; 0 solves in this one, None takes one for each core, fewer where `budget_gb` asks for it.
    cluster : str or None
        Address of a Dask scheduler (extra ``cluster``), which takes the place of local processes.
    timeout_s : float or None
        Time a draw may take [s]; it is tried again and then recorded as failed.
    budget_gb : float
        Memory all workers together may take [GB].
    out : path or None
        Folder for tables, page and the journal of draws; without one nothing is stored.
    resume : bool
        Goes on with the draws an earlier scan has stored in `out`; begins anew where there are none.
    seed : int
        Of every draw.
    progress : bool or None
        A bar with the time that remains; None shows it where the terminal can.
    car_kw : float
        Power of one car [kW], by which "nodal" counts cars.
    direction : str
        "import", "export" or "both", of "nodal" and "uniform".
    parquet : bool
        Also stores tables as parquet (extra ``parquet``).

    Returns
    -------
    Scan
        Tables, figures, page and files.

    Raises
    ------
    InputError
        With everything wrong in study and options at once.

    Notes
    -----
    Three numbers stand beside each other, never one: the first violation of any draw, the capacity at `risk`
    with its interval, and the last number at which any draw passes. Results do not depend on workers,
    cluster, interruptions or order.
    """
    given: object = study
    if not isinstance(given, Study):
        message = f"hosting_capacity: a Study is needed, this is a {type(given).__name__}"
        raise InputError(message)
    request = ScanRequest(
        method=method,
        cars_per_home=cars_per_home,
        cars=cars,
        strategies=strategies,
        days=days,
        risk=risk,
        confidence=confidence,
        precision=precision,
        draws=draws,
        preexisting=preexisting,
        limits=limits,
        unmet_percent=unmet_percent,
        export_percent=export_percent,
        behaviour=behaviour,
        placement=placement,
        phases=phases,
        refine=refine,
        seed=seed,
        car_kw=car_kw,
        direction=direction,
    )
    folder = None if out is None else Path(out)
    run = RunOptions(workers, cluster, timeout_s, budget_gb, folder, resume, progress)
    return _scanned(study, request, run, parquet=parquet)


def _scanned(study: Study, request: ScanRequest, run: RunOptions, *, parquet: bool) -> Scan:
    """Check everything, scan and store."""
    problems = [*option_problems(study.spec, request, study.days), *run_problems(run)]
    spec = study.spec
    if not problems and request.strategies is not None:
        chosen = tuple(as_strategy(s) for s in request.strategies)
        spec = dataclasses.replace(spec, strategies=chosen)
    problems += check_spec(spec)
    raise_problems(problems, f"hosting of study {spec.name!r}")
    told = tuple(Note("warning", p.where, p.what) for p in problems)
    spec = dataclasses.replace(spec, notes=(*spec.notes, *told))
    rows: dict[str, Strategy] = {}
    if request.method in ("nodal", "uniform"):
        record = scan_connections(spec, request, study.days, run)
    else:
        settings, rows = settings_of(spec, request, study.days)
        notes = pool_notes(spec, request)
        record = run_scan(spec, settings, rows, run, method=request.method, notes=notes)
    if run.out is not None:
        write_scan(record, run.out, EXTRAS, parquet=parquet)
    return Scan(record, study, rows)
