"""One draw of a hosting scan from its number to its outcome: every strategy at every number of cars."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.dispatch.strategy import Strategy
from gridimpact.hosting.draw_solver import Bench, DrawSolver, Solved
from gridimpact.hosting.draws import Draw, DrawMaker
from gridimpact.hosting.firm import firm_of
from gridimpact.hosting.judge import Judge, rows_of
from gridimpact.hosting.readings import Readings, Service
from gridimpact.hosting.refine import UNKNOWN, bisect, open_brackets
from gridimpact.hosting.scenarios import at_levels, refined
from gridimpact.records import DrawOutcome, ScanSettings
from gridimpact.study.power_flow import flow_setup
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal_plates import Plates, plates_of

__all__ = ["Evaluator", "bench_of", "firm_of"]

BASES_KEPT = 8
"""Readings without cars that are kept; more than one only where days are drawn."""


@dataclass(frozen=True)
class Evaluator:
    """Turns the number of a draw into its outcome; may be sent to another process.

    Attributes
    ----------
    spec : StudySpec
        As `gridimpact.hosting.draws.decided` returns it.
    settings : ScanSettings
        Of the scan.
    strategies : tuple of Strategy
        By position of ``settings.labels``.

    Notes
    -----
    An outcome depends on the arguments and the number alone: not on what was solved before, on how many scenarios
    are solved side by side, or on the process.
    """

    spec: StudySpec
    settings: ScanSettings
    strategies: tuple[Strategy, ...]
    _held: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields without what can be made again."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields over."""
        for name, value in (state | {"_held": {}}).items():
            object.__setattr__(self, name, value)

    def __call__(self, draw: int) -> DrawOutcome:
        """Return what a draw finds.

        Parameters
        ----------
        draw : int
            Number of the draw, from 0.

        Returns
        -------
        DrawOutcome
            One row by strategy and level, by number added between two levels where the scan refines, and for no
            cars at all where a counted limit is broken without any.
        """
        made = self._maker.draw(draw)
        base = self._base(made.segments)
        solve = DrawSolver(self._bench, made, base)
        solved = [solve(at_levels(len(self.strategies), self.settings.cars))]
        floor = self._floor(made, base)
        if floor is None and 0 not in self.settings.cars:
            solved.append(solve([refined(k, 0) for k in range(len(self.strategies))]))
        if self.settings.refine:
            solved += self._refined(solve, floor, np.concatenate([part[0] for part in solved]))
        rows, feeders = (np.concatenate(arrays) for arrays in zip(*solved, strict=True))
        order = np.lexsort((rows["cars"], rows["strategy"]))
        return DrawOutcome(draw, rows[order], feeders[order], made.sessions_sha256)

    def _refined(self, solve: DrawSolver, floor: int | None, rows: NDArray[Any]) -> list[Solved]:
        """Return what is added until the capacity of each strategy is known to one car, under all limits and each alone."""
        parts: list[Solved] = []
        known: dict[int, dict[int, int]] = {k: {} for k in range(len(self.strategies))}

        def learn(found: NDArray[Any]) -> None:
            for row in found:
                known[int(row["strategy"])][int(row["cars"])] = int(row["broken"])

        def fails(asked: tuple[tuple[tuple[int, int], int], ...]) -> list[bool]:
            new = {(k, cars) for (k, _), cars in asked if cars not in known[k]}
            if new:
                parts.append(solve([refined(k, cars) for k, cars in sorted(new)]))
                learn(parts[-1][0])
            return [bool(known[k][cars] & mask) for (k, mask), cars in asked]

        learn(rows)
        # What one bisection solves may show another limit to fail below what was known of it.
        while brackets := open_brackets(known, floor):
            bisect(brackets, fails)
        return parts

    def _floor(self, draw: Draw, base: Readings) -> int | None:
        """Return what is known to pass below all levels, as `first_bracket` asks for it."""
        alone, _ = rows_of(base, base, Service.none(1), self.settings)
        if alone["broken"][0]:
            return None
        return UNKNOWN if (draw.first_at == 0).any() else 0

    def _base(self, segments: tuple[Segment, ...]) -> Readings:
        """Return what is read without added cars on some segments."""
        kept: OrderedDict[Any, Readings] = self._held.setdefault("bases", OrderedDict())
        key = tuple((s.first, s.counted.tobytes()) for s in segments)
        if key not in kept:
            kept[key] = self._bench.without_cars(segments)
            while len(kept) > BASES_KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    @property
    def _maker(self) -> DrawMaker:
        """What makes the draws, made once in each process."""
        if "maker" not in self._held:
            self._held["maker"] = DrawMaker(self.spec, self.settings)
        maker: DrawMaker = self._held["maker"]
        return maker

    @property
    def _bench(self) -> Bench:
        """What solves and judges, made once in each process."""
        if "bench" not in self._held:
            self._held["bench"] = bench_of(self.spec, self.settings, self.strategies)
        bench: Bench = self._held["bench"]
        return bench


def bench_of(spec: StudySpec, settings: ScanSettings, strategies: tuple[Strategy, ...]) -> Bench:
    """Return what solves and judges the draws of a scan, on one core."""
    setup = flow_setup(spec)
    keep = tuple(name for name in setup.options.keep if name not in _NOT_JUDGED)
    setup = dataclasses.replace(
        setup, options=dataclasses.replace(setup.options, threads=1, keep=keep)
    )
    plates: Plates | None = None
    if spec.ambient is not None and len(spec.network.grid.transformer_index):
        plates = plates_of(spec.network, spec.transformer)
    judge = Judge(spec, settings, None if plates is None else plates.lead)
    return Bench(spec, settings, strategies, setup, plates, judge)


_NOT_JUDGED = ("losses_kw", "transformer_q_kvar")
"""Arrays of a power flow that a verdict does not need."""
