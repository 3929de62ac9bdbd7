"""Compiled sharing of one step's room between the cars of a queue: one after the other, or equally."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels import BoolArray, FloatArray, IntArray, StayArrays
from gridimpact.dispatch.kernels_graph import compiled

_SLACK_KW = 1e-10
"""Room below this counts as used up."""


class Room(NamedTuple):
    """What a queue shares: limits less everything that is not in the queue."""

    group: FloatArray
    """(group, time) [kW]"""
    site: FloatArray
    """(site, time) [kW]"""
    first_group: IntArray
    """(stay,) place in `groups` where the groups of the stay begin."""
    group_count: IntArray
    groups: IntArray
    site_of: IntArray
    """(stay,)"""


class Rule(NamedTuple):
    """How a queue shares its room."""

    order: int
    dt_h: float
    min_kw: float
    """Least power a charger can be set to; below it nothing is given."""
    step_kw: float
    """Distance of the powers a charger can be set to above `min_kw`; 0 is any power."""
    floor_kw: float
    """Power every car gets whatever the groups' room, under `EQUAL_SHARE`."""
    floor_site_kw: FloatArray
    """(site,) the same for all cars of a site together."""


class Line(NamedTuple):
    """The cars that wait at one step; the first `n` places count."""

    stay: IntArray
    want: FloatArray
    key: FloatArray
    got: FloatArray
    turn: FloatArray
    """(vehicle,) last step in which a car got power."""
    open: BoolArray
    per_group: IntArray
    per_site: IntArray
    floor_left: FloatArray
    """(site,)"""


@compiled
def new_line(vehicles: int, groups: int, sites: int) -> Line:
    """Return an empty line."""
    return Line(
        np.empty(vehicles, dtype=np.int64),
        np.empty(vehicles),
        np.empty(vehicles),
        np.zeros(vehicles),
        np.zeros(vehicles),
        np.zeros(vehicles, dtype=np.bool_),
        np.zeros(groups, dtype=np.int64),
        np.zeros(sites, dtype=np.int64),
        np.zeros(sites),
    )


@compiled
def _set_point(room: float, want: float, idle: float, rule: Rule) -> float:
    """Return the power a charger is set to within the room: a pilot step, and more than the loss at rest."""
    if room >= want:
        return want
    if room < rule.min_kw or room <= idle:
        return 0.0
    if rule.step_kw > 0.0:
        room = rule.min_kw + math.floor((room - rule.min_kw) / rule.step_kw + 1e-9) * rule.step_kw
    return room if room > idle else 0.0


@compiled
def _use(i: int, t: int, power: float, room: Room) -> None:
    """Take power off the room of a stay's site and groups; a negative power gives it back."""
    room.site[room.site_of[i], t] -= power
    for k in range(room.first_group[i], room.first_group[i] + room.group_count[i]):
        room.group[room.groups[k], t] -= power


@compiled
def in_turn(
    n: int, t: int, line: Line, room: Room, rule: Rule, s: StayArrays, idle: FloatArray
) -> None:
    """Give full power to one car after the other until the room is used up."""
    for j in range(n):
        i = line.stay[j]
        left = room.site[room.site_of[i], t]
        for k in range(room.first_group[i], room.first_group[i] + room.group_count[i]):
            left = min(left, room.group[room.groups[k], t])
        line.got[j] = _set_point(max(left, 0.0), line.want[j], idle[s.vehicle[i]], rule)
        if line.got[j] > 0.0:
            _use(i, t, line.got[j], room)


@compiled
def _count(n: int, line: Line, room: Room, add: int) -> None:
    """Count the open cars of every site and group, or take the count back with `add` -1."""
    for j in range(n):
        if line.open[j]:
            i = line.stay[j]
            line.per_site[room.site_of[i]] += add
            for k in range(room.first_group[i], room.first_group[i] + room.group_count[i]):
                line.per_group[room.groups[k]] += add


@compiled
def _rise(n: int, t: int, line: Line, room: Room, top: float, floor: bool) -> float:
    """Return how far all open cars can rise together; with `floor` only the sites' floors bound them."""
    rise = np.inf
    for j in range(n):
        if not line.open[j]:
            continue
        i = line.stay[j]
        site = room.site_of[i]
        rise = min(rise, min(line.want[j], top) - line.got[j])
        rise = min(rise, room.site[site, t] / line.per_site[site])
        if floor:
            rise = min(rise, line.floor_left[site] / line.per_site[site])
            continue
        for k in range(room.first_group[i], room.first_group[i] + room.group_count[i]):
            group = room.groups[k]
            rise = min(rise, room.group[group, t] / line.per_group[group])
    return max(rise, 0.0)


@compiled
def _full(j: int, t: int, line: Line, room: Room, top: float, floor: bool) -> bool:
    """Return whether a car has what it wants or meets a limit."""
    i = line.stay[j]
    site = room.site_of[i]
    left = min(min(line.want[j], top) - line.got[j], room.site[site, t])
    if floor:
        return bool(min(left, line.floor_left[site]) <= _SLACK_KW)
    for k in range(room.first_group[i], room.first_group[i] + room.group_count[i]):
        left = min(left, room.group[room.groups[k], t])
    return bool(left <= _SLACK_KW)


@compiled
def _fill(n: int, t: int, line: Line, room: Room, top: float, floor: bool) -> None:
    """Raise all cars equally, each until it has what it wants or meets a limit: max-min fair."""
    left = 0
    for j in range(n):
        line.open[j] = line.want[j] > line.got[j]
        left += line.open[j]
    while left > 0:
        _count(n, line, room, 1)
        rise = _rise(n, t, line, room, top, floor)
        _count(n, line, room, -1)
        for j in range(n):
            if line.open[j] and rise > 0.0:
                line.got[j] += rise
                _use(line.stay[j], t, rise, room)
                line.floor_left[room.site_of[line.stay[j]]] -= rise
        before = left
        for j in range(n):
            if line.open[j] and _full(j, t, line, room, top, floor):
                line.open[j] = False
                left -= 1
        if left == before:
            break


@compiled
def equally(
    n: int, t: int, line: Line, room: Room, rule: Rule, s: StayArrays, idle: FloatArray
) -> None:
    """Share equally above the floors; cars last in the order give way where a charger's least is missed."""
    while True:
        for j in range(n):
            line.got[j] = 0.0
        if rule.floor_kw > 0.0:
            for j in range(n):
                site = room.site_of[line.stay[j]]
                line.floor_left[site] = rule.floor_site_kw[site]
            _fill(n, t, line, room, rule.floor_kw, True)
        _fill(n, t, line, room, np.inf, False)
        short = -1
        for j in range(n):
            least = max(rule.min_kw, idle[s.vehicle[line.stay[j]]])
            if line.got[j] < min(line.want[j], least) - _SLACK_KW:
                short = j
        if short < 0:
            break
        for j in range(n):
            _use(line.stay[j], t, -line.got[j], room)
        line.want[short] = 0.0
    for j in range(n):
        line.got[j] = _set_point(line.got[j], line.want[j], idle[s.vehicle[line.stay[j]]], rule)
