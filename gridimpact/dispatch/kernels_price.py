"""Compiled least-cost charging of one stay after the other, charging power that falls near full included.

Written in the state of charge s: a step of price c takes s to at most g(s), the concave map of full power.
The cost to come is convex in s, so the best step charges up to a level y of its own, as far as g allows,
where a little more energy is worth its price. The levels are found backward; what a little more energy
is worth after the step follows from the levels of the later steps.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels import (
    BatteryArrays,
    FloatArray,
    IntArray,
    StayArrays,
    battery_step,
    charge_gain,
    charge_limit,
    full_rate,
)
from gridimpact.dispatch.kernels_graph import compiled

_TIE = 1e-12
_HALVINGS = 40
_REACHED = 1e-10


class News(NamedTuple):
    """When prices become known."""

    known: IntArray
    """(time,) first step whose price is not yet known at the begin of the step."""
    following: IntArray
    """(time,) next step at whose begin more is known."""


class Car(NamedTuple):
    """What one stay may do, in states of charge."""

    rate: float
    """Full power over capacity [1/h]."""
    knee: float
    fraction: float
    dt_h: float
    per_kw: float
    """Gain of one kW over a step."""
    idle_kw: float


@compiled
def _reach(soc: float, cap_kw: float, car: Car) -> tuple[float, float]:
    """Return the state after a step of all the power there is, and how it changes with the state before."""
    gain = charge_gain(soc, car.dt_h, car.rate, car.knee, car.fraction, 2.0)
    bound = max(cap_kw - car.idle_kw, 0.0) * car.per_kw
    if bound < gain:
        return soc + bound, 1.0
    after = soc + gain
    if car.knee >= 1.0:
        return after, 1.0
    slope = (1.0 - car.fraction) / (1.0 - car.knee)
    before = 1.0 - slope * (max(soc, car.knee) - car.knee)
    if before <= 0.0:
        return after, 1.0
    return after, (1.0 - slope * (max(after, car.knee) - car.knee)) / before


@compiled
def _worth(
    soc: float, first: int, price: FloatArray, cap: FloatArray, level: FloatArray, car: Car
) -> float:
    """Return what a little more energy is worth before step `first` [price]; the last level is the goal."""
    worth, part = 0.0, 1.0
    last = price.size
    for t in range(first, last):
        if soc >= level[t]:
            continue
        after, change = _reach(soc, cap[t], car)
        if after >= level[t]:
            return float(worth + part * price[t])
        worth += part * price[t] * (1.0 - change)
        part *= change
        soc = after
    if soc < level[last] - _REACHED and part > 0.0:
        return math.inf
    return worth


@compiled
def plan_stay(
    soc: float, goal: float, price: FloatArray, cap: FloatArray, car: Car, level: FloatArray
) -> None:
    """Fill `level` (step + 1,) with the states of charge up to which each step charges."""
    steps = price.size
    level[steps] = goal
    for t in range(steps - 1, -1, -1):
        if _worth(soc, t + 1, price, cap, level, car) < price[t] - _TIE:
            level[t] = soc
            continue
        low, high = soc, goal
        if _worth(goal - _REACHED, t + 1, price, cap, level, car) >= price[t] - _TIE:
            low = goal
        for _ in range(_HALVINGS):
            if high - low <= _REACHED:
                break
            middle = 0.5 * (low + high)
            if _worth(middle, t + 1, price, cap, level, car) >= price[t] - _TIE:
                low = middle
            else:
                high = middle
        level[t] = high


@compiled
def _plain(
    soc: float, goal: float, price: FloatArray, cap: FloatArray, car: Car, drawn: FloatArray
) -> None:
    """Draw in the cheapest steps, ties to the earlier, while power does not fall near full."""
    need = goal - soc
    for k in np.argsort(price, kind="mergesort"):
        gain = min(max(cap[k] - car.idle_kw, 0.0) * car.per_kw, need)
        if gain <= 0.0:
            continue
        drawn[k] = gain / car.per_kw + car.idle_kw
        need -= gain
        if need <= _REACHED:
            return


@compiled
def _span(
    ends: tuple[float, float],
    i: int,
    price: FloatArray,
    cap: FloatArray,
    car: Car,
    s: StayArrays,
    b: BatteryArrays,
    drawn: FloatArray,
) -> None:
    """Write the least-cost power of one span of a stay whose prices are known, between two states of charge."""
    soc, goal = ends
    goal = min(
        goal, soc + charge_gain(soc, car.dt_h * price.size, car.rate, car.knee, car.fraction, 2.0)
    )
    if goal <= soc + _REACHED:
        return
    if goal <= car.knee or car.fraction >= 1.0:
        _plain(soc, goal, price, cap, car, drawn)
        return
    v = s.vehicle[i]
    level = np.empty(price.size + 1)
    plan_stay(soc, goal, price, cap, car, level)
    for t in range(price.size):
        if soc < level[t]:
            limit = charge_limit(soc, car.dt_h, s.p_charge_kw[i], level[t], v, b)
            drawn[t] = min(limit, cap[t])
            soc = battery_step(soc, drawn[t], car.dt_h, v, b)


@compiled
def _lack(
    soc: float, goal: float, price: FloatArray, p_max: float, car: Car, drawn: FloatArray
) -> None:
    """Add what the fuse left open in the cheapest steps within the charger's power."""
    need = (goal - soc) / car.per_kw
    for k in np.argsort(price, kind="mergesort"):
        more = min(p_max - drawn[k], need)
        drawn[k] += max(more, 0.0)
        need -= max(more, 0.0)
        if need <= 0.0:
            return


@compiled
def cheapest(
    p_kw: FloatArray,
    served: tuple[FloatArray, FloatArray],
    market: tuple[FloatArray, IntArray, IntArray],
    headroom: FloatArray,
    news: News,
    s: StayArrays,
    b: BatteryArrays,
    dt_h: float,
) -> None:
    """Fill `p_kw` (time, vehicle) stay by stay; `headroom` (site, time) is used up in that order.

    `served` are the states of charge at arrival and at departure, `market` prices (tariff, time)
    and the tariff and site of each stay. A stay plans with the prices known, to be ready by their end, and
    again when more are known.
    """
    prices, tariff, site = market
    for i in range(s.vehicle.size):
        v, first, end = s.vehicle[i], s.start[i], s.end[i]
        soc, goal = served[0][i], served[1][i]
        rate = full_rate(s.p_charge_kw[i], v, b)
        if goal <= soc + _REACHED or rate <= 0.0:
            continue
        per_kw = b.eta_charge[v] * dt_h / b.capacity_kwh[v]
        car = Car(rate, b.soc_knee[v], b.taper_fraction[v], dt_h, per_kw, b.idle_kw[v])
        drawn, cap = np.zeros(end - first), np.empty(end - first)
        for t in range(first, end):
            cap[t - first] = min(s.p_charge_kw[i], max(headroom[site[i], t], 0.0))
        t = first
        while t < end:
            known = min(news.known[t], end)
            stop = min(news.following[t], end) if known < end else end
            part = np.zeros(known - t)
            _span(
                (soc, goal),
                i,
                prices[tariff[i], t:known],
                cap[t - first : known - first],
                car,
                s,
                b,
                part,
            )
            for k in range(t, stop):
                drawn[k - first] = part[k - t]
                soc = battery_step(soc, part[k - t], dt_h, v, b)
            t = stop
        if soc < goal - 10.0 * _REACHED:
            _lack(soc, goal, prices[tariff[i], first:end], s.p_charge_kw[i], car, drawn)
        for k in range(first, end):
            p_kw[k, v] = drawn[k - first]
            headroom[site[i], k] -= drawn[k - first]
