"""Spinning reserve by cars that stop charging when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.services.reserve import ReserveService
from gridimpact.dispatch.strategy import Foresight


@dataclass(frozen=True)
class SpinningReserve(ReserveService):
    """Charge as if uncontrolled, and stop for a whole call where the target allows it.

    As `v2g.SpinningReserve` without feeding: what is given is charging that is put off, so there is
    reserve only while cars charge.

    Parameters
    ----------
    events, response_s, duration_h, rebound : as `v2g.SpinningReserve`
    capacity_price, energy_price, aggregator_share : as `v2g.SpinningReserve`
    enrolled : float
        Share of cars that take part.
    """

    name: ClassVar[str] = "g2v_spinning_reserve"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
