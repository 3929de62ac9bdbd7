"""Charging in the cheapest steps of each stay: good for the bill, a danger for the transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import ROUNDS, ChargingTask, as_request, charging_task, taper_caps
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import Dispatch, FloatArray, PlanRequest


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
            task, cut_kwh = taper_caps(task, power)
            if cut_kwh <= 1e-9:
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
    headroom = task.headroom_kw.copy()
    prices = [tariff.import_price for tariff in request.tariffs]
    for i in np.flatnonzero(task.energy_kw > 0.0):
        cells, site = task.cells(int(i)), request.stays.site[i]
        span = slice(task.stays.start[i], task.stays.end[i])
        order = np.argsort(prices[request.site_tariff[site]][span], kind="stable")
        cap = task.cap_kw[cells]
        under_fuse = np.clip(headroom[site, span], 0.0, cap)
        drawn = _in_order(under_fuse, order, task.energy_kw[i])
        drawn = drawn + _in_order(cap - drawn, order, task.energy_kw[i] - drawn.sum())
        headroom[site, span] -= drawn
        power[cells] = drawn
    return power


def _in_order(cap: FloatArray, order: np.ndarray, energy: float) -> FloatArray:
    """Return `cap` used up in the given order until it sums to `energy`."""
    ranked = cap[order]
    before = np.concatenate([[0.0], np.cumsum(ranked)[:-1]])
    taken = np.zeros_like(cap)
    taken[order] = np.clip(energy - before, 0.0, ranked)
    return taken
