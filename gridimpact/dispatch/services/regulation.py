"""Cars that follow a regulation signal: settings and plan shared by charging only and by feeding too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.connection import connection_shares
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import battery_arrays, stay_arrays, unmet_energy
from gridimpact.dispatch.kernels import StayStates
from gridimpact.dispatch.services.regulation_figures import Prices, Service, figures_of
from gridimpact.dispatch.services.regulation_kernels import (
    Inside,
    Offer,
    Terms,
    run_regulation,
)
from gridimpact.dispatch.services.signal import Signal
from gridimpact.dispatch.services.signal_response import followed
from gridimpact.dispatch.services.signal_synthetic import synthetic_regulation
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import BoolArray, Dispatch, FloatArray, Note, PlanRequest

PRODUCTS = ("symmetric", "up", "down", "both")
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class RegulationService:
    """Settings and plan of regulation; see the strategies of each family."""

    capacity_share: float = 1.0
    product: str = "symmetric"
    point: float | None = None
    sustain_h: float = 0.25
    latency_s: float = 4.0
    ramp_s: float = 0.0
    signal: Signal | str = SYNTHETIC
    capability_price: float = 0.0
    performance_price: float = 0.0
    mileage_ratio: float = 1.0
    aggregator_share: float = 0.3
    enrolled: float = 1.0

    name: ClassVar[str] = "regulation"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings, all at once."""
        check_share(self.capacity_share, "capacity_share")
        check_share(self.aggregator_share, "aggregator_share")
        check_share(self.enrolled, "enrolled")
        least = -1.0 if self.bidirectional else 0.0
        checks = (
            (self.product in PRODUCTS, "product", f"use one of {', '.join(PRODUCTS)}"),
            (
                self.point is None or least <= self.point <= 1.0,
                "point",
                f"give a share of the charging power from {least:g} to 1, or none for the mean power",
            ),
            (0.0 < self.sustain_h <= 24.0, "sustain_h", "give hours above 0, at most 24"),
            (0.0 <= self.latency_s <= 3600.0, "latency_s", "give seconds from 0 to 3600"),
            (0.0 <= self.ramp_s <= 3600.0, "ramp_s", "give seconds from 0 to 3600"),
            (
                isinstance(self.signal, Signal) or self.signal == SYNTHETIC,
                "signal",
                "give 'synthetic' or a Signal, such as read_signal makes of a file",
            ),
            (self.capability_price >= 0.0, "capability_price", "give 0 or more per MW and hour"),
            (self.performance_price >= 0.0, "performance_price", "give 0 or more per MW and hour"),
            (self.mileage_ratio >= 0.0, "mileage_ratio", "give 0 or more"),
        )
        problems = [
            Problem(f"{self.name}: {setting}", f"is {getattr(self, setting)!r}", remedy)
            for passed, setting, remedy in checks
            if not passed
        ]
        raise_problems(problems, "settings of a strategy")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars do on the signal; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        signal = signal_over(self.signal, request)
        asked = signal.ticks_of(request.timeline)
        ramp = 1.0 / self.ramp_s if self.ramp_s > 0.0 else np.inf
        late = followed(asked.ravel(), signal.step_s, self.latency_s, ramp)
        inside, states = run(request, controlled, self._offer(), late.reshape(asked.shape))
        found = dispatch_of(request, controlled, inside, states, label(self))
        prices = Prices(
            self.capability_price, self.performance_price, self.mileage_ratio, self.aggregator_share
        )
        service = Service(asked, late.reshape(asked.shape), signal.step_s, controlled)
        note = Note("info", self.name, f"follows signal {signal}, {signal.step_s} s")
        figures = figures_of(request, service, inside, prices)
        return replace(found, figures=figures, notes=(note,))

    def _offer(self) -> Offer:
        share = self.capacity_share
        return Offer(
            bidirectional=self.bidirectional,
            up=0.0 if self.product == "down" else share,
            down=0.0 if self.product == "up" else share,
            symmetric=self.product == "symmetric",
            point=np.nan if self.point is None else float(self.point),
            sustain_h=float(self.sustain_h),
        )


def signal_over(signal: Signal | str, request: PlanRequest) -> Signal:
    """Return the signal of a request: the one given, or a synthetic one by the request's seed.

    Synthetic signals have a value every 4 s where that divides the step, else every second.
    """
    if isinstance(signal, Signal):
        return signal
    step_s = 4 if request.timeline.step_s % 4 == 0 else 1
    return synthetic_regulation(request.timeline, step_s, request.seed)


def run(
    request: PlanRequest, controlled: BoolArray, offer: Offer, response: FloatArray
) -> tuple[Inside, StayStates]:
    """Return what happens inside the steps of a request whose vehicles are sorted by id.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    controlled : ndarray of bool
        (vehicle,)
    offer : Offer
        What each car offers.
    response : ndarray
        (time, tick) response in units of the band, positive is up.
    """
    stays, batteries = stay_arrays(request), battery_arrays(request)
    stays = stays._replace(soc_target=np.array(stays.soc_target))
    states = StayStates(*(np.zeros(stays.vehicle.size) for _ in StayStates._fields))
    shape = (request.timeline.count, len(request.vehicle_id))
    inside = Inside(*(np.zeros(shape) for _ in Inside._fields))
    inside.nominal_kw[:] = np.nan
    run_regulation(
        Terms(offer, connection_shares(request, controlled), np.ascontiguousarray(response)),
        np.array(controlled, dtype=np.bool_),
        np.array(request.soc_initial, dtype=np.float64),
        request.timeline.dt_h,
        stays,
        batteries,
        states,
        inside,
    )
    return inside, states


def dispatch_of(
    request: PlanRequest,
    controlled: BoolArray,
    inside: Inside,
    states: StayStates,
    strategy: str,
) -> Dispatch:
    """Return the dispatch with the means, the extremes and what was cycled inside steps."""
    unmet, cause = unmet_energy(request, states, "too_little_power")
    return Dispatch(
        strategy=strategy,
        p_requested_kw=np.where(controlled[None, :], inside.point_kw, inside.p_kw),
        p_kw=inside.p_kw,
        soc=inside.soc,
        soc_initial=request.soc_initial,
        unmet_kwh=unmet,
        unmet_cause=cause,
        away_kwh=states.away_kwh,
        controlled=np.asarray(controlled, dtype=np.bool_),
        p_low_kw=inside.low_kw,
        p_high_kw=inside.high_kw,
        cycled_kwh=inside.cycled_kwh,
        inner_loss_kwh=inside.inner_loss_kwh,
    )
