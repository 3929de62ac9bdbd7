"""A building that pays for a power and dearly for more: keep below it, or choose it."""

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
    used_sites,
)
from gridimpact.dispatch.v2b.cars import KINDS, building_cars, check_cars
from gridimpact.dispatch.v2b.choose import choose_subscription
from gridimpact.errors import InputError
from gridimpact.records import (
    BoolArray,
    Dispatch,
    FloatArray,
    Note,
    PlanRequest,
    ServiceFigure,
)

CHOOSE = "choose"


@dataclass(frozen=True)
class SubscribedPower:
    """Plan a building's cars at least cost of energy, wear and the penalty above the subscribed power.

    Discharge never exceeds the building's load less its generation. The month's highest excess so far is
    carried from window to window. Perfect foresight within 48 hours: an upper bound.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at buildings; every other car charges uncontrolled.
    subscribed_kw : float or str, optional
        Subscribed power; the tariff's unless given, and the building's highest draw without cars
        where the tariff names none. ``"choose"`` takes the power that costs least with these cars.
    excess_per_kw_month : float, optional
        Penalty on the month's highest draw above it [currency/kW]; the tariff's unless given.
    cars : str
        "all", "fleet" (the house's own) or "employees" (at chargers of kind "work").
    subscribed_per_kw_month : float, optional
        Price of the subscription [currency/kW]; the tariff's unless given. Matters for choosing and for
        the figures.
    peak_so_far_kw : float
        Highest draw of each building in its first month before the first step [kW]: paid already.

    Notes
    -----
    As `DemandCharge`, with the draw below the subscription free of charge. A chosen power is one for all
    months of the request; see `gridimpact.dispatch.v2b.choose.choose_subscription`.
    """

    enrolled: float = 1.0
    subscribed_kw: float | str | None = None
    excess_per_kw_month: float | None = None
    cars: str = "all"
    subscribed_per_kw_month: float | None = None
    peak_so_far_kw: float = 0.0

    name: ClassVar[str] = "v2b_subscribed_power"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = PERFECT
    site_kinds: ClassVar[tuple[str, ...]] = KINDS
    own_use: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        check_cars(self.cars)
        for where in ("excess_per_kw_month", "subscribed_per_kw_month", "peak_so_far_kw"):
            check_price(getattr(self, where), where)
        if isinstance(self.subscribed_kw, str):
            if self.subscribed_kw != CHOOSE:
                message = f"subscribed_kw is {self.subscribed_kw!r}, give kW or {CHOOSE!r}"
                raise InputError(message)
        else:
            check_price(self.subscribed_kw, "subscribed_kw")

    def controls(self, request: PlanRequest) -> BoolArray:
        """Return which vehicles take part, (vehicle,)."""
        return building_cars(request, self.enrolled, self.cars)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of the buildings' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = self.controls(request)
        charges = self._charges(request)
        notes: tuple[Note, ...] = ()
        if self.subscribed_kw == CHOOSE:
            charges, found = choose_subscription(
                request, self, controlled, charges, self.peak_so_far_kw
            )
        else:
            power, notes = self._power(request, controlled)
            charges = replace(charges, subscribed_kw=power)
            words = "a penalty above the subscribed power"
            terms = Terms(charges.excess_per_kw, power, words, self.peak_so_far_kw)
            found = plan_buildings(request, self, controlled, terms)
        return replace(
            found,
            notes=(*found.notes, *notes),
            figures=(
                *building_figures(request, found, charges),
                *_subscriptions(request, controlled, charges),
            ),
        )

    def _charges(self, request: PlanRequest) -> Charges:
        """Return the prices of subscription and excess of each site."""
        fixed = [t.subscribed_per_kw_month for t in request.tariffs]
        above = [t.excess_per_kw_month for t in request.tariffs]
        if self.subscribed_per_kw_month is not None:
            fixed = [self.subscribed_per_kw_month]
        if self.excess_per_kw_month is not None:
            above = [self.excess_per_kw_month]
        return replace(
            Charges.of(request),
            subscribed_per_kw=per_site(request, fixed),
            excess_per_kw=per_site(request, above),
        )

    def _power(
        self, request: PlanRequest, controlled: BoolArray
    ) -> tuple[FloatArray, tuple[Note, ...]]:
        """Return the subscribed power of each site [kW], and a note where it is assumed."""
        if isinstance(self.subscribed_kw, int | float):
            return per_site(request, [float(self.subscribed_kw)]), ()
        named = [np.nan if t.subscribed_kw is None else t.subscribed_kw for t in request.tariffs]
        power = per_site(request, named)
        unknown = [
            request.site_id[k] for k in used_sites(request, controlled) if np.isnan(power[k])
        ]
        highest = np.maximum(request.site_load_kw + request.site_pv_kw, 0.0).max(axis=0)
        power = np.where(np.isnan(power), highest, power)
        if not unknown:
            return power, ()
        text = "no subscribed power is given; the highest draw without cars is taken"
        return power, (Note("assumption", ", ".join(unknown), text),)


def _subscriptions(
    request: PlanRequest, controlled: BoolArray, charges: Charges
) -> tuple[ServiceFigure, ...]:
    """Return the subscribed power of each building with cars that take part."""
    return tuple(
        ServiceFigure(
            "building", "subscribed_kw", float(charges.subscribed_kw[k]), request.site_id[k]
        )
        for k in used_sites(request, controlled)
    )
