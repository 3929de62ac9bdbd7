"""A small study that tests share: thirteen homes, one of them a building with cars of its own."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import gridimpact as gi
from gridimpact.fleet import make_fleet
from gridimpact.network import open_network
from gridimpact.records import Fleet, Network, Profiles, StudyResult
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from tests.network.nets import feeder

FORMULA, MARKUP = "=1+1", "</script><img src=x onerror=1>"
HALL = "Home 1"
DAYS = ["2016-04-16", "2016-04-19/2016-04-20"]
"""Two periods; cars of the hall stay over the gap between them."""
WEEK = gi.Timeline.days("2016-04-15", 7, zone="Europe/Berlin")


def strategies() -> list[Any]:
    """Return one strategy of every family."""
    return [
        gi.Uncontrolled(),
        gi.g2v.ValleyFilling(),
        gi.g2v.TransformerLimit(0.3),
        gi.g2v.PriceCharging(),
        gi.v2g.PeakShaving(enrolled=1.0),
        gi.v2g.Arbitrage(enrolled=1.0),
        gi.v2h.SelfConsumption(),
        gi.v2h.TimeOfUse(),
        gi.v2b.DemandCharge(),
        gi.v2b.SubscribedPower(),
        gi.Mix({gi.v2g.PeakShaving(): 0.4, gi.g2v.ValleyFilling(): 0.3}, rest=gi.Uncontrolled()),
    ]


@lru_cache(maxsize=1)
def rural() -> Network:
    """Return the rural feeder with a hall, a formula and markup among its names."""
    net = copy.deepcopy(open_network("kerber_rural").net)
    net.load.loc[net.load.name == "Home 2", "name"] = FORMULA
    net.load.loc[net.load.name == "Home 3", "name"] = MARKUP
    net.bus.loc[net.load.bus.iloc[[1, 2]], "name"] = [FORMULA, MARKUP]
    return open_network(net, name="Rural feeder", site_kinds={HALL: "building"}, busbar_vm_pu=1.01)


@lru_cache(maxsize=1)
def parts() -> tuple[Network, Profiles, Fleet, Any]:
    """Return network, profiles, placed fleet and ambient of the shared study."""
    net, air = rural(), gi.load_ambient("germany_2016", WEEK)
    homes = gi.synthesize_households(
        net, WEEK, annual_kwh=3500, heat_pump_share=0.5, pv_share=0.6,
        buildings={HALL: 60_000}, ambient=air, seed=1,
    )  # fmt: skip
    cars = gi.place(gi.synthesize_fleet(10, WEEK, seed=1, ambient=air), net, seed=1)
    hall = gi.synthesize_fleet(3, WEEK, kind="fleet", seed=2, ambient=air)
    staff = gi.synthesize_fleet(4, WEEK, kind="work", seed=4, ambient=air)
    there = [gi.place(part, net, at=HALL, seed=1) for part in (hall, staff)]
    return net, homes, gi.join_fleets(cars, *there), air


def study(chosen: list[Any] | None = None, fleet: Fleet | None = None) -> gi.Study:
    """Return the shared study with all strategies, or with those chosen."""
    net, homes, cars, air = parts()
    return gi.Study(
        net, homes, cars if fleet is None else fleet,
        strategies=strategies() if chosen is None else chosen,
        prices={"home": "nl_2019", "building": "building_demand"}, ambient=air, seed=3,
        name="Rural feeder",
    )  # fmt: skip


@lru_cache(maxsize=1)
def solved_study() -> StudyResult:
    """Return the shared study solved with every strategy and checked against pandapower."""
    return study().run(DAYS, verify=12, progress=False).record


DAY = gi.Timeline.days("2016-04-15", 1, step="1h", zone="UTC")
"""24 hourly steps."""


@lru_cache(maxsize=4)
def three_homes(p_mw: float = 0.004) -> Network:
    """Return three homes on one cable."""
    return open_network(feeder(3, p_mw))


def constant(net: Network, timeline: gi.Timeline = DAY, kw: float = 1.0, pv: float = 0.0) -> Any:
    """Return the same load at every site and step, and PV of `pv` kW (negative) at the first site."""
    shape = (timeline.count, len(net.sites))
    generation = np.zeros(shape)
    generation[:, 0] = pv
    names = tuple(str(s) for s in net.sites.index)
    return Profiles(timeline, names, np.full(shape, kw), generation, source="constant")


def fleet_of(sessions: list[tuple[Any, ...]], vehicles: dict[str, dict[str, Any]], **charger: Any):
    """Return a fleet of own tables, one charger per vehicle.

    A session is (vehicle, plug_in, plug_out) and, if wanted, trip_kwh, soc_arrival, soc_target.
    """
    names = ("vehicle_id", "plug_in", "plug_out", "trip_kwh", "soc_arrival", "soc_target")
    table = pd.DataFrame([dict(zip(names, row, strict=False)) for row in sessions], columns=names)
    table["charger_id"] = "c_" + table["vehicle_id"].astype(str)
    table.index = pd.Index([f"s{n}" for n in range(len(table))])
    table["trip_kwh"] = table["trip_kwh"].fillna(0.0).astype(float)
    table["soc_arrival"] = table["soc_arrival"].astype(float)
    cars = pd.DataFrame.from_dict(vehicles, orient="index")
    boxes = pd.DataFrame(
        {"p_max_kw": 11.0, "p_discharge_max_kw": 0.0} | charger,
        index=[f"c_{name}" for name in vehicles],
    )
    return make_fleet(cars, boxes, table)


def spec_of(fleet: Fleet, sites: list[str], **options: Any) -> StudySpec:
    """Return the specification of a fleet placed one by one at sites of the three homes."""
    net = options.pop("network", None) or three_homes()
    profiles = options.pop("profiles", None) or constant(net)
    at = dict(zip(fleet.chargers.index, sites, strict=True))
    placed = gi.place(fleet, net, at=at) if len(at) else fleet
    return gi.Study(net, profiles, placed, strategies=["uncontrolled"], **options).spec


def whole(spec: StudySpec) -> Segment:
    """Return the whole timeline as one counted segment."""
    return Segment("all", 0, spec.timeline, np.ones(spec.timeline.count, dtype=np.bool_))


def files_of(folder: Path) -> set[str]:
    """Return the relative names of all files of a folder."""
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
