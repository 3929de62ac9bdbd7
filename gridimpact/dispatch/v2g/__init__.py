"""Vehicle to grid: cars that feed the network."""

from __future__ import annotations

from gridimpact.dispatch.v2g.arbitrage import Arbitrage
from gridimpact.dispatch.v2g.peak_shaving import PeakShaving

__all__ = ["Arbitrage", "PeakShaving"]
