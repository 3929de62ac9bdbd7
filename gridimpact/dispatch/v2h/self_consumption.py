"""The simplest home battery: store the roof's surplus, give it back to the house, look at nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest


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
        net = request.site_load_kw + request.site_pv_kw
        site = site_of_step(request)
        turn = turns(site, controlled)
        left = net.copy()
        asked = np.zeros((request.timeline.count, len(request.vehicle_id)))
        for number in range(int(turn.max(initial=-1)) + 1):
            time, vehicle = np.nonzero(turn == number)
            place = site[time, vehicle]
            asked[time, vehicle] = -left[time, place]
            found = execute(request, asked, strategy=label(self), controlled=controlled)
            power = found.p_kw[time, vehicle]
            # Only what a car took of the surplus or gave of the load is gone for the next one.
            surplus, load = np.maximum(-net[time, place], 0.0), np.maximum(net[time, place], 0.0)
            left[time, place] += np.clip(power, -load, surplus)
            left[time, place] = np.where(
                net[time, place] < 0.0,
                np.minimum(left[time, place], 0.0),
                np.maximum(left[time, place], 0.0),
            )
        return execute(request, asked, strategy=label(self), controlled=controlled)


def site_of_step(request: PlanRequest) -> IntArray:
    """Return the site at which each vehicle is plugged in, (time, vehicle), -1 while away."""
    site = np.full((request.timeline.count, len(request.vehicle_id)), -1, dtype=np.int64)
    stays = request.stays
    for k in range(stays.vehicle.size):
        site[stays.start[k] : stays.end[k], stays.vehicle[k]] = stays.site[k]
    return site


def turns(site: IntArray, controlled: BoolArray) -> IntArray:
    """Return each controlled vehicle's turn at its site in each step, (time, vehicle), -1 while away."""
    turn = np.full(site.shape, -1, dtype=np.int64)
    count: FloatArray = np.zeros((site.shape[0], int(site.max(initial=-1)) + 1))
    steps = np.arange(site.shape[0])
    for v in np.flatnonzero(controlled):
        here = site[:, v] >= 0
        at = (steps[here], site[here, v])
        turn[here, v] = count[at]
        count[at] += 1.0
    return turn
