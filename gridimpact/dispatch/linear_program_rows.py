"""Numbering of the variables of the storage program and the sparse rows that tie them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from gridimpact.dispatch.kernels_storage import Cells, Storage
from gridimpact.records import BoolArray, FloatArray, IntArray

Block = tuple[IntArray, IntArray, FloatArray]
"""Row within the added rows, variable, coefficient."""


@dataclass(frozen=True)
class PeakCharge:
    """What the highest draw of each period costs."""

    period: IntArray
    """(time,) number of the period, from 0."""
    per_kw: FloatArray
    """(meter,) [currency/kW] of the draw above `free_kw`."""
    free_kw: FloatArray
    """(meter,) subscribed power, 0 for a plain demand charge."""
    so_far_kw: FloatArray
    """(period, meter) highest draw before this window."""


@dataclass(frozen=True)
class Meters:
    """Meters of a window, arrays over (time, meter) unless said."""

    net_kw: FloatArray
    """Everything behind the meter but the batteries [kW], positive draws."""
    import_price: FloatArray
    """[currency/kWh]"""
    export_price: FloatArray
    import_limit_kw: FloatArray
    """(meter,) main fuse; a draw without the batteries above it stays allowed."""
    export_limit_kw: FloatArray
    """(meter,)"""
    feed_limit_kw: FloatArray
    """Highest discharge of all batteries together, inf where only the export limit counts."""
    peak: PeakCharge | None = None


@dataclass(frozen=True)
class Columns:
    """Variables exist only where a battery is plugged in; an entry is one such vehicle and step."""

    count: int
    vehicle: IntArray
    """(entry,)"""
    time: IntArray
    """(entry,)"""
    previous: IntArray
    """(entry,) entry of the same vehicle's last plugged-in step, -1 where there is none."""
    last_of_vehicle: IntArray
    """Entries after which a vehicle is not plugged in any more."""
    missing_entry: IntArray
    """Entries at whose end energy is needed."""
    towed_entry: IntArray
    """Entries before which a trip is booked; what it lacks is charged on the road, at the penalty."""
    charge: IntArray
    discharge: IntArray
    energy: IntArray
    missing: IntArray
    towed: IntArray
    draw: IntArray
    feed: IntArray
    peak: IntArray

    @classmethod
    def of(cls, storage: Storage, meters: tuple[int, ...], periods: int) -> Columns:
        """Return the numbering for a window with meters of shape (time, meter)."""
        vehicle, time = np.nonzero(storage.plugged)
        same = np.concatenate([[False], vehicle[1:] == vehicle[:-1]])[: vehicle.size]
        previous = np.where(same, np.arange(vehicle.size) - 1, -1)
        last = np.concatenate([vehicle[1:] != vehicle[:-1], [True]])[: vehicle.size]
        need = np.flatnonzero(storage.need_kwh[vehicle, time] >= 0.0)
        departed = (storage.need_kwh[vehicle, time] >= 0.0)[previous] & (previous >= 0)
        driven = (storage.drain_kwh[vehicle, time] > 0.0) | departed
        trip = np.flatnonzero(driven & np.isnan(storage.arrival_kwh[vehicle, time]))
        size, cells = vehicle.size, int(np.prod(meters))
        counts = [size, size, size, need.size, trip.size, cells, cells, periods * meters[1]]
        ends = np.cumsum(counts)
        parts = [np.arange(end - n, end) for end, n in zip(ends, counts, strict=True)]
        last_entry = np.flatnonzero(last)
        entries = (vehicle, time, previous, last_entry, need, trip)
        return cls(int(ends[-1]), *entries, *parts)


class Rows:
    """Rows collected for one sparse matrix."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._height = 0
        self._parts: list[Block] = []
        self._low: list[FloatArray] = []
        self._high: list[FloatArray] = []

    def add(self, count: int, blocks: Sequence[Block], low: FloatArray, high: FloatArray) -> None:
        """Add `count` rows ``low <= sum(coefficient * variable) <= high``."""
        for row, column, value in blocks:
            self._parts.append((row + self._height, column, value))
        self._low.append(low)
        self._high.append(high)
        self._height += count

    def matrix(self) -> tuple[Any, FloatArray, FloatArray]:
        """Return the matrix with its lower and upper bounds."""
        row, column, value = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        shape = (self._height, self.width)
        whole = csr_array((value, (row, column)), shape=shape)
        return whole, np.concatenate(self._low), np.concatenate(self._high)


def battery_rows(rows: Rows, columns: Columns, storage: Storage, cells: Cells, dt_h: float) -> None:
    """Add the energy balance, the taper and the needs at departures."""
    v, t = columns.vehicle, columns.time
    given = storage.arrival_kwh[v, t]
    fresh, chained = ~np.isnan(given), columns.previous >= 0
    begin = np.where(fresh, given, np.where(chained, 0.0, cells.initial_kwh[v]))
    start = begin - np.where(fresh, 0.0, storage.drain_kwh[v, t])
    linked = chained & ~fresh
    towed = np.zeros(v.size, dtype=np.bool_)
    towed[columns.towed_entry] = True
    rows.add(
        v.size,
        [
            (np.arange(v.size), columns.energy, np.ones(v.size)),
            (np.arange(v.size), columns.charge, -cells.eta_charge[v] * dt_h),
            (np.arange(v.size), columns.discharge, dt_h / cells.eta_discharge[v]),
            (
                np.flatnonzero(linked),
                columns.energy[columns.previous[linked]],
                -np.ones(int(linked.sum())),
            ),
            (columns.towed_entry, columns.towed, -np.ones(columns.towed.size)),
        ],
        start,
        start,
    )
    trip, place = columns.towed_entry, np.arange(columns.towed.size)
    on = np.flatnonzero(linked[trip])
    rows.add(
        trip.size,
        [
            (place, columns.towed, np.ones(trip.size)),
            (on, columns.energy[columns.previous[trip[on]]], np.ones(on.size)),
        ],
        -start[trip],
        np.full(trip.size, np.inf),
    )
    tapered = np.flatnonzero(storage.ratio[v, t] < 1.0)
    ratio = storage.ratio[v, t][tapered]
    place = np.arange(tapered.size)
    rows.add(
        tapered.size,
        [
            (place, columns.charge[tapered], cells.eta_charge[v[tapered]] * dt_h),
            (place, columns.energy[tapered], 1.0 / ratio - 1.0),
        ],
        np.full(tapered.size, -np.inf),
        storage.offset_kwh[v, t][tapered] / ratio,
    )
    place = np.arange(columns.missing.size)
    rows.add(
        place.size,
        [
            (place, columns.energy[columns.missing_entry], np.ones(place.size)),
            (place, columns.missing, np.ones(place.size)),
        ],
        storage.need_kwh[v, t][columns.missing_entry],
        np.full(place.size, np.inf),
    )


def battery_bounds(columns: Columns, storage: Storage, width: int) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of `width` variables, those of the batteries set and the others zero or more."""
    low, high = np.zeros(width), np.full(width, np.inf)
    at = (columns.vehicle, columns.time)
    high[columns.charge] = storage.up_kw[at]
    high[columns.discharge] = storage.down_kw[at]
    low[columns.energy] = storage.lower_kwh[at]
    high[columns.energy] = storage.upper_kwh[at]
    return low, high


def meter_rows(rows: Rows, columns: Columns, site: IntArray, meters: Meters) -> None:
    """Add the balance of every meter, its common discharge limit and its peaks."""
    net = meters.net_kw.ravel()
    cell = columns.time * meters.net_kw.shape[1] + site[columns.vehicle, columns.time]
    every, one = np.arange(net.size), np.ones(net.size)
    each = np.ones(cell.size)
    rows.add(
        net.size,
        [
            (every, columns.draw, one),
            (every, columns.feed, -one),
            (cell, columns.charge, -each),
            (cell, columns.discharge, each),
        ],
        net,
        net,
    )
    limited = np.isfinite(meters.feed_limit_kw.ravel())
    if limited.any():
        limit = np.where(limited, meters.feed_limit_kw.ravel(), np.inf)
        rows.add(net.size, [(cell, columns.discharge, each)], np.full(net.size, -np.inf), limit)
    if meters.peak is not None:
        shape = meters.net_kw.shape
        column = meters.peak.period[:, None] * shape[1] + np.arange(shape[1])
        rows.add(
            net.size,
            [(every, columns.draw, one), (every, columns.peak[column.ravel()], -one)],
            np.full(net.size, -np.inf),
            np.broadcast_to(meters.peak.free_kw, shape).ravel(),
        )


def binary_rows(
    rows: Rows,
    columns: Columns,
    both: BoolArray,
    inverted: BoolArray,
    high: FloatArray,
    net_kw: FloatArray,
) -> None:
    """Add choices between charging and discharging, and between import and export."""
    first = columns.count
    entry, cell = np.flatnonzero(both), np.flatnonzero(inverted.ravel())
    most = float(np.sum(high[columns.charge]) + np.sum(high[columns.discharge]))
    most += float(np.abs(net_kw).max(initial=0.0))
    pairs = (
        (columns.charge[entry], columns.discharge[entry]),
        (columns.draw[cell], columns.feed[cell]),
    )
    for one, other in pairs:
        place = np.arange(one.size)
        choice = first + place
        reach = np.where(np.isfinite(high[one]), high[one], most)
        back = np.where(np.isfinite(high[other]), high[other], most)
        below = np.full(one.size, -np.inf)
        ones = np.ones(one.size)
        rows.add(one.size, [(place, one, ones), (place, choice, -reach)], below, 0.0 * ones)
        rows.add(one.size, [(place, other, ones), (place, choice, back)], below, back)
        first += one.size
