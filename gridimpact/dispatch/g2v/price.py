"""Charging in the cheapest steps of each stay: good for the bill, a danger for the transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import CUT, ChargingTask, as_request, charging_task, taper_caps
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest

ROUNDS = 12
"""Most plans made with the taper of the trajectory the last one led to."""


@dataclass(frozen=True)
class PriceCharging:
    """Charge at full power in the steps with the lowest import price until departure.

    Every car does so for itself. Cars with the same tariff therefore start in the same step: the new
    peak this makes is the danger of price signals without coordination, and is meant to be seen.

    Parameters
    ----------
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Cheapest possible for constant charging power; equal prices are used in the order of time. With power
    that falls near full the plan is made again with the caps of its own trajectory, and the latest start
    is guarded. A main fuse is kept unless the target needs more.
    """

    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_price"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(
        stays="announced", prices="perfect", base_load="perfect"
    )

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.enrolled, "enrolled")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the cheapest plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        for _ in range(ROUNDS):
            power = cheapest_steps(request, task)
            task, cut_share = taper_caps(task, power)
            if cut_share <= CUT:
                break
        return execute(
            request,
            as_request(request, task, power),
            strategy=label(self),
            controlled=controlled,
            ceiling="target",
        )


def cheapest_steps(request: PlanRequest, task: ChargingTask) -> FloatArray:
    """Return the power per cell [kW] that fulfils each stay in its cheapest steps.

    Cars that share a fuse are planned in the order of their ids. Where the fuse leaves too little for the
    target, the rest is taken in the cheapest steps within the charger's power.
    """
    power = np.zeros_like(task.cap_kw)
    prices = np.array([tariff.import_price for tariff in request.tariffs], dtype=np.float64)
    tariff = np.array(request.site_tariff, dtype=np.int64)[request.stays.site]
    site = np.array(request.stays.site, dtype=np.int64)
    draw(power, task.cap_kw, prices, (tariff, site), task.headroom_kw.copy(), _stays(task))
    return power


def _stays(task: ChargingTask) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Return need, first cell, first and last step of every stay."""
    return task.energy_kw, task.offset, task.stays.start, task.stays.end


def _take(room: Any, order: Any, need: float, drawn: Any) -> float:
    """Add to `drawn` from `room` in the given order until `need` is met; return what is missing."""
    for k in order:
        got = min(room[k], need)
        drawn[k] += got
        need -= got
        if need <= 0.0:
            return 0.0
    return need


take = njit(cache=True)(_take)


def _draw(power: Any, cap: Any, prices: Any, place: Any, headroom: Any, stays: Any) -> None:
    """Fill `power` stay by stay in the order of price, under the fuse first."""
    tariff, site = place
    needs, offset, start, end = stays
    for i in range(needs.size):
        if needs[i] <= 0.0:
            continue
        first, n = start[i], end[i] - start[i]
        order = np.argsort(prices[tariff[i], first : end[i]], kind="mergesort")
        drawn = power[offset[i] : offset[i] + n]
        room = np.empty(n)
        for k in range(n):
            room[k] = min(cap[offset[i] + k], max(headroom[site[i], first + k], 0.0))
        missing = take(room, order, needs[i], drawn)
        if missing > 0.0:
            for k in range(n):
                room[k] = cap[offset[i] + k] - drawn[k]
            take(room, order, missing, drawn)
        for k in range(n):
            headroom[site[i], first + k] -= drawn[k]


draw = njit(cache=True)(_draw)
