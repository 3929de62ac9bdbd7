"""The month's highest draw is what costs: cars that keep it low."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.dispatch.v2b.bill import Charges, building_figures
from gridimpact.dispatch.v2b.building import (
    PERFECT,
    Terms,
    check_price,
    per_site,
    plan_buildings,
)
from gridimpact.dispatch.v2b.cars import KINDS, building_cars, check_cars
from gridimpact.records import BoolArray, Dispatch, PlanRequest


@dataclass(frozen=True)
class DemandCharge:
    """Plan a building's cars at least cost of energy, wear and the demand charge on the month's peak.

    Discharge never exceeds the building's load less its generation. The peak of the month so far is
    carried from window to window: what was drawn once is paid and may be drawn again. Perfect foresight
    of load, prices and stays within 48 hours: an upper bound; `PeakCap` is what a controller without a
    forecast does.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at buildings; every other car charges uncontrolled.
    per_kw_month : float, optional
        Demand charge [currency/kW]; the tariff's unless given.
    cars : str
        "all", "fleet" (the house's own) or "employees" (at chargers of kind "work").
    peak_so_far_kw : float
        Highest draw of each building in its first month before the first step [kW]: paid already.

    Notes
    -----
    One linear program a day over 48 hours and all cars of the buildings, exact within its window, with
    months of the local calendar. Energy left at a window's end is worth the mean of the cheapest quarter
    of the prices seen. A car that arrives below its reserve does not discharge in that stay. The figures
    of the dispatch tell peak and bill with and without control.
    """

    enrolled: float = 1.0
    per_kw_month: float | None = None
    cars: str = "all"
    peak_so_far_kw: float = 0.0

    name: ClassVar[str] = "v2b_demand_charge"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = PERFECT
    site_kinds: ClassVar[tuple[str, ...]] = KINDS
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        check_price(self.per_kw_month, "per_kw_month")
        check_price(self.peak_so_far_kw, "peak_so_far_kw")
        check_cars(self.cars)

    def controls(self, request: PlanRequest) -> BoolArray:
        """Return which vehicles take part, (vehicle,)."""
        return building_cars(request, self.enrolled, self.cars)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of the buildings' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        own = [t.demand_charge_per_kw_month for t in request.tariffs]
        price = per_site(request, own if self.per_kw_month is None else [self.per_kw_month])
        terms = Terms(price, np.zeros(price.size), "a demand charge", self.peak_so_far_kw)
        controlled = self.controls(request)
        found = plan_buildings(request, self, controlled, terms)
        charges = replace(Charges.of(request), demand_per_kw=price)
        return replace(found, figures=building_figures(request, found, charges))
