"""From ageing to years and money: what is left of a life, when it ends, what a strategy costs of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.ageing.insulation import NORMAL_LIFE_H
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray

HOURS_PER_YEAR = 8_760.0


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a new transformer costs, and what money costs.

    Attributes
    ----------
    cost : float
        Price with installation [currency].
    discount_rate : float
        Real rate per year, 0.04 is 4 % [1].
    other_life_years : float
        Age at which it is replaced for other reasons (corrosion, leaks, changed needs) [years].

    Raises
    ------
    InputError
        If a value lies outside its range.
    """

    cost: float
    discount_rate: float = 0.04
    other_life_years: float = 40.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        ranges = {"cost": (0.0, 1e9), "discount_rate": (0.0, 0.5), "other_life_years": (1.0, 200.0)}
        raise_problems(
            [
                Problem(
                    f"replacement {name}", f"is {getattr(self, name)}, must be {low:g} to {high:g}"
                )
                for name, (low, high) in ranges.items()
                if not low <= getattr(self, name) <= high
            ],
            "transformer life",
        )


def remaining_years(
    equivalent_ageing: ArrayLike,
    *,
    used_percent: ArrayLike = 0.0,
    life_h: float = NORMAL_LIFE_H,
    growth: float = 0.0,
) -> FloatArray:
    """Return the years until the insulation's life is used up, if every year ages as the assessed one.

    Parameters
    ----------
    equivalent_ageing : array_like
        Mean ageing rate over an assessed year, 1 is normal [1].
    used_percent : array_like
        Share of the life used so far [%].
    life_h : float
        Normal life [h]; see `gridimpact.ageing.LIFE_DEFINITIONS`.
    growth : float
        Growth of the ageing rate per year, 0.1 is 10 % [1].

    Returns
    -------
    numpy.ndarray
        Years; infinite where nothing ages, 0 where the life is used up already. A number of hundreds of
        years says that something else ends the transformer first.

    Examples
    --------
    >>> remaining_years([1.0, 2.0], used_percent=50.0).round(2)
    array([10.27,  5.14])
    >>> float(remaining_years(0.5, growth=0.1).round(2))
    16.71
    """
    rate = np.asarray(equivalent_ageing, dtype=np.float64)
    left = np.maximum(1.0 - np.asarray(used_percent, dtype=np.float64) / 100.0, 0.0)
    with np.errstate(divide="ignore"):
        years = left * life_h / (HOURS_PER_YEAR * rate)
    if growth > 0.0:
        pace = np.log1p(growth)
        years = np.log1p(years * pace) / pace
    return np.asarray(np.where(left > 0.0, years, 0.0))


def end_of_life_year(assessed_year: int, years: ArrayLike) -> FloatArray:
    """Return the calendar year in which the insulation's life ends, NaN beyond a hundred years.

    Examples
    --------
    >>> end_of_life_year(2026, [12.4, 800.0])
    array([2038.,   nan])
    """
    left = np.asarray(years, dtype=np.float64)
    return np.where(left <= 100.0, np.floor(assessed_year + np.minimum(left, 100.0)), np.nan)


def replaced_after_years(
    equivalent_ageing: ArrayLike,
    replacement: Replacement,
    *,
    age_years: float = 0.0,
    used_percent: ArrayLike = 0.0,
    life_h: float = NORMAL_LIFE_H,
) -> FloatArray:
    """Return the years until a transformer is replaced: worn out, or old for other reasons.

    Parameters
    ----------
    equivalent_ageing, used_percent, life_h
        As `remaining_years`.
    replacement : Replacement
        Gives the age at which it goes anyway.
    age_years : float
        Age today [years].
    """
    worn = remaining_years(equivalent_ageing, used_percent=used_percent, life_h=life_h)
    anyway = max(replacement.other_life_years - age_years, 0.0)
    return np.minimum(worn, anyway)


def present_cost(years_to_replacement: ArrayLike, replacement: Replacement) -> FloatArray:
    """Return today's worth of paying for a replacement in some years [currency].

    Examples
    --------
    >>> present_cost([0.0, 20.0], Replacement(10_000.0, 0.04)).round(0)
    array([10000.,  4564.])
    """
    years = np.asarray(years_to_replacement, dtype=np.float64)
    return np.asarray(replacement.cost * (1.0 + replacement.discount_rate) ** -years)


def yearly_cost_of_life(
    equivalent_ageing: ArrayLike, replacement: Replacement, *, life_h: float = NORMAL_LIFE_H
) -> FloatArray:
    """Return what a year's wear costs: the price times the share of the life it uses [currency/year].

    No discounting: a share of an asset used is a share of its price. `deferral` values time.

    Examples
    --------
    >>> yearly_cost_of_life([1.0, 0.0], Replacement(10_000.0)).round(1)
    array([486.7,   0. ])
    """
    rate = np.asarray(equivalent_ageing, dtype=np.float64)
    return np.asarray(rate * replacement.cost * HOURS_PER_YEAR / life_h)


@dataclass(frozen=True, slots=True)
class Deferral:
    """What a strategy gains over another by wearing a transformer less; negative where it wears more.

    Attributes
    ----------
    years : numpy.ndarray
        Replacement comes this much later [years].
    worth : numpy.ndarray
        Today's worth of that [currency].
    per_ev : numpy.ndarray or None
        The same per car [currency].
    """

    years: FloatArray
    worth: FloatArray
    per_ev: FloatArray | None


def deferral(
    equivalent_ageing: ArrayLike,
    against: ArrayLike,
    replacement: Replacement,
    *,
    age_years: float = 0.0,
    used_percent: ArrayLike = 0.0,
    cars: int | None = None,
    life_h: float = NORMAL_LIFE_H,
) -> Deferral:
    """Return how much later a transformer is replaced under one ageing than under another.

    Parameters
    ----------
    equivalent_ageing, against : array_like
        Mean ageing rate under the strategy and under what it is compared with [1].
    replacement : Replacement
        Price, rate and other end of life.
    age_years, used_percent, life_h
        As `replaced_after_years`.
    cars : int, optional
        Cars behind the transformer.

    Examples
    --------
    >>> found = deferral(0.8, 2.0, Replacement(10_000.0))
    >>> float(found.years.round(2)), float(found.worth.round(0))
    (15.41, 3032.0)
    """
    later, sooner = (
        replaced_after_years(
            rate, replacement, age_years=age_years, used_percent=used_percent, life_h=life_h
        )
        for rate in (equivalent_ageing, against)
    )
    worth = present_cost(sooner, replacement) - present_cost(later, replacement)
    return Deferral(later - sooner, worth, worth / cars if cars else None)
