"""A realistic mix: each car follows one strategy, and each strategy sees what the others' cars do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from gridimpact.dispatch.enrolment import check_share, lottery, vehicles_at
from gridimpact.dispatch.execute import power_by_group, power_by_site
from gridimpact.dispatch.strategy import (
    Foresight,
    Strategy,
    check_strategy,
    plan_in_id_order,
    take_vehicles,
)
from gridimpact.dispatch.uncontrolled import Uncontrolled, uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.records import (
    BoolArray,
    Dispatch,
    FloatArray,
    IntArray,
    Note,
    PlanRequest,
    ServiceFigure,
)

SITE_KINDS = ("home", "building", "public")


@dataclass(frozen=True)
class Mix:
    """Shares of the cars follow different strategies.

    Parameters
    ----------
    strategies : mapping or iterable of pairs
        Strategy to share, 0..1, of the cars that can follow it; kept as a tuple of pairs. A strategy that
        acts only at some kinds of sites takes its share of the cars there. The share takes the place of
        the strategy's own enrolment.
    rest : Strategy
        What all other cars do.
    name : str
        Name in comparison tables.

    Raises
    ------
    InputError
        If a share is outside 0..1, the shares of the cars at one kind of site sum to more than 1, or a
        part has a Volt-VAr curve.

    Notes
    -----
    Each car's id draws its strategy, so another car in the study changes nobody's. The strategies plan in
    the order given, the rest first where it is uncontrolled: each sees the power of the cars already
    planned, and uncontrolled charging of the others, as part of the demand of groups and sites. So a car
    that serves its home or building may, where several share a meter, also serve another car there.

    Examples
    --------
    >>> from gridimpact.dispatch.g2v import ValleyFilling
    >>> mix = Mix({ValleyFilling(): 0.4})
    >>> mix.name, mix.rest.name
    ('mix', 'uncontrolled')
    """

    strategies: Any
    rest: Strategy = Uncontrolled()  # noqa: RUF009 - frozen and without settings
    name: str = "mix"

    def __post_init__(self) -> None:
        """Keep the shares as pairs and check them."""
        given: Iterable[Any] = (
            self.strategies.items() if isinstance(self.strategies, Mapping) else self.strategies
        )
        pairs = tuple((strategy, float(share)) for strategy, share in given)
        object.__setattr__(self, "strategies", pairs)
        check_strategy(self.rest)
        for strategy, share in pairs:
            check_strategy(strategy)
            check_share(share, f"share of {strategy.name}")
        for part in self._parts:
            if getattr(part, "volt_var", ""):
                message = (
                    f"{part.name} lets chargers answer to voltage, but a mix is solved in one power flow; "
                    "set the study's option volt_var for chargers instead"
                )
                raise InputError(message)
        for kind in SITE_KINDS:
            total = sum(share for strategy, share in pairs if _acts_at(strategy, kind))
            if total > 1.0 + 1e-9:
                message = (
                    f"shares of the cars at sites of kind {kind!r} sum to {total:g}, at most 1"
                )
                raise InputError(message)

    @property
    def bidirectional(self) -> bool:
        """Whether any part discharges."""
        return any(strategy.bidirectional for strategy in self._parts)

    @property
    def foresight(self) -> Foresight:
        """The most that any part knows."""
        ranks = ("none", "announced", "perfect")
        most = {
            item.name: max(
                (getattr(strategy.foresight, item.name) for strategy in self._parts),
                key=ranks.index,
            )
            for item in fields(Foresight)
        }
        return Foresight(**most)

    @property
    def _parts(self) -> tuple[Strategy, ...]:
        return (*(strategy for strategy, _ in self.strategies), self.rest)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the dispatch of all cars, each under its own strategy."""
        return plan_in_id_order(request, self._plan)

    def assigned(self, request: PlanRequest) -> IntArray:
        """Return the number of the strategy that each vehicle follows; the rest has the last number."""
        drawn = lottery(request.vehicle_id, request.seed, "mix")
        chosen = np.full(drawn.size, len(self.strategies), dtype=np.int64)
        below = np.zeros(drawn.size)
        for number, (strategy, share) in enumerate(self.strategies):
            fits = vehicles_at(request, getattr(strategy, "site_kinds", None))
            chosen[fits & (drawn >= below) & (drawn < below + share)] = number
            below = below + np.where(fits, share, 0.0)
        return chosen

    def _plan(self, request: PlanRequest) -> Dispatch:
        chosen = self.assigned(request)
        whole = uncontrolled_dispatch(request, self.name)
        order = list(range(len(self.strategies)))
        if not isinstance(self.rest, Uncontrolled):
            order.append(len(self.strategies))
        notes: tuple[Note, ...] = ()
        figures: tuple[ServiceFigure, ...] = ()
        for number in order:
            mask = chosen == number
            if mask.any():
                part, kept = beside_others(request, mask, whole.p_kw)
                found = all_enrolled(self._parts[number]).plan(part)
                whole = _put(whole, found, np.flatnonzero(mask), kept)
                notes += found.notes
                figures += found.figures
        return replace(whole, notes=notes, figures=figures)


def beside_others(
    request: PlanRequest, mask: BoolArray, p_kw: FloatArray
) -> tuple[PlanRequest, IntArray]:
    """Return the request of some vehicles, with all others' power added to groups and sites.

    Parameters
    ----------
    request : PlanRequest
        All vehicles.
    mask : ndarray of bool
        (vehicle,) those that are planned.
    p_kw : ndarray
        (time, vehicle) power of all vehicles; that of the planned ones is left out.

    Returns
    -------
    tuple
        The smaller request and the positions of its stays.
    """
    part, kept = take_vehicles(request, np.flatnonzero(mask))
    others = np.where(mask[None, :], 0.0, p_kw)
    smaller = replace(
        part,
        background_kw=request.background_kw + power_by_group(request, others),
        site_load_kw=request.site_load_kw + power_by_site(request, others),
    )
    return smaller, kept


def _acts_at(strategy: Strategy, kind: str) -> bool:
    """Return whether a strategy takes cars at sites of a kind."""
    kinds = getattr(strategy, "site_kinds", None)
    return kinds is None or kind in kinds


def all_enrolled(strategy: Strategy) -> Strategy:
    """Return the strategy with all the cars it is given enrolled, also where another wraps it."""
    record: Any = strategy
    change: Any = replace
    known = {item.name for item in fields(record)} if is_dataclass(record) else set[str]()
    if "enrolled" in known:
        strategy = change(strategy, enrolled=1.0)
    elif isinstance(getattr(record, "strategy", None), Strategy) and "strategy" in known:
        strategy = change(strategy, strategy=all_enrolled(record.strategy))
    return strategy


def _put(whole: Dispatch, part: Dispatch, vehicles: IntArray, stays: IntArray) -> Dispatch:
    """Return the dispatch with the vehicles and stays of a part in their places."""
    cause = list(whole.unmet_cause)
    for number, stay in enumerate(stays):
        cause[stay] = part.unmet_cause[number]
    columns: dict[str, Any] = {}
    for name in ("p_requested_kw", "p_kw", "soc"):
        columns[name] = getattr(whole, name).copy()
        columns[name][:, vehicles] = getattr(part, name)
    for name, place in (("controlled", vehicles), ("unmet_kwh", stays), ("away_kwh", stays)):
        columns[name] = getattr(whole, name).copy()
        columns[name][place] = getattr(part, name)
    for name in ("q_kvar", "p_low_kw", "p_high_kw", "cycled_kwh", "inner_loss_kwh"):
        of_part, of_whole = getattr(part, name), getattr(whole, name)
        if of_part is None and of_whole is None:
            continue
        # Who says nothing of extremes holds its mean; who says nothing of the others has none.
        mean = name in ("p_low_kw", "p_high_kw")
        steady = [d.p_kw if mean else np.zeros_like(d.p_kw) for d in (whole, part)]
        columns[name] = (steady[0] if of_whole is None else of_whole).copy()
        columns[name][:, vehicles] = steady[1] if of_part is None else of_part
    return replace(whole, unmet_cause=tuple(cause), **columns)
