"""Photovoltaic power of rooftop plants: clear sky from pvlib times a seeded cloudiness.

All plants of a study see the same sky; they differ in tilt, azimuth and size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gridimpact.errors import InputError
from gridimpact.profiles.blocks import FloatArray, generator, remembered
from gridimpact.timeline import Timeline

_CLOUD_STEP_S = 300
_CLOUD_MINUTES = 40.0
_DAY_MEMORY = 0.45
_DARKEST_DAY = 0.10
_TEMPERATURE_LOSS_PER_K = 0.0037
# Cell over air temperature at 1 kW/m2, roof with some air behind the modules.
_CELL_RISE_K = 30.0
_ALBEDO = 0.2


@dataclass(frozen=True)
class Sky:
    """Where the plants stand and what their sky is like.

    Attributes
    ----------
    latitude, longitude : float
        Degrees, north and east positive.
    altitude_m : float
        Height above the sea [m].
    linke_turbidity : float
        Haze of the clear sky, 2 very clear to 5 hazy.
    clear_sky_index : tuple of float
        Mean irradiance over that of a clear sky by month, January first. The default is central
        Europe's (about 1,030 kWh/m2 a year on the flat in the middle of Germany); sunnier places
        need higher values or their own `ghi_w_m2`.
    performance_ratio : float
        Inverter, wiring, soiling and mismatch, without temperature.
    ghi_w_m2 : numpy.ndarray, optional
        (time,) the user's global horizontal irradiance on the study's timeline [W/m2]; replaces
        clear sky and clouds.
    """

    latitude: float = 51.2
    longitude: float = 10.4
    altitude_m: float = 100.0
    linke_turbidity: float = 3.5
    clear_sky_index: tuple[float, ...] = (
        *(0.48, 0.54, 0.60, 0.67, 0.68, 0.68),
        *(0.69, 0.69, 0.65, 0.57, 0.49, 0.45),
    )
    performance_ratio: float = 0.88
    ghi_w_m2: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """One plant: kWp, tilt from the horizontal and azimuth clockwise from north [degrees]."""

    kwp: float
    tilt: float
    azimuth: float


@dataclass(frozen=True)
class Irradiance:
    """What reaches the ground, (time,) each; W/m2 and degrees."""

    ghi: FloatArray
    dni: FloatArray
    dhi: FloatArray
    zenith: FloatArray
    azimuth: FloatArray


def plant_of(site_id: str, seed: int, *, kwp: float | None = None, latitude: float = 51.2) -> Plant:
    """Return a site's plant, drawn from the seed and the site.

    Tilt 20 to 50 degrees in fives; azimuth spread about the side of the sun by 40 degrees, in
    steps of 15; size 4 to 12 kWp unless given.
    """
    draws = generator(seed, f"pv/{site_id}").random(3)
    size = 4.0 + 0.5 * np.floor(17.0 * draws[0]) if kwp is None else kwp
    tilt = 20.0 + 5.0 * np.floor(7.0 * draws[1])
    normal = float(ndtri(np.clip(draws[2], 1e-9, 1.0 - 1e-9)))
    turn = np.clip(15.0 * np.round(40.0 * normal / 15.0), -105.0, 105.0)
    side = 180.0 if latitude >= 0.0 else 0.0
    return Plant(float(size), float(tilt), float((side + turn) % 360.0))


@lru_cache(maxsize=8)
def _clouds(key: str, year: int, seed: int, index: tuple[float, ...]) -> FloatArray:
    """Return the clear-sky index of a UTC year in steps of 5 minutes.

    A day's index has the month's mean and a memory of the day before; within the day it wanders,
    most where the sky is neither clear nor overcast.
    """
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    draws = generator(seed, f"clouds/{key}/{year}")
    noise = ndtri(np.clip(draws.random(len(days)), 1e-9, 1.0 - 1e-9))
    latent = remembered(noise, _DAY_MEMORY)
    mean = np.array(index)[days.astype("datetime64[M]").astype(np.int64) % 12]
    # A power of a uniform number has the mean 1 / (1 + power).
    power = (1.0 - _DARKEST_DAY) / (np.clip(mean, 0.12, 0.98) - _DARKEST_DAY) - 1.0
    daily = _DARKEST_DAY + (1.0 - _DARKEST_DAY) * ndtr(latent) ** power
    steps = 86_400 // _CLOUD_STEP_S
    memory = float(np.exp(-_CLOUD_STEP_S / (60.0 * _CLOUD_MINUTES)))
    wander = ndtri(np.clip(draws.random(len(days) * steps), 1e-9, 1.0 - 1e-9))
    wander = remembered(wander, memory)
    level = np.repeat(daily, steps)
    found: FloatArray = np.clip(level + 1.2 * level * (1.0 - level) * wander, 0.03, 1.08)
    found.flags.writeable = False
    return found


def cloudiness(timeline: Timeline, sky: Sky, seed: int) -> FloatArray:
    """Return the clear-sky index of each step, the same whatever the timeline is cut from."""
    key = f"{sky.latitude:.1f}/{sky.longitude:.1f}"
    first = timeline.start.astype("datetime64[Y]").astype(int) + 1970
    last = (timeline.end - np.timedelta64(1, "s")).astype("datetime64[Y]").astype(int) + 1970
    series = np.concatenate(
        [_clouds(key, year, seed, sky.clear_sky_index) for year in range(first, last + 1)]
    )
    origin = np.datetime64(f"{first}-01-01T00:00:00", "s")
    total = np.concatenate([[0.0], np.cumsum(series)])
    shift = float((timeline.start - origin) / np.timedelta64(1, "s"))
    edges = (
        shift + np.arange(timeline.count + 1, dtype=np.float64) * timeline.step_s
    ) / _CLOUD_STEP_S
    means: FloatArray = np.diff(np.interp(edges, np.arange(len(total)), total))
    return means * _CLOUD_STEP_S / timeline.step_s


def irradiance(timeline: Timeline, sky: Sky, seed: int) -> Irradiance:
    """Return global, direct and diffuse irradiance at the middle of each step.

    Clear sky by Ineichen and Perez, split by Erbs, sun by the NREL algorithm (all pvlib).

    Raises
    ------
    InputError
        If the user's irradiance does not fit the timeline or is negative.
    """
    import pvlib

    middle = timeline.times + np.timedelta64(timeline.step_s // 2, "s")
    times = pd.DatetimeIndex(middle).tz_localize("UTC")
    sun = pvlib.solarposition.get_solarposition(times, sky.latitude, sky.longitude, sky.altitude_m)
    zenith = sun["apparent_zenith"].to_numpy()
    if sky.ghi_w_m2 is None:
        airmass = pvlib.atmosphere.get_relative_airmass(zenith)
        pressure = pvlib.atmosphere.alt2pres(sky.altitude_m)
        absolute = pvlib.atmosphere.get_absolute_airmass(airmass, pressure)
        extra = pvlib.irradiance.get_extra_radiation(times).to_numpy()
        # At night the airmass is undefined and the clear sky's formula divides by zero.
        with np.errstate(divide="ignore", invalid="ignore"):
            clear = pvlib.clearsky.ineichen(
                zenith, absolute, sky.linke_turbidity, sky.altitude_m, extra
            )
        ghi = np.nan_to_num(np.asarray(clear["ghi"])) * cloudiness(timeline, sky, seed)
    else:
        ghi = np.asarray(sky.ghi_w_m2, dtype=np.float64)
        if ghi.shape != (timeline.count,) or not np.isfinite(ghi).all() or (ghi < 0.0).any():
            message = f"ghi_w_m2 needs {timeline.count} values of zero or above, without gaps"
            raise InputError(message)
    parts = pvlib.irradiance.erbs(ghi, zenith, times)
    return Irradiance(
        ghi,
        np.nan_to_num(np.asarray(parts["dni"])),
        np.nan_to_num(np.asarray(parts["dhi"])),
        zenith,
        sun["azimuth"].to_numpy(),
    )


def plant_power(
    plant: Plant, light: Irradiance, temp_air_c: NDArray[np.float64], sky: Sky
) -> FloatArray:
    """Return a plant's power [kW], (time,), never above zero as it feeds.

    Parameters
    ----------
    plant : Plant
        Size and direction.
    light : Irradiance
        From `irradiance`.
    temp_air_c : numpy.ndarray
        (time,) [degC].
    sky : Sky
        Performance ratio.

    Notes
    -----
    Isotropic diffuse light, ground reflection of 0.2, -0.37 % per kelvin of the cell over 25 degC,
    inverter of the plant's kWp.
    """
    import pvlib

    toward = pvlib.irradiance.aoi_projection(plant.tilt, plant.azimuth, light.zenith, light.azimuth)
    lean = np.cos(np.deg2rad(plant.tilt))
    plane = (
        light.dni * np.maximum(toward, 0.0)
        + light.dhi * (1.0 + lean) / 2.0
        + light.ghi * _ALBEDO * (1.0 - lean) / 2.0
    ) / 1000.0
    cell = temp_air_c + _CELL_RISE_K * plane
    output = plane * (1.0 - _TEMPERATURE_LOSS_PER_K * (cell - 25.0)) * sky.performance_ratio
    power: FloatArray = -plant.kwp * np.clip(output, 0.0, 1.0)
    return power
