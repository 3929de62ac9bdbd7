"""The simplest home battery: store the roof's surplus, give it back to the house, look at nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.dispatch.v2h.own_use import in_turns
from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest


@dataclass(frozen=True)
class SelfConsumption:
    """Charge with the surplus of the home's generation and discharge into the home's remaining load.

    Causal: knows the home's load and generation of the step and the announced departure of the car.
    Draws from the grid only what the target still needs, as late as full power allows, and gives back
    only what the roof put in above the target: energy bought would come back dearer by the losses.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at homes; every other car charges uncontrolled.

    Notes
    -----
    Discharge never exceeds the home's load less its generation and never goes below the target, nor the
    reserve where that is higher. Cars of one home take their turn in the order of their ids: each sees
    the surplus or load that the ones before it left. A main fuse is not looked at: surplus lowers the
    draw, and what the target needs is not put off.
    """

    enrolled: float = 0.5

    name: ClassVar[str] = "v2h_self_consumption"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
    site_kinds: ClassVar[tuple[str, ...]] = ("home",)
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.enrolled, "enrolled")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled homes' cars store and give back; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled, site_kinds=self.site_kinds)
        stays = request.stays
        floor = np.maximum(stays.soc_reserve, stays.soc_target)
        request = replace(request, stays=replace(stays, soc_reserve=floor))
        return in_turns(request, controlled, self, _all_of_it)


def _all_of_it(time: IntArray, left_kw: FloatArray, room_kw: FloatArray) -> FloatArray:
    """Ask for all surplus and all load that is left."""
    return -left_kw
