"""What the cars of every scenario of a draw do on one segment, each strategy as a study plans it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from gridimpact.ageing import Nameplate
from gridimpact.dispatch.grid_aware import OperatingEnvelope
from gridimpact.dispatch.grid_aware.protocol import GridAware
from gridimpact.dispatch.strategy import Strategy, plan_in_id_order, take_vehicles
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.hosting.draws import Draw, present, request_with, spec_with
from gridimpact.hosting.scenarios import Scenario
from gridimpact.hosting.service_of import Departures, departures_of
from gridimpact.records import Dispatch, PlanRequest, Stays
from gridimpact.study.closed_loop import closed_loop, in_loop
from gridimpact.study.plan import check_dispatch
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment

Planned = tuple[PlanRequest, Dispatch]


class Planner:
    """Plans the scenarios of one draw on one segment; what they share is made once.

    Parameters
    ----------
    draw : Draw
        The draw.
    segment : Segment
        Steps.
    strategies : sequence of Strategy
        By position.
    setup : FlowSetup
        Engine and options, for strategies that are stepped against the power flow.
    plate : Nameplate or None
        Thermal data for those that answer to temperature.
    """

    def __init__(
        self,
        draw: Draw,
        segment: Segment,
        strategies: Sequence[Strategy],
        setup: FlowSetup,
        plate: Nameplate | None,
    ) -> None:
        self._draw, self._segment, self._strategies = draw, segment, tuple(strategies)
        self._setup, self._plate = setup, plate
        self._whole = build_requests(draw.spec, segment)
        self._requests: dict[int, PlanRequest] = {}
        self._uncontrolled: dict[int, Dispatch] = {}
        self._departures: dict[int, Departures] = {}

    def plans(self, scenarios: Sequence[Scenario]) -> Iterator[tuple[int, PlanRequest, Dispatch]]:
        """Yield position, request and dispatch of every scenario that has cars."""
        stepped = self._stepped(scenarios)
        for k, scenario in enumerate(scenarios):
            if not present(self._draw, scenario.cars).any():
                continue
            found = stepped.pop(k, None)
            request, dispatch = found if found is not None else self._planned(scenario)
            check_dispatch(self._strategies[scenario.strategy], request, dispatch)
            yield k, request, dispatch

    def departures(self, cars: int) -> Departures:
        """Return the counted departures of a number of cars, of the request of `request`."""
        if cars not in self._departures:
            request, counted = self.request(cars), self._segment.counted
            self._departures[cars] = departures_of(request, counted, self._free(cars))
        return self._departures[cars]

    def request(self, cars: int | None) -> PlanRequest:
        """Return the plan request of a number of private cars, of all for None."""
        if cars is None:
            return self._whole
        if cars not in self._requests:
            self._requests[cars] = request_with(self._whole, self._draw, cars)
        return self._requests[cars]

    def forget(self) -> None:
        """Let go of plans that only scenarios solved together share."""
        self._uncontrolled.clear()

    def _free(self, cars: int) -> Dispatch:
        """Return uncontrolled charging of a number of cars."""
        if cars not in self._uncontrolled:
            self._uncontrolled[cars] = Uncontrolled().plan(self.request(cars))
        return self._uncontrolled[cars]

    def _planned(self, scenario: Scenario) -> Planned:
        """Return the plan of a strategy that needs no power flow, or is stepped against one by itself."""
        strategy, request = self._strategies[scenario.strategy], self.request(scenario.cars)
        if strategy == Uncontrolled():
            return request, self._free(scenario.cars)
        if isinstance(strategy, GridAware):
            spec = spec_with(self._draw, scenario.cars)
            strategy = in_loop(strategy, spec, self._segment, self._setup, self._plate)
        return request, strategy.plan(request)

    def _stepped(self, scenarios: Sequence[Scenario]) -> dict[int, Planned]:
        """Return the plans of strategies that are stepped with all their numbers of cars at once."""
        found: dict[int, Planned] = {}
        for number, strategy in enumerate(self._strategies):
            places = [k for k, s in enumerate(scenarios) if s.strategy == number]
            places = [k for k in places if present(self._draw, scenarios[k].cars).any()]
            if places and isinstance(strategy, GridAware) and _at_once(strategy, self._draw):
                requests = [self._full_width(scenarios[k].cars) for k in places]
                found |= dict(zip(places, self._side_by_side(strategy, requests), strict=True))
        return found

    def _side_by_side(self, strategy: GridAware, requests: Sequence[PlanRequest]) -> list[Planned]:
        """Return the plans of a grid-aware strategy, all scenarios in one closed loop."""
        names = requests[0].vehicle_id
        order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
        ordered = [take_vehicles(request, order)[0] for request in requests]
        solved = closed_loop(
            strategy, self._draw.spec, self._segment, ordered, self._setup, self._plate
        )
        return [
            (request, plan_in_id_order(request, partial(_given, own)))
            for request, own in zip(requests, solved, strict=True)
        ]

    def _full_width(self, cars: int) -> PlanRequest:
        """Return the request of all vehicles and chargers, without the stays of those that are absent."""
        stays = self._whole.stays
        kept = np.flatnonzero(present(self._draw, cars)[stays.vehicle])
        names = tuple(stays.session_id[k] for k in kept.tolist())
        columns = {
            f.name: getattr(stays, f.name)[kept]
            for f in dataclasses.fields(Stays)
            if f.name != "session_id"
        }
        return dataclasses.replace(self._whole, stays=Stays(session_id=names, **columns))


def _given(dispatch: Dispatch, request: PlanRequest) -> Dispatch:
    """Return a dispatch that is known already."""
    return dispatch


def _at_once(strategy: GridAware, draw: Draw) -> bool:
    """Return whether a strategy is stepped with cars absent from scenarios beside it.

    Not so where idle chargers matter: envelopes are shared among connections with chargers, and chargers that
    answer to voltage do so without a car.
    """
    return not isinstance(strategy, OperatingEnvelope) and "chargers" not in draw.spec.volt_var
