"""Voltage of every bus: extremes, time outside the band, violations, and EN 50160 by whole weeks.

In three phases each phase-to-neutral voltage is held against the limits, and the worst phase speaks
for its bus.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.limits import ALWAYS_MAX_PU, ALWAYS_MIN_PU
from gridimpact.assess.running import (
    Extreme,
    RunTracker,
    Times,
    add_counts,
    over_phases,
    worst_phase,
)
from gridimpact.assess.weeks import WeekBand, WeekFindings
from gridimpact.records import BoolArray, FloatArray, Grid, IntArray


@dataclass(frozen=True)
class VoltageFindings:
    """What the voltages were, arrays (scenario, bus) unless said otherwise."""

    judged: BoolArray
    """(bus,) buses the profile has limits for."""
    vm_min_pu: FloatArray
    vm_min_time: Times
    vm_min_phase: IntArray
    """Phase 0, 1 or 2 of the lowest voltage, -1 where all three are one."""
    vm_max_pu: FloatArray
    vm_max_time: Times
    vm_max_phase: IntArray
    steps_known: IntArray
    steps_outside: IntArray
    steps_any_outside: IntArray
    """(scenario,) steps with at least one bus outside."""
    low: pd.DataFrame
    """Runs of steps below the limit."""
    high: pd.DataFrame
    weeks: WeekFindings
    """Of the profile where it has weekly limits, else of EN 50160."""
    always_outside: IntArray
    """Steps outside EN 50160's outermost band."""


@dataclass
class VoltageReducer:
    """Voltage against the limit profile, with the EN 50160 verdict beside it.

    Only low-voltage buses are judged by low-voltage limits. A bus without a supplying transformer
    is measured from the source of its network.
    """

    context: AssessContext
    judged: BoolArray
    busbar: IntArray
    fixed: FloatArray
    weeks: WeekBand
    lowest: Extreme = field(default_factory=lambda: Extreme(-1.0))
    highest: Extreme = field(default_factory=Extreme)
    known: IntArray | None = None
    outside: IntArray | None = None
    any_outside: IntArray | None = None
    always: IntArray | None = None
    below: RunTracker = field(default_factory=lambda: RunTracker("voltage_low", "pu", -1.0))
    above: RunTracker = field(default_factory=lambda: RunTracker("voltage_high", "pu", 1.0))

    @classmethod
    def start(cls, context: AssessContext) -> VoltageReducer:
        """Return an empty reducer."""
        limits = context.limits
        judged = context.lv if limits.judges_lv else np.zeros_like(context.lv)
        if limits.judges_mv:
            judged = judged | context.mv
        busbar, fixed = busbars(context.grid)
        if context.busbar_vm_pu is not None:
            busbar, fixed = np.full_like(busbar, -1), context.busbar_vm_pu
        return cls(context, judged, busbar, fixed, WeekBand.start(context))

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps."""
        usable = chunk.usable
        voltage = chunk.flow.vm_pu
        if not usable.all():
            voltage = np.where(
                usable.reshape(*usable.shape, *[1] * (voltage.ndim - 2)), voltage, np.nan
            )
        self._extremes(voltage, chunk.times)
        self.weeks.update(chunk, voltage)
        low, high = self._bounds(voltage)
        below, above = np.less(voltage, low), np.greater(voltage, high)
        self._track(chunk, self.below, below, voltage, low)
        self._track(chunk, self.above, above, voltage, high)
        outside = any_phase(np.asarray(below | above | self._outside_week(voltage)))
        self.outside = add_counts(self.outside, outside)
        self.any_outside = add_counts(self.any_outside, outside.any(axis=2))
        always = any_phase((voltage < ALWAYS_MIN_PU) | (voltage > ALWAYS_MAX_PU))
        self.always = add_counts(self.always, always)

    def _extremes(self, voltage: FloatArray, times: Times) -> None:
        """Keep the lowest and the highest voltage of each bus and its phase."""
        lowest = highest = voltage
        phases = voltage if voltage.ndim == 4 else None
        if phases is not None:
            lowest, highest = over_phases(np.fmin, voltage), over_phases(np.fmax, voltage)
        self.lowest.update(lowest, times, phases)
        self.highest.update(highest, times, phases)
        self.known = add_counts(self.known, ~np.isnan(lowest))

    @staticmethod
    def _track(
        chunk: Chunk,
        tracker: RunTracker,
        outside: BoolArray,
        voltage: FloatArray,
        bound: FloatArray,
    ) -> None:
        """Follow runs of steps beyond a bound; only where there are some is the phase looked up."""
        if not outside.any():
            return
        value, limit, phase = worst_phase(voltage, bound, tracker.sign)
        tracker.update(chunk, any_phase(outside), value, limit, phase)

    def finish(self) -> VoltageFindings:
        """Return the figures."""
        none = np.zeros((1, len(self.judged)), dtype=np.int64)
        return VoltageFindings(
            judged=self.judged,
            vm_min_pu=self.lowest.value,
            vm_min_time=self.lowest.times,
            vm_min_phase=self.lowest.phases,
            vm_max_pu=self.highest.value,
            vm_max_time=self.highest.times,
            vm_max_phase=self.highest.phases,
            steps_known=none if self.known is None else self.known,
            steps_outside=none if self.outside is None else self.outside,
            steps_any_outside=none[:, 0] if self.any_outside is None else self.any_outside,
            low=self.below.finish(),
            high=self.above.finish(),
            weeks=self.weeks.finish(),
            always_outside=none if self.always is None else self.always,
        )

    def _bounds(self, voltage: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the limits of each lane and bus, broadcasting to `voltage`."""
        limits, lv = self.context.limits, self.context.lv
        low, high = fixed_bounds(self.context)
        busbar, fixed = self.busbar, self.fixed
        measured = busbar >= 0
        if voltage.ndim == 4:
            low, high, lv = low[:, None], high[:, None], lv[:, None]
            measured, fixed = measured[:, None], fixed[:, None]
        if limits.drop_pu is None and limits.rise_pu is None:
            return low, high
        # A phase is held against the same phase of its busbar.
        reference = np.where(measured, voltage[:, :, busbar], fixed)
        if limits.drop_pu is not None:
            low = np.maximum(low, np.where(lv, reference - limits.drop_pu, -np.inf))
        if limits.rise_pu is not None:
            high = np.minimum(high, np.where(lv, reference + limits.rise_pu, np.inf))
        return low, high

    def _outside_week(self, voltage: FloatArray) -> BoolArray:
        """Return where a judged bus is outside the weekly band, which counts as hours outside."""
        band = self.context.limits.week
        if band is None:
            return np.zeros((1,) * voltage.ndim, dtype=np.bool_)
        outside = (voltage < band[0]) | (voltage > band[1])
        return outside & (self.judged[:, None] if voltage.ndim == 4 else self.judged)


def any_phase(mask: BoolArray) -> BoolArray:
    """Return whether any phase is marked, (scenario, time, bus)."""
    return over_phases(np.logical_or, mask) if mask.ndim == 4 else mask


def fixed_bounds(context: AssessContext) -> tuple[FloatArray, FloatArray]:
    """Return the limits of each bus over nominal, (bus,) each; infinite where the profile asks nothing."""
    limits, lv, mv = context.limits, context.lv, context.mv
    low, high = np.full(len(lv), -np.inf), np.full(len(lv), np.inf)
    _put(low, lv, limits.vm_min_pu)
    _put(high, lv, limits.vm_max_pu)
    _put(low, mv, limits.mv_min_pu)
    _put(high, mv, limits.mv_max_pu)
    return low, high


def _put(bound: FloatArray, buses: BoolArray, value: float | None) -> None:
    if value is not None:
        bound[buses] = value


def busbars(grid: Grid) -> tuple[IntArray, FloatArray]:
    """Return the bus each bus is measured from, -1 for none, and the fixed voltage then used.

    Parameters
    ----------
    grid : Grid
        Network extract.

    Returns
    -------
    tuple of numpy.ndarray
        (bus,) position of the busbar, the supplied side of the supplying transformer; and (bus,)
        set-point of the source of the bus's network in pu, 1 where it has none.
    """
    busbar = np.full(len(grid.bus_vn_kv), -1, dtype=np.int64)
    served = grid.bus_transformer >= 0
    transformer = grid.bus_transformer[served]
    low = grid.transformer_lv[transformer]
    high = grid.transformer_hv[transformer]
    # A transformer may feed upward; its supplied side has the bus's own nominal voltage.
    own = grid.bus_vn_kv[served]
    upward = np.abs(grid.bus_vn_kv[high] - own) < np.abs(grid.bus_vn_kv[low] - own)
    busbar[served] = np.where(upward, high, low)
    admittance = grid.admittance
    island = connected_components(abs(admittance.y_bus), directed=False)[1]
    point = np.ones(int(island.max(initial=-1)) + 1)
    point[island[admittance.slack_node]] = np.abs(admittance.slack_vm_pu)
    fixed = np.ones(len(busbar))
    live = grid.bus_node >= 0
    fixed[live] = point[island[grid.bus_node[live]]]
    return busbar, fixed
