"""Buying and selling at each meter's prices: what a V2G contract earns, battery wear counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.linear_program_prices import plan_at_prices
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.records import Dispatch, Note, PlanRequest


@dataclass(frozen=True)
class Arbitrage:
    """Charge when energy is cheap and discharge when it is dear, at least cost for each meter.

    A discharged kWh saves the import price while the site draws and earns the export price beyond; its
    wear is a cost. Perfect foresight of prices, demand and stays within 48 hours: an upper bound on what
    can be earned. Cars with the same tariff act at the same time, without regard for the transformer.

    Parameters
    ----------
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Exact within each window of 48 hours, of which 24 are kept; see
    `gridimpact.dispatch.linear_program_prices.plan_at_prices` for the rule at a window's end.
    """

    reserve_soc: float = 0.4
    enrolled: float = 0.3

    name: ClassVar[str] = "v2g_arbitrage"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(
        stays="perfect", prices="perfect", base_load="perfect"
    )

    def __post_init__(self) -> None:
        """Check the shares."""
        check_share(self.reserve_soc, "reserve_soc")
        check_share(self.enrolled, "enrolled")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        request = with_reserve(request, self.reserve_soc)
        controlled = enrolled_vehicles(request, self.enrolled)
        asked = plan_at_prices(request, controlled, own_use=False)
        dispatch = execute(request, asked, strategy=label(self), controlled=controlled)
        return replace(dispatch, notes=(*dispatch.notes, *self._held_export(request)))

    def _held_export(self, request: PlanRequest) -> tuple[Note, ...]:
        """Say where export pays more than import, which the plan does not use."""
        used = [request.tariffs[number] for number in sorted(set(request.site_tariff.tolist()))]
        steps = max((int((t.export_price > t.import_price).sum()) for t in used), default=0)
        if not steps:
            return ()
        text = (
            f"export pays more than import in {steps} steps; the plan counts it at the import price there, "
            "so more could be earned"
        )
        return (Note("warning", self.name, text),)
