"""State of charge over one step: losses both ways, power that falls near full and near empty.

Pure functions that broadcast over numpy arrays. Plans over many steps live in `gridimpact.dispatch`.
Powers are net: where the conversion has a constant loss, `net_kw` and `meter_kw` stand between them
and the meter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_FLAT = 1e-12
"""A slope of the limit below this [1] is no taper at all."""


def mean_charge_limit_kw(
    soc: ArrayLike,
    dt_h: ArrayLike,
    p_max_kw: ArrayLike,
    capacity_kwh: ArrayLike,
    eta_charge: ArrayLike,
    soc_knee: ArrayLike,
    taper_fraction: ArrayLike,
    soc_max: ArrayLike = 1.0,
) -> FloatArray:
    """Return the highest mean charging power of one step, positive draws from the grid.

    Parameters
    ----------
    soc : array_like
        State of charge before the step [1].
    dt_h : array_like
        Step [h].
    p_max_kw : array_like
        Highest draw at the meter below the knee, a constant loss taken off [kW].
    capacity_kwh : array_like
        Battery capacity [kWh].
    eta_charge : array_like
        Battery energy gained per energy drawn at the meter, 0..1.
    soc_knee : array_like
        Power is constant up to here, then falls linearly with the state of charge [1].
    taper_fraction : array_like
        Share of `p_max_kw` left at state of charge 1.
    soc_max : array_like
        Charging stops here [1].

    Returns
    -------
    ndarray
        Mean over the step [kW], broadcast shape of the arguments.

    Notes
    -----
    Above the knee ``ds/dt = r (1 - a (s - knee))`` with ``r = eta p_max / capacity`` and
    ``a = (1 - taper_fraction) / (1 - knee)``, so the state approaches its end exponentially and the
    mean follows in closed form; the step may begin below the knee and end above it.

    Validity
    --------
    Two-stage model (constant, then linear in the state of charge); no temperature, no ageing.

    Examples
    --------
    >>> float(mean_charge_limit_kw(0.2, 0.25, 11.0, 50.0, 0.9, 0.8, 0.0).round(6))
    11.0
    >>> float(mean_charge_limit_kw(0.85, 5 / 60, 7.68, 100.0, 1.0, 0.8, 0.0).round(6))
    5.668815
    """
    soc, dt, knee = _float(soc), _float(dt_h), _float(soc_knee)
    rate = _float(eta_charge) * _float(p_max_kw) / _float(capacity_kwh)
    slope = _slope(knee, _float(taper_fraction))
    taper = slope > _FLAT
    divisor = np.where(taper, slope, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(taper & (soc < knee), np.minimum((knee - soc) / rate, dt), 0.0)
    below = np.where(rate > 0.0, below, 0.0)
    begin = np.where(taper, np.maximum(soc, knee), soc)
    left = np.maximum(1.0 - divisor * (begin - knee), 0.0)
    above = np.where(
        taper, -left * np.expm1(-divisor * rate * (dt - below)) / divisor, rate * (dt - below)
    )
    gain = np.minimum(rate * below + above, np.maximum(_float(soc_max) - soc, 0.0))
    return np.asarray(gain * _float(capacity_kwh) / (_float(eta_charge) * dt), dtype=np.float64)


def mean_discharge_limit_kw(
    soc: ArrayLike,
    dt_h: ArrayLike,
    p_max_kw: ArrayLike,
    capacity_kwh: ArrayLike,
    eta_discharge: ArrayLike,
    soc_floor: ArrayLike,
    soc_knee: ArrayLike = 0.0,
    taper_fraction: ArrayLike = 1.0,
) -> FloatArray:
    """Return the highest mean feed of one step at the meter, a magnitude.

    Parameters
    ----------
    soc : array_like
        State of charge before the step [1].
    dt_h : array_like
        Step [h].
    p_max_kw : array_like
        Highest feed at the meter above the knee, a constant loss added [kW].
    capacity_kwh : array_like
        Battery capacity [kWh].
    eta_discharge : array_like
        Energy delivered at the meter per battery energy lost, 0..1.
    soc_floor : array_like
        No discharge below this state of charge [1].
    soc_knee : array_like
        Power is constant down to here, then falls linearly with the state of charge [1].
    taper_fraction : array_like
        Share of `p_max_kw` left at state of charge 0.

    Returns
    -------
    ndarray
        Mean over the step [kW], zero at or below the floor.

    Notes
    -----
    An emptying battery is a filling one seen from above: the closed form of `mean_charge_limit_kw` holds
    for ``1 - soc``.

    Examples
    --------
    >>> float(mean_discharge_limit_kw(0.5, 1.0, 6.0, 24.0, 1.0, 0.4).round(9))
    2.4
    >>> float(mean_discharge_limit_kw(0.1, 1e-9, 6.0, 24.0, 1.0, 0.0, 0.2, 0.5).round(6))
    4.5
    """
    spare = np.maximum(_float(soc) - _float(soc_floor), 0.0)
    held = spare * _float(capacity_kwh) * _float(eta_discharge) / _float(dt_h)
    whole = np.minimum(_float(p_max_kw), held)
    falls = (_float(soc_knee) > 0.0) & (_float(taper_fraction) < 1.0)
    if not np.any(falls):
        return np.asarray(whole, dtype=np.float64)
    # Charging from outside into a battery whose efficiency is the inverse.
    mirrored = mean_charge_limit_kw(
        1.0 - _float(soc),
        dt_h,
        p_max_kw,
        capacity_kwh,
        1.0 / _float(eta_discharge),
        1.0 - _float(soc_knee),
        taper_fraction,
    )
    return np.asarray(np.where(falls, np.minimum(held, mirrored), whole), dtype=np.float64)


def net_kw(p_kw: ArrayLike, idle_kw: ArrayLike) -> FloatArray:
    """Return the power to which the efficiencies apply: that of the meter less the constant loss.

    Parameters
    ----------
    p_kw : array_like
        Power at the meter [kW], positive draws from the grid.
    idle_kw : array_like
        Constant loss of the conversion while power flows [kW].

    Returns
    -------
    ndarray
        ``p - idle`` [kW] while power flows, zero at rest and for draws up to the loss.

    Examples
    --------
    >>> net_kw([3.0, 0.1, 0.0, -3.0], 0.2).tolist()
    [2.8, 0.0, 0.0, -3.2]
    """
    power, idle = _float(p_kw), _float(idle_kw)
    draws = np.maximum(power - idle, 0.0)
    return np.asarray(np.where(power > 0.0, draws, np.where(power < 0.0, power - idle, 0.0)))


def meter_kw(net: ArrayLike, idle_kw: ArrayLike) -> FloatArray:
    """Return the power at the meter of a net power, the inverse of `net_kw`.

    Parameters
    ----------
    net : array_like
        Power to which the efficiencies apply [kW], positive charges.
    idle_kw : array_like
        Constant loss of the conversion while power flows [kW].

    Returns
    -------
    ndarray
        Power at the meter [kW]; zero where a discharge would not cover the loss.

    Examples
    --------
    >>> meter_kw([2.8, 0.0, -0.1, -3.2], 0.2).tolist()
    [3.0, 0.0, 0.0, -3.0]
    """
    power, idle = _float(net), _float(idle_kw)
    draws = np.where(power > 0.0, power + idle, 0.0)
    return np.asarray(np.where(power < 0.0, np.minimum(power + idle, 0.0), draws))


def soc_after(
    soc: ArrayLike,
    p_kw: ArrayLike,
    dt_h: ArrayLike,
    capacity_kwh: ArrayLike,
    eta_charge: ArrayLike,
    eta_discharge: ArrayLike,
) -> FloatArray:
    """Return the state of charge at the end of a step of constant mean power.

    Parameters
    ----------
    soc : array_like
        State of charge before the step [1].
    p_kw : array_like
        Mean power at the meter, a constant loss taken off (`net_kw`) [kW], positive draws from the grid.
    dt_h : array_like
        Step [h].
    capacity_kwh : array_like
        Battery capacity [kWh].
    eta_charge, eta_discharge : array_like
        Efficiencies between meter and battery, 0..1.

    Returns
    -------
    ndarray
        State of charge [1]; not limited, limits are the caller's.

    Examples
    --------
    >>> float(soc_after(0.5, 10.0, 1.0, 50.0, 0.9, 0.9).round(9))
    0.68
    >>> float(soc_after(0.5, -9.0, 1.0, 50.0, 0.9, 0.9).round(9))
    0.3
    """
    power = _float(p_kw)
    battery_kw = np.where(power > 0.0, power * _float(eta_charge), power / _float(eta_discharge))
    return np.asarray(_float(soc) + battery_kw * _float(dt_h) / _float(capacity_kwh))


def soc_needed_before(
    soc_needed: ArrayLike,
    dt_h: ArrayLike,
    p_max_kw: ArrayLike,
    capacity_kwh: ArrayLike,
    eta_charge: ArrayLike,
    soc_knee: ArrayLike,
    taper_fraction: ArrayLike,
) -> FloatArray:
    """Return the state of charge from which a step of full power reaches `soc_needed`.

    Parameters
    ----------
    soc_needed : array_like
        State of charge wanted at the end of the step [1].
    dt_h, p_max_kw, capacity_kwh, eta_charge, soc_knee, taper_fraction : array_like
        As in `mean_charge_limit_kw`.

    Returns
    -------
    ndarray
        State of charge [1], the inverse of a full-power step; below zero where a full step is more than
        enough. A full battery whose power falls to nothing is never reached, so it needs itself.

    Examples
    --------
    >>> float(soc_needed_before(0.7, 1.0, 11.0, 50.0, 0.9, 0.8, 0.0).round(9))
    0.502
    """
    need, dt, knee = _float(soc_needed), _float(dt_h), _float(soc_knee)
    rate = _float(eta_charge) * _float(p_max_kw) / _float(capacity_kwh)
    slope = _slope(knee, _float(taper_fraction))
    taper = (slope > _FLAT) & (need > knee)
    divisor = np.where(taper, slope, 1.0)
    left = np.where(taper, np.maximum(1.0 - divisor * (need - knee), 0.0), 1.0)
    speed = divisor * rate
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        above = np.where(speed > 0.0, -np.log(left) / speed, np.inf)
        inside = need - left * np.expm1(speed * dt) / divisor
    above = np.where(taper, above, 0.0)
    crossed = knee - rate * (dt - np.minimum(above, dt))
    plain = need - rate * dt
    return np.asarray(np.where(taper, np.where(above >= dt, inside, crossed), plain))


def _slope(knee: FloatArray, taper_fraction: FloatArray) -> FloatArray:
    """Return the fall of relative power per unit of state of charge above the knee."""
    width = np.where(knee < 1.0, 1.0 - knee, 1.0)
    return np.asarray(np.where(knee < 1.0, (1.0 - taper_fraction) / width, 0.0))


def _float(values: ArrayLike) -> FloatArray:
    """Return values as float64 without a copy where they are."""
    return np.asarray(values, dtype=np.float64)
