"""Charging that waits for a time of day: the simplest timer, and the way to a new peak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.clock import DAY_S, clock_s, next_time, wall_s
from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.g2v.sharing import charge_under, full_power_when
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class DelayedStart:
    """Charge at full power from the next time the local clock shows `start` until departure.

    Cars that were plugged in by then all start in the same step: where they are many and alike the new
    peak is higher than that of uncontrolled charging, and is meant to be seen.

    Parameters
    ----------
    start : str
        Local time "HH:MM"; a step of the plan counts once it begins at or after it.
    grace_h : float
        A car plugged in up to this long after `start` begins at once [h].
    strict : bool
        Wait even where the target is then missed. By default the driver's target wins: a car that
        could not reach it any more starts before the clock does.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    A main fuse is kept unless the target needs more; cars behind it are served as they came.
    """

    start: str = "00:00"
    grace_h: float = 0.0
    strict: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_delayed_start"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        clock_s(self.start, "start")
        if not 0.0 <= self.grace_h < 24.0:
            message = f"grace_h is {self.grace_h}, must be 0 or more and below 24 hours"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        time, clock = request.timeline, clock_s(self.start, "start")
        begin = np.asarray(request.stays.start, dtype=np.int64)
        # A stay that begins with the last step's end has no clock of its own.
        at = np.minimum(begin, time.count - 1)
        late = (wall_s(time)[at] - clock) % DAY_S <= self.grace_h * 3600.0
        first = np.where(late, begin, next_time(time, clock)[at])
        always = np.ones(time.count, dtype=np.bool_)
        asked = full_power_when(request, always, first=first)
        return charge_under(self, request, asked, self.enrolled, strict=self.strict)
