"""The nets of the race, their elements and their profiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.benchmarks.plain import plain_net
from tests.benchmarks.profiles import demand

EUROPEAN = "ieee_european_lv"
SYNTHETIC = "synthetic_"


@dataclass(frozen=True)
class Plan:
    """A case by name, before it is built."""

    name: str
    source: str
    steps: tuple[int, ...]
    """Lengths raced; the last one is what ratios are quoted for."""
    bar: float
    """Ratio to the fastest counted peer that is asked for."""
    phases: int = 1
    size: float = 1.0
    """Factor on the net's own ratings, so that at the peak a transformer or line is about full."""


@dataclass(frozen=True)
class Case:
    """A net with elements, ready for every engine."""

    plan: Plan
    net: Any
    """Plain pandapower net with one load for each element (or one asymmetric load in three phases)."""
    grid: Any
    """The same net as the batched engine takes it."""
    bus: np.ndarray
    """(element,) row of the bus table."""
    p_kw: np.ndarray
    """(element,) rating, negative where it feeds in."""
    q_kvar: np.ndarray
    phase: np.ndarray
    """(element,) 0, 1, 2; used in three phases only."""

    @property
    def name(self) -> str:
        """Name with its phases."""
        return self.plan.name

    def power(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return P [kW] and Q [kvar], each (step, element)."""
        share = demand(len(self.bus), steps, seed=3, feed_in=self.p_kw < 0)
        return share * self.p_kw, share * self.q_kvar


PLANS = (
    Plan("lv_rural1", "simbench:1-LV-rural1--0-sw", (96, 672, 35_040), 15.0, size=3.5),
    Plan("cigre_lv", "cigre_lv", (96, 672, 35_040), 20.0),
    Plan("lv_urban6", "simbench:1-LV-urban6--0-sw", (96, 672, 35_040), 20.0, size=2.5),
    Plan("mv_semiurb", "simbench:1-MV-semiurb--0-sw", (96, 672, 35_040), 15.0, size=2.0),
    Plan("european_lv", EUROPEAN, (96, 672, 35_040), 25.0),
    Plan("synthetic_5000", f"{SYNTHETIC}5000", (96, 672, 2_688), 10.0, size=2.5),
    Plan("mvlv_rural", "simbench:1-MVLV-rural-all-0-sw", (96, 672, 2_688), 10.0, size=1.5),
    Plan("european_lv_3ph", EUROPEAN, (96, 672, 2_688), 20.0, phases=3),
)


@cache
def build(plan: Plan) -> Case:
    """Return a case; the same object for the same plan."""
    if plan.source.startswith(SYNTHETIC):
        net, elements = radial_net(int(plan.source.removeprefix(SYNTHETIC)))
    else:
        given = _given(plan.source)
        net, row = plain_net(given)
        elements = _elements(given, row)
    bus, p_kw, q_kvar, phase = elements
    p_kw, q_kvar = plan.size * p_kw, plan.size * q_kvar
    if plan.phases == 1:
        _balanced_loads(net, bus, p_kw, q_kvar)
    else:
        _single_phase_loads(net, bus, p_kw, q_kvar, phase)
    return Case(plan, net, _grid(net, plan.phases), bus, p_kw, q_kvar, phase)


def _given(source: str) -> Any:
    if source.startswith("simbench:"):
        # Straight from the source: the profiles of a large SimBench net take longer than the race.
        from gridimpact.network.simbench_source import fetch_simbench

        return fetch_simbench(source.removeprefix("simbench:")).net
    from gridimpact.network import open_network

    return open_network(source).net


def _grid(net: Any, phases: int) -> Any:
    from gridimpact.network import extract_grid

    grid = extract_grid(net, np.zeros((len(net.bus), 2)), False)
    if phases == 1:
        return grid
    import pandas as pd

    from gridimpact.network import with_phases
    from gridimpact.records import Network

    plain = Network("race", "", "", net, grid, pd.DataFrame())
    return with_phases(plain, zero_sequence="require").grid


def _elements(net: Any, row: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return bus, P, Q and phase of loads, then of static generators as loads that feed in."""
    parts = []
    for table, sign in (("load", 1.0), ("sgen", -1.0)):
        rows = net[table][net[table].in_service.astype(bool)]
        scale = sign * 1e3 * rows.scaling.astype(float).to_numpy()
        at = row[net.bus.index.get_indexer(rows.bus)]
        parts.append(
            (at, scale * rows.p_mw.astype(float), scale * rows.q_mvar.fillna(0).astype(float))
        )
    homes = net.asymmetric_load
    if len(homes):
        # A home that may draw 6 kW on its one phase.
        power = homes[["p_a_mw", "p_b_mw", "p_c_mw"]].to_numpy(dtype=float)
        at = row[net.bus.index.get_indexer(homes.bus)]
        parts.append(
            (at, np.full(len(homes), 6.0), np.full(len(homes), 6.0 * np.tan(np.arccos(0.95))))
        )
        phase = power.argmax(axis=1)
    bus, p_kw, q_kvar = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in range(3))
    if not len(homes):
        phase = np.zeros(len(bus), dtype=np.int64)
    return bus.astype(np.int64), p_kw, q_kvar, phase.astype(np.int64)


def _balanced_loads(net: Any, bus: np.ndarray, p_kw: np.ndarray, q_kvar: np.ndarray) -> None:
    import pandapower as pp

    pp.create_loads(net, bus.tolist(), p_mw=(p_kw / 1e3).tolist(), q_mvar=(q_kvar / 1e3).tolist())


def _single_phase_loads(
    net: Any, bus: np.ndarray, p_kw: np.ndarray, q_kvar: np.ndarray, phase: np.ndarray
) -> None:
    import pandapower as pp

    for k, at in enumerate(bus):
        name = "abc"[phase[k]]
        power = {f"p_{name}_mw": p_kw[k] / 1e3, f"q_{name}_mvar": q_kvar[k] / 1e3}
        pp.create_asymmetric_load(net, int(at), **power)
    # Engines differ in where they put the zero-sequence magnetising branch; here it carries nothing.
    net.trafo["mag0_percent"] = 1e9
    net.ext_grid["s_sc_max_mva"], net.ext_grid["rx_max"] = 1e8, 0.1
    net.ext_grid["x0x_max"], net.ext_grid["r0x0_max"] = 1.0, 0.1


def radial_net(buses: int) -> tuple[Any, tuple[np.ndarray, ...]]:
    """Return a seeded tree of 20 kV overhead lines behind one 40 MVA transformer, a load at every bus."""
    import pandapower as pp

    rng = np.random.default_rng(7)
    net = pp.create_empty_network()
    pp.create_buses(net, 1, 110.0)
    pp.create_buses(net, buses - 1, 20.0)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    pp.create_transformers_from_parameters(
        net, [0], [1], sn_mva=40.0, vn_hv_kv=110.0, vn_lv_kv=20.0, vkr_percent=0.34, vk_percent=16.2,
        pfe_kw=18.0, i0_percent=0.05, shift_degree=150.0, tap_side=["hv"], tap_neutral=0.0, tap_min=-9.0,
        tap_max=9.0, tap_step_percent=1.5, tap_step_degree=0.0, tap_pos=-2.0, tap_changer_type=["Ratio"],
    )  # fmt: skip
    net.trafo["vector_group"] = "YNd"
    feeder = np.array_split(np.arange(2, buses), 8)
    parent = np.full(buses, 1)
    for rows in feeder:
        for k in range(1, len(rows)):
            parent[rows[k]] = rows[k - rng.integers(1, min(k, 12) + 1)]
    child = np.arange(2, buses)
    pp.create_lines_from_parameters(
        net, parent[child].tolist(), child.tolist(), length_km=rng.uniform(0.1, 0.4, len(child)).tolist(),
        r_ohm_per_km=0.306, x_ohm_per_km=0.33, c_nf_per_km=11.25, max_i_ka=0.35,
    )  # fmt: skip
    p_kw = rng.uniform(2.0, 8.0, len(child))
    return net, (child, p_kw, 0.3 * p_kw, np.zeros(len(child), dtype=np.int64))


def plan_named(name: str) -> Plan:
    """Return a plan by its name."""
    return next(plan for plan in PLANS if plan.name == name)
