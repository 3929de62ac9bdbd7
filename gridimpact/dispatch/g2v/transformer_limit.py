"""Charging under the limit of a transformer: a queue shares what the other demand leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import charging_task, groups_of_stays
from gridimpact.dispatch.queue import ORDERS, Room, queue_power
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest

HIGHEST_LIMIT = 3.0
"""No transformer is run above this share of its rating."""


@dataclass(frozen=True)
class TransformerLimit:
    """Charge as soon as the limits of all groups and main fuses allow, the most urgent car first.

    Knows only the demand of the step and the departures of the cars plugged in, so a controller could
    do it as it stands.

    Parameters
    ----------
    limit : float
        Share of each group's import limit that may be used.
    order : str
        "least_laxity", "earliest_departure" or "first_come".
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Power is lowered before a limit is passed; energy that is then missing at departure is reported with
    the cause "limit". Uncontrolled cars and households may pass the limit on their own.
    """

    limit: float = 0.9
    order: str = "least_laxity"
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_transformer_limit"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        if not 0.0 < self.limit <= HIGHEST_LIMIT:
            message = (
                f"limit is {self.limit}, must be above 0 and at most {HIGHEST_LIMIT:g}: the share of the "
                "rating, such as 0.9 for 90 %"
            )
            raise InputError(message)
        if self.order not in ORDERS:
            message = f"order {self.order!r} is unknown; use one of {', '.join(ORDERS)}"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the queue gives each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        room = Room(
            np.ascontiguousarray(request.import_limit_kw.T) * self.limit - task.total_kw,
            task.headroom_kw,
            *groups_of_stays(request),
            np.array(request.stays.site, dtype=np.int64),
        )
        asked = queue_power(
            request.soc_initial,
            controlled,
            request.timeline.dt_h,
            task.stays,
            task.batteries,
            room,
            self.order,
            request.timeline.count,
        )
        return execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=False,
            ceiling="target",
            shortfall="limit",
        )
