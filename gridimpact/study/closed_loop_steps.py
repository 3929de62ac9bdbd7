"""One step of a closed loop after the other, all scenarios of a batch at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.dispatch.grid_aware.protocol import (
    AnswersLoading,
    AnswersVoltage,
    GridAware,
    Measured,
    Wanted,
)
from gridimpact.dispatch.grid_aware.settings import delivered
from gridimpact.dispatch.grid_aware.stepping import Cars
from gridimpact.dispatch.grid_aware.trips import must_trip
from gridimpact.dispatch.strategy import label
from gridimpact.records import (
    BoolArray,
    Dispatch,
    FloatArray,
    IntArray,
    Note,
    PlanRequest,
    ServiceFigure,
)
from gridimpact.study.closed_loop_plant import Plant
from gridimpact.study.closed_loop_rooms import SiteRooms, fuse_rooms
from gridimpact.study.closed_loop_settle import (
    Rest,
    at_rest,
    placed,
    settle_loading,
    settle_voltage,
)
from gridimpact.study.closed_loop_signals import lost_signals

TRIP_CATEGORY = "III"
"""Abnormal performance category of IEEE 1547-2018 that trips are counted by; inverters of storage have it."""


class Loop:
    """State of a batch between two steps."""

    def __init__(
        self,
        strategy: GridAware,
        requests: Sequence[PlanRequest],
        plans: Sequence[Dispatch],
        plant: Plant,
        rooms: SiteRooms | None,
    ) -> None:
        self._strategy, self._requests, self._plans, self._plant = strategy, requests, plans, plant
        self._signals = strategy.signals
        self._rooms, self._fuses = rooms, fuse_rooms(requests)
        first = requests[0]
        self._shape = (len(requests), len(first.vehicle_id))
        self._lag = 0 if rooms is not None else self._signals.lag(first.timeline.step_s)
        self._cars = Cars(requests, plans, guard=self._signals.guard)
        self._charger = np.concatenate([r.stays.charger for r in requests])
        self._kind = (isinstance(strategy, AnswersVoltage), isinstance(strategy, AnswersLoading))
        self._enrolled = [enrolled_vehicles(r, self._signals.enrolled) for r in requests]
        self._answers = np.concatenate(
            [
                self._signals.obedient(r)[r.stays.charger] & chosen[r.stays.vehicle]
                for r, chosen in zip(requests, self._enrolled, strict=True)
            ]
        )
        self._lost = [lost_signals(r, self._signals.lost) for r in requests]
        self._told = np.full((self._shape[0], len(first.charger_id)), self._signals.fallback_kw())
        self._past: deque[Measured] = deque(maxlen=max(self._lag, 1))
        self._slope: FloatArray | None = None
        self._p = np.zeros((first.timeline.count, self._shape[0] * self._shape[1]))
        self._restless, self._passed = (np.zeros(self._shape[0], dtype=np.int64) for _ in range(2))
        self._trips = np.zeros(self._shape[0], dtype=np.int64)

    def step(self, t: int) -> None:
        """Take all scenarios through one step."""
        cars, shape = self._cars, self._shape
        cars.begin(t)
        stay = cars.here.current.reshape(shape)
        charger = np.where(stay >= 0, self._charger[stay], -1)
        power = cars.wants.p_kw.reshape(shape)
        enrolled = (stay >= 0) & np.stack(self._enrolled)
        power = self._fuses.keep(t, power, self._wanted(power, enrolled, charger))
        answers = (stay >= 0) & self._answers[stay]
        lost = np.stack([row[t] for row in self._lost])
        silent = answers & np.take_along_axis(lost, np.maximum(charger, 0), axis=1)
        if self._lag and len(self._past) < self._lag:
            silent = answers
        power = self._fallen_back(power, charger, silent)
        heard = answers & ~silent
        power, rest = self._settled(t, power, heard, charger)
        self._remember(power, heard, charger, rest)
        self._plant.settle_heat(t, rest.measured)
        self._count(power, charger, rest)
        flat = np.ascontiguousarray(power.ravel())
        cars.advance(flat)
        self._p[t] = flat

    def _fallen_back(self, power: FloatArray, charger: IntArray, silent: BoolArray) -> FloatArray:
        """Return power with chargers that hear nothing at their fallback."""
        told = np.take_along_axis(self._told, np.maximum(charger, 0), axis=1)
        if self._signals.fallback == "floor":
            told = np.full(power.shape, self._signals.floor_kw)
        elif self._signals.fallback == "full":
            told = np.full(power.shape, np.inf)
        kept = np.sign(power) * np.minimum(np.abs(power), told)
        kept = np.maximum(kept, self._least(power))
        return np.where(silent & self._on_side(power), kept, power)

    def _least(self, power: FloatArray) -> FloatArray:
        """Return what the guard insists on, minus infinity without one [kW]."""
        return self._cars.wants.least_kw.reshape(power.shape)

    def _on_side(self, power: FloatArray) -> BoolArray:
        """Return which cars the strategy limits at all."""
        side = self._strategy.side
        if side == "both":
            return np.asarray(power != 0.0)
        return np.asarray(power > 0.0 if side == "charging" else power < 0.0)

    def _wanted(self, power: FloatArray, chosen: BoolArray, charger: IntArray) -> Wanted:
        """Return what the chosen cars want, as magnitudes."""
        shape = power.shape
        least = np.where(power > 0.0, np.maximum(self._least(power), 0.0), 0.0)
        size = np.where(chosen, np.abs(power), 0.0)
        transformer = np.where(charger >= 0, self._plant.transformer[charger], -1)
        return Wanted(
            size_kw=size,
            least_kw=np.minimum(np.where(chosen, least, 0.0), size),
            rated_kw=self._cars.wants.rated_kw.reshape(shape),
            laxity_h=self._cars.wants.laxity_h.reshape(shape),
            charger=charger,
            transformer=transformer,
        )

    def _settled(
        self, t: int, power: FloatArray, heard: BoolArray, charger: IntArray
    ) -> tuple[FloatArray, Rest]:
        """Return the power of all cars and where the step came to rest."""
        strategy: Any = self._strategy
        chosen = heard & self._on_side(power)

        def solve(full: FloatArray) -> Measured:
            return self._plant.solve(t, full.ravel(), self._cars.here.current)

        if self._rooms is not None:
            power = self._rooms.keep(t, power, self._wanted(power, chosen, charger))
            return power, at_rest(power, solve(power))
        if self._lag:
            if len(self._past) == self._lag:
                power = self._late(power, chosen, charger)
            return power, at_rest(power, solve(power))
        if self._kind[0]:
            wanted = self._wanted(power, chosen, charger)
            rest = settle_voltage(
                strategy,
                wanted,
                self._sensitivity,
                lambda size: solve(placed(power, chosen, size)),
            )
            return placed(power, chosen, rest.size_kw), rest
        first = solve(power)
        chosen = chosen & self._loads(power, charger, first)
        wanted = self._wanted(power, chosen, charger)
        rest = settle_loading(
            strategy, wanted, first, lambda size: solve(placed(power, chosen, size))
        )
        return placed(power, chosen, rest.size_kw), rest

    def _late(self, power: FloatArray, chosen: BoolArray, charger: IntArray) -> FloatArray:
        """Return power by the answer to what was measured some steps ago."""
        strategy: Any = self._strategy
        measured = self._past[0]
        if self._kind[1]:
            chosen = chosen & self._loads(power, charger, measured)
        allowed = strategy.respond(measured, self._wanted(power, chosen, charger))
        return placed(power, chosen, allowed)

    def _loads(self, power: FloatArray, charger: IntArray, measured: Measured) -> BoolArray:
        """Return which cars load their transformer: they draw while it draws, or feed while it feeds back."""
        transformer = self._plant.transformer[np.maximum(charger, 0)]
        way = np.where(np.nan_to_num(measured.power_kw, nan=1.0) < 0.0, -1.0, 1.0)
        mine = np.take_along_axis(way, np.maximum(transformer, 0), axis=1)
        return np.asarray((charger >= 0) & (transformer >= 0) & (np.sign(power) == mine))

    def _sensitivity(self) -> FloatArray:
        """Return what chargers do to voltages, found once."""
        if self._slope is None:
            self._slope = self._plant.sensitivity(self._strategy.side)
        return self._slope

    def _remember(self, power: FloatArray, heard: BoolArray, charger: IntArray, rest: Rest) -> None:
        """Keep what was measured for later steps, and what each charger was told last."""
        told = self._on_side(power) & heard
        wanted = self._cars.wants.p_kw.reshape(power.shape)
        value = np.where(np.abs(power) < np.abs(wanted) - 1e-9, np.abs(power), np.inf)
        scenario, car = np.nonzero(told)
        self._told[scenario, charger[scenario, car]] = value[scenario, car]
        if self._lag:
            answering = np.zeros(rest.measured.loading_pu.shape)
            loads = self._loads(power, charger, rest.measured) & (charger >= 0)
            loads &= self._answers[self._cars.here.current.reshape(power.shape)]
            scenario, car = np.nonzero(loads)
            place = self._plant.transformer[charger[scenario, car]]
            np.add.at(answering, (scenario, place), np.abs(power[scenario, car]))
            self._past.append(replace(rest.measured, answering_kw=answering))

    def _count(self, power: FloatArray, charger: IntArray, rest: Rest) -> None:
        """Count steps without rest or above a limit, and feeding chargers that would trip."""
        self._restless += rest.restless
        self._passed += rest.passed
        if not self._strategy.bidirectional:
            return
        step_s = self._requests[0].timeline.step_s
        place = np.maximum(charger, 0)
        vm = (rest.measured.vm_low_pu, rest.measured.vm_high_pu)
        trips = [must_trip(np.take_along_axis(v, place, axis=1), step_s, TRIP_CATEGORY) for v in vm]
        self._trips += ((trips[0] | trips[1]) & (power < 0.0)).sum(axis=1)

    def dispatches(self) -> tuple[Dispatch, ...]:
        """Return what every scenario was delivered."""
        found = []
        count = self._shape[1]
        for s, (request, base) in enumerate(zip(self._requests, self._plans, strict=True)):
            one = delivered(
                request,
                base,
                np.ascontiguousarray(self._p[:, s * count : (s + 1) * count]),
                strategy=label(self._strategy),
                enrolled=self._enrolled[s],
                notes=self._notes(s),
            )
            if self._strategy.bidirectional:
                text = (
                    "Feeding chargers times steps at a voltage at which IEEE 1547-2018 category "
                    f"{TRIP_CATEGORY} must trip within the step; counted, not acted out."
                )
                trips = ServiceFigure("interconnection", "must_trip", float(self._trips[s]), text)
                one = replace(one, figures=(trips,))
            found.append(one)
        return tuple(found)

    def _notes(self, scenario: int) -> tuple[Note, ...]:
        """Return how the signals went and what could not be held."""
        name = self._strategy.name
        step_s = self._requests[0].timeline.step_s
        notes = [
            Note("info", name, f"Stepped against the power flow: {self._signals.sentence(step_s)}.")
        ]
        for count, text in (
            (self._passed[scenario], "pass the limit although no answering car is left to lower."),
            (self._restless[scenario], "did not come to rest within the step."),
        ):
            if count:
                notes.append(Note("warning", name, f"{count} steps {text}"))
        return tuple(notes)
