"""Who is plugged in now: departures and arrivals of one step, batteries brought up to date."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.kernels import BatteryArrays, FloatArray, IntArray, StayArrays, arrival_soc
from gridimpact.dispatch.kernels_graph import compiled


class Presence(NamedTuple):
    """Where each vehicle is, (vehicle,), moved on in place."""

    soc: FloatArray
    current: IntArray
    """Stay it is in, -1 while away."""
    following: IntArray
    """Its next stay among all, or one of another vehicle where there is none."""


def presence(soc_initial: FloatArray, stays: StayArrays) -> Presence:
    """Return the vehicles before the first step, all away."""
    count = np.size(soc_initial)
    following = np.searchsorted(stays.vehicle, np.arange(count))
    return Presence(
        np.array(soc_initial, dtype=np.float64),
        np.full(count, -1, dtype=np.int64),
        following.astype(np.int64),
    )


@compiled
def move_on(t: int, s: StayArrays, b: BatteryArrays, here: Presence) -> None:
    """Book the departures and arrivals of step `t`."""
    for v in range(here.soc.size):
        while here.following[v] < s.vehicle.size and s.vehicle[here.following[v]] == v:
            i = here.following[v]
            if s.start[i] > t:
                break
            here.soc[v], _ = arrival_soc(here.soc[v], i, s, b)
            here.current[v] = i
            here.following[v] += 1
        if here.current[v] >= 0 and s.end[here.current[v]] <= t:
            here.current[v] = -1
