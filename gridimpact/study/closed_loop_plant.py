"""The network of a study as a controller finds it: power goes in, voltages, loadings and heat come out.

One power flow solves the same step of all scenarios. Its injections are one buffer written in place, so
that a step costs little beside the flow itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gridimpact.ageing import Nameplate, ThermalState, steady_state, thermal_step
from gridimpact.dispatch.grid_aware.protocol import Heat, Measured
from gridimpact.records import Dispatch, FloatArray, FlowResult, Injections, IntArray, PlanRequest
from gridimpact.study.elements import CHARGER, ONE_PHASE_CARS, elements_of, phases_of_chargers
from gridimpact.study.inject import inject
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal import filled_pu, injected_pu

_PROBE_KW = 1.0
"""Power by which each charger is moved to learn what it does to voltages [kW]."""


class Plant:
    """All scenarios of one segment, without the cars, ready to be solved step by step.

    Parameters
    ----------
    spec : StudySpec
        The study, its power flow decided.
    segment : Segment
        Steps.
    requests : sequence of PlanRequest
        One per scenario: the sites, chargers and reactive demand of the study; stays, batteries, loads and PV
        of their own.
    plans : sequence of Dispatch
        Base plans; reactive power they set is kept.
    setup : FlowSetup
        Engine and options of the study.
    plate : Nameplate or None
        None where temperatures are not studied.
    """

    def __init__(
        self,
        spec: StudySpec,
        segment: Segment,
        requests: Sequence[PlanRequest],
        plans: Sequence[Dispatch],
        setup: FlowSetup,
        plate: Nameplate | None,
    ) -> None:
        self.spec, self.setup, self.phases = spec, setup, setup.phases
        idle = [dataclasses.replace(p, p_kw=np.zeros_like(p.p_kw), q_kvar=None) for p in plans]
        given = [inject(spec, segment, r, p) for r, p in zip(requests, idle, strict=True)]
        self._p = np.concatenate([g.p_kw for g in given])
        self._q = np.concatenate([g.q_kvar for g in given])
        self._put = dataclasses.replace(
            given[0],
            timeline=segment.timeline.part(0, 1),
            p_kw=np.zeros((len(given), 1, self._p.shape[2])),
            q_kvar=np.zeros((len(given), 1, self._p.shape[2])),
        )
        found = elements_of(spec, with_cars=True)
        self._at = found.places(CHARGER)
        self._element = _elements_of_stays(
            spec, requests, self._at, found.places(ONE_PHASE_CARS), found.owner
        )
        self._car_q = None
        if any(p.q_kvar is not None for p in plans):
            own = [np.zeros_like(p.p_kw) if p.q_kvar is None else p.q_kvar for p in plans]
            self._car_q = np.concatenate(own, axis=1)
        self._tangent = float(np.tan(np.arccos(spec.charger_power_factor)))
        if "chargers" in spec.volt_var:
            self._tangent = 0.0
        grid = spec.network.grid
        self._bus = self._put.bus[self._at]
        self.transformer = grid.bus_transformer[self._bus]
        wired = phases_of_chargers(spec)
        self._absent = np.array([[p not in own for p in "abc"] for own in wired]).reshape(-1, 3)
        self._options = dataclasses.replace(setup.options, keep=_kept(self.phases))
        self.heat = None
        if plate is not None and spec.ambient is not None:
            air = spec.ambient.temp_air_c[segment.steps]
            self.heat = Warmth(plate, air, segment.timeline.dt_h)

    @property
    def scenarios(self) -> int:
        """Scenarios solved at once."""
        return len(self._p)

    def solve(self, t: int, p_kw: FloatArray, current: IntArray) -> Measured:
        """Return what is measured at step `t` with the cars at a power, all scenarios at once.

        Parameters
        ----------
        t : int
            Step.
        p_kw : ndarray
            (scenario * vehicle,) power at the meter [kW].
        current : ndarray of int
            (scenario * vehicle,) stay each car is in, -1 while away.
        """
        p, q = self._put.p_kw[:, 0], self._put.q_kvar[:, 0]
        p[:], q[:] = self._p[:, t], self._q[:, t]
        here = np.flatnonzero(current >= 0)
        scenario = here // max(len(p_kw) // self.scenarios, 1)
        element = self._element[current[here]]
        np.add.at(p, (scenario, element), p_kw[here])
        if self._car_q is not None:
            np.add.at(q, (scenario, element), self._car_q[t, here])
        else:
            first = self._at[0] if len(self._at) else p.shape[1]
            q[:, first:] += np.abs(p[:, first:]) * self._tangent
        flow = self._flow(self._put)
        return self._measured(t, flow)

    def settle_heat(self, t: int, measured: Measured) -> None:
        """Move the temperatures through step `t` by the loading last solved."""
        if self.heat is None:
            return
        substitute = injected_pu(self.spec, self._put)[:, 0]
        worst = filled_pu(measured.loading_pu * 100.0, substitute)[0]
        share = self.heat.oil_share
        oil = filled_pu(measured.loading_pu * share * 100.0, substitute)[0]
        self.heat.step(t, worst, oil)

    def sensitivity(self, side: str) -> FloatArray:
        """Return how one kW at each charger moves the voltage of each, (charger, charger) [pu/kW].

        Of the network without any load, so that no scenario depends on another; magnitudes in the direction of
        `side`: how far charging lowers the lowest phase, or feeding raises the highest.
        """
        count, power = len(self._at), _PROBE_KW if side == "charging" else -_PROBE_KW
        p, q = (np.zeros((count + 1, self._p.shape[2])) for _ in range(2))
        p[np.arange(count), self._at] += power
        q[np.arange(count), self._at] += abs(power) * self._tangent
        flow = self._flow(dataclasses.replace(self._put, p_kw=p[:, None], q_kvar=q[:, None]))
        voltage = self._voltages(flow)[0 if side == "charging" else 1]
        moved = (voltage[-1] - voltage[:-1]) / power
        return np.ascontiguousarray(np.nan_to_num(moved.T, nan=0.0))

    def _flow(self, given: Injections) -> FlowResult:
        return self.setup.engine.solve(self.spec.network.grid, given, self._options)

    def _voltages(self, flow: FlowResult) -> tuple[FloatArray, FloatArray]:
        """Return lowest and highest voltage of each charger's phases, (scenario, charger) [pu]."""
        vm = flow.vm_pu[:, 0, self._bus]
        if flow.phases == 1:
            return vm, vm
        low = np.where(self._absent, np.inf, vm).min(axis=2)
        high = np.where(self._absent, -np.inf, vm).max(axis=2)
        return low, high

    def _measured(self, t: int, flow: FlowResult) -> Measured:
        low, high = self._voltages(flow)
        loading = flow.transformer_loading_percent[:, 0] / 100.0
        heat = None
        if self.heat is not None:
            if flow.phases == 3:
                by_phase = flow.transformer_phase_loading_percent[:, 0] / 100.0
                self.heat.oil_share = _oil_share(by_phase, loading)
            heat = self.heat.now(t, loading.shape)
        return Measured(
            vm_low_pu=low,
            vm_high_pu=high,
            loading_pu=loading,
            power_kw=flow.transformer_p_kw[:, 0],
            answering_kw=np.zeros(loading.shape),
            rated_kw=self.spec.network.grid.transformer_sn_kva,
            heat=heat,
        )


class Warmth:
    """Oil and winding of every transformer, moved one step at a time as the study's own series are."""

    def __init__(self, plate: Nameplate, ambient_c: FloatArray, dt_h: float) -> None:
        self._plate, self._air, self._dt_h = plate, ambient_c, dt_h
        self._oil: ThermalState | None = None
        self._winding: ThermalState | None = None
        self._balanced = True
        self.oil_share: FloatArray = np.ones((1, 1))

    def now(self, t: int, shape: tuple[int, ...]) -> Heat:
        """Return the temperatures at the begin of step `t`; before the first step they follow its load."""
        known = self._oil is not None and self._winding is not None
        nothing = np.zeros(shape)
        return Heat(
            rise_k=self._oil.top_oil_rise_k if self._oil is not None else nothing,
            gradient_k=self._winding.gradient_k if self._winding is not None else nothing,
            ambient_c=np.broadcast_to(self._air[t] + self._plate.enclosure_rise_k, shape).copy(),
            oil_share=np.broadcast_to(np.nan_to_num(self.oil_share, nan=1.0), shape).copy(),
            plates=self._plate.packed,
            dt_h=self._dt_h,
            steady=not known,
        )

    def step(self, t: int, worst_pu: FloatArray, oil_pu: FloatArray) -> None:
        """Move both by a step's loading, (scenario, transformer); they begin settled at the first."""
        self._winding = self._moved(self._winding, t, worst_pu)
        if np.array_equal(oil_pu, worst_pu) and self._balanced:
            self._oil = self._winding
        else:
            self._balanced = False
            self._oil = self._moved(self._oil, t, oil_pu)

    def _moved(self, state: ThermalState | None, t: int, loading: FloatArray) -> ThermalState:
        air = self._air[t]
        start = steady_state(loading, air, self._plate) if state is None else state
        return thermal_step(start, loading, air, self._plate, self._dt_h)


def _kept(phases: int) -> tuple[str, ...]:
    """Return the arrays a controller measures."""
    found = ("vm_pu", "transformer_loading_percent", "transformer_p_kw")
    return (*found, "transformer_phase_loading_percent") if phases == 3 else found


def _oil_share(by_phase: FloatArray, worst: FloatArray) -> FloatArray:
    """Return mean-square loading of the phases over the worst one's, 1 without load."""
    mean = np.sqrt(np.mean(np.square(by_phase), axis=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(worst > 0.0, mean / worst, 1.0))


def _elements_of_stays(
    spec: StudySpec,
    requests: Sequence[PlanRequest],
    chargers: IntArray,
    shared: IntArray,
    owner: IntArray,
) -> IntArray:
    """Return the element that each stay's car loads, those of all scenarios one after the other."""
    apart = dict(zip(owner[shared].tolist(), shared.tolist(), strict=True))
    single = spec.fleet.vehicles["phases"] == 1
    names = {str(v) for v, one in single.items() if one}
    found: list[int] = []
    for request in requests:
        alone = [request.vehicle_id[v] in names for v in request.stays.vehicle]
        found += [
            apart[int(c)] if one and int(c) in apart else int(chargers[c])
            for c, one in zip(request.stays.charger, alone, strict=True)
        ]
    return np.array(found, dtype=np.int64)
