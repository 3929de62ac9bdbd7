"""From the raw arrays of the three-phase engine to a result: status of every lane, NaN where it failed."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridimpact.powerflow.engine import FlowOptions, unserved_power_kw
from gridimpact.powerflow.memory import empty
from gridimpact.powerflow.outcome import idle_values, judge, status_notes
from gridimpact.powerflow.three_phase_layout import Results, Verdicts
from gridimpact.records import FlowResult, Grid, Injections, IntArray, Note, PhaseModel

_FIELDS = {
    "vm": "vm_pu",
    "line": "line_loading_percent",
    "transformer": "transformer_loading_percent",
    "transformer_p": "transformer_p_kw",
    "transformer_q": "transformer_q_kvar",
    "losses": "losses_kw",
    "line_i": "line_i_ka",
    "winding": "transformer3w_loading_percent",
    "unbalance": "unbalance_percent",
    "nema": "unbalance_nema_percent",
    "phase_loading": "transformer_phase_loading_percent",
    "phase_p": "transformer_phase_p_kw",
    "phase_q": "transformer_phase_q_kvar",
}
"""What each array of the kernels is called in a result."""


def allocate(grid: Grid, model: PhaseModel, lanes: int, options: FlowOptions) -> Results:
    """Return result arrays for some lanes; arrays not wanted have no lanes.

    Only what the kernels do not write is filled: 0 where a branch is switched off between supplied
    buses, NaN at everything without supply.
    """
    buses, lines = len(grid.bus_index), len(grid.line_index)
    transformers, windings = len(grid.transformer_index), len(grid.transformer3w_index)
    shapes: dict[str, tuple[int, ...]] = {
        "vm": (buses, 3),
        "line": (lines,),
        "transformer": (transformers,),
        "transformer_p": (transformers,),
        "transformer_q": (transformers,),
        "losses": (),
        "line_i": (lines, 4),
        "winding": (windings,),
        "unbalance": (buses,),
        "nema": (buses,),
        "phase_loading": (transformers, 3),
        "phase_p": (transformers, 3),
        "phase_q": (transformers, 3),
    }
    made = {
        name: empty((lanes if _FIELDS[name] in options.keep else 0, *shape), options.storage)
        for name, shape in shapes.items()
    }
    dark = np.flatnonzero(model.bus_node < 0)
    for name in ("vm", "unbalance", "nema"):
        made[name][:, dark] = np.nan
    for names, branch, ends in (
        (("line", "line_i"), model.line_branch, (grid.line_from, grid.line_to)),
        (
            (
                "transformer",
                "transformer_p",
                "transformer_q",
                "phase_loading",
                "phase_p",
                "phase_q",
            ),
            model.transformer_branch,
            (grid.transformer_hv, grid.transformer_lv),
        ),
    ):
        out = np.flatnonzero(branch < 0)
        idle = idle_values(grid, branch, *ends)[out]
        for name in names:
            made[name][:, out] = idle if made[name].ndim == 2 else idle[:, None]
    made["winding"][:] = np.nan
    return Results(**made)


def open_verdicts(lanes: int, answering: int) -> Verdicts:
    """Return what is to be found out about some lanes."""
    checks = [np.full(lanes, np.nan) for _ in range(4)]
    taken = np.full(lanes, -1, dtype=np.int64)
    return Verdicts._make([*checks, taken, np.full((lanes, answering), np.nan)])


def conclude(
    name: str,
    grid: Grid,
    injections: Injections,
    options: FlowOptions,
    found: tuple[Results, Verdicts, tuple[Note, ...]],
) -> FlowResult:
    """Judge every lane and return the result.

    A lane is not converged where its iteration or its power balance failed; implausible where a
    phase voltage lies outside the range of the options; unsupplied where it is solved but
    something draws at a bus without supply. Lanes of the first two kinds are NaN.
    """
    results, verdicts, notes = found
    unserved = unserved_power_kw(grid, injections)
    solved = (verdicts.iterations >= 0) & (verdicts.excess <= 1.0)
    low, high = options.vm_plausible_pu
    plausible = (verdicts.vm_low >= low) & (verdicts.vm_high <= high)
    status, failed = judge(solved, plausible, unserved)
    shape = injections.p_kw.shape[:2]
    answers = verdicts.answers
    answers[failed] = np.nan
    return FlowResult(
        engine=name,
        **_shaped(results, np.flatnonzero(failed), shape, options),
        status=status.reshape(shape),
        residual_kva=np.where(failed, np.nan, verdicts.residual).reshape(shape),
        unserved_kwh=float(unserved.sum() * injections.timeline.dt_h),
        volt_var_q_kvar=answers.reshape(*shape, answers.shape[1]),
        phases=3,
        options=options.as_mapping(),
        notes=notes + status_notes(status, unserved),
    )


def _shaped(
    results: Results, lost: IntArray, shape: tuple[int, int], options: FlowOptions
) -> dict[str, Any]:
    arrays = {}
    for name, values in results._asdict().items():
        field = _FIELDS[name]
        if field not in options.keep:
            arrays[field] = np.empty((*shape, 0), dtype=values.dtype)
            continue
        if len(lost):
            values[lost] = np.nan
        arrays[field] = values.reshape(*shape, *values.shape[1:])
    return arrays
