"""Give transformers a tap changer that holds a voltage, with the two-port of every position.

The positions come from pandapower's own conversion of the transformer. How a power flow moves the
taps lives in `gridimpact.powerflow.tap_control`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.admittance import branch_two_ports
from gridimpact.network.check_tap_control import Setting, check_settings
from gridimpact.records import (
    Admittance,
    ComplexArray,
    FloatArray,
    Grid,
    IntArray,
    Network,
    Note,
    TapControl,
)

_REACH = 0.05
"""Least part of a tap step that must arrive at a bus for it to be held."""


def with_tap_control(
    network: Network,
    transformer_index: int,
    *,
    vm_set_pu: float,
    deadband_pu: float,
    bus: int | None = None,
    side: str = "lv",
    line_drop: tuple[float, float] | None = None,
) -> Network:
    """Return the network with a transformer whose tap changer holds a voltage at every step.

    Parameters
    ----------
    network : Network
        Never written to.
    transformer_index : int
        Row of the net's table ``trafo``; its ``tap_min``, ``tap_max`` and step count, and its
        ``tap_pos`` is where every step begins.
    vm_set_pu : float
        Middle of the band, 0.8 to 1.2 [pu of the bus].
    deadband_pu : float
        Whole width of the band [pu]: the voltage is held within half of it above and below.
    bus : int, optional
        Index of the bus held; by default the transformer's own on `side`.
    side : str
        "lv" or "hv".
    line_drop : tuple of float, optional
        Resistance and reactance [ohm at the low-voltage side] from the transformer to the point
        whose voltage is held.

    Raises
    ------
    GridError
        With everything wrong: no such transformer, no tap changer, a bus that the taps do not
        reach, values outside their range.

    Notes
    -----
    The voltage held with line-drop compensation is ``|v - (r + j x) i|``, with ``v`` at the
    low-voltage terminals and ``i`` the current out of them: power flowing back raises the voltage
    seen. Source: W. H. Kersting, Distribution System Modeling and Analysis, the section on the
    line drop compensator.

    Examples
    --------
    >>> from gridimpact.network import open_network
    >>> town = with_tap_control(open_network("kerber_village"), 0, vm_set_pu=1.02, deadband_pu=0.03)
    >>> control = town.grid.tap_controls[0]
    >>> control.tap_pos[[0, -1]].tolist(), round(control.vm_low_pu, 3)
    ([-2, 2], 1.005)
    """
    settings: dict[str, Any] = {"vm_set_pu": vm_set_pu, "deadband_pu": deadband_pu, "side": side}
    if bus is not None:
        settings["bus"] = bus
    if line_drop is not None:
        settings["line_drop"] = line_drop
    return with_tap_controls(network, {transformer_index: settings})


def with_tap_controls(network: Network, settings: Mapping[int, Mapping[str, Any]]) -> Network:
    """Return the network with several tap changers under load.

    Parameters
    ----------
    network : Network
        Never written to.
    settings : mapping
        By row of the net's table ``trafo`` the arguments of `with_tap_control`, as a study file
        gives them.

    Raises
    ------
    GridError
        With everything wrong in every setting.
    """
    problems, ready = check_settings(network, settings)
    controls, notes = list(network.grid.tap_controls), list(network.notes)
    for setting in ready:
        control = _control(network, setting)
        found, more = _reach(network.grid, control, setting)
        problems += found
        notes += more
        controls.append(control)
    raise_problems(problems, "tap_control", GridError)
    ordered = tuple(sorted(controls, key=lambda control: control.transformer))
    grid = replace(network.grid, tap_controls=ordered)
    return replace(network, grid=grid, notes=tuple(dict.fromkeys(notes)))


def _control(network: Network, setting: Setting) -> TapControl:
    """Return the record of one checked setting."""
    net, grid, place = network.net, network.grid, setting.transformer
    half = setting.deadband_pu / 2
    two_port = _two_ports(net, grid, place, setting.tap_pos)
    control = TapControl(
        transformer=place,
        bus=setting.bus,
        vm_low_pu=setting.vm_set_pu - half,
        vm_high_pu=setting.vm_set_pu + half,
        tap_pos=setting.tap_pos,
        start=setting.start,
        two_port=two_port,
        drop_r_pu=setting.drop_pu[0],
        drop_x_pu=setting.drop_pu[1],
    )
    if grid.phase_model is None:
        return control
    from gridimpact.network.phase_transformer import transformer_six_port

    six_port = transformer_six_port(net, grid, place, setting.tap_pos, two_port)
    return replace(control, six_port=six_port)


def _two_ports(net: Any, grid: Grid, place: int, tap_pos: IntArray) -> ComplexArray:
    """Return the transformer's two-port at every position, (position, 4), by pandapower's conversion."""
    import pandapower as pp

    branch = grid.transformer_branch[place]
    ends = (grid.admittance.branch_from[branch], grid.admittance.branch_to[branch])
    small = pp.create_empty_network(sn_mva=float(net.sn_mva), f_hz=float(net.f_hz))
    high, low = (pp.create_bus(small, float(grid.admittance.node_vn_kv[end])) for end in ends)
    pp.create_ext_grid(small, high)
    rows = net["trafo"].iloc[np.full(len(tap_pos), place)].reset_index(drop=True)
    rows["tap_pos"] = tap_pos.astype(np.float64)
    rows["hv_bus"], rows["lv_bus"] = np.uint32(high), np.uint32(low)
    small["trafo"] = rows
    return branch_two_ports(small)


def _reach(grid: Grid, control: TapControl, setting: Setting) -> tuple[list[Problem], list[Note]]:
    """Return the problem of a bus the taps do not reach, and the note on a band below a step."""
    step = tap_steps(replace(grid, tap_controls=(control,)))[0, 0]
    own = _own_steps(control)
    if not abs(step) > _REACH * own:
        what = (
            f"bus {grid.bus_index[control.bus]} is not behind transformer "
            f"{grid.transformer_index[control.transformer]}: a tap step moves it by {abs(step):.2g} pu"
        )
        remedy = "hold a bus that this transformer feeds"
        return [Problem(f"{setting.where}, bus", what, remedy)], []
    if setting.deadband_pu >= abs(step):
        return [], []
    text = (
        f"band of {setting.deadband_pu:g} pu is narrower than a tap step of {abs(step):.4f} pu: "
        "where no position falls within, the nearer to the set-point is taken"
    )
    return [], [Note("warning", f"{setting.where}, deadband_pu", text)]


def _own_steps(control: TapControl) -> float:
    """Return the mean change of the transformer's ratio from one position to the next [pu]."""
    ratio = np.abs(control.two_port[:, 2] / control.two_port[:, 3])
    return float(np.abs(np.diff(ratio)).mean())


def grid_at_taps(grid: Grid, index: tuple[int, ...]) -> Grid:
    """Return a grid whose controlled transformers stand at given positions and stay there.

    Parameters
    ----------
    grid : Grid
        Never written to.
    index : tuple of int
        For each of its `tap_controls` an index into `TapControl.tap_pos`.

    Raises
    ------
    GridError
        If the grid has a phase model and a control no six-ports: give the tap control before the
        phase model is asked for, or again after it.
    """
    from scipy.sparse import coo_array

    old = grid.admittance
    ports = {name: getattr(old, name).copy() for name in ("y_ff", "y_ft", "y_tf", "y_tt")}
    rows, columns, values = list[int](), list[int](), list[complex]()
    for control, k in zip(grid.tap_controls, index, strict=True):
        branch = int(grid.transformer_branch[control.transformer])
        f, t = int(old.branch_from[branch]), int(old.branch_to[branch])
        spots = ((f, f), (f, t), (t, f), (t, t))
        for (row, column), name, value in zip(spots, ports, control.two_port[k], strict=True):
            rows.append(row)
            columns.append(column)
            values.append(value - ports[name][branch])
            ports[name][branch] = value
    change = coo_array((values, (rows, columns)), shape=old.y_bus.shape)
    moved = replace(old, y_bus=(old.y_bus + change).tocsc(), **ports)
    return replace(grid, admittance=moved, phase_model=_phases_at(grid, index), tap_controls=())


def _phases_at(grid: Grid, index: tuple[int, ...]) -> Any:
    """Return the phase model with the six-ports of given positions, None without one."""
    model = grid.phase_model
    if model is None:
        return None
    y = model.y.copy()
    for control, k in zip(grid.tap_controls, index, strict=True):
        if control.six_port is None:
            message = "tap_control: a control was given without three phases; give it again after with_phases"
            raise GridError(message)
        y[model.transformer_branch[control.transformer]] = control.six_port[k]
    return replace(model, y=y)


def tap_steps(grid: Grid) -> FloatArray:
    """Return what one step up of each tap changer does to each held voltage without load [pu].

    Parameters
    ----------
    grid : Grid
        With `tap_controls`.

    Returns
    -------
    ndarray, shape (control moved, control whose bus is seen)
        Signed; from the start position to the next, or from the one before where there is no next.
    """
    start = tuple(control.start for control in grid.tap_controls)
    node = grid.bus_node[[control.bus for control in grid.tap_controls]]
    base = _no_load_vm(grid_at_taps(grid, start).admittance)[node]
    steps = np.zeros((len(start), len(start)))
    for moved, control in enumerate(grid.tap_controls):
        way = 1 if control.start + 1 < len(control.tap_pos) else -1
        there = (*start[:moved], control.start + way, *start[moved + 1 :])
        changed = _no_load_vm(grid_at_taps(grid, there).admittance)[node]
        steps[moved] = way * (changed - base)
    return steps


def _no_load_vm(admittance: Admittance) -> FloatArray:
    """Return the voltage of every node with nothing connected [pu]."""
    from scipy.sparse.linalg import splu

    count = len(admittance.node_vn_kv)
    source = np.zeros(count, dtype=bool)
    source[admittance.slack_node] = True
    inner = np.flatnonzero(~source)
    vm_pu = np.empty(count)
    vm_pu[admittance.slack_node] = np.abs(admittance.slack_vm_pu)
    if len(inner):
        matrix = admittance.y_bus.tocsr()[inner]
        feed = -np.asarray(matrix[:, admittance.slack_node] @ admittance.slack_vm_pu).ravel()
        vm_pu[inner] = np.abs(splu(matrix[:, inner].tocsc()).solve(feed))
    return vm_pu
