"""Compiled sums over the days of a state of charge, one battery after the other."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def _day_stress(
    soc: FloatArray, steps: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, depth, way, charged way and charging steps of each day, all (day, vehicle).

    `soc` is (vehicle, time) at the end of each step; a step's way begins at the end of the one before,
    and the first step of all has none.
    """
    vehicles, count = soc.shape
    days = (count + steps - 1) // steps
    mean, depth = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    way, charged = np.zeros((days, vehicles)), np.zeros((days, vehicles))
    charging = np.zeros((days, vehicles))
    for v in range(vehicles):
        for d in range(days):
            begin, end = d * steps, min((d + 1) * steps, count)
            before = soc[v, max(begin - 1, 0)]
            low, high = before, before
            for t in range(begin, end):
                now = soc[v, t]
                mean[d, v] += 0.5 * (now + before)
                low, high = min(low, now), max(high, now)
                way[d, v] += abs(now - before)
                if now > before:
                    charged[d, v] += now - before
                    charging[d, v] += 1.0
                before = now
            mean[d, v] /= end - begin
            depth[d, v] = high - low
    return mean, depth, way, charged, charging


day_stress = njit(cache=True)(_day_stress)


def _table_means(soc: FloatArray, steps: int, table: FloatArray) -> FloatArray:
    """Return the mean over each day of a function tabulated over equal steps of 0..1, (day, vehicle).

    `table` is (day, node), `soc` (vehicle, time); the middle of each step counts.
    """
    vehicles, count = soc.shape
    days, nodes = table.shape
    found = np.zeros((days, vehicles))
    for v in range(vehicles):
        for d in range(days):
            begin, end = d * steps, min((d + 1) * steps, count)
            before, total = soc[v, max(begin - 1, 0)], 0.0
            for t in range(begin, end):
                place = min(max(0.5 * (soc[v, t] + before), 0.0), 1.0) * (nodes - 1)
                node = min(int(place), nodes - 2)
                share = place - node
                total += (1.0 - share) * table[d, node] + share * table[d, node + 1]
                before = soc[v, t]
            found[d, v] = total / (end - begin)
    return found


table_means = njit(cache=True)(_table_means)
