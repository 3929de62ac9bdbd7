"""Studies of a few steps for constant power, and a bisection that knows nothing but pandapower."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandapower as pp

import gridimpact as gi
from gridimpact.assess.limits import LimitProfile
from gridimpact.network import open_network
from gridimpact.records import Network, Profiles
from gridimpact.study.spec import StudySpec
from tests.study.case import fleet_of

DAY = gi.Timeline.days("2016-04-15", 1, step="12h", zone="UTC")
"""Two steps."""
TANGENT = float(np.tan(np.arccos(0.99)))
"""Of chargers."""


def four_buses(length_km: tuple[float, ...] = (0.15, 0.25), kva: float = 0.16) -> Any:
    """Return a 10 kV source, a transformer and two cables in a row; a home at the end of each."""
    net = pp.create_empty_network(name="four buses")
    last = pp.create_bus(net, 10.0, name="source")
    pp.create_ext_grid(net, last, vm_pu=1.0)
    low = pp.create_bus(net, 0.4, name="busbar")
    pp.create_transformer_from_parameters(
        net, last, low, sn_mva=kva, vn_hv_kv=10.0, vn_lv_kv=0.4, vkr_percent=1.4, vk_percent=4.0,
        pfe_kw=0.4, i0_percent=0.3, shift_degree=150.0, name="T",
    )  # fmt: skip
    last = low
    for number, length in enumerate(length_km):
        bus = pp.create_bus(net, 0.4, name=f"node {number}")
        pp.create_line_from_parameters(
            net, last, bus, length, r_ohm_per_km=0.32, x_ohm_per_km=0.08, c_nf_per_km=200.0,
            max_i_ka=0.2, name=f"cable {number}",
        )  # fmt: skip
        pp.create_load(net, bus, p_mw=0.005, q_mvar=0.001, name=f"Home {number}")
        last = bus
    return net


def profiles_of(network: Network, load_kw: Any, pv_kw: Any = 0.0) -> Profiles:
    """Return loads and PV (feeding below zero) by step and site, the same for all where one is given."""
    shape = (DAY.count, len(network.sites))
    names = tuple(str(s) for s in network.sites.index)
    load, pv = (np.array(np.broadcast_to(v, shape), dtype=float) for v in (load_kw, pv_kw))
    return Profiles(DAY, names, load, pv, source="test")


def spec_of(network: Network, load_kw: Any, pv_kw: Any = 0.0, **options: Any) -> StudySpec:
    """Return a study of one car, which no nodal or uniform method looks at."""
    car = [("v0", "2016-04-15 12:00", "2016-04-15 18:00", 10.0)]
    fleet = gi.place(
        fleet_of(car, {"v0": {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0}}),
        network,
        at=str(network.sites.index[0]),
    )
    profiles = profiles_of(network, load_kw, pv_kw)
    return gi.Study(network, profiles, fleet, strategies=["uncontrolled"], **options).spec


@lru_cache(maxsize=8)
def opened(name: str) -> Network:
    """Return one of the three small networks the bisection is run on."""
    return open_network(four_buses() if name == "four_buses" else name)


def steps_of(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return load and PV [kW], (time, site): an evening of much load and a sunny noon of little."""
    rng = np.random.default_rng(seed)
    shape = (DAY.count, len(network.sites))
    load = rng.uniform(0.5, 2.5, shape) * np.array([[1.0], [0.3]])
    return load, -rng.uniform(0.0, 3.0, shape) * np.array([[0.0], [1.0]])


def broken_by(limits: LimitProfile) -> Callable[[Any], bool]:
    """Return whether a solved net breaks a limit, read off pandapower's own result tables."""

    def broken(net: Any) -> bool:
        volts, low = net.res_bus.vm_pu, net.bus.vn_kv < 1.0
        busbar = volts[net.trafo.lv_bus.iloc[0]]
        found = [
            net.res_line.loading_percent.max() > limits.line_loading_percent,
            net.res_trafo.loading_percent.max() > limits.transformer_loading_percent,
        ]
        if limits.drop_pu is not None:
            found += [volts[low].min() < busbar - limits.drop_pu]
            found += [volts[low].max() > busbar + limits.rise_pu]
        if limits.vm_min_pu is not None:
            found += [volts[low].min() < limits.vm_min_pu, volts[low].max() > limits.vm_max_pu]
        if limits.mv_min_pu is not None:
            found += [volts[~low].min() < limits.mv_min_pu, volts[~low].max() > limits.mv_max_pu]
        return bool(any(found))

    return broken


class Plain:
    """Each step solved by `pandapower.runpp` and judged by hand: nothing of the package but the net."""

    def __init__(self, network: Network, load_kw: np.ndarray, pv_kw: np.ndarray) -> None:
        self.net = copy.deepcopy(network.net)
        self.load_kw, self.pv_kw = load_kw, pv_kw
        # Homes without reactive load in the net take a power factor of 0.95.
        own = (self.net.load.q_mvar / self.net.load.p_mw).to_numpy()
        self.tan = np.where(own == 0.0, np.tan(np.arccos(0.95)), own)
        self.sun = [pp.create_load(self.net, b, 0.0) for b in self.net.load.bus]
        self.car = [pp.create_load(self.net, b, 0.0) for b in network.net.load.bus]
        self.kept: dict[str, bool] | None = None

    def holds(self, power_kw: np.ndarray, tangent: float, broken: Callable[[Any], bool]) -> bool:
        """Return whether no step is broken with some power at each load [kW]."""
        net, count = self.net, len(self.sun)
        for load, sun in zip(self.load_kw, self.pv_kw, strict=True):
            net.load.loc[net.load.index[:count], "p_mw"] = load / 1e3
            net.load.loc[net.load.index[:count], "q_mvar"] = load * self.tan / 1e3
            net.load.loc[self.sun, "p_mw"] = sun / 1e3
            net.load.loc[self.car, "p_mw"] = power_kw / 1e3
            net.load.loc[self.car, "q_mvar"] = np.abs(power_kw) * tangent / 1e3
            # Only powers change from one call to the next: pandapower keeps its model of the branches,
            # but with it what loads of constant impedance draw.
            try:
                pp.runpp(net, init="dc", recycle=self.kept)
            except pp.LoadflowNotConverged:
                self.kept = None
                return False
            if not net.load[["const_z_p_percent", "const_z_q_percent"]].to_numpy().any():
                self.kept = {"bus_pq": True, "trafo": False, "gen": False}
            if broken(net):
                return False
        return True

    def bisected(
        self, where: Any, sign: float, tangent: float, broken: Callable[[Any], bool], most: float
    ) -> float:
        """Return the largest power at some loads [kW] to 9 W, from nothing but its ends."""
        low, high = 0.0, most
        unit = np.zeros(len(self.sun))
        unit[where] = sign
        while high - low > 0.009:
            middle = 0.5 * (low + high)
            if self.holds(middle * unit, tangent, broken):
                low = middle
            else:
                high = middle
        # An end of the beginning is no crossing.
        assert low > 0.0
        assert high < most
        return low
