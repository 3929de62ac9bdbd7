"""Load following: the fleet takes the demand's deviation from its hourly schedule, every few minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute, power_by_group
from gridimpact.dispatch.kernels_follow import Wanted, first_group, follow_groups, ramped
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.errors import InputError
from gridimpact.records import (
    BoolArray,
    Dispatch,
    FloatArray,
    Note,
    PlanRequest,
    ServiceFigure,
)

HOUR_S = 3600


@dataclass(frozen=True)
class LoadFollowing:
    """Follow the deviation of each group's demand from its hourly mean, interval by interval.

    The schedule is the mean of each clock hour, as a market settles it. In each interval the cars of a
    group draw less by the interval's mean of demand above schedule, or more by demand below it. Every
    car does so around a preferred operating point: the constant power that would take it to its target.
    Its band reaches from its full discharge, or the draw its target still needs, to full charging. What
    remains inside the intervals is left to regulation. The deviation sums to nothing over an hour, so
    that the fleet gives no energy but its losses, and the preferred power makes these up.

    Parameters
    ----------
    interval : str or float
        Length of an interval, such as "10min", or minutes; a part of an hour. Steps longer than that are
        intervals themselves.
    ramp_per_min : float
        Most change of the response in a minute, as a share of the charging and discharging power of the
        enrolled cars of the group.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    Cars keep an equal share of what their site's connection leaves, both ways, unless the target needs more.
    Knows the mean demand of the hour and of the interval in advance: an upper bound. The figures tell the
    root mean square of what is left of the deviation. In steps of an hour nothing deviates. Intervals of
    5 to 15 minutes are the usual ones; the ramp is an own choice, far above that of power plants.
    """

    interval: str | float = "10min"
    ramp_per_min: float = 0.2
    reserve_soc: float = 0.4
    enrolled: float = 0.3

    name: ClassVar[str] = "v2g_load_following"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="announced", base_load="perfect")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.reserve_soc, "reserve_soc")
        check_share(self.enrolled, "enrolled")
        if not self.ramp_per_min > 0.0:
            message = f"ramp_per_min is {self.ramp_per_min}, give a share above 0, such as 0.2"
            raise InputError(message)
        interval_s(self.interval)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the enrolled cars answer; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        request = with_reserve(request, self.reserve_soc)
        controlled = enrolled_vehicles(request, self.enrolled)
        free = uncontrolled_dispatch(request)
        others = np.where(controlled[None, :], 0.0, free.p_kw)
        off = deviation(request, request.background_kw + power_by_group(request, others))
        signal = self._signal(request, controlled, off)
        nothing = np.zeros_like(signal)
        wanted = Wanted(np.maximum(signal, 0.0), np.maximum(-signal, 0.0), nothing)
        path = follow_groups(request, controlled, wanted, give_back_only=False)
        found = execute(request, path.p_kw, strategy=label(self), controlled=controlled)
        mine = np.where(controlled[None, :], found.p_kw, 0.0)
        answer = path.preferred_kw - _by_first_group(request, mine)
        return replace(
            found,
            notes=self._notes(request),
            figures=_figures(off, answer, request.timeline.dt_h),
        )

    def _signal(self, request: PlanRequest, controlled: BoolArray, off: FloatArray) -> FloatArray:
        """Return the response asked of each group, (time, group) [kW]."""
        stays, group = request.stays, first_group(request)
        mine = controlled[stays.vehicle] & (group >= 0)
        power = np.zeros((len(request.vehicle_id), off.shape[1]))
        both = stays.p_charge_kw + stays.p_discharge_kw
        np.maximum.at(power, (stays.vehicle[mine], group[mine]), both[mine])
        width = power.sum(axis=0)
        minutes = request.timeline.step_s / 60.0
        mean = mean_over(off, request.timeline.times, interval_s(self.interval))
        return np.asarray(ramped(mean, self.ramp_per_min * minutes * width))

    def _notes(self, request: PlanRequest) -> tuple[Note, ...]:
        """Say where the steps are too long to follow anything."""
        step = request.timeline.step_s
        if step >= HOUR_S:
            text = "in steps of an hour or more no demand deviates from its hourly mean; take 15 minutes or less"
            return (Note("warning", self.name, text),)
        if step > interval_s(self.interval):
            text = f"each step of {step / 60:g} minutes is an interval; shorter ones do not show in the study"
            return (Note("note", self.name, text),)
        return ()


def interval_s(interval: str | float) -> int:
    """Return the seconds of an interval.

    Raises
    ------
    InputError
        If it cannot be read or is no part of an hour.

    Examples
    --------
    >>> interval_s("10min"), interval_s(15)
    (600, 900)
    """
    try:
        length = pd.Timedelta(interval) if isinstance(interval, str) else None
    except ValueError:
        length = pd.Timedelta(0)
    seconds = float(interval) * 60.0 if length is None else length.total_seconds()
    if not (0.0 < seconds <= HOUR_S and (HOUR_S / seconds).is_integer() and seconds.is_integer()):
        message = f'interval is {interval!r}, give a part of an hour such as "5min", "10min" or 15, in minutes'
        raise InputError(message)
    return int(seconds)


def mean_over(values: FloatArray, times: np.ndarray, length_s: int) -> FloatArray:
    """Return the mean over each interval of naive UTC time, on the steps of `values` (time, column)."""
    number = times.astype("datetime64[s]").astype(np.int64) // length_s
    _, place = np.unique(number, return_inverse=True)
    count = np.bincount(place)
    columns = [np.bincount(place, column) / count for column in values.T]
    return np.stack(columns, axis=1)[place] if columns else values


def deviation(request: PlanRequest, demand_kw: FloatArray) -> FloatArray:
    """Return demand above the mean of its clock hour, (time, group) [kW]."""
    return demand_kw - mean_over(demand_kw, request.timeline.times, HOUR_S)


def _by_first_group(request: PlanRequest, p_kw: FloatArray) -> FloatArray:
    """Return power per group, each charger counted in the first of its groups only."""
    member = np.asarray(request.group_member, dtype=np.bool_)
    first = member & (np.cumsum(member, axis=0) == 1)
    return power_by_group(replace(request, group_member=first), p_kw)


def _figures(off_kw: FloatArray, answer_kw: FloatArray, dt_h: float) -> tuple[ServiceFigure, ...]:
    """Return the deviation before and after, and the energy the fleet gave."""

    def rms(values: FloatArray) -> float:
        return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0

    service = "load_following"
    residue = "root mean square over steps and groups of demand less its hourly mean"
    return (
        ServiceFigure(service, "rmse_before_kw", rms(off_kw), residue),
        ServiceFigure(
            service, "rmse_after_kw", rms(off_kw - answer_kw), f"{residue} and the answer"
        ),
        ServiceFigure(
            service,
            "net_energy_kwh",
            float(answer_kw.sum() * dt_h),
            "drawn less than preferred, over the whole time; near zero is energy-neutral",
        ),
        ServiceFigure(
            service,
            "moved_energy_kwh",
            float(np.abs(answer_kw).sum() * dt_h),
            "energy moved either way",
        ),
    )
