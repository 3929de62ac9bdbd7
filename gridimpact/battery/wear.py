"""What a year of driving, charging and feeding costs a battery: cycles, capacity, years and money.

Nobody knows the cells of a fleet, and shallow cycling is little tested. So every figure of capacity is
given per tested cell of `gridimpact.battery.semi_empirical`, and the range over them is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridimpact.battery.cycle_life import END_OF_LIFE
from gridimpact.battery.semi_empirical import Cell
from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]

DAYS_PER_YEAR = 365.25
LONGEST_YEARS = 50.0
"""No life is told beyond this: no test is long enough to say more."""
MEAN_OVER_YEARS = 10.0
"""Loss per year is the mean of so many years: a new battery loses more in its first."""


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
        >>> from gridimpact.battery import wear_of
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
        >>> from gridimpact.battery import wear_of
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
