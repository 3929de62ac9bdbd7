"""What each connection alone may draw or feed: one after the other, the rest of the network as it is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.hosting.bracket import Search, nth_largest, worst_steps
from gridimpact.hosting.constant_power import DIRECTIONS, Charge, ConstantPower, charge_of
from gridimpact.hosting.lane_limits import Excess
from gridimpact.hosting.named_elements import ElementAxis, element_axes
from gridimpact.hosting.readings import KINDS
from gridimpact.records import (
    LIMIT_KINDS,
    NODAL_COLUMNS,
    PREEXISTING,
    FloatArray,
    IntArray,
    Note,
)
from gridimpact.study.spec import Days, StudySpec

MOST_CAR_KW = 1000.0
"""Power of one car that is still believed [kW]; more is taken for watts."""
MOST_PER_RATING = 4.0
"""Power asked about at most over the rating of the supplying transformer; an own choice, far beyond any limit."""
MOST_WITHOUT_TRANSFORMER_KW = 1000.0
"""The same where no transformer supplies a connection [kW]; an own choice."""
TOLERANCE_KW = 0.005
"""Width of the bracket of each capacity [kW]."""
_VALUES_AT_ONCE = 6_000_000
"""Excesses of lanes kept while connections are proved, about 50 MB."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """What was found of each case, arrays (case,)."""

    capacity_kw: FloatArray
    reached: np.ndarray[Any, np.dtype[np.bool_]]
    kind: list[str]
    """Kind of limit that breaks first just above, "" where none."""
    axis: list[str]
    element: IntArray
    """Its element's position on its axis, -1 where none."""


def nodal_capacity(  # noqa: PLR0913 - options of one method, each by name
    spec: StudySpec,
    *,
    days: Days = "design",
    direction: str | Sequence[str] = DIRECTIONS,
    sites: Sequence[str] | None = None,
    car_kw: float = 11.0,
    power_factor: float | None = None,
    p_max_kw: float | None = None,
    preexisting: str = "worse",
    tolerance_kw: float = TOLERANCE_KW,
    limits: Sequence[str] = LIMIT_KINDS,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the largest constant power each connection alone may draw or feed.

    Parameters
    ----------
    spec : StudySpec
        The study; its cars are left out, its load and PV stay.
    days : str or sequence of str
        As `gridimpact.study.segments.choose_segments`; every counted step is judged.
    direction : str or sequence of str
        "import", "export" or "both".
    sites : sequence of str, optional
        Ids of the connections; all of them unless given.
    car_kw : float
        Power of one car [kW]; ``cars`` is the whole number of them that may charge at once.
    power_factor : float, optional
        Of the power drawn or fed, lagging; the study's for its chargers for import and 1 for export unless given.
    p_max_kw : float, optional
        Power asked about at most [kW]; 4 times the rating of the supplying transformer unless given.
    preexisting : str
        As in `gridimpact.records.ScanSettings`: "worse" follows `gridimpact.assess.compare_with_base`.
    tolerance_kw : float
        Width of the bracket at the end [kW].
    limits : sequence of str
        Kinds that count, of `gridimpact.records.LIMIT_KINDS`; a power flow without a solution always does.
    progress : callable, optional
        Called with connections done and connections in all.

    Returns
    -------
    table : DataFrame
        Columns `gridimpact.records.NODAL_COLUMNS`, one row by direction and connection. ``capacity_kw`` keeps
        every limit at every counted step; at most `tolerance_kw` more does not, and ``binding`` says why. Where
        nothing breaks up to the highest power asked about, ``reached`` is False.
    notes : tuple of Note
        What is judged and what is not.

    Raises
    ------
    InputError
        With every wrong argument at once.
    FlowNotConverged
        If the network cannot carry its own load at any step.

    Notes
    -----
    Brackets are narrowed on the steps that bind and proved on all of them (`gridimpact.hosting.bracket`). Should
    a limit be broken, kept and broken again as power rises, one of the crossings is found, as by any bisection.
    """
    wanted = directions_of(direction)
    problems = [
        *_problems(car_kw, p_max_kw, tolerance_kw),
        *choice_problems(preexisting, limits, wanted, power_factor),
        *_unknown_sites(spec, sites),
    ]
    raise_problems(problems, "nodal capacity")
    base = ConstantPower(spec, days, preexisting, limits)
    chosen = _positions(base, sites)
    most = most_power(base, p_max_kw)[chosen]
    lit = base.network.grid.bus_supplied[base.given.site_bus[chosen]]
    tables = []
    for number, way in enumerate(wanted):
        charge = charge_of(base.spec, way, power_factor)

        def told(done: int, number: int = number) -> None:
            if progress is not None:
                progress(number * len(chosen) + done, len(wanted) * len(chosen))

        found = _alone(base, charge, chosen, (car_kw, most, tolerance_kw), told)
        tables.append(_table(base, way, chosen, found, car_kw))
    notes = (*base.notes, *judged_notes(base), *_dark_notes(int((~lit).sum())))
    return pd.concat(tables, ignore_index=True), tuple(dict.fromkeys(notes))


def directions_of(direction: str | Sequence[str]) -> tuple[str, ...]:
    """Return directions in their order.

    Examples
    --------
    >>> directions_of("both")
    ('import', 'export')
    """
    if isinstance(direction, str):
        return DIRECTIONS if direction == "both" else (direction,)
    return tuple(dict.fromkeys(direction))


def choice_problems(
    preexisting: str,
    limits: Sequence[str],
    directions: tuple[str, ...],
    power_factor: float | None,
) -> list[Problem]:
    """Return what is wrong with choices that the nodal and the uniform method share."""
    found = [
        Problem(where, f"is {text!r}", f"choose one of {', '.join(known)}")
        for where, texts, known in (
            ("preexisting", (preexisting,), PREEXISTING),
            ("direction", directions, (*DIRECTIONS, "both")),
            ("limits", (limits,) if isinstance(limits, str) else limits, LIMIT_KINDS),
        )
        for text in texts
        if text not in known
    ]
    if not directions:
        found.append(Problem("direction", "names none", "write 'import', 'export' or 'both'"))
    if isinstance(limits, str):
        found.append(Problem("limits", "is one text", "give a list of kinds"))
    if power_factor is not None and not 0.0 < power_factor <= 1.0:
        found.append(Problem("power_factor", f"is {power_factor}", "give a number above 0 up to 1"))
    return found


def power_problems(name: str, value: float | None, most: float = np.inf) -> list[Problem]:
    """Return what is wrong with a power [kW]; None is none."""
    if value is None or (np.isfinite(value) and 0.0 < value <= most):
        return []
    known = "above 0" if np.isinf(most) else f"above 0 and at most {most:g}"
    hint = "it is in kW, not W" if value > most else "give a power in kW"
    return [Problem(name, f"is {value}, must be {known}", hint)]


def most_power(base: ConstantPower, p_max_kw: float | None) -> FloatArray:
    """Return the highest power asked about at each site [kW], (site,)."""
    if p_max_kw is not None:
        return np.full(len(base.given.site_bus), float(p_max_kw))
    grid = base.network.grid
    transformer = grid.bus_transformer[base.given.site_bus]
    rating = np.append(grid.transformer_sn_kva, np.nan)[transformer]
    return np.where(
        np.isfinite(rating), MOST_PER_RATING * rating, MOST_WITHOUT_TRANSFORMER_KW
    ).astype(np.float64)


def search_cases(
    base: ConstantPower,
    charge: Charge,
    cases: IntArray,
    first_kw: float,
    most_kw: FloatArray,
    tolerance_kw: float,
) -> Found:
    """Return what was found of cases (case, member), each by itself.

    A case whose members were beyond what counts before any power was added has no capacity.
    """

    def judge(case: IntArray, step: IntArray, kw: FloatArray) -> Excess:
        return base.excess(charge, cases[case], step, kw)

    search = Search(judge, base.steps, base.limits.needed, tolerance_kw)
    count = len(cases)
    if base.base.worst.max(initial=-np.inf) > 0.0:
        idle = np.zeros(count)
        return _binding(base, charge, cases, idle, idle, [base.steps] * count, np.ones(count, bool))
    begin = [_first_steps(base, charge, members) for members in cases]
    state = search.run(first_kw, most_kw, begin)
    return _binding(base, charge, cases, state.low, state.high, state.steps, state.fails)


def _first_steps(base: ConstantPower, charge: Charge, members: IntArray) -> IntArray:
    """Return the steps a case is narrowed on at first: worst of the network and of its own meters."""
    chosen = base.steps[worst_steps(base.base, slice(None), base.limits.needed)]
    own = charge.sign * base.meter_kw[base.steps][:, members].sum(axis=1)
    return np.union1d(chosen, base.steps[np.argsort(-own, kind="stable")[:4]])


def _binding(
    base: ConstantPower,
    charge: Charge,
    cases: IntArray,
    low: FloatArray,
    high: FloatArray,
    steps: list[IntArray],
    fails: Any,
) -> Found:
    """Return capacities with the limit that breaks first just above."""
    kind, axis = [""] * len(cases), [""] * len(cases)
    element = np.full(len(cases), -1, dtype=np.int64)
    for case in np.flatnonzero(fails):
        own = steps[case]
        site = np.repeat(cases[case][None, :], len(own), axis=0)
        found = base.excess(charge, site, own, np.full(len(own), high[case]), where=True)
        name, place = _first_broken(base, found)
        kind[case], axis[case] = KINDS[name].limit, KINDS[name].axis
        element[case] = place
        if name == "transformer3w_loading":
            axis[case] = "transformer"
            element[case] = len(base.network.grid.transformer_index) + place
    return Found(low, np.asarray(fails), kind, axis, element)


def _first_broken(base: ConstantPower, found: Excess) -> tuple[str, int]:
    """Return kind and element that are furthest beyond what counts."""
    lane, rule = np.unravel_index(int(found.worst.argmax()), found.worst.shape)
    if found.worst[lane, rule] > 0.0 or not len(base.limits.needed):
        place = -1 if found.element is None else int(found.element[lane, rule])
        return base.kinds[rule], place
    longest = int(nth_largest(found.longer, base.limits.needed).argmax())
    broken = base.limits.ranked[longest]
    return base.kinds[int(broken[0])], int(broken[1])


def _alone(
    base: ConstantPower,
    charge: Charge,
    chosen: IntArray,
    powers: tuple[float, FloatArray, float],
    told: Callable[[int], None],
) -> Found:
    """Return what was found of each chosen connection alone; those without supply have no capacity."""
    first_kw, most_kw, tolerance_kw = powers
    count = len(chosen)
    capacity, reached = np.zeros(count), np.ones(count, dtype=np.bool_)
    kind, axis, element = (
        ["power_flow"] * count,
        ["bus"] * count,
        base.given.site_bus[chosen].copy(),
    )
    lit = np.flatnonzero(base.network.grid.bus_supplied[base.given.site_bus[chosen]])
    values = len(base.steps) * (len(base.kinds) + len(base.limits.needed) + 3)
    size = max(1, _VALUES_AT_ONCE // max(values, 1))
    told(count - len(lit))
    for first in range(0, len(lit), size):
        own = lit[first : first + size]
        found = search_cases(
            base, charge, chosen[own][:, None], first_kw, most_kw[own], tolerance_kw
        )
        capacity[own], reached[own], element[own] = found.capacity_kw, found.reached, found.element
        for k, place in enumerate(own):
            kind[place], axis[place] = found.kind[k], found.axis[k]
        told(count - len(lit) + min(first + size, len(lit)))
    return Found(capacity, reached, kind, axis, element)


def _table(
    base: ConstantPower, direction: str, chosen: IntArray, found: Found, car_kw: float
) -> pd.DataFrame:
    """Return the rows of one direction."""
    grid, sites = base.network.grid, base.network.sites.iloc[chosen]
    bus, axes = base.given.site_bus[chosen], element_axes(base.network)
    columns = {
        "site_id": [str(s) for s in sites.index],
        "bus": grid.bus_index[bus],
        "name": [str(n) for n in sites["name"]],
        "phases": [str(p) for p in sites["phases"]],
        "feeder": grid.bus_feeder[bus],
        "distance_m": grid.bus_distance_m[bus],
        "direction": direction,
        "capacity_kw": found.capacity_kw,
        "cars": np.floor(found.capacity_kw / car_kw).astype(np.int64),
        "reached": found.reached,
        "binding": found.kind,
        "binding_element": [
            element_name(axes, axis, int(k))
            for axis, k in zip(found.axis, found.element, strict=True)
        ],
        "x": grid.bus_xy[bus, 0],
        "y": grid.bus_xy[bus, 1],
    }
    return pd.DataFrame(columns, columns=list(NODAL_COLUMNS))


def element_name(axes: dict[str, ElementAxis], axis: str, position: int) -> str:
    """Return the name of an element, "network" for the whole of it and "" for none."""
    if axis in axes and position >= 0:
        own = axes[axis]
        return str(own.name[position]) or f"{axis} {own.index[position]}"
    return axis


def judged_notes(base: ConstantPower) -> list[Note]:
    """Return what constant power is judged by, what is left out and what was so before."""
    limits, where = base.spec.limits, "constant power"
    kinds = sorted({KINDS[rule.kind].limit for rule in base.limits.rules})
    judged = ", ".join(kinds) if kinds else "no limit of the profile"
    notes = [
        Note(
            "info",
            where,
            f"judged at each of {len(base.steps)} counted steps: {judged}, and that a power flow has a solution; "
            "hot spot, ageing, service and export over ratings are not judged here.",
        )
    ]
    if limits.week is not None or (limits.unbalance_share is not None and base.setup.phases == 3):
        text = "what the profile asks for in a share of each week is asked for at every step, the safe side."
        notes.append(Note("assumption", where, text))
    for name in ("transformer_mean_percent", "line_mean_percent", "step_change_pu"):
        if getattr(limits, name) is not None:
            text = f"{name} of the profile is not judged by this method."
            notes.append(Note("warning", where, text))
    if base.before:
        told = ", ".join(f"{count} by {kind}" for kind, count in sorted(base.before.items()))
        text = f"elements beyond a limit without added power: {told}; counted as preexisting={base.preexisting!r}."
        notes.append(Note("warning", where, text))
    if base.base_failed:
        text = f"{base.base_failed} steps have no solution without added power"
        rule = "break every capacity" if base.preexisting == "count" else "are left out"
        notes.append(Note("warning", where, f"{text}; they {rule}."))
    if "chargers" in base.spec.volt_var:
        text = "added power keeps its power factor; the study's Volt-VAr curve of chargers does not act on it."
        notes.append(Note("warning", where, text))
    single = int((base.network.sites["phases"].astype(str).str.len() < 3).sum())
    if single and base.setup.phases == 1:
        text = f"{single} connections on fewer than three phases are solved as balanced ones: theirs may be less."
        notes.append(Note("warning", where, text))
    return notes


def _dark_notes(dark: int) -> list[Note]:
    if not dark:
        return []
    text = f"{dark} connections are without supply and have no capacity."
    return [Note("warning", "constant power", text)]


def _problems(car_kw: float, p_max_kw: float | None, tolerance_kw: float) -> list[Problem]:
    """Return what is wrong with the numbers."""
    return [
        *power_problems("car_kw", car_kw, MOST_CAR_KW),
        *power_problems("p_max_kw", p_max_kw),
        *power_problems("tolerance_kw", tolerance_kw),
    ]


def _unknown_sites(spec: StudySpec, sites: Sequence[str] | None) -> list[Problem]:
    """Return a problem for each site the network does not have, with the nearest it has."""
    if sites is None:
        return []
    if isinstance(sites, str):
        return [Problem("sites", "is one text", "give a list of site ids")]
    known = [str(s) for s in spec.network.sites.index]
    there, found = set(known), []
    for name in sites:
        if str(name) not in there:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.0)
            found.append(
                Problem("sites", f"{name!r} is unknown", f"write {near[0]!r}" if near else "")
            )
    if not len(sites):
        found.append(Problem("sites", "names none", "leave it out for all of them"))
    return found


def _positions(base: ConstantPower, sites: Sequence[str] | None) -> IntArray:
    """Return the positions of the chosen sites, in the order of the network."""
    names = base.network.sites.index.astype(str)
    if sites is None:
        return np.arange(len(names))
    return np.flatnonzero(names.isin([str(s) for s in sites]))
