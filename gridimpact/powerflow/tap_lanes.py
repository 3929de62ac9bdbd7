"""Take lanes out of injections, read what tap changers see, and put solved groups together again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from gridimpact.powerflow.engine import FlowOptions
from gridimpact.records import (
    ComplexArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
)

_COUNTED = re.compile(r"^\d+ (of \d+ )?power flows ")
"""Notes that begin with a count of lanes; their counts add up over groups."""
_NUMBER = re.compile(r"\d+")


def pick(injections: Injections, lanes: IntArray) -> Injections:
    """Return some lanes, counted scenario after scenario, as one scenario."""
    shape = injections.p_kw.shape
    p_kw, q_kvar = (
        values.reshape(shape[0] * shape[1], shape[2])[lanes][None]
        for values in (injections.p_kw, injections.q_kvar)
    )
    timeline = replace(injections.timeline, count=len(lanes))
    return replace(injections, timeline=timeline, p_kw=p_kw, q_kvar=q_kvar)


def held_arrays(grid: Grid, options: FlowOptions) -> tuple[str, ...]:
    """Return the result arrays from which the voltages that are held follow."""
    if not any(control.drop_r_pu or control.drop_x_pu for control in grid.tap_controls):
        return ("vm_pu",)
    if options.phases == 3:
        return ("vm_pu", "transformer_phase_p_kw", "transformer_phase_q_kvar")
    return ("vm_pu", "transformer_p_kw", "transformer_q_kvar")


def held_voltage(grid: Grid, fixed: Grid, flow: FlowResult) -> FloatArray:
    """Return the voltage each control sees, (lane, control) [pu].

    Parameters
    ----------
    grid : Grid
        With `tap_controls`.
    fixed : Grid
        The same with the two-ports of the positions solved.
    flow : FlowResult
        Of one scenario, with the arrays of `held_arrays`.
    """
    columns = []
    for control in grid.tap_controls:
        vm_pu = np.asarray(flow.vm_pu[0, :, control.bus], dtype=np.float64)
        drop = complex(control.drop_r_pu, control.drop_x_pu)
        if drop:
            power = _delivered(fixed, flow, control.transformer)
            current = np.conj(power / vm_pu) / _rated(grid, control.transformer)
            vm_pu = np.abs(vm_pu - drop * current)
        columns.append(vm_pu.mean(axis=1) if vm_pu.ndim == 2 else vm_pu)
    return np.stack(columns, axis=1)


def _rated(grid: Grid, transformer: int) -> float:
    """Return the rated apparent power of the low-voltage side at its bus's nominal voltage [kVA]."""
    vn_kv = grid.bus_vn_kv[grid.transformer_lv[transformer]]
    return float(np.sqrt(3.0) * vn_kv * grid.transformer_i_rated_ka[transformer, 1] * 1e3)


def _delivered(fixed: Grid, flow: FlowResult, transformer: int) -> ComplexArray:
    """Return the power out of the low-voltage side, three times each phase's in three phases [kVA]."""
    if flow.phases == 3:
        p_kw = flow.transformer_phase_p_kw[0, :, transformer]
        return np.asarray(3.0 * (p_kw + 1j * flow.transformer_phase_q_kvar[0, :, transformer]))
    admittance, branch = fixed.admittance, fixed.transformer_branch[transformer]
    y_ff, y_ft, y_tf, y_tt = (
        values[branch]
        for values in (admittance.y_ff, admittance.y_ft, admittance.y_tf, admittance.y_tt)
    )
    into = (
        flow.transformer_p_kw[0, :, transformer] + 1j * flow.transformer_q_kvar[0, :, transformer]
    )
    high = np.asarray(flow.vm_pu[0, :, fixed.transformer_hv[transformer]], dtype=np.complex128)
    current = np.conj(into / admittance.s_base_kva / high)
    low = (current - y_ff * high) / y_ft
    out = -(y_tf * high + y_tt * low)
    return np.asarray(low * np.conj(out) * admittance.s_base_kva, dtype=np.complex128)


def join(
    parts: Sequence[tuple[IntArray, FlowResult]], injections: Injections, options: FlowOptions
) -> FlowResult:
    """Return one result from groups of lanes solved apart.

    Parameters
    ----------
    parts : sequence
        Lanes, counted scenario after scenario, and their result as one scenario.
    injections : Injections
        Of all lanes.
    options : FlowOptions
    """
    shape = injections.p_kw.shape[:2]
    lanes = shape[0] * shape[1]
    first = parts[0][1]
    arrays: dict[str, Any] = {}
    for field in fields(FlowResult):
        sample = getattr(first, field.name)
        if not isinstance(sample, np.ndarray) or sample.shape[:2] != (1, len(parts[0][0])):
            continue
        whole = np.empty((lanes, *sample.shape[2:]), dtype=sample.dtype)
        for group, result in parts:
            whole[group] = getattr(result, field.name)[0]
        arrays[field.name] = whole.reshape(*shape, *sample.shape[2:])
    return replace(
        first,
        **arrays,
        unserved_kwh=float(sum(result.unserved_kwh for _, result in parts)),
        options=options.as_mapping(),
        notes=_joined_notes([result.notes for _, result in parts], lanes),
    )


def _joined_notes(groups: Sequence[tuple[Note, ...]], lanes: int) -> tuple[Note, ...]:
    """Return every note once; counts of power flows are added up over the groups."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for note in (note for notes in groups for note in notes):
        counted = _COUNTED.match(note.text)
        if counted is None:
            found[note.kind, note.where, note.text] = []
            continue
        numbers = [int(number) for number in _NUMBER.findall(note.text)]
        key = (note.kind, note.where, _NUMBER.sub("{}", note.text))
        known = found.get(key) or [0] * len(numbers)
        found[key] = [old + new for old, new in zip(known, numbers, strict=True)]
        if counted[1]:
            found[key][1] = lanes
    return tuple(
        Note(kind, where, text.format(*numbers) if numbers else text)
        for (kind, where, text), numbers in found.items()
    )
