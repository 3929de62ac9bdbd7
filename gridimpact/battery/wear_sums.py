"""From a state of charge to the sums over days by which `gridimpact.battery.Wear` tells loss and life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridimpact.battery.cycle_life import PAPER_POINTS, CycleLife
from gridimpact.battery.kernels_wear import day_stress, table_means
from gridimpact.battery.semi_empirical import FLEET_CELLS, KELVIN, Cell, Day
from gridimpact.battery.wear import Wear
from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]

_NODES = 401
"""States of charge at which the laws are tabulated."""


def wear_of(
    soc: ArrayLike,
    dt_h: float,
    temp_c: ArrayLike = 25.0,
    *,
    soc_begin: ArrayLike | None = None,
    inner_cycles: ArrayLike = 0.0,
    cells: Sequence[Cell] = FLEET_CELLS,
    gross_share: ArrayLike = 1.0,
    life: CycleLife | None = None,
) -> Wear:
    """Return the wear that a state of charge tells.

    Parameters
    ----------
    soc : array_like
        (time, vehicle) state of charge at the end of each step [1].
    dt_h : float
        Step [h]; 24 h are a whole number of steps.
    temp_c : array_like
        Battery temperature [degC], one for all time or (time,); its mean over each day counts.
    soc_begin : array_like, optional
        (time, vehicle) at the begin of each step, where it differs from the end of the one before: a trip
        is booked on arrival, and charging in the same step would hide it.
    inner_cycles : array_like
        (time, vehicle) full cycles inside a step that its ends do not show, as fast regulation makes them;
        they count as throughput, not as depth.
    cells : sequence of Cell
        Tested cells.
    gross_share : array_like
        (vehicle,) usable over gross capacity; the margins lie half above and half below.
    life : CycleLife, optional
        Cycle life by depth; the paper's by default.

    Returns
    -------
    Wear
        Sums over days: one that repeats is found by more `years`.

    Raises
    ------
    InputError
        If the state of charge is not a table of finite numbers, or the step does not divide a day.

    Notes
    -----
    Loss follows ``q = k x^p`` with a k of each day; keeping what is lost when k changes, the sum of
    ``k^(1/p) dx`` over the days to the power p is the loss. Calendar and cycle loss add.
    What a car loses while it charges elsewhere is not seen.

    Validity
    --------
    `Wear.outside` tells the days outside each cell's tests, most of them for shallow cycling; no knee, no
    lithium plating in frost. Temperature is the air's unless the user knows better.
    """
    table = np.asarray(soc, dtype=np.float64)
    steps = round(24.0 / dt_h)
    if table.ndim != 2 or table.shape[0] < 1 or not np.all(np.isfinite(table)):
        message = "wear needs a state of charge of finite numbers, (time, vehicle)"
        raise InputError(message)
    if abs(steps * dt_h - 24.0) > 1e-9 or steps < 1:
        message = f"a step of {dt_h:g} h does not divide a day; wear is counted by days"
        raise InputError(message)
    first = np.vstack([table[:1], table[:-1]])
    if soc_begin is not None:
        given = np.asarray(soc_begin, dtype=np.float64)
        if given.shape != table.shape or not np.all(np.isfinite(given)):
            message = f"soc_begin needs finite numbers in the shape {table.shape} of soc"
            raise InputError(message)
        # What is left of a difference by rounding is no cycle.
        first = np.where(np.abs(given - first) > 1e-12, given, first)
    share = np.broadcast_to(np.asarray(gross_share, dtype=np.float64), table.shape[1:])
    narrow = np.any(share != 1.0)
    begin, end = (0.5 * (1.0 - share) + x * share if narrow else x for x in (first, table))
    held = _Held(np.ascontiguousarray(begin), np.ascontiguousarray(end), steps)
    inner = np.broadcast_to(np.asarray(inner_cycles, dtype=np.float64), table.shape)
    day, cycles, hours = _days(held, dt_h, temp_c, inner * share if narrow else inner)
    calendar, cycle, outside = [], [], []
    for cell in cells:
        k = _mean_of(cell.calendar, held, day)
        extra = k if cell.extra is None else _mean_of(cell.extra, held, day)
        worn = cell.cycle(day, k, extra)
        calendar.append((k ** (1.0 / cell.calendar_power) * hours / 24.0 / cell.days_unit).sum(0))
        cycle.append((worn ** (1.0 / cell.cycle_power) * cycles / cell.cycles_unit).sum(0))
        outside.append(cell.outside(day).mean(axis=0))
    rule = CycleLife.through(PAPER_POINTS) if life is None else life
    return Wear(
        cells=tuple(cells),
        days=float(table.shape[0] * dt_h / 24.0),
        full_cycles=np.asarray(cycles.sum(axis=0)),
        miner=rule.damage(table, first),
        calendar_sum=np.stack(calendar),
        cycle_sum=np.stack(cycle),
        outside=np.stack(outside),
    )


class _Held(NamedTuple):
    """State of charge of the cells at the begin and end of each step, (time, vehicle), and steps of a day."""

    begin: FloatArray
    end: FloatArray
    steps: int


def _days(
    held: _Held, dt_h: float, temp_c: ArrayLike, inner: FloatArray
) -> tuple[Day, FloatArray, FloatArray]:
    """Return stress by day, full cycles (day, vehicle) and hours of each day (day, 1)."""
    count = held.end.shape[0]
    air = np.broadcast_to(np.asarray(temp_c, dtype=np.float64), (count,))
    first = np.arange(0, count, held.steps)
    lengths = np.diff(np.append(first, count))[:, None]
    warm = np.add.reduceat(air, first)[:, None] / lengths + KELVIN
    mean, depth, way, charged, charging = day_stress(*held)
    if np.any(inner):
        way = way + 2.0 * np.add.reduceat(inner, first, axis=0)
    hours = lengths * dt_h
    with np.errstate(divide="ignore", invalid="ignore"):
        charge_rate = np.where(charging > 0.0, charged / (charging * dt_h), 0.0)
    day = Day(warm, mean, depth, way / hours, charge_rate)
    return day, 0.5 * way, hours


def _mean_of(
    rule: Callable[[FloatArray, FloatArray], FloatArray], held: _Held, day: Day
) -> FloatArray:
    """Return the mean of a function of state of charge and temperature over each day, (day, vehicle)."""
    nodes = np.linspace(0.0, 1.0, _NODES)[None, :]
    return np.asarray(table_means(*held, np.ascontiguousarray(rule(nodes, day.temp_k))))
