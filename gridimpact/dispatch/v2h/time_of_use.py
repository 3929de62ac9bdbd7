"""Least cost behind a home's meter: charge when energy is cheap, supply the home when it is dear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.linear_program_prices import plan_at_prices
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class TimeOfUse:
    """Plan each home's cars at least cost under its tariff, discharging only into the home's own load.

    Discharge never exceeds the home's load less its generation; surplus of the roof is stored where that
    is worth more than its export, wear counted. Perfect foresight of prices, load and stays within 48
    hours: an upper bound.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at homes; every other car charges uncontrolled.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay: what is kept for an
        outage.

    Notes
    -----
    Exact within each window of 48 hours, of which 24 are kept; see
    `gridimpact.dispatch.linear_program_prices.plan_at_prices` for the rule at a window's end.
    """

    enrolled: float = 0.5
    reserve_soc: float = 0.0

    name: ClassVar[str] = "v2h_time_of_use"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(
        stays="perfect", prices="perfect", base_load="perfect"
    )
    site_kinds: ClassVar[tuple[str, ...]] = ("home",)
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the shares."""
        check_share(self.enrolled, "enrolled")
        check_share(self.reserve_soc, "reserve_soc")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of the enrolled homes' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled, site_kinds=self.site_kinds)
        asked = plan_at_prices(request, controlled, own_use=True, reserve_soc=self.reserve_soc)
        return execute(request, asked, strategy=label(self), controlled=controlled)
