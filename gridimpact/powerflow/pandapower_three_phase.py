"""The three-phase reference: a plain loop over `pandapower.runpp_3ph`, slow and narrow.

Only asymmetric loads are given to it, because it passes over storages, static generators of other
types than wye and delta, motors and wards in silence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gridimpact.errors import GridError, raise_problems
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.pandapower_three_phase_net import prepared_net, refusals
from gridimpact.powerflow.pgm_elements import bus_nodes, bus_place, fixed_loads, shunts
from gridimpact.powerflow.reference_result import Currents, Found, finish, joined, refuse_phases
from gridimpact.powerflow.system import zip_shares
from gridimpact.records import (
    BoolArray,
    ComplexArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
)

_PHASES = ("a", "b", "c")

_VOLTAGE_LOOPS = 100

_ITERATIONS = 60
"""Of runpp_3ph; a feeder of 900 buses takes about ten."""

_SETTLED_PU = 1e-8
"""runpp_3ph itself stops at 0.03 VA, so that voltages are not known much better."""

_STOP_KVA = 1e-3
"""Mismatch beside that of the options which the criterion of runpp_3ph may leave."""


class _Loads(NamedTuple):
    """One row of the table of asymmetric loads for each bus in use in star, then for each in delta."""

    bus: IntArray
    delta: BoolArray
    place: IntArray
    """(element,) row."""
    fixed_kva: ComplexArray
    """(row, 3) what the net draws by itself."""


def solve_three_phase_reference(
    net: Any, grid: Grid, injections: Injections, options: FlowOptions | None = None
) -> FlowResult:
    """Return the unbalanced flow of every lane by ``pandapower.runpp_3ph``.

    Parameters
    ----------
    net : pandapowerNet
        With zero-sequence data; copied, never written to.
    grid : Grid
        Extract of the net.
    injections : Injections
        Elements in delta count their `phase_share` over ab, bc and ca.
    options : FlowOptions, optional

    Returns
    -------
    FlowResult

    Raises
    ------
    GridError
        Where the net lacks zero-sequence data or holds what runpp_3ph cannot follow.
    InputError
        As `Engine.solve`, or where lines are given by full matrices or sources have an impedance in
        positive sequence.

    Notes
    -----
    Limits of runpp_3ph (pandapower 3.5): external grids are ideal in positive sequence, with their
    short-circuit impedance in negative and zero sequence; transformers are YNyn, Dyn, Yzn or
    without earthed neutrals; it stops at a mismatch of 0.03 VA in positive sequence, so that voltages
    are good to about 1e-7 pu.
    """
    chosen = options or FlowOptions(phases=3)
    check_injections(grid, injections)
    refuse_phases(grid, injections, "runpp_3ph", delta=True, impedance=False)
    own = prepared_net(net)
    raise_problems(refusals(own), "network for runpp_3ph", GridError)
    loads = _loads(own, injections)
    _give_loads(own, loads)
    scenarios, steps, elements = injections.p_kw.shape
    p_kw, q_kvar = (
        values.reshape(scenarios * steps, elements)
        for values in (injections.p_kw, injections.q_kvar)
    )
    parts = [
        _solve_lane(own, loads, _parts(loads, injections, p_kw[lane], q_kvar[lane]), chosen)
        for lane in range(len(p_kw))
    ]
    return finish(_name(), grid, injections, chosen, joined(parts or [_lost(own)]))


def _name() -> str:
    from importlib.metadata import version

    return f"pandapower {version('pandapower')} runpp_3ph"


def _loads(net: Any, injections: Injections) -> _Loads:
    """Return a row for each bus and connection in use."""
    bus, fixed_kva = fixed_loads(net)
    delta = np.zeros(len(injections.bus), dtype=bool)
    if injections.connection is not None:
        delta = injections.connection == 1
    key = np.concatenate([2 * injections.bus + delta, 2 * bus])
    used, place = np.unique(key, return_inverse=True)
    total = np.zeros((len(used), 3), dtype=np.complex128)
    np.add.at(total, place[len(delta) :], np.repeat(fixed_kva[:, None] / 3, 3, axis=1))
    return _Loads(used // 2, used % 2 == 1, place[: len(delta)].astype(np.int64), total)


def _give_loads(net: Any, loads: _Loads) -> None:
    import pandapower as pp

    for bus, delta in zip(loads.bus, loads.delta, strict=True):
        kind = "delta" if delta else "wye"
        pp.create_asymmetric_load(net, net["bus"].index[bus], type=kind)


def _parts(
    loads: _Loads, injections: Injections, p_kw: FloatArray, q_kvar: FloatArray
) -> ComplexArray:
    """Return constant-power, constant-current and constant-impedance parts, (3, row, phase) [kVA]."""
    total = np.zeros((3, len(loads.bus), 3), dtype=np.complex128)
    for power, shares, turn in zip((p_kw, q_kvar), zip_shares(injections), (1, 1j), strict=True):
        for number, share in enumerate(shares.T):
            by_phase = turn * (power * share)[:, None] * injections.phase_share
            np.add.at(total[number], loads.place, by_phase)
    total[0] += loads.fixed_kva
    return total


def _solve_lane(net: Any, loads: _Loads, parts: ComplexArray, options: FlowOptions) -> Found:
    """Solve one lane; outside of pandapower the loads follow the voltage until it stands still."""
    size = np.ones((len(loads.bus), 3))
    dependent = bool(np.any(parts[1:] != 0))
    for _ in range(_VOLTAGE_LOOPS if dependent else 1):
        drawn = parts[0] + parts[1] * size + parts[2] * size**2
        for number, phase in enumerate(_PHASES):
            net["asymmetric_load"][f"p_{phase}_mw"] = drawn[:, number].real / 1e3
            net["asymmetric_load"][f"q_{phase}_mvar"] = drawn[:, number].imag / 1e3
        if not _runpp_3ph(net):
            break
        u_pu = _voltages(net)
        at = u_pu[loads.bus]
        across = (at - np.roll(at, -1, axis=1)) / np.sqrt(3.0)
        found = np.abs(np.where(loads.delta[:, None], across, at))
        found = np.where(np.isfinite(found), found, 1.0)
        if not dependent or float(np.abs(found - size).max()) <= max(
            _SETTLED_PU, options.tolerance_pu
        ):
            return _found(net, loads, drawn, (u_pu, options.residual_kva + _STOP_KVA))
        size = found
    return _lost(net)


def _runpp_3ph(net: Any) -> bool:
    """Run the power flow; return whether it converged."""
    import pandapower as pp
    from pandapower.auxiliary import LoadflowNotConverged

    try:
        pp.runpp_3ph(
            net, calculate_voltage_angles=True, tolerance_mva=1e-8, max_iteration=_ITERATIONS
        )
    except (LoadflowNotConverged, FloatingPointError, np.linalg.LinAlgError):
        return False
    return True


def _voltages(net: Any) -> ComplexArray:
    table = net["res_bus_3ph"]
    size = np.stack([table[f"vm_{phase}_pu"].to_numpy() for phase in _PHASES], axis=1)
    angle = np.stack([table[f"va_{phase}_degree"].to_numpy() for phase in _PHASES], axis=1)
    return np.asarray(size * np.exp(1j * np.deg2rad(angle)), dtype=np.complex128)


def _currents(net: Any, table: str, ends: tuple[str, str]) -> Currents:
    """Return the currents and powers of a table of branches, (branch, 2, phase)."""
    rows = net[f"res_{table}_3ph"]

    def read(pattern: str) -> FloatArray:
        columns = [
            [rows[pattern.format(phase, end)].to_numpy(dtype=np.float64) for phase in _PHASES]
            for end in ends
        ]
        return np.nan_to_num(np.moveaxis(np.array(columns), 2, 0))

    power = 1e3 * read("p_{}_{}_mw") + 1e3j * read("q_{}_{}_mvar")
    return Currents(read("i_{}_{}_ka"), np.asarray(power, dtype=np.complex128))


def _found(
    net: Any, loads: _Loads, drawn: ComplexArray, solved: tuple[ComplexArray, float]
) -> Found:
    """Return a solved lane, with the power that does not add up at its nodes and may be missing."""
    u_pu, allowed_kva = solved
    line, trafo = _currents(net, "line", ("from", "to")), _currents(net, "trafo", ("hv", "lv"))
    rows = net["res_line_3ph"]
    neutral = np.stack(
        [np.nan_to_num(rows[f"i_n_{end}_ka"].to_numpy()) for end in ("from", "to")], axis=1
    )
    gap = _missing(net, (line, trafo), (loads.bus, drawn, loads.delta), u_pu)
    return Found(
        u_pu=u_pu[None],
        line=Currents(line.size[None], line.s_kva[None]),
        line_neutral_ka=neutral[None],
        transformer=Currents(trafo.size[None], trafo.s_kva[None]),
        transformer3w=np.zeros((1, 0, 3)),
        losses_kw=np.array([line.s_kva.real.sum() + trafo.s_kva.real.sum()]),
        residual_kva=np.array([gap]),
        excess=np.array([gap / allowed_kva]),
        solved=np.ones(1, dtype=bool),
    )


def _missing(
    net: Any,
    branches: tuple[Currents, Currents],
    loads: tuple[IntArray, ComplexArray, BoolArray],
    u_pu: ComplexArray,
) -> float:
    """Return the largest power missing in a phase of a node, from the tables of results alone [kVA]."""
    node, u_rated = bus_nodes(net)
    total = np.zeros((len(u_rated), 3), dtype=np.complex128)
    sides = (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus")))
    for (table, columns), flow in zip(sides, branches, strict=True):
        for end, column in enumerate(columns):
            np.add.at(total, node[bus_place(net, net[table][column])], flow.s_kva[:, end])
    bus, drawn, delta = loads
    u = u_pu[bus]
    # In delta a current runs between two phases and draws power from both.
    current = np.conj(drawn / (u - np.roll(u, -1, axis=1)))
    between = u * np.conj(current - np.roll(current, 1, axis=1))
    np.add.at(total, node[bus], np.where(delta[:, None], between, drawn))
    held = np.full((len(u_rated), 3), np.nan, dtype=np.complex128)
    held[node] = u_pu
    lifted = held - held.mean(axis=1, keepdims=True)
    total += (
        held * np.conj(lifted * shunts(net, node, u_rated)[:, None]) * u_rated[:, None] ** 2 / 3e3
    )
    total[node[bus_place(net, net["ext_grid"]["bus"])]] = 0
    return float(np.nanmax(np.abs(total), initial=0.0))


def _lost(net: Any) -> Found:
    """Return a lane without solution."""
    counts = {table: len(net[table]) for table in ("bus", "line", "trafo")}
    none = np.full(1, np.nan)

    def branches(table: str) -> Currents:
        shape = (1, counts[table], 2, 3)
        return Currents(np.full(shape, np.nan), np.full(shape, np.nan, dtype=np.complex128))

    return Found(
        u_pu=np.full((1, counts["bus"], 3), np.nan, dtype=np.complex128),
        line=branches("line"),
        line_neutral_ka=np.full((1, counts["line"], 2), np.nan),
        transformer=branches("trafo"),
        transformer3w=np.zeros((1, 0, 3)),
        losses_kw=none,
        residual_kva=none,
        excess=none,
        solved=np.zeros(1, dtype=bool),
    )
