"""The labelled arrays of a study's results, filled strategy by strategy and segment by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridimpact.conventions import BY_PHASE, VARIABLES, attributes
from gridimpact.records import Dispatch, FloatArray, FlowResult, Injections, PlanRequest
from gridimpact.study.elements import (
    CHARGER,
    ONE_PHASE_CARS,
    PV,
    elements_of,
    first_phase,
    phases_of_pv,
    shared_by_one_phase_cars,
)
from gridimpact.study.segments import Segment
from gridimpact.study.spec import NO_EV, StudySpec

_SINGLE = {
    "vm_pu",
    "line_loading_percent",
    "transformer_loading_percent",
    "top_oil_c",
    "hot_spot_c",
    "unbalance_percent",
    "transformer_phase_loading_percent",
    "transformer3w_loading_percent",
    "tap_pos",
}
"""Stored in single precision: their last digits mean nothing; energies keep double."""
_FLOW = (
    "vm_pu",
    "line_loading_percent",
    "transformer_loading_percent",
    "transformer_phase_loading_percent",
    "transformer3w_loading_percent",
    "tap_pos",
    "unbalance_percent",
    "transformer_p_kw",
    "transformer_q_kvar",
    "losses_kw",
    "status",
)
"""What a power flow fills."""
_OPTIONAL = ("phase", "transformer3w", "tap_control")
"""Dimensions that many studies do not have; variables along them are left out then."""


class ResultArrays:
    """Arrays by the names of `conventions.VARIABLES`, NaN until filled.

    In a three-phase study, voltages have a last dimension ``phase``.
    """

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
            "transformer3w": len(grid.transformer3w_index),
            "tap_control": len(grid.tap_controls),
            "phase": 3 if self.three_phase else 0,
        }
        self._dims = {name: self._dims_of(name) for name in VARIABLES if self._holds(name)}
        self._values: dict[str, Any] = {}
        for name, dims in self._dims.items():
            kind: Any = np.float32 if name in _SINGLE else np.float64
            self._values[name] = np.full([self._sizes[d] for d in dims], np.nan, dtype=kind)
        self._elements = elements_of(spec, with_cars=True)
        for name in ("charger_p_kw", "charger_q_kvar"):
            self._values[name][[row == NO_EV for row in labels]] = 0.0
        self._values["status"] = np.zeros(self._values["status"].shape, dtype=np.int8)
        periods = (2, self._sizes["period"], self._sizes["session"])
        self._session_steps = np.full(periods, -1, dtype=np.int64)

    @property
    def three_phase(self) -> bool:
        """Whether each phase is stored by itself."""
        return self._spec.power_flow == "three_phase"

    def _dims_of(self, name: str) -> tuple[str, ...]:
        by_phase = self.three_phase and name in BY_PHASE
        return (*VARIABLES[name].dims, "phase") if by_phase else VARIABLES[name].dims

    def _holds(self, name: str) -> bool:
        """Return whether this study has a variable at all."""
        if name == "pv_q_kvar":
            return "pv" in self._spec.volt_var
        if name == "unbalance_percent":
            return self.three_phase
        if name == "inner_loss_kwh":
            return False
        return all(self._sizes[d] for d in VARIABLES[name].dims if d in _OPTIONAL)

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
        count, kinds = self._sizes["charger"], (CHARGER, ONE_PHASE_CARS)
        for name, given in (
            ("charger_p_kw", injections.p_kw),
            ("charger_q_kvar", injections.q_kvar),
        ):
            values[name][row, steps] = self._elements.by_owner(given[0], count, *kinds)
        values["soc"][row, steps] = dispatch.soc
        if dispatch.inner_loss_kwh is not None:
            self._lost_inside(row, steps, dispatch.inner_loss_kwh)
        place = self._sessions(request)
        # A stay that spans two periods arrives in the first and departs in the last.
        values["unmet_kwh"][row, place] = dispatch.unmet_kwh
        fresh = np.isnan(values["soc_arrival"][row, place])
        values["away_kwh"][row, place[fresh]] = dispatch.away_kwh[fresh]
        values["soc_arrival"][row, place[fresh]] = soc_at_arrival(request, dispatch)[fresh]

    def _lost_inside(self, row: int, steps: slice, lost_kwh: FloatArray) -> None:
        """Fill what a fast signal cost the batteries; only studies with one have the variable."""
        name = "inner_loss_kwh"
        if name not in self._values:
            self._dims[name] = self._dims_of(name)
            self._values[name] = np.zeros([self._sizes[d] for d in self._dims[name]])
        self._values[name][row, steps] = lost_kwh

    def put_flow(
        self, label: str, number: int, flow: FlowResult, given: Injections, first: int = 0
    ) -> None:
        """Fill what a power flow found from step `first` of one segment on."""
        row, begin = self._labels.index(label), self.steps(number).start + first
        steps = slice(begin, begin + flow.status.shape[1])
        for name in _FLOW:
            if name in self._values:
                self._values[name][row, steps] = getattr(flow, name)[0]
        self._put_answers(row, steps, flow, given)

    def _put_answers(self, row: int, steps: slice, flow: FlowResult, given: Injections) -> None:
        """Add the reactive power that answered to voltage to what was given."""
        if "pv_q_kvar" in self._values:
            self._values["pv_q_kvar"][row, steps] = 0.0
        answering = given.volt_var
        if answering is None:
            return
        kind, owner = (
            each[answering.element] for each in (self._elements.kind, self._elements.owner)
        )
        for wanted, name in ((PV, "pv_q_kvar"), (CHARGER, "charger_q_kvar")):
            at = np.flatnonzero(kind == wanted)
            if at.size:
                stored = self._values[name][row, steps]
                stored[:, owner[at]] += flow.volt_var_q_kvar[0][:, at]

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
            **self._more_coords(),
        }
        time = spec.timeline
        return xr.Dataset(
            {n: (self._dims[n], v, attributes(n)) for n, v in self._values.items()},
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

    def _more_coords(self) -> dict[str, Any]:
        """Return the coordinates only some studies have: phases, tap changers, third windings."""
        spec, grid, found = self._spec, self._spec.network.grid, dict[str, Any]()
        if len(grid.transformer3w_index):
            found["transformer3w"] = grid.transformer3w_index
        if grid.tap_controls:
            at = [control.transformer for control in grid.tap_controls]
            found["tap_control"] = grid.transformer_index[at]
        if not self.three_phase:
            return found
        shared = shared_by_one_phase_cars(spec)
        first = [first_phase(spec, k) if one else "" for k, one in enumerate(shared)]
        return found | {
            "phase": ["a", "b", "c"],
            "site_phase": ("site", [str(p) for p in spec.network.sites["phases"]]),
            "pv_phase": ("site", phases_of_pv(spec)),
            "charger_phase": ("charger", [str(p) for p in spec.fleet.chargers["phases"]]),
            "charger_phase_of_one_phase_cars": ("charger", first),
        }

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
