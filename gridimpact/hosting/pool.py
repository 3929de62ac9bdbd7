"""The cars a draw chooses from: private cars of a study apart from all that stands in every scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.records import BoolArray, Fleet, IntArray
from gridimpact.study.segments import Segment


@dataclass(frozen=True)
class Pool:
    """Rows of a fleet's tables, by whom they belong to.

    A private car is a vehicle that uses a charger of kind "home". Chargers of kind "home" belong to private
    cars; every other charger and every other vehicle is fixed.
    """

    fleet: Fleet
    fixed_vehicle: IntArray
    """(fixed vehicle,) rows of the vehicles."""
    fixed_charger: IntArray
    """(fixed charger,) rows of the chargers."""
    fixed_stay: IntArray
    """(fixed stay,) rows of the sessions."""
    car: IntArray
    """(car,) rows of the vehicles."""
    unit: IntArray
    """(unit,) rows of the chargers each private car uses, sorted by car."""
    unit_start: IntArray
    """(car + 1,) first unit of each car."""
    stay: IntArray
    """(stay,) rows of the sessions of private cars, sorted by car."""
    stay_start: IntArray
    """(car + 1,) first stay of each car."""
    stay_unit: IntArray
    """(stay,) which of its car's units it uses, from 0."""

    @property
    def unit_at_home(self) -> BoolArray:
        """(unit,) whether the charger is of kind "home", so that it goes where its car lives."""
        return _at_home(self.fleet.chargers)[self.unit]

    def home_site(self) -> list[str]:
        """Return the site of each car's first charger of kind "home", (car,)."""
        site = self.fleet.chargers["site_id"].astype(str).to_numpy()[self.unit]
        at_home = self.unit_at_home
        pairs = zip(self.unit_start[:-1], self.unit_start[1:], strict=True)
        return [str(site[a:b][at_home[a:b]][0]) for a, b in pairs]

    def fixed_fleet(self) -> Fleet:
        """Return the fleet without its private cars."""
        fleet = self.fleet
        return dataclasses.replace(
            fleet,
            vehicles=fleet.vehicles.take(self.fixed_vehicle),
            chargers=fleet.chargers.take(self.fixed_charger),
            sessions=fleet.sessions.take(self.fixed_stay),
        )

    def within(self, segments: Sequence[Segment]) -> Pool:
        """Return the pool with only those sessions that touch a segment, as its request would take them."""
        near = touching(self.fleet.sessions, segments)
        kept = near[self.stay]
        counted = np.concatenate([[0], np.cumsum(kept)])
        return dataclasses.replace(
            self,
            fixed_stay=self.fixed_stay[near[self.fixed_stay]],
            stay=self.stay[kept],
            stay_start=counted[self.stay_start],
            stay_unit=self.stay_unit[kept],
        )


def pool_of(fleet: Fleet, *, by_id: bool = True) -> Pool:
    """Return a fleet's private cars apart from the rest.

    Parameters
    ----------
    fleet : Fleet
        Placed or not.
    by_id : bool
        Private cars in the order of their ids; False keeps the order of the table.

    Notes
    -----
    A car without any session belongs to the charger named "charger_" and its id, as `synthesize_fleet` names
    them; where there is none it is fixed, which changes nothing, as it never charges.
    """
    vehicles, chargers, sessions = fleet.vehicles, fleet.chargers, fleet.sessions
    vehicle = vehicles.index.get_indexer(pd.Index(sessions["vehicle_id"])).astype(np.int64)
    charger = chargers.index.get_indexer(pd.Index(sessions["charger_id"])).astype(np.int64)
    at_home = _at_home(chargers)
    pairs = np.stack([vehicle, charger])
    idle = np.setdiff1d(np.arange(len(vehicles)), vehicle)
    named = [f"charger_{name}" for name in vehicles.index[idle]]
    own = chargers.index.get_indexer(pd.Index(named, dtype=object)).astype(np.int64)
    pairs = np.concatenate([pairs, np.stack([idle, own])[:, own >= 0]], axis=1)
    private = np.zeros(len(vehicles), dtype=np.bool_)
    private[pairs[0][at_home[pairs[1]]]] = True
    car = np.flatnonzero(private)
    if by_id:
        car = car[np.argsort(vehicles.index.to_numpy(dtype=str)[car], kind="stable")]
    rank = np.full(len(vehicles), -1, dtype=np.int64)
    rank[car] = np.arange(len(car))
    size = max(len(chargers), 1)
    used = rank[pairs[0]] * size + pairs[1]
    units = np.unique(used[rank[pairs[0]] >= 0])
    unit_start = np.searchsorted(units, np.arange(len(car) + 1) * size)
    whose = rank[vehicle]
    stay = np.argsort(whose, kind="stable")[int((whose < 0).sum()) :]
    return Pool(
        fleet=fleet,
        fixed_vehicle=np.flatnonzero(~private),
        fixed_charger=np.flatnonzero(~at_home),
        fixed_stay=np.flatnonzero(whose < 0),
        car=car,
        unit=units % size,
        unit_start=unit_start,
        stay=stay,
        stay_start=np.searchsorted(whose[stay], np.arange(len(car) + 1)),
        stay_unit=np.searchsorted(units, whose[stay] * size + charger[stay])
        - unit_start[whose[stay]],
    )


def touching(sessions: pd.DataFrame, segments: Sequence[Segment]) -> BoolArray:
    """Return which sessions a request of any of these segments would hold, (session,)."""
    near = np.zeros(len(sessions), dtype=np.bool_)
    begin, end = sessions["plug_in"].to_numpy(), sessions["plug_out"].to_numpy()
    for segment in segments:
        time = segment.timeline
        near |= (time.step_of(end) > 0) & (time.step_of(begin) < time.count)
    return near


def spans(start: IntArray, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows of some blocks one after the other, and which of `chosen` each belongs to.

    Parameters
    ----------
    start : (block + 1,) array of int
        First row of each block.
    chosen : (choice,) array of int
        Blocks, any of them several times.

    Examples
    --------
    >>> rows, owner = spans(np.array([0, 2, 3]), np.array([1, 0]))
    >>> rows.tolist(), owner.tolist()
    ([2, 0, 1], [0, 1, 1])
    """
    count = start[chosen + 1] - start[chosen]
    owner = np.repeat(np.arange(len(chosen)), count)
    before = np.cumsum(count) - count
    return np.arange(int(count.sum())) + (start[chosen] - before)[owner], owner


def _at_home(chargers: pd.DataFrame) -> BoolArray:
    return np.asarray(chargers["kind"].astype(str).to_numpy() == "home", dtype=np.bool_)
