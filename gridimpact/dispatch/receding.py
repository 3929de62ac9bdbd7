"""Planning again and again with what is known by then: a horizon that moves on with time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.dispatch.execute import battery_arrays, execute, power_by_site, stay_arrays
from gridimpact.dispatch.forecast import LOADS
from gridimpact.dispatch.kernels_presence import move_on, presence
from gridimpact.dispatch.mix import all_enrolled, beside_others
from gridimpact.dispatch.own_use import own_load_kw
from gridimpact.dispatch.receding_kernels import OwnUse, advance
from gridimpact.dispatch.receding_request import Knowledge, known_request
from gridimpact.dispatch.scope import cars_of, own_use_cars
from gridimpact.dispatch.strategy import (
    Foresight,
    Strategy,
    check_strategy,
    label,
    plan_in_id_order,
)
from gridimpact.dispatch.uncontrolled import Uncontrolled, uncontrolled_dispatch
from gridimpact.dispatch.wrapped import Wrapped, left_out
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, Note, PlanRequest

STAYS = ("announced", "perfect")

_EXTRAS = ("q_kvar", "p_low_kw", "p_high_kw")


@dataclass(frozen=True)
class Receding(Wrapped):
    """Any strategy, made to plan again and again with what a controller could know by then.

    Each plan is told the cars that are plugged in, their state of charge, announced departure and target; a
    forecast of demand, generation and limits; prices as far as they are published. The first part of it
    is carried out, then the next plan is made.

    Parameters
    ----------
    strategy : Strategy
        Plans each horizon; its own enrolment holds.
    every : str or float
        Time between plans, such as "1h" or "15min"; a number counts hours.
    horizon : str or float
        How far each plan looks, no less than `every`.
    stays : str
        "announced": only cars plugged in; "perfect": later stays inside the horizon too.
    load : str
        Forecast of demand and generation: "yesterday" (the latest past day at the same time),
        "last_week", "perfect", or "noisy": the truth with an error that grows with the time ahead.
    load_error : float
        Relative standard deviation of the noisy forecast far ahead.
    seed : int
        Of the noise.

    Raises
    ------
    InputError
        If a setting lies outside its range.

    Notes
    -----
    A car that arrives between two plans waits for the next one; until then it charges only where its target
    would come out of reach. The step in which a plan is made is measured. Cars that supply their own site
    feed no more than it truly draws; a main fuse is kept as far as the forecast holds. Before the first past
    day there is nothing to forecast from: the value of the moment is expected to stay. Prices of the next
    day are known from 13:00 local time on. What the month has drawn so far goes with each plan, so that a
    demand charge fights only what lies above it. Where a plan knows no later stay, cars that feed leave with
    no less than uncontrolled charging would have given them. With "noisy" or "perfect" the plan holds values no
    controller has, and its foresight says so.

    Examples
    --------
    >>> from gridimpact.dispatch.g2v import ValleyFilling
    >>> hourly = Receding(ValleyFilling(), every="1h")
    >>> hourly.name, hourly.foresight.causal
    ('receding_g2v_valley_filling', True)
    """

    strategy: Strategy = Uncontrolled()  # noqa: RUF009 - frozen and without settings
    every: str | float = "1h"
    horizon: str | float = "24h"
    stays: str = "announced"
    load: str = "yesterday"
    load_error: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_strategy(self.strategy)
        every, horizon = hours_of(self.every, "every"), hours_of(self.horizon, "horizon")
        if horizon < every:
            message = (
                f"horizon {self.horizon} is shorter than every {self.every}; look at least that far"
            )
            raise InputError(message)
        for name, words in (("stays", STAYS), ("load", LOADS)):
            if getattr(self, name) not in words:
                message = (
                    f"{name} {getattr(self, name)!r} is unknown; use one of {', '.join(words)}"
                )
                raise InputError(message)
        if not 0.0 <= self.load_error <= 1.0:
            message = f"load_error is {self.load_error}, give a share between 0 and 1, such as 0.1"
            raise InputError(message)

    @property
    def name(self) -> str:
        """Name in comparison tables."""
        return f"receding_{self.strategy.name}"

    @property
    def foresight(self) -> Foresight:
        """What each plan is told, as far as the strategy uses it."""
        own = self.strategy.foresight
        truth = "perfect" if self.load in ("perfect", "noisy") else "none"
        return Foresight(
            stays=self.stays if own.stays == "perfect" else "announced",
            prices="none" if own.prices == "none" else "announced",
            base_load="none" if own.base_load == "none" else truth,
        )

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the plans, each carried out until the next, come to."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = cars_of(self.strategy, request)
        free = uncontrolled_dispatch(request, label(self))
        if not controlled.any():
            return free
        part, kept = beside_others(request, controlled, free.p_kw)
        run = _Run(part, all_enrolled(self.strategy), self)
        run.through()
        asked = np.zeros_like(free.p_kw)
        asked[:, controlled] = run.asked
        found = execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=False,
            discharge_floor="min",
        )
        limited = np.zeros(request.stays.vehicle.size, dtype=np.bool_)
        limited[kept] = run.limited
        cause = tuple(
            "limit" if held and why == "too_little_power" else why
            for held, why in zip(limited, found.unmet_cause, strict=True)
        )
        extras: dict[str, Any] = {
            name: _widened(found.p_kw, part_, controlled, name) for name, part_ in run.extras
        }
        return replace(found, unmet_cause=cause, notes=tuple(run.notes.values()), **extras)


class _Run:
    """One pass over a request of controlled cars: plan, carry out, plan again."""

    def __init__(self, request: PlanRequest, strategy: Strategy, how: Receding) -> None:
        self._request, self._strategy, self._name = request, strategy, how.name
        dt_h = request.timeline.dt_h
        self._every = max(1, round(hours_of(how.every, "every") / dt_h))
        self._horizon = max(self._every, round(hours_of(how.horizon, "horizon") / dt_h))
        self._known = Knowledge(how.stays, how.load, how.load_error, how.seed)
        shape = (request.timeline.count, len(request.vehicle_id))
        self.asked = np.zeros(shape)
        self.limited = np.zeros(request.stays.vehicle.size, dtype=np.bool_)
        self.notes: dict[str, Note] = {}
        self._extras: dict[str, FloatArray] = {}
        local = request.timeline.local
        self._month = np.asarray(local.year * 12 + local.month, dtype=np.int64)
        self._draw = request.site_load_kw + request.site_pv_kw
        self._own = OwnUse(
            own_use_cars(strategy, request),
            np.array(request.stays.site, dtype=np.int64),
            np.ascontiguousarray(own_load_kw(request)),
        )

    @property
    def extras(self) -> list[tuple[str, FloatArray]]:
        """Reactive power and extremes inside a step, where the strategy tells them."""
        return list(self._extras.items())

    def through(self) -> None:
        """Fill `asked` (time, vehicle) with what is drawn."""
        request, count = self._request, self._request.timeline.count
        stays, batteries = stay_arrays(request), battery_arrays(request)
        here = presence(request.soc_initial, stays)
        for now in range(0, count, self._every):
            until = min(now + self._every, count)
            move_on(now, stays, batteries, here)
            if self._worth_planning(now, here.current):
                self._take(now, until, *self._plan(here, now))
            perfect = self._known.stays == "perfect"
            advance(
                (now, until),
                (here.current.copy(), perfect),
                request.timeline.dt_h,
                stays,
                batteries,
                here,
                self._own,
                self.asked,
            )
            self._draw[now:until] += power_by_site(request, self.asked)[now:until]

    def _worth_planning(self, now: int, current: IntArray) -> bool:
        """Return whether any car could follow a plan made now."""
        if (current >= 0).any():
            return True
        begins = self._request.stays.start
        coming = (begins > now) & (begins < now + self._every)
        return self._known.stays == "perfect" and bool(coming.any())

    def _plan(self, here: Any, now: int) -> tuple[Dispatch, IntArray]:
        """Return the plan made at the begin of step `now`, and the positions of its stays."""
        ahead = min(self._horizon, self._request.timeline.count - now)
        told, kept = known_request(self._request, here, now, ahead, self._known)
        # What the month has drawn is paid: a demand charge fights only what lies above it.
        month = self._month[:now] == self._month[now]
        peak = self._draw[:now][month].max(axis=0, initial=0.0)
        if self._request.site_peak_kw is not None and self._month[now] == self._month[0]:
            peak = np.maximum(peak, self._request.site_peak_kw)
        return self._strategy.plan(replace(told, site_peak_kw=peak)), kept

    def _take(self, now: int, until: int, found: Dispatch, kept: IntArray) -> None:
        """Take over the first part of a plan."""
        steps = until - now
        self.asked[now:until] = found.p_kw[:steps]
        self.limited[kept] = [why == "limit" for why in found.unmet_cause]
        for note in (*found.notes, *left_out(found, _EXTRAS, self._name)):
            self.notes.setdefault(note.where, note)
        for name in _EXTRAS:
            values = getattr(found, name)
            if values is not None:
                whole = self._extras.setdefault(name, np.full(self.asked.shape, np.nan))
                whole[now:until] = values[:steps]


def _widened(p_kw: FloatArray, part: FloatArray, controlled: BoolArray, name: str) -> FloatArray:
    """Return an extra for all cars; where nothing is told power is steady and reactive power is none."""
    whole = np.zeros_like(p_kw) if name == "q_kvar" else p_kw.copy()
    whole[:, controlled] = np.where(np.isnan(part), whole[:, controlled], part)
    return whole


def hours_of(span: Any, where: str) -> float:
    """Return a span of time in hours, from text such as "15min" or a number of hours.

    Raises
    ------
    InputError
        If it cannot be read or is not above zero.

    Examples
    --------
    >>> hours_of("15min", "every"), hours_of(24, "horizon")
    (0.25, 24.0)
    """
    try:
        number = isinstance(span, int | float) and not isinstance(span, bool)
        hours = float(span) if number else pd.Timedelta(span).total_seconds() / 3600.0
    except (ValueError, TypeError):
        hours = np.nan
    if not 0.0 < hours < np.inf:
        message = f'{where} is {span!r}, give a time such as "1h", "15min" or a number of hours'
        raise InputError(message)
    return hours
