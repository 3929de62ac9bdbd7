"""Small studies that the tests of the closed loop share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp

import gridimpact as gi
from gridimpact.ageing import Nameplate
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.strategy import Foresight
from gridimpact.network import open_network
from gridimpact.records import Dispatch, Injections, Network
from gridimpact.study.closed_loop import closed_loop
from gridimpact.study.elements import phases_of_chargers
from gridimpact.study.inject import inject
from gridimpact.study.power_flow import flow_setup, resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.spec import StudySpec
from tests.network.nets import feeder
from tests.study.case import DAY, constant, fleet_of, spec_of, whole

HOMES = ["Home 1", "Home 2", "Home 3"]


@dataclass(frozen=True)
class Asked:
    """A base that asks each car for the same power at every step, positive draws from the grid."""

    kw: float
    name: str = "asked"
    foresight: Foresight = Foresight()  # noqa: RUF009 - frozen

    @property
    def bidirectional(self) -> bool:
        return self.kw < 0.0

    def plan(self, request):
        shape = (request.timeline.count, len(request.vehicle_id))
        everyone = np.ones(shape[1], dtype=bool)
        return execute(
            request, np.full(shape, self.kw), strategy=self.name, controlled=everyone, guard=False
        )


def long_feeder(metres: float = 400.0) -> Network:
    """Return three homes on a cable so long that cars move the voltage by percents."""
    net = feeder(3)
    net.line["length_km"] = metres / 1e3
    return open_network(net)


def cars_at_homes(kwh: float = 90.0, feeds: bool = False, **charger: Any) -> Any:
    """Return one car at each home, plugged in from 02:00 to 20:00."""
    box = {"p_max_kw": 22.0} | charger
    if feeds:
        box |= {"p_discharge_max_kw": 22.0, "bidirectional": True}
    car = {
        "capacity_kwh": 120.0, "p_charge_max_kw": 22.0, "p_discharge_max_kw": 22.0 if feeds else 0.0,
        "eta_charge": 0.9, "eta_discharge": 0.9, "soc_target": 0.9, "soc_reserve": 0.1,
    }  # fmt: skip
    sessions = [(n, "2016-04-15 02:00", "2016-04-15 20:00", kwh) for n in ("a", "b", "c")]
    return fleet_of(sessions, dict.fromkeys(("a", "b", "c"), car), **box)


def small_spec(**options: Any) -> StudySpec:
    """Return a day of three homes with a car each, an air of 30 degC."""
    net = options.pop("network", None) or long_feeder()
    fleet = options.pop("fleet", None)
    fleet = cars_at_homes() if fleet is None else fleet
    options.setdefault("profiles", constant(net, kw=2.0))
    options.setdefault("ambient", np.full(options["profiles"].timeline.count, 30.0))
    return resolved(spec_of(fleet, HOMES, network=net, **options))


@dataclass(frozen=True)
class Run:
    """What a strategy delivered, and the power flow of it, solved anew."""

    spec: StudySpec
    request: Any
    dispatch: Dispatch
    given: Injections
    flow: Any


def run(strategy: Any, spec: StudySpec, plate: Nameplate | None = None) -> Run:
    """Return a strategy in its closed loop, or as it plans where it has none."""
    segment, setup = whole(spec), flow_setup(spec)
    request = build_requests(spec, segment)
    if hasattr(strategy, "signals"):
        plate = Nameplate.preset("iec_onan") if plate is None else plate
        found = closed_loop(strategy, spec, segment, [request], setup, plate)[0]
    else:
        found = strategy.plan(request)
    given = inject(spec, segment, request, found)
    flow = setup.engine.solve(spec.network.grid, given, setup.options)
    return Run(spec, request, found, given, flow)


def charger_voltage(found: Run) -> np.ndarray:
    """Return the voltage at each car's charger, (time, vehicle) [pu]."""
    names = found.spec.network.sites["bus"].to_numpy()
    place = {int(b): k for k, b in enumerate(found.spec.network.grid.bus_index)}
    bus = [place[int(b)] for b in names]
    volts = found.flow.vm_pu[0][:, bus]
    if found.flow.phases == 1:
        return volts
    phase = ["abc".index(own) for own in phases_of_chargers(found.spec)]
    return np.take_along_axis(volts, np.array(phase)[None, :, None], axis=2)[:, :, 0]


def busbar_with_cars(base_kw: Callable[[np.ndarray], np.ndarray], days: int = 3) -> StudySpec:
    """Return twelve 25 kW cars and a base load at the busbar of a 250 kVA transformer.

    Four cars arrive at 18:00, 19:00 and 20:00 each and need 25 kWh, so that uncontrolled charging draws
    100 kW, 0.4 of the rating, for three hours; all twelve at once draw 1.2 of it for one hour.
    """
    net = pp.create_empty_network()
    hv, lv = pp.create_bus(net, 10.0), pp.create_bus(net, 0.4)
    pp.create_ext_grid(net, hv, vm_pu=1.03)
    pp.create_transformer(net, hv, lv, "0.25 MVA 10/0.4 kV")
    pp.create_load(net, lv, p_mw=0.1, q_mvar=0.0, name="Home 1")
    time = gi.Timeline.days("2016-04-15", days, step="15min", zone="UTC")
    network = open_network(net)
    network = dataclasses.replace(network, sites=network.sites.assign(fuse_a=np.nan))
    load = np.asarray(base_kw((time.local_hour + 0.125) % 24.0))[:, None]
    homes = dataclasses.replace(
        constant(network, time), load_p_kw=load, load_q_kvar=np.zeros_like(load)
    )
    sessions, names = [], [f"car {k:02d}" for k in range(12)]
    for day in range(days):
        for k, name in enumerate(names):
            arrival = f"2016-04-{15 + day} {18 + k // 4}:00"
            sessions.append((name, arrival, f"2016-04-{16 + day} 07:00", 25.0 if day else 0.0))
    car = {
        "capacity_kwh": 100.0, "p_charge_max_kw": 25.0, "eta_charge": 1.0, "soc_target": 0.8,
        "soc_knee": 1.0, "taper_fraction": 1.0,
    }  # fmt: skip
    fleet = fleet_of(sessions, dict.fromkeys(names, car), p_max_kw=25.0)
    placed = gi.place(fleet, network, at=dict.fromkeys(fleet.chargers.index, "Home 1"))
    spec = gi.Study(
        network, homes, placed, strategies=["uncontrolled"], ambient=np.full(time.count, 30.0)
    ).spec
    return dataclasses.replace(resolved(spec), charger_power_factor=1.0)


__all__ = ["DAY", "Asked", "Run", "busbar_with_cars", "charger_voltage", "run", "small_spec"]
