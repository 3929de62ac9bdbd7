"""Charging inside a window of the day, such as the night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.clock import Window, day_names
from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.g2v.sharing import charge_under, full_power_when
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class OvernightWindow:
    """Charge at full power between two local times, and outside them only as much as the target needs.

    Parameters
    ----------
    start, end : str
        Local times "HH:MM"; an end not after the start lies on the next day.
    days : tuple of str
        Days on which the window begins, "mon" to "sun"; empty for every day.
    strict : bool
        Keep the window even where the target is then missed. By default the driver's target wins: what
        the window does not give is charged as late as possible.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If a setting cannot be read.

    Notes
    -----
    A main fuse is kept unless the target needs more; cars behind it are served as they came.
    """

    start: str = "23:00"
    end: str = "06:00"
    days: tuple[str, ...] = ()
    strict: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_overnight_window"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        object.__setattr__(self, "days", day_names(self.days))
        Window(self.start, self.end, self.days)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        inside = Window(self.start, self.end, self.days).inside(request.timeline)
        asked = full_power_when(request, inside)
        return charge_under(self, request, asked, self.enrolled, strict=self.strict)
