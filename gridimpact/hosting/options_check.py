"""Everything that is wrong with what is asked of a hosting scan, told at once."""

from __future__ import annotations

import difflib
import inspect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from gridimpact.errors import InputError, Problem
from gridimpact.fleet import synthesize_fleet
from gridimpact.hosting.behaviour import SET_BY_SCAN
from gridimpact.hosting.pool import pool_of
from gridimpact.hosting.random_days import RANDOM_DAYS, choices_of_days
from gridimpact.records import LIMIT_KINDS, METHODS, PREEXISTING
from gridimpact.study.catalogue import as_strategy
from gridimpact.study.check import check_days
from gridimpact.study.phase_allocation import PHASE_RULES
from gridimpact.study.spec import StudySpec

if TYPE_CHECKING:
    from gridimpact.hosting.options import RunOptions, ScanRequest

DIRECTIONS = ("import", "export", "both")
POWER_KINDS = (
    "voltage",
    "unbalance",
    "line_loading",
    "transformer_loading",
    "connection",
    "power_flow",
)
"""Kinds of limit that constant power at connections is held against."""
MOST_PER_HOME = 10.0
"""Cars per home above this are taken for percent."""


def option_problems(
    spec: StudySpec, request: ScanRequest, days: str | Sequence[str]
) -> list[Problem]:
    """Return what is wrong with a request."""
    found = [
        *_chosen(request),
        *_shares(request),
        *_numbers(request),
        *_limits(request),
        *_strategies(request),
        *_days(spec, days if request.days is None else request.days),
    ]
    if request.method in ("nodal", "uniform"):
        return [*found, *_power_limits(request)]
    return [*found, *_levels(spec, request), *_draws(request), *_cars(spec, request)]


def run_problems(run: RunOptions) -> list[Problem]:
    """Return what is wrong with how a scan is to be run."""
    found = []
    if run.workers is not None and (not _whole(run.workers) or run.workers < 0):
        what = f"is {run.workers!r}"
        remedy = "give a number of processes, 0 to solve in this one, or leave it out for all cores"
        found.append(Problem("workers", what, remedy))
    if run.cluster is not None and not (isinstance(run.cluster, str) and "://" in run.cluster):
        remedy = "give a scheduler's address such as 'tcp://10.0.0.5:8786'"
        found.append(Problem("cluster", f"is {run.cluster!r}", remedy))
    for name, value, unit in (
        ("timeout_s", run.timeout_s, "seconds"),
        ("budget_gb", run.budget_gb, "GB"),
    ):
        if not (value is None and name == "timeout_s") and not _above_zero(value):
            found.append(Problem(name, f"is {value!r}", f"give {unit} above 0"))
    if run.resume and run.out is None:
        what, remedy = "has no folder to go on from", "name it: out='scan/'"
        found.append(Problem("resume", what, remedy))
    if run.out is not None and run.out.exists() and not run.out.is_dir():
        what = f"{run.out.name!r} is a file"
        found.append(Problem("out", what, "name a folder; it is made where it is missing"))
    return found


def given_cars(spec: StudySpec) -> int:
    """Return the number of private cars of the study."""
    return len(pool_of(spec.fleet).car)


def _chosen(request: ScanRequest) -> Iterator[Problem]:
    """Words out of a list."""
    for name, value, known in (
        ("method", request.method, METHODS),
        ("preexisting", request.preexisting, PREEXISTING),
        ("placement", request.placement, (None, "draw", "given")),
        ("phases", request.phases, PHASE_RULES),
    ):
        if value not in known:
            yield Problem(name, f"is {value!r}", _nearest(value, [k for k in known if k]))
    given = request.direction
    for way in (given,) if isinstance(given, str) else given:
        if way not in DIRECTIONS:
            yield Problem("direction", f"is {way!r}", _nearest(way, DIRECTIONS))
    behaviour = request.behaviour
    if isinstance(behaviour, Mapping):
        arguments = inspect.signature(synthesize_fleet).parameters
        own = [name for name in arguments if name not in SET_BY_SCAN]
        for key in behaviour:
            if key not in own:
                what = f"has no setting {key!r}"
                if key in SET_BY_SCAN:
                    yield Problem("behaviour", f"{key!r} is set by the scan", "leave it out")
                else:
                    yield Problem("behaviour", what, _nearest(key, own))
    elif behaviour not in (None, "resample", "given"):
        remedy = _nearest(behaviour, ["resample", "given"])
        yield Problem("behaviour", f"is {behaviour!r}", f"{remedy}, or settings of a new fleet")
    refine: Any = request.refine
    if not isinstance(refine, bool):
        yield Problem("refine", f"is {refine!r}", "give True or False")


def _shares(request: ScanRequest) -> Iterator[Problem]:
    """Risk and confidence are shares, not percent."""
    for name, value, example in (
        ("risk", request.risk, "0.05 for 5 %"),
        ("confidence", request.confidence, "0.95 for 95 %"),
    ):
        if not (_number(value) and 0.0 < value < 1.0):
            yield Problem(name, f"is {value!r}", f"give a share between 0 and 1, {example}")


def _numbers(request: ScanRequest) -> Iterator[Problem]:
    """Powers, percents and the seed."""
    optional = {"precision", "unmet_percent", "export_percent"}
    for name in ("car_kw", "precision", "export_percent"):
        value = getattr(request, name)
        if not (value is None and name in optional) and not _above_zero(value):
            yield Problem(name, f"is {value!r}", "give a number above 0")
    value = request.unmet_percent
    if value is not None and not (_number(value) and 0.0 <= value <= 100.0):
        remedy = "give percent of the energy asked for, 0 to 100, or None to leave service out"
        yield Problem("unmet_percent", f"is {value!r}", remedy)
    if not _whole(request.seed) or request.seed < 0:
        yield Problem("seed", f"is {request.seed!r}", "give a whole number, 0 or more")


def _limits(request: ScanRequest) -> Iterator[Problem]:
    """Kinds of limit."""
    if request.limits is None:
        return
    asked = listed(request.limits)
    if not asked:
        yield Problem("limits", "names no kind of limit", f"name some of {', '.join(LIMIT_KINDS)}")
    for kind in asked:
        if kind not in LIMIT_KINDS:
            yield Problem("limits", f"{kind!r} is unknown", _nearest(kind, LIMIT_KINDS))


def _power_limits(request: ScanRequest) -> Iterator[Problem]:
    """Constant power is judged step by step; what needs drivers or temperatures is not."""
    if request.limits is not None and not set(listed(request.limits)) & set(POWER_KINDS):
        what = f"names nothing that {request.method!r} judges"
        yield Problem("limits", what, f"name some of {', '.join(POWER_KINDS)}")


def _strategies(request: ScanRequest) -> Iterator[Problem]:
    """Every strategy must be one."""
    if request.strategies is None:
        return
    if isinstance(request.strategies, str):
        yield Problem("strategies", "is one text", f"give a list: [{request.strategies!r}]")
        return
    for number, given in enumerate(request.strategies):
        try:
            as_strategy(given)
        except InputError as error:
            yield from error.problems or [Problem(f"strategies.{number}", str(error))]


def _days(spec: StudySpec, days: str | Sequence[str]) -> Iterator[Problem]:
    """Days of the timeline, or random ones of a timeline long enough."""
    if isinstance(days, str) and days in RANDOM_DAYS:
        try:
            choices_of_days(spec.timeline, days)
        except InputError as error:
            yield Problem("days", str(error).removeprefix("days "))
        return
    yield from check_days(spec, days)


def _levels(spec: StudySpec, request: ScanRequest) -> Iterator[Problem]:
    """Numbers of cars: above none, rising, distinct, not percent."""
    homes = int((spec.network.sites["kind"].astype(str) == "home").sum())
    if request.cars is not None and request.cars_per_home is not None:
        yield Problem("cars", "and cars_per_home are both given", "give one of them")
    name = "cars" if request.cars is not None else "cars_per_home"
    values: Any = request.cars if request.cars is not None else request.cars_per_home
    if name == "cars_per_home" and not homes:
        remedy = "mark sites as homes when opening the network, or give cars=[...]"
        yield Problem("cars_per_home", "the network has no home", remedy)
    if values is None:
        return
    if isinstance(values, str) or not isinstance(values, Sequence):
        try:
            values = list(values)
        except TypeError:
            percent = name == "cars_per_home" and _number(values) and values > 10
            remedy = (
                f"a list of shares, [{values / 100:g}] for {values:g} %"
                if percent
                else f"a list: [{values!r}]"
            )
            yield Problem(name, f"is {values!r}", f"give {remedy}")
            return
    bad = [v for v in values if not (_number(v) and v >= 0)]
    if bad:
        yield Problem(name, f"holds {bad[0]!r}", "give numbers of 0 or more")
        return
    if name == "cars":
        broken = [v for v in values if not float(v).is_integer()]
        if broken:
            remedy = "give whole cars, or cars_per_home=[...] for shares"
            yield Problem(name, f"holds {broken[0]!r}", remedy)
    else:
        high = [v for v in values if v > MOST_PER_HOME]
        if high:
            remedy = f"give cars per home: {high[0] / 100:g} if {high[0]:g} % is meant"
            yield Problem(name, f"holds {high[0]!r}", remedy)
    if any(b <= a for a, b in itertools.pairwise(values)):
        yield Problem(name, "does not rise", "give each number once, the lowest first")
    rounded = [v if name == "cars" else round(v * homes) for v in values]
    if not any(rounded):
        yield Problem(name, "asks for no car at all", "give at least one number above 0")


def _draws(request: ScanRequest) -> Iterator[Problem]:
    """Least and most number of draws."""
    given: Any = request.draws
    pair = (given, given) if _whole(given) else given
    fits = isinstance(pair, Sequence) and len(pair) == 2 and all(_whole(n) for n in pair)
    if not fits or isinstance(pair, str) or pair[0] < 1:
        yield Problem("draws", f"is {given!r}", "give a number from 1, or (least, most)")
    elif pair[0] > pair[1]:
        remedy = f"least comes first: ({pair[1]}, {pair[0]})"
        yield Problem("draws", f"is {given!r}", remedy)


def _cars(spec: StudySpec, request: ScanRequest) -> Iterator[Problem]:
    """There must be cars to draw from, and as many as are asked for where each stands for itself."""
    pool = given_cars(spec)
    new = isinstance(request.behaviour, Mapping)
    if not pool and not (new and not request.given):
        remedy = "give the study home cars, or behaviour={} to make new ones by draw"
        yield Problem("behaviour", "the study has no car at a home to draw from", remedy)
        return
    if not request.given:
        return
    homes = int((spec.network.sites["kind"].astype(str) == "home").sum())
    try:
        asked = [float(v) for v in request.cars or ()]
        asked += [round(float(v) * homes) for v in request.cars_per_home or ()]
    except (TypeError, ValueError):
        return
    if asked and max(asked) > pool:
        what = f"{max(asked):g} cars are asked for, the study has {pool} at homes"
        remedy = "lower the numbers, give the study more cars, or behaviour='resample' and placement='draw'"
        yield Problem("cars", what, remedy)


def _nearest(value: Any, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(value), list(known), n=1)
    offered = f"did you mean {near[0]!r}? " if near else ""
    return f"{offered}choose one of {', '.join(known)}"


def listed(limits: str | Sequence[str]) -> list[str]:
    """Return the kinds of limit named; one may stand alone."""
    return [limits] if isinstance(limits, str) else [str(kind) for kind in limits]


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(float(value))


def _whole(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral)


def _above_zero(value: Any) -> bool:
    return _number(value) and float(value) > 0.0
