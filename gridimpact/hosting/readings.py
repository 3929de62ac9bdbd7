"""What a power flow of many scenarios read against the limits, kind by kind, and who is served how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gridimpact.assess.violations import tolerance_of
from gridimpact.records import LIMIT_KINDS, BoolArray, FloatArray, Grid, IntArray


@dataclass(frozen=True)
class Kind:
    """One kind of violation: the limit it counts under, the axis of its elements and its tolerance."""

    limit: str
    """Of `gridimpact.records.LIMIT_KINDS`."""
    axis: str
    """"bus", "line", "transformer", "site", "network"."""
    tolerance: float
    """How much deeper it must be to count as worse, in its own unit."""


def _kind(name: str, limit: str, axis: str, unit: str) -> Kind:
    return Kind(limit, axis, tolerance_of(name, unit))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        name: _kind(name, limit, axis, unit)
        for name, limit, axis, unit in (
            ("voltage_low", "voltage", "bus", "pu"),
            ("voltage_high", "voltage", "bus", "pu"),
            ("voltage_week", "voltage", "bus", "%"),
            ("unbalance", "unbalance", "bus", "%"),
            ("unbalance_week", "unbalance", "bus", "%"),
            ("line_loading", "line_loading", "line", "%"),
            ("line_loading_mean", "line_loading", "line", "%"),
            ("transformer_loading", "transformer_loading", "transformer", "%"),
            ("transformer_loading_mean", "transformer_loading", "transformer", "%"),
            ("transformer3w_loading", "transformer_loading", "network", "%"),
            ("transformer3w_loading_mean", "transformer_loading", "network", "%"),
            ("hot_spot", "hot_spot", "transformer", "degC"),
            ("ageing", "ageing", "transformer", "1"),
            ("asymmetry", "connection", "site", "kVA"),
            ("fuse_loading", "connection", "site", "%"),
            ("not_converged", "power_flow", "network", "lanes"),
            ("unsupplied", "power_flow", "network", "lanes"),
            ("export", "export", "transformer", "%"),
        )
    }
)
"""Kinds of violation as `gridimpact.assess` names them, with two of the scan: "unsupplied" (demand at buses
without supply, which a study's verdict on the power flow fails as well) and "export"."""


@dataclass(frozen=True)
class Beyond:
    """How far and how long each element was beyond one limit; arrays (scenario, element)."""

    depth: FloatArray
    """Furthest beyond the limit of the step; 0 where never beyond."""
    hours: FloatArray
    """[h]; 0 where never beyond."""

    @property
    def violated(self) -> BoolArray:
        """Whether each element ever was beyond its limit, (scenario, element)."""
        return np.asarray(self.hours > 0.0)


@dataclass(frozen=True)
class Places:
    """Where elements lie."""

    judged: BoolArray
    """(bus,) buses the limit profile has voltage limits for."""
    supplied: BoolArray
    """(bus,)"""
    feeders: IntArray
    """(feeder,) numbers, 0 first: busbars, what lies above them and transformers."""
    bus_feeder: IntArray
    line_feeder: IntArray
    """(line,) feeder of the far end."""
    site_feeder: IntArray
    transformers: int

    def feeder_of(self, axis: str) -> IntArray | None:
        """Return the feeder of each element of an axis, None where it belongs to none."""
        if axis == "transformer":
            return np.zeros(self.transformers, dtype=np.int64)
        found = {"bus": self.bus_feeder, "line": self.line_feeder, "site": self.site_feeder}
        return found.get(axis)


def places_of(grid: Grid, judged: BoolArray, site_bus: IntArray) -> Places:
    """Return where the elements of a grid lie; `site_bus` is each site's position on the bus axis."""
    feeder = grid.bus_feeder
    one, other = feeder[grid.line_from], feeder[grid.line_to]
    distance = np.nan_to_num(grid.bus_distance_m, nan=-1.0)
    # Of a line that ties two feeders, the end further from the busbar.
    further = distance[grid.line_to] >= distance[grid.line_from]
    both = (one > 0) & (other > 0)
    far = np.where(both, np.where(further, other, one), np.maximum(one, other))
    known = np.unique(feeder[feeder > 0])
    return Places(
        judged=judged,
        supplied=np.asarray(grid.bus_supplied),
        feeders=np.r_[0, known].astype(np.int64),
        bus_feeder=np.asarray(feeder),
        line_feeder=far.astype(np.int64),
        site_feeder=feeder[site_bus].astype(np.int64),
        transformers=len(grid.transformer_index),
    )


@dataclass(frozen=True)
class Readings:
    """What one or many scenarios read; arrays (scenario, element), NaN where nothing is known.

    Attributes
    ----------
    places : Places
        Where elements lie.
    beyond : mapping of str to Beyond
        By kind of `KINDS`, those that are judged alone.
    vm_min_pu, vm_max_pu, margin_pu : numpy.ndarray
        (scenario, bus) extremes and least distance to the nearer bound, negative outside, of the worst phase.
        Under a weekly band a week's distance is the one kept by as large a share of its ten-minute means as
        the profile asks for, and the lesser of it and the distance to the bounds at every step is given.
    unbalance_percent : numpy.ndarray
        (scenario, bus)
    line_percent, line_mean_percent : numpy.ndarray
        (scenario, line) highest loading and highest moving mean of rated lines [%].
    transformer_percent, transformer_mean_percent : numpy.ndarray
        (scenario, transformer) [%]
    transformer3w_percent, transformer3w_mean_percent : numpy.ndarray
        (scenario, three-winding transformer) [%]
    hot_spot_c, ageing_equivalent : numpy.ndarray
        (scenario, transformer); ageing over the counted time, a year or not.
    fuse_percent : numpy.ndarray
        (scenario, site) highest draw over what the main fuse carries [%].
    export_percent : numpy.ndarray
        (scenario, transformer) highest power from the low- to the high-voltage side over the rating [%].
    failed_lanes, unsupplied_lanes : numpy.ndarray
        (scenario,) counted power flows that failed, and that left demand at buses without supply.
    voltage_passes : bool
        Whether voltages inside the band are a pass; not so of a balanced power flow with connections on fewer
        than three phases.
    judged : frozenset of str
        Kinds of limit that any value was held against, of `gridimpact.records.LIMIT_KINDS`.
    """

    places: Places
    beyond: Mapping[str, Beyond]
    vm_min_pu: FloatArray
    vm_max_pu: FloatArray
    margin_pu: FloatArray
    unbalance_percent: FloatArray
    line_percent: FloatArray
    line_mean_percent: FloatArray
    transformer_percent: FloatArray
    transformer_mean_percent: FloatArray
    transformer3w_percent: FloatArray
    transformer3w_mean_percent: FloatArray
    hot_spot_c: FloatArray
    ageing_equivalent: FloatArray
    fuse_percent: FloatArray
    export_percent: FloatArray
    failed_lanes: IntArray
    unsupplied_lanes: IntArray
    voltage_passes: bool = True
    judged: frozenset[str] = frozenset(LIMIT_KINDS)

    @property
    def scenarios(self) -> int:
        """Number of scenarios."""
        return len(self.failed_lanes)


@dataclass(frozen=True)
class Service:
    """How well cars are served, arrays (scenario,); NaN where there are no cars.

    Attributes
    ----------
    unmet_kwh : numpy.ndarray
        Energy missing at counted departures [kWh].
    unmet_percent : numpy.ndarray
        The same over energy asked for, less that of uncontrolled charging in the same scenario [%].
    below_target_percent : numpy.ndarray
        Share of counted departures below their target [%].
    charged_kwh, fed_kwh : numpy.ndarray
        Energy drawn and fed at the chargers in counted time [kWh].
    """

    unmet_kwh: FloatArray
    unmet_percent: FloatArray
    below_target_percent: FloatArray
    charged_kwh: FloatArray
    fed_kwh: FloatArray

    @classmethod
    def none(cls, scenarios: int) -> Service:
        """Return the service of scenarios without cars."""
        return cls(*(np.full(scenarios, np.nan) for _ in range(5)))
