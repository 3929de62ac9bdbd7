"""A fleet that follows a profile of power, as an aggregator calls it, each car's own needs first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.aggregator.disaggregate import ORDERS, disaggregate
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import full_power
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, PlanRequest, ServiceFigure
from gridimpact.timeline import Timeline

DAY_H = 24.0


@dataclass(frozen=True)
class VirtualPowerPlant:
    """The enrolled cars together follow a profile of power, the same every day.

    Parameters
    ----------
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of cars that take part.
    profile_kw : tuple of float
        Power of all enrolled cars together [kW] from local midnight on, positive draws from the grid: 24
        values are hours, 48 half hours. Empty keeps the fleet at zero as far as the cars can.
    order : str
        "laxity": the most urgent charge first, those with the most surplus feed first; "proportional".

    Raises
    ------
    InputError
        If a setting lies outside its range.

    Notes
    -----
    Knows only the cars plugged in, with departure and target: a controller could do it as it stands. A
    car's target and floor win over the profile, and it leaves with no less than uncontrolled charging would
    have given it, also where it came with more than its target; what was not followed is told by the
    figures. Each keeps an equal share of what its site's connection leaves, both ways, unless the target
    needs more. Series that differ from day to day are followed by `gridimpact.aggregator.disaggregate`.
    """

    reserve_soc: float = 0.4
    enrolled: float = 0.3
    profile_kw: tuple[float, ...] = ()
    order: str = "laxity"

    name: ClassVar[str] = "v2g_virtual_power_plant"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.reserve_soc, "reserve_soc")
        check_share(self.enrolled, "enrolled")
        if self.order not in ORDERS:
            message = f"order {self.order!r} is unknown; use one of {', '.join(ORDERS)}"
            raise InputError(message)
        try:
            values = tuple(float(value) for value in self.profile_kw)
        except (TypeError, ValueError) as error:
            message = f"profile_kw is {self.profile_kw!r}, give a list of powers of one day [kW]"
            raise InputError(message) from error
        if not np.all(np.isfinite(values)):
            message = (
                "profile_kw holds values that are not finite; give a power for each part of a day"
            )
            raise InputError(message)
        object.__setattr__(self, "profile_kw", values)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars deliver; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        request = leaving_no_less(with_reserve(request, self.reserve_soc))
        controlled = enrolled_vehicles(request, self.enrolled)
        found = disaggregate(
            request,
            daily_series(self.profile_kw, request.timeline),
            order=self.order,
            controlled=controlled,
            strategy=label(self),
        )
        missed = np.abs(found.residual_kw)
        how = "power called less power of the enrolled cars, both directions"
        figures = (
            ServiceFigure("virtual_power_plant", "residual_kwh", found.residual_kwh, how),
            ServiceFigure("virtual_power_plant", "residual_max_kw", float(missed.max()), how),
        )
        return replace(found.dispatch, figures=figures)


def leaving_no_less(request: PlanRequest) -> PlanRequest:
    """Return the request with each target raised to what uncontrolled charging leaves with."""
    _, _, states = full_power(request)
    target = np.maximum(request.stays.soc_target, states.soc_departure)
    return replace(request, stays=replace(request.stays, soc_target=target))


def daily_series(values: tuple[float, ...], timeline: Timeline) -> FloatArray:
    """Return a profile of a local day on a timeline, (time,); the value of each step's begin holds."""
    if not values:
        return np.zeros(timeline.count)
    place = np.floor(timeline.local_hour * len(values) / DAY_H + 1e-9).astype(np.int64)
    return np.asarray(values, dtype=np.float64)[place]
