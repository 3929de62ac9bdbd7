"""Whole local days and their blocks, cut out of series in time."""

from __future__ import annotations

import numpy as np

from gridimpact.records import FloatArray
from gridimpact.timeline import Timeline

DAY_KINDS = {"all": range(7), "weekdays": range(5), "weekends": range(5, 7)}
"""Days of the week by name, Monday is 0."""

DAY_H = 24


class Blocks:
    """Cuts series of a timeline into whole local days of a kind and the blocks of each day.

    Parameters
    ----------
    timeline : Timeline
        Of the series.
    block_h : float
        Length of a block [h], a divisor of 24.
    days : str
        A name of `DAY_KINDS`.
    """

    def __init__(self, timeline: Timeline, block_h: float, days: str) -> None:
        day = timeline.local_day
        block = np.floor(timeline.local_hour / block_h + 1e-9).astype(np.int64)
        self._count = round(DAY_H / block_h)
        steps = np.bincount(day, minlength=int(day[-1]) + 1)
        kept = steps >= timeline.steps_per_day - round(1.0 / timeline.dt_h)
        key = day * self._count + block
        filled = np.bincount(key, minlength=kept.size * self._count).reshape(kept.size, -1)
        weekday = np.zeros(kept.size, dtype=np.int64)
        weekday[day] = timeline.weekday
        self._kept = kept & filled.all(axis=1) & np.isin(weekday, list(DAY_KINDS[days]))
        self._starts = np.flatnonzero(np.diff(key, prepend=-1))
        self._key = key[self._starts]
        self.numbers = np.cumsum(np.diff(key, prepend=-1) != 0).astype(np.int64)
        """(time,) number of the block of each step, counted through."""

    def least(self, series: FloatArray) -> FloatArray:
        """Return the least value of each block, (day, block)."""
        return self._rows(np.minimum.reduceat(series, self._starts))

    def first(self, series: FloatArray) -> FloatArray:
        """Return the value at the begin of each block, (day, block)."""
        return self._rows(series[self._starts])

    def by_group(self, series: FloatArray) -> FloatArray:
        """Return the least values of (time, group) as (group, day, block)."""
        rows = [self.least(column) for column in series.T]
        return np.stack(rows) if rows else np.zeros((0, int(self._kept.sum()), self._count))

    def _rows(self, values: FloatArray) -> FloatArray:
        table = np.full(self._kept.size * self._count, np.inf)
        # In the hour that autumn repeats a block comes twice; the lesser value counts.
        np.minimum.at(table, self._key, values)
        return np.asarray(table.reshape(self._kept.size, self._count)[self._kept])
