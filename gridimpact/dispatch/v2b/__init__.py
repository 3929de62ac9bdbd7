"""Vehicle to building: a fleet behind one meter that lowers the building's bill."""

from __future__ import annotations

from gridimpact.dispatch.v2b.building import DemandCharge, SubscribedPower

__all__ = ["DemandCharge", "SubscribedPower"]
