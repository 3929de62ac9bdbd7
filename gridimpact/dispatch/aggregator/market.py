"""Offers to a market: firm power by block, a least size, and how many cars reach it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.dispatch.aggregator.profile import FleetProfile
from gridimpact.errors import InputError
from gridimpact.records import FloatArray

__all__ = ["DIRECTIONS", "MarketRules", "bids", "cars_for", "firm_power"]

DIRECTIONS = ("up", "down")


@dataclass(frozen=True)
class MarketRules:
    """What a market takes.

    Parameters
    ----------
    min_kw : float
        Least offer [kW]: 1 MW is usual, 100 kW was taken in the pilot in PJM's area.
    block_kw : float
        Offers are whole multiples of this [kW]; 0 takes any.
    block_h : float
        Hours for which an offer stands.
    confidence : float
        Share of days on which the power offered is really there, above 0 and below 1.
    whole_day : bool
        The confidence holds for all blocks of a day at once, not for each on its own.

    Raises
    ------
    InputError
        If a value lies outside its range.
    """

    min_kw: float = 1000.0
    block_kw: float = 100.0
    block_h: float = 1.0
    confidence: float = 0.9
    whole_day: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if not (self.min_kw >= 0.0 and self.block_kw >= 0.0 and self.block_h > 0.0):
            message = (
                f"min_kw {self.min_kw} and block_kw {self.block_kw} must be 0 or more, "
                f"block_h {self.block_h} above 0"
            )
            raise InputError(message)
        if not 0.0 < self.confidence < 1.0:
            message = f"confidence is {self.confidence}, give a share between 0 and 1, such as 0.9"
            raise InputError(message)

    def offer_kw(self, firm_kw: float) -> float:
        """Return what can be offered of a firm power [kW]: whole blocks, or 0 below the least size.

        Examples
        --------
        >>> MarketRules(min_kw=100.0).offer_kw(90.0), MarketRules(min_kw=100.0).offer_kw(250.0)
        (0.0, 200.0)
        """
        whole = firm_kw
        if self.block_kw > 0.0:
            whole = math.floor(firm_kw / self.block_kw + 1e-9) * self.block_kw
        return whole if whole >= self.min_kw - 1e-9 and whole > 0.0 else 0.0


def firm_power(samples: FloatArray, confidence: float, *, whole_day: bool = False) -> FloatArray:
    """Return the power that is there on a share `confidence` of the days, by block.

    Parameters
    ----------
    samples : ndarray
        (day, block) [kW]
    confidence : float
        Share of days.
    whole_day : bool
        Of days on which all blocks reach their power; then the median day is scaled down until that
        share of the days lies above it.

    Returns
    -------
    ndarray
        (block,) [kW]; zero where there are fewer days than ``1 / (1 - confidence) - 1``, as they cannot
        tell.

    Notes
    -----
    Of n days that are alike, the k-th least is undercut by another such day with probability k / (n + 1);
    k is the largest with ``k / (n + 1) <= 1 - confidence``. So the share holds for days not yet seen.
    """
    days = len(samples)
    k = math.floor((days + 1) * (1.0 - confidence) + 1e-9)
    if k < 1:
        return np.zeros(samples.shape[1])
    if not whole_day:
        return np.asarray(np.sort(samples, axis=0)[k - 1])
    usual = np.median(samples, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(usual > 0.0, samples / usual, np.inf).min(axis=1)
    scale = np.sort(reached)[k - 1]
    return np.asarray(usual * min(scale, 1.0) if np.isfinite(scale) else usual * 0.0)


def bids(fleet: FleetProfile, rules: MarketRules | None = None) -> pd.DataFrame:
    """Return the offers of a fleet, one row per direction and block.

    Parameters
    ----------
    fleet : FleetProfile
        From `profile` or `portfolio`.
    rules : MarketRules, optional
        1 MW, whole 100 kW, hourly, 90 % of days by default.

    Returns
    -------
    DataFrame
        ``direction hour firm_kw offer_kw accepted reason``: firm power at the confidence asked for, the
        power offered (0 where rejected), and why an offer is rejected.

    Raises
    ------
    InputError
        If the profile's blocks are not those of the market.
    """
    rules = MarketRules() if rules is None else rules
    if abs(rules.block_h - fleet.block_h) > 1e-9:
        message = (
            f"the market's blocks last {rules.block_h:g} h, those of the profile {fleet.block_h:g} h; "
            f"make the profile with block_h={rules.block_h:g}"
        )
        raise InputError(message)
    few = (fleet.days + 1) * (1.0 - rules.confidence) + 1e-9 < 1.0
    rows = []
    for direction in DIRECTIONS:
        firm = firm_power(
            getattr(fleet, f"{direction}_kw"), rules.confidence, whole_day=rules.whole_day
        )
        for hour, power in zip(fleet.hours, firm, strict=True):
            offer = rules.offer_kw(float(power))
            reason = "" if offer > 0.0 else f"below {rules.min_kw:g} kW"
            if few:
                reason = f"{fleet.days} days cannot show {rules.confidence:g} of all days"
            rows.append((direction, hour, float(power), offer, offer > 0.0, reason))
    names = ["direction", "hour", "firm_kw", "offer_kw", "accepted", "reason"]
    return pd.DataFrame(rows, columns=names)


def cars_for(min_kw: float, kw_per_car: float, *, margin: float = 1.0) -> int:
    """Return how many cars a least size needs, from the power of one car.

    Parameters
    ----------
    min_kw : float
        Least offer [kW].
    kw_per_car : float
        Power of one car while it is plugged in [kW].
    margin : float
        Cars under contract per car needed at a time, 1 or more: cars are not always plugged in. The rule
        of thumb 1.5 takes two cars of three as plugged in; `cars_needed` counts it from the sessions.

    Returns
    -------
    int
        Cars under contract.

    Raises
    ------
    InputError
        If the power is not above 0 or the margin below 1.

    Notes
    -----
    1 MW from cars of 15 kW takes 67 cars, 101 with the margin of 1.5 (100.5, often printed as 100);
    100 kW from cars of 18 kW takes 6, with the margin 9.

    Examples
    --------
    >>> cars_for(1000.0, 15.0), cars_for(1000.0, 15.0, margin=1.5), cars_for(100.0, 18.0, margin=1.5)
    (67, 101, 9)
    """
    if not (kw_per_car > 0.0 and min_kw >= 0.0 and margin >= 1.0):
        message = (
            f"kw_per_car {kw_per_car} must be above 0, min_kw {min_kw} 0 or more, "
            f"margin {margin} 1 or more"
        )
        raise InputError(message)
    return math.ceil(margin * math.ceil(min_kw / kw_per_car - 1e-9) - 1e-9)
