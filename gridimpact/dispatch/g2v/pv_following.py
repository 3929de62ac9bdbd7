"""Charging from the sun on the car's own roof."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.sharing import shared_power
from gridimpact.dispatch.g2v.task import charging_task
from gridimpact.dispatch.queue import Sharing
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class PvFollowing:
    """Charge with what the site's generation leaves over its load, shared equally by the cars there.

    Parameters
    ----------
    min_kw : float
        Least power a charger can be set to [kW]; 6 A of one phase at 230 V are 1.4 kW. Cars draw it
        without surplus too; 0 lets them draw nothing then.
    solar_only : bool
        Never draw from the grid: a car charges only where the surplus gives it `min_kw`, and its target
        may be missed with the cause "limit". By default the target is guarded: what the sun does not
        give in time is charged as late as possible.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled and go before them.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    Knows only the load and generation of the step itself; the surplus is that of the step's mean. Where
    the surplus of a site is too small for `min_kw` to each of its cars, those that can wait longest wait.
    A main fuse is kept unless the target needs more.
    """

    min_kw: float = 1.4
    solar_only: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_pv_following"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        if not 0.0 <= self.min_kw < math.inf:
            message = f"min_kw is {self.min_kw}, give the least power of a charger, 0 or more"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        own = np.asarray(request.charger_site)[None, :] == np.arange(len(request.site_id))[:, None]
        surplus = np.maximum(-task.around_kw, 0.0)
        sharing = Sharing(
            "equal_share",
            min_kw=self.min_kw,
            floor_kw=0.0 if self.solar_only else self.min_kw,
        )
        asked = shared_power(
            replace(request, group_member=own),
            task,
            controlled,
            sharing,
            group_room_kw=surplus,
        )
        return execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=not self.solar_only,
            ceiling="target",
            shortfall="limit",
        )
