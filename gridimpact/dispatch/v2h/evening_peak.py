"""The car carries the home through the evening and is charged again at night."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.clock import Window
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.dispatch.v2h.own_use import in_turns
from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest

AT_ONCE_KW = 1000.0
"""More than any charger gives."""


@dataclass(frozen=True)
class EveningPeak:
    """Serve the home's load from the car in the evening, charge it at night, store surplus at any time.

    Causal: knows the clock, load and generation of the step and the announced departure of the car.
    Outside both windows the car draws only surplus of the roof and what its target needs at the latest.

    Parameters
    ----------
    start, end : str
        Local times "HH:MM" of the evening; an end not after the start lies on the next day.
    recharge_start, recharge_end : str
        Local times of the night in which the car charges to its target at full power.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of the cars whose stays are all at homes; every other car charges uncontrolled.

    Raises
    ------
    InputError
        If a time cannot be read or a share lies outside 0..1.

    Notes
    -----
    Discharge never exceeds the home's load less its generation: nothing of a battery is exported. Nothing
    is discharged that full power could not put back before departure. Charging, of surplus too, ends at
    the target and at night keeps the main fuse; cars of one home take their turn in the order of ids.
    Homes with the same night start charging in the same step.
    """

    start: str = "17:00"
    end: str = "21:00"
    recharge_start: str = "23:00"
    recharge_end: str = "06:00"
    reserve_soc: float = 0.0
    enrolled: float = 0.5

    name: ClassVar[str] = "v2h_evening_peak"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
    site_kinds: ClassVar[tuple[str, ...]] = ("home",)
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check times and shares."""
        check_share(self.enrolled, "enrolled")
        check_share(self.reserve_soc, "reserve_soc")
        Window(self.start, self.end)
        Window(self.recharge_start, self.recharge_end)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled homes' cars give and take; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled, site_kinds=self.site_kinds)
        floor = np.maximum(request.stays.soc_reserve, self.reserve_soc)
        request = replace(request, stays=replace(request.stays, soc_reserve=floor))
        evening = Window(self.start, self.end).inside(request.timeline)
        night = Window(self.recharge_start, self.recharge_end).inside(request.timeline) & ~evening

        def rule(time: IntArray, left_kw: FloatArray, room_kw: FloatArray) -> FloatArray:
            serves = evening[time] | (left_kw < 0.0)
            asked = np.where(serves, -left_kw, 0.0)
            refill = np.clip(room_kw, 0.0, AT_ONCE_KW)
            return np.where(night[time], np.maximum(asked, refill), asked)

        return in_turns(request, controlled, self, rule, ceiling="target")
