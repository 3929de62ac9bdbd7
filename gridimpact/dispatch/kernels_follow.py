"""Compiled loop of cars that hold a preferred power and leave it, within their room, when their group asks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.connection import Connection, connection_shares
from gridimpact.dispatch.execute import battery_arrays, stay_arrays
from gridimpact.dispatch.kernels import (
    BatteryArrays,
    StayArrays,
    battery_step,
    charge_limit,
    discharge_limit,
    full_rate,
    mean_power,
    needed_before,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_presence import Presence, move_on, presence
from gridimpact.records import BoolArray, FloatArray, IntArray, PlanRequest

_ROOM = 1e-12
"""A room below this is none [kW]."""


class Wanted(NamedTuple):
    """What a group asks of its cars together, (time, group) [kW], zero or more."""

    less: FloatArray
    """Draw so much less than preferred, or feed."""
    more: FloatArray
    """Draw so much more than preferred."""
    least: FloatArray
    """Draw at least so much together."""


class Path(NamedTuple):
    """What the cars do."""

    p_kw: FloatArray
    """(time, vehicle)"""
    preferred_kw: FloatArray
    """(time, group) power of the planned cars where nothing is asked in this step."""
    low_kw: FloatArray
    """(time, group) least power of the step."""
    high_kw: FloatArray
    """(time, group)"""


class Bands(NamedTuple):
    """The room of each vehicle in one step, (vehicle,) [kW]."""

    low: FloatArray
    preferred: FloatArray
    high: FloatArray
    stored_kwh: FloatArray
    """Battery energy taken in on request and not given back in this stay."""
    stay: IntArray
    """Stay that `stored_kwh` belongs to."""


def follow_groups(
    request: PlanRequest, controlled: BoolArray, wanted: Wanted, *, give_back_only: bool
) -> Path:
    """Return what cars do that hold the average rate to their target and answer to their group.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    controlled : ndarray of bool
        (vehicle,) that answer; the others keep zero.
    wanted : Wanted
        What every group asks in every step.
    give_back_only : bool
        Discharge no more than was taken in on request in the same stay, and nothing below the target.

    Returns
    -------
    Path
        Each car stays between the reserve and full, where it can still reach its target, and within an
        equal share of its site's connection unless the target needs more. Its share
        of what is asked is its share of the group's room. A charger answers to the first of its groups.
    """
    shape = (request.timeline.count, request.group_member.shape[0])
    path = Path(np.zeros((shape[0], len(request.vehicle_id))), *(np.zeros(shape) for _ in range(3)))
    stays = stay_arrays(request)
    _follow(
        (presence(request.soc_initial, stays), _bands(len(request.vehicle_id))),
        np.array(controlled, dtype=np.bool_),
        request.timeline.dt_h,
        stays,
        battery_arrays(request),
        (first_group(request), give_back_only, connection_shares(request, controlled)),
        Wanted(*(np.array(part, dtype=np.float64) for part in wanted)),
        path,
    )
    return path


def first_group(request: PlanRequest) -> IntArray:
    """Return the first group of the charger of every stay, -1 where it is in none."""
    member = np.asarray(request.group_member, dtype=np.bool_)
    if not member.shape[0]:
        return np.full(request.stays.vehicle.size, -1, dtype=np.int64)
    group = np.where(member.any(axis=0), member.argmax(axis=0), -1).astype(np.int64)
    return np.ascontiguousarray(group[request.stays.charger])


def _bands(count: int) -> Bands:
    """Return empty rooms."""
    low, preferred, high, stored = (np.zeros(count) for _ in range(4))
    return Bands(low, preferred, high, stored, np.full(count, -1, dtype=np.int64))


@compiled
def _room(
    i: int,
    t: int,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    here: Presence,
    give_back: bool,
    around: Connection,
) -> tuple[float, float, float]:
    """Return least, preferred and highest power of stay `i` in step `t` [kW]."""
    v = s.vehicle[i]
    soc, target = here.soc[v], min(s.soc_target[i], b.soc_max[v])
    high = charge_limit(soc, dt_h, s.p_charge_kw[i], b.soc_max[v], v, b)
    floor = max(s.soc_reserve[i], b.soc_min[v])
    if give_back:
        floor = max(floor, target)
    low = -discharge_limit(soc, dt_h, s.p_discharge_kw[i], floor, v, b)
    low = max(low, -around.spare_kw[t, around.site[i]])
    left = (s.end[i] - 1 - t) * dt_h
    rate = full_rate(s.p_charge_kw[i], v, b)
    need = needed_before(target, left, rate, b.soc_knee[v], b.taper_fraction[v])
    low = min(max(low, mean_power(soc, need, dt_h, v, b)), high)
    # The target goes before the main fuse.
    high = max(min(high, around.room_kw[t, around.site[i]]), low)
    preferred = mean_power(soc, target, left + dt_h, v, b) if target > soc else 0.0
    return low, min(max(preferred, low), high), high


@compiled
def _share(asked: float, room: float) -> float:
    """Return the share of a room that is asked for, 0..1."""
    return min(asked / room, 1.0) if room > _ROOM else 0.0


@compiled
def _follow(
    state: tuple[Presence, Bands],
    controlled: NDArray[np.bool_],
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    rule: tuple[IntArray, bool, Connection],
    wanted: Wanted,
    path: Path,
) -> None:
    """Write the path step by step."""
    here, bands = state
    for t in range(path.p_kw.shape[0]):
        move_on(t, s, b, here)
        for v in range(controlled.size):
            i = here.current[v]
            if i < 0 or not controlled[v]:
                continue
            low, preferred, high = _room(i, t, dt_h, s, b, here, rule[1], rule[2])
            if bands.stay[v] != i:
                bands.stay[v], bands.stored_kwh[v] = i, 0.0
            if rule[1]:
                low = max(low, min(-bands.stored_kwh[v] * b.eta_discharge[v] / dt_h, preferred))
            bands.low[v], bands.preferred[v], bands.high[v] = low, preferred, high
            if rule[0][i] >= 0:
                path.low_kw[t, rule[0][i]] += low
                path.preferred_kw[t, rule[0][i]] += preferred
                path.high_kw[t, rule[0][i]] += high
        for v in range(controlled.size):
            i = here.current[v]
            if i < 0 or not controlled[v]:
                continue
            power = _answer(t, v, rule[0][i], wanted, bands, path)
            if 0.0 < power <= b.idle_kw[v]:
                power = 0.0
            before = here.soc[v]
            here.soc[v] = battery_step(before, power, dt_h, v, b)
            if power > bands.preferred[v]:
                eta = b.eta_charge[v]
                bands.stored_kwh[v] += (power - max(bands.preferred[v], 0.0)) * eta * dt_h
            elif power < 0.0:
                gone = (before - here.soc[v]) * b.capacity_kwh[v]
                bands.stored_kwh[v] = max(bands.stored_kwh[v] - gone, 0.0)
            path.p_kw[t, v] = power


@compiled
def _answer(t: int, v: int, g: int, wanted: Wanted, bands: Bands, path: Path) -> float:
    """Return the power of vehicle `v` of group `g` in step `t` [kW]."""
    preferred = bands.preferred[v]
    if g < 0:
        return float(preferred)
    together = path.preferred_kw[t, g]
    more = max(wanted.more[t, g], wanted.least[t, g] - together)
    if more > 0.0:
        share = _share(more, path.high_kw[t, g] - together)
        return float(preferred + share * (bands.high[v] - preferred))
    share = _share(wanted.less[t, g], together - path.low_kw[t, g])
    return float(preferred + share * (bands.low[v] - preferred))


@compiled
def ramped(signal: FloatArray, step_kw: FloatArray) -> FloatArray:
    """Return a signal (time, group) that changes by at most `step_kw` (group,) from step to step, from 0."""
    out = np.empty_like(signal)
    for g in range(signal.shape[1]):
        now = 0.0
        for t in range(signal.shape[0]):
            now = min(max(signal[t, g], now - step_kw[g]), now + step_kw[g])
            out[t, g] = now
    return out
