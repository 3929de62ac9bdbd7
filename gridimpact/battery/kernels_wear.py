"""Compiled sums over the days of a state of charge, one battery after the other."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def _day_stress(
    begin_soc: FloatArray, soc: FloatArray, steps: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, depth, way, charged way and charging steps of each day, all (day, vehicle).

    `begin_soc` and `soc` are (vehicle, time) at the begin and end of each step; between two steps the state
    may jump, as a trip is booked on arrival.
    """
    vehicles, count = soc.shape
    days = (count + steps - 1) // steps
    mean, depth = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    way, charged = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    charging = np.zeros((days, vehicles))
    for v in range(vehicles):
        for d in range(days):
            begin, end = d * steps, min((d + 1) * steps, count)
            before = soc[v, begin - 1] if begin > 0 else begin_soc[v, 0]
            low, high = before, before
            for t in range(begin, end):
                start, now = begin_soc[v, t], soc[v, t]
                mean[d, v] += 0.5 * (now + start)
                low, high = min(low, start, now), max(high, start, now)
                way[d, v] += abs(start - before) + abs(now - start)
                if now > start:
                    charged[d, v] += now - start
                    charging[d, v] += 1.0
                before = now
            mean[d, v] /= end - begin
            depth[d, v] = high - low
    return mean, depth, way, charged, charging


day_stress = njit(cache=True)(_day_stress)


def _table_means(
    begin_soc: FloatArray, soc: FloatArray, steps: int, table: FloatArray
) -> FloatArray:
    """Return the mean over each day of a function tabulated over equal steps of 0..1, (day, vehicle).

    `table` is (day, node), the states of charge (vehicle, time); the middle of each step counts.
    """
    vehicles, count = soc.shape
    days, nodes = table.shape
    found = np.zeros((days, vehicles))
    for v in range(vehicles):
        for d in range(days):
            begin, end = d * steps, min((d + 1) * steps, count)
            total = 0.0
            for t in range(begin, end):
                place = min(max(0.5 * (soc[v, t] + begin_soc[v, t]), 0.0), 1.0) * (nodes - 1)
                node = min(int(place), nodes - 2)
                share = place - node
                total += (1.0 - share) * table[d, node] + share * table[d, node + 1]
            found[d, v] = total / (end - begin)
    return found


table_means = njit(cache=True)(_table_means)
