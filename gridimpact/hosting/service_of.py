"""How well the cars of many scenarios are served, from their plans, without a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.battery.arrival import arrival_states
from gridimpact.hosting.readings import Service
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest


class Departures(NamedTuple):
    """The departures of one request that count, and what uncontrolled charging makes of them."""

    stay: IntArray
    """Positions of the stays whose last step is counted and that are not cut by the end."""
    asked_kwh: float
    """Battery energy from arrival to target, as cars arrive that always charge uncontrolled."""
    unmet_kwh: float
    """Missing under uncontrolled charging."""


def departures_of(request: PlanRequest, counted: BoolArray, uncontrolled: Dispatch) -> Departures:
    """Return the departures in counted time.

    Parameters
    ----------
    request : PlanRequest
        Of a segment.
    counted : ndarray of bool
        (time,)
    uncontrolled : Dispatch
        Of that request; tells how empty cars arrive.
    """
    stays = request.stays
    last = stays.end - 1
    inside = ~stays.cut & (last >= 0)
    inside[inside] = counted[last[inside]]
    stay = np.flatnonzero(inside)
    lack = np.maximum(stays.soc_target - arrival_states(request, uncontrolled), 0.0)[stay]
    asked = lack * request.batteries.capacity_kwh[stays.vehicle[stay]]
    return Departures(stay, float(asked.sum()), float(uncontrolled.unmet_kwh[stay].sum()))


class ServiceSums:
    """Sums over the segments of some scenarios.

    Parameters
    ----------
    scenarios : int
    tolerance : float
        A departure is below its target where more than this share of the capacity is missing [1].
    """

    def __init__(self, scenarios: int, tolerance: float) -> None:
        self._tolerance = tolerance
        self._unmet, self._extra, self._asked, self._charged, self._fed = np.zeros((5, scenarios))
        self._below, self._count = np.zeros((2, scenarios), dtype=np.int64)
        self._cars = np.zeros(scenarios, dtype=np.bool_)

    def take(
        self,
        scenario: int,
        request: PlanRequest,
        dispatch: Dispatch,
        counted: BoolArray,
        departures: Departures,
    ) -> None:
        """Take in one segment of one scenario."""
        stay = departures.stay
        unmet = dispatch.unmet_kwh[stay]
        capacity = request.batteries.capacity_kwh[request.stays.vehicle[stay]]
        self._cars[scenario] |= len(request.vehicle_id) > 0
        self._unmet[scenario] += unmet.sum()
        self._extra[scenario] += unmet.sum() - departures.unmet_kwh
        self._asked[scenario] += departures.asked_kwh
        self._below[scenario] += np.count_nonzero(unmet > self._tolerance * capacity)
        self._count[scenario] += len(stay)
        for total, kwh in (
            (self._charged, _drawn(dispatch, 1.0)),
            (self._fed, _drawn(dispatch, -1.0)),
        ):
            total[scenario] += kwh[counted].sum() * request.timeline.dt_h
        if dispatch.cycled_kwh is not None:
            inside = dispatch.cycled_kwh[counted].sum()
            self._charged[scenario] += inside
            self._fed[scenario] += inside

    def service(self) -> Service:
        """Return the figures; NaN where there are no cars, and of departures where there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            extra = 100.0 * np.maximum(self._extra, 0.0) / self._asked
            below = 100.0 * self._below / self._count
        extra = np.where(self._asked > 0.0, extra, np.where(self._count > 0, 0.0, np.nan))
        known = [self._unmet, extra, below, self._charged, self._fed]
        return Service(*(np.where(self._cars, values, np.nan) for values in known))


def _drawn(dispatch: Dispatch, sign: float) -> FloatArray:
    """Return what all cars together draw (1) or feed (-1) at each step, (time,) [kW], a magnitude."""
    return np.asarray(np.maximum(sign * dispatch.p_kw, 0.0).sum(axis=1))
