"""Frequency regulation by cars that charge and feed on a signal of a few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.services.regulation import RegulationService
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class Regulation(RegulationService):
    """Follow a fast signal between feeding and charging around an operating point.

    As `g2v.Regulation`, with a band that reaches down to full feeding: up to twice the charger's power
    from end to end. The operating point is the mean power that brings the car to its target at departure, or
    back to what it came with if that was more: a signal that is not neutral over hours is charged for or fed
    back.

    Parameters
    ----------
    capacity_share, product, sustain_h, latency_s, ramp_s, signal : as `g2v.Regulation`
    point : float, optional
        Operating point as share of the highest charging power, -1..1.
    capability_price, performance_price, mileage_ratio, aggregator_share : as `g2v.Regulation`
    enrolled : float
        Share of cars that take part.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.

    Notes
    -----
    What is drawn and fed again inside a step is lost twice to the converter: the dispatch tells it as
    `cycled_kwh` and `inner_loss_kwh`, and state of charge and wear count it. The target always wins: a
    car whose target could be missed at the rail charges and offers nothing.
    """

    enrolled: float = 0.3
    reserve_soc: float = 0.4

    name: ClassVar[str] = "v2g_regulation"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check_share(self.reserve_soc, "reserve_soc")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars do on the signal; the others charge uncontrolled."""
        return plan_in_id_order(with_reserve(request, self.reserve_soc), self._plan)
