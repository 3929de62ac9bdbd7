"""The reference engine: a plain loop over `pandapower.runpp`, slow and trusted.

It keeps what no fixed admittance can follow: generators and converters that hold a voltage.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gridimpact.network.admittance import passive_net
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.layout import Results
from gridimpact.powerflow.outcome import allocate, conclude
from gridimpact.powerflow.pandapower_balance import losses_kw, missing_power
from gridimpact.powerflow.reference_result import net_at_taps
from gridimpact.powerflow.system import zip_shares
from gridimpact.records import (
    ComplexArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
)

_TOLERANCES_MVA = (1e-10, 1e-8)
"""Tried in turn: a stiff network may not reach the first one in double precision."""

_VOLTAGE_LOOPS = 100

_STARTS_FLAT = ("ssc", "tcsc", "svc", "vsc")
"""Elements whose equations often need a flat start."""

_SHOWN = 3
"""Elements named in the note on why pandapower solves; the rest is counted."""

Progress = Callable[[int, int], None]


class PandapowerEngine:
    """One `pandapower.runpp` for each lane, with voltage angles and the current loading of transformers.

    Parameters
    ----------
    net : pandapowerNet
        The network the grid was extracted from; copied, never written to. Its own loads,
        static generators, storages, controllers and stored options play no part. Generators,
        extended wards, direct-current lines and FACTS act as the net says, at every step alike;
        where the net gives limits of reactive power, they are kept.
    progress : callable, optional
        Called with lanes solved and lanes in all after each lane.

    Notes
    -----
    Voltage dependence is iterated outside of pandapower, which mixes the shares of the elements
    at one bus. `FlowOptions.threads`, `max_iterations` and `newton_iterations` have no effect.
    """

    def __init__(self, net: Any, progress: Progress | None = None) -> None:
        self._net = passive_net(net)
        self._progress = progress
        self._limited = _has_reactive_limits(self._net)

    @property
    def name(self) -> str:
        """Name and version."""
        from importlib.metadata import version

        return f"pandapower {version('pandapower')} Newton-Raphson"

    def at_taps(self, positions: Mapping[int, int]) -> PandapowerEngine:
        """Return this engine with transformers at other tap positions.

        Parameters
        ----------
        positions : mapping of int to int
            Tap position by position in the transformer axis.
        """
        moved = copy.copy(self)
        moved._net = net_at_taps(passive_net(self._net), positions)
        return moved

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the flow of every lane; see `gridimpact.powerflow.engine.Engine`."""
        chosen = options or FlowOptions()
        check_injections(grid, injections)
        if grid.tap_controls:
            from gridimpact.powerflow.tap_control import solve_with_taps

            return solve_with_taps(self, grid, injections, chosen)
        if injections.volt_var is not None:
            from gridimpact.powerflow.volt_var_outside import answer_outside

            return answer_outside(self, grid, injections, chosen)
        if chosen.phases == 3:
            from gridimpact.powerflow.pandapower_three_phase import solve_three_phase_reference

            return solve_three_phase_reference(self._net, grid, injections, chosen)
        shape = injections.p_kw.shape
        p_kw, q_kvar = (
            v.reshape(shape[0] * shape[1], shape[2]) for v in (injections.p_kw, injections.q_kvar)
        )
        net, place = self._with_loads(injections.bus)
        shares = zip_shares(injections)
        results, more = allocate(grid, len(p_kw), chosen), _asked(grid, len(p_kw), chosen)
        for lane in range(len(p_kw)):
            parts = _summed(place, p_kw[lane], shares[0]) + 1j * _summed(
                place, q_kvar[lane], shares[1]
            )
            if _solve_lane(net, parts, chosen.tolerance_pu, self._limited):
                _take(net, grid, results, lane)
                _take_asked(net, grid, more, lane)
                found = missing_power(net, parts, chosen)
                results.residual[lane], results.excess[lane] = found
            if self._progress is not None:
                self._progress(lane + 1, len(p_kw))
        flow = conclude(self.name, grid, injections, chosen, (results, self._notes(grid)))
        failed = np.isnan(flow.residual_kva)
        shaped: dict[str, Any] = {}
        for array, values in more.items():
            shaped[array] = values.reshape(*failed.shape, values.shape[1])
            shaped[array][failed] = np.nan
        return replace(flow, **shaped)

    def _with_loads(self, bus: IntArray) -> tuple[Any, IntArray]:
        """Return the own net with one load at each bus in use, and each element's load."""
        import pandapower as pp

        net = self._net
        used, place = np.unique(bus, return_inverse=True)
        net["load"] = net["load"].iloc[:0].copy()
        if len(used):
            pp.create_loads(net, net["bus"].index[used], p_mw=0.0, q_mvar=0.0)
        return net, place.astype(np.int64)

    def _notes(self, grid: Grid) -> tuple[Note, ...]:
        """Say why pandapower solves, where it must, and what its own elements do."""
        if not grid.beyond_batched:
            return ()
        who = ", ".join(grid.beyond_batched[:_SHOWN])
        more = len(grid.beyond_batched) - _SHOWN
        who += f" and {more} more" if more > 0 else ""
        text = f"solved by pandapower step by step because of {who}; about 20 ms a step"
        notes = [Note("info", "power flow", text)]
        if self._limited:
            text = "reactive power of generators stays within the limits the network gives"
            notes.append(Note("info", "power flow", text))
        elif len(self._net["gen"]):
            text = "the network gives no limits of reactive power; its generators have none"
            notes.append(Note("assumption", "gen, min_q_mvar", text))
        return tuple(notes)


def _has_reactive_limits(net: Any) -> bool:
    """Return whether an element that holds its voltage has limits of reactive power."""
    columns = {
        "gen": ("min_q_mvar", "max_q_mvar"),
        "dcline": ("min_q_from_mvar", "max_q_from_mvar", "min_q_to_mvar", "max_q_to_mvar"),
    }
    return any(
        bool(np.isfinite(net[table][column].to_numpy(np.float64)).any())
        for table, names in columns.items()
        for column in names
        if column in net[table]
    )


def _summed(place: IntArray, power: FloatArray, share: FloatArray) -> FloatArray:
    """Return constant-power, constant-current and constant-impedance parts at each load, (3, load)."""
    count = int(place.max()) + 1 if len(place) else 0
    return np.stack([np.bincount(place, power * share[:, part], count) for part in range(3)])


def _solve_lane(net: Any, parts: ComplexArray, tolerance_pu: float, limited: bool) -> bool:
    """Solve one lane; outside of pandapower the loads follow the voltage until it stands still."""
    vm_pu = np.ones(parts.shape[1])
    dependent = bool(np.any(parts[1:] != 0))
    for _ in range(_VOLTAGE_LOOPS if dependent else 1):
        drawn = parts[0] + parts[1] * vm_pu + parts[2] * vm_pu**2
        net["load"]["p_mw"] = drawn.real / 1e3
        net["load"]["q_mvar"] = drawn.imag / 1e3
        if not _runpp(net, limited):
            return False
        found = net["res_bus"]["vm_pu"].reindex(net["load"]["bus"]).to_numpy()
        found = np.where(np.isfinite(found), found, 1.0)
        settled = not dependent or float(np.abs(found - vm_pu).max()) <= tolerance_pu
        if settled:
            return True
        vm_pu = found
    return False


def _runpp(net: Any, limited: bool) -> bool:
    """Run the power flow; return whether it converged."""
    import pandapower as pp
    from pandapower.auxiliary import LoadflowNotConverged

    flat = any(net.get(table) is not None and len(net[table]) for table in _STARTS_FLAT)
    for init in ("flat", "dc") if flat else ("dc",):
        for tolerance_mva in _TOLERANCES_MVA:
            try:
                pp.runpp(
                    net,
                    calculate_voltage_angles=True,
                    init=init,
                    tolerance_mva=tolerance_mva,
                    max_iteration=30,
                    trafo_loading="current",
                    enforce_q_lims=limited,
                    lightsim2grid=False,
                )
            except (LoadflowNotConverged, FloatingPointError, np.linalg.LinAlgError):
                continue
            return True
    return False


def _take(net: Any, grid: Grid, results: Results, lane: int) -> None:
    """Copy the tables of a solved lane."""
    trafo = net["res_trafo"]
    line, there = net["res_line"]["loading_percent"].to_numpy(), grid.line_branch >= 0
    # pandapower gives infinity where there is no ampacity, and no number to a line open at both ends.
    rated = np.where(np.isnan(grid.line_i_max_ka), np.nan, line)
    if len(results.line):
        results.line[lane, there] = rated[there]
    tables = (
        (results.vm, net["res_bus"]["vm_pu"].to_numpy()),
        (results.transformer, trafo["loading_percent"].to_numpy()),
        (results.transformer_p, 1e3 * trafo["p_hv_mw"].to_numpy()),
        (results.transformer_q, 1e3 * trafo["q_hv_mvar"].to_numpy()),
        (results.losses, losses_kw(net)),
    )
    for target, values in tables:
        if len(target):
            target[lane] = values
    vm_pu = net["res_bus"]["vm_pu"]
    results.vm_low[lane], results.vm_high[lane] = vm_pu.min(), vm_pu.max()
    results.iterations[lane] = 1


def _asked(grid: Grid, lanes: int, options: FlowOptions) -> dict[str, FloatArray]:
    """Return arrays, (lane, element), for what comes only where it is asked for."""
    sizes = {
        "line_i_ka": len(grid.line_index),
        "transformer3w_loading_percent": len(grid.transformer3w_index),
    }
    return {
        name: np.full((lanes, size), np.nan, dtype=options.storage)
        for name, size in sizes.items()
        if name in options.keep
    }


def _take_asked(net: Any, grid: Grid, more: dict[str, FloatArray], lane: int) -> None:
    """Copy currents of lines and loadings of three-winding transformers of a solved lane."""
    if "line_i_ka" in more:
        off = (grid.line_branch < 0) & grid.bus_supplied[grid.line_from]
        current = net["res_line"]["i_ka"].to_numpy(np.float64)
        idle = np.where(off & grid.bus_supplied[grid.line_to], 0.0, np.nan)
        more["line_i_ka"][lane] = np.where(grid.line_branch >= 0, current, idle)
    if "transformer3w_loading_percent" in more and len(grid.transformer3w_index):
        found = net["res_trafo3w"]["loading_percent"].to_numpy(np.float64)
        live = (grid.transformer3w_branch >= 0).any(axis=1)
        more["transformer3w_loading_percent"][lane] = np.where(live, found, np.nan)
