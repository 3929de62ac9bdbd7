"""pandapower: `run_timeseries` as documented and at its best, and a loop of `runpp`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Outputs
from tests.benchmarks.peers import Entry, Unfit

PANDAPOWER = "pandapower"
BEST = "run_timeseries best"
PLAIN = "run_timeseries"
LOOP = "runpp loop"
ENTRIES = (
    Entry(
        BEST, PANDAPOWER, "batch_read of three tables, recycled, lightsim2grid inside", slow=True
    ),
    Entry(
        PLAIN, PANDAPOWER, "OutputWriter.log_variable, recycled, lightsim2grid inside", slow=True
    ),
    Entry(LOOP, PANDAPOWER, "runpp from the last result, own Newton with numba", slow=True),
    Entry("runpp_3ph loop", PANDAPOWER, "runpp_3ph", slow=True),
)
_LOGGED = (("res_bus", "vm_pu"), ("res_line", "loading_percent"), ("res_trafo", "loading_percent"))


def version() -> str:
    """Return name and version."""
    return f"pandapower {installed('pandapower')}"


def set_up(case: Case, entry: Entry) -> Any:
    """Return the engine set up for a case."""
    three = entry.name == "runpp_3ph loop"
    if three != (case.plan.phases == 3):
        message = "run_timeseries and runpp are balanced, runpp_3ph is not"
        raise Unfit(message)
    if entry.name in (BEST, PLAIN):
        return Series(copy.deepcopy(case.net), entry.name == BEST)
    return Loop(case, copy.deepcopy(case.net))


def truth(case: Case, p_kw: np.ndarray, q_kvar: np.ndarray) -> Outputs:
    """Return the reference: `runpp` with its own Newton to 1e-10 MVA, or `runpp_3ph`."""
    loop = Loop(case, copy.deepcopy(case.net), tolerance_mva=1e-10)
    return loop.run(loop.prepare(p_kw, q_kvar))


@dataclass
class Loop:
    """One `runpp` a step."""

    case: Case
    net: Any
    """Its own copy: runs leave loads, controllers and results in it."""
    tolerance_mva: float = 1e-8

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return power [MW, Mvar] as the load table takes it."""
        return p_kw / 1e3, q_kvar / 1e3

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        solve = self._three_phases if self.case.plan.phases == 3 else self._balanced
        steps = [solve(p, q, first=k == 0) for k, (p, q) in enumerate(zip(*power, strict=True))]
        return Outputs(*(np.stack(values) for values in zip(*steps, strict=True)))

    def _balanced(self, p_mw: np.ndarray, q_mvar: np.ndarray, first: bool) -> Outputs:
        import pandapower as pp

        net = self.net
        net.load["p_mw"], net.load["q_mvar"] = p_mw, q_mvar
        pp.runpp(
            net,
            calculate_voltage_angles=True,
            init="auto" if first else "results",
            tolerance_mva=self.tolerance_mva,
            lightsim2grid=False,
        )
        found = [net[table][column].to_numpy(copy=True) for table, column in _LOGGED]
        return Outputs(*found)

    def _three_phases(self, p_mw: np.ndarray, q_mvar: np.ndarray, first: bool) -> Outputs:
        import pandapower as pp

        net, phase = self.net, self.case.phase
        for k, name in enumerate("abc"):
            net.asymmetric_load[f"p_{name}_mw"] = np.where(phase == k, p_mw, 0.0)
            net.asymmetric_load[f"q_{name}_mvar"] = np.where(phase == k, q_mvar, 0.0)
        pp.runpp_3ph(net, tolerance_mva=self.tolerance_mva, calculate_voltage_angles=True)
        vm_pu = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
        line = net.res_line_3ph["loading_percent"].to_numpy(copy=True)
        return Outputs(vm_pu, line, net.res_trafo_3ph["loading_percent"].to_numpy(copy=True))


@dataclass
class Series:
    """`run_timeseries` over all loads."""

    net: Any
    best: bool

    def prepare(self, p_kw: np.ndarray, q_kvar: np.ndarray) -> Any:
        """Return how many steps; controllers stand in the net."""
        from pandapower.control import ConstControl
        from pandapower.timeseries import DFData

        net = self.net
        if "controller" in net:
            net["controller"] = net["controller"].iloc[:0]
        for variable, values in (("p_mw", p_kw), ("q_mvar", q_kvar)):
            source = DFData(pd.DataFrame(values / 1e3))
            rows = net.load.index
            ConstControl(net, "load", variable, rows, profile_name=rows, data_source=source)
        return len(p_kw)

    def _writer(self, steps: int) -> Any:
        """Return a new output writer; a used one has lost what it was to log."""
        from pandapower.timeseries import OutputWriter

        net = self.net
        if "output_writer" in net:
            net["output_writer"] = net["output_writer"].iloc[:0]
        if self.best:
            return OutputWriter(net, range(steps), log_variables=list(_LOGGED))
        writer = OutputWriter(net, range(steps), log_variables=[])
        for table, column in _LOGGED:
            writer.log_variable(table, column)
        return writer

    def run(self, power: Any) -> Outputs:
        """Solve all steps."""
        from pandapower.timeseries import run_timeseries

        writer = self._writer(power)
        run_timeseries(self.net, time_steps=range(power), verbose=False)
        return Outputs(
            *(writer.output[f"{table}.{column}"].to_numpy() for table, column in _LOGGED)
        )
