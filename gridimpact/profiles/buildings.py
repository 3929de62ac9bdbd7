"""Load of one large building: the BDEW shape of trade and business with a life of its own."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from gridimpact.profiles.blocks import FloatArray, generator, remembered
from gridimpact.profiles.shapes import YearShape, year_shape

_DAY_SPREAD = 0.06
_QUARTER_SPREAD = 0.07
_MEMORY = 0.6


def building_year(
    site_id: str, annual_kwh: float, year: int, zone: str, seed: int
) -> tuple[YearShape, FloatArray]:
    """Return a building's energy per quarter hour of a local year.

    Parameters
    ----------
    site_id : str
        Key of the draws.
    annual_kwh : float
        Energy of the year [kWh], met exactly.
    year, zone, seed
        As in `gridimpact.profiles.appliances.home_year`.

    Returns
    -------
    YearShape
        BDEW G25, the mean of trade and business.
    numpy.ndarray
        (quarter hour,) [kWh]: the shape with days that differ by about 6 % and quarter hours by 7 %.
    """
    shape = year_shape("bdew_g25", year, zone)
    draws = generator(seed, f"building/{site_id}/{year}")
    days = np.clip(draws.random(int(shape.day[-1]) + 1), 1e-9, 1.0 - 1e-9)
    noise = ndtri(np.clip(draws.random(len(shape.share)), 1e-9, 1.0 - 1e-9))
    wander = remembered(noise, _MEMORY)
    factor = np.exp(_DAY_SPREAD * ndtri(days)[shape.day] + _QUARTER_SPREAD * wander)
    energy = shape.share * factor
    return shape, annual_kwh * energy / energy.sum()


def full_load_hours(year: int, zone: str) -> float:
    """Return annual energy over highest expected power of the building shape [h]."""
    return 0.25 / float(year_shape("bdew_g25", year, zone).share.max())
