"""Many cars behind a building's meter: the month's peak, or the power above a subscription, is what costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.linear_program import PeakCharge
from gridimpact.dispatch.linear_program_prices import Surroundings, answer_by_program
from gridimpact.dispatch.linear_program_windows import Roller, Window
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, IntArray, Note, PlanRequest

_KINDS = ("building",)
_KNOWS = Foresight(stays="perfect", prices="perfect", base_load="perfect")


@dataclass(frozen=True)
class DemandCharge:
    """Plan a building's cars at least cost of energy, wear and the demand charge on the month's peak.

    Discharge never exceeds the building's load less its generation. The peak of the month so far is
    carried from window to window: what was drawn once is paid and may be drawn again. Perfect foresight
    of load, prices and stays within 48 hours: an upper bound.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at buildings; every other car charges uncontrolled.
    per_kw_month : float, optional
        Demand charge [currency/kW]; the tariff's unless given.

    Notes
    -----
    One linear program a day over 48 hours and all cars of the buildings, exact within its window, with
    months of the local calendar. Energy left at a window's end is worth the mean of the cheapest quarter
    of the prices seen. A car that arrives below its reserve does not discharge in that stay.
    """

    enrolled: float = 1.0
    per_kw_month: float | None = None

    name: ClassVar[str] = "v2b_demand_charge"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = _KNOWS
    site_kinds: ClassVar[tuple[str, ...]] = _KINDS

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        _check_price(self.per_kw_month, "per_kw_month")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of the buildings' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        own = [t.demand_charge_per_kw_month for t in request.tariffs]
        price = _per_site(request, own if self.per_kw_month is None else [self.per_kw_month])
        terms = Terms(price, np.zeros(price.size), "a demand charge")
        return plan_buildings(request, self, self.enrolled, terms)


@dataclass(frozen=True)
class SubscribedPower:
    """Plan a building's cars at least cost of energy, wear and the penalty above the subscribed power.

    Discharge never exceeds the building's load less its generation. The month's highest excess so far is
    carried from window to window. Perfect foresight within 48 hours: an upper bound.

    Parameters
    ----------
    enrolled : float
        Share of the cars whose stays are all at buildings; every other car charges uncontrolled.
    subscribed_kw : float, optional
        Subscribed power; the tariff's unless given, and the building's highest draw without cars
        where the tariff names none.
    excess_per_kw_month : float, optional
        Penalty on the month's highest draw above it [currency/kW]; the tariff's unless given.

    Notes
    -----
    As `DemandCharge`, with the draw below the subscription free of charge.
    """

    enrolled: float = 1.0
    subscribed_kw: float | None = None
    excess_per_kw_month: float | None = None

    name: ClassVar[str] = "v2b_subscribed_power"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = _KNOWS
    site_kinds: ClassVar[tuple[str, ...]] = _KINDS

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        _check_price(self.subscribed_kw, "subscribed_kw")
        _check_price(self.excess_per_kw_month, "excess_per_kw_month")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the least-cost plan of the buildings' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        own = [t.excess_per_kw_month for t in request.tariffs]
        penalty = [self.excess_per_kw_month] if self.excess_per_kw_month is not None else own
        named = [np.nan if t.subscribed_kw is None else t.subscribed_kw for t in request.tariffs]
        power = _per_site(request, named if self.subscribed_kw is None else [self.subscribed_kw])
        highest = np.maximum(request.site_load_kw + request.site_pv_kw, 0.0).max(axis=0)
        free = np.where(np.isnan(power), highest, power)
        terms = Terms(_per_site(request, penalty), free, "a penalty above the subscribed power")
        found = plan_buildings(request, self, self.enrolled, terms)
        used = np.unique(request.stays.site[found.controlled[request.stays.vehicle]])
        unknown = [request.site_id[k] for k in used if np.isnan(power[k])]
        if not unknown:
            return found
        text = "no subscribed power is given; the highest draw without cars is taken"
        note = Note("assumption", ", ".join(unknown), text)
        return replace(found, notes=(*found.notes, note))


@dataclass(frozen=True)
class Terms:
    """What the highest draw of a month costs, arrays over (site,)."""

    per_kw: FloatArray
    free_kw: FloatArray
    words: str


def plan_buildings(
    request: PlanRequest, strategy: DemandCharge | SubscribedPower, enrolled: float, terms: Terms
) -> Dispatch:
    """Return the least-cost dispatch of the cars at buildings.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    strategy : DemandCharge or SubscribedPower
        Gives label and kinds of sites.
    enrolled : float
        Share of the cars there.
    terms : Terms
        Cost of the month's highest draw.

    Returns
    -------
    Dispatch
        With a note where the tariff of a building names no such charge.
    """
    controlled = enrolled_vehicles(request, enrolled, site_kinds=strategy.site_kinds)
    roller = Roller(request, controlled)
    around = Surroundings.of(roller, controlled, own_use=True)
    month = months(request)
    highest = np.zeros((int(month.max()) + 1, len(request.site_id)))

    def answer(window: Window) -> FloatArray:
        steps = np.arange(window.first, window.last)
        price = around.import_price[steps, window.site]
        window.cells.value[:] = window.cheap(price)
        rows = np.flatnonzero(window.storage.plugged.any(axis=1))
        p_kw = np.zeros(price.shape)
        sites = np.unique(window.site[rows])
        if rows.size:
            known, period = np.unique(month[steps], return_inverse=True)
            peak = PeakCharge(
                period, terms.per_kw[sites], terms.free_kw[sites], highest[np.ix_(known, sites)]
            )
            p_kw[rows] = answer_by_program(window, rows, around, peak)
        _carry(highest, month, window, p_kw, around.net_kw, request)
        return p_kw

    asked = roller.plan(answer)
    found = execute(request, asked, strategy=label(strategy), controlled=controlled)
    used = np.unique(request.stays.site[controlled[request.stays.vehicle]])
    free = [request.site_id[k] for k in used if terms.per_kw[k] <= 0.0]
    if not free:
        return found
    text = f"the tariff names no price for {terms.words}; only energy and wear are minimised"
    return replace(found, notes=(Note("warning", ", ".join(free), text),))


def _carry(
    highest: FloatArray,
    month: IntArray,
    window: Window,
    p_kw: FloatArray,
    net_kw: FloatArray,
    request: PlanRequest,
) -> None:
    """Raise the months' highest draws by the part of a window that is kept."""
    day = request.timeline.steps_per_day
    last = window.last if window.last == request.timeline.count else window.first + day
    steps = np.arange(window.first, last)
    draw = net_kw[steps].copy()
    for v in range(p_kw.shape[0]):
        np.add.at(
            draw, (np.arange(steps.size), window.site[v, : steps.size]), p_kw[v, : steps.size]
        )
    np.maximum.at(highest, month[steps], draw)


def months(request: PlanRequest) -> IntArray:
    """Return the number of the local calendar month of each step, counted from the first."""
    local = request.timeline.local
    number = np.asarray(local.year * 12 + local.month, dtype=np.int64)
    return np.asarray(number - number[0])


def _per_site(request: PlanRequest, values: list[float]) -> FloatArray:
    """Return a value per tariff, or the same for all, as one per site."""
    tariff = np.asarray(request.site_tariff, dtype=np.int64)
    every = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(request.tariffs),))
    return every[tariff]


def _check_price(value: float | None, where: str) -> None:
    """Refuse a negative setting."""
    if value is not None and not value >= 0.0:
        message = f"{where} is {value}, it must be 0 or more"
        raise InputError(message)
