"""Charging that fills the valleys of demand: the least sum of squares over groups and steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import (
    CUT,
    ChargingTask,
    as_request,
    charging_task,
    groups_of_stays,
    taper_caps,
)
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.water_filling import Pours, fill_rolling
from gridimpact.records import Dispatch, FloatArray, Note, PlanRequest

GAP = 1e-9
"""Relative duality gap at which a window counts as solved."""

ROUNDS = 4
"""Most plans made with the taper of the trajectory the last one led to."""

Told = TypeVar("Told")


@dataclass(frozen=True)
class ValleyFilling:
    """Charge where the demand of the car's groups is lowest, all cars planned together.

    Minimises the sum over groups and steps of (background + cars)^2 by pouring one stay after the other
    onto all the rest until the relative duality gap is below 1e-9; each window sees 48 hours and keeps
    24. Foresight of stays and demand is perfect within a window, so the result is an upper bound.

    Parameters
    ----------
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    The optimum is exact for constant charging power. With power that falls near full the plan is made
    again with the caps of its own trajectory, and the latest start is guarded: nobody leaves with less
    than uncontrolled charging would have given. A main fuse is kept unless the target needs more.
    """

    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_valley_filling"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="perfect", base_load="perfect")

    def __post_init__(self) -> None:
        """Check the share."""
        check_share(self.enrolled, "enrolled")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the joint plan of the enrolled cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        power, gap = with_taper(task, lambda now: pour_together(request, now))
        notes: tuple[Note, ...] = ()
        if gap > GAP:
            text = f"a window stopped at a relative duality gap of {gap:.1e}, above {GAP:.0e}"
            notes = (Note("warning", self.name, text),)
        found = execute(
            request,
            as_request(request, task, power),
            strategy=label(self),
            controlled=controlled,
            ceiling="target",
        )
        return replace(found, notes=notes)


def with_taper(
    task: ChargingTask, solve: Callable[[ChargingTask], tuple[FloatArray, Told]]
) -> tuple[FloatArray, Told]:
    """Return the power per cell [kW] of the last plan, made again with the caps of its own trajectory.

    Parameters
    ----------
    task : ChargingTask
        Task with the chargers' powers as caps.
    solve : callable
        Returns power per cell, and what it tells of the plan.
    """
    for _ in range(ROUNDS):
        power, told = solve(task)
        task, cut_share = taper_caps(task, power)
        if cut_share <= CUT:
            break
    return power, told


def pours_of(request: PlanRequest, task: ChargingTask) -> Pours:
    """Return the stays of a task as they are poured."""
    limited = np.isfinite(request.site_import_limit_kw)[request.stays.site]
    return Pours(
        task.stays.start,
        task.stays.end,
        task.energy_kw,
        task.offset,
        *groups_of_stays(request),
        np.where(limited, request.stays.site, -1).astype(np.int64),
        task.cap_kw,
    )


def pour_together(request: PlanRequest, task: ChargingTask) -> tuple[FloatArray, float]:
    """Return the joint plan per cell [kW] and the largest relative duality gap of its windows."""
    return fill_rolling(
        pours_of(request, task),
        task.total_kw.copy(),
        task.headroom_kw.copy(),
        day=request.timeline.steps_per_day,
        tolerance=GAP,
    )
