"""Direct load control: the utility switches cars off or down for an event, and they catch up afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.clock import Window, read_windows
from gridimpact.dispatch.enrolment import check_share, lottery
from gridimpact.dispatch.g2v.sharing import charge_under, full_power_when
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, PlanRequest


@dataclass(frozen=True)
class Event(Window):
    """A window in which cars are held down.

    Parameters
    ----------
    share : float
        Part of its full power that each car keeps, 0..1.
    cap_kw : float, optional
        Most that each car may draw [kW]; with both given the smaller counts.
    """

    share: float | None = None
    cap_kw: float | None = None

    def __post_init__(self) -> None:
        """Check times, days and what is left to the cars."""
        super().__post_init__()
        if self.share is not None:
            check_share(self.share, "share of an event")
        if self.cap_kw is not None and not self.cap_kw >= 0.0:
            message = f"cap_kw of an event is {self.cap_kw}, must be 0 or more"
            raise InputError(message)

    def cap(self, full_kw: FloatArray) -> FloatArray:
        """Return what is left of full power [kW]; nothing where neither share nor cap is given."""
        if self.share is None and self.cap_kw is None:
            return np.zeros_like(full_kw)
        kept = full_kw * (1.0 if self.share is None else self.share)
        return kept if self.cap_kw is None else np.minimum(kept, self.cap_kw)

    def __str__(self) -> str:
        """Return times, days and what is left."""
        parts = [] if self.share is None else [f"share {self.share:g}"]
        parts += [] if self.cap_kw is None else [f"{self.cap_kw:g} kW"]
        return " ".join((super().__str__(), *(parts or ["off"])))


@dataclass(frozen=True)
class LoadControl:
    """Charge as if uncontrolled, but held down during events; deferred energy is charged afterwards.

    Parameters
    ----------
    events : list of mappings
        ``{"start": "17:00", "end": "20:00"}`` in local time, with any of ``share`` (part of full power
        kept) and ``cap_kw`` (per car), else cars are off; and ``days`` ("mon".."sun") or ``dates``.
    restart_h : float
        0: all cars return at once when an event ends, the payback peak that is meant to be seen.
        Above: each car returns after a delay of its own, drawn evenly from 0 to `restart_h` for every
        event anew, so that their return is spread.
    obeys : float
        Share of the enrolled cars that obey; the others charge at full power.
    strict : bool
        Events hold even where the target is then missed. By default the driver's target wins: a car
        that could not reach it any more leaves the event.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If an event cannot be read or a setting is out of range.

    Notes
    -----
    A car that plugs in between an event's end and its own return waits as well. A main fuse is kept
    unless the target needs more. Events are not known before they begin.
    """

    events: Any = (Event("17:00", "20:00"),)
    restart_h: float = 0.0
    obeys: float = 1.0
    strict: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_load_control"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Read the events and check the settings."""
        check_share(self.enrolled, "enrolled")
        check_share(self.obeys, "obeys")
        object.__setattr__(self, "events", read_windows(self.events, "events", Event))
        if not 0.0 <= self.restart_h < math.inf:
            message = f"restart_h is {self.restart_h}, give hours over which cars return, 0 or more"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        always = np.ones(request.timeline.count, dtype=np.bool_)
        full = full_power_when(request, always)
        asked = full.copy()
        for number, event in enumerate(self.events):
            inside = event.inside(request.timeline)
            asked[inside] = np.minimum(asked[inside], event.cap(full[inside]))
            if self.restart_h > 0.0:
                self._spread(request, event, number, full, asked)
        obedient = lottery(request.vehicle_id, request.seed, "load control obeys") < self.obeys
        asked = np.where(obedient, asked, full)
        return charge_under(self, request, asked, self.enrolled, strict=self.strict)

    def _spread(
        self, request: PlanRequest, event: Event, number: int, full: FloatArray, asked: FloatArray
    ) -> None:
        """Hold each car down until its own return after every occurrence of an event."""
        began = event.begun_on(request.timeline)
        steps = np.arange(began.size)
        for day in np.unique(began[began >= 0]):
            after = int(np.flatnonzero(began == day)[-1]) + 1
            purpose = f"load control return {number} {day}"
            delay_h = self.restart_h * lottery(request.vehicle_id, request.seed, purpose)
            wait = delay_h / request.timeline.dt_h
            span = slice(after, after + math.ceil(self.restart_h / request.timeline.dt_h))
            # The step in which a car returns has its mean power.
            free = np.clip(steps[span, None] + 1 - after - wait, 0.0, 1.0)
            held = event.cap(full[span])
            asked[span] = np.minimum(asked[span], held + free * (full[span] - held))
