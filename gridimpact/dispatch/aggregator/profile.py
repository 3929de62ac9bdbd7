"""A fleet as a virtual power plant: power up and down and energy by block of the day, over many days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.battery.arrival import arrival_states
from gridimpact.battery.storage import soc_needed_before
from gridimpact.dispatch.aggregator.blocks import DAY_H, DAY_KINDS, Blocks
from gridimpact.dispatch.aggregator.kernels_offer import block_power
from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import (
    battery_arrays,
    power_by_group,
    power_by_site,
    stay_arrays,
)
from gridimpact.dispatch.strategy import Strategy
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest

__all__ = ["FleetProfile", "offered", "profile"]


@dataclass(frozen=True)
class FleetProfile:
    """What a fleet could offer on each of many days, arrays over (day, block of the day).

    A day is a local day of one scenario, or a draw of a portfolio. Up is power that the grid gets: less
    charging, or feeding; down is power that the cars take. Both can be kept for the whole block.
    """

    block_h: float
    cars: int
    quantiles: tuple[float, ...]
    up_kw: FloatArray
    down_kw: FloatArray
    energy_kwh: FloatArray
    """Battery energy above floors and needs in the cars plugged in at the block's begin."""
    room_kwh: FloatArray
    """Battery energy that still fits into them."""
    plugged: FloatArray
    """Least share of the cars that is plugged in during the block."""
    group_id: tuple[str, ...]
    group_up_kw: FloatArray
    """(group, day, block), as `up_kw` for the cars at the group's chargers."""
    group_down_kw: FloatArray
    export_room_kw: FloatArray
    """(group, day, block) least power by which the group's load may fall until its export limit."""
    import_room_kw: FloatArray
    """(group, day, block) least power by which the group's load may rise until its import limit."""

    @property
    def days(self) -> int:
        """Number of days or draws."""
        return len(self.up_kw)

    @property
    def hours(self) -> FloatArray:
        """Local hour at which each block begins, (block,)."""
        return np.asarray(np.arange(self.up_kw.shape[1]) * self.block_h, dtype=np.float64)

    @property
    def table(self) -> pd.DataFrame:
        """Quantiles by block, one row each: ``up_kw_p10 ... plugged_p90`` for the quantiles asked for.

        The quantile at q is found at place ``q (days + 1)`` of the sorted days, no further than the
        extreme days reach.
        """
        columns: dict[str, FloatArray] = {"hour": self.hours}
        for name in ("up_kw", "down_kw", "energy_kwh", "room_kwh", "plugged"):
            values = np.quantile(getattr(self, name), self.quantiles, axis=0, method="weibull")
            for q, row in zip(self.quantiles, values, strict=True):
                columns[f"{name}_p{100 * q:g}"] = row
        return pd.DataFrame(columns)


def profile(
    requests: PlanRequest | Iterable[PlanRequest],
    *,
    block_h: float = 1.0,
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9),
    baseline: Strategy | None = None,
    enrolled: float = 1.0,
    days: str = "all",
) -> FleetProfile:
    """Return what a fleet can offer by block of the day, every whole local day of every scenario a sample.

    Parameters
    ----------
    requests : PlanRequest or iterable of PlanRequest
        Scenarios of the same fleet; each may last many days.
    block_h : float
        Length of a block [h], a divisor of 24; what is offered is kept for all of it.
    quantiles : tuple of float
        Of the table, 0..1.
    baseline : Strategy, optional
        What the cars do without a call; uncontrolled charging by default.
    enrolled : float
        Share of cars that take part.
    days : str
        "all", "weekdays" or "weekends".

    Returns
    -------
    FleetProfile
        Power [kW] and energy [kWh] by day and block.

    Raises
    ------
    InputError
        If no whole local day is left, the block does not divide a day or the step, or the scenarios
        hold different fleets.

    Notes
    -----
    Availability comes from the stays: a car counts only while it is plugged in. In its part of a block a
    car offers the constant change of its plan that its battery and charger keep to the end of that part,
    with its floor kept and its target still in reach, and within its share of the main fuse's room;
    what the fleet offers in a block is its least sum of a step. Blocks are offered one at a time: a call
    in one block lowers what the next can give.
    """
    given = [requests] if isinstance(requests, PlanRequest) else list(requests)
    _check(given, block_h, days)
    parts = [_samples(request, block_h, baseline, enrolled, days) for request in given]
    joined = {name: np.concatenate([part[name] for part in parts], axis=-2) for name in parts[0]}
    if not joined["up_kw"].shape[0]:
        message = f"the requests hold no whole local day of the kind {days!r}; give longer ones"
        raise InputError(message)
    return FleetProfile(
        block_h=block_h,
        cars=int(enrolled_vehicles(given[0], enrolled).sum()),
        quantiles=tuple(quantiles),
        group_id=given[0].group_id,
        **joined,
    )


def _samples(
    request: PlanRequest, block_h: float, baseline: Strategy | None, enrolled: float, days: str
) -> dict[str, FloatArray]:
    """Return the arrays of a profile for the whole days of one request."""
    own = enrolled_vehicles(request, enrolled)
    plan = (Uncontrolled() if baseline is None else baseline).plan(request)
    cut = Blocks(request.timeline, block_h, days)
    up, down = offered(request, plan, own, cut.numbers)
    energy, room, plugged = _stored(request, plan, own)
    load = request.background_kw + power_by_group(request, plan.p_kw)
    return {
        "up_kw": cut.least(up.sum(axis=1)),
        "down_kw": cut.least(down.sum(axis=1)),
        "energy_kwh": cut.first(energy),
        "room_kwh": cut.first(room),
        "plugged": cut.least(plugged / max(int(own.sum()), 1)),
        "group_up_kw": cut.by_group(power_by_group(request, up)),
        "group_down_kw": cut.by_group(power_by_group(request, down)),
        "export_room_kw": cut.by_group(request.export_limit_kw + load),
        "import_room_kw": cut.by_group(request.import_limit_kw - load),
    }


def offered(
    request: PlanRequest, plan: Dispatch, own: BoolArray, block: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return by how much each car can lower and raise its draw throughout its part of each block.

    Parameters
    ----------
    request : PlanRequest
        Stays, batteries and main fuses.
    plan : Dispatch
        What the cars do otherwise.
    own : ndarray of bool
        (vehicle,) cars of the fleet.
    block : ndarray of int
        (time,) number of the block of each step.

    Returns
    -------
    tuple
        Power off and power on [kW], (time, vehicle), magnitudes; zero while away.
    """
    found = (np.zeros_like(plan.p_kw), np.zeros_like(plan.p_kw))
    room, spare = _fuse_room(request, plan, own)
    block_power(
        (arrival_states(request, plan), np.ascontiguousarray(plan.soc)),
        own,
        block,
        request.timeline.dt_h,
        stay_arrays(request),
        battery_arrays(request),
        (np.ascontiguousarray(plan.p_kw), room, spare),
        found,
    )
    return found


def _fuse_room(
    request: PlanRequest, plan: Dispatch, own: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return how much each car may draw and feed under its main fuse, shared equally, (time, vehicle)."""
    shape = plan.p_kw.shape
    place = np.zeros(shape, dtype=np.int64)
    here = np.zeros(shape, dtype=np.bool_)
    stays = request.stays
    for k in np.flatnonzero(own[stays.vehicle]):
        window = (slice(stays.start[k], stays.end[k]), stays.vehicle[k])
        place[window], here[window] = stays.site[k], True
    rest = np.where(own[None, :], 0.0, plan.p_kw)
    net = request.site_load_kw + request.site_pv_kw + power_by_site(request, rest)
    busy = np.maximum(power_by_site(request, here.astype(np.float64)), 1.0)
    steps = np.arange(shape[0])[:, None]
    room = (request.site_import_limit_kw[None, :] - net) / busy
    spare = (request.site_export_limit_kw[None, :] + net) / busy
    return np.ascontiguousarray(room[steps, place]), np.ascontiguousarray(spare[steps, place])


def _stored(
    request: PlanRequest, plan: Dispatch, own: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return energy above floors and needs, energy that still fits, and cars plugged in, (time,)."""
    stays, held, dt_h = request.stays, request.batteries, request.timeline.dt_h
    count = np.where(own[stays.vehicle], stays.end - stays.start, 0)
    k = np.repeat(np.arange(count.size), count)
    v = stays.vehicle[k]
    passed = np.arange(k.size) - np.repeat(np.cumsum(count) - count, count)
    t = stays.start[k] + passed
    soc = np.where(passed > 0, plan.soc[t - 1, v], arrival_states(request, plan)[k])
    need = soc_needed_before(
        np.minimum(stays.soc_target[k], held.soc_max[v]),
        (stays.end[k] - t) * dt_h,
        np.maximum(stays.p_charge_kw[k] - held.idle_kw[v], 0.0),
        held.capacity_kwh[v],
        held.eta_charge[v],
        held.soc_knee[v],
        held.taper_fraction[v],
    )
    floor = np.maximum(np.maximum(stays.soc_reserve[k], held.soc_min[v]), need)
    steps = plan.p_kw.shape[0]
    above = np.where(stays.p_discharge_kw[k] > 0.0, np.maximum(soc - floor, 0.0), 0.0)
    below = np.maximum(held.soc_max[v] - soc, 0.0)
    capacity = held.capacity_kwh[v]
    sums = [
        np.bincount(t, weights=part, minlength=steps).astype(np.float64)
        for part in (above * capacity, below * capacity, np.ones(t.size))
    ]
    return sums[0], sums[1], sums[2]


def _check(given: list[PlanRequest], block_h: float, days: str) -> None:
    """Refuse scenarios and blocks that do not fit."""
    if days not in DAY_KINDS:
        message = f"days {days!r} is unknown; use one of {', '.join(DAY_KINDS)}"
        raise InputError(message)
    if not given:
        message = "a profile needs at least one request"
        raise InputError(message)
    if any(set(r.vehicle_id) != set(given[0].vehicle_id) for r in given[1:]):
        message = (
            "the requests hold different fleets; a profile is of one, `portfolio` joins several"
        )
        raise InputError(message)
    if any(r.group_id != given[0].group_id for r in given[1:]):
        message = "the requests hold different groups; give scenarios of the same feeders"
        raise InputError(message)
    step_h = given[0].timeline.dt_h
    if not block_h >= step_h or abs(DAY_H / block_h - round(DAY_H / block_h)) > 1e-9:
        message = f"block_h is {block_h}, must divide 24 hours and be no shorter than a step of {step_h:g} h"
        raise InputError(message)
