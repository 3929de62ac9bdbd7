"""A controller at the meter: feed above a cap, charge below it, and look at nothing but the present."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.execute import battery_arrays, execute, power_by_site, stay_arrays
from gridimpact.dispatch.kernels_presence import presence
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2b.bill import building_figures, months
from gridimpact.dispatch.v2b.building import check_price, peak_before
from gridimpact.dispatch.v2b.cars import KINDS, building_cars, check_cars
from gridimpact.dispatch.v2b.kernels_cap import Meters, keep_below
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest

TARGETS = ("same_kind", "yesterday", "same_weekday")
"""Days whose highest draw a cap may follow."""

SATURDAY = 5


@dataclass(frozen=True)
class PeakCap:
    """Discharge the cars while a building draws more than its cap, charge them while it draws less.

    Causal: knows the meter of the present step, the days before, and the announced departure of the cars
    plugged in; needs no forecast. The cap is never below what the month has already drawn. A cap that is
    too low empties the cars before the peak: that is the price of not knowing.

    Parameters
    ----------
    target_kw : float or str
        Cap of each building [kW], or a day whose highest draw without these cars, lowered by `cut_share`,
        is the cap: ``"same_kind"``, the latest day that was a working day (Monday to Friday) or weekend as
        today is; ``"yesterday"``, the day before, which after a quiet Sunday empties the cars early on
        Monday; ``"same_weekday"``, a week before. Where there is none yet the day before counts; on the
        first day nothing is known: cars charge at once and feed nothing.
    cut_share : float
        How far below the day it follows the cap lies, 0..1; not used with a number.
    cars : str
        "all", "fleet" (the house's own) or "employees" (at chargers of kind "work").
    refill_share : float
        Share of its charging power at which a car that feeds counts on being charged again before it
        leaves, 0..1: 1 feeds most and is charged latest, at full power.
    peak_so_far_kw : float
        Highest draw of each building in its first month before the first step [kW]: paid already.
    enrolled : float
        Share of the cars whose stays are all at buildings; every other car charges uncontrolled.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    Discharge never exceeds the building's load less its generation, and charging ends at the target. Below
    the cap the car with the least energy to spare is charged first, above it the one with the most feeds
    first. What a target needs is drawn even above the cap, so cars that feed through a long afternoon make
    an evening peak of their own: `refill_share` keeps it low.
    """

    target_kw: float | str = "same_kind"
    cut_share: float = 0.05
    cars: str = "all"
    refill_share: float = 0.5
    peak_so_far_kw: float = 0.0
    enrolled: float = 1.0

    name: ClassVar[str] = "v2b_peak_cap"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
    site_kinds: ClassVar[tuple[str, ...]] = KINDS
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        check_share(self.cut_share, "cut_share")
        check_share(self.refill_share, "refill_share")
        check_price(self.peak_so_far_kw, "peak_so_far_kw")
        check_cars(self.cars)
        if isinstance(self.target_kw, str):
            if self.target_kw not in TARGETS:
                message = f"target_kw is {self.target_kw!r}, give kW or one of {', '.join(TARGETS)}"
                raise InputError(message)
        else:
            check_price(self.target_kw, "target_kw")

    def controls(self, request: PlanRequest) -> BoolArray:
        """Return which vehicles take part, (vehicle,)."""
        return building_cars(request, self.enrolled, self.cars)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the controller does with the buildings' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = self.controls(request)
        others = np.where(controlled[None, :], 0.0, uncontrolled_dispatch(request).p_kw)
        own = request.site_load_kw + request.site_pv_kw
        net = own + power_by_site(request, others)
        stays = stay_arrays(request)
        meters = Meters(
            np.ascontiguousarray(net),
            np.maximum(own, 0.0),
            self._cap(request, net),
            np.array(request.site_import_limit_kw, dtype=np.float64),
            months(request),
            float(self.refill_share),
        )
        asked = keep_below(
            meters,
            controlled,
            peak_before(request, self.peak_so_far_kw),
            request.timeline.dt_h,
            stays,
            battery_arrays(request),
            presence(request.soc_initial, stays),
            np.array(request.stays.site, dtype=np.int64),
        )
        found = execute(
            request, asked, strategy=label(self), controlled=controlled, ceiling="target"
        )
        return replace(found, figures=building_figures(request, found))

    def _cap(self, request: PlanRequest, net_kw: FloatArray) -> FloatArray:
        """Return the cap of every step and site [kW]."""
        if not isinstance(self.target_kw, str):
            return np.full(net_kw.shape, float(self.target_kw))
        day = request.timeline.local_day
        highest = np.zeros((int(day[-1]) + 1, net_kw.shape[1]))
        np.maximum.at(highest, day, net_kw)
        before = highest[self._followed(day, request.timeline.weekday)]
        cap = (1.0 - self.cut_share) * before[day]
        return np.where(day[:, None] == 0, np.inf, cap)

    def _followed(self, day: IntArray, weekday: IntArray) -> IntArray:
        """Return the day that each day's cap follows, (day,); the first follows itself."""
        days = np.arange(int(day[-1]) + 1)
        followed = np.maximum(days - 1, 0)
        if self.target_kw == "same_weekday":
            followed[7:] = days[7:] - 7
        if self.target_kw == "same_kind":
            at_weekend = weekday[np.searchsorted(day, days)] >= SATURDAY
            for kind in (False, True):
                alike = np.flatnonzero(at_weekend == kind)
                followed[alike[1:]] = alike[:-1]
        return followed
