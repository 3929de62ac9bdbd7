"""Charging under the limit of a transformer: cars share what the other demand leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.sharing import shared_power
from gridimpact.dispatch.g2v.task import charging_task
from gridimpact.dispatch.queue import ORDERS, Sharing
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest

HIGHEST_LIMIT = 3.0
"""No transformer is run above this share of its rating."""


@dataclass(frozen=True)
class TransformerLimit:
    """Charge as soon as the limits of all groups and main fuses allow, in an order or in equal shares.

    Knows only the demand of the step and the departures of the cars plugged in, so a controller could
    do it as it stands.

    Parameters
    ----------
    limit : float
        Share of each group's import limit that may be used.
    order : str
        Who charges first: "least_laxity" (who can wait least), "earliest_departure", "first_come",
        "last_come", "longest_remaining" (who needs longest), "round_robin" (in turn, who has waited
        longest since it last charged), or "equal_share" (all at once, max-min fair within their wants).
    min_kw, step_kw : float
        Powers a charger can be set to [kW]: nothing, or `min_kw` and whole steps above it, such as 1.4
        and 0.23 for whole amperes from 6 A at 230 V; a car that takes less than its set point draws
        less. 0 is any power. Under "equal_share" the cars that can wait longest give way to keep the rest
        at `min_kw`.
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
    min_kw: float = 0.0
    step_kw: float = 0.0

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
        for name in ("min_kw", "step_kw"):
            if not 0.0 <= getattr(self, name) < math.inf:
                message = f"{name} is {getattr(self, name)}, give a power of a charger, 0 or more"
                raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the queue gives each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        room = np.ascontiguousarray(request.import_limit_kw.T) * self.limit - task.total_kw
        sharing = Sharing(self.order, self.min_kw, self.step_kw)
        asked = shared_power(request, task, controlled, sharing, group_room_kw=room)
        return execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=False,
            ceiling="target",
            shortfall="limit",
        )
