"""What each connection alone may draw or feed: one after the other, the rest of the network as it is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.hosting.constant_power import ConstantPower
from gridimpact.hosting.named_elements import element_axes
from gridimpact.hosting.power_elements import DIRECTIONS, Charge, charge_of
from gridimpact.hosting.power_search import TOLERANCE_KW, Found, most_power, search_cases
from gridimpact.hosting.power_words import (
    choice_problems,
    directions_of,
    element_name,
    judged_notes,
    power_problems,
)
from gridimpact.records import LIMIT_KINDS, NODAL_COLUMNS, FloatArray, IntArray, Note
from gridimpact.study.spec import Days, StudySpec

MOST_CAR_KW = 1000.0
"""Power of one car that is still believed [kW]; more is taken for watts."""
_VALUES_AT_ONCE = 6_000_000
"""Excesses of lanes kept while connections are proved, about 50 MB."""

Progress = Callable[[int, int], None]


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
    if not len(spec.network.sites):
        return [Problem("sites", "the network has none", "give it loads: each is a connection")]
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
