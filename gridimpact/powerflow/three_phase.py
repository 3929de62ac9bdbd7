"""Unbalanced power flow in phase coordinates: one factorisation, a fixed point over many lanes at once.

Every lane starts from the network without load and iterates ``Y v = i(v)`` (implicit Z-bus Gauss)
until its own largest voltage step is below the tolerance; then it is frozen. Its bits depend
neither on the other lanes nor on threads or chunks.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np

from gridimpact.powerflow.blocks import as_batch, share_out
from gridimpact.powerflow.engine import FlowOptions, check_injections
from gridimpact.powerflow.three_phase_branches import lay_out
from gridimpact.powerflow.three_phase_factor import Elimination, eliminate
from gridimpact.powerflow.three_phase_layout import (
    Batch,
    Branches,
    Chains,
    Checks,
    Results,
    Rules,
    System,
    Verdicts,
)
from gridimpact.powerflow.three_phase_newton import solve_newton
from gridimpact.powerflow.three_phase_outcome import allocate, conclude, open_verdicts
from gridimpact.powerflow.three_phase_slots import (
    Terminals,
    build_slots,
    drawn_power,
    find_terminals,
    phase_model,
)
from gridimpact.powerflow.volt_var import check_volt_var, volt_var_notes
from gridimpact.powerflow.volt_var_outside import answer_failed
from gridimpact.powerflow.volt_var_response import phase_response
from gridimpact.records import (
    BoolArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
    PhaseModel,
)

NAME = "gridimpact batched fixed point in phase coordinates"

_REMEMBERED = 64
"""Factorisations that are kept."""

_WORTH_A_THREAD = 10_000
"""Blocks times rows that are worth a thread: for fewer it costs more than it brings."""


@dataclass(frozen=True)
class _Prepared:
    """What stays the same between calls on one model with elements at the same nodes."""

    elimination: Elimination
    bus_place: IntArray
    chains: Chains
    branches: Branches
    checks: Checks
    kept_alive: tuple[object, ...]
    """What the key names by identity, so that no other object can take its place."""


_known: OrderedDict[tuple[object, ...], _Prepared] = OrderedDict()
_lock = Lock()


def solve_three_phase(
    grid: Grid, injections: Injections, options: FlowOptions | None = None
) -> FlowResult:
    """Return the unbalanced flow of every lane.

    Parameters
    ----------
    grid : Grid
        With `phase_model`; never written to.
    injections : Injections
        (scenario, time, element); positive draws from the grid. Elements in star draw
        `phase_share` of their power from each phase to neutral, those in delta from ab, bc and ca.
    options : FlowOptions, optional
        Tolerance, threads and what to keep.

    Returns
    -------
    FlowResult
        Voltages of each phase to neutral; loadings of the worst phase at the larger end.

    Raises
    ------
    GridError
        Where the grid has no model in phase coordinates.
    InputError
        Where an injection is not finite or does not fit the grid, or draws unevenly to a neutral
        that no zero-sequence current can reach; every place is named.

    Notes
    -----
    A three-phase element in star where nothing earths the neutral is taken as an equal one in delta,
    and a note says so. Constant-current and constant-impedance shares follow the voltage at their
    own terminals: phase to neutral in star, phase to phase over the square root of three in delta.
    Neutral is solidly earthed everywhere: the neutral current is the sum of the phase currents.
    Lanes that the fixed point does not bring home go to Newton's method, or, where reactive power
    answers to voltage, to `gridimpact.powerflow.volt_var_outside.answer_failed`.
    """
    chosen = options or FlowOptions(phases=3)
    model = phase_model(grid)
    check_injections(grid, injections)
    check_volt_var(injections)
    terminals = find_terminals(grid, injections, model)
    prepared = _prepared(grid, model, terminals.loaded)
    system = _system(injections, model, terminals, prepared)
    batch = as_batch(injections)
    results = allocate(grid, model, len(batch.p), chosen)
    verdicts = open_verdicts(len(batch.p), len(system.response.column))
    base_kva = model.s_base_kva / 3.0
    rules = Rules(
        chosen.tolerance_pu, chosen.max_iterations, chosen.residual_kva / base_kva, base_kva
    )
    _run(batch, system, rules, (results, verdicts), chosen.threads)
    failed = (verdicts.iterations < 0) | ~(verdicts.excess <= 1.0)
    how = _How(grid, model, prepared.elimination, system, rules, chosen)
    answering = len(system.response.column) > 0
    notes = (*model.notes, *terminals.notes, *volt_var_notes(injections))
    if not answering and chosen.newton_iterations:
        home = _rescue(batch, how, (results, verdicts), failed)
        notes += _newton_notes(int(failed.sum()), home)
    found = conclude(NAME, grid, injections, chosen, (results, verdicts, notes))
    if answering and not (system.response.other >= 0).any():
        return answer_failed(_Engine(), grid, injections, chosen, found)
    return found


class _Engine:
    """The same flow as an `Engine`, for what goes around one."""

    name = NAME

    def solve(
        self, grid: Grid, injections: Injections, options: FlowOptions | None = None
    ) -> FlowResult:
        """Return the unbalanced flow of every lane."""
        return solve_three_phase(grid, injections, options)


@dataclass(frozen=True)
class _How:
    """All that solving one lane again needs."""

    grid: Grid
    model: PhaseModel
    elimination: Elimination
    system: System
    rules: Rules
    options: FlowOptions


def _prepared(grid: Grid, model: PhaseModel, loaded: BoolArray) -> _Prepared:
    """Factor the network, or take what is remembered of it; the least used is forgotten first."""
    named = (model, grid.line_i_max_ka, grid.transformer_i_rated_ka, grid.transformer3w_i_rated_ka)
    key = (*map(id, named), loaded.tobytes())
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
            return known
    made = _prepare(grid, model, loaded, named)
    with _lock:
        _known[key] = made
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return made


def _prepare(
    grid: Grid, model: PhaseModel, loaded: BoolArray, named: tuple[object, ...]
) -> _Prepared:
    elimination = eliminate(model, loaded)
    place = elimination.place
    bus_place = np.where(model.bus_node >= 0, place[model.bus_node], -1).astype(np.int64)
    chains, branches, checks = lay_out(grid, model, loaded, place)
    return _Prepared(elimination, bus_place, chains, branches, checks, named)


def _system(
    injections: Injections, model: PhaseModel, terminals: Terminals, prepared: _Prepared
) -> System:
    from gridimpact.powerflow.kernels_three_phase import WIDTH

    place = prepared.elimination.place
    slots, by_element = build_slots(injections, model, terminals, place)
    answering = injections.volt_var
    row_of = np.where(place[:, None] >= 0, 3 * place[:, None] + np.arange(3), -1).ravel()
    slot = None if answering is None else by_element[answering.element]
    response = phase_response(model, injections, row_of, slot, slots.parts, WIDTH)
    return System(
        factors=prepared.elimination.factors,
        slots=slots,
        chains=prepared.chains,
        branches=prepared.branches,
        checks=prepared.checks,
        response=response,
        bus_place=prepared.bus_place,
        start=prepared.elimination.start,
    )


def _run(
    batch: Batch, system: System, rules: Rules, found: tuple[Results, Verdicts], threads: int
) -> None:
    from gridimpact.powerflow.kernels_three_phase import WIDTH
    from gridimpact.powerflow.kernels_three_phase_write import solve_blocks

    blocks = -(-len(batch.p) // WIDTH)

    def solve_share(begin: int, end: int) -> None:
        solve_blocks((begin, end), batch, system, rules, *found)

    share_out(solve_share, blocks, -(-_WORTH_A_THREAD // system.start.shape[1]), threads)


def _rescue(batch: Batch, how: _How, found: tuple[Results, Verdicts], failed: BoolArray) -> int:
    """Solve failed lanes by Newton, one by one; return how many are brought home."""
    home = 0
    for lane in np.flatnonzero(failed):
        start = _newton(batch, how, int(lane))
        if start is None:
            continue
        part = allocate(how.grid, how.model, 1, how.options)
        verdict = open_verdicts(1, found[1].answers.shape[1])
        one = Batch(batch.p[lane : lane + 1], batch.q[lane : lane + 1])
        system = how.system._replace(start=start)
        _run(one, system, how.rules._replace(max_iterations=0), (part, verdict), 1)
        if not verdict.excess[0] <= 1.0:
            continue
        home += 1
        verdict.iterations[0] = 0
        for target, values in zip((*found[0], *found[1]), (*part, *verdict), strict=True):
            if len(target):
                target[lane] = values[0]
    return home


def _newton(batch: Batch, how: _How, lane: int) -> FloatArray | None:
    """Return the voltages of one lane, (2, row), None where Newton fails."""
    system, elimination = how.system, how.elimination
    start = system.start[0] + 1j * system.start[1]
    kept, unknown = 3 * system.factors.kept, 3 * elimination.unknown
    v = solve_newton(
        elimination.reduced,
        system.slots,
        drawn_power(system.slots, batch.p[lane], batch.q[lane]),
        (start[:kept], start[unknown:]),
        (how.options.tolerance_pu, how.options.newton_iterations),
    )
    if v is None:
        return None
    full = np.concatenate([v, start[kept:]])
    return np.stack([full.real, full.imag])


def _newton_notes(failed: int, home: int) -> tuple[Note, ...]:
    if not failed:
        return ()
    text = f"{failed} power flows went to Newton's method, which solved {home}."
    return (Note("info", "power flow", text),)
