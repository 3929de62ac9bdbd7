"""Calendar and cycle ageing of tested cells: published laws, each with the range it was fitted in.

Every cell loses a share of its capacity with time and a share with charge throughput, each as a power law
``k x^p`` whose coefficient k depends on the day: state of charge, temperature, depth and rate. The laws of
the five cells in `FLEET_CELLS` are those of BLAST-Lite (NREL, BSD-3-Clause, see NOTICE); the code is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridimpact.battery.ageing_laws import (
    graphite_potential,
    sanyo_volts,
    schmalstieg_calendar,
    schmalstieg_cycle,
)

FloatArray = NDArray[np.float64]

KELVIN = 273.15


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
