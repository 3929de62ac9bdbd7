"""Many feeders as one portfolio: firm power of the sum, how many cars it takes, what each feeder must carry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gridimpact.dispatch.aggregator.market import DIRECTIONS, MarketRules, firm_power
from gridimpact.dispatch.aggregator.profile import FleetProfile
from gridimpact.dispatch.enrolment import check_share
from gridimpact.errors import InputError
from gridimpact.records import FloatArray, IntArray

__all__ = ["cars_needed", "check_feeders", "portfolio"]

MOST_FEEDERS = 100_000
"""A portfolio is not searched beyond this many feeders."""

_SERIES = ("up_kw", "down_kw", "energy_kwh", "room_kwh", "plugged")


def portfolio(
    fleet: FleetProfile,
    *,
    feeders: int | None = None,
    cars: int | None = None,
    draws: int = 1000,
    common: float = 0.0,
    seed: int = 0,
) -> FleetProfile:
    """Return the profile of many feeders like this one.

    Parameters
    ----------
    fleet : FleetProfile
        Of one feeder.
    feeders : int, optional
        How many feeders; or give `cars`.
    cars : int, optional
        How many cars altogether, at least those of one feeder: the nearest number of whole feeders is
        drawn and scaled to it.
    draws : int
        Days of the portfolio that are drawn.
    common : float
        Share of the feeders that all have the same day, 0..1: 0 takes feeders as independent, 1 as copies
        of one another; holidays and weather lie between.
    seed : int
        Of the draws.

    Returns
    -------
    FleetProfile
        Each day the sum of one drawn day of every feeder, without groups.

    Raises
    ------
    InputError
        If not exactly one of `feeders` and `cars` is given, or a value is out of range.

    Notes
    -----
    Days are drawn with replacement. As good and bad days of feeders meet, the firm power of the sum is
    more than the sum of firm powers; multiplying one feeder's would waste it, and multiplying its mean
    would promise too much.
    """
    check_share(common, "common")
    if (feeders is None) == (cars is None):
        message = "give either feeders or cars"
        raise InputError(message)
    if cars is not None and cars < fleet.cars:
        message = f"cars is {cars}, the profile already has {fleet.cars}; give at least as many"
        raise InputError(message)
    count = feeders if feeders is not None else max(round((cars or 0) / max(fleet.cars, 1)), 1)
    if count < 1 or draws < 1:
        message = f"feeders {count} and draws {draws} must be at least 1"
        raise InputError(message)
    weight = _day_counts(fleet, count, draws, common, seed)
    scale = 1.0 if cars is None else cars / (count * max(fleet.cars, 1))
    sums = {name: scale * (weight @ getattr(fleet, name)) for name in _SERIES}
    sums["plugged"] = weight @ fleet.plugged / count
    empty = np.zeros((0, *sums["up_kw"].shape))
    return replace(
        fleet,
        cars=count * fleet.cars if cars is None else cars,
        group_id=(),
        group_up_kw=empty,
        group_down_kw=empty,
        export_room_kw=empty,
        import_room_kw=empty,
        **sums,
    )


def _day_counts(
    fleet: FleetProfile, count: int, draws: int, common: float, seed: int
) -> FloatArray:
    """Return how many feeders have each of the days, (draw, day)."""
    content = hashlib.sha256(fleet.up_kw.tobytes() + fleet.down_kw.tobytes()).digest()
    rng = np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(content[:8], "big")]))
    together = round(common * count)
    chance = np.full(fleet.days, 1.0 / fleet.days)
    found: IntArray = rng.multinomial(count - together, chance, size=draws)
    shared = rng.integers(0, fleet.days, size=draws)
    found[np.arange(draws), shared] += together
    return found.astype(np.float64)


def cars_needed(
    fleet: FleetProfile,
    rules: MarketRules | None = None,
    *,
    draws: int = 1000,
    common: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how many cars like these a market's least size takes, by direction and block.

    Parameters
    ----------
    fleet : FleetProfile
        Of one feeder.
    rules : MarketRules, optional
        Of the market.
    draws, common, seed
        As in `portfolio`.

    Returns
    -------
    DataFrame
        ``direction hour feeders cars kw_per_car margin``: whole feeders and their cars; firm power per
        car in such a portfolio [kW]; cars under contract per car that would do if all were plugged in
        with the power of the fleet's best block. NaN where no number of feeders reaches the size.
    """
    rules = MarketRules() if rules is None else rules
    rows = []
    for direction in DIRECTIONS:
        name = f"{direction}_kw"
        best = float(getattr(fleet, name).max(initial=0.0)) / max(fleet.cars, 1)
        for place, hour in enumerate(fleet.hours):
            count, firm = _feeders_for(fleet, name, place, rules, (draws, common, seed))
            cars = count * fleet.cars
            at_once = rules.min_kw / best if best > 0.0 else np.nan
            each = firm / cars if cars > 0 else np.nan
            rows.append((direction, hour, count, cars, each, cars / at_once))
    names = ["direction", "hour", "feeders", "cars", "kw_per_car", "margin"]
    return pd.DataFrame(rows, columns=names)


def _feeders_for(
    fleet: FleetProfile, name: str, place: int, rules: MarketRules, how: tuple[int, float, int]
) -> tuple[float, float]:
    """Return the fewest feeders whose firm power reaches the least size, and that power."""
    samples = getattr(fleet, name)[:, [place]]
    draws, common, seed = how

    def firm(count: int) -> float:
        weight = _day_counts(fleet, count, draws, common, seed)
        return float(firm_power(weight @ samples, rules.confidence)[0])

    mean = float(samples.mean())
    if mean <= 0.0:
        return np.nan, np.nan
    low, high = 0, max(int(np.ceil(rules.min_kw / mean)), 1)
    while firm(high) < rules.min_kw:
        low, high = high, 2 * high
        if high > MOST_FEEDERS:
            return np.nan, np.nan
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if firm(middle) >= rules.min_kw else (middle, high)
    return float(high), firm(high)


def check_feeders(
    offers: pd.DataFrame,
    feeders: FleetProfile | Sequence[FleetProfile],
    *,
    counts: Sequence[int] | None = None,
    confidence: float = 0.9,
) -> pd.DataFrame:
    """Return what each feeder must carry of a portfolio's offers, and whether its limits allow it.

    Parameters
    ----------
    offers : DataFrame
        From `bids` of the portfolio.
    feeders : FleetProfile or sequence of FleetProfile
        The single feeders behind it, from `profile`.
    counts : sequence of int, optional
        How many feeders each profile stands for; one each by default.
    confidence : float
        Share of days on which a feeder's limits have the room.

    Returns
    -------
    DataFrame
        ``feeder direction hour share_kw room_kw fits``: one row per group and accepted offer, the
        group's share of the offer by its mean power in that block, the room under its import limit
        (down) or export limit (up) beside demand and the cars' own plan, and whether it suffices.

    Raises
    ------
    InputError
        If counts and profiles do not match.
    """
    given = [feeders] if isinstance(feeders, FleetProfile) else list(feeders)
    number = [1] * len(given) if counts is None else list(counts)
    if len(number) != len(given) or any(n < 1 for n in number):
        message = (
            f"counts {number} must give a number of 1 or more for each of {len(given)} feeders"
        )
        raise InputError(message)
    rows = []
    for offer in offers[offers["accepted"]].to_dict("records"):
        direction, hour, power = str(offer["direction"]), float(offer["hour"]), offer["offer_kw"]
        place = round(hour / given[0].block_h)
        means = [getattr(f, f"{direction}_kw")[:, place].mean() for f in given]
        whole = float(np.dot(number, means))
        limit = "export_room_kw" if direction == "up" else "import_room_kw"
        for k, fleet in enumerate(given):
            rooms = firm_power(getattr(fleet, limit)[:, :, place].T, confidence)
            own = getattr(fleet, f"group_{direction}_kw")[:, :, place].mean(axis=1)
            for group, part, room in zip(fleet.group_id, own, rooms, strict=True):
                name = group if len(given) == 1 else f"{k + 1}: {group}"
                share = power * part / whole if whole > 0.0 else 0.0
                rows.append((name, direction, hour, share, float(room), bool(share <= room)))
    return pd.DataFrame(
        rows, columns=["feeder", "direction", "hour", "share_kw", "room_kw", "fits"]
    )
