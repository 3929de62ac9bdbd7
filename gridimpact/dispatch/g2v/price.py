"""Charging in the cheapest steps of each stay: good for the bill, a danger for the transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.clock import DAY_S, clock_s, next_time, wall_s
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import charging_task
from gridimpact.dispatch.kernels_price import News, cheapest
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class PriceCharging:
    """Charge at least cost at the import prices announced, to be at the target at departure.

    Every car does so for itself. Cars with the same tariff therefore start in the same step: the new
    peak this makes is the danger of price signals without coordination, and is meant to be seen.

    Parameters
    ----------
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.
    published : str
        Local time "HH:MM" at which the prices of the next day become known; those of the day itself are.

    Raises
    ------
    InputError
        If a setting cannot be read.

    Notes
    -----
    The cheapest plan there is for the prices known, charging power that falls near full included; equal
    prices are used in the order of time. A stay that goes on after the last known price is planned to be
    ready by then, and again when the next prices are published. A main fuse is kept unless the target
    needs more; cars behind one fuse are planned in the order of their ids, each knowing the site's
    demand: only where a fuse binds is this an upper bound. The constant loss of a converter counts in
    what a battery can take, not in the choice of steps.
    """

    enrolled: float = 1.0
    published: str = "13:00"

    name: ClassVar[str] = "g2v_price"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(
        stays="announced", prices="announced", base_load="perfect"
    )

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        clock_s(self.published, "published")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the cheapest plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        goal = np.where(controlled[task.stays.vehicle], task.soc_departure, task.soc_arrival)
        tariff = np.array(request.site_tariff, dtype=np.int64)[request.stays.site]
        prices = np.array([each.import_price for each in request.tariffs], dtype=np.float64)
        asked = np.zeros((request.timeline.count, len(request.vehicle_id)))
        cheapest(
            asked,
            (task.soc_arrival, goal),
            (prices, tariff, np.array(request.stays.site, dtype=np.int64)),
            task.headroom_kw.copy(),
            announced(request.timeline, clock_s(self.published, "published")),
            task.stays,
            task.batteries,
            task.dt_h,
        )
        return execute(
            request, asked, strategy=label(self), controlled=controlled, ceiling="target"
        )


def announced(timeline: Timeline, published: int) -> News:
    """Return when prices become known: the day's own always, the next day's from a local time on.

    Parameters
    ----------
    timeline : Timeline
        Steps.
    published : int
        Time of day [s after midnight].

    Examples
    --------
    >>> news = announced(Timeline.days("2016-01-04", 3, step="12h"), 43_200)
    >>> news.known.tolist(), news.following.tolist()
    ([2, 4, 4, 6, 6, 6], [1, 3, 3, 6, 6, 6])
    """
    count = timeline.count
    steps = np.arange(count)
    midnight = next_time(timeline, 0)
    # The first midnight after a step, and the one after that.
    tonight = np.append(midnight, count)[np.minimum(steps + 1, count)]
    tomorrow = np.append(midnight, count)[np.minimum(tonight + 1, count)]
    out = wall_s(timeline) % DAY_S >= published
    known = np.where(out, tomorrow, tonight)
    rises = np.flatnonzero(np.diff(known)) + 1
    following = np.append(rises, count)[np.searchsorted(rises, steps, side="right")]
    return News(known.astype(np.int64), following.astype(np.int64))
