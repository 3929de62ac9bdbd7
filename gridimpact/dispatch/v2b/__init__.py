"""Vehicle to building: a fleet behind one meter that lowers the building's bill."""

from __future__ import annotations

from gridimpact.dispatch.v2b.bill import Bill, Charges, site_bills, subscription_cost
from gridimpact.dispatch.v2b.demand_charge import DemandCharge
from gridimpact.dispatch.v2b.peak_cap import PeakCap
from gridimpact.dispatch.v2b.regret import forecast_regret, plan_on_forecast
from gridimpact.dispatch.v2b.subscribed_power import SubscribedPower

__all__ = [
    "Bill",
    "Charges",
    "DemandCharge",
    "PeakCap",
    "SubscribedPower",
    "forecast_regret",
    "plan_on_forecast",
    "site_bills",
    "subscription_cost",
]
