"""Which power to subscribe to, given what the cars can do about the peaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.v2b.bill import Charges, monthly_peaks, months, site_bills
from gridimpact.dispatch.v2b.building import Terms, peak_before, plan_buildings
from gridimpact.records import BoolArray, Dispatch, FloatArray, PlanRequest

WORDS = "a penalty above the subscribed power"
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
ROUNDS = 12
"""Plans of the search over several months: the power is then known to 0.3 % of the span of the peaks."""


def choose_subscription(
    request: PlanRequest,
    strategy: Strategy,
    controlled: BoolArray,
    charges: Charges,
    so_far_kw: float = 0.0,
) -> tuple[Charges, Dispatch]:
    """Return the charges with the least-cost subscription of each site, and the plan under it.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    strategy : Strategy
        Gives the label.
    controlled : ndarray of bool
        (vehicle,) cars at buildings that take part.
    charges : Charges
        Prices a of the subscription and b of the excess; `subscribed_kw` is replaced.
    so_far_kw : float
        Highest draw of the first month before the first step [kW].

    Notes
    -----
    In one month ``min_S a S + b max(0, peak - S)`` is ``min(a, b) peak``: the cars are planned as under a
    demand charge of that price, and S is the peak they reach, or 0 where the excess is no dearer than the
    subscription. Over several months one S holds for all: the cost is convex in S where the plan is
    optimal as a whole, and is searched by golden section between the lowest month's peak under the price
    b and the highest month's under a.
    """
    price = np.minimum(charges.subscribed_per_kw, charges.excess_per_kw)
    worth = charges.subscribed_per_kw <= charges.excess_per_kw
    zero = np.zeros_like(price)
    eased = plan_buildings(request, strategy, controlled, Terms(price, zero, WORDS, so_far_kw))
    peaks = _peaks(request, eased, so_far_kw)
    high = np.where(worth, peaks.max(axis=0), 0.0)
    if int(months(request).max()) == 0:
        return replace(charges, subscribed_kw=high), eased
    eager = Terms(charges.excess_per_kw, zero, WORDS, so_far_kw)
    low = _peaks(request, plan_buildings(request, strategy, controlled, eager), so_far_kw)
    bottom = np.minimum(np.where(worth, low.min(axis=0), 0.0), high)

    def cost(power: FloatArray) -> tuple[FloatArray, Dispatch]:
        terms = Terms(charges.excess_per_kw, power, WORDS, so_far_kw)
        found = plan_buildings(request, strategy, controlled, terms)
        bill = site_bills(request, found.p_kw, replace(charges, subscribed_kw=power))
        return np.asarray(bill.total + _wear(request, found)), found

    power = _golden(lambda s: cost(s)[0], bottom, high)
    return replace(charges, subscribed_kw=power), cost(power)[1]


def _golden(
    cost: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return where a convex cost is least, each entry searched for itself at the same time."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = cost(left), cost(right)
    for _ in range(ROUNDS - 2):
        down = at_left <= at_right
        high, low = np.where(down, right, high), np.where(down, low, left)
        new = np.where(down, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        at_new = cost(new)
        left, at_left, right, at_right = (
            np.where(down, new, right),
            np.where(down, at_new, at_right),
            np.where(down, left, new),
            np.where(down, at_left, at_new),
        )
    return np.asarray(np.where(at_left <= at_right, left, right))


def _peaks(request: PlanRequest, found: Dispatch, so_far_kw: float) -> FloatArray:
    """Return the highest draw of each month, (month, site) [kW], that before the first step included."""
    net = request.site_load_kw + request.site_pv_kw + power_by_site(request, found.p_kw)
    peaks = monthly_peaks(request, net)
    peaks[0] = np.maximum(peaks[0], peak_before(request, so_far_kw))
    return peaks


def _wear(request: PlanRequest, found: Dispatch) -> FloatArray:
    """Return what the batteries' wear costs at each site [currency]."""
    held = request.batteries
    price = held.wear_per_kwh / held.eta_discharge
    worn = price * np.maximum(-found.p_kw, 0.0) * request.timeline.dt_h
    return np.asarray(power_by_site(request, worn).sum(axis=0))
