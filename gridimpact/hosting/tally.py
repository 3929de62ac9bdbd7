"""One batch of scenarios followed through its segments, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.assess import Chunk
from gridimpact.assess.connections import ROUNDING_KVA
from gridimpact.assess.findings import YEAR_H
from gridimpact.assess.running import add_counts, add_in_order
from gridimpact.conventions import Status
from gridimpact.errors import InputError
from gridimpact.hosting.judge_parts import (
    BandPart,
    HighestPart,
    LoadingPart,
    MeansPart,
    WeeksPart,
    known,
    lanes_beyond,
    spread,
)
from gridimpact.hosting.judge_rules import Rules
from gridimpact.hosting.readings import KINDS, Beyond, Readings
from gridimpact.records import FloatArray, FlowResult, IntArray
from gridimpact.study.segments import Segment

ALL = slice(None)


class Tally:
    """Follows scenarios through their segments: `begin`, `take` for each part, `end`, and last `finish`."""

    def __init__(self, rules: Rules, export_percent: float | None, scenarios: int) -> None:
        self._rules, self._scenarios = rules, scenarios
        grid, limits = rules.context.grid, rules.context.limits
        buses = len(grid.bus_index)
        self._voltage = BandPart(scenarios, buses, rules.band)
        self._weeks = None
        if limits.week is not None:
            judged = rules.places.judged
            self._weeks = WeeksPart(
                scenarios, judged, buses * rules.phases, limits.week, margins=True
            )
        asked = rules.unbalanced
        every = asked.limit if asked.share is None else None
        self._unbalance = HighestPart(scenarios, asked.judged, every)
        self._unbalance_weeks = None
        if rules.phases == 3 and asked.limit is not None and asked.share is not None:
            band = (0.0, asked.limit, asked.share)
            self._unbalance_weeks = WeeksPart(scenarios, asked.judged, buses, band, margins=False)
        self._loading = {
            part.what: LoadingPart(part, scenarios)
            for part in (rules.lines, rules.transformers, rules.transformers3w)
        }
        live, sites = rules.transformers.rated, len(rules.fuse_kw)
        self._export = HighestPart(scenarios, live, export_percent)
        every_one = np.ones(len(live), dtype=np.bool_)
        self._hot = HighestPart(scenarios, every_one, limits.hot_spot_c)
        self._aged: FloatArray | None = None
        self._hot_steps: IntArray | None = None
        site = np.ones(sites, dtype=np.bool_)
        self._uneven = HighestPart(scenarios, site, limits.single_phase_kva, ROUNDING_KVA)
        self._fuse = HighestPart(scenarios, site, limits.fuse_percent, ROUNDING_KVA)
        self._failed = np.zeros(scenarios, dtype=np.int64)
        self._dark = np.zeros(scenarios, dtype=np.int64)
        self._segment: Segment | None = None
        self._number = 0
        self._next = np.zeros(scenarios, dtype=np.int64)
        self._dt_h = 0.0
        self._hours = self._longest_h = 0.0

    def begin(self, number: int, segment: Segment, site_p_kw: FloatArray | None = None) -> None:
        """Open a segment.

        Parameters
        ----------
        number : int
            Its number.
        segment : Segment
            Its timeline and the steps that count.
        site_p_kw : numpy.ndarray, optional
            (scenario, time, site) load, PV and cars at every meter [kW], positive draws; without it main
            fuses are not judged.

        Raises
        ------
        InputError
            If a segment is still open, or its step differs from those before.
        """
        if self._segment is not None:
            message = f"segment {self._number} is still open; end it before the next begins"
            raise InputError(message)
        timeline = segment.timeline
        if self._dt_h and timeline.dt_h != self._dt_h:
            message = f"segment {number} has another step than those before; judge them apart"
            raise InputError(message)
        self._segment, self._number, self._dt_h = segment, number, timeline.dt_h
        self._next[:] = 0
        counted = float(np.count_nonzero(segment.counted)) * timeline.dt_h
        self._hours += counted
        self._longest_h = max(self._longest_h, counted)
        for loading in self._loading.values():
            if loading.mean is not None:
                loading.mean.begin(timeline)
        for weeks in (self._weeks, self._unbalance_weeks):
            if weeks is not None:
                weeks.begin(timeline, segment.counted)
        if site_p_kw is not None:
            share = 100.0 * site_p_kw / self._rules.fuse_kw
            self._fuse.take(share, spread(segment.counted, len(share)))

    def take(
        self,
        first: int,
        flow: FlowResult,
        *,
        scenario: slice = ALL,
        site_asymmetry_kva: FloatArray | None = None,
    ) -> None:
        """Take in a part of the open segment.

        Parameters
        ----------
        first : int
            Step of the segment the part begins with; parts of a scenario come in order of time.
        flow : FlowResult
            Power flow of the part.
        scenario : slice
            Scenarios it holds; all by default.
        site_asymmetry_kva : numpy.ndarray, optional
            (scenario, time, site) of the part, as `gridimpact.study.asymmetry.PhaseMeter` reads it; without
            it the asymmetry of connections is not judged.

        Raises
        ------
        InputError
            If no segment is open, or the part does not follow the one before.
        """
        chunk = self._chunk(first, flow, scenario)
        usable, counted = chunk.usable, spread(chunk.counted, len(flow.status))
        self._failed[scenario] += np.count_nonzero(counted & ~usable, axis=1)
        dark = usable & (flow.status == Status.UNSUPPLIED)
        self._dark[scenario] += np.count_nonzero(dark, axis=1)
        self._voltage.take(flow.vm_pu, usable, scenario)
        if self._weeks is not None:
            self._weeks.take(flow.vm_pu, usable, first, scenario)
        nema = self._rules.unbalanced.nema
        found = flow.unbalance_nema_percent if nema else flow.unbalance_percent
        if found.shape[2]:
            self._unbalance.take(found, usable, scenario)
            if self._unbalance_weeks is not None:
                self._unbalance_weeks.take(found, usable, first, scenario)
        for what, loading in self._loading.items():
            values = getattr(flow, f"{what}_loading_percent")
            loading.highest.take(values, usable, scenario)
            if loading.mean is not None:
                loading.mean.take(values, usable, counted, first, scenario)
        self._export.take(self._fed_percent(flow), usable, scenario)
        if site_asymmetry_kva is not None:
            self._uneven.take(site_asymmetry_kva, counted, scenario)

    def end(self, heat: Mapping[str, NDArray[Any]]) -> None:
        """Close the segment with its temperatures.

        Parameters
        ----------
        heat : mapping
            ``hot_spot_c ageing_rate`` (scenario, time, transformer) at the end of each step; empty where
            temperatures are not studied. Others are left alone.

        Raises
        ------
        InputError
            If a part of the segment is missing.
        """
        segment = self._segment
        if segment is None or (self._next != segment.timeline.count).any():
            message = f"segment {self._number} is not open, or a part of its power flow is missing"
            raise InputError(message)
        self._segment = None
        for weeks in (self._weeks, self._unbalance_weeks):
            if weeks is not None:
                weeks.end()
        if not heat:
            return
        counted = segment.counted[:, None]
        hot = np.where(counted, heat["hot_spot_c"], np.nan)
        self._hot.take(hot, spread(segment.counted, len(hot)))
        self._hot_steps = add_counts(self._hot_steps, ~np.isnan(hot))
        self._aged = add_in_order(self._aged, np.where(counted, heat["ageing_rate"], np.nan))

    def finish(self) -> Readings:
        """Return what the scenarios read.

        Raises
        ------
        InputError
            If a segment is still open.
        """
        if self._segment is not None:
            message = f"segment {self._number} is still open; end it first"
            raise InputError(message)
        low, high = self._voltage.beyond(self._dt_h)
        state, margin = self._voltage.state, self._voltage.margin
        parts = self._parts()
        beyond = {name: part.beyond(self._dt_h) for name, part in parts.items()}
        judged = {KINDS[name].limit for name, part in parts.items() if part.judges}
        beyond |= {"voltage_low": low, "voltage_high": high, "ageing": self._aged_beyond()}
        beyond |= {
            "not_converged": lanes_beyond(self._failed, self._dt_h),
            "unsupplied": lanes_beyond(self._dark, self._dt_h),
        }
        if self._weeks is not None:
            margin = np.minimum(margin, self._weeks.margin)
            beyond["voltage_week"] = self._weeks.beyond()
        if self._unbalance_weeks is not None:
            beyond["unbalance_week"] = self._unbalance_weeks.beyond()
            judged |= {"unbalance"} if self._unbalance_weeks.seen else set()
        judged |= {"voltage"} if self._rules.places.judged.any() else set()
        judged |= {"ageing"} if beyond["ageing"] is not None else set()
        return Readings(
            places=self._rules.places,
            beyond={name: part for name, part in beyond.items() if part is not None},
            vm_min_pu=known(self._voltage.by_bus(state.lowest, np.minimum)),
            vm_max_pu=known(self._voltage.by_bus(state.highest, np.maximum)),
            margin_pu=known(margin),
            unbalance_percent=self._unbalance.value,
            hot_spot_c=self._hot.value,
            ageing_equivalent=self._equivalent(),
            fuse_percent=self._fuse.value,
            export_percent=np.maximum(self._export.value, 0.0),
            failed_lanes=self._failed,
            unsupplied_lanes=self._dark,
            voltage_passes=self._rules.voltage_passes,
            judged=frozenset(judged | {"power_flow"}),
            **{f"{what}_percent": part.highest.value for what, part in self._loading.items()},
            **{f"{what}_mean_percent": part.mean_value for what, part in self._loading.items()},
        )

    def _parts(self) -> dict[str, HighestPart | MeansPart]:
        """Return what holds values against one limit that does not move, by kind."""
        parts: dict[str, HighestPart | MeansPart] = {
            "unbalance": self._unbalance,
            "hot_spot": self._hot,
            "asymmetry": self._uneven,
            "fuse_loading": self._fuse,
            "export": self._export,
        }
        for what, loading in self._loading.items():
            parts[f"{what}_loading"] = loading.highest
            if loading.mean is not None:
                parts[f"{what}_loading_mean"] = loading.mean
        return parts

    def _chunk(self, first: int, flow: FlowResult, scenario: slice) -> Chunk:
        """Return a part as `gridimpact.assess` sees it, checked to follow the one before."""
        segment = self._segment
        if segment is None:
            message = "no segment is open; call begin first"
            raise InputError(message)
        if flow.phases != self._rules.phases:
            message = f"a power flow in {flow.phases} phases where {self._rules.phases} are judged"
            raise InputError(message)
        due = self._next[scenario]
        scenarios, steps = flow.status.shape
        if len(due) != scenarios or (due != first).any():
            message = f"segment {self._number}: {scenarios} scenarios from step {first} do not follow what was taken"
            raise InputError(message)
        self._next[scenario] = first + steps
        return Chunk(self._number, segment.timeline, segment.counted, first, flow)

    def _fed_percent(self, flow: FlowResult) -> FloatArray:
        """Return power from the low- to the high-voltage side of each transformer over its rating [%]."""
        return -100.0 * flow.transformer_p_kw / self._rules.context.grid.transformer_sn_kva

    def _equivalent(self) -> FloatArray:
        """Return the mean ageing rate, (scenario, transformer), NaN where not known."""
        shape = (self._scenarios, len(self._rules.transformers.rated))
        if self._aged is None or self._hot_steps is None:
            return np.full(shape, np.nan)
        mean = self._aged / np.maximum(self._hot_steps, 1)
        return np.where(self._hot_steps == 0, np.nan, mean)

    def _aged_beyond(self) -> Beyond | None:
        """Return how much faster than allowed transformers age; judged over a year only."""
        limit = self._rules.context.limits.ageing_equivalent
        if limit is None or self._aged is None or self._longest_h < YEAR_H:
            return None
        equivalent = self._equivalent()
        over = equivalent > limit
        return Beyond(
            np.where(over, equivalent - limit, 0.0),
            np.asarray(self._hours * over, dtype=np.float64),
        )
