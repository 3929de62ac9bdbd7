"""Many cars as one plant: what a fleet can offer, and who delivers it."""

from __future__ import annotations

from gridimpact.dispatch.aggregator.contracts import (
    GuaranteedSoc,
    HourByHour,
    MustBePlugged,
    PayAsYouGo,
    Settlement,
    settle,
)
from gridimpact.dispatch.aggregator.disaggregate import Disaggregation, disaggregate
from gridimpact.dispatch.aggregator.flexibility import (
    FleetFlexibility,
    Flexibility,
    flexibility,
    flexibility_by_group,
    summed,
)
from gridimpact.dispatch.aggregator.market import MarketRules, bids, cars_for
from gridimpact.dispatch.aggregator.portfolio import cars_needed, check_feeders, portfolio
from gridimpact.dispatch.aggregator.profile import FleetProfile, profile
from gridimpact.dispatch.aggregator.usage import Usage, usage

__all__ = [
    "Disaggregation",
    "FleetFlexibility",
    "FleetProfile",
    "Flexibility",
    "GuaranteedSoc",
    "HourByHour",
    "MarketRules",
    "MustBePlugged",
    "PayAsYouGo",
    "Settlement",
    "Usage",
    "bids",
    "cars_for",
    "cars_needed",
    "check_feeders",
    "disaggregate",
    "flexibility",
    "flexibility_by_group",
    "portfolio",
    "profile",
    "settle",
    "summed",
    "usage",
]
