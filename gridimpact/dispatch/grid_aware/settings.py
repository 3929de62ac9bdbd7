"""The settings that all grid-aware strategies share, and what they do without a power flow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.grid_aware.protocol import GridAware
from gridimpact.dispatch.grid_aware.signals import FALLBACKS, Signals
from gridimpact.dispatch.grid_aware.stepping import firm_power
from gridimpact.dispatch.strategy import Foresight, Strategy, label, plan_in_id_order
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import BoolArray, Dispatch, FloatArray, Note, PlanRequest


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings that every grid-aware strategy has; see `Signals`.

    Parameters
    ----------
    base : Strategy
        Plans without the grid what each car wants; in a study file its name, or name and settings.
    """

    base: Strategy = Uncontrolled()  # noqa: RUF009 - frozen and without settings
    latency_s: float = 0.0
    lost: float = 0.0
    fallback: str = "floor"
    floor_kw: float = 4.2
    obeys: float = 1.0
    guard: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = ""
    side: ClassVar[str] = "both"

    def __post_init__(self) -> None:
        """Check every setting, all problems at once."""
        raise_problems([*self._common_problems(), *self.problems()], f"strategy {self.name}")

    def problems(self) -> list[Problem]:
        """Return what is wrong with the settings of the one strategy."""
        return []

    def _common_problems(self) -> list[Problem]:
        found = [
            Problem(name, f"is {getattr(self, name)}", "a share lies between 0 and 1")
            for name in ("lost", "obeys", "enrolled")
            if not 0.0 <= getattr(self, name) <= 1.0
        ]
        found += [
            Problem(name, f"is {getattr(self, name)}", f"give {what}, 0 or above")
            for name, what in (("latency_s", "seconds"), ("floor_kw", "kW"))
            if not 0.0 <= getattr(self, name) < np.inf
        ]
        if self.fallback not in FALLBACKS:
            what = f"{self.fallback!r} is unknown"
            found.append(Problem("fallback", what, f"use one of {', '.join(FALLBACKS)}"))
        base: Any = self.base
        if not isinstance(base, Strategy) or isinstance(base, GridAware):
            what = f"{base!r} is no strategy that plans without the grid"
            found.append(
                Problem("base", what, "give one such as Uncontrolled() or g2v.ValleyFilling()")
            )
        elif getattr(base, "volt_var", ""):
            what = f"{base.name} has a Volt-VAr curve of its own"
            found.append(Problem("base", what, "set the study's option volt_var for chargers"))
        return found

    @property
    def knows_departures(self) -> bool:
        """Whether the departures of cars plugged in are asked for."""
        return self.guard

    @property
    def bidirectional(self) -> bool:
        """Whether the base ever discharges."""
        return self.base.bidirectional

    @property
    def foresight(self) -> Foresight:
        """What the base knows, and the departures of cars plugged in where they are asked for."""
        known = self.base.foresight
        if self.knows_departures and known.stays == "none":
            return replace(known, stays="announced")
        return known

    @property
    def signals(self) -> Signals:
        """How a command reaches the chargers."""
        return Signals(
            self.latency_s,
            self.lost,
            self.fallback,
            self.floor_kw,
            self.obeys,
            self.guard,
            self.enrolled,
        )

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the firm dispatch: what happens while no signal ever arrives.

        The chargers of enrolled cars that obey keep to the fallback; "last" has nothing to keep to and
        leaves the power as wanted. A study does not use this: it steps the strategy against the power flow.
        """
        return plan_in_id_order(request, self._firm)

    def _firm(self, request: PlanRequest) -> Dispatch:
        signals = self.signals
        base = self.base.plan(request)
        told = signals.obedient(request)[request.stays.charger]
        enrolled = enrolled_vehicles(request, self.enrolled)
        answers = told & enrolled[request.stays.vehicle]
        cap_kw = np.where(answers, signals.fallback_kw(), np.inf)
        free = np.full(cap_kw.size, np.inf)
        draw, feed = (free if self.side == way else cap_kw for way in ("feeding", "charging"))
        asked = firm_power(request, base, np.stack([draw, feed]), guard=self.guard)
        text = f"planned without a power flow, so every signal counts as lost: {signals.sentence(request.timeline.step_s)}."
        return delivered(
            request,
            base,
            asked,
            strategy=label(self),
            enrolled=enrolled,
            notes=(Note("warning", self.name, text),),
        )


def delivered(
    request: PlanRequest,
    base: Dispatch,
    p_kw: FloatArray,
    *,
    strategy: str,
    enrolled: BoolArray,
    notes: tuple[Note, ...] = (),
) -> Dispatch:
    """Return the dispatch of power already within all limits, with the lack explained.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    base : Dispatch
        Plan the power was held against; its reactive power is kept.
    p_kw : ndarray
        (time, vehicle) power at the meter [kW].
    strategy : str
        Label.
    enrolled : ndarray of bool
        (vehicle,) cars that took part.
    notes : tuple of Note
        Added to those of the base.
    """
    everyone = np.ones(len(request.vehicle_id), dtype=np.bool_)
    found = execute(
        request, p_kw, strategy=strategy, controlled=everyone, guard=False, shortfall="limit"
    )
    return replace(found, controlled=enrolled, q_kvar=base.q_kvar, notes=(*base.notes, *notes))
