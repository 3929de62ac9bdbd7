"""What a year of driving, charging and feeding costs a battery: cycles, capacity, years and money.

Nobody knows the cells of a fleet, and shallow cycling is little tested. So every figure of capacity is
given per tested cell of `gridimpact.battery.semi_empirical`, and the range over them is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridimpact.battery.cycle_life import END_OF_LIFE, PAPER_POINTS, CycleLife
from gridimpact.battery.kernels_wear import day_stress, table_means
from gridimpact.battery.semi_empirical import FLEET_CELLS, KELVIN, Cell, Day
from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]

DAYS_PER_YEAR = 365.25
LONGEST_YEARS = 50.0
"""No life is told beyond this: no test is long enough to say more."""
MEAN_OVER_YEARS = 10.0
"""Loss per year is the mean of so many years: a new battery loses more in its first."""
_NODES = 401
"""States of charge at which the laws are tabulated."""


@dataclass(frozen=True)
class Wear:
    """Wear of a studied time; arrays over (vehicle,) or (cell, vehicle).

    Attributes
    ----------
    cells : tuple of Cell
        Tested cells.
    days : float
        Studied time [d].
    full_cycles : ndarray
        Half the way the state of charge went, driving included: equivalent full cycles.
    miner : ndarray
        Share of the paper's cycle life used, by rainflow and Miner's sum; 1 is the end of life.
    calendar_sum, cycle_sum : ndarray
        (cell, vehicle) time and throughput, each weighed so that the loss is their power.
    outside : ndarray
        (cell, vehicle) share of the days outside the range in which the cell was tested.
    """

    cells: tuple[Cell, ...]
    days: float
    full_cycles: FloatArray
    miner: FloatArray
    calendar_sum: FloatArray
    cycle_sum: FloatArray
    outside: FloatArray

    def loss(self, years: ArrayLike) -> FloatArray:
        """Return the share of capacity lost after so many years of the same use, (cell, vehicle).

        Parameters
        ----------
        years : array_like
            Time [a], broadcast against (cell, vehicle).

        Examples
        --------
        >>> still = wear_of(np.full((365, 1), 0.5), 24.0)
        >>> still.loss(10.0).round(3)[:, 0].tolist()
        [0.037, 0.016, 0.137, 0.083, 0.124]
        """
        repeats = np.asarray(years, dtype=np.float64) * DAYS_PER_YEAR / self.days
        aged = (repeats * self.calendar_sum) ** self._powers("calendar_power")
        return np.asarray(aged + (repeats * self.cycle_sum) ** self._powers("cycle_power"))

    def loss_per_year(self) -> FloatArray:
        """Return the mean yearly loss of the first ten years [1/a], (cell, vehicle)."""
        return np.asarray(self.loss(MEAN_OVER_YEARS) / MEAN_OVER_YEARS)

    def years_to(self, capacity: float = END_OF_LIFE) -> FloatArray:
        """Return the years until this share of the capacity is left, at most `LONGEST_YEARS`.

        Raises
        ------
        InputError
            If `capacity` is not between 0 and 1.
        """
        if not 0.0 < capacity < 1.0:
            message = f"the capacity at the end of life is {capacity}, must lie between 0 and 1"
            raise InputError(message)
        low = np.zeros(self.calendar_sum.shape)
        high = np.full(low.shape, LONGEST_YEARS)
        for _ in range(50):
            middle = 0.5 * (low + high)
            spent = self.loss(middle) >= 1.0 - capacity
            low, high = np.where(spent, low, middle), np.where(spent, middle, high)
        return high

    def miner_years(self) -> FloatArray:
        """Return the years to the end of the paper's cycle life alone, at most `LONGEST_YEARS`, (vehicle,)."""
        with np.errstate(divide="ignore"):
            years = self.days / DAYS_PER_YEAR / self.miner
        return np.asarray(np.minimum(years, LONGEST_YEARS))

    def cost(self, price: ArrayLike, capacity: float = END_OF_LIFE) -> FloatArray:
        """Return what the studied time takes of a battery's price, (cell, vehicle) [currency].

        Parameters
        ----------
        price : array_like
            Replacement of each battery [currency], (vehicle,).
        capacity : float
            Share of the capacity left when it is replaced.
        """
        spent = self.loss_per_year() * self.days / DAYS_PER_YEAR / (1.0 - capacity)
        return np.asarray(spent * np.asarray(price, dtype=np.float64))

    def cost_per_kwh(self, price_per_kwh: float, without: Wear | None = None) -> FloatArray:
        """Return the price of a kWh taken from the battery, (cell, vehicle) [currency/kWh].

        Parameters
        ----------
        price_per_kwh : float
            Replacement of a kWh of capacity [currency/kWh].
        without : Wear, optional
            The same time without a service: only what the service adds is priced, over the energy it adds.

        Returns
        -------
        ndarray
            NaN where no energy is taken, or none is added.

        Examples
        --------
        >>> day = np.interp(np.arange(24 * 30) % 24, [0, 8, 18, 24], [0.9, 0.9, 0.5, 0.9])[:, None]
        >>> wear_of(day, 1.0).cost_per_kwh(120.0).round(2)[:, 0].tolist()
        [0.03, 0.04, 0.09, 0.05, 0.08]
        """
        cost, cycles = self.cost(price_per_kwh), self.full_cycles
        if without is not None:
            scale = self.days / without.days
            cost = cost - without.cost(price_per_kwh) * scale
            cycles = cycles - without.full_cycles * scale
        taken = np.where(cycles > 1e-9, cycles, np.nan)
        return np.asarray(cost / taken)

    def _powers(self, name: str) -> FloatArray:
        return np.array([[getattr(cell, name)] for cell in self.cells])


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


def joined(parts: Sequence[Wear]) -> Wear:
    """Return the wear of several spans of time together; nothing is lost between them.

    Raises
    ------
    InputError
        If there is no part.
    """
    if not parts:
        message = "no wear to join"
        raise InputError(message)
    days = sum(part.days for part in parts)
    return Wear(
        cells=parts[0].cells,
        days=days,
        full_cycles=sum((p.full_cycles for p in parts[1:]), parts[0].full_cycles),
        miner=sum((p.miner for p in parts[1:]), parts[0].miner),
        calendar_sum=sum((p.calendar_sum for p in parts[1:]), parts[0].calendar_sum),
        cycle_sum=sum((p.cycle_sum for p in parts[1:]), parts[0].cycle_sum),
        outside=np.asarray(sum(p.outside * p.days for p in parts) / days),
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
