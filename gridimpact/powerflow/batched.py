"""The default engine: one factorisation of the network, a fixed-point iteration over many lanes at once.

Every lane starts from the network without load and iterates ``Y v = i(v)`` (implicit Z-bus Gauss)
until its own largest voltage step, or the next one as the last two foretell it, is below the
tolerance; then it is frozen. Its bits depend neither on the other lanes nor on threads or chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridimpact.powerflow.beyond import refuse_beyond
from gridimpact.powerflow.blocks import as_batch, frozen, share_out
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.layout import WIDTH, Batch, Results, Rules, System
from gridimpact.powerflow.newton import Newton
from gridimpact.powerflow.outcome import allocate, conclude
from gridimpact.powerflow.system import (
    Prepared,
    build_system,
    drawn_power,
    loaded_nodes,
    prepare,
)
from gridimpact.powerflow.volt_var import check_volt_var, volt_var_notes
from gridimpact.records import (
    Admittance,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
)

if TYPE_CHECKING:
    from gridimpact.powerflow.kernels_response import Response

_REMEMBERED = 64
"""Factorisations an engine keeps."""

_WORTH_A_THREAD = 1_500
"""Blocks times rows that are worth a thread: for fewer it costs more than it brings."""


class BatchedEngine:
    """Fixed point over all lanes, Newton for the lanes it does not bring home.

    Notes
    -----
    The balanced single-phase equivalent, as `pandapower.runpp`: constant-power, constant-current
    and constant-impedance loads, reactive power that answers to voltage, any number of sources and
    islands; no voltage-controlled nodes.

    Factorisations are remembered by grid object, so that repeated calls on one grid are cheap.
    """

    name = "gridimpact batched fixed point"

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes, bool], tuple[Grid, Prepared]] = {}

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the flow of every lane; see `gridimpact.powerflow.engine.Engine`."""
        chosen = options or FlowOptions()
        refuse_beyond(grid)
        if grid.tap_controls:
            from gridimpact.powerflow.tap_control import solve_with_taps

            return solve_with_taps(self, grid, injections, chosen)
        if chosen.phases == 3:
            from gridimpact.powerflow.three_phase import solve_three_phase

            return solve_three_phase(grid, injections, chosen)
        # The compiler is imported with the first flow, not with the package.
        from gridimpact.powerflow.volt_var_outside import answer_failed
        from gridimpact.powerflow.volt_var_response import balanced_response

        answering = len(injections.volt_var.element) if injections.volt_var is not None else 0
        # A power that is not finite shows when elements are summed: no need to read them twice.
        check_injections(grid, injections, power=answering > 0)
        check_volt_var(injections)
        prepared = self._prepared(grid, injections, relative=not answering)
        system = build_system(grid, injections, prepared)
        response = balanced_response(grid, injections, prepared.bus_row, system.loads.parts, WIDTH)
        task = _Task(as_batch(injections), system, response, _rules(grid.admittance, chosen))
        results = allocate(grid, len(task.batch.p), chosen, answering, prepared.branches)
        if not _run(task, results, chosen.threads):
            check_injections(grid, injections)
        failed = (results.iterations < 0) | ~(results.excess <= 1.0)
        notes = volt_var_notes(injections)
        if not answering:
            notes += _rescue(grid, task, (prepared, chosen), results, np.flatnonzero(failed))
        found = conclude(self.name, grid, injections, chosen, (results, notes))
        return answer_failed(self, grid, injections, chosen, found) if answering else found

    def _prepared(self, grid: Grid, injections: Injections, *, relative: bool) -> Prepared:
        loaded = loaded_nodes(grid, injections)
        key = (id(grid), loaded.tobytes(), relative)
        known = self._known.get(key)
        # The grid is kept beside its factors, so that its id cannot be taken by another one.
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)), None)
            known = self._known[key] = (grid, prepare(grid, loaded, relative=relative))
        return known[1]


class _Task(NamedTuple):
    """What the compiled kernels are given, beside where to write."""

    batch: Batch
    system: System
    response: Response
    rules: Rules


def _rules(admittance: Admittance, options: FlowOptions) -> Rules:
    base = admittance.s_base_kva
    return Rules(options.tolerance_pu, options.max_iterations, options.residual_kva / base, base)


def _run(task: _Task, results: Results, threads: int) -> bool:
    """Solve all lanes; return whether all power is finite."""
    from gridimpact.powerflow.kernels import solve_blocks

    blocks = -(-len(task.batch.p) // WIDTH)

    sound: list[bool] = []

    def solve_share(begin: int, end: int) -> None:
        sound.append(solve_blocks((begin, end), *task, results))

    share_out(solve_share, blocks, -(-_WORTH_A_THREAD // task.system.start.shape[2]), threads)
    return all(sound)


def _rescue(
    grid: Grid, task: _Task, how: tuple[Prepared, FlowOptions], results: Results, lanes: IntArray
) -> tuple[Note, ...]:
    """Solve failed lanes by Newton and write those that come home; say how many did."""
    prepared, options = how
    if not len(lanes) or not options.newton_iterations:
        return ()
    voltages = _newton(grid, task, how, lanes)
    home = np.flatnonzero(np.isfinite(voltages).all(axis=(1, 2)))
    solved = 0
    if len(home):
        part = allocate(grid, len(home), options, 0, prepared.branches)
        taken = np.ascontiguousarray(lanes[home])
        batch = Batch(*(frozen(values[taken]) for values in task.batch))
        again = _Task(
            batch,
            task.system._replace(start=voltages[home]),
            task.response,
            task.rules._replace(max_iterations=0),
        )
        _run(again, part, options.threads)
        part.iterations[:] = 0
        for target, values in zip(results, part, strict=True):
            if len(target):
                target[taken] = values
        solved = int((part.excess <= 1.0).sum())
    text = f"{len(lanes)} power flows went to Newton's method, which solved {solved}."
    return (Note("info", "power flow", text),)


def _newton(
    grid: Grid, task: _Task, how: tuple[Prepared, FlowOptions], lanes: IntArray
) -> FloatArray:
    """Return the voltages of lanes in the units of the rows, (lane, 2, row), NaN where Newton fails."""
    system, (prepared, options) = task.system, how
    unknown, unit = system.unknown, prepared.elimination.voltage
    start = system.start[0, 0] + 1j * system.start[0, 1]
    begin = (start * unit)[:unknown]
    if not np.isfinite(begin).all():
        begin = np.ones(unknown, dtype=np.complex128)
    newton = Newton(grid.admittance, prepared.elimination.node[:unknown])
    limits = (options.tolerance_pu, options.newton_iterations)
    voltages = np.full((len(lanes), 2, len(start)), np.nan)
    for number, lane in enumerate(lanes):
        drawn = drawn_power(system.loads, task.batch.p[lane], task.batch.q[lane], unknown)
        v = newton.solve(drawn, begin, limits)
        if v is not None:
            full = np.concatenate([v / unit[:unknown], start[unknown:]])
            voltages[number] = full.real, full.imag
    return voltages
