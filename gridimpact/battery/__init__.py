"""What a vehicle's battery can take, give and hold."""

from __future__ import annotations

from gridimpact.battery.storage import (
    mean_charge_limit_kw,
    mean_discharge_limit_kw,
    meter_kw,
    net_kw,
    soc_after,
    soc_needed_before,
)

__all__ = [
    "mean_charge_limit_kw",
    "mean_discharge_limit_kw",
    "meter_kw",
    "net_kw",
    "soc_after",
    "soc_needed_before",
]
