"""How cost grows with buses and steps: least squares on logarithms over seeded radial nets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.cases import SYNTHETIC, Plan, build
from tests.benchmarks.race import Effort, Race, Say, median, run_race

BUSES = (16, 64, 256, 1_024, 4_096)
STEPS = (96, 672, 4_704)
ENTRIES = ("gridimpact", "ls2g time series", "PGM current")
_FEEDER_KW = 5_000.0 * 2.5


@dataclass(frozen=True)
class Growth:
    """CPU time of a call = ``constant * buses**by_buses * steps**by_steps``."""

    entry: str
    constant_us: float
    by_buses: float
    by_steps: float
    residual: float
    """Root mean square of the logarithm's residual; 0.1 is about 10 percent."""
    worst: float
    """Largest factor between a measurement and the fit."""


def plans() -> list[Plan]:
    """Return radial nets of growing size that carry the same power."""
    return [
        Plan(f"radial_{n}", f"{SYNTHETIC}{n}", STEPS, float("nan"), size=_FEEDER_KW / n)
        for n in BUSES
    ]


def measure(effort: Effort, say: Say) -> list[tuple[str, int, int, float]]:
    """Return entry, buses, steps and CPU time of a call [us], measured."""
    points = []
    for plan in plans():
        case = build(plan)
        for steps in STEPS:
            race = run_race(case, steps, effort, lambda entry: entry.name in ENTRIES, say)
            points += [(name, len(case.net.bus), n, t) for name, n, t in _calls(race)]
    return points


def _calls(race: Race) -> list[tuple[str, int, float]]:
    laps = [race.base, *race.laps]
    return [(lap.entry.name, lap.steps, median(lap.cpu_us) * lap.steps) for lap in laps]


def fit(points: list[tuple[str, int, int, float]]) -> list[Growth]:
    """Return one law of growth for each entry."""
    laws = []
    for entry in dict.fromkeys(point[0] for point in points):
        rows = np.array([point[1:] for point in points if point[0] == entry], dtype=float)
        buses, steps, cost = np.log(rows).T
        matrix = np.stack([np.ones_like(buses), buses, steps], axis=1)
        (constant, by_buses, by_steps), *_ = np.linalg.lstsq(matrix, cost, rcond=None)
        rest = cost - matrix @ np.array([constant, by_buses, by_steps])
        spread, worst = float(np.sqrt(np.mean(rest**2))), float(np.exp(np.abs(rest).max()))
        laws.append(
            Growth(entry, float(np.exp(constant)), float(by_buses), float(by_steps), spread, worst)
        )
    return laws
