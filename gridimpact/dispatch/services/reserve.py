"""Spinning reserve of parked cars: settings and plan shared by charging only and by feeding too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gridimpact.dispatch.connection import connection_shares
from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import battery_arrays, execute, stay_arrays
from gridimpact.dispatch.services.reserve_figures import (
    LATEST_RESPONSE_S,
    ReservePrices,
    reserve_figures,
)
from gridimpact.dispatch.services.reserve_kernels import Calls, Standby, nothing, run_reserve
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import BoolArray, Dispatch, FloatArray, Note, PlanRequest
from gridimpact.timeline import Timeline

REBOUNDS = ("immediate", "spread")


@dataclass(frozen=True)
class ReserveService:
    """Settings and plan of spinning reserve; see the strategies of each family."""

    events: tuple[str, ...] = ("18:00",)
    response_s: float = 4.0
    duration_h: float = 1.0
    rebound: str = "immediate"
    capacity_price: float = 0.0
    energy_price: float = 0.0
    aggregator_share: float = 0.3
    enrolled: float = 1.0

    name: ClassVar[str] = "spinning_reserve"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")

    def __post_init__(self) -> None:
        """Check the settings, all at once; a list of events becomes a tuple."""
        events: Any = self.events
        given = (events,) if isinstance(events, str) else tuple(events)
        object.__setattr__(self, "events", given)
        check_share(self.aggregator_share, "aggregator_share")
        check_share(self.enrolled, "enrolled")
        checks = (
            (0.0 <= self.response_s <= 3600.0, "response_s", "give seconds from 0 to 3600"),
            (0.0 < self.duration_h <= 24.0, "duration_h", "give hours above 0, at most 24"),
            (self.rebound in REBOUNDS, "rebound", f"use one of {', '.join(REBOUNDS)}"),
            (self.capacity_price >= 0.0, "capacity_price", "give 0 or more per MW and hour"),
            (self.energy_price >= 0.0, "energy_price", "give 0 or more per MWh"),
        )
        problems = [
            Problem(f"{self.name}: {setting}", f"is {getattr(self, setting)!r}", remedy)
            for passed, setting, remedy in checks
            if not passed
        ]
        for event in given:
            try:
                _moment(event)
            except (ValueError, TypeError):
                remedy = "write a local clock time 'HH:MM' for every day or '2016-01-18T18:00'"
                problems.append(Problem(f"{self.name}: events", f"{event!r} is no time", remedy))
        raise_problems(problems, "settings of a strategy")

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars do when called; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        left_h = hours_called(request.timeline, self.events, self.duration_h)
        late = min(self.response_s / request.timeline.step_s, 1.0)
        calls = Calls(
            left_h, float(self.duration_h), late, self.bidirectional, self.rebound == "spread"
        )
        standby = stand_by(request, controlled, calls)
        found = execute(
            request,
            standby.asked_kw,
            strategy=label(self),
            controlled=controlled,
            ceiling="target",
        )
        prices = ReservePrices(self.capacity_price, self.energy_price, self.aggregator_share)
        return replace(
            found,
            p_low_kw=np.fmin(found.p_kw, standby.low_kw),
            p_high_kw=np.fmax(found.p_kw, standby.high_kw),
            figures=reserve_figures(request, found, standby, left_h, prices, self.response_s),
            notes=self._notes(left_h),
        )

    def _notes(self, left_h: FloatArray) -> tuple[Note, ...]:
        """Return what a reader must know: late responses, and calls that nobody studied."""
        notes = []
        if self.response_s > LATEST_RESPONSE_S:
            text = (
                f"cars respond after {self.response_s:g} s; spinning reserve is called within "
                f"{LATEST_RESPONSE_S:g} s: no operator would accept it"
            )
            notes.append(Note("warning", self.name, text))
        if not left_h.any():
            text = f"none of the calls {', '.join(self.events)} lies in the time planned"
            notes.append(Note("info", self.name, text))
        return tuple(notes)


def stand_by(request: PlanRequest, controlled: BoolArray, calls: Calls) -> Standby:
    """Return what cars ask for, hold and jump between; vehicles of the request sorted by id."""
    stays = stay_arrays(request)
    out = nothing((request.timeline.count, len(request.vehicle_id)))
    run_reserve(
        calls,
        np.array(controlled, dtype=np.bool_),
        np.array(request.soc_initial, dtype=np.float64),
        request.timeline.dt_h,
        stays._replace(soc_target=np.array(stays.soc_target)),
        battery_arrays(request),
        connection_shares(request, controlled),
        out,
    )
    return out


def hours_called(timeline: Timeline, events: tuple[str, ...], duration_h: float) -> FloatArray:
    """Return for each step how long its call still lasts at the step's begin, (time,) [h].

    Parameters
    ----------
    timeline : Timeline
        Its local zone counts.
    events : tuple of str
        Local times "HH:MM" of every day, or moments "2016-01-18T18:00".
    duration_h : float
        Length of every call [h].

    Raises
    ------
    InputError
        If two calls overlap.
    """
    left_h = np.zeros(timeline.count)
    clock = timeline.local.tz_localize(None)
    for event in events:
        daily, moment = _moment(event)
        if daily:
            passed = (timeline.local_hour - (moment.hour + moment.minute / 60.0)) % 24.0
        else:
            passed = np.asarray((clock - moment).total_seconds(), dtype=np.float64) / 3600.0
        inside = (passed >= -1e-9) & (passed < duration_h - 1e-9)
        if (inside & (left_h > 0.0)).any():
            message = f"events {', '.join(events)} of {duration_h:g} h overlap; call one at a time"
            raise InputError(message)
        left_h = np.where(inside, duration_h - np.maximum(passed, 0.0), left_h)
    return left_h


def _moment(event: str) -> tuple[bool, pd.Timestamp]:
    """Return whether an event is of every day, and its moment."""
    daily = len(event) <= len("HH:MM") and ":" in event
    return daily, pd.Timestamp(f"2000-01-01T{event:0>5}" if daily else event)
