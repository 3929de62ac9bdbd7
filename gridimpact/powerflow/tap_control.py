"""Tap changers under load, moved lane by lane until each holds its voltage or stands at its end.

Every lane starts at the positions the network gives and depends on itself alone. Lanes at the same
positions are solved together on one factorisation.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from gridimpact.network.tap_control import grid_at_taps, tap_steps
from gridimpact.powerflow.engine import Engine, FlowOptions, check_injections
from gridimpact.powerflow.tap_lanes import held_arrays, held_voltage, join, pick
from gridimpact.powerflow.tap_rule import Taps, move_taps, start_taps
from gridimpact.records import FloatArray, FlowResult, Grid, Injections, IntArray, Note

_REMEMBERED = 64
"""Combinations of positions an engine keeps."""

_VALUES = 20_000_000
"""Voltages held in memory while the positions of some lanes are sought."""


@dataclass(frozen=True)
class _Plan:
    """What the search needs to know of the controls, worked out once for a grid."""

    effect: FloatArray
    """(control,) change of the held voltage by one position up, without load [pu]."""
    level: IntArray
    """(control,) 0 for those nearest to the source; an upstream control settles first."""


_Kept = OrderedDict[tuple[int, tuple[int, ...]], tuple[Grid, Engine, Grid]]
_POSITIONS: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_PLANS: OrderedDict[int, tuple[Grid, _Plan]] = OrderedDict()


def solve_with_taps(
    engine: Engine, grid: Grid, injections: Injections, options: FlowOptions
) -> FlowResult:
    """Return the flow of every lane with the tap changers of the grid at work.

    Parameters
    ----------
    engine : Engine
        Solves the grid at fixed positions; with a method ``at_taps`` it is asked for the engine of
        a position, else it solves the grid with the two-ports of that position.
    grid : Grid
        With `tap_controls`; never written to.
    injections : Injections
    options : FlowOptions

    Returns
    -------
    FlowResult
        With `tap_pos`; NaN where a lane failed.

    Raises
    ------
    InputError
        As `Engine.solve`.

    Notes
    -----
    In each round the controls nearest to the source that lie outside their band move by a step; a
    control far from its band moves by several, fewer than would bring it home, and a move that
    went too far is taken back and done one by one. So the position is the first within the band
    on the way from the start. A control that would turn back, because its band is narrower than
    a step, takes the position nearer to the middle of the band. In three phases the mean of the
    phase-to-neutral voltages is held. A lane without solution at a position stays there and fails.
    """
    check_injections(grid, injections)
    plan = _plan(grid)
    shape = injections.p_kw.shape
    lanes = shape[0] * shape[1]
    taps = start_taps(grid.tap_controls, lanes)
    piece_lanes = max(256, _VALUES // (len(grid.bus_index) * options.phases))
    for first in range(0, lanes, piece_lanes):
        piece = np.arange(first, min(first + piece_lanes, lanes))
        _seek(engine, grid, injections, options, (plan, taps, piece))
    parts = []
    for index, group in _groups(taps.index, np.arange(lanes)):
        there, fixed = _at(engine, grid, index)
        parts.append((group, there.solve(fixed, pick(injections, group), options)))
    flow = join(parts, injections, options)
    return replace(
        flow,
        tap_pos=_positions(grid, taps.index, flow),
        notes=flow.notes + _notes(grid, taps),
    )


def _plan(grid: Grid) -> _Plan:
    """Return effect and order of the controls of a grid."""
    known = _PLANS.get(id(grid))
    if known is None:
        steps = tap_steps(grid)
        own = np.abs(np.diag(steps))
        # A control is upstream of another whose bus it moves, while that one hardly moves its own.
        felt = np.abs(steps) > 0.5 * own[:, None]
        upstream = felt & ~felt.T
        np.fill_diagonal(upstream, False)
        level = np.zeros(len(own), dtype=np.int64)
        for _ in own:
            below = np.where(upstream, level[:, None] + 1, 0).max(axis=0, initial=0)
            level = np.minimum(below, len(own))
        if len(_PLANS) >= _REMEMBERED:
            _PLANS.popitem(last=False)
        known = _PLANS[id(grid)] = (grid, _Plan(np.diag(steps).copy(), level))
    return known[1]


def _at(engine: Engine, grid: Grid, index: tuple[int, ...]) -> tuple[Engine, Grid]:
    """Return the engine and the grid of given positions, remembered."""
    kept = _POSITIONS.setdefault(engine, OrderedDict())
    key = (id(grid), index)
    if key in kept:
        kept.move_to_end(key)
    else:
        if len(kept) >= _REMEMBERED:
            kept.popitem(last=False)
        moved = getattr(engine, "at_taps", None)
        if moved is None:
            kept[key] = (grid, engine, grid_at_taps(grid, index))
        else:
            positions = {
                control.transformer: int(control.tap_pos[k])
                for control, k in zip(grid.tap_controls, index, strict=True)
            }
            kept[key] = (grid, moved(positions), grid_at_taps(grid, index))
    return kept[key][1:]


def _groups(index: IntArray, lanes: IntArray) -> list[tuple[tuple[int, ...], IntArray]]:
    """Return the lanes of each combination of positions, in the order of the positions."""
    rows = index[lanes]
    # One number for each combination sorts far faster than rows do.
    sizes = rows.max(axis=0) + 1
    if float(np.prod(sizes, dtype=np.float64)) < 2.0**62:
        code = np.ravel_multi_index(tuple(rows.T), tuple(sizes.tolist()))
    else:
        _, code = np.unique(rows, axis=0, return_inverse=True)
        code = code.ravel()
    order = np.argsort(code, kind="stable")
    cuts = np.flatnonzero(np.diff(code[order])) + 1
    return [(tuple(rows[part[0]].tolist()), lanes[part]) for part in np.split(order, cuts)]


def _seek(
    engine: Engine,
    grid: Grid,
    injections: Injections,
    options: FlowOptions,
    state: tuple[_Plan, Taps, IntArray],
) -> None:
    """Move the taps of some lanes until they rest."""
    plan, taps, lanes = state
    asked = replace(
        options, keep=held_arrays(grid, options), storage="float64", vm_plausible_pu=(0.0, 1e3)
    )
    while len(lanes):
        held = np.empty((len(lanes), len(grid.tap_controls)))
        for index, group in _groups(taps.index, lanes):
            there, fixed = _at(engine, grid, index)
            flow = there.solve(fixed, pick(injections, group), asked)
            held[np.searchsorted(lanes, group)] = held_voltage(grid, fixed, flow)
        moved = move_taps(grid.tap_controls, (plan.effect, plan.level), taps, lanes, held)
        lanes = lanes[moved]


def _positions(grid: Grid, index: IntArray, flow: FlowResult) -> FloatArray:
    """Return the tap positions, (scenario, time, control), NaN where a lane failed."""
    found = np.stack(
        [control.tap_pos[index[:, k]] for k, control in enumerate(grid.tap_controls)], axis=1
    ).astype(np.float64)
    shaped = found.reshape(*flow.status.shape, -1)
    shaped[~np.isfinite(flow.residual_kva)] = np.nan
    return shaped


def _notes(grid: Grid, taps: Taps) -> tuple[Note, ...]:
    """Say where a control stands between two positions or at the end of its range."""
    notes = []
    for k, control in enumerate(grid.tap_controls):
        name = grid.transformer_name[control.transformer]
        where = f"tap control of {name}"
        for mask, text in (
            (
                taps.settled,
                "no tap position falls within the band; the nearest to its middle is taken",
            ),
            (
                taps.at_end,
                "the tap changer stands at the end of its range and cannot hold its band",
            ),
        ):
            count = int(mask[:, k].sum())
            if count:
                notes.append(
                    Note("warning", where, f"in {count} of {len(mask)} power flows {text}")
                )
    return tuple(notes)
