"""What a building pays, part by part, and what its cars change in it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest, ServiceFigure


@dataclass(frozen=True)
class Charges:
    """Prices of the month's highest draw, arrays over (site,) [currency/kW per month]."""

    demand_per_kw: FloatArray
    subscribed_kw: FloatArray
    subscribed_per_kw: FloatArray
    excess_per_kw: FloatArray

    @classmethod
    def of(cls, request: PlanRequest) -> Charges:
        """Return the charges of each site's tariff; a tariff without a subscription has one of 0 kW."""
        own = np.asarray(request.site_tariff, dtype=np.int64)
        rows = [
            (
                t.demand_charge_per_kw_month,
                0.0 if t.subscribed_kw is None else t.subscribed_kw,
                0.0 if t.subscribed_kw is None else t.subscribed_per_kw_month,
                0.0 if t.subscribed_kw is None else t.excess_per_kw_month,
            )
            for t in request.tariffs
        ]
        return cls(*np.array(rows, dtype=np.float64).T[:, own])


@dataclass(frozen=True)
class Bill:
    """A bill over the steps of a request, arrays over (site,) [currency]."""

    energy: FloatArray
    """Drawn less fed, at the step's prices."""
    demand: FloatArray
    subscription: FloatArray
    excess: FloatArray
    peak_kw: FloatArray
    """Highest draw of all months."""

    @property
    def total(self) -> FloatArray:
        """Sum of the parts."""
        return np.asarray(self.energy + self.demand + self.subscription + self.excess)


def subscription_cost(
    peak_kw: FloatArray | float,
    subscribed_kw: FloatArray | float,
    per_kw: FloatArray | float,
    excess_per_kw: FloatArray | float,
) -> FloatArray:
    """Return what a month costs under a subscription: ``a S + b max(0, peak - S)``.

    Parameters
    ----------
    peak_kw : array_like
        Highest draw of the month [kW].
    subscribed_kw : array_like
        Subscribed power S [kW].
    per_kw, excess_per_kw : array_like
        Price a of the subscription and b of what is drawn above it [currency/kW].

    Examples
    --------
    >>> float(subscription_cost(120.0, 100.0, 5.0, 30.0)), float(subscription_cost(108.0, 100.0, 5.0, 30.0))
    (1100.0, 740.0)
    """
    above = np.maximum(np.asarray(peak_kw, dtype=np.float64) - subscribed_kw, 0.0)
    return np.asarray(per_kw * np.asarray(subscribed_kw, dtype=np.float64) + excess_per_kw * above)


def site_bills(request: PlanRequest, p_kw: FloatArray, charges: Charges | None = None) -> Bill:
    """Return the bill of every site under a plan.

    Parameters
    ----------
    request : PlanRequest
        Load, generation and tariffs.
    p_kw : ndarray
        (time, vehicle) power at the meter [kW], positive draws from the grid.
    charges : Charges, optional
        In place of the tariffs' charges.

    Notes
    -----
    Months are those of the local calendar; each month of the request counts whole, also where only some
    of its days are planned: it is what the optimising strategies weigh. The report's bill is in proportion.
    """
    charges = Charges.of(request) if charges is None else charges
    net = request.site_load_kw + request.site_pv_kw + power_by_site(request, p_kw)
    own = np.asarray(request.site_tariff, dtype=np.int64)
    bought = np.stack([t.import_price for t in request.tariffs], axis=1)[:, own]
    sold = np.stack([t.export_price for t in request.tariffs], axis=1)[:, own]
    paid = bought * np.maximum(net, 0.0) - sold * np.maximum(-net, 0.0)
    peaks = monthly_peaks(request, net)
    fixed = subscription_cost(0.0, charges.subscribed_kw, charges.subscribed_per_kw, 0.0)
    over = subscription_cost(peaks, charges.subscribed_kw, 0.0, charges.excess_per_kw)
    return Bill(
        energy=paid.sum(axis=0) * request.timeline.dt_h,
        demand=(peaks * charges.demand_per_kw).sum(axis=0),
        subscription=peaks.shape[0] * fixed,
        excess=over.sum(axis=0),
        peak_kw=peaks.max(axis=0),
    )


def monthly_peaks(request: PlanRequest, net_kw: FloatArray) -> FloatArray:
    """Return the highest draw of each local month, (month, site) [kW], from (time, site)."""
    month = months(request)
    peaks = np.zeros((int(month.max()) + 1, net_kw.shape[1]))
    np.maximum.at(peaks, month, net_kw)
    return peaks


def months(request: PlanRequest) -> IntArray:
    """Return the number of the local calendar month of each step, counted from the first."""
    local = request.timeline.local
    number = np.asarray(local.year * 12 + local.month, dtype=np.int64)
    return np.asarray(number - number[0])


def building_figures(
    request: PlanRequest, found: Dispatch, charges: Charges | None = None
) -> tuple[ServiceFigure, ...]:
    """Return peaks and bills of the buildings whose cars a dispatch controls, with and without control.

    Sums over the buildings; the peak is each building's own highest draw. "uncontrolled" is the same fleet
    charging uncontrolled, "no_cars" the building alone.
    """
    sites = np.unique(request.stays.site[found.controlled[request.stays.vehicle]])
    if not sites.size:
        return ()
    bills = {
        "": site_bills(request, found.p_kw, charges),
        "_uncontrolled": site_bills(request, uncontrolled_dispatch(request).p_kw, charges),
        "_no_cars": site_bills(request, np.zeros_like(found.p_kw), charges),
    }
    names = ", ".join(request.site_id[k] for k in sites)
    note = f"sum over {names}; each month of the plan counts whole"
    figures = []
    for suffix, bill in bills.items():
        figures.append(
            ServiceFigure("building", f"peak{suffix}_kw", float(bill.peak_kw[sites].sum()), note)
        )
        figures.append(
            ServiceFigure("building", f"bill{suffix}", float(bill.total[sites].sum()), note)
        )
    for item in fields(Bill)[:-1]:
        value = float(getattr(bills[""], item.name)[sites].sum())
        figures.append(ServiceFigure("building", f"{item.name}_cost", value, note))
    return tuple(figures)
