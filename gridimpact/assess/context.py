"""What reducers are told once (`AssessContext`), segment by segment and chunk by chunk.

A chunk is a run of consecutive steps of one segment; how a segment is cut never changes a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.ageing import NORMAL_LIFE_H, Nameplate
from gridimpact.assess.limits import EU_LV_PLANNING, LV_MAX_KV, MV_MAX_KV, LimitProfile
from gridimpact.conventions import Status
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import (
    BoolArray,
    Dispatch,
    FloatArray,
    FlowResult,
    Grid,
    PlanRequest,
)
from gridimpact.timeline import Timeline

CHUNK_STEPS = 2_016
"""Steps handled at once; a few megabytes on a feeder of some hundred buses."""


@dataclass(frozen=True)
class AssessContext:
    """What does not change over the time assessed.

    Attributes
    ----------
    grid : Grid
        Network extract.
    sites : pandas.DataFrame
        Sites as in `Network.sites`.
    limits : LimitProfile
        What is judged.
    charger_phases : tuple of str
        Phases of the chargers in use; with those of the sites they tell single-phase connections.
    plate : Nameplate, optional
        Thermal data behind the temperatures; None where ageing is not studied.
    busbar_vm_pu : numpy.ndarray, optional
        (bus,) voltage that drop and rise are counted from; by default the voltage of the busbar
        that supplies the bus, at the same step.
    life_h : float
        Normal insulation life [h].
    target_tolerance : float
        A departure is below its target if more than this share of the capacity is missing [1].
    """

    grid: Grid
    sites: pd.DataFrame
    limits: LimitProfile = EU_LV_PLANNING
    charger_phases: tuple[str, ...] = ()
    plate: Nameplate | None = None
    busbar_vm_pu: FloatArray | None = None
    life_h: float = NORMAL_LIFE_H
    target_tolerance: float = 0.005

    @property
    def lv(self) -> BoolArray:
        """(bus,) low-voltage buses that are supplied."""
        return np.asarray(self.grid.bus_supplied & (self.grid.bus_vn_kv <= LV_MAX_KV))

    @property
    def mv(self) -> BoolArray:
        """(bus,) medium-voltage buses that are supplied."""
        volts = self.grid.bus_vn_kv
        return np.asarray(self.grid.bus_supplied & (volts > LV_MAX_KV) & (volts <= MV_MAX_KV))

    @property
    def single_phase_connections(self) -> int:
        """Sites and chargers that are connected to fewer than three phases."""
        phases = [*self.sites["phases"].astype(str), *self.charger_phases]
        return sum(len(each) < 3 for each in phases)


@dataclass(frozen=True)
class SegmentResult:
    """One run of consecutive steps, solved: what is to be assessed.

    Attributes
    ----------
    timeline : Timeline
        Steps of this segment.
    flow : FlowResult, optional
        Power flow, arrays (scenario, time, element); None where it comes in parts.
    counted : numpy.ndarray, optional
        (time,) False while warming up; all steps count by default.
    request : PlanRequest, optional
        Sites, tariffs, stays and batteries; without it service and money are not assessed.
    dispatch : Dispatch, optional
        None where no added car drives.
    top_oil_c, hot_spot_c, ageing_rate : numpy.ndarray, optional
        (scenario, time, transformer) at the end of each step.
    temp_air_c : numpy.ndarray, optional
        (time,) air temperature, for the wear of batteries.
    site_asymmetry_kva : numpy.ndarray, optional
        (scenario, time, site) largest difference of the power of two phases at each meter; NaN where it
        is not known.
    """

    timeline: Timeline
    flow: FlowResult | None = None
    counted: BoolArray | None = None
    request: PlanRequest | None = None
    dispatch: Dispatch | None = None
    top_oil_c: FloatArray | None = None
    hot_spot_c: FloatArray | None = None
    ageing_rate: FloatArray | None = None
    temp_air_c: FloatArray | None = None
    site_asymmetry_kva: FloatArray | None = None

    @property
    def counted_steps(self) -> BoolArray:
        """(time,) whether each step counts."""
        if self.counted is None:
            return np.ones(self.timeline.count, dtype=np.bool_)
        return self.counted

    def check(self) -> None:
        """Refuse arrays that do not fit the timeline, all at once.

        Raises
        ------
        InputError
            Naming each array and both lengths.
        """
        count = self.timeline.count
        lengths = {"counted": len(self.counted_steps)}
        if self.flow is not None:
            lengths["flow.vm_pu"] = self.flow.vm_pu.shape[1]
        for name in ("top_oil_c", "hot_spot_c", "ageing_rate", "site_asymmetry_kva"):
            array = getattr(self, name)
            if array is not None:
                lengths[name] = array.shape[1]
        if self.temp_air_c is not None:
            lengths["temp_air_c"] = len(self.temp_air_c)
        if self.dispatch is not None:
            lengths["dispatch.p_kw"] = self.dispatch.p_kw.shape[0]
        if self.request is not None:
            lengths["request.site_load_kw"] = self.request.site_load_kw.shape[0]
        problems = [
            Problem(name, f"has {length} steps, the timeline {count}")
            for name, length in lengths.items()
            if length != count
        ]
        if self.dispatch is not None and self.request is None:
            problems.append(
                Problem("request", "is missing", "give the request behind the dispatch")
            )
        raise_problems(problems, "segment to assess")


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps of one segment, arrays (scenario, time, element).

    Attributes
    ----------
    segment : int
        Number of the segment.
    timeline : Timeline
        Of the whole segment.
    segment_counted : numpy.ndarray
        (time,) of the whole segment.
    first : int
        Step of the segment this chunk begins with.
    flow : FlowResult
        These steps.
    top_oil_c, hot_spot_c, ageing_rate : numpy.ndarray or None
        These steps.
    request : PlanRequest or None
        Of the whole segment.
    dispatch : Dispatch or None
        Of the whole segment.
    vehicle_p_kw : numpy.ndarray or None
        (scenario, time, vehicle) power at the meter in these steps.
    site_p_kw : numpy.ndarray or None
        (scenario, time, site) load, PV and cars at each meter in these steps.
    temp_air_c : numpy.ndarray or None
        (time,) of the whole segment.
    site_asymmetry_kva : numpy.ndarray or None
        (scenario, time, site) in these steps.
    """

    segment: int
    timeline: Timeline
    segment_counted: BoolArray
    first: int
    flow: FlowResult
    top_oil_c: FloatArray | None = None
    hot_spot_c: FloatArray | None = None
    ageing_rate: FloatArray | None = None
    request: PlanRequest | None = None
    dispatch: Dispatch | None = None
    vehicle_p_kw: FloatArray | None = None
    site_p_kw: FloatArray | None = None
    temp_air_c: FloatArray | None = None
    site_asymmetry_kva: FloatArray | None = None

    @property
    def steps(self) -> slice:
        """Steps of the segment in this chunk."""
        return slice(self.first, self.first + self.flow.status.shape[1])

    @property
    def counted(self) -> BoolArray:
        """(time,) whether each step of the chunk counts."""
        return self.segment_counted[self.steps]

    @property
    def usable(self) -> BoolArray:
        """(scenario, time) steps that count and whose power flow is sound.

        Demand at buses without supply does not spoil the rest of a solved network.
        """
        solved = (self.flow.status == Status.OK) | (self.flow.status == Status.UNSUPPLIED)
        return np.asarray(solved & self.counted)

    @property
    def times(self) -> NDArray[np.datetime64]:
        """(time,) begin of each step."""
        return self.timeline.times[self.steps]


class Reducer(Protocol):
    """What turns chunks into figures; one object per strategy."""

    @classmethod
    def start(cls, context: AssessContext) -> Reducer:
        """Return an empty reducer."""
        ...

    def update(self, chunk: Chunk) -> None:
        """Take in the next steps."""
        ...

    def finish(self) -> Any:
        """Return the figures."""
        ...
