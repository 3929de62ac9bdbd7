"""Cycle life by depth of discharge: two published points, a power law through them, and Miner's sum."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from gridimpact.battery.rainflow import count_cycles
from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]

PAPER_POINTS = ((0.8, 5000.0), (0.7, 7000.0))
"""Depth of discharge and cycles to the end of life, doi:10.2478/jlst-2018-0010 section II."""

END_OF_LIFE = 0.8
"""A battery is spent at this share of its first capacity, doi:10.2478/jlst-2018-0010 section II."""


@dataclass(frozen=True)
class CycleLife:
    """Cycles to the end of life, ``N = a DoD^-b``.

    Parameters
    ----------
    a : float
        Cycles at full depth.
    b : float
        Exponent of the depth of discharge.
    deepest, shallowest : float
        Depths between which the law is supported by points [1].

    Examples
    --------
    >>> round(CycleLife.through(PAPER_POINTS).b, 4)
    2.5198
    """

    a: float
    b: float
    deepest: float = 1.0
    shallowest: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a law in which deeper cycles wear less."""
        if not (self.a > 0.0 and self.b >= 0.0):
            message = f"cycle life needs a above 0 and b of 0 or more, got {self.a} and {self.b}"
            raise InputError(message)

    @classmethod
    def through(cls, points: ArrayLike) -> CycleLife:
        """Return the law through two points (depth of discharge, cycles).

        Raises
        ------
        InputError
            If there are not two points at different depths above 0.
        """
        found = np.asarray(points, dtype=np.float64)
        if found.shape != (2, 2) or np.any(found <= 0.0) or found[0, 0] == found[1, 0]:
            message = "cycle life needs two points (depth of discharge, cycles) at different depths"
            raise InputError(message)
        (one, many), (other, more) = found
        b = -math.log(many / more) / math.log(one / other)
        depths = sorted((float(one), float(other)))
        return cls(float(many * one**b), b, depths[1], depths[0])

    def cycles(self, depth: ArrayLike) -> FloatArray:
        """Return the cycles to the end of life at a depth of discharge.

        Warns outside the depths of the points: shallow cycling is extrapolated.

        Examples
        --------
        >>> CycleLife.through(PAPER_POINTS).cycles([0.8, 0.7]).round().tolist()
        [5000.0, 7000.0]
        """
        given = np.asarray(depth, dtype=np.float64)
        if np.any((given < self.shallowest - 1e-9) | (given > self.deepest + 1e-9)):
            message = (
                f"cycle life is known from {self.shallowest:g} to {self.deepest:g} depth of discharge;"
                " outside it is extrapolated"
            )
            warnings.warn(message, stacklevel=2)
        with np.errstate(divide="ignore"):
            return np.asarray(self.a * given**-self.b)

    def damage(self, soc: ArrayLike, soc_begin: ArrayLike | None = None) -> FloatArray:
        """Return Miner's sum of the cycles of a state of charge, 1 is the end of life.

        Parameters
        ----------
        soc : array_like
            (time,) or (time, vehicle) state of charge at the end of each step [1].
        soc_begin : array_like, optional
            The same at the begin of each step, where it is not the end of the one before.

        Returns
        -------
        ndarray
            Share of the cycle life used, one per vehicle; cycles outside the depths of the points are
            extrapolated.
        """
        series = np.asarray(soc, dtype=np.float64)
        end = np.ascontiguousarray(series.reshape(series.shape[0], -1))
        begin = end
        if soc_begin is not None:
            begin = np.ascontiguousarray(np.asarray(soc_begin, np.float64).reshape(end.shape))
        return np.asarray(_damages(begin, end, self.a, self.b)).reshape(series.shape[1:])


def _damages_of(begin: FloatArray, end: FloatArray, a: float, b: float) -> FloatArray:
    """Return Miner's sum of every column."""
    count, vehicles = end.shape
    found, series = np.zeros(vehicles), np.empty(2 * count)
    cycles = np.empty((2 * count + 1, 3))
    for v in range(vehicles):
        for t in range(count):
            series[2 * t], series[2 * t + 1] = begin[t, v], end[t, v]
        for k in range(count_cycles(series, cycles)):
            found[v] += cycles[k, 2] * cycles[k, 0] ** b / a
    return found


_damages = njit(cache=True)(_damages_of)


def miner(cycles: ArrayLike, life: CycleLife) -> float:
    """Return Miner's sum of (depth, number) pairs.

    Examples
    --------
    >>> round(miner([[0.8, 2500], [0.7, 3500]], CycleLife.through(PAPER_POINTS)), 12)
    1.0
    """
    depth, number = np.asarray(cycles, dtype=np.float64).T
    return float((number / life.cycles(depth)).sum())
