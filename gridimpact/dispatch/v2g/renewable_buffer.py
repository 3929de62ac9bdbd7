"""Surplus of sun and wind taken into the cars when it comes, and given back when demand is high."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute, power_by_group
from gridimpact.dispatch.kernels_follow import Wanted, follow_groups
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, Note, PlanRequest, ServiceFigure

HOURS = 24


@dataclass(frozen=True)
class RenewableBuffer:
    """Charge with what a group would feed back, beyond the target if need be, and return it to high demand.

    A car charges at the constant power that takes it to its target. While its group has a surplus, the
    cars together draw as much as there is; while the group's demand is above its mean of the last 24
    hours, they feed back what they took in beyond their targets in the same stay. Nothing of tomorrow is
    known: a controller could do it as it stands.

    Parameters
    ----------
    surplus_kw : sequence of float
        The surplus to take in [kW], zero or more: one value for each hour of the local day, or one for
        each step of the plan; shared among the groups by their chargers. Empty takes what each group
        would feed back.
    high : float
        Demand counts as high above this many times its mean of the last 24 hours.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Cars keep an equal share of what their site's connection leaves, both ways, unless the target needs more.
    Discharge never makes a group feed back. What was charged for the road is never given back, so that
    every discharged kWh was surplus. The figures count what would be curtailed or exported with
    uncontrolled charging and with this.
    """

    surplus_kw: Any = ()
    high: float = 1.0
    reserve_soc: float = 0.4
    enrolled: float = 0.3

    name: ClassVar[str] = "v2g_renewable_buffer"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Keep the series as a tuple and check the settings."""
        check_share(self.reserve_soc, "reserve_soc")
        check_share(self.enrolled, "enrolled")
        if not self.high >= 0.0:
            message = f"high is {self.high}, give a factor of zero or more, such as 1.0"
            raise InputError(message)
        given = self.surplus_kw
        if isinstance(given, str) or not isinstance(given, Iterable):
            message = f"surplus_kw is {given!r}, give {HOURS} powers [kW], one an hour of the day"
            raise InputError(message)
        try:
            series = tuple(float(value) for value in given)
        except (TypeError, ValueError) as error:
            message = f"surplus_kw holds something that is no number: {error}"
            raise InputError(message) from error
        if not all(0.0 <= value < float("inf") for value in series):
            message = (
                "surplus_kw must hold powers of zero or more [kW]; a surplus is not negative here"
            )
            raise InputError(message)
        object.__setattr__(self, "surplus_kw", series)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars take in and give back; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        request = with_reserve(request, self.reserve_soc)
        controlled = enrolled_vehicles(request, self.enrolled)
        free = uncontrolled_dispatch(request)
        others = np.where(controlled[None, :], 0.0, free.p_kw)
        net = request.background_kw + power_by_group(request, others)
        surplus = self._surplus(request, net)
        mean = trailing_mean(net, request.timeline.steps_per_day)
        high = np.minimum(np.maximum(net - self.high * mean, 0.0), np.maximum(net, 0.0))
        wanted = Wanted(high, np.zeros_like(net), surplus)
        path = follow_groups(request, controlled, wanted, give_back_only=True)
        found = execute(request, path.p_kw, strategy=label(self), controlled=controlled)
        figures = _figures(request, surplus, free, found)
        return replace(found, notes=self._notes(surplus), figures=figures)

    def _surplus(self, request: PlanRequest, net_kw: FloatArray) -> FloatArray:
        """Return the surplus of each group, (time, group) [kW]."""
        if not self.surplus_kw:
            return np.maximum(-net_kw, 0.0)
        series, count = np.array(self.surplus_kw), request.timeline.count
        if series.size == HOURS:
            series = series[request.timeline.local_hour.astype(np.int64) % HOURS]
        elif series.size != count:
            message = (
                f"surplus_kw has {series.size} values; give {HOURS}, one an hour of the local day, or "
                f"{count}, one a step"
            )
            raise InputError(message)
        chargers = request.group_member.sum(axis=1).astype(np.float64)
        return np.outer(series, chargers / max(float(chargers.sum()), 1.0))

    def _notes(self, surplus_kw: FloatArray) -> tuple[Note, ...]:
        """Say that there is nothing to take in."""
        if surplus_kw.any():
            return ()
        text = "no group has a surplus in this time; the cars charge at the average rate and feed nothing"
        return (Note("note", self.name, text),)


def trailing_mean(values: FloatArray, steps: int) -> FloatArray:
    """Return the mean over the last `steps` steps, the present one included, of (time, column) values."""
    summed = np.cumsum(values, axis=0)
    before = np.zeros_like(summed)
    before[steps:] = summed[:-steps] if steps < len(values) else 0.0
    count = np.minimum(np.arange(1, len(values) + 1), steps)[:, None]
    return np.asarray((summed - before) / count)


def _figures(
    request: PlanRequest, surplus_kw: FloatArray, free: Dispatch, found: Dispatch
) -> tuple[ServiceFigure, ...]:
    """Return what is lost of the surplus before and after, and what is given back."""
    dt_h = request.timeline.dt_h
    mine = found.controlled[None, :]

    def lost(dispatch: Dispatch) -> float:
        drawn = power_by_group(request, np.where(mine, dispatch.p_kw, 0.0))
        return float(np.maximum(surplus_kw - np.maximum(drawn, 0.0), 0.0).sum() * dt_h)

    before, after = lost(free), lost(found)
    back = float(np.maximum(-found.p_kw, 0.0).sum() * dt_h)
    service = "renewable_buffer"
    return (
        ServiceFigure(service, "surplus_kwh", float(surplus_kw.sum() * dt_h), "all groups"),
        ServiceFigure(
            service, "lost_before_kwh", before, "curtailed or exported with uncontrolled charging"
        ),
        ServiceFigure(service, "lost_after_kwh", after, "curtailed or exported with the buffer"),
        ServiceFigure(service, "avoided_kwh", before - after, "lost before less lost after"),
        ServiceFigure(service, "given_back_kwh", back, "discharged into high demand, at the meter"),
    )
