"""Charging as late as the target allows: kind to the battery, hard on the morning."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.execute import execute, full_power, stay_arrays
from gridimpact.dispatch.g2v.sharing import charge_under
from gridimpact.dispatch.kernels_stays import last_drawn
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class LastMinute:
    """Charge at full power as late as possible, so that the target is reached just before departure.

    The start is the exact inverse of charging at full power, power that falls near full included; only
    the first step of charging has less than full power.

    Parameters
    ----------
    reserve_h : float
        Be ready this long before departure [h], or as soon as charging from arrival would be; counted in
        whole steps, rounded up.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    Trusts the announced departure: a car that leaves earlier leaves with less. A main fuse is kept
    unless the target needs more.
    """

    reserve_h: float = 0.0
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_last_minute"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        if not 0.0 <= self.reserve_h < math.inf:
            message = f"reserve_h is {self.reserve_h}, give hours before departure, 0 or more"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        steps = math.ceil(self.reserve_h / request.timeline.dt_h - 1e-9)
        soonest = last_drawn(full_power(request)[0], stay_arrays(request))
        ready = np.maximum(request.stays.end - steps, soonest)
        early = replace(request, stays=replace(request.stays, end=ready))
        shape = (request.timeline.count, len(request.vehicle_id))
        everyone = np.ones(shape[1], dtype=np.bool_)
        late = execute(
            early, np.zeros(shape), strategy=self.name, controlled=everyone, ceiling="target"
        )
        return charge_under(self, request, late.p_kw, self.enrolled)
