"""The reference engine: a plain loop over `pandapower.runpp`, slow and trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.network.admittance import fixed_elements, passive_net
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.layout import Results
from gridimpact.powerflow.outcome import allocate, conclude
from gridimpact.powerflow.system import zip_shares
from gridimpact.records import ComplexArray, FloatArray, FlowResult, Grid, Injections, IntArray

_TOLERANCES_MVA = (1e-10, 1e-8)
"""Tried in turn: a stiff network may not reach the first one in double precision."""

_VOLTAGE_LOOPS = 100


class PandapowerEngine:
    """One `pandapower.runpp` for each lane, with voltage angles and the current loading of transformers.

    Parameters
    ----------
    net : pandapowerNet
        The network the grid was extracted from; copied, never written to. Its own loads,
        generators, storages, controllers and stored options play no part.

    Notes
    -----
    Voltage dependence is iterated outside of pandapower, which mixes the shares of the elements
    at one bus. `FlowOptions.threads`, `max_iterations` and `newton_iterations` have no effect.
    """

    def __init__(self, net: Any) -> None:
        self._net = passive_net(net)

    @property
    def name(self) -> str:
        """Name and version."""
        from importlib.metadata import version

        return f"pandapower {version('pandapower')} Newton-Raphson"

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the flow of every lane; see `gridimpact.powerflow.engine.Engine`."""
        chosen = options or FlowOptions()
        check_injections(grid, injections)
        scenarios, steps, elements = injections.p_kw.shape
        p_kw = injections.p_kw.reshape(scenarios * steps, elements)
        q_kvar = injections.q_kvar.reshape(scenarios * steps, elements)
        net, place = self._with_loads(injections.bus)
        shares = zip_shares(injections)
        results = allocate(grid, len(p_kw), chosen)
        for lane in range(len(p_kw)):
            parts = [
                _summed(place, power[lane], share)
                for power, share in ((p_kw, shares[0]), (q_kvar, shares[1]))
            ]
            if _solve_lane(net, parts[0] + 1j * parts[1], chosen.tolerance_pu):
                _take(net, grid, results, lane)
                _check(net, results, lane, parts[0] + 1j * parts[1], chosen)
        return conclude(self.name, grid, injections, chosen, (results, ()))

    def _with_loads(self, bus: IntArray) -> tuple[Any, IntArray]:
        """Return the own net with one load at each bus in use, and each element's load."""
        import pandapower as pp

        net = self._net
        used, place = np.unique(bus, return_inverse=True)
        net["load"] = net["load"].iloc[:0].copy()
        if len(used):
            pp.create_loads(net, net["bus"].index[used], p_mw=0.0, q_mvar=0.0)
        return net, place.astype(np.int64)


def _summed(place: IntArray, power: FloatArray, share: FloatArray) -> FloatArray:
    """Return constant-power, constant-current and constant-impedance parts at each load, (3, load)."""
    count = int(place.max()) + 1 if len(place) else 0
    return np.stack([np.bincount(place, power * share[:, part], count) for part in range(3)])


def _solve_lane(net: Any, parts: ComplexArray, tolerance_pu: float) -> bool:
    """Solve one lane; outside of pandapower the loads follow the voltage until it stands still."""
    vm_pu = np.ones(parts.shape[1])
    dependent = bool(np.any(parts[1:] != 0))
    for _ in range(_VOLTAGE_LOOPS if dependent else 1):
        drawn = parts[0] + parts[1] * vm_pu + parts[2] * vm_pu**2
        net["load"]["p_mw"] = drawn.real / 1e3
        net["load"]["q_mvar"] = drawn.imag / 1e3
        if not _runpp(net):
            return False
        found = net["res_bus"]["vm_pu"].reindex(net["load"]["bus"]).to_numpy()
        found = np.where(np.isfinite(found), found, 1.0)
        settled = not dependent or float(np.abs(found - vm_pu).max()) <= tolerance_pu
        if settled:
            return True
        vm_pu = found
    return False


def _runpp(net: Any) -> bool:
    import pandapower as pp
    from pandapower.auxiliary import LoadflowNotConverged

    for tolerance_mva in _TOLERANCES_MVA:
        try:
            pp.runpp(
                net,
                calculate_voltage_angles=True,
                tolerance_mva=tolerance_mva,
                max_iteration=30,
                trafo_loading="current",
                lightsim2grid=False,
            )
        except (LoadflowNotConverged, FloatingPointError):
            continue
        return True
    return False


def _take(net: Any, grid: Grid, results: Results, lane: int) -> None:
    """Copy the tables of a solved lane."""
    from pandapower.pypower.idx_brch import PF, PT

    trafo = net["res_trafo"]
    line, there = net["res_line"]["loading_percent"].to_numpy(), grid.line_branch >= 0
    # pandapower gives infinity where there is no ampacity, and no number to a line open at both ends.
    rated = np.where(np.isnan(grid.line_i_max_ka), np.nan, line)
    losses_mw = np.nansum(net["_ppc"]["branch"][:, [PF, PT]].real)
    if len(results.line):
        results.line[lane, there] = rated[there]
    tables = (
        (results.vm, net["res_bus"]["vm_pu"].to_numpy()),
        (results.transformer, trafo["loading_percent"].to_numpy()),
        (results.transformer_p, 1e3 * trafo["p_hv_mw"].to_numpy()),
        (results.transformer_q, 1e3 * trafo["q_hv_mvar"].to_numpy()),
        (results.losses, 1e3 * losses_mw),
    )
    for target, values in tables:
        if len(target):
            target[lane] = values
    vm_pu = net["res_bus"]["vm_pu"]
    results.vm_low[lane], results.vm_high[lane] = vm_pu.min(), vm_pu.max()
    results.iterations[lane] = 1


def _check(
    net: Any, results: Results, lane: int, parts: ComplexArray, options: FlowOptions
) -> None:
    """Work out the power missing at each node from the admittance and the elements."""
    internal = net["_ppc"]["internal"]
    results.residual[lane] = results.excess[lane] = 0.0
    if "V" not in internal or not len(internal["V"]):
        # Nothing but sources: there is no node whose balance could fail.
        return
    base, v, y_bus = 1e3 * float(net.sn_mva), internal["V"], internal["Ybus"]
    missing = v * np.conj(y_bus @ v)
    for bus, drawn in _drawn(net, parts):
        node = net["_pd2ppc_lookups"]["bus"][bus]
        there = node < len(v)
        size = np.abs(v[node[there]])
        power = drawn[0, there] + drawn[1, there] * size + drawn[2, there] * size**2
        np.add.at(missing, node[there], power / base)
    inner = np.setdiff1d(np.arange(len(v)), internal["ref"])
    gap = np.abs(missing[inner])
    stiff = np.abs(y_bus.diagonal()[inner])
    results.residual[lane] = base * gap.max(initial=0.0)
    allowed = options.residual_kva / base + 10 * options.tolerance_pu * stiff
    results.excess[lane] = (gap / allowed).max(initial=0.0)


def _drawn(net: Any, parts: ComplexArray) -> list[tuple[IntArray, ComplexArray]]:
    """Return buses and drawn power (3, element) [kVA] of the loads and of what the net draws itself."""
    bus, power = fixed_elements(net)
    fixed = np.zeros((3, len(bus)), dtype=np.complex128)
    fixed[0] = power
    return [(net["load"]["bus"].to_numpy(dtype=np.int64), parts), (bus, fixed)]
