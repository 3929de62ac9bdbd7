"""What one dispatch must keep, found from the request and the dispatch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.battery import mean_charge_limit_kw, mean_discharge_limit_kw, meter_kw, net_kw
from gridimpact.dispatch.strategy import Strategy
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest

LEDGER = 1e-9
"""Energy or power that rounding may move, as a share and in kW."""
NEED_KWH = 2e-7
"""Unmet energy that rounding may move [kWh]."""
CAUSES = ("", "too_short", "too_little_power", "limit", "soc_floor")


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """One promise of a strategy that a plan did not keep.

    Attributes
    ----------
    promise : str
        "shape", "ledger", "soc", "power", "discharge", "extremes", "need", "service", "reserve",
        "same_bytes", "order", "no_look_ahead", "request" or "stated".
    where : str
        Request, and vehicle, stay or step where one can be named.
    what : str
        What was found, and what was promised.
    """

    promise: str
    where: str
    what: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.promise}: {self.where}: {self.what}"


@dataclass(frozen=True)
class PluggedSteps:
    """Every step of every stay as one row."""

    stay: IntArray
    vehicle: IntArray
    step: IntArray
    soc_before: FloatArray

    def of(self, values: Any) -> Any:
        """Return an array (time, vehicle) in these rows."""
        return values[self.step, self.vehicle]


def plugged_steps(request: PlanRequest, found: Dispatch) -> tuple[PluggedSteps, FloatArray]:
    """Return the plugged-in steps, and the state of charge each stay begins with (stay,)."""
    stays = request.stays
    state = request.soc_initial.copy()
    arrival = np.zeros(stays.vehicle.size)
    for i, v in enumerate(stays.vehicle):
        driven = (stays.trip_kwh[i] - found.away_kwh[i]) / request.batteries.capacity_kwh[v]
        given = stays.soc_arrival[i]
        arrival[i] = state[v] - driven if np.isnan(given) else given
        state[v] = found.soc[stays.end[i] - 1, v] if stays.end[i] > stays.start[i] else arrival[i]
    length = stays.end - stays.start
    stay = np.repeat(np.arange(length.size), length)
    step = np.arange(stay.size) - np.repeat(np.cumsum(length) - length, length)
    first = step == 0
    step = step + stays.start[stay]
    vehicle = stays.vehicle[stay]
    earlier = found.soc[np.maximum(step - 1, 0), vehicle]
    before = np.where(first, arrival[stay], earlier)
    return PluggedSteps(stay, vehicle, step, before), arrival


def broken_in(
    strategy: Strategy, request: PlanRequest, found: Dispatch, name: str
) -> Iterator[BrokenPromise]:
    """Give what one dispatch breaks, at most one finding for each promise."""
    wrong = _misshapen(request, found)
    if wrong:
        yield BrokenPromise("shape", name, wrong)
        return
    rows, arrival = plugged_steps(request, found)
    tells = _Tells(request, rows, name)
    yield from tells.steps("ledger", _ledger_gap_kwh(request, found, rows) - LEDGER, "kWh missing")
    yield from _soc(request, found, arrival, name)
    yield from _power(strategy, request, found, rows, tells)
    yield from _needs(request, found, arrival, tells)
    feeds = rows.of(found.p_kw) < -LEDGER
    low = request.stays.soc_reserve[rows.stay] - rows.of(found.soc)
    yield from tells.steps("reserve", np.where(feeds, low, 0.0) - LEDGER, "below the reserve")


@dataclass(frozen=True)
class _Tells:
    """How findings are put into words."""

    request: PlanRequest
    rows: PluggedSteps
    name: str

    def steps(self, promise: str, excess: FloatArray, what: str) -> Iterator[BrokenPromise]:
        """Give the worst of the plugged-in steps in which an excess is above zero."""
        if excess.size and excess.max() > 0.0:
            k = int(np.argmax(excess))
            where = f"{self.name}, stay {self._stay(self.rows.stay[k])}, step {self.rows.step[k]}"
            yield BrokenPromise(promise, where, f"{excess[k]:.3g} {what}")

    def stays(self, promise: str, wrong: BoolArray, what: str) -> Iterator[BrokenPromise]:
        """Give the first stay for which something is wrong."""
        for k in np.flatnonzero(wrong)[:1]:
            yield BrokenPromise(promise, f"{self.name}, stay {self._stay(k)}", what)

    def _stay(self, k: int) -> str:
        vehicle = self.request.vehicle_id[self.request.stays.vehicle[k]]
        return f"{self.request.stays.session_id[k]!r} of vehicle {vehicle!r}"


def _misshapen(request: PlanRequest, found: Dispatch) -> str:
    """Return which array has another shape than the request asks for, or is not finite."""
    vehicles, stays = len(request.vehicle_id), request.stays.vehicle.size
    table = (request.timeline.count, vehicles)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("p_requested_kw", "p_kw", "soc"), table)
    shapes |= {"unmet_kwh": (stays,), "away_kwh": (stays,), "controlled": (vehicles,)}
    optional = ("q_kvar", "p_low_kw", "p_high_kw", "cycled_kwh", "inner_loss_kwh")
    shapes |= {name: table for name in optional if getattr(found, name) is not None}
    for name, shape in shapes.items():
        values = np.asarray(getattr(found, name))
        if values.shape != shape:
            return f"{name} has shape {values.shape}, the request needs {shape}"
        if not np.isfinite(values).all():
            return f"{name} holds values that are not finite"
    return "" if len(found.unmet_cause) == stays else "unmet_cause needs one word per stay"


def _ledger_gap_kwh(request: PlanRequest, found: Dispatch, rows: PluggedSteps) -> FloatArray:
    """Return how far meter, losses and battery are apart in each step, relative to the capacity."""
    held, v, power = request.batteries, rows.vehicle, rows.of(found.p_kw)
    loss = np.where(power == 0.0, 0.0, held.idle_kw[v])
    into = np.maximum(power - loss, 0.0) * held.eta_charge[v]
    out = (power - loss) / held.eta_discharge[v]
    gained = np.where(power > 0.0, into, out) * request.timeline.dt_h
    if found.inner_loss_kwh is not None:
        gained = gained - rows.of(found.inner_loss_kwh)
    told = (rows.of(found.soc) - rows.soc_before) * held.capacity_kwh[v]
    gap: FloatArray = np.abs(told - gained) / np.maximum(held.capacity_kwh[v], 1.0)
    return gap


def _soc(
    request: PlanRequest, found: Dispatch, arrival: FloatArray, name: str
) -> Iterator[BrokenPromise]:
    """Give a state of charge outside the battery's limits, or one that moves while the car is away."""
    held, v = request.batteries, request.stays.vehicle
    lowest = np.minimum(held.soc_min, request.soc_initial)
    highest = np.maximum(held.soc_max, request.soc_initial)
    # Where a log says that a car arrives outside its limits, that is where it is.
    logged = ~np.isnan(request.stays.soc_arrival)
    np.minimum.at(lowest, v[logged], arrival[logged])
    np.maximum.at(highest, v[logged], arrival[logged])
    outside = np.maximum(lowest - found.soc, found.soc - highest)
    if outside.size and outside.max() > LEDGER:
        step, car = np.unravel_index(int(np.argmax(outside)), outside.shape)
        where = f"{name}, vehicle {request.vehicle_id[car]!r}, step {step}"
        what = f"{found.soc[step, car]:.4f} lies outside {lowest[car]:.4f} to {highest[car]:.4f}"
        yield BrokenPromise("soc", where, what)
    if np.any(arrival < lowest[v] - LEDGER):
        yield BrokenPromise("soc", name, "a trip takes more than the battery held: away_kwh lacks")


def _power(
    strategy: Strategy, request: PlanRequest, found: Dispatch, rows: PluggedSteps, tells: _Tells
) -> Iterator[BrokenPromise]:
    """Give power while away, beyond charger, vehicle and battery, or fed by who never feeds."""
    away = found.p_kw.copy()
    away[rows.step, rows.vehicle] = 0.0
    if np.any(away):
        step, car = (int(i[0]) for i in np.nonzero(away))
        where = f"{tells.name}, vehicle {request.vehicle_id[car]!r}, step {step}"
        yield BrokenPromise("power", where, f"{away[step, car]:.3g} kW while it is away")
    power = rows.of(found.p_kw)
    highest, lowest = _bounds_kw(request, rows)
    beyond = np.maximum(power - highest, lowest - power) - LEDGER
    yield from tells.steps("power", beyond, "kW beyond charger, vehicle and battery")
    held = request.batteries.idle_kw[rows.vehicle]
    steady = True if found.p_low_kw is None else power == rows.of(found.p_low_kw)
    heats = steady & (power > 0.0) & (power <= held)
    yield from tells.steps("power", np.where(heats, power, 0.0), "kW that only heat the converter")
    may = np.asarray(found.controlled, dtype=np.bool_) & strategy.bidirectional
    fed = np.where(may[rows.vehicle], 0.0, -power)
    yield from tells.steps("discharge", fed, "kW fed by a car that never feeds")
    yield from _extremes(request, found, rows, may, tells)


def _bounds_kw(request: PlanRequest, rows: PluggedSteps) -> tuple[FloatArray, FloatArray]:
    """Return the most and the least power of every plugged-in step, the battery's state considered."""
    held, v, stays, dt_h = request.batteries, rows.vehicle, request.stays, request.timeline.dt_h
    idle = held.idle_kw[v]
    draw = mean_charge_limit_kw(
        rows.soc_before,
        dt_h,
        net_kw(stays.p_charge_kw[rows.stay], idle),
        held.capacity_kwh[v],
        held.eta_charge[v],
        held.soc_knee[v],
        held.taper_fraction[v],
        held.soc_max[v],
    )
    feed = mean_discharge_limit_kw(
        rows.soc_before,
        dt_h,
        stays.p_discharge_kw[rows.stay] + idle,
        held.capacity_kwh[v],
        held.eta_discharge[v],
        held.soc_min[v],
        held.soc_knee_discharge[v],
        held.taper_fraction_discharge[v],
    )
    return meter_kw(draw, idle), np.minimum(meter_kw(-feed, idle), 0.0)


def _extremes(
    request: PlanRequest, found: Dispatch, rows: PluggedSteps, may: BoolArray, tells: _Tells
) -> Iterator[BrokenPromise]:
    """Give power inside a step beyond the charger, or a mean outside its extremes."""
    if found.p_low_kw is None or found.p_high_kw is None:
        return
    stays, power = request.stays, rows.of(found.p_kw)
    low, high = rows.of(found.p_low_kw), rows.of(found.p_high_kw)
    feed = np.where(may[rows.vehicle], stays.p_discharge_kw[rows.stay], 0.0)
    beyond = np.maximum(high - stays.p_charge_kw[rows.stay], -feed - low)
    outside = np.maximum(low - power, power - high)
    yield from tells.steps("extremes", beyond - LEDGER, "kW beyond the charger inside the step")
    yield from tells.steps("extremes", outside - LEDGER, "kW between mean and extremes")


def _needs(
    request: PlanRequest, found: Dispatch, arrival: FloatArray, tells: _Tells
) -> Iterator[BrokenPromise]:
    """Give a missed target that is not reported, or reported wrongly."""
    stays = request.stays
    last = found.soc[np.maximum(stays.end - 1, 0), stays.vehicle]
    reached = np.where(stays.end > stays.start, last, arrival)
    missing = (stays.soc_target - reached) * request.batteries.capacity_kwh[stays.vehicle]
    gap = np.abs(found.unmet_kwh - np.maximum(missing, 0.0))
    yield from tells.stays("need", gap > NEED_KWH, "unmet_kwh is not what the target lacks")
    known = np.array([cause in CAUSES for cause in found.unmet_cause], dtype=np.bool_)
    yield from tells.stays("need", ~known, f"its cause is none of {', '.join(CAUSES[1:])}")
    named = np.array([cause != "" for cause in found.unmet_cause], dtype=np.bool_)
    yield from tells.stays("need", named != (found.unmet_kwh > 0.0), "cause and unmet_kwh disagree")
