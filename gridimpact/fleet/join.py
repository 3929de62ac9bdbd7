"""Several fleets as one."""

from __future__ import annotations

import pandas as pd

from gridimpact.errors import InputError
from gridimpact.records import Fleet


def join_fleets(*fleets: Fleet) -> Fleet:
    """Return one fleet of all cars, chargers and sessions.

    Parameters
    ----------
    *fleets : Fleet
        One or more. Where an id occurs in an earlier fleet already, all ids of its table in the later one get
        the number of the fleet appended (``home_0001`` becomes ``home_0001@2``).

    Returns
    -------
    Fleet
        Rows in the order given; rejected rows carry the number of their fleet in ``fleet``.

    Raises
    ------
    InputError
        If no fleet is given.

    Examples
    --------
    >>> from gridimpact.fleet import synthesize_fleet
    >>> from gridimpact.timeline import Timeline
    >>> time = Timeline.days("2016-01-11", 2)
    >>> both = join_fleets(synthesize_fleet(2, time), synthesize_fleet(1, time, kind="fleet"))
    >>> list(both.vehicles.index)
    ['home_0001', 'home_0002', 'fleet_0001']
    """
    if not fleets:
        message = "join_fleets needs at least one fleet"
        raise InputError(message)
    vehicles: list[pd.DataFrame] = []
    chargers: list[pd.DataFrame] = []
    sessions: list[pd.DataFrame] = []
    rejected: list[pd.DataFrame] = []
    for number, fleet in enumerate(fleets, start=1):
        car = _renames(fleet.vehicles, vehicles, number)
        station = _renames(fleet.chargers, chargers, number)
        stay = _renames(fleet.sessions, sessions, number)
        table = fleet.sessions.rename(index=stay)
        table["vehicle_id"] = table["vehicle_id"].replace(car)
        table["charger_id"] = table["charger_id"].replace(station)
        vehicles.append(fleet.vehicles.rename(index=car))
        chargers.append(fleet.chargers.rename(index=station))
        sessions.append(table)
        rejected.append(fleet.rejected.assign(fleet=number))
    notes = dict.fromkeys(note for fleet in fleets for note in fleet.notes)
    return Fleet(
        _stack(vehicles),
        _stack(chargers),
        _stack(sessions),
        pd.concat(rejected, ignore_index=True),
        tuple(notes),
    )


def _renames(table: pd.DataFrame, earlier: list[pd.DataFrame], number: int) -> dict[str, str]:
    """Return the new names of a table's rows, empty where none clashes."""
    taken = {name for other in earlier for name in other.index}
    if not taken.intersection(table.index):
        return {}
    return {str(name): f"{name}@{number}" for name in table.index}


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables one after the other; empty ones would only blur the column types."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled) if filled else tables[0]
