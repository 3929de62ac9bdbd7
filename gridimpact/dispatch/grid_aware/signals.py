"""How a command reaches the chargers: latency, loss, fallback, obedience and enrolment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridimpact.dispatch.enrolment import lottery
from gridimpact.records import BoolArray, PlanRequest

FALLBACKS = ("full", "floor", "last")
"""What a charger does without a signal: what the base wants, at most `floor_kw`, or what it was last told."""


@dataclass(frozen=True)
class Signals:
    """How a command reaches the chargers, and what becomes of it.

    Attributes
    ----------
    latency_s : float
        From measurement to answer [s]. Below the step the answer settles within the step; from one
        step on it comes a whole number of steps later, rounded up.
    lost : float
        Share of the signals that do not arrive, each charger and step drawn by charger id and seed.
    fallback : str
        One of `FALLBACKS`.
    floor_kw : float
        Power left to a charger by the fallback "floor" [kW].
    obeys : float
        Share of the chargers that obey, drawn by charger id and seed; the others never answer.
    guard : bool
        Whether a car may pass the limit where its target would be missed else.
    enrolled : float
        Share of the cars that take part; the others follow the base.
    """

    latency_s: float
    lost: float
    fallback: str
    floor_kw: float
    obeys: float
    guard: bool
    enrolled: float

    def lag(self, step_s: int) -> int:
        """Return the steps from measurement to answer, 0 where it settles within the step.

        Examples
        --------
        >>> slow = Signals(1000.0, 0.0, "floor", 4.2, 1.0, False, 1.0)
        >>> slow.lag(900), slow.lag(3600)
        (2, 0)
        """
        return math.ceil(self.latency_s / step_s) if self.latency_s >= step_s else 0

    def obedient(self, request: PlanRequest) -> BoolArray:
        """Return which chargers obey, (charger,)."""
        drawn = lottery(request.charger_id, request.seed, "obedience")
        return np.asarray(drawn < self.obeys)

    def fallback_kw(self) -> float:
        """Return the highest magnitude without a signal, as long as none was ever received [kW]."""
        return self.floor_kw if self.fallback == "floor" else np.inf

    def sentence(self, step_s: int) -> str:
        """Return the settings in words."""
        steps = self.lag(step_s)
        when = f"{steps} steps late" if steps else "settled within the step"
        then = {
            "full": "a charger without a signal takes what it wants",
            "floor": f"a charger without a signal keeps to {self.floor_kw:g} kW",
            "last": "a charger without a signal keeps to what it was last told",
        }[self.fallback]
        least = (
            "the target goes before the limit" if self.guard else "the limit goes before the target"
        )
        return (
            f"latency {self.latency_s:g} s, {when}; {self.lost:.0%} of signals lost, {then}; {self.obeys:.0%} "
            f"of chargers obey; {self.enrolled:.0%} of cars enrolled; {least}; energy held back is made up "
            "as soon as it is allowed"
        )
