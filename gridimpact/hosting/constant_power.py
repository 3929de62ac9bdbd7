"""Constant power at some connections, in every counted step on top of all load and PV there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from gridimpact.assess import AssessContext
from gridimpact.errors import FlowNotConverged
from gridimpact.hosting.lane_limits import BaseDepths, Excess, LaneLimits
from gridimpact.hosting.lane_rules import Lanes, rules_of
from gridimpact.hosting.power_elements import Charge, connections_of
from gridimpact.hosting.readings import KINDS
from gridimpact.records import (
    FloatArray,
    Grid,
    IntArray,
    Network,
    Note,
)
from gridimpact.study.demand import site_reactive_kvar
from gridimpact.study.inject import frame_of
from gridimpact.study.power_flow import FlowSetup, flow_setup, resolved
from gridimpact.study.requests import fuse_limit_kw
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import Days, StudySpec
from gridimpact.timeline import Timeline

_VALUES_OF_PART = 1_500_000
"""Voltages solved at once; a part stands in memory some eight times, about 100 MB."""


class ConstantPower:
    """A study's network with constant power at some connections, judged lane by lane.

    Parameters
    ----------
    spec : StudySpec
        The study; its added cars are left out.
    days : str or sequence of str
        As `gridimpact.study.segments.choose_segments`; the counted steps are judged.
    preexisting : str
        As in `gridimpact.records.ScanSettings`.
    limits : sequence of str
        Kinds that count.

    Raises
    ------
    FlowNotConverged
        If no step has a solution without added power.
    """

    def __init__(
        self, spec: StudySpec, days: Days, preexisting: str, limits: Sequence[str]
    ) -> None:
        self.spec = resolved(spec)
        self.preexisting = preexisting
        self.setup: FlowSetup = flow_setup(self.spec)
        self.given = connections_of(self.spec)
        self._by_phase: list[Any] = []
        self.fuse_kw = fuse_limit_kw(self.spec.network.sites)
        self.timeline, self.p_kw, self.q_kvar, self.meter_kw = self._base_power(days)
        keep = ("vm_pu", "line_loading_percent", "transformer_loading_percent")
        asked = [k for k in self.setup.options.keep if k.startswith(("unbalance", "transformer3w"))]
        self._options = dataclasses.replace(self.setup.options, keep=(*keep, *asked))
        context = AssessContext(self.network.grid, self.network.sites, self.spec.limits)
        rules = rules_of(context, self.setup.phases, self.fuse_kw, limits)
        self.notes: list[Note] = [*self.spec.notes, *self.setup.notes]
        self.limits: LaneLimits = LaneLimits(rules, ())
        self.steps: IntArray = np.arange(self.timeline.count)
        self.base_failed = 0
        self.before: dict[str, int] = {}
        self.base: Excess = self._judge_base(preexisting)
        """Of the steps that are judged, without added power."""

    @property
    def network(self) -> Network:
        """Return the network, with its phase model where phases are solved."""
        return self.spec.network

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kind of each column of an excess."""
        return (*(rule.kind for rule in self.limits.rules), "not_converged")

    def excess(
        self, charge: Charge, site: IntArray, step: IntArray, kw: FloatArray, *, where: bool = False
    ) -> Excess:
        """Return how far lanes are beyond what counts.

        Parameters
        ----------
        charge : Charge
            Direction and power factor.
        site : numpy.ndarray
            (lane, member) connections that carry the power.
        step : numpy.ndarray
            (lane,) counted step.
        kw : numpy.ndarray
            (lane,) power of each member, not below zero [kW].
        where : bool
            Whether the elements are asked for.
        """
        found = []
        for part in self._parts(len(step)):
            lanes = self._solve(charge, site[part], step[part], kw[part])
            found.append(self.limits.excess(lanes, where=where))
        if len(found) == 1:
            return found[0]
        return Excess(
            np.concatenate([f.worst for f in found]),
            np.concatenate([f.longer for f in found]),
            np.concatenate([f.element for f in found if f.element is not None]) if where else None,
        )

    def _parts(self, lanes: int) -> list[slice]:
        width = len(self.network.grid.bus_index) * self.setup.phases
        width = max(width, self.given.still.p_kw.shape[2], len(self.network.grid.line_index), 1)
        most = int(np.clip(_VALUES_OF_PART // width, 64, 16_384))
        return [slice(k, min(k + most, lanes)) for k in range(0, lanes, most)]

    def _solve(self, charge: Charge, site: IntArray, step: IntArray, kw: FloatArray) -> Lanes:
        """Solve lanes of one part."""
        active, reactive = self.p_kw[step], self.q_kvar[step]
        row = np.arange(len(step))[:, None]
        active[row, self.given.carrier[site]] += charge.sign * kw[:, None]
        reactive[row, self.given.carrier[site]] += charge.tangent * kw[:, None]
        span = Timeline(self.timeline.start, self.timeline.step_s, len(step), self.timeline.zone)
        injections = dataclasses.replace(
            self.given.still, timeline=span, p_kw=active[None], q_kvar=reactive[None]
        )
        flow = self.setup.engine.solve(self.network.grid, injections, self._options)
        meter = self.meter_kw[step[:, None], site] + charge.sign * kw[:, None]
        uneven = None
        if any(rule.kind == "asymmetry" for rule in self.limits.rules):
            uneven = self._asymmetry(charge, site, step, kw)
        return Lanes(flow, site, meter, uneven)

    def _asymmetry(
        self, charge: Charge, site: IntArray, step: IntArray, kw: FloatArray
    ) -> FloatArray:
        """Return the largest difference of two phases' power at each member's meter [kVA]."""
        added = (charge.sign + 1j * charge.tangent) * kw[:, None]
        power = [
            self._phase_power(k)[step[:, None], site] + added * self.given.share[site, k]
            for k in range(3)
        ]
        uneven = np.zeros(site.shape)
        for one, other in combinations(power, 2):
            np.maximum(uneven, np.abs(one - other), out=uneven)
        return np.where(self.given.star[site], uneven, np.nan)

    def _phase_power(self, phase: int) -> Any:
        """Return the power of one phase of every site without added power, (time, site) complex [kVA]."""
        if not self._by_phase:
            still, count = self.given.still, len(self.given.carrier)
            owner = np.zeros((still.p_kw.shape[2], count))
            owner[np.arange(len(owner)), self.given.owner] = 1.0
            power = self.p_kw + 1j * self.q_kvar
            self._by_phase = [(power * still.phase_share[:, k]) @ owner for k in range(3)]
        return self._by_phase[phase]

    def _base_power(self, days: Days) -> tuple[Timeline, FloatArray, FloatArray, FloatArray]:
        """Return counted steps: their timeline (as if end to end), elements' power and meters' [kW]."""
        spec, profiles = self.spec, self.spec.profiles
        pv = profiles.pv_p_kw.sum(axis=1)
        segments = choose_segments(spec.timeline, days, profiles.load_p_kw.sum(axis=1) + pv, pv)
        steps = np.concatenate([np.arange(s.first, s.steps.stop)[s.counted] for s in segments])
        frame = frame_of(spec, with_cars=False)
        load, sun = profiles.load_p_kw[steps], profiles.pv_p_kw[steps]
        reactive = np.concatenate(
            [site_reactive_kvar(spec, s.steps)[s.counted] for s in segments], axis=0
        )
        active, drawn = frame.of_sites(load, sun, reactive)
        more = self.given.still.p_kw.shape[2] - active.shape[1]
        active, drawn = (np.pad(values, ((0, 0), (0, more))) for values in (active, drawn))
        span = Timeline(spec.timeline.start, spec.timeline.step_s, len(steps), spec.timeline.zone)
        return span, active, drawn, load + sun

    def _judge_base(self, preexisting: str) -> Excess:
        """Solve the case without added power, set what counts from then on and return its excess."""
        grid, count, rules = self.network.grid, self.timeline.count, self.limits.rules
        sizes = [_axis_size(grid, len(self.fuse_kw), KINDS[rule.kind].axis) for rule in rules]
        depths, sound = BaseDepths(rules, sizes), []
        everyone, step = np.arange(len(self.fuse_kw)), np.arange(count)
        site = np.broadcast_to(everyone, (count, len(everyone)))
        idle, none = Charge("import", 1.0, 0.0), np.zeros(count)
        for part in self._parts(count):
            lanes = self._solve(idle, site[part], step[part], none[part])
            depths.take(lanes)
            sound.append(lanes.sound)
        solved = np.concatenate(sound)
        if not solved.any():
            message = (
                f"none of {count} power flows without added power has a solution: the network cannot carry "
                "its own load; check the unit of the profiles and the ratings of the network"
            )
            raise FlowNotConverged(message, ~solved)
        self.base_failed = int((~solved).sum())
        self.before = depths.violated()
        self.limits = depths.limits(preexisting, self.timeline.dt_h)
        if preexisting != "count":
            self.steps = np.flatnonzero(solved)
        kept = self.steps
        return self.excess(idle, site[kept], kept, none[kept])


def _axis_size(grid: Grid, sites: int, axis: str) -> int:
    """Return the number of elements on an axis of `gridimpact.hosting.readings.KINDS`."""
    sizes = {
        "bus": len(grid.bus_index),
        "line": len(grid.line_index),
        "transformer": len(grid.transformer_index),
        "site": sites,
    }
    return sizes.get(axis, len(grid.transformer3w_index))
