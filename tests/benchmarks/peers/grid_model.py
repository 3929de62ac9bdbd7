"""power-grid-model: batch calculation, columns in and out, only what is asked for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs, percent, ratings
from tests.benchmarks.peers import Entry
from tests.benchmarks.two_port import transformers

PGM = "power-grid-model"
_METHODS = {"newton": "newton_raphson", "current": "iterative_current"}
ENTRIES = (
    Entry("PGM newton", PGM, "newton_raphson, sequential, lean output"),
    Entry("PGM current", PGM, "iterative_current, sequential, lean output"),
    Entry("PGM newton 2 threads", PGM, "newton_raphson, 2 threads", threads=2),
    Entry("PGM current 2 threads", PGM, "iterative_current, 2 threads", threads=2),
)
_STIFF_VA = 1e30
"""Short-circuit power of the source, without end as pandapower's."""


def version() -> str:
    """Return name and version."""
    return f"power-grid-model {installed('power-grid-model')}"


def set_up(case: Case, entry: Entry) -> Batch:
    """Return the engine set up for a case."""
    from power_grid_model import PowerGridModel

    data, places = grid_model_input(case)
    return Batch(case, entry, PowerGridModel(data), places, ratings(case.net))


def truth(case: Case, p_kw: np.ndarray, q_kvar: np.ndarray) -> Outputs:
    """Return Newton to 1e-10."""
    batch = set_up(case, ENTRIES[0])
    batch.tolerance = 1e-10
    return batch.run(batch.prepare(p_kw, q_kvar))


@dataclass(frozen=True)
class Places:
    """Identifiers in the order of the case, and their order in the model's output."""

    load: np.ndarray
    branches: str
    """How the model calls transformers: as such, or as branches with given admittance."""


@dataclass
class Batch:
    """A model with one case's net."""

    case: Case
    entry: Entry
    model: Any
    places: Places
    rated: tuple[np.ndarray, np.ndarray, np.ndarray]
    tolerance: float = 1e-8

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return update columns [W, var], (step, element) or (step, element, phase)."""
        p, q = 1e3 * p_kw, 1e3 * q_kvar
        kind = "sym_load"
        if self.case.plan.phases == 3:
            kind, share = "asym_load", np.eye(3)[self.case.phase]
            p, q = p[:, :, None] * share, q[:, :, None] * share
        update = {"id": np.broadcast_to(self.places.load, p_kw.shape).copy()}
        return {kind: update | {"p_specified": p, "q_specified": q}}

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        balanced = self.case.plan.phases == 1
        line = ["loading"] if balanced else ["i_from", "i_to"]
        found = self.model.calculate_power_flow(
            symmetric=balanced,
            update_data=power,
            error_tolerance=self.tolerance,
            max_iterations=100,
            calculation_method=_METHODS[self.entry.name.split()[1]],
            threading=-1 if self.entry.threads == 1 else self.entry.threads,
            output_component_types={
                "node": ["u_pu"],
                "line": line,
                self.places.branches: ["i_from", "i_to"],
            },
        )
        lines, high, low = self.rated
        ends = found[self.places.branches]
        trafo = _loading(ends, (1e3 * high, 1e3 * low))
        if not balanced:
            return Outputs(
                found["node"]["u_pu"], _loading(found["line"], (1e3 * lines,) * 2), trafo
            )
        loading = found["line"]["loading"]
        loading *= 100.0
        return Outputs(found["node"]["u_pu"], loading, trafo)


def _loading(ends: Any, rated_a: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return loadings [percent] of both ends' currents [A], in three phases of the worst phase."""
    currents = [ends["i_from"], ends["i_to"]]
    if currents[0].ndim == 3:
        currents = [np.max(current, axis=2) for current in currents]
    return percent((currents[0], currents[1]), rated_a)


def grid_model_input(case: Case) -> tuple[Any, Places]:
    """Return the model's input from the plain net, row by row."""
    from power_grid_model import initialize_array

    net = case.net
    buses, lines, trafos = len(net.bus), len(net.line), len(net.trafo)
    counts = np.cumsum([0, buses, lines, trafos, len(case.bus), 1])
    ident = [np.arange(a, b, dtype=np.int32) for a, b in itertools.pairwise(counts)]
    node = initialize_array("input", "node", buses)
    node["id"], node["u_rated"] = ident[0], 1e3 * net.bus.vn_kv
    kind = "sym_load" if case.plan.phases == 1 else "asym_load"
    load = initialize_array("input", kind, len(case.bus))
    load["id"], load["node"], load["status"], load["type"] = ident[3], case.bus, 1, 0
    load["p_specified"], load["q_specified"] = 0.0, 0.0
    source = initialize_array("input", "source", 1)
    outer = net.ext_grid.iloc[0]
    source["id"], source["node"], source["status"] = ident[4], int(outer.bus), 1
    source["u_ref"], source["u_ref_angle"] = outer.vm_pu, np.deg2rad(outer.va_degree)
    source["sk"], source["rx_ratio"], source["z01_ratio"] = _STIFF_VA, 0.1, 1.0
    name, branch = _trafos(case, ident[2])
    data = {
        "node": node,
        "line": _lines(case, ident[1]),
        name: branch,
        kind: load,
        "source": source,
    }
    return data, Places(ident[3], name)


def _lines(case: Case, ident: np.ndarray) -> Any:
    from power_grid_model import initialize_array

    table, omega = case.net.line, 2.0 * np.pi * case.net.f_hz
    line = initialize_array("input", "line", len(table))
    length = table.length_km / table.parallel
    line["id"], line["from_node"], line["to_node"] = ident, table.from_bus, table.to_bus
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"] = table.r_ohm_per_km * length, table.x_ohm_per_km * length
    farad = table.c_nf_per_km * table.length_km * table.parallel * 1e-9
    line["c1"] = farad
    siemens = table.g_us_per_km * table.length_km * table.parallel * 1e-6
    line["tan1"] = np.where(farad > 0, siemens / np.maximum(omega * farad, 1e-300), 0.0)
    line["i_n"] = 1e3 * ratings(case.net)[0]
    if case.plan.phases == 3:
        line["r0"], line["x0"] = table.r0_ohm_per_km * length, table.x0_ohm_per_km * length
        line["c0"] = table.c0_nf_per_km * table.length_km * table.parallel * 1e-9
        line["tan0"] = 0.0
    return line


def _trafos(case: Case, ident: np.ndarray) -> tuple[str, Any]:
    """Return the transformers: a wound one in three phases, its pi-equivalent where balanced."""
    return (
        ("transformer", _wound(case, ident))
        if case.plan.phases == 3
        else (
            "generic_branch",
            _pi_branches(case, ident),
        )
    )


def _wound(case: Case, ident: np.ndarray) -> Any:
    from power_grid_model import initialize_array

    table = case.net.trafo
    trafo = initialize_array("input", "transformer", len(table))
    trafo["id"], trafo["from_node"], trafo["to_node"] = ident, table.hv_bus, table.lv_bus
    trafo["from_status"] = trafo["to_status"] = 1
    trafo["u1"], trafo["u2"] = 1e3 * table.vn_hv_kv, 1e3 * table.vn_lv_kv
    trafo["sn"] = 1e6 * table.sn_mva
    trafo["uk"], trafo["pk"] = table.vk_percent / 100, 1e4 * table.vkr_percent * table.sn_mva
    trafo["i0"], trafo["p0"] = table.i0_percent / 100, 1e3 * table.pfe_kw
    trafo["winding_from"], trafo["winding_to"] = 2, 1  # delta, grounded star
    trafo["clock"] = (table.shift_degree / 30.0).round().astype(int)
    trafo["tap_side"], trafo["tap_pos"], trafo["tap_min"], trafo["tap_max"] = 0, 0, 0, 0
    trafo["tap_nom"], trafo["tap_size"] = 0, 0.0
    return trafo


def _pi_branches(case: Case, ident: np.ndarray) -> Any:
    """Return branches of the same two-ports as every other engine's transformers.

    The model's own transformer carries its magnetising branch elsewhere than pandapower's and would
    miss the reference for that alone.
    """
    from power_grid_model import initialize_array

    table, pi = case.net.trafo, transformers(case)
    branch = initialize_array("input", "generic_branch", len(table))
    branch["id"], branch["from_node"], branch["to_node"] = ident, table.hv_bus, table.lv_bus
    branch["from_status"] = branch["to_status"] = 1
    branch["r1"], branch["x1"] = pi.z_ohm.real, pi.z_ohm.imag
    branch["g1"], branch["b1"] = 2.0 * pi.half_s.real, 2.0 * pi.half_s.imag
    branch["k"], branch["theta"] = np.abs(pi.turn), np.angle(pi.turn)
    branch["sn"] = 1e6 * table.sn_mva
    return branch
