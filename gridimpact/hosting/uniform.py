"""What every customer may draw or feed at the same time, as much each, until the first violation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.hosting.constant_power import ConstantPower
from gridimpact.hosting.named_elements import element_axes
from gridimpact.hosting.nodal import Progress
from gridimpact.hosting.power_elements import DIRECTIONS, charge_of
from gridimpact.hosting.power_search import (
    MOST_WITHOUT_TRANSFORMER_KW,
    TOLERANCE_KW,
    most_power,
    search_cases,
)
from gridimpact.hosting.power_words import (
    choice_problems,
    directions_of,
    element_name,
    judged_notes,
    power_problems,
)
from gridimpact.records import LIMIT_KINDS, UNIFORM_COLUMNS, Note
from gridimpact.study.spec import Days, StudySpec

FIRST_KW = 1.0
"""Power per customer the search begins with [kW]."""


def uniform_capacity(  # noqa: PLR0913 - options of one method, each by name
    spec: StudySpec,
    *,
    days: Days = "design",
    direction: str | Sequence[str] = DIRECTIONS,
    kinds: Sequence[str] = ("home",),
    power_factor: float | None = None,
    p_max_kw: float | None = None,
    preexisting: str = "worse",
    tolerance_kw: float = TOLERANCE_KW,
    limits: Sequence[str] = LIMIT_KINDS,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the same constant power at every customer at once, up to the first violation.

    Parameters
    ----------
    spec : StudySpec
        The study; its cars are left out, its load and PV stay.
    days : str or sequence of str
        As `gridimpact.study.segments.choose_segments`; every counted step is judged.
    direction : str or sequence of str
        "import", "export" or "both".
    kinds : sequence of str
        Kinds of site that take part ("home", "building", "public").
    power_factor : float, optional
        Lagging; the study's for its chargers for import and 1 for export unless given.
    p_max_kw : float, optional
        Power per customer asked about at most [kW]; 4 times the rating of the largest transformer unless given.
    preexisting : str
        As in `gridimpact.records.ScanSettings`.
    tolerance_kw : float
        Width of the bracket at the end [kW].
    limits : sequence of str
        Kinds that count, of `gridimpact.records.LIMIT_KINDS`; a power flow without a solution always does.
    progress : callable, optional
        Called with directions done and directions in all.

    Returns
    -------
    table : DataFrame
        Columns `gridimpact.records.UNIFORM_COLUMNS`, one row by direction; ``binding_element`` is the pandapower
        index of the element that breaks first, of a connection that of its bus, -1 where there is none.
    notes : tuple of Note
        What is judged and what is not.

    Raises
    ------
    InputError
        With every wrong argument at once.
    GridError
        If no customer has supply.
    FlowNotConverged
        If the network cannot carry its own load at any step.
    """
    wanted = directions_of(direction)
    raise_problems(
        [
            *power_problems("p_max_kw", p_max_kw),
            *power_problems("tolerance_kw", tolerance_kw),
            *choice_problems(preexisting, limits, wanted, power_factor),
            *_kind_problems(spec, kinds),
        ],
        "uniform capacity",
    )
    base = ConstantPower(spec, days, preexisting, limits)
    of_kind = base.network.sites["kind"].astype(str).isin(kinds).to_numpy()
    lit = base.network.grid.bus_supplied[base.given.site_bus]
    members = np.flatnonzero(of_kind & lit)
    if not len(members):
        message = (
            f"uniform capacity: none of {int(of_kind.sum())} customers has supply; close a switch"
        )
        raise GridError(message)
    most = np.array([most_power(base, p_max_kw)[members].max(initial=MOST_WITHOUT_TRANSFORMER_KW)])
    if p_max_kw is not None:
        most = np.array([float(p_max_kw)])
    axes, rows = element_axes(base.network), []
    for number, way in enumerate(wanted):
        charge = charge_of(base.spec, way, power_factor)
        found = search_cases(base, charge, members[None, :], FIRST_KW, most, tolerance_kw)
        axis, place = found.axis[0], int(found.element[0])
        index = int(axes[axis].index[place]) if axis in axes and place >= 0 else -1
        power, reached = float(found.capacity_kw[0]), bool(found.reached[0])
        rows.append((way, power, reached, found.kind[0], index, element_name(axes, axis, place)))
        if progress is not None:
            progress(number + 1, len(wanted))
    told = ", ".join(kinds)
    notes = [*base.notes, *judged_notes(base)]
    notes.append(Note("info", "constant power", f"{len(members)} customers ({told}) at once."))
    dark = int((of_kind & ~lit).sum())
    if dark:
        text = f"{dark} customers are without supply and take no part."
        notes.append(Note("warning", "constant power", text))
    return pd.DataFrame(rows, columns=list(UNIFORM_COLUMNS)), tuple(dict.fromkeys(notes))


def _kind_problems(spec: StudySpec, kinds: Sequence[str]) -> list[Problem]:
    """Return what is wrong with the kinds of site that take part."""
    there = sorted({str(kind) for kind in spec.network.sites["kind"]})
    offer = f"the network has {', '.join(there)}"
    if isinstance(kinds, str):
        return [Problem("kinds", "is one text", "give a list of kinds of site")]
    found = [
        Problem("kinds", f"{kind!r} is no kind of site here", offer)
        for kind in kinds
        if kind not in there
    ]
    if not kinds:
        found.append(Problem("kinds", "names none", offer))
    return found
