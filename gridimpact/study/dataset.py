"""The labelled arrays of a study's results, filled strategy by strategy and segment by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridimpact.conventions import VARIABLES, attributes
from gridimpact.records import Dispatch, FloatArray, FlowResult, Injections, PlanRequest
from gridimpact.study.segments import Segment
from gridimpact.study.spec import NO_EV, StudySpec

_SINGLE = {
    "vm_pu",
    "line_loading_percent",
    "transformer_loading_percent",
    "top_oil_c",
    "hot_spot_c",
}
"""Stored in single precision: their last digits mean nothing; energies keep double."""


class ResultArrays:
    """Arrays by the names of `conventions.VARIABLES`, NaN until filled."""

    def __init__(self, spec: StudySpec, segments: Sequence[Segment], labels: Sequence[str]) -> None:
        self._spec, self._segments, self._labels = spec, tuple(segments), tuple(labels)
        grid, fleet = spec.network.grid, spec.fleet
        self._sizes = {
            "strategy": len(labels),
            "period": len(segments),
            "time": sum(s.timeline.count for s in segments),
            "site": len(spec.network.sites),
            "charger": len(fleet.chargers),
            "vehicle": len(fleet.vehicles),
            "session": len(fleet.sessions),
            "bus": len(grid.bus_index),
            "line": len(grid.line_index),
            "transformer": len(grid.transformer_index),
        }
        self._values: dict[str, Any] = {}
        for name, variable in VARIABLES.items():
            kind: Any = np.float32 if name in _SINGLE else np.float64
            shape = tuple(self._sizes[d] for d in variable.dims)
            self._values[name] = np.full(shape, np.nan, dtype=kind)
        for name in ("charger_p_kw", "charger_q_kvar"):
            self._values[name][[row == NO_EV for row in labels]] = 0.0
        self._values["status"] = np.zeros(self._values["status"].shape, dtype=np.int8)
        periods = (2, self._sizes["period"], self._sizes["session"])
        self._session_steps = np.full(periods, -1, dtype=np.int64)

    def steps(self, number: int) -> slice:
        """Return the steps of segment `number` on the results' time axis."""
        first = sum(s.timeline.count for s in self._segments[:number])
        return slice(first, first + self._segments[number].timeline.count)

    def put_inputs(
        self, number: int, request: PlanRequest, base: Injections, temp_air_c: FloatArray | None
    ) -> None:
        """Fill what all strategies share in one segment."""
        steps, values = self.steps(number), self._values
        sites = len(request.site_id)
        values["load_p_kw"][steps] = request.site_load_kw
        values["load_q_kvar"][steps] = base.q_kvar[0, :, :sites]
        values["pv_p_kw"][steps] = request.site_pv_kw
        values["soc_initial"][number] = request.soc_initial
        if temp_air_c is not None:
            values["temp_air_c"][steps] = temp_air_c
        if self._spec.tariffs:
            home = request.site_kind.index("home") if "home" in request.site_kind else 0
            values["price"][steps] = request.tariffs[request.site_tariff[home]].import_price
        place = self._sessions(request)
        self._session_steps[0, number, place] = request.stays.start + steps.start
        self._session_steps[1, number, place] = request.stays.end + steps.start

    def put_dispatch(
        self,
        label: str,
        number: int,
        request: PlanRequest,
        dispatch: Dispatch,
        injections: Injections,
    ) -> None:
        """Fill what a strategy did in one segment."""
        row, steps, values = self._labels.index(label), self.steps(number), self._values
        chargers = self._sizes["charger"]
        if chargers:
            values["charger_p_kw"][row, steps] = injections.p_kw[0, :, -chargers:]
            values["charger_q_kvar"][row, steps] = injections.q_kvar[0, :, -chargers:]
        values["soc"][row, steps] = dispatch.soc
        place = self._sessions(request)
        # A stay that spans two periods arrives in the first and departs in the last.
        values["unmet_kwh"][row, place] = dispatch.unmet_kwh
        fresh = np.isnan(values["soc_arrival"][row, place])
        values["away_kwh"][row, place[fresh]] = dispatch.away_kwh[fresh]
        values["soc_arrival"][row, place[fresh]] = soc_at_arrival(request, dispatch)[fresh]

    def put_flow(self, label: str, number: int, flow: FlowResult) -> None:
        """Fill what a power flow found in one segment."""
        row, steps = self._labels.index(label), self.steps(number)
        for name in (
            "vm_pu",
            "line_loading_percent",
            "transformer_loading_percent",
            "transformer_p_kw",
            "transformer_q_kvar",
            "losses_kw",
            "status",
        ):
            self._values[name][row, steps] = getattr(flow, name)[0]

    def put_temperatures(
        self, label: str, number: int, top_oil_c: Any, hot_spot_c: Any, ageing_rate: Any
    ) -> None:
        """Fill the thermal states of the transformers in one segment, (time, transformer)."""
        row, steps = self._labels.index(label), self.steps(number)
        self._values["top_oil_c"][row, steps] = top_oil_c
        self._values["hot_spot_c"][row, steps] = hot_spot_c
        self._values["ageing_rate"][row, steps] = ageing_rate

    def dataset(self) -> xr.Dataset:
        """Return the labelled dataset."""
        spec, grid = self._spec, self._spec.network.grid
        sites, fleet = spec.network.sites, spec.fleet
        charger_site = fleet.chargers["site_id"].astype(str)
        times = np.concatenate([s.timeline.times for s in self._segments])
        numbers = [np.full(s.timeline.count, i) for i, s in enumerate(self._segments)]
        coords = {
            "strategy": list(self._labels),
            "time": times.astype("datetime64[ns]"),
            "period": [s.name for s in self._segments],
            "segment": ("time", np.concatenate(numbers).astype(np.int64)),
            "counted": ("time", np.concatenate([s.counted for s in self._segments])),
            "site": [str(s) for s in sites.index],
            "site_kind": ("site", [str(k) for k in sites["kind"]]),
            "site_bus": ("site", sites["bus"].to_numpy(dtype=np.int64)),
            "charger": [str(c) for c in fleet.chargers.index],
            "charger_site": ("charger", charger_site.to_list()),
            "charger_bus": (
                "charger",
                sites["bus"].reindex(charger_site).to_numpy(dtype=np.int64),
            ),
            "vehicle": [str(v) for v in fleet.vehicles.index],
            "session": [str(s) for s in fleet.sessions.index],
            "session_vehicle": ("session", fleet.sessions["vehicle_id"].astype(str).to_list()),
            "session_start_step": (("period", "session"), self._session_steps[0]),
            "session_end_step": (("period", "session"), self._session_steps[1]),
            "bus": grid.bus_index,
            "bus_name": ("bus", list(grid.bus_name)),
            "line": grid.line_index,
            "line_name": ("line", list(grid.line_name)),
            "transformer": grid.transformer_index,
            "transformer_name": ("transformer", list(grid.transformer_name)),
        }
        time = spec.timeline
        return xr.Dataset(
            {n: (VARIABLES[n].dims, v, attributes(n)) for n, v in self._values.items()},
            coords=coords,
            attrs={
                "title": spec.name,
                "zone": time.zone,
                "step_s": time.step_s,
                "seed": spec.seed,
                "limits": spec.limits.name,
                "Conventions": "time is naive UTC, the begin of each step; power positive draws from the grid",
            },
        )

    def _sessions(self, request: PlanRequest) -> Any:
        return pd.Index(self._spec.fleet.sessions.index.astype(str)).get_indexer(
            pd.Index(request.stays.session_id)
        )


def soc_at_arrival(request: PlanRequest, dispatch: Dispatch) -> FloatArray:
    """Return the state of charge at plug-in of each stay, its trip booked, (stay,)."""
    stays = request.stays
    before = np.where(
        stays.start > 0,
        dispatch.soc[np.maximum(stays.start - 1, 0), stays.vehicle],
        dispatch.soc_initial[stays.vehicle],
    )
    capacity = request.batteries.capacity_kwh[stays.vehicle]
    chained = before - (stays.trip_kwh - dispatch.away_kwh) / capacity
    return np.where(np.isnan(stays.soc_arrival), chained, stays.soc_arrival)
