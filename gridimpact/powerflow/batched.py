"""The default engine: one factorisation of the network, a fixed-point iteration over many lanes at once.

Every lane starts from the network without load and iterates ``Y v = i(v)`` (implicit Z-bus Gauss)
until its own largest voltage step is below the tolerance; then it is frozen. Its bits depend
neither on the other lanes nor on threads or chunks.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from gridimpact.powerflow.beyond import refuse_beyond
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.layout import Batch, Results, Rules, System
from gridimpact.powerflow.newton import solve_newton
from gridimpact.powerflow.outcome import allocate, conclude
from gridimpact.powerflow.system import (
    Prepared,
    build_system,
    drawn_power,
    loaded_nodes,
    prepare,
)
from gridimpact.records import (
    Admittance,
    BoolArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
)

_REMEMBERED = 64
"""Factorisations an engine keeps."""

_WORTH_A_THREAD = 10_000
"""Blocks times rows below which another thread costs more than it brings."""

_PIECE = 4096
"""Lanes solved before they are narrowed to float32."""


class BatchedEngine:
    """Fixed point over all lanes, Newton for the lanes it does not bring home.

    Notes
    -----
    The balanced single-phase equivalent, as `pandapower.runpp`: constant-power, constant-current
    and constant-impedance loads, any number of sources and islands; no voltage-controlled nodes.
    Loadings are those of lines and two-winding transformers.

    Factorisations are remembered by grid object, so that repeated calls on one grid are cheap.
    """

    name = "gridimpact batched fixed point"

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], tuple[Grid, Prepared]] = {}

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
        check_injections(grid, injections)
        prepared = self._prepared(grid, injections)
        system = build_system(grid, injections, prepared)
        batch = _batch(injections)
        results = allocate(grid, len(batch.p), chosen)
        rules = _rules(grid.admittance, chosen)
        _run(batch, system, rules, results, chosen.threads)
        failed = (results.iterations < 0) | ~(results.excess <= 1.0)
        rescued = _rescue(grid, batch, (system, prepared, rules, chosen), results, failed)
        return conclude(self.name, grid, injections, chosen, (results, _notes(failed, rescued)))

    def _prepared(self, grid: Grid, injections: Injections) -> Prepared:
        loaded = loaded_nodes(grid, injections)
        key = (id(grid), loaded.tobytes())
        known = self._known.get(key)
        # The grid is kept beside its factors, so that its id cannot be taken by another one.
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)), None)
            known = self._known[key] = (grid, prepare(grid, loaded))
        return known[1]


def _batch(injections: Injections) -> Batch:
    scenarios, steps, elements = injections.p_kw.shape
    lanes = []
    for values in (injections.p_kw, injections.q_kvar):
        flat = (
            np.ascontiguousarray(values, dtype=np.float64)
            .reshape(scenarios * steps, elements)
            .view()
        )
        # One array type for the compiled code, whether the caller's array may be written to or not.
        flat.flags.writeable = False
        lanes.append(flat)
    return Batch(lanes[0], lanes[1])


def _rules(admittance: Admittance, options: FlowOptions) -> Rules:
    base = admittance.s_base_kva
    return Rules(options.tolerance_pu, options.max_iterations, options.residual_kva / base, base)


def _cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(batch: Batch, system: System, rules: Rules, results: Results, threads: int) -> None:
    """Solve all lanes; the kernels write float64, which is narrowed piece by piece where asked."""
    if results.losses.dtype == np.float64:
        _share_out(batch, system, rules, results, threads)
        return
    for first in range(0, len(batch.p), _PIECE):
        piece = slice(first, first + _PIECE)
        part = Results._make(values[piece].astype(_wide(values)) for values in results)
        some = Batch(batch.p[piece], batch.q[piece])
        _share_out(some, system, rules, part, threads)
        for target, values in zip(results, part, strict=True):
            if len(target):
                target[piece] = values


def _wide(values: Any) -> Any:
    return np.float64 if values.dtype == np.float32 else values.dtype


def _share_out(batch: Batch, system: System, rules: Rules, results: Results, threads: int) -> None:
    """Share the blocks out evenly; which thread solves a block changes nothing in it."""
    from gridimpact.powerflow.kernels import WIDTH, solve_blocks

    blocks = -(-len(batch.p) // WIDTH)
    worth = blocks * system.start.shape[1] // _WORTH_A_THREAD
    workers = max(1, min(threads or _cores(), worth))
    if workers == 1:
        solve_blocks(0, 1, batch, system, rules, results)
        return
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(solve_blocks, first, workers, batch, system, rules, results)
            for first in range(workers)
        ]
        for job in jobs:
            job.result()


def _rescue(
    grid: Grid,
    batch: Batch,
    how: tuple[System, Prepared, Rules, FlowOptions],
    results: Results,
    failed: BoolArray,
) -> IntArray:
    """Solve failed lanes by Newton, one by one; return those brought home."""
    system, _, rules, options = how
    lanes = np.flatnonzero(failed) if options.newton_iterations else np.zeros(0, dtype=np.int64)
    home = []
    for lane in lanes:
        v = _newton(grid, batch, how, int(lane))
        if v is None:
            continue
        part = allocate(grid, 1, options)
        one = Batch(batch.p[lane : lane + 1], batch.q[lane : lane + 1])
        _run(one, system._replace(start=v), rules._replace(max_iterations=0), part, 1)
        for target, values in zip(results, part, strict=True):
            if len(target):
                target[lane] = values[0]
        if part.excess[0] <= 1.0:
            home.append(int(lane))
    return np.array(home, dtype=np.int64)


def _newton(
    grid: Grid, batch: Batch, how: tuple[System, Prepared, Rules, FlowOptions], lane: int
) -> FloatArray | None:
    """Return the voltages of one lane, (2, row), None where Newton fails."""
    system, prepared, _, options = how
    unknown, start = system.unknown, system.start[0] + 1j * system.start[1]
    drawn = drawn_power(system.loads, batch.p[lane], batch.q[lane], unknown)
    begin = start[:unknown] if np.isfinite(start).all() else np.ones(unknown, dtype=np.complex128)
    v = solve_newton(
        grid.admittance,
        prepared.elimination.node[:unknown],
        drawn,
        begin,
        (options.tolerance_pu, options.newton_iterations),
    )
    if v is None:
        return None
    full = np.concatenate([v, start[unknown:]])
    return np.stack([full.real, full.imag])


def _notes(failed: BoolArray, rescued: IntArray) -> tuple[Note, ...]:
    if not failed.any():
        return ()
    text = f"{int(failed.sum())} power flows went to Newton's method, which solved {len(rescued)}."
    return (Note("info", "power flow", text),)
