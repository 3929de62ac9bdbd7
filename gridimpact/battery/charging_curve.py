"""Charging power against state of charge in straight pieces, with the exact state after any time.

Plans of many cars use the two-stage form of `gridimpact.battery.storage`, one knee and one slope; a curve
of more pieces is for one session at a fast charger, and for checking what the knee leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridimpact.errors import InputError

FloatArray = NDArray[np.float64]

_LEVEL = 1e-12
"""A slope below this is a level piece."""


@dataclass(frozen=True)
class ChargingCurve:
    """Share of the full power by state of charge.

    Parameters
    ----------
    soc : tuple of float
        States of charge, rising from 0 to 1.
    share : tuple of float
        Share of the full power at each, 0..1; straight between, 0 only at the last.
    stop_soc : float
        The station ends the session here.

    Raises
    ------
    InputError
        If the points do not make a curve.

    Examples
    --------
    >>> DC_THREE_STAGE.power_share([0.3, 0.65, 0.9]).round(3).tolist()
    [1.0, 0.8, 0.35]
    """

    soc: tuple[float, ...]
    share: tuple[float, ...]
    stop_soc: float = 1.0

    def __post_init__(self) -> None:
        """Refuse points that do not make a curve."""
        soc, share = np.array(self.soc), np.array(self.share)
        if soc.size < 2 or soc.shape != share.shape or soc[0] != 0.0 or soc[-1] != 1.0:
            message = "a charging curve needs as many shares as states of charge, from 0 to 1"
            raise InputError(message)
        if np.any(np.diff(soc) <= 0.0) or np.any(share[:-1] <= 0.0) or np.any(share > 1.0):
            message = "a charging curve needs rising states of charge and shares above 0, at most 1"
            raise InputError(message)
        if share[-1] < 0.0 or not 0.0 < self.stop_soc <= 1.0:
            message = (
                f"stop_soc is {self.stop_soc}, must be above 0 and at most 1; no share below 0"
            )
            raise InputError(message)

    def power_share(self, soc: ArrayLike) -> FloatArray:
        """Return the share of the full power at a state of charge; none from `stop_soc` on."""
        state = np.asarray(soc, dtype=np.float64)
        share = np.interp(state, self.soc, self.share)
        return np.asarray(np.where(state >= self.stop_soc, 0.0, share))

    def soc_after(self, soc: ArrayLike, hours: ArrayLike, rate: ArrayLike) -> FloatArray:
        """Return the state of charge after a time at the highest power.

        Parameters
        ----------
        soc : array_like
            Before [1].
        hours : array_like
            Time [h].
        rate : array_like
            Efficiency times full power over capacity [1/h].

        Returns
        -------
        ndarray
            Exact: on each piece ``ds/dt = rate (p + m s)`` is solved in closed form.
        """
        state, left, speed = np.broadcast_arrays(
            *(np.asarray(x, dtype=np.float64) for x in (soc, hours, rate))
        )
        state, left = state.copy(), left.copy()
        pieces = zip(self.soc[:-1], self.soc[1:], self.share[:-1], self.share[1:], strict=True)
        for low, high, first, last in pieces:
            end = min(high, self.stop_soc)
            slope = (last - first) / (high - low)
            inside = (state < end) & (left > 0.0) & (speed > 0.0)
            power = first + slope * (state - low)
            needed = _hours(power, first + slope * (end - low), end - state, slope, speed, inside)
            gain = speed * power * left
            if abs(slope) > _LEVEL:
                gain = power * np.expm1(slope * speed * np.where(inside, left, 0.0)) / slope
            through = inside & (needed <= left)
            state = np.where(through, end, np.where(inside, np.minimum(state + gain, end), state))
            left = np.where(through, left - needed, np.where(inside, 0.0, left))
        return np.asarray(state)

    def mean_kw(
        self,
        soc: ArrayLike,
        dt_h: ArrayLike,
        p_max_kw: ArrayLike,
        capacity_kwh: ArrayLike,
        eta_charge: ArrayLike = 1.0,
    ) -> FloatArray:
        """Return the highest mean charging power of one step [kW], positive draws from the grid.

        Parameters
        ----------
        soc : array_like
            State of charge before the step [1].
        dt_h : array_like
            Step [h].
        p_max_kw : array_like
            Full power at the meter [kW].
        capacity_kwh : array_like
            Capacity [kWh].
        eta_charge : array_like
            Battery energy gained per energy drawn, 0..1.

        Examples
        --------
        >>> round(float(TWO_STAGE.mean_kw(0.85, 5 / 60, 7.68, 100.0)), 6)
        5.668815
        """
        eta, held = np.asarray(eta_charge, np.float64), np.asarray(capacity_kwh, np.float64)
        state, dt = np.asarray(soc, np.float64), np.asarray(dt_h, np.float64)
        after = self.soc_after(state, dt, eta * np.asarray(p_max_kw, np.float64) / held)
        return np.asarray((after - state) * held / (eta * dt))

    def hours(self, soc: float, soc_to: float, rate: float) -> float:
        """Return the time from one state of charge to another at the highest power [h].

        Parameters
        ----------
        soc, soc_to : float
            Begin and end [1].
        rate : float
            Efficiency times full power over capacity [1/h].

        Returns
        -------
        float
            Infinite where the end is beyond `stop_soc` or only approached.

        Examples
        --------
        >>> round(DC_THREE_STAGE.hours(0.1, 0.5, 1.0), 9)
        0.4
        """
        if soc_to > self.stop_soc:
            return float("inf")
        total = 0.0
        pieces = zip(self.soc[:-1], self.soc[1:], self.share[:-1], self.share[1:], strict=True)
        for low, high, first, last in pieces:
            begin, end = max(soc, low), min(soc_to, high)
            if begin < end:
                slope = (last - first) / (high - low)
                ends = [first + slope * (x - low) for x in (begin, end)]
                total += float(_hours(ends[0], ends[1], end - begin, slope, rate, inside=True))
        return total


def _hours(
    power: ArrayLike, last: float, way: ArrayLike, slope: float, rate: ArrayLike, inside: ArrayLike
) -> FloatArray:
    """Return the time over a piece from one power share to another, infinite at power 0 [h]."""
    first, speed = np.asarray(power, np.float64), np.asarray(rate, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if abs(slope) <= _LEVEL:
            time = np.asarray(way, np.float64) / (speed * first)
        else:
            time = np.log(max(last, 0.0) / first) / (slope * speed)
    return np.asarray(np.where(inside, time, np.inf))


TWO_STAGE = ChargingCurve((0.0, 0.8, 1.0), (1.0, 1.0, 0.0))
"""Constant to 0.8, then straight to nothing at 1, as the battery of the ACN simulator."""

AC_FLAT = ChargingCurve((0.0, 0.95, 1.0), (1.0, 1.0, 0.2))
"""An on-board charger far below what the battery takes; own choice."""

DC_THREE_STAGE = ChargingCurve((0.0, 0.5, 0.8, 1.0), (1.0, 1.0, 0.6, 0.1))
"""A fast charger: "significantly reduced" above 0.5 and "significantly smaller" above 0.8 in
doi:10.2478/jlst-2018-0010 section II; the shares are own choice."""

DC_STOP_AT_80 = ChargingCurve(DC_THREE_STAGE.soc, DC_THREE_STAGE.share, stop_soc=0.8)
"""The same at a station that ends the session at 0.8."""
