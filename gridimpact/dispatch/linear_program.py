"""One linear program for storage behind meters: it covers G2V, V2G, V2H and V2B by its flags.

Batteries come as `Storage` and `Cells`, meters as `Meters`; binaries enter only where charging and
discharging at once, or importing and exporting at once, would pay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from gridimpact.dispatch.kernels_storage import TOWED, Cells, Storage
from gridimpact.dispatch.linear_program_rows import (
    Columns,
    Meters,
    PeakCharge,
    Rows,
    battery_bounds,
    battery_rows,
    binary_rows,
    meter_rows,
)
from gridimpact.errors import InfeasibleDispatch
from gridimpact.records import BoolArray, FloatArray, IntArray

__all__ = ["Meters", "PeakCharge", "Schedule", "solve"]

_CLOSE = 1e-9
_BOTH_KW = 1e-6
"""Charging and discharging at once below this is the solver's tolerance [kW]."""


@dataclass(frozen=True)
class Schedule:
    """An optimal plan of batteries behind meters."""

    p_kw: FloatArray
    """(vehicle, time) at the meter, positive draws from the grid."""
    energy_kwh: FloatArray
    """(vehicle, time) at the end of the step; NaN while away."""
    import_kw: FloatArray
    """(time, meter)"""
    export_kw: FloatArray
    peak_kw: FloatArray
    """(period, meter) highest draw, that before the window included; empty without a peak charge."""
    cost: float
    """Energy, wear and peak charges less the value of energy left at the end, without penalties."""
    unmet_kwh: float
    """Energy missing at departures."""
    binary: bool
    """Whether binaries were needed."""


def solve(
    storage: Storage,
    cells: Cells,
    site: IntArray,
    meters: Meters,
    *,
    dt_h: float,
    penalty: float = 1e3,
) -> Schedule:
    """Return the least-cost plan of batteries behind shared meters.

    Parameters
    ----------
    storage : Storage
        Limits and needs of each battery, (vehicle, time); its `meter` is not used here.
    cells : Cells
        Efficiencies, wear, initial energy and the worth of energy left at the end.
    site : ndarray of int
        (vehicle, time) column of `meters`; any number while away.
    meters : Meters
        Other demand, prices and limits.
    dt_h : float
        Step [h].
    penalty : float
        Cost of a kWh missing at a departure [currency/kWh], above any price.

    Returns
    -------
    Schedule
        Optimal to the solver's tolerance of 1e-7.

    Raises
    ------
    InfeasibleDispatch
        If the least energies of `storage` cannot be kept.

    Notes
    -----
    Minimises ``sum(import_price imp - export_price exp + wear d) dt + per_kw peak`` with
    ``imp - exp = net + c - d`` and ``e_t = e_(t-1) + eta_c c dt - d dt / eta_d``. Falling charging power
    is the linear, conservative bound of the power by the taper's line at the energy after the step.
    Binaries are added for steps in which the price is negative enough for charging and discharging at
    once to pay, or in which export pays more than import costs.
    """
    columns = Columns.of(storage, meters.net_kw.shape, _periods(meters))
    cost = _objective(columns, storage, cells, meters, dt_h, penalty)
    bounds = _bounds(columns, storage, meters)
    both = _both_pay(columns, storage, cells, site, meters)
    inverted = meters.export_price > meters.import_price + _CLOSE
    while True:
        rows = Rows(columns.count + int(both.sum()) + int(inverted.sum()))
        battery_rows(rows, columns, storage, cells, dt_h)
        meter_rows(rows, columns, site, meters)
        binary_rows(rows, columns, both, inverted, bounds[1], meters.net_kw)
        x = _solution(rows, columns, cost, bounds)
        again = _at_once(x, columns, cells) & ~both
        if not again.any():
            return _schedule(x, columns, storage, meters, cost, rows.width > columns.count)
        both |= again


def _solution(
    rows: Rows, columns: Columns, cost: FloatArray, bounds: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Return the optimal variables, binaries last."""
    extra = rows.width - columns.count
    kind = np.concatenate([np.zeros(columns.count), np.ones(extra)])
    found = milp(
        np.concatenate([cost, np.zeros(extra)]),
        integrality=kind if extra else None,
        bounds=Bounds(
            np.concatenate([bounds[0], np.zeros(extra)]),
            np.concatenate([bounds[1], np.ones(extra)]),
        ),
        constraints=LinearConstraint(*rows.matrix()),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        message = f"the storage program has no plan: {found.message}"
        raise InfeasibleDispatch(message)
    return np.asarray(found.x, dtype=np.float64)


def _at_once(x: FloatArray, columns: Columns, cells: Cells) -> BoolArray:
    """Return the entries that charge and discharge at once although that wastes energy."""
    wasteful = cells.eta_charge * cells.eta_discharge < 1.0
    least = np.minimum(x[columns.charge], x[columns.discharge])
    return np.asarray((least > _BOTH_KW) & wasteful[columns.vehicle])


def _periods(meters: Meters) -> int:
    """Return the number of periods with a peak charge."""
    return 0 if meters.peak is None else meters.peak.so_far_kw.shape[0]


def _objective(
    columns: Columns,
    storage: Storage,
    cells: Cells,
    meters: Meters,
    dt_h: float,
    penalty: float,
) -> FloatArray:
    """Return the cost of every variable."""
    cost = np.zeros(columns.count)
    cost[columns.discharge] = cells.wear[columns.vehicle] * dt_h
    cost[columns.draw] = meters.import_price.ravel() * dt_h
    cost[columns.feed] = -meters.export_price.ravel() * dt_h
    cost[columns.missing] = penalty
    cost[columns.towed] = TOWED * penalty
    last = columns.last_of_vehicle
    cost[columns.energy[last]] -= cells.value[columns.vehicle[last]]
    if meters.peak is not None:
        cost[columns.peak] = np.tile(meters.peak.per_kw, meters.peak.so_far_kw.shape[0])
    return cost


def _bounds(columns: Columns, storage: Storage, meters: Meters) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper bounds of every variable."""
    low, high = battery_bounds(columns, storage, columns.count)
    net = meters.net_kw
    high[columns.draw] = np.maximum(np.maximum(meters.import_limit_kw, net), 0.0).ravel()
    high[columns.feed] = np.maximum(np.maximum(meters.export_limit_kw, -net), 0.0).ravel()
    if meters.peak is not None:
        spent = meters.peak.so_far_kw - meters.peak.free_kw
        low[columns.peak] = np.maximum(spent, 0.0).ravel()
    return low, high


def _both_pay(
    columns: Columns, storage: Storage, cells: Cells, site: IntArray, meters: Meters
) -> BoolArray:
    """Return the steps, (entry,), in which charging and discharging at once would pay."""
    v, t = columns.vehicle, columns.time
    through = cells.eta_charge[v] * cells.eta_discharge[v]
    price = np.minimum(meters.import_price, meters.export_price)[t, site[v, t]]
    pays = price * (1.0 - through) + cells.wear[v] * through <= 0.0
    pays &= through < 1.0
    return np.asarray(pays & (storage.up_kw[v, t] > 0.0) & (storage.down_kw[v, t] > 0.0))


def _schedule(
    x: FloatArray,
    columns: Columns,
    storage: Storage,
    meters: Meters,
    cost: FloatArray,
    binary: bool,
) -> Schedule:
    """Return the plan held in a solution, with simultaneous flows that change nothing netted out."""
    p_kw = np.zeros(storage.up_kw.shape)
    energy = np.full(storage.up_kw.shape, np.nan)
    at = (columns.vehicle, columns.time)
    p_kw[at] = x[columns.charge] - x[columns.discharge]
    energy[at] = x[columns.energy]
    exchange = (x[columns.draw] - x[columns.feed]).reshape(meters.net_kw.shape)
    paid = cost.copy()
    paid[columns.missing] = paid[columns.towed] = 0.0
    peak = np.zeros((0, meters.net_kw.shape[1]))
    if meters.peak is not None:
        over = x[columns.peak].reshape(meters.peak.so_far_kw.shape)
        peak = np.maximum(over + meters.peak.free_kw, meters.peak.so_far_kw)
    return Schedule(
        p_kw=p_kw,
        energy_kwh=energy,
        import_kw=np.maximum(exchange, 0.0),
        export_kw=np.maximum(-exchange, 0.0),
        peak_kw=peak,
        cost=float(paid @ x[: columns.count]),
        unmet_kwh=float(x[columns.missing].sum()),
        binary=binary,
    )
