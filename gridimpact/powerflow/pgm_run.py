"""Batches through power-grid-model: loads in, voltages and branch flows out, and what does not add up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array

from gridimpact.powerflow.engine import FlowOptions
from gridimpact.powerflow.pgm_model import KINDS, LOAD, PgmModel
from gridimpact.powerflow.reference_result import Currents, Found, joined
from gridimpact.powerflow.system import zip_shares
from gridimpact.records import BoolArray, ComplexArray, FloatArray, Injections, IntArray

_CHUNK_BYTES = 100_000_000
"""Output of power-grid-model held at once."""


class _Drawn(NamedTuple):
    """Loads of power-grid-model, each of one type."""

    element: IntArray
    """Position among the elements, -1 for what the net draws by itself."""
    node: IntArray
    kind: IntArray
    """0 constant power, 1 impedance, 2 current."""
    share_p: FloatArray
    share_q: FloatArray
    phase_share: FloatArray
    """(load, 3)"""
    fixed_kva: ComplexArray


def _drawn(model: PgmModel, injections: Injections) -> _Drawn:
    """Return one load for each element and type whose share is not zero, then what the net draws itself."""
    # Here constant impedance comes before constant current.
    share_p, share_q = (share.T[[0, 2, 1]] for share in zip_shares(injections))
    kind, element = np.nonzero((np.abs(share_p) > 1e-12) | (np.abs(share_q) > 1e-12))
    # One load without power keeps the batch well formed where nothing else draws.
    fixed_node = np.concatenate([model.source_node[:1], model.bus_node[model.fixed_bus]])
    more = len(fixed_node)
    return _Drawn(
        element=np.concatenate([element, np.full(more, -1)]),
        node=np.concatenate([model.bus_node[injections.bus[element]], fixed_node]),
        kind=np.concatenate([kind, np.zeros(more, dtype=np.int64)]),
        share_p=np.concatenate([share_p[kind, element], np.ones(more)]),
        share_q=np.concatenate([share_q[kind, element], np.ones(more)]),
        phase_share=np.concatenate([injections.phase_share[element], np.full((more, 3), 1 / 3)]),
        fixed_kva=np.concatenate([np.zeros(len(element) + 1), model.fixed_kva]),
    )


def solve_batches(model: PgmModel, injections: Injections, options: FlowOptions) -> Found:
    """Return what power-grid-model finds, lanes solved in parts whose output fits in memory.

    Parameters
    ----------
    model : PgmModel
    injections : Injections
        Without anything that answers to voltage, elements in star.
    options : FlowOptions
    """
    drawn = _drawn(model, injections)
    scenarios, steps, elements = injections.p_kw.shape
    s_kva = (injections.p_kw + 1j * injections.q_kvar).reshape(scenarios * steps, elements)
    core = _core(model, drawn)
    lane_bytes = 8 * model.phases * (2 * len(model.u_rated) + 12 * len(model.ends))
    chunk = max(1, _CHUNK_BYTES // lane_bytes)
    parts = []
    for first in range(0, max(len(s_kva), 1), chunk):
        power = _load_power(drawn, s_kva[first : first + chunk], model.phases)
        parts.append(_found(model, drawn, power, _calculate(core, model, power, options), options))
    return joined(parts)


def _core(model: PgmModel, drawn: _Drawn) -> Any:
    """Return power-grid-model's own model with loads of no power yet."""
    from power_grid_model import PowerGridModel, initialize_array

    kind = LOAD[model.phases]
    load = initialize_array("input", kind, len(drawn.node))
    load["id"] = model.next_id + np.arange(len(drawn.node))
    load["node"], load["status"], load["type"] = drawn.node, 1, drawn.kind
    load["p_specified"] = load["q_specified"] = 0.0
    return PowerGridModel({**model.tables, kind: load}, system_frequency=model.f_hz)


def _load_power(drawn: _Drawn, s_kva: ComplexArray, phases: int) -> ComplexArray:
    """Return the power of each load at 1 pu [VA], shape (lane, load[, phase])."""
    power = np.repeat(drawn.fixed_kva[None], len(s_kva), axis=0)
    own = drawn.element >= 0
    given = s_kva[:, drawn.element[own]]
    power[:, own] = given.real * drawn.share_p[own] + 1j * given.imag * drawn.share_q[own]
    if phases == 3:
        power = power[:, :, None] * drawn.phase_share
    return np.asarray(1e3 * power)


class _Output(NamedTuple):
    """What power-grid-model gives: arrays (lane, node or branch[, phase or end])."""

    u_pu: ComplexArray
    s_va: ComplexArray
    """(lane, branch, 2[, phase]) into the branch."""
    i_a: FloatArray
    solved: BoolArray


def _calculate(core: Any, model: PgmModel, power: ComplexArray, options: FlowOptions) -> _Output:
    """Iterate currents for all lanes; lanes that do not settle go to Newton."""
    first = _batch(core, model, power, options, "iterative_current")
    lost = np.flatnonzero(~first.solved)
    if not len(lost) or not options.newton_iterations:
        return first
    again = _batch(core, model, power[lost], options, "newton_raphson")
    for target, values in zip(first, again, strict=True):
        target[lost] = values
    return first


def _batch(
    core: Any, model: PgmModel, power: ComplexArray, options: FlowOptions, method: str
) -> _Output:
    newton = method == "newton_raphson"
    update = {"p_specified": power.real.copy(), "q_specified": power.imag.copy()}
    kinds = [kind for kind in KINDS if len(model.tables[kind])]
    names = {f"{name}_{end}" for name in "pqi" for end in ("from", "to")}
    wanted = {kind: names for kind in kinds}
    output = core.calculate_power_flow(
        symmetric=model.phases == 1,
        error_tolerance=options.tolerance_pu,
        max_iterations=options.newton_iterations if newton else options.max_iterations,
        calculation_method=method,
        update_data={LOAD[model.phases]: update},
        threading=options.threads if options.threads != 1 else -1,
        output_component_types={"node": {"u_pu", "u_angle"}, **wanted},
        continue_on_batch_error=True,
    )
    solved = np.ones(len(power), dtype=bool)
    if core.batch_error is not None:
        solved[core.batch_error.failed_scenarios] = False
    node = output["node"]
    u_pu = node["u_pu"] * np.exp(1j * node["u_angle"])
    ends = [
        {name: _side_by_side(output, kinds, f"{name}_{end}", power.shape) for name in "pqi"}
        for end in ("from", "to")
    ]
    return _Output(
        u_pu,
        np.stack([end["p"] + 1j * end["q"] for end in ends], axis=2),
        np.stack([end["i"] for end in ends], axis=2),
        solved,
    )


def _side_by_side(output: Any, kinds: list[str], name: str, shape: tuple[int, ...]) -> FloatArray:
    none = np.zeros((shape[0], 0, *shape[2:]))
    return np.concatenate([none, *(output[kind][name] for kind in kinds)], axis=1)


def _found(
    model: PgmModel, drawn: _Drawn, power: ComplexArray, output: _Output, options: FlowOptions
) -> Found:
    """Return a part's lanes by the axes of the grid, with the power missing at each node."""
    with np.errstate(all="ignore"):
        missing = np.abs(_missing(model, drawn, power, output)) / 1e3
        allowed = options.residual_kva + 10 * options.tolerance_pu * model.stiffness_va / 1e3
        lost = output.s_va[:, model.counted].real.sum(axis=2)
        losses = lost.reshape(len(power), -1).sum(axis=1) / 1e3
        u_pu = np.where(_spread(model.supplied, output.u_pu), output.u_pu, np.nan)
        neutral = _neutral_ka(model, output)
    inner = model.supplied.copy()
    inner[model.source_node] = False
    gap = missing[:, inner]
    excess = gap / _spread(allowed[inner], gap)
    size = output.i_a / 1e3
    return Found(
        u_pu=u_pu[:, model.bus_node],
        line=Currents(size[:, model.line], output.s_va[:, model.line] / 1e3),
        line_neutral_ka=neutral[:, model.line],
        transformer=Currents(size[:, model.transformer], output.s_va[:, model.transformer] / 1e3),
        transformer3w=_outer(size, model),
        losses_kw=losses,
        residual_kva=gap.reshape(len(gap), -1).max(axis=1, initial=0.0),
        excess=excess.reshape(len(gap), -1).max(axis=1, initial=0.0),
        solved=output.solved & np.isfinite(losses),
    )


def _outer(size: FloatArray, model: PgmModel) -> FloatArray:
    """Return the highest phase current at the terminals of three-winding transformers [kA]."""
    # Terminals are the first end of the high-voltage winding and the second end of the others.
    picked = np.stack(
        [size[:, model.transformer3w[:, winding], min(winding, 1)] for winding in range(3)], axis=2
    )
    return picked if model.phases == 1 else picked.max(axis=3)


def _missing(model: PgmModel, drawn: _Drawn, power: ComplexArray, output: _Output) -> ComplexArray:
    """Return the power that does not add up at each node [VA], from voltages and branch flows."""
    u = output.u_pu
    # A shunt is a star without neutral: the mean of its phases drives no current.
    lifted = u - u.mean(axis=2, keepdims=True) if model.phases == 3 else u
    base = model.u_rated**2 / model.phases
    gap = u * np.conj(lifted * _spread(model.y_shunt, u)) * _spread(base, u)
    size = np.abs(u[:, drawn.node])
    factor = np.select(
        [_spread(drawn.kind == 1, size), _spread(drawn.kind == 2, size)], [size**2, size], 1.0
    )
    gap = gap + _gathered(drawn.node, power * factor, len(model.u_rated))
    for end in range(2):
        node = model.ends[:, end]
        closed = node >= 0
        gap = gap + _gathered(node[closed], output.s_va[:, closed, end], len(model.u_rated))
    return np.asarray(gap)


def _gathered(place: IntArray, values: ComplexArray, count: int) -> ComplexArray:
    """Add up values (lane, element[, phase]) at their places."""
    adder = coo_array((np.ones(len(place)), (place, np.arange(len(place)))), (count, len(place)))
    flat = np.moveaxis(values, 1, 0).reshape(len(place), -1)
    summed = (adder.tocsr() @ flat).reshape((count, len(values), *values.shape[2:]))
    return np.asarray(np.moveaxis(summed, 0, 1))


def _spread(values: Any, like: Any) -> Any:
    """Return values (element,) with axes to stand beside (lane, element[, phase])."""
    return values.reshape((1, -1) + (1,) * (like.ndim - 2))


def _neutral_ka(model: PgmModel, output: _Output) -> FloatArray:
    """Return the size of the sum of the phase currents at the ends of branches, 0 when balanced."""
    if model.phases == 1:
        return np.zeros(output.s_va.shape)
    node = np.maximum(model.ends, 0)
    volt = output.u_pu[:, node] * (model.u_rated[node] / np.sqrt(3.0))[None, :, :, None]
    return np.asarray(np.abs((output.s_va / volt).sum(axis=3)) / 1e3)
