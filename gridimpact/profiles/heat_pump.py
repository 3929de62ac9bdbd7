"""Heat pumps of single homes: heat demand and efficiency by temperature, running in cycles.

Efficiency: I. Staffell, D. Brett, N. Brandon and A. Hawkes, "A review of domestic heat pumps",
Energy Environ. Sci. 5 (2012), 9291-9306, doi:10.1039/C2EE22653G. Flow temperatures: O. Ruhnau,
L. Hirth and A. Praktiknjo, "Time series of heat demand and heat pump efficiency for energy system
modeling", Sci. Data 6 (2019), 189, doi:10.1038/s41597-019-0199-y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gridimpact.profiles.blocks import Blocks, FloatArray, generator, remembered
from gridimpact.profiles.shapes import QUARTER_S, YearShape

HEATING_LIMIT_C = 15.0
"""No space heating above this mean outdoor temperature [degC]."""
_LOSS_KW_PER_K = 0.20
_LOSS_SPREAD = 0.25
_INERTIA_H = 24.0
# Below this the rated heat pump no longer covers the demand and a heating rod helps.
_BIVALENCE_C = -7.0
_INVERTER_SHARE = 0.75
_LEAST_OUTPUT = 0.35
_CYCLE_MIN = (35.0, 75.0)
_WATER_KWH_PER_DAY = 5.5
_WATER_C = 50.0
_WATER_WINDOW_H = 2.0
_WATER_HOURS = (4.0, 5.5, 12.5, 18.0, 20.0)


@dataclass(frozen=True)
class HeatPump:
    """Traits of one home's air-source heat pump.

    Attributes
    ----------
    loss_kw_per_k : float
        Heat demand per kelvin below the heating limit [kW/K].
    floor_heating : bool
        Flow at 30 - 0.5 T instead of 40 - T for radiators [degC].
    inverter : bool
        Modulates down to 35 % of its rating; otherwise on or off.
    setback : float
        Heating at night as a part of that by day, 0..1.
    morning_h : float
        Local clock hour at which the night ends.
    water_h : float
        Local clock hour of the daily hot-water charge.
    water_kwh : float
        Heat for hot water per day [kWh].
    """

    loss_kw_per_k: float
    floor_heating: bool
    inverter: bool
    setback: float
    morning_h: float
    water_h: float
    water_kwh: float


def cop_air(temp_air_c: NDArray[np.float64], sink_c: NDArray[np.float64]) -> FloatArray:
    """Return the coefficient of performance of an air-source heat pump.

    Parameters
    ----------
    temp_air_c : array_like
        Outdoor air [degC].
    sink_c : array_like
        Water to be heated [degC].

    Returns
    -------
    numpy.ndarray
        6.81 - 0.121 dT + 0.000630 dT^2 with the lift dT held within its range of validity, 15 to
        60 K (Staffell et al. 2012).

    Examples
    --------
    >>> np.round(cop_air(np.array([7.0, -7.0]), np.array([35.0, 45.0])), 2)
    array([3.92, 2.22])
    """
    lift = np.clip(np.asarray(sink_c) - np.asarray(temp_air_c), 15.0, 60.0)
    cop: FloatArray = 6.81 - 0.121 * lift + 0.000630 * lift**2
    return cop


def flow_temperature(temp_air_c: NDArray[np.float64], floor_heating: bool) -> FloatArray:
    """Return the flow temperature of the heating curve [degC] (Ruhnau et al. 2019)."""
    air = np.asarray(temp_air_c, dtype=np.float64)
    return np.maximum(30.0 - 0.5 * air if floor_heating else 40.0 - air, 22.0)


def heat_pump_of(site_id: str, seed: int) -> HeatPump:
    """Return the traits of a home's heat pump, drawn from the seed and the site."""
    draws = generator(seed, f"heat pump/{site_id}").random(8)
    spread = _LOSS_SPREAD * float(ndtri(np.clip(draws[0], 1e-9, 1.0 - 1e-9)))
    return HeatPump(
        loss_kw_per_k=_LOSS_KW_PER_K * float(np.exp(spread)),
        floor_heating=bool(draws[1] < 0.5),
        inverter=bool(draws[2] < _INVERTER_SHARE),
        setback=0.6 + 0.4 * float(draws[3]),
        morning_h=4.5 + 3.0 * float(draws[4]),
        water_h=_WATER_HOURS[int(draws[5] * len(_WATER_HOURS))] + float(draws[6]),
        water_kwh=_WATER_KWH_PER_DAY * (0.6 + 0.8 * float(draws[7])),
    )


def heat_demand(pump: HeatPump, temp_air_c: FloatArray, hour: FloatArray) -> FloatArray:
    """Return the space-heating demand [kW] per quarter hour.

    Parameters
    ----------
    pump : HeatPump
        Traits.
    temp_air_c : numpy.ndarray
        (quarter hour,) outdoor air [degC].
    hour : numpy.ndarray
        (quarter hour,) local clock hour.

    Returns
    -------
    numpy.ndarray
        Loss times kelvin below the heating limit of the temperature smoothed over a day, lower at
        night, raised by day so that the setback saves nothing; zero during the hot-water charge.
    """
    memory = float(np.exp(-QUARTER_S / (3600.0 * _INERTIA_H)))
    begin = float(np.mean(temp_air_c[:96]))
    smooth = remembered(temp_air_c - begin, memory, unit=False) + begin
    night = (hour < pump.morning_h) | (hour >= 22.0)
    pattern = np.where(night, pump.setback, 1.0) * ~_charging(pump, hour)
    pattern = pattern / pattern.mean()
    demand: FloatArray = pump.loss_kw_per_k * np.maximum(HEATING_LIMIT_C - smooth, 0.0) * pattern
    return demand


def rated_p_kw(pump: HeatPump) -> float:
    """Return the electric rating [kW]: the demand at -7 degC with a tenth to spare."""
    cold = np.array([_BIVALENCE_C])
    cop = float(cop_air(cold, flow_temperature(cold, pump.floor_heating))[0])
    return 1.1 * pump.loss_kw_per_k * (HEATING_LIMIT_C - _BIVALENCE_C) / cop


def electric_demand(pump: HeatPump, temp_air_c: FloatArray, hour: FloatArray) -> FloatArray:
    """Return the electric power that space heating needs on average [kW] per quarter hour."""
    heat = heat_demand(pump, temp_air_c, hour)
    cop = cop_air(temp_air_c, flow_temperature(temp_air_c, pump.floor_heating))
    own = np.minimum(heat / cop, rated_p_kw(pump))
    # The heating rod turns electricity to heat one to one.
    demand: FloatArray = own + (heat - own * cop)
    return demand


def heat_pump_year(
    site_id: str, shape: YearShape, temp_air_c: FloatArray, seed: int
) -> tuple[HeatPump, Blocks]:
    """Return one home's heat pump over a local year.

    Parameters
    ----------
    site_id : str
        Key of the draws.
    shape : YearShape
        The year's clock.
    temp_air_c : numpy.ndarray
        (quarter hour,) outdoor air of the year [degC].
    seed : int
        Seed of the study.

    Returns
    -------
    HeatPump
        Traits.
    Blocks
        Runs; each cycle draws the energy its time demands, so energy is exact. A unit that need not
        run all the time runs at its least power for a part of the cycle.
    """
    pump = heat_pump_of(site_id, seed)
    draws = generator(seed, f"heat pump/{site_id}/{shape.year}")
    demand = electric_demand(pump, temp_air_c, shape.hour)
    demand += hot_water_demand(pump, shape, temp_air_c, draws)
    length_s = float(shape.length_s)
    shortest, longest = (60.0 * minutes for minutes in _CYCLE_MIN)
    count = int(length_s / shortest) + 2
    inner = np.cumsum(shortest + (longest - shortest) * draws.random(count))
    edges = np.concatenate([[0.0], inner[inner < length_s - shortest], [length_s]])
    grid = np.arange(len(demand) + 1, dtype=np.float64) * QUARTER_S
    total = np.concatenate([[0.0], np.cumsum(demand) * QUARTER_S])
    need = np.diff(np.interp(edges, grid, total)) / np.diff(edges)
    least = rated_p_kw(pump) * (_LEAST_OUTPUT if pump.inverter else 1.0)
    part = np.minimum(need / least, 1.0)
    end = edges[:-1] + part * np.diff(edges)
    return pump, Blocks(edges[:-1], end, np.maximum(need, least))


def hot_water_demand(
    pump: HeatPump, shape: YearShape, temp_air_c: FloatArray, draws: np.random.Generator
) -> FloatArray:
    """Return the electric power of the daily hot-water charge [kW], (quarter hour,)."""
    daily = pump.water_kwh * (0.5 + draws.random(int(shape.day[-1]) + 1))
    cop = cop_air(temp_air_c, np.full(len(temp_air_c), _WATER_C))
    charging = _charging(pump, shape.hour)
    demand: FloatArray = np.where(charging, daily[shape.day] / _WATER_WINDOW_H / cop, 0.0)
    return demand


def _charging(pump: HeatPump, hour: FloatArray) -> NDArray[np.bool_]:
    """Return whether hot water is charged, when space heating rests."""
    return (hour >= pump.water_h) & (hour < pump.water_h + _WATER_WINDOW_H)
