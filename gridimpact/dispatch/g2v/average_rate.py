"""Charging at one constant power over the whole stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.execute import battery_arrays, full_power, stay_arrays
from gridimpact.dispatch.g2v.sharing import charge_under
from gridimpact.dispatch.kernels_stays import constant_power, hold_value
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class AverageRate:
    """Charge with the least constant power that reaches the target at the announced departure.

    Where power falls near full, the constant is raised until what the battery still takes is enough; a
    car that uncontrolled charging could not fill charges at full power.

    Parameters
    ----------
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Notes
    -----
    A main fuse is kept unless the target needs more.
    """

    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_average_rate"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.enrolled, "enrolled")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        stays, batteries = stay_arrays(request), battery_arrays(request)
        _, _, states = full_power(request)
        power = constant_power(
            states.soc_arrival, states.soc_departure, request.timeline.dt_h, stays, batteries
        )
        asked = np.zeros((request.timeline.count, len(request.vehicle_id)))
        hold_value(asked, power, stays)
        return charge_under(self, request, asked, self.enrolled)
