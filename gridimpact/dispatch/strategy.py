"""What a charging strategy is: a frozen record of its settings that turns a request into a dispatch.

Every strategy plans vehicles in the order of their ids, so that the order in which they are given
changes nothing; `plan_in_id_order` does that for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from gridimpact.errors import InputError
from gridimpact.records import Batteries, Dispatch, IntArray, PlanRequest, Stays

KNOWLEDGE = ("none", "announced", "perfect")


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a strategy knows of the future, each "none", "announced" or "perfect".

    Attributes
    ----------
    stays : str
        "announced": the departure and target of a car once it is plugged in; "perfect": later stays too.
    prices : str
        "announced": prices published the day before; "perfect": all prices of the horizon.
    base_load : str
        "none": only the demand of the step itself; "perfect": demand and generation of the horizon.
    """

    stays: str = "none"
    prices: str = "none"
    base_load: str = "none"

    def __post_init__(self) -> None:
        """Refuse a word that means nothing."""
        for item in fields(self):
            word = getattr(self, item.name)
            if word not in KNOWLEDGE:
                message = f"foresight of {item.name} is {word!r}; use one of {', '.join(KNOWLEDGE)}"
                raise InputError(message)

    @property
    def causal(self) -> bool:
        """Whether nothing is known that a real controller could not know."""
        return "perfect" not in (self.stays, self.prices, self.base_load)


@runtime_checkable
class Strategy(Protocol):
    """A rule that decides when cars charge and discharge."""

    @property
    def name(self) -> str:
        """Name in comparison tables."""
        ...

    @property
    def bidirectional(self) -> bool:
        """Whether it ever discharges."""
        ...

    @property
    def foresight(self) -> Foresight:
        """What it knows of the future."""
        ...

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what every vehicle of the request does; causal strategies use no later step."""
        ...


def check_strategy(given: Any) -> None:
    """Refuse what is no strategy where one is wrapped.

    Raises
    ------
    InputError
        If it has no `plan`, `name`, `bidirectional` or `foresight`.
    """
    if isinstance(given, type) or not isinstance(given, Strategy):
        message = f"{given!r} is no strategy; give an object such as g2v.ValleyFilling()"
        raise InputError(message)


def label(strategy: Strategy) -> str:
    """Return the name of a strategy with the settings that differ from its defaults.

    Examples
    --------
    >>> from gridimpact.dispatch.uncontrolled import Uncontrolled
    >>> label(Uncontrolled())
    'uncontrolled'
    """
    settings: list[str] = []
    record: Any = strategy
    if is_dataclass(record):
        for item in fields(record):
            value = getattr(record, item.name)
            default = item.default
            if item.default_factory is not MISSING:
                default = item.default_factory()
            if isinstance(value, Strategy) and strategy.name.endswith(label(value)):
                # A strategy without settings of its own is told by the name of what wraps it.
                continue
            if item.name != "name" and default is not MISSING and value != default:
                settings.append(f"{item.name}={_text(value)}")
    return f"{strategy.name}({', '.join(settings)})" if settings else strategy.name


def _text(value: Any) -> str:
    """Return a setting as short text; strategies inside a setting by their label."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(part) for part in value) + "]"
    if isinstance(value, Strategy):
        return label(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def plan_in_id_order(
    request: PlanRequest, plan_sorted: Callable[[PlanRequest], Dispatch]
) -> Dispatch:
    """Plan with the vehicles sorted by id and give the dispatch back in the caller's order.

    Parameters
    ----------
    request : PlanRequest
        Vehicles in any order.
    plan_sorted : callable
        Plans a request whose vehicles are sorted by id.

    Returns
    -------
    Dispatch
        In the order of `request`.
    """
    order = np.array(
        sorted(range(len(request.vehicle_id)), key=request.vehicle_id.__getitem__), dtype=np.int64
    )
    if np.array_equal(order, np.arange(order.size)):
        return plan_sorted(request)
    chosen, stays = take_vehicles(request, order)
    found = plan_sorted(chosen)
    back = np.argsort(order)
    stay_back = np.argsort(stays)
    return replace(
        found,
        p_requested_kw=found.p_requested_kw[:, back],
        p_kw=found.p_kw[:, back],
        soc=found.soc[:, back],
        soc_initial=found.soc_initial[back],
        unmet_kwh=found.unmet_kwh[stay_back],
        unmet_cause=tuple(found.unmet_cause[k] for k in stay_back),
        away_kwh=found.away_kwh[stay_back],
        controlled=found.controlled[back],
        **{
            name: values[:, back]
            for name in ("q_kvar", "p_low_kw", "p_high_kw", "cycled_kwh", "inner_loss_kwh")
            if (values := getattr(found, name)) is not None
        },
    )


def take_vehicles(request: PlanRequest, vehicles: IntArray) -> tuple[PlanRequest, IntArray]:
    """Return a request with some of the vehicles, in the order given, and the stays it kept.

    Parameters
    ----------
    request : PlanRequest
        Whole request.
    vehicles : ndarray of int
        Positions to keep, each at most once.

    Returns
    -------
    tuple
        The smaller request, and the positions of its stays among those of `request`.
    """
    place = np.full(len(request.vehicle_id), -1, dtype=np.int64)
    place[vehicles] = np.arange(vehicles.size)
    owner = place[request.stays.vehicle]
    kept = np.flatnonzero(owner >= 0)
    kept = kept[np.lexsort((request.stays.start[kept], owner[kept]))]
    batteries = Batteries(
        **{item.name: getattr(request.batteries, item.name)[vehicles] for item in fields(Batteries)}
    )
    parts: dict[str, Any] = {
        item.name: getattr(request.stays, item.name)[kept]
        for item in fields(Stays)
        if item.name != "session_id"
    }
    parts["vehicle"] = owner[kept]
    names = tuple(request.stays.session_id[k] for k in kept)
    smaller = replace(
        request,
        vehicle_id=tuple(request.vehicle_id[k] for k in vehicles),
        batteries=batteries,
        soc_initial=request.soc_initial[vehicles],
        stays=Stays(session_id=names, **parts),
    )
    return smaller, kept
