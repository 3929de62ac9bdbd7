"""Compiled rule of a controller that keeps meters below a cap, looking at nothing but the present."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    BoolArray,
    FloatArray,
    IntArray,
    Rules,
    StayArrays,
    battery_step,
    full_rate,
    needed_before,
    within_limits,
)
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.dispatch.kernels_presence import Presence, move_on

_CLOSE = 1e-9
"""States of charge closer than this are the same."""


class Meters(NamedTuple):
    """What each meter shows beside the controlled cars, (time, site)."""

    net_kw: FloatArray
    """Load, generation and other cars."""
    own_kw: FloatArray
    """Most that the cars may feed together: the site's load less its generation."""
    cap_kw: FloatArray
    fuse_kw: FloatArray
    """(site,)"""
    month: IntArray
    """(time,)"""
    refill_share: float
    """Share of its charging power at which a car counts on being charged again."""


class Reach(NamedTuple):
    """What the cars at one meter can do in one step, (car,)."""

    stay: IntArray
    need: FloatArray
    """State of charge at the step's end that the target asks for."""
    least: FloatArray
    """Lowest power [kW], negative where it may feed."""
    held: FloatArray
    """Power when nothing is asked: zero, or what the target needs now."""
    most: FloatArray
    slack: FloatArray
    """Energy above what is needed [kWh]."""


@compiled
def _room(
    t: int,
    cars: IntArray,
    here: Presence,
    timing: tuple[float, float],
    s: StayArrays,
    b: BatteryArrays,
    r: Rules,
) -> Reach:
    """Return what the cars can do in step `t`; `timing` is the step [h] and the share of refilling.

    A car that is ahead of refilling at that share stays ahead of it; one that is not feeds nothing and is
    held back as long as full power still reaches its target.
    """
    dt_h, share = timing
    n = cars.size
    room = Reach(
        np.empty(n, dtype=np.int64), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    )
    for k in range(n):
        v = cars[k]
        i, soc = here.current[v], here.soc[v]
        target = min(s.soc_target[i], b.soc_max[v])
        rate = full_rate(s.p_charge_kw[i], v, b)
        left = (s.end[i] - 1 - t) * dt_h
        knee, fraction = b.soc_knee[v], b.taper_fraction[v]
        ahead = soc >= needed_before(target, left + dt_h, share * rate, knee, fraction) - _CLOSE
        need = needed_before(target, left, share * rate if ahead else rate, knee, fraction)
        room.stay[k], room.need[k] = i, need
        room.held[k] = within_limits(0.0, soc, need, i, dt_h, s, b, r)
        room.least[k] = room.held[k]
        if ahead:
            room.least[k] = within_limits(-s.p_discharge_kw[i], soc, need, i, dt_h, s, b, r)
        room.most[k] = within_limits(s.p_charge_kw[i], soc, need, i, dt_h, s, b, r)
        room.slack[k] = (soc - max(need, 0.0)) * b.capacity_kwh[v]
    return room


@compiled
def _share(total_kw: float, cap_kw: float, own_kw: float, room: Reach, power: FloatArray) -> None:
    """Move the cars' power from what they hold so that the meter comes to its cap, as far as they can."""
    order = np.argsort(room.slack, kind="mergesort")
    over = total_kw - cap_kw
    if over > 0.0:
        fed = np.sum(np.maximum(-power, 0.0))
        for place in range(order.size - 1, -1, -1):
            # The car with the most to spare feeds first.
            k = order[place]
            give = min(over, power[k] - room.least[k], max(power[k], 0.0) + max(own_kw - fed, 0.0))
            if give > 0.0:
                fed += max(give - max(power[k], 0.0), 0.0)
                power[k] -= give
                over -= give
    else:
        for place in range(order.size):
            # The car with the least to spare is charged first.
            k = order[place]
            take = min(-over, room.most[k] - power[k])
            if take > 0.0:
                power[k] += take
                over += take


@compiled
def keep_below(
    meters: Meters,
    controlled: BoolArray,
    so_far_kw: FloatArray,
    dt_h: float,
    s: StayArrays,
    b: BatteryArrays,
    here: Presence,
    site_of: IntArray,
) -> FloatArray:
    """Return the power of every car, (time, vehicle), under the rule; `so_far_kw` (site,) is moved on.

    A meter's cap is never below what the month has already drawn: that is paid.
    """
    steps, sites = meters.net_kw.shape
    rules = Rules(True, True, True)
    asked = np.zeros((steps, controlled.size))
    for t in range(steps):
        move_on(t, s, b, here)
        if t > 0 and meters.month[t] != meters.month[t - 1]:
            so_far_kw[:] = 0.0
        for site in range(sites):
            cars = np.empty(controlled.size, dtype=np.int64)
            n = 0
            for v in range(controlled.size):
                if controlled[v] and here.current[v] >= 0 and site_of[here.current[v]] == site:
                    cars[n] = v
                    n += 1
            draw = meters.net_kw[t, site]
            if n > 0:
                timing = (dt_h, meters.refill_share)
                room = _room(t, cars[:n], here, timing, s, b, rules)
                power = room.held.copy()
                cap = min(max(meters.cap_kw[t, site], so_far_kw[site]), meters.fuse_kw[site])
                _share(draw + power.sum(), cap, meters.own_kw[t, site], room, power)
                for k in range(n):
                    v, i = cars[k], room.stay[k]
                    soc = here.soc[v]
                    power[k] = within_limits(power[k], soc, room.need[k], i, dt_h, s, b, rules)
                    asked[t, v] = power[k]
                    here.soc[v] = battery_step(soc, power[k], dt_h, v, b)
                draw += power.sum()
            so_far_kw[site] = max(so_far_kw[site], draw)
    return asked
