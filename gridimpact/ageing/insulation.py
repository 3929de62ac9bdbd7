"""How fast paper ages at a hot-spot temperature, and what that costs of its life.

Rates are relative: 1 is normal ageing. Temperatures come from a thermal model, not from here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray

KELVIN = 273.0
"""Offset used by IEEE C57.91 itself; 273.15 changes the loss of life by 0.3 %."""

ACTIVATION_K = 15_000.0
"""Slope of the ageing law of IEEE C57.91 [K]."""

NORMAL_LIFE_H = 180_000.0
"""Normal insulation life, functional-life end point, 20.55 years [h]."""


@dataclass(frozen=True, slots=True)
class Insulation:
    """One kind of insulating paper and its ageing law.

    Attributes
    ----------
    name : str
        Name used as an argument.
    reference_c : float
        Hot-spot temperature of normal ageing [degC].
    law : str
        ``"arrhenius"``: exp(15000/(reference + 273) - 15000/(hot spot + 273));
        ``"six_degrees"``: the rate doubles with every 6 K.
    source : str
        Standard the law is printed in.
    """

    name: str
    reference_c: float
    law: str
    source: str


_TABLE = (
    Insulation("upgraded", 110.0, "arrhenius", "IEEE C57.91-2011, 65 K average winding rise"),
    Insulation("rise_55", 95.0, "arrhenius", "IEEE C57.91, 55 K average winding rise"),
    Insulation("non_upgraded", 98.0, "six_degrees", "IEC 60076-7:2018, non-upgraded paper"),
)

INSULATIONS: Mapping[str, Insulation] = MappingProxyType({kind.name: kind for kind in _TABLE})
"""Known kinds of insulation by name."""

LIFE_DEFINITIONS: Mapping[str, float] = MappingProxyType(
    {
        "tensile_50": 65_000.0,
        "tensile_25": 135_000.0,
        "polymerisation_200": 150_000.0,
        "functional": NORMAL_LIFE_H,
    }
)
"""Normal life by its end point [h]: retained tensile strength 50 and 25 %, degree of polymerisation
200, functional life of distribution transformers (IEEE C57.91-2011, table 2)."""


def insulation_named(name: str) -> Insulation:
    """Return a kind of insulation by name.

    Raises
    ------
    InputError
        If the name is unknown; the nearest known one is offered.
    """
    if name in INSULATIONS:
        return INSULATIONS[name]
    near = difflib.get_close_matches(name, INSULATIONS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"insulation {name!r} is unknown, known are {', '.join(INSULATIONS)}{hint}"
    raise InputError(message)


def ageing_rate(hot_spot_c: ArrayLike, insulation: str = "upgraded") -> FloatArray:
    """Return the ageing rate relative to normal.

    Parameters
    ----------
    hot_spot_c : array_like
        Winding hot-spot temperature, any shape [degC].
    insulation : str
        A name of `INSULATIONS`.

    Returns
    -------
    numpy.ndarray
        Ageing acceleration factor, same shape, 1 at the insulation's reference temperature [1].

    Raises
    ------
    InputError
        If the insulation is unknown.

    Notes
    -----
    Validity: both laws are fits for clean, dry oil-paper systems between about 80 and 180 degC;
    moisture and oxygen speed ageing and are not in them.

    Examples
    --------
    >>> ageing_rate([98.0, 110.0, 120.0]).round(4)
    array([0.2817, 1.    , 2.7089])
    >>> ageing_rate([98.0, 104.0], "non_upgraded")
    array([1., 2.])
    """
    kind = insulation_named(insulation)
    hot_spot = np.asarray(hot_spot_c, dtype=np.float64)
    if kind.law == "six_degrees":
        return cast("FloatArray", np.exp2((hot_spot - kind.reference_c) / 6.0))
    reference = ACTIVATION_K / (kind.reference_c + KELVIN)
    return cast("FloatArray", np.exp(reference - ACTIVATION_K / (hot_spot + KELVIN)))


def ageing_rates(hot_spot_c: FloatArray, insulation: tuple[str, ...]) -> FloatArray:
    """Return ageing rates where each transformer has its own insulation.

    Parameters
    ----------
    hot_spot_c : numpy.ndarray
        (..., transformer) hot-spot temperature [degC].
    insulation : tuple of str
        (transformer,) names of `INSULATIONS`.

    Returns
    -------
    numpy.ndarray
        (..., transformer) ageing acceleration factor [1].
    """
    if hot_spot_c.shape[-1] != len(insulation):
        message = f"{len(insulation)} insulations given for {hot_spot_c.shape[-1]} transformers"
        raise InputError(message)
    rates = np.empty_like(hot_spot_c, dtype=np.float64)
    names = np.asarray(insulation, dtype=object)
    for name in dict.fromkeys(insulation):
        chosen = names == name
        rates[..., chosen] = ageing_rate(hot_spot_c[..., chosen], name)
    return rates


def equivalent_ageing(
    rate: FloatArray, *, counted: BoolArray | None = None, axis: int = -2
) -> FloatArray:
    """Return the mean ageing rate over equal steps, 1 is normal ageing.

    Parameters
    ----------
    rate : numpy.ndarray
        (..., time, transformer) ageing rate [1]; NaN is left out of the mean.
    counted : numpy.ndarray, optional
        (time,) steps that count; all by default.
    axis : int
        The time axis.

    Returns
    -------
    numpy.ndarray
        Equivalent ageing factor, NaN where no step counts (IEEE C57.91-2011, equation 3).

    Examples
    --------
    >>> halves = ageing_rate(np.repeat([110.0, 120.0], 12))[:, None]
    >>> equivalent_ageing(halves).round(6)
    array([1.854463])
    """
    moved = np.moveaxis(np.asarray(rate, dtype=np.float64), axis, 0)
    if counted is not None:
        moved = moved[counted]
    known = ~np.isnan(moved)
    steps = known.sum(axis=0)
    total = np.where(known, moved, 0.0).sum(axis=0)
    return cast("FloatArray", np.where(steps > 0, total / np.maximum(steps, 1), np.nan))


def loss_of_life_percent(
    equivalent: ArrayLike, hours: float, *, life_h: float = NORMAL_LIFE_H
) -> FloatArray:
    """Return the share of insulation life used in some hours.

    Parameters
    ----------
    equivalent : array_like
        Equivalent ageing factor over these hours [1].
    hours : float
        Length of the time looked at [h].
    life_h : float
        Normal life [h]; see `LIFE_DEFINITIONS`.

    Returns
    -------
    numpy.ndarray
        Loss of life [%] (IEEE C57.91-2011, equation 4).

    Raises
    ------
    InputError
        If the life or the hours are not positive.

    Examples
    --------
    >>> round(float(loss_of_life_percent(1.0, 24.0)), 6)
    0.013333
    """
    if not (life_h > 0.0 and hours >= 0.0):
        message = f"life of {life_h} h and {hours} h looked at: the life must be above 0, the hours not below"
        raise InputError(message)
    return np.asarray(equivalent, dtype=np.float64) * (100.0 * hours / life_h)


def end_of_life_years(equivalent: ArrayLike, *, life_h: float = NORMAL_LIFE_H) -> FloatArray:
    """Return the years until the insulation's life is used up at a yearly equivalent ageing.

    Below an equivalent of 0.01 other causes end a transformer first: the answer is NaN, to be read
    as "life is not limiting".

    Examples
    --------
    >>> end_of_life_years([1.0, 0.005]).round(2)
    array([20.55,   nan])
    """
    factor = np.asarray(equivalent, dtype=np.float64)
    limiting = factor >= NOT_LIMITING_BELOW
    years = life_h / (8_760.0 * np.where(limiting, factor, 1.0))
    return cast("FloatArray", np.where(limiting, years, np.nan))


NOT_LIMITING_BELOW = 0.01
"""Equivalent ageing below which no end-of-life year is given."""
