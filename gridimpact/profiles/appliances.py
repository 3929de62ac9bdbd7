"""Appliances of a home as random events whose expected load is a standard load profile.

Every home is expected to follow the profile exactly: what its appliances are not expected to draw at
a quarter hour, its base load does. Single homes are spiky, the mean of many is the profile.
Powers and durations are round figures of household appliances; ownership of instantaneous water
heaters and the shares of energy are set so that maxima of single homes at 1 and 15 minutes are those
of the IEEE European low-voltage test feeder's 100 homes (median 3.5 kW, upper quartile 8.3 kW at 1 min).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gridimpact.profiles.blocks import Blocks, FloatArray, generator, joined
from gridimpact.profiles.shapes import QUARTER_S, YearShape, year_shape


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of an appliance's run: power of the model [kW] and minutes of the run, as ranges."""

    p_kw: tuple[float, float]
    minutes: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Appliance:
    """A kind of appliance: mean share of the home's energy, share of homes that have it, its run."""

    name: str
    share: float
    owned: float
    phases: tuple[Phase, ...]


APPLIANCES = (
    Appliance("electronics and light", 0.27, 1.0, (Phase((0.06, 0.25), (30, 150)),)),
    Appliance("kettle, toaster, microwave", 0.07, 1.0, (Phase((0.75, 1.5), (2, 6)),)),
    Appliance("hob and oven", 0.12, 1.0, (Phase((0.9, 1.75), (10, 35)),)),
    Appliance(
        "washing and dishes",
        0.10,
        0.95,
        (Phase((1.4, 1.7), (14, 24)), Phase((0.15, 0.3), (40, 70))),
    ),
    Appliance("iron, vacuum, hair dryer", 0.04, 0.9, (Phase((0.6, 1.1), (5, 15)),)),
    Appliance("instantaneous water heater", 0.115, 0.32, (Phase((7.3, 9.4), (2.5, 5)),)),
)
"""Appliances whose use follows the shape of the day."""

_FRIDGE_SHARE = 0.10
_FRIDGE_CYCLE_MIN = (45.0, 75.0)
_FRIDGE_DUTY = 0.4
# Part of each day's lowest expected load that no event makes.
_FLOOR = 0.6
# Least part of the expected load left to the base load.
_BASE_LEAST = 0.03
_SHARE_SPREAD = 0.35
_DAY_SPREAD = 0.25
_HABIT = 0.45
_ABSENCES = 2
_ABSENCE_DAYS = (4.0, 11.0)
_ABSENT = 0.08


@dataclass(frozen=True)
class _Activity:
    """When events start in a year: their expected rate and the expected load of each phase."""

    shape: YearShape
    rate: FloatArray
    """(quarter hour,) share of a year's events, sums to 1."""
    habit: FloatArray
    """(quarter hour,) -1..1, mean zero over the rate: late minus early hours."""
    load: tuple[FloatArray, ...]
    """Per appliance (quarter hour,) share of its energy."""


@dataclass(frozen=True)
class HomeYear:
    """One home's load in one local year: base load [kWh per quarter hour] and events."""

    shape: YearShape
    base_kwh: FloatArray
    events: Blocks


def _moved_shares(rate: FloatArray, offset_s: float, length_s: float) -> FloatArray:
    """Return the share of energy per quarter hour of blocks that run from `offset_s` after their event."""
    count = len(rate)
    edges = np.arange(count + 1, dtype=np.float64) * QUARTER_S
    total = np.concatenate([[0.0], np.cumsum(rate)])
    # Twice integrated, so that means over a quarter hour of means over a block are differences.
    area = np.concatenate([[0.0], np.cumsum((total[1:] + total[:-1]) / 2.0) * QUARTER_S])
    period, whole = count * QUARTER_S, area[-1]

    def twice(moment: FloatArray) -> FloatArray:
        turns = np.floor(moment / period)
        rest = moment - turns * period
        step = np.minimum((rest // QUARTER_S).astype(np.int64), count - 1)
        part = rest - step * QUARTER_S
        inner = area[step] + total[step] * part + rate[step] * part**2 / (2.0 * QUARTER_S)
        # Each turn adds one whole year and, since the total grows by 1, its own length.
        value: FloatArray = (
            inner + turns * whole + rest * turns + period * turns * (turns - 1) / 2.0
        )
        return value

    upper = twice(edges - offset_s)
    lower = twice(edges - offset_s - length_s)
    shares: FloatArray = np.diff(upper - lower) / length_s
    return shares


def _appliance_load(rate: FloatArray, appliance: Appliance) -> FloatArray:
    """Return the expected share of an appliance's energy per quarter hour."""
    load = np.zeros_like(rate)
    offset = -30.0 * float(np.mean(appliance.phases[0].minutes))
    energy = 0.0
    for number, phase in enumerate(appliance.phases):
        shortest, longest = phase.minutes
        lengths = 60.0 * (shortest + (longest - shortest) * (np.arange(8) + 0.5) / 8.0)
        power = float(np.mean(phase.p_kw))
        for length in lengths:
            begin = offset if number else -length / 2.0
            load += power * length * _moved_shares(rate, begin, float(length))
            energy += power * length
        offset = -offset
    shares: FloatArray = load / energy
    return shares


@lru_cache(maxsize=8)
def _activity(year: int, zone: str) -> _Activity:
    """Return the expected rate of events of a local year and what the appliances make of it."""
    shape = year_shape("bdew_h25", year, zone)
    lowest = np.full(int(shape.day[-1]) + 1, np.inf)
    np.minimum.at(lowest, shape.day, shape.share)
    rate = shape.share - _FLOOR * lowest[shape.day]
    rate = rate / rate.sum()
    late = np.sin(2.0 * np.pi * (shape.hour - 13.0) / 24.0)
    habit = _HABIT * (late - np.sum(rate * late))
    load = tuple(_appliance_load(rate, appliance) for appliance in APPLIANCES)
    return _Activity(shape, rate, habit, load)


def _energy_shares(traits: np.random.Generator, activity: _Activity) -> FloatArray:
    """Return the home's share of energy by appliance, cut so that the base load stays above zero."""
    mean = np.array([appliance.share for appliance in APPLIANCES])
    owned = np.array([appliance.owned for appliance in APPLIANCES])
    has = traits.random(len(APPLIANCES)) < owned
    spread = np.exp(
        _SHARE_SPREAD * ndtri(np.clip(traits.random(len(APPLIANCES)), 1e-9, 1.0 - 1e-9))
    )
    shares = np.where(has, mean * spread, 0.0)
    shares = shares * (mean @ owned) / shares.sum()
    expected = np.asarray(shares @ np.array(activity.load))
    left = (1.0 - _BASE_LEAST) * activity.shape.share - _FRIDGE_SHARE / len(activity.rate)
    cut: FloatArray = shares * min(1.0, float(np.min(left / expected)))
    return cut


def _event_moments(
    draws: np.random.Generator, count: int, activity: _Activity, total: FloatArray
) -> FloatArray:
    """Return moments [s] of events, one in each of `count` equally likely parts of the year."""
    place = (np.arange(count) + draws.random(count)) / count
    edges = np.arange(len(activity.rate) + 1, dtype=np.float64) * QUARTER_S
    moments: FloatArray = np.interp(place * total[-1], total, edges)
    return moments


def _home_rate(
    traits: np.random.Generator, draws: np.random.Generator, activity: _Activity
) -> FloatArray:
    """Return the cumulated rate of a home's events with its hours, its busy days and its absences."""
    days = int(activity.shape.day[-1]) + 1
    busy = np.exp(_DAY_SPREAD * ndtri(np.clip(draws.random(days), 1e-9, 1.0 - 1e-9)))
    for _ in range(_ABSENCES):
        first = int(draws.random() * days)
        length = _ABSENCE_DAYS[0] + (_ABSENCE_DAYS[1] - _ABSENCE_DAYS[0]) * draws.random()
        busy[(np.arange(days) - first) % days < length] = _ABSENT
    hours = 2.0 * traits.random() - 1.0
    rate = activity.rate * (1.0 + hours * activity.habit) * busy[activity.shape.day]
    return np.concatenate([[0.0], np.cumsum(rate)])


def _runs(
    appliance: Appliance, moments: FloatArray, model: float, draws: np.random.Generator
) -> list[Blocks]:
    """Return the blocks of an appliance's runs; `model` places its power in the range, 0..1."""
    blocks = []
    middle = 30.0 * float(np.mean(appliance.phases[0].minutes))
    for number, phase in enumerate(appliance.phases):
        length = 60.0 * np.interp(draws.random(len(moments)), [0.0, 1.0], phase.minutes)
        power = np.full(len(moments), np.interp(model, [0.0, 1.0], phase.p_kw))
        start = moments + middle if number else moments - length / 2.0
        blocks.append(Blocks(start, start + length, power))
    return blocks


def _fridge(draws: np.random.Generator, annual_kwh: float, length_s: float) -> Blocks:
    """Return the cycles of a refrigerator that runs the whole year."""
    shortest, longest = (60.0 * minutes for minutes in _FRIDGE_CYCLE_MIN)
    count = int(length_s / shortest) + 2
    edges = np.cumsum(shortest + (longest - shortest) * draws.random(count))
    edges = (edges - longest * draws.random())[edges < length_s]
    start, cycle = edges[:-1], np.diff(edges)
    hours = float(np.sum(cycle)) * _FRIDGE_DUTY / 3600.0
    power = _FRIDGE_SHARE * annual_kwh / hours
    return Blocks(start, start + _FRIDGE_DUTY * cycle, np.full(len(start), power))


def mean_energy_kwh(appliance: Appliance, model: float) -> float:
    """Return the mean energy of one run of a model [kWh]."""
    hours = [float(np.mean(phase.minutes)) / 60.0 for phase in appliance.phases]
    powers = [float(np.interp(model, [0.0, 1.0], phase.p_kw)) for phase in appliance.phases]
    return sum(hour * power for hour, power in zip(hours, powers, strict=True))


def home_year(site_id: str, annual_kwh: float, year: int, zone: str, seed: int) -> HomeYear:
    """Return one home's load of a local calendar year.

    Parameters
    ----------
    site_id : str
        Key of the draws: a home is the same in whatever company and order it is drawn.
    annual_kwh : float
        Energy of the calendar year [kWh], met exactly.
    year : int
        Local calendar year.
    zone : str
        IANA zone.
    seed : int
        Seed of the study.

    Returns
    -------
    HomeYear
        Base load and events; expected load is the dynamised H25 shape.
    """
    activity = _activity(year, zone)
    length_s = float(activity.shape.length_s)
    traits = generator(seed, f"household/{site_id}")
    draws = generator(seed, f"household/{site_id}/{year}")
    shares = _energy_shares(traits, activity)
    models = traits.random(len(APPLIANCES))
    total = _home_rate(traits, draws, activity)
    parts = [_fridge(draws, annual_kwh, length_s)]
    for appliance, share, model in zip(APPLIANCES, shares, models, strict=True):
        # The fraction left over is one event more with its own chance.
        count = int(share * annual_kwh / mean_energy_kwh(appliance, model) + draws.random())
        moments = _event_moments(draws, count, activity, total) if count else np.zeros(0)
        parts += _runs(appliance, moments, model, draws)
    events = joined(parts).wrapped(length_s)
    expected: NDArray[np.float64] = (
        activity.shape.share
        - np.asarray(shares @ np.array(activity.load))
        - _FRIDGE_SHARE / len(activity.rate)
    )
    base = annual_kwh * expected
    energy = events.energy_kwh + float(base.sum())
    factor = annual_kwh / energy if energy > 0.0 else 1.0
    return HomeYear(activity.shape, base * factor, events.scaled(factor))
