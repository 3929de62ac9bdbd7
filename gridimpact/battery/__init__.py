"""What a vehicle's battery can take, give and hold, and what using it costs."""

from __future__ import annotations

from gridimpact.battery.charging_curve import (
    AC_FLAT,
    DC_STOP_AT_80,
    DC_THREE_STAGE,
    ChargingCurve,
)
from gridimpact.battery.cycle_life import PAPER_POINTS, CycleLife, miner
from gridimpact.battery.rainflow import rainflow
from gridimpact.battery.semi_empirical import FLEET_CELLS, Cell
from gridimpact.battery.storage import (
    mean_charge_limit_kw,
    mean_discharge_limit_kw,
    meter_kw,
    net_kw,
    soc_after,
    soc_needed_before,
)
from gridimpact.battery.wear import Wear, joined
from gridimpact.battery.wear_sums import wear_of

__all__ = [
    "AC_FLAT",
    "DC_STOP_AT_80",
    "DC_THREE_STAGE",
    "FLEET_CELLS",
    "PAPER_POINTS",
    "Cell",
    "ChargingCurve",
    "CycleLife",
    "Wear",
    "joined",
    "mean_charge_limit_kw",
    "mean_discharge_limit_kw",
    "meter_kw",
    "miner",
    "net_kw",
    "rainflow",
    "soc_after",
    "soc_needed_before",
    "wear_of",
]
