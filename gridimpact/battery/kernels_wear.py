"""Compiled sums over the days of many batteries' states of charge, step by step as they lie in memory."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def _day_stress(
    begin_soc: FloatArray, soc: FloatArray, steps: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, depth, way, charged way and charging steps of each day, all (day, vehicle).

    `begin_soc` and `soc` are (time, vehicle) at the begin and end of each step; between two steps the state
    may jump, as a trip is booked on arrival.
    """
    count, vehicles = soc.shape
    days = (count + steps - 1) // steps
    mean, depth = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    way, charged = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    charging = np.zeros((days, vehicles))
    before, low, high = begin_soc[0].copy(), np.empty(vehicles), np.empty(vehicles)
    for d in range(days):
        begin, end = d * steps, min((d + 1) * steps, count)
        low[:], high[:] = before, before
        for t in range(begin, end):
            for v in range(vehicles):
                start, now = begin_soc[t, v], soc[t, v]
                mean[d, v] += 0.5 * (now + start)
                low[v], high[v] = min(low[v], start, now), max(high[v], start, now)
                way[d, v] += abs(start - before[v]) + abs(now - start)
                if now > start:
                    charged[d, v] += now - start
                    charging[d, v] += 1.0
                before[v] = now
        for v in range(vehicles):
            mean[d, v] /= end - begin
            depth[d, v] = high[v] - low[v]
    return mean, depth, way, charged, charging


day_stress = njit(cache=True)(_day_stress)


def _table_means(
    begin_soc: FloatArray, soc: FloatArray, steps: int, table: FloatArray
) -> FloatArray:
    """Return the mean over each day of a function tabulated over equal steps of 0..1, (day, vehicle).

    `table` is (day, node), the states of charge (time, vehicle); the middle of each step counts.
    """
    count, vehicles = soc.shape
    days, nodes = table.shape
    found = np.zeros((days, vehicles))
    for d in range(days):
        begin, end = d * steps, min((d + 1) * steps, count)
        for t in range(begin, end):
            for v in range(vehicles):
                middle = 0.5 * (soc[t, v] + begin_soc[t, v])
                place = min(max(middle, 0.0), 1.0) * (nodes - 1)
                node = min(int(place), nodes - 2)
                share = place - node
                found[d, v] += (1.0 - share) * table[d, node] + share * table[d, node + 1]
        for v in range(vehicles):
            found[d, v] /= end - begin
    return found


table_means = njit(cache=True)(_table_means)
