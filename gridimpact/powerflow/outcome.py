"""From the raw arrays of an engine to a result: status of every lane, NaN where it failed."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.conventions import Status
from gridimpact.powerflow.engine import (
    KEPT,
    FlowOptions,
    balanced_notes,
    unserved_power_kw,
)
from gridimpact.powerflow.layout import Results
from gridimpact.records import BoolArray, FlowResult, Grid, Injections, IntArray, Note


def allocate(grid: Grid, lanes: int, options: FlowOptions) -> Results:
    """Return result arrays for some lanes; arrays not wanted have no rows."""
    sizes = {
        "vm_pu": len(grid.bus_index),
        "line_loading_percent": len(grid.line_index),
        "transformer_loading_percent": len(grid.transformer_index),
        "transformer_p_kw": len(grid.transformer_index),
        "transformer_q_kvar": len(grid.transformer_index),
    }
    wide = [
        np.full((lanes if name in options.keep else 0, size), np.nan, dtype=options.storage)
        for name, size in sizes.items()
    ]
    for values in wide[1:2]:
        values[:] = _idle(grid, grid.line_branch, grid.line_from, grid.line_to)
    for values in wide[2:]:
        values[:] = _idle(grid, grid.transformer_branch, grid.transformer_hv, grid.transformer_lv)
    losses = np.full(lanes if "losses_kw" in options.keep else 0, np.nan, dtype=options.storage)
    checks = [np.full(lanes, np.nan) for _ in range(4)]
    taken = np.full(lanes, -1, dtype=np.int64)
    return Results._make([*wide, losses, *checks, taken])


def _idle(grid: Grid, branch: IntArray, first: IntArray, second: IntArray) -> Any:
    """Return 0 where a branch is switched off between supplied buses, NaN elsewhere."""
    off = (branch < 0) & grid.bus_supplied[first] & grid.bus_supplied[second]
    return np.where(off, 0.0, np.nan)


def conclude(
    name: str,
    grid: Grid,
    injections: Injections,
    options: FlowOptions,
    found: tuple[Results, tuple[Note, ...]],
) -> FlowResult:
    """Judge every lane and return the result.

    A lane is not converged where its iteration or its power balance failed; implausible where a
    voltage lies outside the range of the options; unsupplied where it is solved but something
    draws at a bus without supply. Lanes of the first two kinds are NaN.
    """
    results, notes = found
    unserved = unserved_power_kw(grid, injections)
    solved = (results.iterations >= 0) & (results.excess <= 1.0)
    low, high = options.vm_plausible_pu
    plausible = (results.vm_low >= low) & (results.vm_high <= high)
    status = np.select(
        [~solved, ~plausible, unserved.ravel() > 0],
        [Status.NOT_CONVERGED, Status.IMPLAUSIBLE, Status.UNSUPPLIED],
        default=Status.OK,
    ).astype(np.int8)
    failed = ~(solved & plausible)
    shape = injections.p_kw.shape[:2]
    arrays = _shaped(results, failed, shape)
    return FlowResult(
        engine=name,
        **arrays,
        status=status.reshape(shape),
        residual_kva=np.where(failed, np.nan, results.residual).reshape(shape),
        unserved_kwh=float(unserved.sum() * injections.timeline.dt_h),
        options=options.as_mapping(),
        notes=notes + _status_notes(status, unserved) + balanced_notes(injections),
    )


def _shaped(results: Results, failed: BoolArray, shape: tuple[int, int]) -> dict[str, Any]:
    arrays = {}
    lost = np.flatnonzero(failed)
    for name, values in zip(KEPT, results[: len(KEPT)], strict=True):
        if not len(values) and len(failed):
            arrays[name] = np.empty((*shape, 0), dtype=values.dtype)
            continue
        if len(lost):
            values[lost] = np.nan
        arrays[name] = values.reshape(*shape, *values.shape[1:])
    return arrays


def _status_notes(status: Any, unserved: Any) -> tuple[Note, ...]:
    texts = {
        Status.NOT_CONVERGED: "of {} power flows have no solution that could be found; they are NaN.",
        Status.IMPLAUSIBLE: "of {} power flows have an implausible voltage; they are NaN.",
    }
    notes = []
    for code, text in texts.items():
        count = int((status == code).sum())
        if count:
            notes.append(Note("warning", "power flow", f"{count} " + text.format(status.size)))
    if (unserved > 0).any():
        text = f"{int((unserved > 0).sum())} power flows leave demand at buses without supply."
        notes.append(Note("warning", "power flow", text))
    return tuple(notes)
