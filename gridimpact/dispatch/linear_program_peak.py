"""Linear programs of the least peak: the highest load of every group and day first, then wear and waiting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from gridimpact.dispatch.kernels_storage import TOWED, Cells, Storage
from gridimpact.dispatch.linear_program_rows import Columns, Rows, battery_bounds, battery_rows
from gridimpact.errors import InfeasibleDispatch
from gridimpact.records import BoolArray, FloatArray, IntArray

PENALTY = 1e3
"""Cost of a kWh missing at a departure over that of a kW of peak: more than the peaks it could lower."""

SLACK_KW = 1e-7
"""What the second program may exceed the least peaks by: the solver's tolerance."""

WAITING = 1e-2
"""Cost of a kWh charged in the last step rather than in the first: of equal plans the earlier one."""


@dataclass(frozen=True)
class Loads:
    """Loads whose peaks are lowered, arrays over (group, time) unless said."""

    base_kw: FloatArray
    """Load without the planned batteries."""
    member: BoolArray
    """(vehicle, group, time) in which groups a vehicle's power counts."""
    period: IntArray
    """(time,) number of the day, from 0; every day has a peak of its own."""


@dataclass(frozen=True)
class LeastPeak:
    """A plan of least peaks."""

    p_kw: FloatArray
    """(vehicle, time) at the meter, positive draws from the grid."""
    peak_kw: FloatArray
    """(group, period) highest load."""


def least_peak(storage: Storage, cells: Cells, loads: Loads, *, dt_h: float) -> LeastPeak:
    """Return the plan with the least sum of the peaks of all groups and days.

    Parameters
    ----------
    storage : Storage
        Limits and needs of each battery, (vehicle, time).
    cells : Cells
        Efficiencies, wear and initial energy; energy left at the end is worth nothing.
    loads : Loads
        What the batteries add to.
    dt_h : float
        Step [h].

    Returns
    -------
    LeastPeak
        Of all plans with these peaks one of least wear, and of these one that charges early.

    Raises
    ------
    InfeasibleDispatch
        If the least energies of `storage` cannot be kept.

    Notes
    -----
    Minimises ``sum peak`` subject to ``base + sum (c - d) <= peak`` in every step in which a car is
    plugged in; the highest load of the other steps is a lower bound of the peak. A second program keeps
    these peaks and minimises wear.
    """
    columns = Columns.of(storage, (storage.up_kw.shape[1], 0), 0)
    groups, periods = loads.base_kw.shape[0], int(loads.period.max(initial=0)) + 1
    first = columns.count
    rows = Rows(first + groups * periods)
    battery_rows(rows, columns, storage, cells, dt_h)
    open_cell = _peak_rows(rows, columns, loads, first)
    low, high = _bounds(columns, storage, loads, open_cell)
    common = LinearConstraint(*rows.matrix())
    cost = np.zeros(rows.width)
    cost[columns.missing], cost[columns.towed] = PENALTY, TOWED * PENALTY
    cost[first:] = 1.0
    x = _solution(cost, (low, high), common)
    high[first:] = x[first:] + SLACK_KW
    x = _solution(_effort(columns, cells, rows.width, dt_h), (low, high), common)
    p_kw = np.zeros(storage.up_kw.shape)
    flow = x[columns.charge] - x[columns.discharge]
    p_kw[columns.vehicle, columns.time] = np.where(np.abs(flow) < 1e-9, 0.0, flow)
    return LeastPeak(p_kw, x[first:].reshape(groups, periods))


def _solution(
    cost: FloatArray, bounds: tuple[FloatArray, FloatArray], rows: LinearConstraint
) -> FloatArray:
    """Return the variables of least cost."""
    found = milp(cost, bounds=Bounds(*bounds), constraints=rows)
    if found.x is None:
        message = f"the program of the least peak has no plan: {found.message}"
        raise InfeasibleDispatch(message)
    return np.asarray(found.x, dtype=np.float64)


def _peak_rows(rows: Rows, columns: Columns, loads: Loads, first: int) -> BoolArray:
    """Add a row for every group and step with a car; return those steps, (group, time)."""
    groups, steps = loads.base_kw.shape
    entry, group = np.nonzero(loads.member[columns.vehicle, :, columns.time])
    cell = group * steps + columns.time[entry]
    number, place = np.unique(cell, return_inverse=True)
    at_group, at_time = np.divmod(number, steps)
    periods = int(loads.period.max(initial=0)) + 1
    own = np.ones(entry.size)
    every = np.arange(number.size)
    rows.add(
        number.size,
        [
            (place, columns.charge[entry], own),
            (place, columns.discharge[entry], -own),
            (every, first + at_group * periods + loads.period[at_time], -np.ones(number.size)),
        ],
        np.full(number.size, -np.inf),
        -loads.base_kw.ravel()[number],
    )
    open_cell = np.zeros(groups * steps, dtype=np.bool_)
    open_cell[number] = True
    return open_cell.reshape(groups, steps)


def _effort(columns: Columns, cells: Cells, width: int, dt_h: float) -> FloatArray:
    """Return what every variable costs once the peaks are known: discharge by its wear, and waiting."""
    cost = np.zeros(width)
    wear = cells.wear / max(float(cells.wear.max(initial=0.0)), 1e-9)
    cost[columns.discharge] = (0.1 + wear[columns.vehicle]) * dt_h
    last = max(int(columns.time.max(initial=0)), 1)
    cost[columns.charge] = WAITING * dt_h * columns.time / last
    cost[columns.missing], cost[columns.towed] = PENALTY, TOWED * PENALTY
    return cost


def _bounds(
    columns: Columns, storage: Storage, loads: Loads, open_cell: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of every variable; a peak is at least the load of the steps without cars."""
    groups, periods = loads.base_kw.shape[0], int(loads.period.max(initial=0)) + 1
    fixed = np.full((groups, periods), -np.inf)
    shut = np.where(open_cell, -np.inf, loads.base_kw)
    np.maximum.at(fixed.T, loads.period, shut.T)
    low, high = battery_bounds(columns, storage, columns.count + fixed.size)
    low[columns.count :] = fixed.ravel()
    return low, high
