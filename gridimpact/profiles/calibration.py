"""Modelled loads brought to a measured maximum without changing anyone's energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.errors import InputError
from gridimpact.records import FloatArray

_FLATTEST, _PEAKIEST = 0.25, 3.0
_STEPS_OF_SEARCH = 40


@dataclass(frozen=True)
class Stretch:
    """How loads were stretched.

    Attributes
    ----------
    exponent : float
        Power the common shape is raised to: above 1 peakier, below 1 flatter.
    time_factor : numpy.ndarray
        (time,) common to all sites.
    site_factor : numpy.ndarray
        (site,) keeps each site's energy.
    peak_before_kw, peak_kw : float
        Coincident maximum before and after.
    """

    exponent: float
    time_factor: FloatArray
    site_factor: FloatArray
    peak_before_kw: float
    peak_kw: float


def stretch_to_peak(load_p_kw: FloatArray, peak_kw: float) -> Stretch:
    """Return the factors that give loads a coincident maximum and leave each site's energy as it is.

    Parameters
    ----------
    load_p_kw : numpy.ndarray
        (time, site), zero or above.
    peak_kw : float
        Wanted maximum of the sum over sites [kW].

    Returns
    -------
    Stretch
        All sites get the same factor of time, the total's power of ``exponent - 1``, so that busy
        hours grow and quiet ones shrink alike, then each its own factor that restores its energy.

    Raises
    ------
    InputError
        If no exponent of 0.25 to 3 reaches the maximum: energy and maximum contradict each other.

    Examples
    --------
    >>> load = np.array([[1.0, 1.0], [2.0, 4.0], [3.0, 1.0]])
    >>> stretch = stretch_to_peak(load, 7.0)
    >>> after = load * stretch.time_factor[:, None] * stretch.site_factor
    >>> np.round(after.sum(axis=0), 9), round(float(after.sum(axis=1).max()), 6)
    (array([6., 6.]), 7.0)
    """
    total = load_p_kw.sum(axis=1)
    energy = load_p_kw.sum(axis=0)
    before = float(total.max())
    mean = float(total.mean())
    if mean <= 0.0:
        message = "loads without energy cannot be brought to a measured maximum"
        raise InputError(message)
    level = np.maximum(total / mean, 1e-6)

    def factors(exponent: float) -> tuple[FloatArray, FloatArray, float]:
        time_factor = level ** (exponent - 1.0)
        stretched = time_factor @ load_p_kw
        site_factor = np.divide(energy, stretched, out=np.ones_like(energy), where=stretched > 0.0)
        return time_factor, site_factor, float(np.max(time_factor * (load_p_kw @ site_factor)))

    low, high = _FLATTEST, _PEAKIEST
    bounds = factors(low)[2], factors(high)[2]
    if not bounds[0] <= peak_kw <= bounds[1]:
        message = (
            f"a measured maximum of {peak_kw:.1f} kW does not go with these loads, whose mean is"
            f" {mean:.1f} kW and whose modelled maximum is {before:.1f} kW (reachable:"
            f" {bounds[0]:.1f} to {bounds[1]:.1f} kW); check annual_kwh, heat pumps and peak_kva"
        )
        raise InputError(message)
    for _ in range(_STEPS_OF_SEARCH):
        middle = (low + high) / 2.0
        if factors(middle)[2] < peak_kw:
            low = middle
        else:
            high = middle
    exponent = (low + high) / 2.0
    time_factor, site_factor, reached = factors(exponent)
    return Stretch(exponent, time_factor, site_factor, before, reached)
