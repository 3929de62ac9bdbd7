"""Spinning reserve by cars that stop charging and feed when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.services.reserve import ReserveService
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class SpinningReserve(ReserveService):
    """Charge as if uncontrolled, stand by, and give power up for a whole call.

    At a call every enrolled car goes within `response_s` to the lowest power it can hold to the end of the
    call: the smaller of its charger's power and of what the battery holds above its reserve, less what the
    target still needs. Afterwards the cars charge again: the rebound is in the dispatch.

    Parameters
    ----------
    events : tuple of str
        Calls, as local times "HH:MM" of every day or moments "2016-01-18T18:00". A call every evening is a
        stress test of the network, not a forecast: Kempton and Tomic (2005) count twenty calls a year.
    response_s : float
        Time from call to power [s]; above 10 s a note says that no operator would take it.
    duration_h : float
        Length of a call, and the time for which reserve must be held [h].
    rebound : str
        "immediate" charges at full power after a call, "spread" at the mean power until departure.
    capacity_price : float
        Paid for power held [currency/MW-h]; without prices no payments are told.
    energy_price : float
        Paid for energy given [currency/MWh].
    aggregator_share : float
        Share of the earnings that stays with the aggregator; an own choice.
    enrolled : float
        Share of cars that take part.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.

    Notes
    -----
    The least and highest power of the step of a call, and of the step after it, are those before and after
    the jump, of all cars at once: the network is solved at both for the voltage step. Cars keep an equal
    share of what their site's connection leaves, both ways, unless the target needs more.
    """

    enrolled: float = 0.3
    reserve_soc: float = 0.4

    name: ClassVar[str] = "v2g_spinning_reserve"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check_share(self.reserve_soc, "reserve_soc")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars do when called; the others charge uncontrolled."""
        return plan_in_id_order(with_reserve(request, self.reserve_soc), self._plan)
