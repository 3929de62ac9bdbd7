"""The fleet of one draw, put together from the rows of a pool: who, where, on which phase, under which name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.hosting.pool import Pool, spans
from gridimpact.records import Fleet, IntArray
from gridimpact.study.phase_allocation import allocate_phases


@dataclass(frozen=True)
class Assembled:
    """A draw's fleet and from which number of private cars on each vehicle and charger is there."""

    fleet: Fleet
    first_at: IntArray
    charger_first_at: IntArray


@dataclass(frozen=True)
class Wanted:
    """The private cars of a draw, each a list over (car,)."""

    chosen: IntArray
    """Which car of the pool it is."""
    homes: Sequence[str]
    names: Sequence[str]
    """New ids, distinct."""


def assemble(pool: Pool, wanted: Wanted, sites: pd.DataFrame, rule: tuple[str, int]) -> Assembled:
    """Return the fleet of a draw: all that is fixed, and a copy of every car wanted.

    Parameters
    ----------
    pool : Pool
        The study's cars.
    wanted : Wanted
        Private cars in the order in which they come.
    sites : pandas.DataFrame
        Of the network.
    rule : (str, int)
        As `gridimpact.study.phase_allocation.allocate_phases`.

    Returns
    -------
    Assembled
        Vehicles sorted by id. Every copy has its own chargers: one of kind "home" stands at the car's home, one
        of another kind where the study has it.
    """
    vehicles, first_at = _vehicles(pool, wanted)
    unit, unit_car = spans(pool.unit_start, wanted.chosen)
    names = _charger_names(pool, wanted, unit, unit_car)
    chargers = _chargers(pool, wanted, (unit, unit_car, names), sites, rule)
    fleet = dataclasses.replace(
        pool.fleet,
        vehicles=vehicles,
        chargers=chargers,
        sessions=_sessions(pool, wanted, names),
    )
    fixed = np.zeros(len(pool.fixed_charger), dtype=np.int64)
    return Assembled(fleet, first_at, np.concatenate([fixed, unit_car + 1]))


def _vehicles(pool: Pool, wanted: Wanted) -> tuple[pd.DataFrame, IntArray]:
    """Return the vehicles sorted by id and, for each, the number of cars from which on it is there."""
    table = pool.fleet.vehicles
    names = [*table.index[pool.fixed_vehicle], *wanted.names]
    rows = np.concatenate([pool.fixed_vehicle, pool.car[wanted.chosen]])
    first = np.concatenate(
        [np.zeros(len(pool.fixed_vehicle), dtype=np.int64), np.arange(len(wanted.names)) + 1]
    )
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    found = table.take(rows[order])
    found.index = pd.Index([names[k] for k in order], name="vehicle_id", dtype=object)
    return found, first[order]


def _charger_names(pool: Pool, wanted: Wanted, unit: IntArray, unit_car: IntArray) -> list[str]:
    """Return the new id of every unit: after its car, numbered from the second on."""
    which = unit - pool.unit_start[wanted.chosen][unit_car] + 1
    return [
        f"charger_{wanted.names[car]}" if n == 1 else f"charger_{wanted.names[car]}_{n}"
        for car, n in zip(unit_car.tolist(), which.tolist(), strict=True)
    ]


def _chargers(
    pool: Pool,
    wanted: Wanted,
    units: tuple[IntArray, IntArray, list[str]],
    sites: pd.DataFrame,
    rule: tuple[str, int],
) -> pd.DataFrame:
    """Return the fixed chargers, then those of each car, these on phases of their homes."""
    unit, unit_car, names = units
    fixed = pool.fleet.chargers.take(pool.fixed_charger)
    if not len(unit):
        return fixed
    own = pool.fleet.chargers.take(pool.unit[unit])
    own.index = pd.Index(names, name="charger_id", dtype=object)
    moved = pool.unit_at_home[unit]
    home = np.array(wanted.homes, dtype=object)[unit_car]
    own["site_id"] = np.where(moved, home, own["site_id"].to_numpy(dtype=object))
    one = pool.fleet.vehicles["phases"].to_numpy()[pool.car[wanted.chosen[unit_car]]] == 1
    at_home = own[moved]
    wired = allocate_phases(at_home, pd.Series(one[moved], index=at_home.index), sites, rule, [])
    if not moved.all():
        wired = pd.concat([wired, own[~moved]]).reindex(own.index)
    return pd.concat([fixed, wired]) if len(fixed) else wired


def _sessions(pool: Pool, wanted: Wanted, charger_names: list[str]) -> pd.DataFrame:
    """Return the sessions of the fixed vehicles, then those of each car."""
    table = pool.fleet.sessions
    row, car = spans(pool.stay_start, wanted.chosen)
    unit_count = np.diff(pool.unit_start)[wanted.chosen]
    unit = (np.cumsum(unit_count) - unit_count)[car] + pool.stay_unit[row]
    vehicle = np.array(wanted.names, dtype=object)[car]
    charger = np.array(charger_names, dtype=object)[unit]
    own = table.index.to_numpy(dtype=object)[pool.stay[row]].tolist()
    fixed = pool.fixed_stay
    found = table.take(np.concatenate([fixed, pool.stay[row]]))
    renamed = (
        vehicle != pool.fleet.vehicles.index.to_numpy(dtype=object)[pool.car[wanted.chosen[car]]]
    )
    names = [
        f"{a}/{b}" if new else b
        for a, b, new in zip(vehicle.tolist(), own, renamed.tolist(), strict=True)
    ]
    found.index = pd.Index([*table.index[fixed], *names], name="session_id", dtype=object)
    for column, copies in (("vehicle_id", vehicle), ("charger_id", charger)):
        kept = found[column].to_numpy(dtype=object)[: len(fixed)]
        found[column] = np.concatenate([kept, copies])
    return found
