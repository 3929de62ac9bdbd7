"""Cars of one home take their turn: each serves the load and takes the surplus the ones before it left."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gridimpact.dispatch.execute import execute, power_by_site
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest


class Rule(Protocol):
    """What a car asks for in the steps of its turn."""

    def __call__(self, time: IntArray, left_kw: FloatArray, room_kw: FloatArray) -> FloatArray:
        """Return power asked for [kW] by step, load (positive) or surplus (negative) left, and fuse room."""
        ...


def in_turns(
    request: PlanRequest,
    controlled: BoolArray,
    strategy: Strategy,
    rule: Rule,
    *,
    ceiling: str = "max",
) -> Dispatch:
    """Return the dispatch of cars that serve their home one after the other, in the order of their ids.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id; discharge ends at the reserve of the stay.
    controlled : ndarray of bool
        (vehicle,); the others charge uncontrolled.
    strategy : Strategy
        Gives the label.
    rule : Rule
        Power asked for in each step; a discharge above the load left is for the rule to avoid.
    ceiling : str
        "max" or "target", as in `gridimpact.dispatch.execute.execute`.
    """
    net = request.site_load_kw + request.site_pv_kw
    free = np.where(controlled[None, :], 0.0, uncontrolled_dispatch(request).p_kw)
    room = request.site_import_limit_kw[None, :] - net - power_by_site(request, free)
    site = site_of_step(request)
    turn = turns(site, controlled)
    left, name = net.copy(), label(strategy)
    asked = np.zeros((request.timeline.count, len(request.vehicle_id)))
    found = None
    for number in range(int(turn.max(initial=-1)) + 1):
        time, vehicle = np.nonzero(turn == number)
        place = site[time, vehicle]
        asked[time, vehicle] = rule(time, left[time, place], room[time, place])
        found = execute(request, asked, strategy=name, controlled=controlled, ceiling=ceiling)
        power = found.p_kw[time, vehicle]
        room[time, place] -= power
        # Only what a car took of the surplus or gave of the load is gone for the next one.
        surplus, load = np.maximum(-net[time, place], 0.0), np.maximum(net[time, place], 0.0)
        left[time, place] += np.clip(power, -load, surplus)
        left[time, place] = np.where(
            net[time, place] < 0.0,
            np.minimum(left[time, place], 0.0),
            np.maximum(left[time, place], 0.0),
        )
    # After the last turn nothing is asked that was not carried out.
    if found is None:
        found = execute(request, asked, strategy=name, controlled=controlled, ceiling=ceiling)
    return found


def site_of_step(request: PlanRequest) -> IntArray:
    """Return the site at which each vehicle is plugged in, (time, vehicle), -1 while away."""
    site = np.full((request.timeline.count, len(request.vehicle_id)), -1, dtype=np.int64)
    stays = request.stays
    for k in range(stays.vehicle.size):
        site[stays.start[k] : stays.end[k], stays.vehicle[k]] = stays.site[k]
    return site


def turns(site: IntArray, controlled: BoolArray) -> IntArray:
    """Return the turn of each controlled vehicle, (time, vehicle), -1 while away.

    One number for all of a vehicle's time, above those of earlier vehicles it ever meets at a site: when
    its turn comes, all that it depends on is settled.
    """
    turn = np.full(site.shape, -1, dtype=np.int64)
    taken = np.zeros((site.shape[0], int(site.max(initial=-1)) + 1), dtype=np.int64)
    steps = np.arange(site.shape[0])
    for v in np.flatnonzero(controlled):
        here = site[:, v] >= 0
        at = (steps[here], site[here, v])
        number = int(taken[at].max(initial=0))
        turn[here, v] = number
        taken[at] = number + 1
    return turn
