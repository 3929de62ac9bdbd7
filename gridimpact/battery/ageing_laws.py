"""Published laws of single cells as they were printed: potentials, storage loss and cycling loss.

`gridimpact.battery.semi_empirical` puts them together to cells that a state of charge can be run through.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

GAS = 8.314
"""[J/(mol K)], as the coefficients of Wang et al. were fitted with."""


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
