"""Injections from plain arrays, for a power flow without a study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray, Grid, Injections, Network, VoltVar
from gridimpact.timeline import Timeline

_CONNECTIONS = ("star", "delta")
_BETWEEN = {"ab": "a", "bc": "b", "ca": "c", "ac": "c", "abc": "abc"}
"""Which shares of a delta element stand for the phases it lies between."""


def injections_at(
    network: Network | Grid,
    timeline: Timeline,
    *,
    bus: ArrayLike,
    p_kw: ArrayLike,
    q_kvar: ArrayLike = 0.0,
    phases: str | Sequence[str] = "abc",
    connection: str | Sequence[str] = "star",
    volt_var: VoltVar | None = None,
) -> Injections:
    """Return injections of elements at buses.

    Parameters
    ----------
    network : Network or Grid
        Where the buses are.
    timeline : Timeline
        Its steps are the time axis.
    bus : array_like of int
        (element,) pandapower bus indices.
    p_kw : array_like
        (scenario, time, element), or (time, element) of one scenario; positive draws [kW].
    q_kvar : array_like
        The same, or one value for all; positive draws [kvar].
    phases : str or sequence of str
        Phases of each element, power in equal parts: "abc", "a", "bc". In delta "ab" lies between
        phases a and b.
    connection : str or sequence of str
        "star" to neutral or "delta".
    volt_var : VoltVar, optional
        Elements whose reactive power answers to voltage.

    Returns
    -------
    Injections
        Constant power.

    Raises
    ------
    InputError
        With everything that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from gridimpact.network import open_network
    >>> feeder = open_network("ieee_european_lv")
    >>> day = Timeline.days("2024-01-15", 1, step="15min", zone="UTC")
    >>> car = injections_at(feeder, day, bus=[906], p_kw=np.full((96, 1), 7.4), phases="b")
    >>> car.p_kw.shape, car.phase_share.tolist()
    ((1, 96, 1), [[0.0, 1.0, 0.0]])
    """
    grid = network.grid if isinstance(network, Network) else network
    place = np.atleast_1d(np.asarray(bus)).tolist()
    power = np.asarray(p_kw, dtype=np.float64)
    power = power[None] if power.ndim == 2 else power
    reactive = np.asarray(q_kvar, dtype=np.float64)
    problems = _shape_problems(np.shape(p_kw), reactive.shape, (timeline.count, len(place)))
    where = {int(index): k for k, index in enumerate(grid.bus_index)}
    problems += [
        Problem(f"bus of element {k}", f"is {b}, no bus of the network", "give pandapower's index")
        for k, b in enumerate(place)
        if b not in where
    ]
    phase, joined = (_each(given, len(place)) for given in (phases, connection))
    problems += _connection_problems(phase, joined, len(place))
    raise_problems(problems, "injections")
    delta = np.array([name == "delta" for name in joined], dtype=np.int64)
    share = phase_shares([_BETWEEN[p] if d else p for p, d in zip(phase, delta, strict=True)])
    return Injections(
        timeline=timeline,
        bus=np.array([where[b] for b in place], dtype=np.int64),
        p_kw=power,
        q_kvar=np.ascontiguousarray(np.broadcast_to(reactive, power.shape)),
        phase_share=share,
        zip_p=np.zeros((len(place), 2)),
        zip_q=np.zeros((len(place), 2)),
        connection=delta if delta.any() else None,
        volt_var=volt_var,
    )


def _shape_problems(
    active: tuple[int, ...], reactive: tuple[int, ...], wanted: tuple[int, int]
) -> list[Problem]:
    """Return shapes of power that are not those of (time, element), a scenario axis before it or not."""
    problems = []
    if len(active) not in (2, 3) or active[-2:] != wanted:
        what = f"has shape {active}, must be {wanted} or (scenario, {wanted[0]}, {wanted[1]})"
        problems.append(Problem("p_kw", what, "one column an element, one row a step"))
    if reactive and reactive not in (active, (1, *active)):
        what = f"has shape {reactive}, must be that of p_kw or one value"
        problems.append(Problem("q_kvar", what))
    return problems


def _each(given: str | Sequence[str], count: int) -> list[str]:
    return [given] * count if isinstance(given, str) else [str(text) for text in given]


def _connection_problems(phase: list[str], joined: list[str], count: int) -> list[Problem]:
    """Return what is wrong with phases and connections."""
    problems = [
        Problem(name, f"has {len(values)} entries, there are {count} elements")
        for name, values in (("phases", phase), ("connection", joined))
        if len(values) != count
    ]
    problems += [
        Problem(f"connection of element {k}", f"is {name!r}", "write 'star' or 'delta'")
        for k, name in enumerate(joined)
        if name not in _CONNECTIONS
    ]
    for k, (text, name) in enumerate(zip(phase, joined, strict=False)):
        plain = bool(text) and set(text) <= set("abc") and len(set(text)) == len(text)
        if not plain:
            problems.append(Problem(f"phases of element {k}", f"is {text!r}", "of a, b and c"))
        elif name == "delta" and text not in _BETWEEN:
            what = f"is {text!r}, a delta element lies between two phases or on all three"
            problems.append(Problem(f"phases of element {k}", what, "ab, bc, ca or abc"))
    return problems


def phase_shares(phases: Sequence[str]) -> FloatArray:
    """Return the share of each phase, (element, 3), rows summing to 1; in delta of ab, bc and ca.

    Examples
    --------
    >>> phase_shares(["b"]).tolist()
    [[0.0, 1.0, 0.0]]
    """
    shares = np.array([[float(p in text) for p in "abc"] for text in phases]).reshape(-1, 3)
    normal: FloatArray = shares / shares.sum(axis=1, keepdims=True)
    return normal
