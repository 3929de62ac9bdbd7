"""Strategies stepped against the power flow: what is measured decides what the cars get.

Every step of all scenarios of a batch goes the same way: cars arrive, what they want is made up from the
base plan and their batteries, the strategy answers to what is measured, the power flow is solved, temperatures
move, batteries move. Only what was delivered moves a battery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gridimpact.ageing import Nameplate
from gridimpact.dispatch.grid_aware.protocol import (
    GridAware,
)
from gridimpact.dispatch.strategy import Foresight, Strategy, label, plan_in_id_order
from gridimpact.errors import InputError
from gridimpact.records import (
    Dispatch,
    PlanRequest,
)
from gridimpact.study.closed_loop_plant import Plant
from gridimpact.study.closed_loop_rooms import site_rooms
from gridimpact.study.closed_loop_steps import Loop
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class InLoop:
    """A grid-aware strategy together with the network it is stepped against: a strategy itself."""

    strategy: Any
    spec: StudySpec
    segment: Segment
    setup: FlowSetup
    plate: Nameplate | None

    @property
    def name(self) -> str:
        """Name in comparison tables."""
        return str(self.strategy.name)

    @property
    def bidirectional(self) -> bool:
        """Whether it ever discharges."""
        return bool(self.strategy.bidirectional)

    @property
    def foresight(self) -> Foresight:
        """What it knows of the future."""
        known: Foresight = self.strategy.foresight
        return known

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what is delivered, step by step against the power flow."""

        def stepped(ordered: PlanRequest) -> Dispatch:
            return closed_loop(
                self.strategy, self.spec, self.segment, [ordered], self.setup, self.plate
            )[0]

        return plan_in_id_order(request, stepped)


def in_loop(
    strategy: Strategy,
    spec: StudySpec,
    segment: Segment,
    setup: FlowSetup,
    plate: Nameplate | None,
) -> Strategy:
    """Return the strategy as it plans in a study: a grid-aware one in its closed loop, others as they are."""
    if isinstance(strategy, GridAware):
        return InLoop(strategy, spec, segment, setup, plate)
    return strategy


def closed_loop(
    strategy: GridAware,
    spec: StudySpec,
    segment: Segment,
    requests: Sequence[PlanRequest],
    setup: FlowSetup,
    plate: Nameplate | None = None,
) -> tuple[Dispatch, ...]:
    """Return what a grid-aware strategy delivers in every scenario of a batch.

    Parameters
    ----------
    strategy : GridAware
        The strategy.
    spec : StudySpec
        The study, its power flow decided (`gridimpact.study.power_flow.resolved`).
    segment : Segment
        Steps.
    requests : sequence of PlanRequest
        One per scenario, vehicles sorted by id and as many in each: the sites, chargers and reactive demand of the
        study, with stays, batteries, loads and PV of their own.
    setup : FlowSetup
        Engine and options.
    plate : Nameplate, optional
        Thermal data; needed by strategies that answer to temperature.

    Returns
    -------
    tuple of Dispatch
        In the order of the requests; the same bytes whatever other scenarios stand beside.

    Raises
    ------
    InputError
        If temperatures are asked for and not studied, or the requests do not fit together.

    Notes
    -----
    Enrolled cars keep the main fuse of their site, whatever the signals do, unless the guard needs more.
    Before a first measurement has arrived, chargers keep to their fallback. Where a power flow has no
    solution its voltages count as collapsed and its transformers as overloaded. Energy missing at a
    departure because power was held back is reported with the cause "limit".
    """
    _check(strategy, requests, plate)
    plans = [strategy.base.plan(request) for request in requests]
    if not any(request.stays.vehicle.size for request in requests):
        return tuple(replace(p, strategy=label(strategy)) for p in plans)
    plant = Plant(spec, segment, requests, plans, setup, plate)
    loop = Loop(
        strategy, requests, plans, plant, site_rooms(strategy, spec, segment, requests, setup)
    )
    for t in range(segment.timeline.count):
        loop.step(t)
    return loop.dispatches()


def _check(strategy: GridAware, requests: Sequence[PlanRequest], plate: Nameplate | None) -> None:
    """Refuse requests that cannot be stepped side by side."""
    if not requests:
        message = "closed loop: no request; give one per scenario"
        raise InputError(message)
    first = requests[0]
    for request in requests[1:]:
        same = (
            request.timeline == first.timeline
            and request.charger_id == first.charger_id
            and len(request.vehicle_id) == len(first.vehicle_id)
        )
        if not same:
            message = "closed loop: scenarios differ in timeline, chargers or number of vehicles"
            raise InputError(message)
    if plate is None and hasattr(strategy, "limit_c"):
        message = (
            f"strategy {strategy.name}: temperatures are not studied; give the study an ambient"
        )
        raise InputError(message)
