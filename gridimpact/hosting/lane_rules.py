"""What a solved lane keeps at every step: voltage, loading, unbalance, fuses.

A lane is one step of one case; a case is a set of connections that draw or feed the same constant power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gridimpact.assess import AssessContext, LoadingReducer, UnbalanceReducer
from gridimpact.assess.connections import ROUNDING_KVA
from gridimpact.assess.running import over_phases
from gridimpact.assess.voltage import VoltageReducer, busbars, fixed_bounds
from gridimpact.conventions import Status
from gridimpact.hosting.readings import KINDS
from gridimpact.records import BoolArray, FloatArray, FlowResult, IntArray


@dataclass(frozen=True)
class Lanes:
    """Solved lanes of one part.

    Attributes
    ----------
    flow : FlowResult
        One scenario, lanes on its time axis.
    site : numpy.ndarray
        (lane, member) connections that carry the case's power.
    meter_kw : numpy.ndarray
        (lane, member) what their meters see [kW].
    asymmetry_kva : numpy.ndarray or None
        (lane, member) largest difference of two phases' power [kVA]; NaN or None where not known.
    """

    flow: FlowResult
    site: IntArray
    meter_kw: FloatArray
    asymmetry_kva: FloatArray | None = None

    @property
    def sound(self) -> BoolArray:
        """(lane,) solved and plausible."""
        status = self.flow.status[0]
        return np.asarray((status == Status.OK) | (status == Status.UNSUPPLIED))


class Rule(Protocol):
    """One kind of limit at every step."""

    @property
    def kind(self) -> str:
        """Of `gridimpact.hosting.readings.KINDS`."""
        ...

    @property
    def scale(self) -> float:
        """What a depth is divided by, so that kinds can be compared [unit of the kind]."""
        ...

    def depth(self, lanes: Lanes) -> FloatArray:
        """Return how far each judged element is beyond its limit, (lane, column); NaN is not known."""
        ...

    def element(self, lanes: Lanes) -> IntArray:
        """Return the position of each column on the kind's axis, (column,) or (lane, column)."""
        ...


@dataclass(frozen=True)
class VoltageRule:
    """Voltage of every judged bus against one of its bounds."""

    kind: str
    bus: IntArray
    bound: FloatArray
    """(column,) over nominal, infinite for none."""
    reference: IntArray
    """(column,) bus whose voltage of the same step the departure counts from, -1 for `fixed`."""
    fixed: FloatArray
    departure: float | None
    scale: float = 0.05

    def depth(self, lanes: Lanes) -> FloatArray:
        """Return the depth of the worst phase [pu]."""
        vm = lanes.flow.vm_pu[0]
        volts = vm[:, self.bus]
        spread = (slice(None), None) if volts.ndim == 3 else slice(None)
        sign = -1.0 if self.kind == "voltage_low" else 1.0
        depth = sign * (volts - self.bound[spread])
        if self.departure is not None:
            measured = (self.reference >= 0)[spread]
            base = np.where(measured, vm[:, self.reference], self.fixed[spread])
            np.fmax(depth, sign * (volts - base) - self.departure, out=depth)
        found: FloatArray = over_phases(np.fmax, depth) if depth.ndim == 3 else depth
        return found

    def element(self, lanes: Lanes) -> IntArray:
        """Return positions of buses."""
        return self.bus


@dataclass(frozen=True)
class ArrayRule:
    """An array of the flow against one limit from above."""

    kind: str
    name: str
    place: IntArray
    limit: float
    scale: float

    def depth(self, lanes: Lanes) -> FloatArray:
        """Return the depth in the unit of the array."""
        values: FloatArray = getattr(lanes.flow, self.name)[0][:, self.place] - self.limit
        return values

    def element(self, lanes: Lanes) -> IntArray:
        """Return positions of elements."""
        return self.place


@dataclass(frozen=True)
class FuseRule:
    """Draw at a meter over what its main fuse carries."""

    fuse_kw: FloatArray
    limit: float
    kind: str = "fuse_loading"
    scale: float = 100.0

    def depth(self, lanes: Lanes) -> FloatArray:
        """Return the depth [%]."""
        share = 100.0 * lanes.meter_kw / self.fuse_kw[lanes.site]
        return np.asarray(share - self.limit - ROUNDING_KVA)

    def element(self, lanes: Lanes) -> IntArray:
        """Return positions of sites."""
        return lanes.site


@dataclass(frozen=True)
class AsymmetryRule:
    """Difference of two phases' power at a meter."""

    limit: float
    kind: str = "asymmetry"
    scale: float = 5.0

    def depth(self, lanes: Lanes) -> FloatArray:
        """Return the depth [kVA]."""
        known = lanes.asymmetry_kva
        if known is None:
            return np.full(lanes.site.shape, np.nan)
        return np.asarray(known - self.limit - ROUNDING_KVA)

    def element(self, lanes: Lanes) -> IntArray:
        """Return positions of sites."""
        return lanes.site


def rules_of(
    context: AssessContext, phases: int, fuse_kw: FloatArray, limits: Sequence[str]
) -> tuple[Rule, ...]:
    """Return what is judged at every step of constant power.

    Parameters
    ----------
    context : AssessContext
        Network and limit profile.
    phases : int
        3 where each phase is solved by itself.
    fuse_kw : numpy.ndarray
        (site,) what each main fuse carries [kW].
    limits : sequence of str
        Kinds that count, of `gridimpact.records.LIMIT_KINDS`.

    Notes
    -----
    What a profile asks for in a share of each week (voltage and unbalance of EN 50160) is asked for at every
    step here, which is the safe side: an own choice, as power that never pauses has no rest of the week.
    """
    rules = [*_voltage_rules(context), *_loading_rules(context)]
    if phases == 3:
        found = UnbalanceReducer.start(context)
        if found.limit is not None:
            name = "unbalance_nema_percent" if found.nema else "unbalance_percent"
            rules.append(
                ArrayRule("unbalance", name, np.flatnonzero(found.judged), found.limit, 2.0)
            )
        if context.limits.single_phase_kva is not None:
            rules.append(AsymmetryRule(context.limits.single_phase_kva))
    if context.limits.fuse_percent is not None:
        usable = np.where(np.isfinite(fuse_kw) & (fuse_kw > 0.0), fuse_kw, np.nan)
        rules.append(FuseRule(usable, context.limits.fuse_percent))
    return tuple(rule for rule in rules if KINDS[rule.kind].limit in limits)


def _voltage_rules(context: AssessContext) -> list[Rule]:
    """Return the lower and the upper bound of judged buses."""
    limits, judged = context.limits, VoltageReducer.start(context).judged
    low, high = fixed_bounds(context)
    if limits.week is not None:
        low = np.where(judged, np.maximum(low, limits.week[0]), low)
        high = np.where(judged, np.minimum(high, limits.week[1]), high)
    busbar, fixed = busbars(context.grid)
    if context.busbar_vm_pu is not None:
        busbar, fixed = np.full_like(busbar, -1), context.busbar_vm_pu
    found: list[Rule] = []
    sides = (("voltage_low", low, limits.drop_pu), ("voltage_high", high, limits.rise_pu))
    for kind, bound, departure in sides:
        moving = context.lv if departure is not None else np.zeros_like(judged)
        for bus, own in (
            (np.flatnonzero(judged & moving), departure),
            (np.flatnonzero(judged & ~moving & np.isfinite(bound)), None),
        ):
            if len(bus):
                found.append(VoltageRule(kind, bus, bound[bus], busbar[bus], fixed[bus], own))
    return found


def _loading_rules(context: AssessContext) -> list[Rule]:
    """Return the instant loading of rated lines and transformers."""
    found: list[Rule] = []
    for what in ("line", "transformer", "transformer3w"):
        part = LoadingReducer.start(context, what)
        place = np.flatnonzero(part.rated)
        if part.limit is not None and len(place):
            name = f"{what}_loading_percent"
            found.append(ArrayRule(f"{what}_loading", name, place, part.limit, 100.0))
    return found
