"""Calendar and cycle ageing of tested cells: published laws, each with the range it was fitted in.

Every cell loses a share of its capacity with time and a share with charge throughput, each as a power law
``k x^p`` whose coefficient k depends on the day: state of charge, temperature, depth and rate. The laws of
the five cells in `FLEET_CELLS` are those of BLAST-Lite (NREL, BSD-3-Clause, see NOTICE); the code is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

KELVIN = 273.15
GAS = 8.314
"""[J/(mol K)], as the coefficients of Wang et al. were fitted with."""


@dataclass(frozen=True)
class Day:
    """What one day did to each battery, arrays (day, vehicle)."""

    temp_k: FloatArray
    """(day, 1) mean temperature of the battery."""
    soc: FloatArray
    """Mean state of charge."""
    depth: FloatArray
    """Highest less lowest state of charge."""
    rate: FloatArray
    """Mean of charging and discharging over the whole day, in capacities per hour."""
    charge_rate: FloatArray
    """Mean while charging, in capacities per hour."""


@dataclass(frozen=True)
class Cell:
    """A tested cell.

    Attributes
    ----------
    name, chemistry : str
        "nmc622_50ah", "NMC 622 / graphite".
    source : str
        Where the law was published.
    calendar : callable
        ``k(soc, temp_k)`` of the calendar law; its mean over a day counts.
    calendar_power, cycle_power : float
        Exponents p.
    cycle : callable
        ``k(day, calendar, extra)`` of the cycle law; `calendar` is the day's mean k of the calendar law.
    days_unit, cycles_unit : float
        Days and full cycles in one unit of x.
    extra : callable, optional
        Another function of (soc, temp_k) whose mean over a day the cycle law needs.
    temp_c, depth, rate : tuple of float
        Fitted range; the rate is in capacities per hour.
    """

    name: str
    chemistry: str
    source: str
    calendar: Callable[[FloatArray, FloatArray], FloatArray]
    calendar_power: float
    cycle: Callable[[Day, FloatArray, FloatArray], FloatArray]
    cycle_power: float
    days_unit: float = 1.0
    cycles_unit: float = 1.0
    extra: Callable[[FloatArray, FloatArray], FloatArray] | None = None
    temp_c: tuple[float, float] = (10.0, 45.0)
    depth: tuple[float, float] = (0.8, 1.0)
    rate: tuple[float, float] = (0.0, 1.0)

    def outside(self, day: Day) -> NDArray[np.bool_]:
        """Return which days lie outside the fitted range, (day, vehicle)."""
        warm = day.temp_k - KELVIN
        bad = (warm < self.temp_c[0]) | (warm > self.temp_c[1])
        cycled = day.depth > 0.0
        deep = (day.depth < self.depth[0]) | (day.depth > self.depth[1])
        return np.asarray(bad | (cycled & deep) | (day.charge_rate > self.rate[1]))


def graphite_potential(soc: ArrayLike) -> FloatArray:
    """Return the potential of a graphite anode against lithium [V].

    Parameters
    ----------
    soc : array_like
        State of charge of the cell, 0..1; the anode is filled from 0.0085 to 0.78.

    Notes
    -----
    Fit of Safari and Delacourt, J. Electrochem. Soc. 158 (2011) A562, doi:10.1149/1.3567007; filling after
    Schimpe et al., doi:10.1149/2.1181714jes. The same for all cells, as BLAST-Lite takes it.

    Examples
    --------
    >>> round(float(graphite_potential(0.5)), 3)
    0.123
    """
    x = 8.5e-3 + np.asarray(soc, dtype=np.float64) * (0.78 - 8.5e-3)
    return np.asarray(
        0.6379
        + 0.5416 * np.exp(-305.5309 * x)
        + 0.044 * np.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * np.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * np.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * np.tanh((x - 0.5692) / 0.0875)
    )


# fmt: off
_SANYO_VOLTS = np.array([
    3.331, 3.4197, 3.491, 3.5436, 3.5812, 3.6079, 3.6267, 3.6411, 3.6552, 3.6726, 3.69741707182681,
    3.7322, 3.7747, 3.8209, 3.8688, 3.9154, 3.9649, 4.0194, 4.073, 4.1183, 4.162,
])
# fmt: on


def sanyo_volts(soc: ArrayLike) -> FloatArray:
    """Return the open-circuit voltage of the Sanyo UR18650E cell [V], every 0.05 of its state of charge."""
    at = np.asarray(soc, dtype=np.float64)
    return np.asarray(np.interp(at, np.linspace(0.0, 1.0, _SANYO_VOLTS.size), _SANYO_VOLTS))


def schmalstieg_calendar(volts: ArrayLike, temp_k: ArrayLike, days: ArrayLike = 1.0) -> FloatArray:
    """Return the share of capacity lost in storage, Schmalstieg et al. 2014.

    Parameters
    ----------
    volts : array_like
        Open-circuit voltage [V].
    temp_k : array_like
        Temperature [K]; fitted at 308 to 323 K.
    days : array_like
        Time [d].

    Returns
    -------
    ndarray
        ``(7.543 V - 23.75) 1e6 exp(-6976 / T) t^0.75``; doi:10.1016/j.jpowsour.2014.02.012.

    Examples
    --------
    >>> round(float(schmalstieg_calendar(3.69741707182681, 298.15, 365)), 6)
    0.023835
    """
    volts, temp_k = np.asarray(volts, dtype=np.float64), np.asarray(temp_k, dtype=np.float64)
    k = (7.543 * volts - 23.75) * 1e6 * np.exp(-6976.0 / temp_k)
    return np.asarray(k * np.asarray(days, dtype=np.float64) ** 0.75)


def schmalstieg_cycle(volts_rms: ArrayLike, depth: ArrayLike, ah: ArrayLike = 1.0) -> FloatArray:
    """Return the share of capacity lost by cycling, Schmalstieg et al. 2014.

    Parameters
    ----------
    volts_rms : array_like
        Root mean square of the voltage [V].
    depth : array_like
        Depth of discharge, 0..1.
    ah : array_like
        Charge through the cell of 2.15 Ah, both ways [Ah].

    Returns
    -------
    ndarray
        Valid near 1 C and 35 degC; the knee seen at large depths is not in the law.

    Examples
    --------
    >>> round(float(schmalstieg_cycle(3.7, 0.5, 1000)), 6)
    0.088813
    """
    volts_rms, depth = np.asarray(volts_rms, np.float64), np.asarray(depth, np.float64)
    k = 7.348e-3 * (volts_rms - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * depth
    return np.asarray(k * np.sqrt(np.asarray(ah, dtype=np.float64)))


def wang_calendar_percent(temp_k: ArrayLike, days: ArrayLike, f: float = 8720.0) -> FloatArray:
    """Return the capacity lost in storage [%], ``f exp(-24500 / (R T)) sqrt(days)``.

    Parameters
    ----------
    temp_k : array_like
        Temperature [K].
    days : array_like
        Time [d].
    f : float
        8720 as V2G-Sim uses it.

    Notes
    -----
    Form of Wang et al., J. Power Sources 269 (2014) 937-948, for cells of graphite and a blend of
    NCM and LMO; no state of charge.

    Examples
    --------
    >>> round(float(wang_calendar_percent(298.15, 3650)), 4)
    26.8664
    """
    temp_k = np.asarray(temp_k, dtype=np.float64)
    return np.asarray(f * np.exp(-24500.0 / (GAS * temp_k)) * np.sqrt(days))


def wang_cycle_percent(temp_k: ArrayLike, c_rate: ArrayLike, ah: ArrayLike) -> FloatArray:
    """Return the capacity lost by cycling [%], linear in the charge through the tested small cell [Ah].

    Parameters
    ----------
    temp_k : array_like
        Temperature [K].
    c_rate : array_like
        Current in capacities per hour.
    ah : array_like
        Charge through the cell, both ways [Ah]; per cell of the test, not per pack.

    Notes
    -----
    ``(a T^2 + b T + c) exp((d T + e) C) Ah`` with the coefficients of V2G-Sim in full: their parabola has
    its least value, 3.9e-4 %/Ah, at 297.5 K, and turns negative with coefficients of three digits.

    Examples
    --------
    >>> round(float(wang_cycle_percent(298.15, 0.5, 1000)), 6)
    0.470947
    """
    temp_k = np.asarray(temp_k, dtype=np.float64)
    square = 8.888888888889532e-06 * temp_k**2 - 0.005288888888889 * temp_k + 0.787113333333394
    return np.asarray(
        square * np.exp((-0.0067 * temp_k + 2.35) * np.asarray(c_rate)) * np.asarray(ah)
    )


def _arrhenius(temp_k: FloatArray, energy: float) -> FloatArray:
    """Return the factor on a rate by temperature, 1 at 298.15 K; energy in J/mol."""
    return np.asarray(np.exp(-energy / 8.3144 * (1.0 / temp_k - 1.0 / 298.15)))


def _hot(temp_k: FloatArray) -> FloatArray:
    """Return temperature over 308.15 K, as two of the fits are normalised."""
    return np.asarray(temp_k / 308.15)


def _lfp_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    warm = np.exp(2.19e3 / day.temp_k) + np.exp(-1.55e5 / day.temp_k)
    return np.asarray((4.38e-8 + 1.55e-8 * day.depth + 1.68e-7 * day.rate) * warm)


def _nmc_a_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    hot, root = _hot(day.temp_k), np.sqrt(day.depth)
    gentle = 0.0267 + 1.64 * hot**3 * root + 0.011 * np.exp(day.rate**2 / np.sqrt(hot))
    # Below a tenth of depth the fit turns negative: no loss there, rather than a gain.
    return np.asarray(np.maximum(gentle - 0.44 * np.exp(root * hot**2 * np.sqrt(day.rate)), 0.0))


def _nmc_b_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    stress = day.depth**2 * _hot(day.temp_k) ** 3 * np.sqrt(day.rate)
    return np.asarray(0.844 * stress**0.458)


def _nca_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    # The fitted exponents of temperature are so small that two is left of their sum.
    return np.asarray(2.0 * (1.86e-6 + 4.74e-11 * day.rate + 1.77e-4 * day.depth))


def _nmc622_calendar(soc: FloatArray, temp_k: FloatArray) -> FloatArray:
    shape = -1.97e-4 + 0.0101 * soc - 0.0157 * soc**2 + 0.00835 * soc**3
    shape = shape - 4.06e-6 * soc * temp_k + 3.32e-5 * np.maximum(temp_k - 328.15, 0.0)
    return np.asarray(_arrhenius(temp_k, 37000.0) * np.maximum(shape, 0.0))


def _nmc622_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    stress = np.sqrt(day.depth * day.charge_rate)
    cold = 3.24 * _arrhenius(day.temp_k, -58000.0) * stress * (1.0 + 2.1 * day.soc) - 0.099
    deep = 1.44 * _arrhenius(day.temp_k, -13000.0) * day.depth**6
    return np.asarray(0.985 * calendar * (np.maximum(cold, 0.0) + deep))


def _sanyo_calendar(soc: FloatArray, temp_k: FloatArray) -> FloatArray:
    return schmalstieg_calendar(sanyo_volts(soc), temp_k)


def _sanyo_cycle(day: Day, calendar: FloatArray, extra: FloatArray) -> FloatArray:
    return schmalstieg_cycle(np.sqrt(extra), day.depth)


_GASPER = "Gasper et al., J. Energy Storage 73 (2023) 109042, doi:10.1016/j.est.2023.109042"

LFP_250AH = Cell(
    "lfp_250ah",
    "LFP / graphite",
    _GASPER,
    lambda soc, temp: np.asarray(
        8.37e4 * np.exp(-5.21e3 / temp) * np.exp(-3.56e3 * graphite_potential(soc) / temp)
    ),
    0.526,
    _lfp_cycle,
    0.828,
    rate=(0.0, 0.65),
)
NMC_75AH_A = Cell(
    "nmc_75ah_a",
    "NMC / graphite",
    _GASPER,
    lambda soc, temp: np.asarray(
        8.71e-7 * np.exp(10.0 * _hot(temp) ** 3 / np.cbrt(graphite_potential(soc) / 0.123))
    ),
    0.578,
    _nmc_a_cycle,
    1.11,
    days_unit=1e3,
    cycles_unit=1e4,
    rate=(0.0, 2.0),
)
NMC_50AH_B1 = Cell(
    "nmc_50ah_b1",
    "NMC / graphite",
    _GASPER,
    lambda soc, temp: np.asarray(
        36.2 * np.exp(-4.4 / _hot(temp) ** 3 * np.cbrt(graphite_potential(soc) / 0.123))
    ),
    0.708,
    _nmc_b_cycle,
    0.467,
    days_unit=1e4,
    cycles_unit=1e5,
    rate=(0.0, 1.75),
)
NMC622_50AH = Cell(
    "nmc622_50ah",
    "NMC 622 / graphite",
    "Smith et al., J. Electrochem. Soc. 168 (2021) 100530, doi:10.1149/1945-7111/ac2ebd",
    _nmc622_calendar,
    0.5,
    _nmc622_cycle,
    0.5,
    temp_c=(10.0, 60.0),
    depth=(0.1, 1.0),
)
NCA_3AH = Cell(
    "nca_3ah",
    "NCA / graphite",
    "Keil et al., doi:10.1149/2.0411609jes, and Preger et al., doi:10.1149/1945-7111/abae37",
    lambda soc, temp: np.asarray(75.4 * np.exp(-3.34e3 / temp) * np.exp(353.0 * soc / temp)),
    0.512,
    _nca_cycle,
    0.699,
    temp_c=(15.0, 35.0),
    rate=(0.0, 0.5),
)
NMC111_2AH = Cell(
    "nmc111_2ah",
    "NMC 111 / graphite",
    "Schmalstieg et al., J. Power Sources 257 (2014) 325-334, doi:10.1016/j.jpowsour.2014.02.012",
    _sanyo_calendar,
    0.75,
    _sanyo_cycle,
    0.5,
    cycles_unit=1.0 / (2.0 * 2.15),
    extra=lambda soc, temp: np.asarray(sanyo_volts(soc) ** 2 + 0.0 * temp),
    temp_c=(20.0, 40.0),
    depth=(0.0, 1.0),
)
"""A small cell of 2014; over ten years of deep cycles its law leaves two fifths: not in `FLEET_CELLS`."""

FLEET_CELLS = (LFP_250AH, NMC_75AH_A, NMC_50AH_B1, NMC622_50AH, NCA_3AH)
"""Large or automotive cells of three chemistries; what lies between them is what is known of a fleet's."""
