"""Valley filling without a central plan: a price is broadcast, every car answers with its own plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.task import ChargingTask, as_request, charging_task
from gridimpact.dispatch.g2v.valley_filling import pours_of, with_taper
from gridimpact.dispatch.kernels_broadcast import FRESH, LATE, MISSED, gap_of, negotiate
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.water_filling import windows_of
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, IntArray, Note, PlanRequest, ServiceFigure

HIGHEST_LOSS = 0.95
"""A car that hears less than one message in twenty is not part of a programme."""

CALM = 5
"""Rounds in a row without change that end a negotiation in which messages are lost."""


class Agreement(NamedTuple):
    """How the negotiations of all windows ended, the worst of each."""

    rounds: int
    gap: float
    """Relative duality gap: how far the least sum of squares can at most be."""
    settled: bool


@dataclass(frozen=True)
class DecentralisedValleyFilling:
    """Fill the valleys by a price signal: no car tells its needs, and all together reach the joint optimum.

    In every round the utility broadcasts a price per step, proportional to the load that the last round's
    plans would give; every car moves its plan against that price and back to the nearest one that it can
    follow, ``r = proj(r - gamma p)``, and sends it. The load that results is that of `ValleyFilling`; who
    charges when within it is not unique.

    Parameters
    ----------
    iterations : int
        Most rounds of messages for one window of 48 hours.
    tolerance : float
        The rounds end when the sum of squares of the load changes by less than this share in a round.
    step_size : float
        Share of the largest step for which convergence is proven, above 0 and below 1.
    missed : float
        Share of broadcasts that a car does not hear, 0..0.95; it keeps its plan in that round.
    late : float
        Share of broadcasts that reach a car one round late; it answers to the price of the round before.
    enrolled : float
        Share of cars that take part.

    Notes
    -----
    The protocol is that of Gan, Topcu and Low, "Optimal decentralized protocol for electric vehicle
    charging", IEEE Trans. Power Systems 28 (2013) 940-951, doi:10.1109/TPWRS.2012.2210288, with the price
    ``p = gamma (D + sum r)`` and ``gamma < 1 / N``; here N is the most cars that share a step of a group,
    summed over the groups of a car. Every projection is exact. The windows, falling charging power and
    the guard of the target are those of `ValleyFilling`; cars behind one main fuse share it equally. What
    is lost or late is drawn for each car from the request's seed and its id.
    """

    iterations: int = 500
    tolerance: float = 1e-9
    step_size: float = 0.5
    missed: float = 0.0
    late: float = 0.0
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_decentralised_valley_filling"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="perfect", base_load="perfect")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        check_share(self.late, "late")
        if self.iterations < 1 or not self.tolerance > 0.0:
            message = (
                f"iterations is {self.iterations} and tolerance {self.tolerance}; give at least one "
                "round and a share above 0, such as 500 and 1e-9"
            )
            raise InputError(message)
        if not 0.0 < self.step_size < 1.0:
            message = (
                f"step_size is {self.step_size}, give a share above 0 and below 1, such as 0.5"
            )
            raise InputError(message)
        if not 0.0 <= self.missed <= HIGHEST_LOSS:
            message = (
                f"missed is {self.missed}, must lie between 0 and {HIGHEST_LOSS:g}; cars that hear "
                "nothing are not enrolled"
            )
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plans agreed on; cars not enrolled charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled)
        task = charging_task(request, controlled)
        power, end = with_taper(task, lambda now: self._negotiated(request, now))
        found = execute(
            request,
            as_request(request, task, power),
            strategy=label(self),
            controlled=controlled,
            ceiling="target",
        )
        return replace(found, notes=self._notes(end), figures=_figures(end))

    def _negotiated(self, request: PlanRequest, task: ChargingTask) -> tuple[FloatArray, Agreement]:
        """Return the power per cell [kW] that all windows agree on."""
        pours, total = pours_of(request, task), task.total_kw.copy()
        low, high = box(request, task)
        x, rounds, gap, settled = np.zeros(low.size), 0, 0.0, True
        reliable = self.missed <= 0.0 and self.late <= 0.0
        rule = (self.step_size, self.tolerance, self.iterations, 1 if reliable else CALM)
        cars = tuple(request.vehicle_id[v] for v in request.stays.vehicle)
        for active, span in windows_of(pours, total.shape[1], request.timeline.steps_per_day):
            if not active.size:
                continue
            heard = np.zeros((0, 0), dtype=np.int64)
            if not reliable:
                heard = self._heard([cars[i] for i in active], request.seed, span[0])
            used, calm = negotiate(active, pours, (low, high), x, total, span, rule, heard)
            rounds, settled = max(rounds, int(used)), settled and bool(calm)
            gap = max(gap, float(gap_of(active, pours, (low, high), x, total, span)))
        return x, Agreement(rounds, gap, settled)

    def _heard(self, cars: list[str], seed: int, begin: int) -> IntArray:
        """Return what each car hears in each round, (round, car)."""
        own: dict[str, IntArray] = {}
        for name in cars:
            if name not in own:
                digest = hashlib.sha256(f"broadcast|{begin}|{name}".encode()).digest()
                words = np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")])
                drawn = np.random.default_rng(words).random((2, self.iterations))
                slow = np.where(drawn[1] < self.late, LATE, FRESH)
                own[name] = np.where(drawn[0] < self.missed, MISSED, slow).astype(np.int64)
        return np.ascontiguousarray(np.stack([own[name] for name in cars], axis=1))

    def _notes(self, end: Agreement) -> tuple[Note, ...]:
        """Return how the negotiation ended."""
        kind = "note" if end.settled else "warning"
        text = (
            f"the cars agreed after at most {end.rounds} rounds of messages, at a relative gap to the "
            f"joint optimum of {end.gap:.1e}"
            if end.settled
            else f"{end.rounds} rounds were not enough: the load still changed by more than "
            f"{self.tolerance:.0e} of its sum of squares, at a relative gap of {end.gap:.1e}; "
            "allow more iterations or a larger step_size"
        )
        return (Note(kind, self.name, text),)


def _figures(end: Agreement) -> tuple[ServiceFigure, ...]:
    """Return rounds and gap as figures."""
    note = "worst window of 48 hours"
    return (
        ServiceFigure("valley_filling", "rounds", float(end.rounds), note),
        ServiceFigure("valley_filling", "relative_gap", end.gap, note),
    )


def box(request: PlanRequest, task: ChargingTask) -> tuple[FloatArray, FloatArray]:
    """Return the least and highest power of every cell [kW].

    The fuse's headroom is shared equally by the planned cars plugged in behind it. Where it leaves less than
    a stay needs, the stay fills it and takes the rest within the charger's power.
    """
    steps = task.stays.end - task.stays.start
    stay = np.repeat(np.arange(steps.size), steps)
    time = np.arange(stay.size) - np.repeat(task.offset - task.stays.start, steps)
    place = np.asarray(request.stays.site, dtype=np.int64)[stay] * task.headroom_kw.shape[1] + time
    busy = np.bincount(place, task.energy_kw[stay] > 0.0, task.headroom_kw.size)
    room = task.headroom_kw.ravel()[place] / np.maximum(busy[place], 1.0)
    fused = np.minimum(task.cap_kw, np.maximum(room, 0.0))
    sums = np.bincount(stay, fused, steps.size)
    over = (sums < task.energy_kw)[stay]
    return np.where(over, fused, 0.0), np.where(over, task.cap_kw, fused)
