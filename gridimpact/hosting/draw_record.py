"""One draw of a hosting scan, who of it is there at a number of cars, and the hash that identifies it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Fleet, IntArray
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class Draw:
    """Homes, cars, behaviour, phases and days of one draw, at the most cars any level asks for.

    Attributes
    ----------
    number : int
        Of the draw, from 0.
    spec : StudySpec
        The study with the draw's fleet, vehicles sorted by id; its sessions are those that touch `segments`,
        unless the draw was asked for whole.
    segments : tuple of Segment
        What is solved.
    first_at : (vehicle,) array of int
        Number of private cars from which on the vehicle is there; 0 is always.
    sessions_sha256 : str
        As `hash_of_fleet`, of what touches the segments.
    charger_first_at : (charger,) array of int
        As `first_at`, by charger.
    """

    number: int
    spec: StudySpec
    segments: tuple[Segment, ...]
    first_at: IntArray
    sessions_sha256: str
    charger_first_at: IntArray

    @property
    def most(self) -> int:
        """Most private cars the draw holds."""
        return int(self.first_at.max(initial=0))


def present(draw: Draw, cars: int) -> BoolArray:
    """Return which vehicles are there at a number of private cars, (vehicle,).

    Raises
    ------
    InputError
        If the draw holds fewer cars.
    """
    if not 0 <= cars <= draw.most:
        message = f"{cars} cars asked of draw {draw.number}, which holds 0 to {draw.most}"
        raise InputError(message)
    return np.asarray(draw.first_at <= cars)


def hash_of_fleet(fleet: Fleet) -> str:
    """Return the SHA-256 of sessions, vehicles and chargers, sites and phases included.

    Ids do not count, but which rows belong together does. The same on every machine.
    """
    found = hashlib.sha256()
    sessions = fleet.sessions
    owners = [
        table.index.get_indexer(pd.Index(sessions[name])).astype("<i8")
        for table, name in ((fleet.vehicles, "vehicle_id"), (fleet.chargers, "charger_id"))
    ]
    # Rows in an order of their own, so that the order of the table does not count.
    order = np.lexsort((sessions["plug_in"].to_numpy(), owners[0]))
    for own in owners:
        found.update(own[order].tobytes())
    tables = (
        sessions.drop(columns=["vehicle_id", "charger_id"]).take(order),
        fleet.vehicles,
        fleet.chargers,
    )
    for table in tables:
        found.update(str(len(table)).encode())
        for name in sorted(table.columns):
            found.update(b"\0" + str(name).encode() + b"\0" + _bytes(table[name]))
    return found.hexdigest()


def _bytes(column: pd.Series[Any]) -> bytes:
    """Return a column's values as bytes: seconds, numbers, or text."""
    if column.dtype.kind == "M":
        return column.to_numpy().astype("datetime64[s]").astype("<i8").tobytes()
    if column.dtype.kind in "biuf":
        return column.to_numpy().astype("<f8").tobytes()
    return "\0".join(map(str, column.tolist())).encode()
