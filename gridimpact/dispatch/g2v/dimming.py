"""Dimming after section 14a EnWG: a group above its limit turns its chargers down, never below a floor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.clock import read_windows
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.sharing import shared_power
from gridimpact.dispatch.g2v.task import charging_task
from gridimpact.dispatch.queue import Sharing
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, PlanRequest

SIMULTANEITY = (1.0, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45)
"""Simultaneity factor of 1, 2, ... controllable devices behind one connection, the last for nine and more."""


def floor_kw(chargers: int, per_charger_kw: float = 4.2) -> float:
    """Return the power that dimming leaves to the chargers of one connection with energy management [kW].

    Parameters
    ----------
    chargers : int
        Controllable chargers behind the connection.
    per_charger_kw : float
        Floor of the first [kW].

    Notes
    -----
    ``4.2 + (n - 1) * g(n) * 4.2`` with the simultaneity factor g, Bundesnetzagentur BK6-22-300, annex 1,
    clause 4.5.2, for chargers without a large heat pump beside them.

    Examples
    --------
    >>> floor_kw(1), round(floor_kw(2), 6), round(floor_kw(10), 6)
    (4.2, 7.56, 21.21)
    """
    if chargers <= 0:
        return 0.0
    factor = SIMULTANEITY[min(chargers, len(SIMULTANEITY)) - 1]
    return per_charger_kw * (1.0 + (chargers - 1) * factor)


@dataclass(frozen=True)
class Dimming:
    """Charge as if uncontrolled; where a group would pass its limit, its chargers are dimmed for the step.

    What the limit leaves is shared equally between the cars, each keeping its floor whatever the limit:
    so the limit may still be passed, by background and floors alone. After the step all is as before.

    Parameters
    ----------
    limit : float
        Share of each group's import limit above which chargers are dimmed.
    floor_kw : float
        Power left to a charger [kW]; chargers up to this power are never dimmed.
    energy_management : bool
        The chargers of one connection share a floor that grows with their number by the simultaneity
        factors of BK6-22-300; otherwise each keeps `floor_kw` for itself (direct control).
    events : list of windows
        Local windows such as ``[["17:00", "19:00"]]`` in which all are dimmed to the floor whatever the
        load, as in preventive control.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    The order of the network operator holds, so a target may be missed, with the cause "limit". The load
    of the step itself is taken as measured without delay. Controllable are the chargers above `floor_kw`
    that an enrolled car uses in the request. Main fuses are kept, also below the floor.
    """

    limit: float = 1.0
    floor_kw: float = 4.2
    energy_management: bool = True
    events: Any = ()
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_dimming"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        for name in ("limit", "floor_kw"):
            if not 0.0 < getattr(self, name) < math.inf:
                message = f"{name} is {getattr(self, name)}, must be above 0"
                raise InputError(message)
        object.__setattr__(self, "events", read_windows(self.events, "events"))

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        room = np.ascontiguousarray(request.import_limit_kw.T) * self.limit - task.total_kw
        seen = request
        if self.events:
            inside = np.any([window.inside(request.timeline) for window in self.events], axis=0)
            everyone = np.ones((1, len(request.charger_id)), dtype=np.bool_)
            seen = replace(request, group_member=np.vstack([request.group_member, everyone]))
            room = np.vstack([room, np.where(inside, -np.inf, np.inf)])
        sharing = Sharing(
            "equal_share",
            floor_kw=self.floor_kw if not self.energy_management else math.inf,
            floor_site_kw=self._site_floor(request, controlled) if self.energy_management else None,
        )
        asked = shared_power(seen, task, controlled, sharing, group_room_kw=room)
        return execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=False,
            ceiling="target",
            shortfall="limit",
        )

    def _site_floor(self, request: PlanRequest, controlled: BoolArray) -> FloatArray:
        """Return the floor of each site's enrolled cars together [kW], (site,)."""
        stays = request.stays
        power = np.zeros(len(request.charger_id))
        np.maximum.at(
            power, stays.charger, np.where(controlled[stays.vehicle], stays.p_charge_kw, 0.0)
        )
        site = np.asarray(request.charger_site)
        count = np.bincount(site[power > self.floor_kw], minlength=len(request.site_id))
        small = np.where(power <= self.floor_kw, power, 0.0)
        below = np.bincount(site, weights=small, minlength=len(request.site_id))
        return np.array([floor_kw(n, self.floor_kw) for n in count.tolist()]) + below
