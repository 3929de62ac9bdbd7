"""lightsim2grid: its two batch classes over a converted net, both ends' flows included."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs, ratings
from tests.benchmarks.peers import Entry, Unfit

LS2G = "lightsim2grid"
ENTRIES = (
    Entry("ls2g time series", LS2G, "TimeSeriesCPP, single-slack Newton with KLU, warm started"),
    Entry("ls2g sweep", LS2G, "InjectionSweepCPP, single-slack Newton with KLU"),
    Entry("ls2g sweep 2 threads", LS2G, "InjectionSweepCPP, 2 threads", threads=2),
)


def version() -> str:
    """Return name and version."""
    return f"lightsim2grid {installed('lightsim2grid')}"


def set_up(case: Case, entry: Entry) -> Sweep:
    """Return the engine set up for a case."""
    if case.plan.phases == 3:
        message = "balanced only"
        raise Unfit(message)
    import pandapower as pp
    from lightsim2grid.lightsim2grid_cpp import AlgorithmType, InjectionSweepCPP, TimeSeriesCPP
    from lightsim2grid.network import init_from_pandapower

    net = case.net
    # Half the rating, so that every step starts near its solution as `init` offers it.
    net.load["p_mw"], net.load["q_mvar"] = case.p_kw / 2e3, case.q_kvar / 2e3
    pp.runpp(net, calculate_voltage_angles=True, lightsim2grid=False)
    vm, va = net.res_bus.vm_pu.to_numpy(), np.deg2rad(net.res_bus.va_degree.to_numpy())
    # The converter's default follows the transformers of pandapower 2.
    model = init_from_pandapower(net, pp_orig_file="pandapower_v2")
    computer = (TimeSeriesCPP if "series" in entry.name else InjectionSweepCPP)(model)
    if AlgorithmType.NRSing_KLU in computer.available_default_algorithms():
        computer.change_algorithm(AlgorithmType.NRSing_KLU)
    if entry.threads > 1:
        computer.nb_thread = entry.threads
    return Sweep(case, computer, vm * np.exp(1j * va), _scales(case))


@dataclass(frozen=True)
class Scales:
    """From the square of apparent power over voltage [MVA^2/pu^2] to the square of loading."""

    node: tuple[np.ndarray, np.ndarray]
    """(branch,) bus at both ends."""
    factor: np.ndarray
    """(2, branch) percent per MVA at 1 pu."""
    lines: int


def _scales(case: Case) -> Scales:
    net = case.net
    lines, high, low = ratings(net)
    ends = (
        np.concatenate([net.line.from_bus, net.trafo.hv_bus]),
        np.concatenate([net.line.to_bus, net.trafo.lv_bus]),
    )
    rated = (np.concatenate([lines, high]), np.concatenate([lines, low]))
    kv = net.bus.vn_kv.to_numpy()
    factor = np.stack(
        [100.0 / (np.sqrt(3.0) * kv[end] * limit) for end, limit in zip(ends, rated, strict=True)]
    )
    return Scales(ends, factor, len(net.line))


@dataclass
class Sweep:
    """A batch over one case's net."""

    case: Case
    computer: Any
    start: np.ndarray
    scales: Scales

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return power of generators, static generators and loads [MW, Mvar]."""
        self.computer.clear()
        none = np.zeros((len(p_kw), 0))
        slack = np.zeros((len(p_kw), len(self.case.net.ext_grid)))
        return slack, none, np.ascontiguousarray(p_kw / 1e3), np.ascontiguousarray(q_kvar / 1e3)

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        batch = self.computer
        batch.compute_Vs(*power, self.start, 20, 1e-8)
        vm_pu = np.abs(batch.get_voltages())
        flows = batch.compute_branch_results()
        ends = []
        for side in (0, 1):
            p, q = flows[:, :, 2 * side], flows[:, :, 2 * side + 1]
            size = np.sqrt(p * p + q * q)
            size *= self.scales.factor[side]
            size /= vm_pu[:, self.scales.node[side]]
            ends.append(size)
        loading = np.maximum(ends[0], ends[1], out=ends[0])
        lines = self.scales.lines
        return Outputs(vm_pu, loading[:, :lines], loading[:, lines:])
