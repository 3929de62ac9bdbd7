"""A small scan that binds: eight homes on one thin cable, eight cars, a study of every number of them beside it."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

import gridimpact as gi
from gridimpact.hosting.draws import Draw, decided, make_draw, spec_with
from gridimpact.hosting.evaluate import Evaluator
from gridimpact.hosting.readings import KINDS
from gridimpact.network import open_network
from gridimpact.records import LIMIT_BIT, ScanSettings
from gridimpact.study.run import run_study
from gridimpact.study.spec import StudySpec
from tests.network.nets import feeder

HOMES = 8
DAYS = ("2016-01-20",)
TIME = gi.Timeline.days("2016-01-19", 3, step="30min", zone="Europe/Berlin")


@lru_cache(maxsize=2)
def network(kva: float = 63.0) -> Any:
    """Return eight homes behind a small transformer on thin cable."""
    net = feeder(HOMES)
    net.line["r_ohm_per_km"] *= 3.0
    net.trafo["sn_mva"] = kva / 1000.0
    net.load["q_mvar"] = 0.0
    return open_network(net, busbar_vm_pu=1.0)


@lru_cache(maxsize=2)
def study(three_phase: bool = False) -> StudySpec:
    """Return the study a scan stands on: ten cars to draw from, tight limits, air."""
    air = gi.load_ambient("germany_2016", TIME)
    net = network()
    homes = gi.synthesize_households(net, TIME, annual_kwh=3000, pv_share=0.5, ambient=air, seed=2)
    cars = gi.synthesize_fleet(
        10, TIME, charger="ac_11kw", plug_in="always", daily_kwh=18.0, ambient=air, seed=3
    )
    chargers = cars.chargers.assign(
        p_discharge_max_kw=cars.chargers["p_max_kw"], bidirectional=True
    )
    vehicles = cars.vehicles.assign(p_discharge_max_kw=11.0)
    if three_phase:
        vehicles = vehicles.assign(phases=[1 if k % 2 else 3 for k in range(len(vehicles))])
    cars = dataclasses.replace(cars, chargers=chargers, vehicles=vehicles)
    limits = {
        "name": "tight", "drop_pu": 0.025, "transformer_loading_percent": 40.0, "hot_spot_c": 60.0,
        "fuse_percent": 90.0,
    }  # fmt: skip
    power_flow = {"power_flow": "three_phase", "zero_sequence": "assume"} if three_phase else {}
    return gi.Study(
        net, homes, gi.place(cars, net, cars_per_home=2.0, seed=1), strategies=[gi.Uncontrolled()],
        limits=limits, ambient=air, seed=4, **power_flow,
    ).spec  # fmt: skip


def settings(strategies: tuple[Any, ...], cars: tuple[int, ...], **options: Any) -> ScanSettings:
    """Return what the scan is asked, one row by strategy."""
    labels = tuple(f"{k}" for k in range(len(strategies)))
    given: dict[str, Any] = {"days": DAYS, "seed": 5, "unmet_percent": None, "refine": False}
    return ScanSettings(cars=cars, labels=labels, managed={}, firm={}, **given | options)


def evaluator(spec: StudySpec, strategies: tuple[Any, ...], asked: ScanSettings) -> Evaluator:
    """Return what solves draws of the scan."""
    return Evaluator(decided(spec, asked), asked, strategies)


def brute(scan: Evaluator, number: int, cars: int) -> dict[str, list[float]]:
    """Return what a study of one draw at one number of cars finds, each a value by row.

    "broken" is the mask of limits that the cars break, the others are energies [kWh].
    """
    draw: Draw = make_draw(scan.spec, scan.settings, number)
    spec = dataclasses.replace(spec_with(draw, cars), strategies=scan.strategies)
    found = run_study(spec, days=DAYS, progress=False).assessments
    figures: dict[str, list[float]] = {"broken": [], "unmet_kwh": [], "charged_kwh": []}
    for name in list(found)[1:]:
        table, cars_of = found[name].violations, found[name].tables["vehicles"]
        own = table[table["origin"].isin(["ev_caused", "aggravated"])]
        figures["broken"].append(sum({LIMIT_BIT[KINDS[kind].limit] for kind in own["kind"]}))
        figures["unmet_kwh"].append(float(found[name].tables["departures"]["unmet_kwh"].sum()))
        figures["charged_kwh"].append(float(cars_of["charge_kwh"].sum()))
    return figures
