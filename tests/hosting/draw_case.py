"""A study without a power flow, for draws: twenty homes, a hall with cars of its own, a public charger."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.assess.limits import limit_profile
from gridimpact.fleet import join_fleets, synthesize_fleet
from gridimpact.hosting.draws import Draw, DrawMaker
from gridimpact.records import Ambient, Fleet, Network, Profiles, ScanSettings
from gridimpact.study.place import place
from gridimpact.study.spec import StudySpec
from gridimpact.timeline import Timeline

TIME = Timeline.days("2016-03-02", 40, zone="Europe/Berlin")
"""A Wednesday, and the night without two o'clock among the days."""
DAYS = ("2016-03-09", "2016-03-23/2016-03-24")
HOMES = 20


def sites(phases: Sequence[str] = ("abc",), homes: int = HOMES) -> pd.DataFrame:
    """Return homes, then a hall and a public car park; phases in turn."""
    kinds = ["home"] * homes + ["building", "public"]
    return pd.DataFrame(
        {
            "bus": range(len(kinds)),
            "phases": [phases[k % len(phases)] for k in range(homes)] + ["abc", "abc"],
            "kind": kinds,
            "load_p_kw": 1.0,
        },
        index=pd.Index([f"site {k:02d}" for k in range(len(kinds))], name="site_id"),
    )


def study_of(fleet: Fleet, table: pd.DataFrame | None = None) -> StudySpec:
    """Return a study whose network is nothing but its sites."""
    table = sites() if table is None else table
    nothing = np.zeros((TIME.count, len(table)))
    net: Any = Network("net", "test", "none", None, None, table)  # type: ignore[arg-type]
    air = Ambient("mild", np.full(TIME.count, 10.0))
    profiles = Profiles(TIME, tuple(table.index), nothing, nothing)
    return StudySpec("drawn", net, profiles, fleet, (), limit_profile("eu_lv_planning"), {}, air)


@lru_cache(maxsize=4)
def study(phases: tuple[str, ...] = ("abc",)) -> StudySpec:
    """Return twelve private cars, two of the hall and one at the public charger."""
    net = study_of(synthesize_fleet(0, TIME), sites(phases)).network
    cars = place(synthesize_fleet(12, TIME, seed=1), net, seed=1)
    hall = place(synthesize_fleet(2, TIME, kind="fleet", seed=2), net)
    guest = synthesize_fleet(1, TIME, kind="work", seed=3)
    public = dataclasses.replace(guest, chargers=guest.chargers.assign(kind="public"))
    return study_of(join_fleets(cars, hall, place(public, net)), net.sites)


def asked(*cars: int, **more: Any) -> ScanSettings:
    """Return settings of uncontrolled charging alone."""
    more = {"days": DAYS, "seed": 5} | more
    return ScanSettings(cars=cars, labels=("uncontrolled",), managed={}, firm={}, **more)


def draw(number: int, *cars: int, spec: StudySpec | None = None, **more: Any) -> Draw:
    """Return one draw of the study."""
    return DrawMaker(study() if spec is None else spec, asked(*cars, **more)).draw(number)


def car(made: Draw, k: int) -> tuple[Any, ...]:
    """Return all there is to know of private car k of a draw, from 1."""
    fleet = made.spec.fleet
    vehicle = fleet.vehicles[made.first_at == k]
    plugs = fleet.chargers[made.charger_first_at == k]
    stays = fleet.sessions[fleet.sessions["vehicle_id"] == vehicle.index[0]]
    return tuple(table.reset_index().to_csv() for table in (vehicle, plugs, stays))
