"""Reactive power that answers to voltage, around any engine: solve, measure, answer, until both agree.

The answers come from the same compiled steps as inside the batched engine; only the voltages come
from a whole power flow instead of one iteration. So engines without curves of their own can check
the batched one, and lanes that its iteration does not bring home are still solved.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gridimpact.conventions import Status
from gridimpact.errors import Problem, raise_problems
from gridimpact.powerflow.blocks import frozen
from gridimpact.powerflow.engine import Engine, FlowOptions
from gridimpact.powerflow.layout import Batch
from gridimpact.powerflow.tap_lanes import pick
from gridimpact.powerflow.volt_var import check_volt_var, volt_var_notes
from gridimpact.powerflow.volt_var_response import local_response
from gridimpact.records import (
    BoolArray,
    FloatArray,
    FlowResult,
    Grid,
    Injections,
    IntArray,
    Note,
    VoltVar,
)

_LOOPS = 80
"""Power flows a lane may take."""

_FLOOR_PU = 1e-9
"""Gap between answers and curves [pu] that is small enough: engines of their own stop there."""

_WIDTH = 32


@dataclass
class _Lanes:
    """How far each lane has come."""

    now: FloatArray
    """(lane, answering) answers tried next [kvar]."""
    good: FloatArray
    """Last answers with which the lane could be solved."""
    solved: BoolArray
    """(lane,) whether there are such answers."""
    state: FloatArray
    """(lane, memory) of the compiled answer."""
    done: BoolArray
    lost: BoolArray


def answer_outside(
    engine: Engine, grid: Grid, injections: Injections, options: FlowOptions | None = None
) -> FlowResult:
    """Return the flow in which reactive power lies on its curves, by an engine that knows none.

    Parameters
    ----------
    engine : Engine
        Called with injections without `volt_var`.
    grid : Grid
        Never written to.
    injections : Injections
        Whose `volt_var` answers; without it the engine's own result is returned.
    options : FlowOptions, optional
        Passed on to the engine.

    Notes
    -----
    Answers go up to `tolerance_pu`, though not beyond 1e-9 pu. A lane that cannot be solved with new
    answers goes half the way back to the last ones; one that cannot be solved without support begins
    with all the support its curves may give. Lanes that find no end in 80 flows are not converged.

    Raises
    ------
    InputError
        As `Engine.solve`, or where an element in delta answers in three phases, whose voltage
        between phases an engine does not tell.
    """
    chosen = options or FlowOptions()
    answering = injections.volt_var
    if answering is None or not len(answering.element):
        return engine.solve(grid, replace(injections, volt_var=None), chosen)
    check_volt_var(injections)
    _check_connection(injections, chosen.phases)
    shape = injections.p_kw.shape[:2]
    lanes = _settled(engine, grid, injections, chosen)
    answers = np.where(lanes.done[:, None], lanes.good, 0.0).reshape(*shape, -1)
    flow = engine.solve(grid, _with_answers(injections, answering, answers), chosen)
    failed = ~lanes.done.reshape(shape)
    nan = failed | ~np.isfinite(flow.residual_kva)
    flow = replace(
        flow,
        volt_var_q_kvar=np.where(nan[:, :, None], np.nan, answers),
        notes=flow.notes + volt_var_notes(injections),
    )
    return _without(flow, failed)


def answer_failed(
    engine: Engine, grid: Grid, injections: Injections, options: FlowOptions, found: FlowResult
) -> FlowResult:
    """Return a result in which lanes that did not converge are solved around the engine instead.

    For engines that answer inside their own iteration: they call it last, with their own result, and
    are called again for the failed lanes without curves.
    """
    failed = np.flatnonzero(found.status.ravel() == Status.NOT_CONVERGED)
    if injections.volt_var is None or not len(failed):
        return found
    some = answer_outside(engine, grid, pick(injections, failed), options)
    home = np.flatnonzero(np.isfinite(some.residual_kva[0]))
    if not len(home):
        return found
    place = np.unravel_index(failed[home], found.status.shape)
    changed: dict[str, Any] = {}
    for name, values in _by_lane(found):
        changed[name] = values.copy()
        changed[name][place] = getattr(some, name)[0][home]
    text = (
        f"{len(home)} power flows settled only when reactive power was answered around the solver."
    )
    lost = int((changed["status"] == Status.NOT_CONVERGED).sum())
    kept = tuple(note for note in found.notes if "no solution that could be found" not in note.text)
    if lost:
        gone = f"{lost} of {found.status.size} power flows have no solution that could be found; they are NaN."
        kept += (Note("warning", "power flow", gone),)
    return replace(found, **changed, notes=(*kept, Note("info", "Volt-VAr", text)))


def _check_connection(injections: Injections, phases: int) -> None:
    answering = injections.volt_var
    if phases == 1 or injections.connection is None or answering is None:
        return
    delta = answering.element[injections.connection[answering.element] == 1]
    raise_problems(
        [
            Problem(
                f"element {element}",
                "answers to the voltage between phases, which this engine does not tell",
                "solve it with the batched engine",
            )
            for element in delta
        ],
        "Volt-VAr",
    )


def _settled(engine: Engine, grid: Grid, injections: Injections, options: FlowOptions) -> _Lanes:
    """Repeat flow and answer until every lane has settled or is lost."""
    answering = injections.volt_var
    assert answering is not None
    response = local_response(grid, injections, options.phases, _WIDTH)
    count = injections.p_kw.shape[0] * injections.p_kw.shape[1]
    size = (count, len(answering.element))
    lanes = _Lanes(
        now=np.zeros(size),
        good=np.zeros(size),
        solved=np.zeros(count, dtype=bool),
        state=np.zeros((count, response.memory)),
        done=np.zeros(count, dtype=bool),
        lost=np.zeros(count, dtype=bool),
    )
    # On the way a voltage may be implausible; only the last flow is judged.
    quick = replace(options, keep=("vm_pu",), storage="float64", vm_plausible_pu=(0.0, 1e3))
    tolerance = max(options.tolerance_pu, _FLOOR_PU)
    for _ in range(_LOOPS):
        open_lanes = np.flatnonzero(~(lanes.done | lanes.lost))
        if not len(open_lanes):
            break
        part = pick(injections, open_lanes)
        flow = engine.solve(
            grid, _with_answers(part, answering, lanes.now[None, open_lanes]), quick
        )
        fine = np.isfinite(flow.residual_kva[0])
        _go_back(lanes, open_lanes[~fine], injections)
        there = open_lanes[fine]
        lanes.good[there], lanes.solved[there] = lanes.now[there], True
        measured = _measured(part, flow.vm_pu[0])[fine]
        lack = _answer(response, lanes, there, _power(injections, there), measured)
        lanes.done[there] = lack <= tolerance
    return lanes


def _go_back(lanes: _Lanes, failed: IntArray, injections: Injections) -> None:
    """Choose milder answers for lanes that could not be solved, full support for those never solved."""
    back = failed[lanes.solved[failed]]
    lanes.now[back] = (lanes.now[back] + lanes.good[back]) / 2
    never = failed[~lanes.solved[failed]]
    if not len(never):
        return
    answering = injections.volt_var
    assert answering is not None
    p_kw, q_kvar = _power(injections, never)
    element = answering.element
    room = np.sqrt(np.clip(answering.s_max_kva**2 - p_kw[:, element] ** 2, 0.0, None))
    given = q_kvar[:, element]
    support = answering.s_ref_kva * answering.q_share[answering.curve, 0]
    full = np.clip(support + given, -room, room) - given
    tried = (lanes.now[never] == full).all(axis=1)
    lanes.lost[never[tried]] = True
    lanes.now[never] = full


def _power(injections: Injections, lanes: IntArray) -> tuple[FloatArray, FloatArray]:
    elements = injections.p_kw.shape[2]
    p_kw, q_kvar = (v.reshape(-1, elements)[lanes] for v in (injections.p_kw, injections.q_kvar))
    return np.asarray(p_kw, dtype=np.float64), np.asarray(q_kvar, dtype=np.float64)


def _with_answers(injections: Injections, answering: VoltVar, answers: FloatArray) -> Injections:
    """Return injections with answers as plain loads of constant power beside the elements."""
    element = answering.element
    nothing = np.zeros((len(element), 2))
    connection = injections.connection
    if connection is not None:
        connection = np.concatenate([connection, connection[element]])
    return replace(
        injections,
        bus=np.concatenate([injections.bus, injections.bus[element]]),
        p_kw=np.concatenate([injections.p_kw, np.zeros_like(answers)], axis=2),
        q_kvar=np.concatenate([injections.q_kvar, answers], axis=2),
        phase_share=np.concatenate([injections.phase_share, injections.phase_share[element]]),
        zip_p=np.concatenate([injections.zip_p, nothing]),
        zip_q=np.concatenate([injections.zip_q, nothing]),
        connection=connection,
        volt_var=None,
    )


def _measured(injections: Injections, vm_pu: FloatArray) -> FloatArray:
    """Return voltages the elements measure, (lane, answering, 3); 1 without supply."""
    answering = injections.volt_var
    assert answering is not None
    voltage = vm_pu[:, injections.bus[answering.element]]
    if voltage.ndim == 2:
        voltage = np.repeat(voltage[:, :, None], 3, axis=2)
    return np.asarray(np.where(np.isfinite(voltage), voltage, 1.0))


def _answer(
    response: Any,
    lanes: _Lanes,
    there: IntArray,
    power: tuple[FloatArray, FloatArray],
    measured: FloatArray,
) -> FloatArray:
    """Write the next answers of some lanes; return what the last ones lacked [pu]."""
    from gridimpact.powerflow.kernels_response import respond

    answering = lanes.now.shape[1]
    lack = np.zeros(len(there))
    for first in range(0, len(there), _WIDTH):
        some = slice(first, first + _WIDTH)
        lane, used = there[some], len(there[some])
        batch = Batch(frozen(power[0][some]), frozen(power[1][some]))
        v = np.zeros((3 * answering, 2, _WIDTH))
        v[:, 0] = 1.0
        v[:, 0, :used] = measured[some].reshape(used, -1).T
        state = np.zeros((response.memory, _WIDTH))
        state[:, :used] = lanes.state[lane].T
        state[:answering, :used] = lanes.now[lane].T
        active, step = np.zeros(_WIDTH), np.zeros(_WIDTH)
        active[:used] = 1.0
        respond(0, batch, response, v.ravel(), state.ravel(), np.zeros(1), active, step)
        lanes.state[lane] = state.T[:used]
        lanes.now[lane] = state[:answering, :used].T
        lack[some] = np.sqrt(step[:used])
    return lack


def _by_lane(flow: FlowResult) -> list[tuple[str, Any]]:
    """Return the arrays of a result that have an entry a lane."""
    shape = flow.status.shape
    found = []
    for field in fields(flow):
        values = getattr(flow, field.name)
        if isinstance(values, np.ndarray) and values.shape[:2] == shape:
            found.append((field.name, values))
    return found


def _without(flow: FlowResult, failed: BoolArray) -> FlowResult:
    """Return a result in which lanes are failed that found no end."""
    if not failed.any():
        return flow
    changed: dict[str, Any] = {}
    for name, values in _by_lane(flow):
        changed[name] = values.copy()
        changed[name][failed] = Status.NOT_CONVERGED if name == "status" else np.nan
    lost = int((changed["status"] == Status.NOT_CONVERGED).sum())
    text = f"{lost} of {failed.size} power flows find no reactive power that lies on its curves; they are NaN."
    return replace(flow, **changed, notes=(*flow.notes, Note("warning", "Volt-VAr", text)))
