"""Filling valleys: one charge poured over a landscape, or many together to the joint optimum.

Joint means the least sum of squares over groups and steps; stays are poured in turn until none gains.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Pours(NamedTuple):
    """The stays to fill, (stay,), and their steps one stay after the other, (cell,)."""

    start: IntArray
    end: IntArray
    energy: FloatArray
    """Sum of power over the steps to reach [kW], energy over step length."""
    offset: IntArray
    """First cell of each stay."""
    first_group: IntArray
    """(stay,) place in `groups` where the groups of the stay begin."""
    group_count: IntArray
    """(stay,) how many groups it counts in."""
    groups: IntArray
    site: IntArray
    """(stay,) row of the fuse headroom, -1 without a limit."""
    cap: FloatArray
    """(cell,) highest power [kW]."""


def _poured(level: float, base: Any, cap: Any) -> tuple[float, int]:
    """Return what lies below `level`, and how many steps would still rise with it."""
    total, rising = 0.0, 0
    for k in range(base.size):
        depth = level - base[k]
        if depth >= cap[k]:
            total += cap[k]
        elif depth > 0.0:
            total += depth
            rising += 1
    return total, rising


poured = njit(cache=True)(_poured)


def _pour(base: Any, cap: Any, energy: float, power: Any) -> float:
    """Fill `power` with ``clip(level - base, 0, cap)`` that sums to `energy`; return the level."""
    low, high, room = np.inf, -np.inf, 0.0
    for k in range(base.size):
        room += cap[k]
        if cap[k] > 0.0:
            low = min(low, base[k])
            high = max(high, base[k] + cap[k])
    if room <= 0.0:
        power.fill(0.0)
        return 0.0
    if energy >= room or energy <= 0.0:
        for k in range(base.size):
            power[k] = cap[k] if energy > 0.0 else 0.0
        return high if energy > 0.0 else low
    level = low + (high - low) * energy / room
    for _ in range(200):
        total, rising = poured(level, base, cap)
        gap = energy - total
        if gap == 0.0:
            break
        low, high = (level, high) if gap > 0.0 else (low, level)
        # Newton is exact on its linear piece; on a bound already tried it would go round in circles.
        step = level + gap / rising if rising > 0 else low
        if not low < step < high:
            step = 0.5 * (low + high)
        if abs(step - level) <= 1e-15 * max(1.0, abs(level)):
            break
        level = step
    for k in range(base.size):
        power[k] = min(max(level - base[k], 0.0), cap[k])
    return level


pour = njit(cache=True)(_pour)


def water_fill(
    base_kw: ArrayLike, cap_kw: ArrayLike, energy_kwh: float, dt_h: float = 1.0
) -> tuple[FloatArray, float]:
    """Pour energy over a landscape of demand so that the filled steps end at one level.

    Parameters
    ----------
    base_kw : array_like
        (time,) demand below [kW].
    cap_kw : array_like
        (time,) or scalar, highest power of each step [kW]; may be infinite.
    energy_kwh : float
        Energy to place [kWh]; more than the caps allow fills them all.
    dt_h : float
        Step [h].

    Returns
    -------
    tuple
        Power (time,) [kW] and the level [kW] up to which the steps are filled.

    Raises
    ------
    InputError
        If a value is not finite, a cap or the energy is negative.

    Notes
    -----
    ``sum clip(level - base, 0, cap) dt = energy`` has one solution between the lowest and the highest
    possible level; it minimises ``sum (base + power)**2``.

    Examples
    --------
    >>> power, level = water_fill([8, 7, 5, 4, 4, 5, 7, 9], np.inf, 12.0)
    >>> round(level, 6)
    7.333333
    """
    base = np.ascontiguousarray(base_kw, dtype=np.float64)
    cap = np.broadcast_to(np.asarray(cap_kw, dtype=np.float64), base.shape)
    if not (np.all(np.isfinite(base)) and np.all(cap >= 0.0) and energy_kwh >= 0.0 and dt_h > 0.0):
        message = (
            "water filling needs finite demand, caps and energy of zero or more, a positive step"
        )
        raise InputError(message)
    power = np.zeros_like(base)
    # A cap above all the energy never binds; infinity would spoil the sums.
    bounded = np.minimum(cap, 2.0 * energy_kwh / dt_h + 1.0)
    level = pour(base, np.ascontiguousarray(bounded), energy_kwh / dt_h, power)
    return power, float(level)


def _landscape(
    i: int, first: int, pours: Any, x: Any, total: Any, headroom: Any, land: Any
) -> float:
    """Write the demand below stay `i`, its caps and its present power; return the room in the caps."""
    base, cap, own = land
    members, site = pours.group_count[i], pours.site[i]
    cell = pours.offset[i] + first - pours.start[i]
    room = 0.0
    for k in range(base.size):
        own[k] = x[cell + k]
        base[k] = 0.0
        if members > 0:
            for g in range(members):
                base[k] += total[pours.groups[pours.first_group[i] + g], first + k]
            base[k] = base[k] / members - own[k]
        cap[k] = pours.cap[cell + k]
        if site >= 0:
            cap[k] = min(cap[k], max(headroom[site, first + k] + own[k], 0.0))
        room += cap[k]
    return room


landscape = njit(cache=True)(_landscape)


def _answer(need: float, room: float, full: Any, land: Any, power: Any) -> float:
    """Pour one stay over its landscape into `power`; return how far its present power was from it."""
    base, cap, own = land
    over = room < need
    if over:
        # The target goes before the fuse: what the fuse leaves open lies on top, within the charger.
        for k in range(base.size):
            base[k] += cap[k]
            own[k] -= cap[k]
            cap[k], power[k] = max(full[k] - cap[k], 0.0), cap[k]
        below = power.copy()
        level = pour(base, cap, need - room, power)
    else:
        below = np.zeros(base.size)
        level = pour(base, cap, need, power)
    off = 0.0
    for k in range(base.size):
        now = base[k] + own[k]
        off += own[k] * (now - level) + cap[k] * max(level - now, 0.0)
        power[k] += below[k]
    return abs(off)


answer = njit(cache=True)(_answer)


def _settle(i: int, first: int, pours: Any, x: Any, total: Any, headroom: Any, power: Any) -> None:
    """Put the new power of stay `i` into the plan, the groups and the fuse."""
    cell = pours.offset[i] + first - pours.start[i]
    for k in range(power.size):
        change = power[k] - x[cell + k]
        if change != 0.0:
            x[cell + k] = power[k]
            for g in range(pours.group_count[i]):
                total[pours.groups[pours.first_group[i] + g], first + k] += change
            if pours.site[i] >= 0:
                headroom[pours.site[i], first + k] -= change


settle = njit(cache=True)(_settle)


def _fill(
    active: Any, pours: Any, x: Any, total: Any, headroom: Any, span: Any, goal: float, most: int
) -> float:
    """Pour the active stays in turn until the relative gap is closed; return the gap.

    `x` (cell,), `total` (group, time) and `headroom` (site, time) are brought up to date in place.
    `span` holds the first step and the end of the horizon.
    """
    begin, last = span
    gap, square = 0.0, 1.0
    for _ in range(most):
        gap, square = 0.0, 1e-9
        for i in active:
            first = max(pours.start[i], begin)
            n = min(pours.end[i], last) - first
            cell = pours.offset[i] + first - pours.start[i]
            need = pours.energy[i]
            for k in range(pours.offset[i], cell):
                need -= x[k]
            land = (np.empty(n), np.empty(n), np.empty(n))
            power = np.empty(n)
            room = landscape(i, first, pours, x, total, headroom, land)
            off = answer(need, room, pours.cap[cell : cell + n], land, power)
            gap += 2.0 * max(pours.group_count[i], 1) * off
            settle(i, first, pours, x, total, headroom, power)
        for g in range(total.shape[0]):
            for t in range(begin, last):
                square += total[g, t] * total[g, t]
        if gap <= goal * square:
            break
    return gap / square


fill = njit(cache=True)(_fill)


def fill_rolling(
    pours: Pours,
    total: FloatArray,
    headroom: FloatArray,
    *,
    day: int,
    tolerance: float = 1e-9,
    sweeps: int = 5000,
) -> tuple[FloatArray, float]:
    """Pour all stays together, 48 hours seen and 24 hours kept at a time.

    Parameters
    ----------
    pours : Pours
        Stays with their need, caps, groups and site.
    total : ndarray
        (group, time) demand without these stays [kW]; the stays are added in place.
    headroom : ndarray
        (site, time) room under the main fuse [kW]; lowered in place.
    day : int
        Steps of 24 hours.
    tolerance : float
        Relative duality gap at which a window counts as solved.
    sweeps : int
        Most rounds through the stays of one window.

    Returns
    -------
    tuple
        Power per cell [kW] and the largest relative duality gap of a window.

    Notes
    -----
    A stay that begins inside the 48 hours is seen to its end, at most seven days ahead. The gap is the
    linear bound ``sum <gradient, x - y>`` over the best other plan ``y`` of each stay, over the objective.
    Cars that share a binding fuse keep it, but their order decides who uses it.
    """
    x, worst = np.zeros(pours.cap.size), 0.0
    for active, span in windows_of(pours, total.shape[1], day):
        gap = fill(active, pours, x, total, headroom, span, tolerance, sweeps)
        worst = max(worst, float(gap))
    return x, worst


def windows_of(pours: Pours, count: int, day: int) -> Iterator[tuple[IntArray, tuple[int, int]]]:
    """Yield the stays of each window of 48 hours and the window's first step and end."""
    for begin in range(0, count, day):
        until, last = begin + 2 * day, min(begin + 7 * day, count)
        seen = (pours.start < until) & (pours.end > begin) & (pours.energy > 0.0)
        yield np.flatnonzero(seen), (begin, last)
        if until >= count:
            return
