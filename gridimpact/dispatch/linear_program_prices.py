"""Least-cost plans at the prices of each meter, window by window.

A battery alone at its meter is planned exactly by dynamic programming; batteries that share a meter in
a step go into one linear program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from gridimpact.dispatch.kernels_plans import plan_alone
from gridimpact.dispatch.kernels_storage import Cells, Storage
from gridimpact.dispatch.linear_program import Meters, PeakCharge, solve
from gridimpact.dispatch.linear_program_windows import Roller, Window
from gridimpact.records import BoolArray, FloatArray, IntArray, PlanRequest

DUST_KW = 1e-9
"""A power below this is the solver's rounding."""

Record = TypeVar("Record", Storage, Cells)


@dataclass(frozen=True)
class Surroundings:
    """What lies behind and before the meters, arrays over (time, site)."""

    net_kw: FloatArray
    """Load, generation and cars that are not planned."""
    own_kw: FloatArray
    """Highest discharge of all cars of a site together, inf where only the export limit counts."""
    import_price: FloatArray
    export_price: FloatArray
    import_limit_kw: FloatArray
    """(site,)"""
    export_limit_kw: FloatArray

    @classmethod
    def of(cls, roller: Roller, controlled: BoolArray, *, own_use: bool) -> Surroundings:
        """Return the surroundings of the planned cars; with `own_use` nothing of a battery is exported."""
        request = roller.request
        load = request.site_load_kw + request.site_pv_kw
        tariff = np.asarray(request.site_tariff, dtype=np.int64)
        bought = np.stack([t.import_price for t in request.tariffs], axis=1)[:, tariff]
        sold = np.stack([t.export_price for t in request.tariffs], axis=1)[:, tariff]
        return cls(
            roller.site_net_kw(controlled),
            np.maximum(load, 0.0) if own_use else np.full(load.shape, np.inf),
            bought,
            sold,
            request.site_import_limit_kw,
            request.site_export_limit_kw,
        )

    @property
    def penalty(self) -> float:
        """Cost of a kWh missing at a departure, above any price."""
        highest = max(np.abs(self.import_price).max(), np.abs(self.export_price).max())
        return 1e3 * max(1.0, float(highest))


def plan_at_prices(
    request: PlanRequest, controlled: BoolArray, *, own_use: bool, reserve_soc: float = 0.0
) -> FloatArray:
    """Return the least-cost power of the controlled cars, (time, vehicle) [kW].

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    controlled : ndarray of bool
        (vehicle,); the others charge uncontrolled behind the same meters.
    own_use : bool
        Discharge only into the site's own load less its generation.
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.

    Returns
    -------
    ndarray
        Positive draws from the grid; zero for the other cars.

    Notes
    -----
    Exact within each window of 48 hours, of which 24 are kept: import and export price at the meter,
    efficiency both ways, wear, main fuse, and charging power that falls near full by its lower line. A
    step whose import price is so low that charging and discharging at once would pay is not used for
    discharge; export above the import price counts as the import price. A stay that goes on after the
    window must be able to reach its target, and energy left at the end is worth the mean of the cheapest
    quarter of the prices seen. A car that arrives below its reserve either is charged to it at once or does not
    discharge in that stay, whichever costs less.
    """
    roller = Roller(request, controlled, reserve_soc=reserve_soc)
    around = Surroundings.of(roller, controlled, own_use=own_use)
    return roller.plan(lambda window: answer_at_prices(window, around))


def answer_at_prices(window: Window, around: Surroundings) -> FloatArray:
    """Return the least-cost power of one window, (vehicle, time) [kW]."""
    steps = np.arange(window.first, window.last)
    net = around.net_kw[steps, window.site]
    bought, sold = around.import_price[steps, window.site], around.export_price[steps, window.site]
    window.cells.value[:] = window.cheap(np.where(net < 0.0, np.minimum(sold, bought), bought))
    p_kw = np.zeros(net.shape)
    shared = shares_meter(window)
    alone = np.flatnonzero(~shared)
    if alone.size:
        room = around.import_limit_kw[window.site] - net
        spare = np.minimum(
            around.export_limit_kw[window.site] + net, around.own_kw[steps, window.site]
        )
        storage = window.limited(room, spare)
        storage.meter[..., 1] = -net
        storage.meter[..., 2], storage.meter[..., 3] = np.minimum(sold, bought), bought
        p_kw[alone] = _cheaper(window, storage, alone, around.penalty)
    if shared.any():
        p_kw[shared] = answer_by_program(window, np.flatnonzero(shared), around)
    return p_kw


def shares_meter(window: Window) -> BoolArray:
    """Return which vehicles are plugged in behind a meter beside another planned one in some step."""
    plugged, count = window.storage.plugged, int(window.site.max(initial=0)) + 1
    if plugged.shape[0] < 2:
        return np.zeros(plugged.shape[0], dtype=np.bool_)
    cell = np.arange(plugged.shape[1]) * count + window.site
    busy = np.bincount(cell[plugged], minlength=count * plugged.shape[1])
    return np.asarray((plugged & (busy[cell] > 1)).any(axis=1))


def _cheaper(window: Window, storage: Storage, rows: IntArray, penalty: float) -> FloatArray:
    """Return the cheaper of the two ways to treat arrivals below the reserve, for each vehicle."""
    first = take(window.guarded(storage), rows)
    p_kw, cost = _planned(first, take(window.cells, rows), window.dt_h, penalty)
    other = window.guarded(storage, refill=False)
    again = np.flatnonzero((take(other, rows).down_kw != first.down_kw).any(axis=1))
    if again.size:
        part = rows[again]
        there = _planned(take(other, part), take(window.cells, part), window.dt_h, penalty)
        better = there[1] < cost[again]
        p_kw[again[better]] = there[0][better]
    return p_kw


def _planned(
    storage: Storage, cells: Cells, dt_h: float, penalty: float
) -> tuple[FloatArray, FloatArray]:
    """Return power (vehicle, time) and cost (vehicle,) of the least-cost plans."""
    p_kw, energy = np.zeros(storage.up_kw.shape), np.zeros(storage.up_kw.shape)
    plan_alone(storage, cells, dt_h, penalty, p_kw, energy)
    return p_kw, total_cost(storage, cells, p_kw, energy, dt_h, penalty)


def total_cost(
    storage: Storage,
    cells: Cells,
    p_kw: FloatArray,
    energy_kwh: FloatArray,
    dt_h: float,
    penalty: float,
) -> FloatArray:
    """Return what the plan of each vehicle costs, beyond its meter without it, (vehicle,)."""
    kink, low, high = (storage.meter[..., k] for k in (1, 2, 3))

    def paid(power: FloatArray) -> FloatArray:
        above = power - kink
        return np.asarray(np.where(above > 0.0, high, low) * above)

    energy = paid(p_kw) - paid(np.zeros_like(p_kw)) + cells.wear[:, None] * np.maximum(-p_kw, 0.0)
    missing = np.where(storage.need_kwh >= 0.0, np.maximum(storage.need_kwh - energy_kwh, 0.0), 0.0)
    worth = cells.value * energy_kwh[:, -1]
    return np.asarray(energy.sum(axis=1) * dt_h + penalty * missing.sum(axis=1) - worth)


def answer_by_program(
    window: Window, rows: IntArray, around: Surroundings, peak: PeakCharge | None = None
) -> FloatArray:
    """Return the least-cost power of vehicles behind shared meters, (row, time) [kW]."""
    # Under a shared fuse nobody can promise to refill a battery at once.
    storage = take(window.guarded(window.storage, refill=False), rows)
    sites, place = np.unique(window.site[rows], return_inverse=True)
    column = place.reshape(storage.up_kw.shape)
    span = slice(window.first, window.last)
    meters = Meters(
        net_kw=around.net_kw[span, sites],
        import_price=around.import_price[span, sites],
        export_price=around.export_price[span, sites],
        import_limit_kw=around.import_limit_kw[sites],
        export_limit_kw=around.export_limit_kw[sites],
        feed_limit_kw=around.own_kw[span, sites],
        peak=peak,
    )
    found = solve(
        storage,
        take(window.cells, rows),
        column,
        meters,
        dt_h=window.dt_h,
        penalty=around.penalty,
    )
    return within(found.p_kw, column, meters.feed_limit_kw)


def within(p_kw: FloatArray, column: IntArray, limit_kw: FloatArray) -> FloatArray:
    """Return the plan with the solver's rounding taken off: no dust, no discharge above a meter's limit."""
    clean = np.where(np.abs(p_kw) < DUST_KW, 0.0, p_kw)
    step = np.broadcast_to(np.arange(clean.shape[1]), clean.shape)
    fed = np.zeros(limit_kw.shape)
    np.add.at(fed, (step, column), np.maximum(-clean, 0.0))
    share = np.where(fed > limit_kw, limit_kw / np.where(fed > 0.0, fed, 1.0), 1.0)
    return np.where(clean < 0.0, clean * share[step, column], clean)


def take(record: Record, rows: IntArray) -> Record:
    """Return the rows of every array of a record."""
    parts: list[Any] = [np.ascontiguousarray(part[rows]) for part in record]
    return type(record)(*parts)
