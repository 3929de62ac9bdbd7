"""Vehicle to grid: cars that feed the network."""

from __future__ import annotations

from gridimpact.dispatch.v2g.arbitrage import Arbitrage
from gridimpact.dispatch.v2g.load_following import LoadFollowing
from gridimpact.dispatch.v2g.peak_shaving import PeakShaving
from gridimpact.dispatch.v2g.reactive_support import ReactiveSupport
from gridimpact.dispatch.v2g.regulation import Regulation
from gridimpact.dispatch.v2g.renewable_buffer import RenewableBuffer
from gridimpact.dispatch.v2g.spinning_reserve import SpinningReserve
from gridimpact.dispatch.v2g.virtual_power_plant import VirtualPowerPlant

__all__ = [
    "Arbitrage",
    "LoadFollowing",
    "PeakShaving",
    "ReactiveSupport",
    "Regulation",
    "RenewableBuffer",
    "SpinningReserve",
    "VirtualPowerPlant",
]
