"""The step of the voltage when a connection's largest charger switches from rest to full draw.

At the step with the lowest voltage of a row every connection is solved twice: its charger at rest, or at
full feed where the row's strategy lets its car feed, and at full draw; all else stays as it is. Tap changers
and reactive power that answers to voltage are slower than a switch, so both are held. Steps that repeat are
judged by their flicker, which is not assessed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from gridimpact.powerflow.choose import engine_for
from gridimpact.powerflow.engine import solve_in_chunks
from gridimpact.records import (
    Assessment,
    Dispatch,
    FloatArray,
    Injections,
    IntArray,
    PlanRequest,
)
from gridimpact.study.elements import CHARGER, ONE_PHASE_CARS, Elements, elements_of
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.sensitivity import WorstLane
from gridimpact.study.spec import StudySpec
from gridimpact.study.voltage_step_report import FoundSteps, with_steps

AT_ONCE = 256
"""Connections solved together; only bounds memory."""
SLOW_CONNECTIONS = 24
"""Connections solved where the engine takes milliseconds for each: those of the lowest voltage."""


@dataclass(frozen=True)
class Switching:
    """One charger per connection that switches, arrays over (connection,)."""

    bus: IntArray
    """Position in the grid's bus axis."""
    charger: IntArray
    element: IntArray
    """Position in the injections; the charger's other elements rest."""
    from_kw: FloatArray
    """0, or negative at full feed."""
    to_kw: FloatArray
    car: tuple[str, ...]

    def part(self, chosen: IntArray | slice) -> Switching:
        """Return some of the connections."""
        arrays = {
            name: getattr(self, name)[chosen]
            for name in ("bus", "charger", "element", "from_kw", "to_kw")
        }
        return Switching(car=tuple(np.array(self.car, dtype=object)[chosen]), **arrays)


@dataclass
class VoltageSteps:
    """What the chargers of one row can do, gathered segment by segment, and the steps they make."""

    spec: StudySpec
    setup: FlowSetup
    draw: dict[tuple[int, bool], tuple[float, str]] = field(default_factory=dict)
    """By charger and whether the car has one phase: highest draw [kW] and the car."""
    feed: dict[tuple[int, bool], float] = field(default_factory=dict)
    site_of: IntArray | None = None

    def take(self, request: PlanRequest, dispatch: Dispatch | None, *, bidirectional: bool) -> None:
        """Take in the stays of a planned segment; nothing without added cars."""
        if dispatch is None:
            return
        self.site_of = request.charger_site
        single = self.spec.fleet.vehicles["phases"].to_numpy() == 1
        stays = request.stays
        key = 2 * stays.charger + single[stays.vehicle]
        order = np.lexsort((-stays.p_charge_kw, key))
        for stay in order[np.unique(key[order], return_index=True)[1]]:
            own = (int(stays.charger[stay]), bool(single[stays.vehicle[stay]]))
            draw = float(stays.p_charge_kw[stay])
            if draw > self.draw.get(own, (0.0, ""))[0]:
                self.draw[own] = (draw, request.vehicle_id[stays.vehicle[stay]])
        if not bidirectional or not len(key):
            return
        feed = np.zeros(int(key.max()) + 1)
        np.maximum.at(feed, key, stays.p_discharge_kw * dispatch.controlled[stays.vehicle])
        for own in self.draw:
            place = 2 * own[0] + own[1]
            if place < len(feed):
                self.feed[own] = max(self.feed.get(own, 0.0), float(feed[place]))

    def added_to(self, assessment: Assessment, worst: WorstLane | None) -> Assessment:
        """Return the assessment with figure, verdict, violations and column of the voltage step.

        Parameters
        ----------
        assessment : Assessment
            Of the row, not yet compared with the case without added cars.
        worst : WorstLane or None
            The row's step with the lowest voltage; None where no power flow was sound.
        """
        limits, grid = self.spec.limits, self.spec.network.grid
        if self.site_of is None or not self.draw:
            return with_steps(assessment, limits, grid, None, "no charger switches in this case")
        if worst is None:
            return with_steps(assessment, limits, grid, None, "no sound power flow to switch at")
        given = dataclasses.replace(worst.injections, volt_var=None)
        switching, reason = self._weakest(self._switching(given), given)
        step, phase = self._solved(switching, given)
        found = FoundSteps(
            bus=switching.bus,
            step_pu=step,
            phase=phase,
            from_kw=switching.from_kw,
            to_kw=switching.to_kw,
            car=switching.car,
            moment=given.timeline.times[0],
            dt_h=given.timeline.dt_h,
            one_phase_as_three=self.setup.phases == 1 and self._has_single_phase(),
        )
        return with_steps(assessment, limits, grid, found, reason)

    def _has_single_phase(self) -> bool:
        """Return whether a charger or car that switches has fewer than three phases."""
        wired = [str(p) for p in self.spec.fleet.chargers["phases"]]
        return any(single or len(wired[charger]) < 3 for charger, single in self.draw)

    def _switching(self, given: Injections) -> Switching:
        """Return the charger of each connection that loads a phase most when it switches."""
        elements = elements_of(self.spec, with_cars=True)
        best: dict[int, tuple[float, int, int, float, float, str]] = {}
        for (charger, single), (draw, car) in sorted(self.draw.items()):
            element = element_of(elements, charger, single=single)
            feed = self.feed.get((charger, single), 0.0)
            site = int(self.site_of[charger]) if self.site_of is not None else 0
            weight = (draw + feed) * self._pull(given.phase_share[element])
            if site not in best or weight > best[site][0] + 1e-9:
                best[site] = (weight, charger, element, -feed, draw, car)
        rows = [best[site] for site in sorted(best)]
        element_ = np.array([row[2] for row in rows], dtype=np.int64)
        return Switching(
            bus=given.bus[element_],
            charger=np.array([row[1] for row in rows], dtype=np.int64),
            element=element_,
            from_kw=np.array([row[3] for row in rows]),
            to_kw=np.array([row[4] for row in rows]),
            car=tuple(row[5] for row in rows),
        )

    def _pull(self, share: FloatArray) -> float:
        """Return how much a charger's power pulls at a voltage: current of its most loaded phase and neutral.

        A balanced flow knows one phase only; that phase and neutral weigh the same is an own choice, which
        decides no more than which charger of a connection is switched.
        """
        if self.setup.phases == 1:
            return 1.0
        turned = share * np.exp(2j * np.pi * np.arange(3) / 3)
        return float(share.max() + np.abs(turned.sum()))

    def _weakest(self, switching: Switching, given: Injections) -> tuple[Switching, str]:
        """Return the connections to solve: all, or those of the lowest voltage where the engine is slow."""
        grid = self.spec.network.grid
        if not grid.beyond_batched or len(switching.bus) <= SLOW_CONNECTIONS:
            return switching, ""
        options = dataclasses.replace(self.setup.options, keep=("vm_pu",))
        voltage = self.setup.engine.solve(grid, given, options).vm_pu[0, 0]
        lowest = voltage if voltage.ndim == 1 else np.fmin.reduce(voltage, axis=1)
        order = np.argsort(lowest[switching.bus], kind="stable")[:SLOW_CONNECTIONS]
        reason = f"the {SLOW_CONNECTIONS} of {len(switching.bus)} connections of the lowest voltage"
        return switching.part(np.sort(order)), reason

    def _solved(self, switching: Switching, given: Injections) -> tuple[FloatArray, IntArray]:
        """Return the step at each connection [pu] and its phase, NaN where a lane failed."""
        network = self.spec.network
        if network.grid.tap_controls:
            held = dataclasses.replace(network.grid, tap_controls=())
            network = dataclasses.replace(network, grid=held)
        engine = self.setup.engine if network.grid.beyond_batched else engine_for(network)
        options = dataclasses.replace(self.setup.options, keep=("vm_pu",))
        elements = elements_of(self.spec, with_cars=True)
        steps, phases = [], []
        for first in range(0, len(switching.bus), AT_ONCE):
            part = switching.part(slice(first, first + AT_ONCE))
            lanes = switched(part, elements, given, self.spec.charger_power_factor)
            flows = solve_in_chunks(engine, network.grid, lanes, options, self.setup.lanes)
            voltage = np.concatenate([flow.result.vm_pu[:, 0] for flow in flows])
            own = voltage[np.arange(len(voltage)), np.tile(part.bus, 2)]
            count = len(part.bus)
            change = np.abs(own[:count] - own[count:]).reshape(count, -1)
            known = np.where(np.isnan(change), -np.inf, change)
            worst = known.max(axis=1)
            steps.append(np.where(np.isinf(worst), np.nan, worst))
            phases.append(known.argmax(axis=1) if change.shape[1] > 1 else np.full(count, -1))
        return np.concatenate(steps), np.concatenate(phases).astype(np.int64)


def element_of(elements: Elements, charger: int, *, single: bool) -> int:
    """Return the element a car loads at a charger: its own where cars of one phase stand apart."""
    if single:
        apart = elements.places(ONE_PHASE_CARS)
        own = apart[elements.owner[apart] == charger]
        if own.size:
            return int(own[0])
    shared = elements.places(CHARGER)
    return int(shared[elements.owner[shared] == charger][0])


def switched(
    switching: Switching, elements: Elements, given: Injections, power_factor: float
) -> Injections:
    """Return the lanes of some connections, before and after the switch.

    Parameters
    ----------
    switching : Switching
        Connections.
    elements : Elements
        Of the injections.
    given : Injections
        One lane.
    power_factor : float
        Of the chargers, lagging.

    Returns
    -------
    Injections
        (2 connection, 1, element): first all lanes before, then all after the switch.
    """
    count = len(switching.bus)
    chargers = elements.places(CHARGER, ONE_PHASE_CARS)
    active = np.repeat(given.p_kw[:1], 2 * count, axis=0)
    reactive = np.repeat(given.q_kvar[:1], 2 * count, axis=0)
    lane, place = np.nonzero(elements.owner[chargers] == switching.charger[:, None])
    slope = float(np.tan(np.arccos(power_factor)))
    for offset, power in ((0, switching.from_kw), (count, switching.to_kw)):
        active[lane + offset, 0, chargers[place]] = 0.0
        reactive[lane + offset, 0, chargers[place]] = 0.0
        own = np.arange(count) + offset
        active[own, 0, switching.element] = power
        reactive[own, 0, switching.element] = np.abs(power) * slope
    return dataclasses.replace(given, p_kw=active, q_kvar=reactive)
