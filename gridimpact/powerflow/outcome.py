"""From the raw arrays of an engine to a result: status of every lane, NaN where it failed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.conventions import Status
from gridimpact.powerflow.engine import (
    KEPT,
    FlowOptions,
    balanced_notes,
    unserved_power_kw,
)
from gridimpact.powerflow.layout import Branches, Results
from gridimpact.powerflow.memory import empty
from gridimpact.records import (
    BoolArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
)

_FILLED = (*KEPT, "line_i_ka", "transformer3w_loading_percent", "volt_var_q_kvar")
"""Fields of a result in the order of `Results`."""


def allocate(
    grid: Grid,
    lanes: int,
    options: FlowOptions,
    answering: int = 0,
    written: Branches | None = None,
) -> Results:
    """Return result arrays for some lanes; arrays not wanted have no rows.

    Parameters
    ----------
    grid : Grid
        Never written to.
    lanes : int
        Lanes to hold.
    options : FlowOptions
        What is wanted, and how it is stored.
    answering : int
        Elements whose reactive power answers to voltage.
    written : Branches, optional
        Whoever fills the arrays writes every lane of these branches and every bus, so that only
        the others need a value. Left out, all begin as NaN, 0 where switched off.
    """

    def wide(name: str, idle: FloatArray, kinds: tuple[int, ...] = ()) -> Any:
        size = (lanes if name in options.keep else 0, len(idle))
        if not size[0]:
            return np.empty(size, dtype=options.storage)
        if written is None:
            return np.broadcast_to(idle, size).astype(options.storage)
        values = empty(size, options.storage)
        left = np.ones(len(idle), dtype=bool)
        for kind in kinds:
            left[written.place[written.kind == kind]] = False
        if kinds and left.any():
            values[:, left] = idle[left]
        return values

    line = idle_values(grid, grid.line_branch, grid.line_from, grid.line_to)
    trafo = idle_values(grid, grid.transformer_branch, grid.transformer_hv, grid.transformer_lv)

    def column(wanted: bool, kind: str) -> Any:
        return np.full(lanes if wanted else 0, np.nan, dtype=kind)

    return Results(
        vm=wide("vm_pu", np.full(len(grid.bus_index), np.nan)),
        line=wide("line_loading_percent", line, (1,)),
        transformer=wide("transformer_loading_percent", trafo, (2,)),
        transformer_p=wide("transformer_p_kw", trafo, (2,)),
        transformer_q=wide("transformer_q_kvar", trafo, (2,)),
        losses=column("losses_kw" in options.keep, options.storage),
        line_i=wide("line_i_ka", line, (1,)),
        transformer3w=wide(
            "transformer3w_loading_percent", np.full(len(grid.transformer3w_index), np.nan), (3,)
        ),
        answer=np.zeros((lanes if answering else 0, answering), dtype=options.storage),
        residual=column(True, "float64"),
        excess=column(True, "float64"),
        vm_low=column(True, "float64"),
        vm_high=column(True, "float64"),
        iterations=np.full(lanes, -1, dtype=np.int64),
    )


def idle_values(grid: Grid, branch: IntArray, first: IntArray, second: IntArray) -> FloatArray:
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
    status, failed = judge(solved, plausible, unserved)
    residual = np.where(failed, np.nan, results.residual) if failed.any() else results.residual
    shape = injections.p_kw.shape[:2]
    arrays = _shaped(results, failed, shape)
    return FlowResult(
        engine=name,
        **arrays,
        status=status.reshape(shape),
        residual_kva=residual.reshape(shape),
        unserved_kwh=float(unserved.sum() * injections.timeline.dt_h),
        options=options.as_mapping(),
        notes=notes + status_notes(status, unserved) + balanced_notes(injections),
    )


def _shaped(results: Results, failed: BoolArray, shape: tuple[int, int]) -> dict[str, Any]:
    arrays = {}
    lost = np.flatnonzero(failed)
    for name, values in zip(_FILLED, results[: len(_FILLED)], strict=True):
        if not len(values) and len(failed):
            arrays[name] = np.empty((*shape, 0), dtype=values.dtype)
            continue
        if len(lost):
            values[lost] = np.nan
        arrays[name] = values.reshape(*shape, *values.shape[1:])
    return arrays


def judge(
    solved: BoolArray, plausible: BoolArray, unserved_kw: FloatArray
) -> tuple[NDArray[np.int8], BoolArray]:
    """Return the status of every lane and which lanes are NaN.

    Parameters
    ----------
    solved, plausible : numpy.ndarray
        (lane,)
    unserved_kw : numpy.ndarray
        (scenario, time) power drawn at buses without supply [kW].
    """
    status = np.full(len(solved), Status.OK, dtype=np.int8)
    status[unserved_kw.ravel() > 0] = Status.UNSUPPLIED
    status[~plausible] = Status.IMPLAUSIBLE
    status[~solved] = Status.NOT_CONVERGED
    return status, ~(solved & plausible)


def status_notes(status: NDArray[np.int8], unserved_kw: FloatArray) -> tuple[Note, ...]:
    """Say how many lanes failed and why, and how many leave demand without supply."""
    if not status.any():
        return ()
    counts = (
        (Status.NOT_CONVERGED, "have no solution that could be found; they are NaN."),
        (Status.IMPLAUSIBLE, "have an implausible voltage; they are NaN."),
    )
    found = [(int((status == code).sum()), text) for code, text in counts]
    texts = [f"{count} of {status.size} power flows {text}" for count, text in found if count]
    dark = int((unserved_kw > 0).sum())
    if dark:
        texts.append(f"{dark} power flows leave demand at buses without supply.")
    return tuple(Note("warning", "power flow", text) for text in texts)
