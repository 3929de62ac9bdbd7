"""Regulation by charging more and less: the car never feeds, the signal moves its charging power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gridimpact.dispatch.services.regulation import RegulationService
from gridimpact.dispatch.strategy import Foresight


@dataclass(frozen=True)
class Regulation(RegulationService):
    """Charge around a preferred operating point and follow a fast signal within a band.

    Every plugged-in car charges at an operating point that meets its target, less what the signal asks up
    and more what it asks down. All cars hear one signal, so nothing averages out: `p_low_kw` and `p_high_kw`
    of the dispatch are full regulation up and full regulation down of every car at once.

    Parameters
    ----------
    capacity_share : float
        Share of the possible band that is offered.
    product : str
        "symmetric" (as much up as down), "up", "down", or "both" (each as much as possible).
    point : float, optional
        Operating point as share of the highest charging power, until the target is reached. By default
        the mean power that reaches the target at departure.
    sustain_h : float
        A car offers what it could hold at either rail for this time, or for a step if that is longer,
        and still keep its target and battery; so it leaves the service when these are near.
    latency_s : float
        Time from signal to response [s].
    ramp_s : float
        Time from operating point to the end of the band [s]; 0 is at once.
    signal : Signal or str
        A signal (`services.read_signal`, `services.droop_signal`), or "synthetic" by the study's seed.
    capability_price, performance_price : float
        Market prices [currency/MW-h]; without them no payments are told.
    mileage_ratio : float
        Movement of the signal over that of the market's slow reference signal.
    aggregator_share : float
        Share of the earnings that stays with the aggregator; an own choice.
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Cars that never feed have at most half of their charging power as symmetric band, and only while they
    need energy: over a stay the offer is at most the energy to charge. The step's power is the mean of
    the fine clock; a main fuse is shared equally by the cars behind it and kept at full regulation down.
    """

    name: ClassVar[str] = "g2v_regulation"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
