"""Rolling windows over a plan request: what each battery may and must do in the next 48 hours.

Every window starts from the energy the last one led to and keeps its first 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridimpact.battery.storage import soc_needed_before
from gridimpact.dispatch.execute import power_by_site
from gridimpact.dispatch.kernels_plans import follow, keep_reserve
from gridimpact.dispatch.kernels_storage import Cells, Storage
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest

HORIZON_DAYS, KEPT_DAYS = 2, 1

NO_TAPER = 2.0
"""A ratio of the taper's line that never binds."""

CHURN = 1e-7
"""Added to the wear [currency/kWh], so that nothing is discharged for no gain."""

KEPT_WORTH = 0.999
"""Share of the cheap price at which energy left at a window's end is valued: no hoarding at a flat price."""


@dataclass(frozen=True)
class Window:
    """One window of a plan, arrays over (vehicle, time) of the vehicles planned."""

    first: int
    last: int
    vehicles: IntArray
    """Positions in the request."""
    storage: Storage
    cells: Cells
    site: IntArray
    """Site where plugged in, 0 while away."""
    charger: IntArray
    reserve_kwh: FloatArray
    target_kwh: FloatArray
    goes_on: BoolArray
    """(vehicle,) plugged in at some time after the window."""
    dt_h: float

    def cheap(self, price: FloatArray) -> FloatArray:
        """Return the worth of stored energy: the mean of the cheapest quarter of (vehicle, time) prices.

        Only plugged-in steps count; zero where no later stay could use the energy.
        """
        worth = np.zeros(self.vehicles.size)
        for v in np.flatnonzero(self.goes_on & self.storage.plugged.any(axis=1)):
            seen = np.sort(price[v, self.storage.plugged[v]])
            worth[v] = seen[: max(1, seen.size // 4)].mean()
        return np.asarray(KEPT_WORTH * np.maximum(worth, 0.0) / self.cells.eta_charge)

    def limited(self, up_kw: FloatArray, down_kw: FloatArray) -> Storage:
        """Return the storage with powers that are no higher than these, (vehicle, time)."""
        return self.storage._replace(
            up_kw=np.minimum(self.storage.up_kw, np.maximum(up_kw, 0.0)),
            down_kw=np.minimum(self.storage.down_kw, np.maximum(down_kw, 0.0)),
        )

    def guarded(self, storage: Storage, *, refill: bool = True) -> Storage:
        """Return the storage with the reserve kept; see `keep_reserve`."""
        own = storage._replace(
            lower_kwh=np.zeros_like(storage.up_kw), down_kw=storage.down_kw.copy()
        )
        keep_reserve(own, self.cells, self.reserve_kwh, self.target_kwh, self.dt_h, refill)
        return own


Answer = Callable[[Window], FloatArray]
"""Returns the power (vehicle, time) [kW] of a window."""


class Roller:
    """Stays of some vehicles, laid out so that a window is cut in a few array operations.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    controlled : ndarray of bool
        (vehicle,) those to plan.
    reserve_soc : float
        Raises the reserve of every stay to at least this state of charge.
    """

    def __init__(
        self, request: PlanRequest, controlled: BoolArray, *, reserve_soc: float = 0.0
    ) -> None:
        self.request = request
        self.vehicles = np.flatnonzero(controlled).astype(np.int64)
        self.free = uncontrolled_dispatch(request)
        stays, held = request.stays, request.batteries
        owner = stays.vehicle
        self._capacity = held.capacity_kwh[owner]
        soc_target = last_targets(request, self.free)
        self._soc_target = np.minimum(soc_target, np.maximum(held.soc_max[owner], stays.soc_target))
        self._target = self._soc_target * self._capacity
        self._reserve = (
            np.maximum(np.maximum(stays.soc_reserve, held.soc_min[owner]), reserve_soc)
            * self._capacity
        )
        self._trip, self._arrival = trips(request)
        self._drain = self._planned_drain()
        self._ratio, self._offset = taper_lines(request)
        self._eta = highest_power_eta(request)
        self._top = np.fmax(held.soc_max[owner] * self._capacity, self._arrival)
        self._stay_at = self._layout()

    def _planned_drain(self) -> FloatArray:
        """Return each trip, no larger than what the departure before it can give at its target [kWh]."""
        stays, held = self.request.stays, self.request.batteries
        owner = stays.vehicle
        first = np.concatenate([[True], owner[1:] != owner[:-1]])[: owner.size]
        left = np.where(
            first, self.request.soc_initial[owner] * self._capacity, np.roll(self._target, 1)
        )
        floor = held.soc_min[owner] * self._capacity
        return np.asarray(np.minimum(self._trip, np.maximum(left - floor, 0.0)))

    def _layout(self) -> IntArray:
        """Return the stay of every vehicle and step, -1 while away."""
        place = np.full((self.vehicles.size, self.request.timeline.count), -1, dtype=np.int64)
        row = np.full(len(self.request.vehicle_id), -1, dtype=np.int64)
        row[self.vehicles] = np.arange(self.vehicles.size)
        stays = self.request.stays
        for k in np.flatnonzero(row[stays.vehicle] >= 0):
            place[row[stays.vehicle[k]], stays.start[k] : stays.end[k]] = k
        return place

    def window(self, first: int, last: int, energy_kwh: FloatArray) -> Window:
        """Return the window of steps ``first..last`` for batteries that hold `energy_kwh` before it."""
        stays, held, dt_h = self.request.stays, self.request.batteries, self.request.timeline.dt_h
        at = self._stay_at[:, first:last]
        plugged = at >= 0
        k = np.where(plugged, at, 0)
        steps = np.arange(first, last)
        begins, ends = plugged & (stays.start[k] == steps), plugged & (stays.end[k] - 1 == steps)
        need = np.where(ends, self._target[k], -1.0)
        open_end = plugged[:, -1] & ~ends[:, -1]
        need[:, -1] = np.where(open_end, self._needed_at(k[:, -1], last), need[:, -1])
        own = self.vehicles
        top = np.maximum(self._top[k], energy_kwh[:, None])
        storage = Storage(
            up_kw=np.where(plugged, stays.p_charge_kw[k], 0.0),
            down_kw=np.where(plugged, stays.p_discharge_kw[k], 0.0),
            ratio=self._ratio[k],
            offset_kwh=self._offset[k],
            lower_kwh=np.zeros(k.shape),
            upper_kwh=top,
            need_kwh=need,
            drain_kwh=np.where(begins, self._drain[k], 0.0),
            trip_kwh=np.where(begins, self._trip[k], 0.0),
            arrival_kwh=np.where(begins, self._arrival[k], np.nan),
            plugged=plugged,
            meter=np.zeros((*k.shape, 4)),
        )
        eta = self._eta[1][own]
        cells = Cells(
            eta_charge=self._eta[0][own],
            eta_discharge=eta,
            wear=held.wear_per_kwh[own] / eta + CHURN,
            floor_kwh=held.soc_min[own] * held.capacity_kwh[own],
            initial_kwh=energy_kwh.copy(),
            value=np.zeros(own.size),
        )
        goes_on = np.asarray((self._stay_at[:, last:] >= 0).any(axis=1))
        return Window(
            first,
            last,
            own,
            storage,
            cells,
            np.where(plugged, stays.site[k], 0),
            np.where(plugged, stays.charger[k], 0),
            self._reserve[k],
            self._target[k],
            goes_on,
            dt_h,
        )

    def _needed_at(self, stay: IntArray, last: int) -> FloatArray:
        """Return the energy at step `last` from which full power still reaches the target [kWh]."""
        stays, held = self.request.stays, self.request.batteries
        owner = stays.vehicle[stay]
        left = np.maximum(stays.end[stay] - last, 0) * self.request.timeline.dt_h
        soc = soc_needed_before(
            self._soc_target[stay],
            left,
            np.maximum(stays.p_charge_kw[stay] - held.idle_kw[owner], 0.0),
            held.capacity_kwh[owner],
            held.eta_charge[owner],
            held.soc_knee[owner],
            held.taper_fraction[owner],
        )
        return np.maximum(soc, 0.0) * self._capacity[stay]

    def plan(self, answer: Answer) -> FloatArray:
        """Return the power asked for, (time, vehicle) of the request, window after window."""
        request = self.request
        count, day = request.timeline.count, request.timeline.steps_per_day
        asked = np.zeros((count, len(request.vehicle_id)))
        own = self.vehicles
        energy = request.soc_initial[own] * request.batteries.capacity_kwh[own]
        first = 0
        while first < count and own.size and request.stays.start.size:
            last = min(first + HORIZON_DAYS * day, count)
            kept = count if last == count else first + KEPT_DAYS * day
            window = self.window(first, last, energy)
            p_kw = answer(window)
            asked[first:kept, own] = p_kw[:, : kept - first].T
            path = follow(window.storage, window.cells, window.dt_h, np.ascontiguousarray(p_kw))
            energy = np.ascontiguousarray(path[:, kept - first - 1])
            first = kept
        return asked

    def site_net_kw(self, controlled: BoolArray) -> FloatArray:
        """Return load, generation and uncontrolled cars of every site [kW], (time, site)."""
        others = np.where(controlled[None, :], 0.0, self.free.p_kw)
        fixed = self.request.site_load_kw + self.request.site_pv_kw
        return np.asarray(fixed + power_by_site(self.request, others))


def highest_power_eta(request: PlanRequest) -> tuple[FloatArray, FloatArray]:
    """Return each vehicle's efficiencies at its highest power, the constant loss included, (vehicle,).

    A plan at less power loses more than it counts on; the guard makes up for it.
    """
    stays, held = request.stays, request.batteries
    draw, feed = np.zeros(held.idle_kw.size), np.zeros(held.idle_kw.size)
    np.maximum.at(draw, stays.vehicle, stays.p_charge_kw)
    np.maximum.at(feed, stays.vehicle, stays.p_discharge_kw)
    charged = np.where(
        draw > held.idle_kw, 1.0 - held.idle_kw / np.where(draw > 0.0, draw, 1.0), 1.0
    )
    lost = np.where(feed > 0.0, held.idle_kw / np.where(feed > 0.0, feed, 1.0), 0.0)
    return held.eta_charge * charged, held.eta_discharge / (1.0 + lost)


def last_targets(request: PlanRequest, free: Dispatch) -> FloatArray:
    """Return the target of every stay, that of a vehicle's last stay raised to where uncontrolled ends."""
    owner = request.stays.vehicle
    last = np.concatenate([owner[1:] != owner[:-1], [True]])[: owner.size]
    target = request.stays.soc_target.astype(np.float64)
    return np.where(last, np.maximum(target, free.soc[-1, owner]), target)


def trips(request: PlanRequest) -> tuple[FloatArray, FloatArray]:
    """Return trip and given arrival energy of every stay [kWh], those of stays without a step moved on."""
    stays, held = request.stays, request.batteries
    trip = stays.trip_kwh.astype(np.float64)
    arrival = np.clip(stays.soc_arrival, 0.0, 1.0) * held.capacity_kwh[stays.vehicle]
    for k in np.flatnonzero(stays.end <= stays.start):
        if k + 1 < trip.size and stays.vehicle[k + 1] == stays.vehicle[k]:
            if np.isnan(arrival[k]):
                trip[k + 1] += trip[k]
            elif np.isnan(arrival[k + 1]):
                arrival[k + 1] = max(arrival[k] - trip[k + 1], 0.0)
    return trip, arrival


def taper_lines(request: PlanRequest) -> tuple[FloatArray, FloatArray]:
    """Return ratio and offset of the line that bounds the energy after a step of charging, per stay.

    Charging power is bounded by the taper's line at the state of charge after the step, the lowest of the
    step, so that a battery can always follow.
    """
    stays, held, owner = request.stays, request.batteries, request.stays.vehicle
    knee, fraction = held.soc_knee[owner], held.taper_fraction[owner]
    slope = np.where(knee < 1.0, (1.0 - fraction) / np.where(knee < 1.0, 1.0 - knee, 1.0), 0.0)
    net_kw = np.maximum(stays.p_charge_kw - held.idle_kw[owner], 0.0)
    full = held.eta_charge[owner] * request.timeline.dt_h * net_kw
    bend = full * slope / held.capacity_kwh[owner]
    offset = full * (1.0 + slope * knee) / (1.0 + bend)
    return np.where(bend > 0.0, 1.0 / (1.0 + bend), NO_TAPER), offset
