"""A plain three-phase flow from a `PhaseModel` alone: the independent witness of other engines."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu

from gridimpact.records import ComplexArray, PhaseModel

STAR_TO_DELTA = np.array([[1, -1, 0], [0, 1, -1], [-1, 0, 1]], dtype=np.float64)


def nodal_matrix(model: PhaseModel) -> csc_array:
    """Return the nodal admittance in phase coordinates, rows 3 * node + phase."""
    count = 3 * len(model.node_vn_kv)
    ends = np.stack([model.branch_from, model.branch_to], axis=1)
    rows = (3 * ends[:, :, None] + np.arange(3)).reshape(-1, 6)
    data = [model.y.ravel(), model.y_shunt.ravel()]
    own = 3 * np.arange(len(model.node_vn_kv))[:, None] + np.arange(3)
    down = [np.repeat(rows, 6, axis=1).ravel(), np.repeat(own, 3, axis=1).ravel()]
    across = [np.tile(rows, (1, 6)).ravel(), np.tile(own, (1, 3)).ravel()]
    place = (np.concatenate(down), np.concatenate(across))
    return coo_array((np.concatenate(data), place), shape=(count, count)).tocsc()


def solve_phases(
    model: PhaseModel,
    star_kva: ComplexArray,
    delta_kva: ComplexArray | None = None,
    *,
    tolerance: float = 1e-13,
    iterations: int = 300,
) -> ComplexArray:
    """Return phase-to-earth voltages (node, 3) [pu].

    `star_kva` is drawn phase to neutral and `delta_kva` between ab, bc, ca, both (node, 3) [kVA].
    """
    nodes = len(model.node_vn_kv)
    star = np.zeros((nodes, 3), dtype=np.complex128)
    star[: len(star_kva)] += star_kva
    if model.fixed_s_kva is not None:
        star += model.fixed_s_kva
    delta = np.zeros((nodes, 3), dtype=np.complex128)
    if delta_kva is not None:
        delta[: len(delta_kva)] = delta_kva
    base = model.s_base_kva / 3
    y = nodal_matrix(model)
    held = (3 * model.slack_node[:, None] + np.arange(3)).ravel()
    free = np.setdiff1d(np.arange(3 * nodes), held)
    factor = splu(y[free][:, free].tocsc())
    v = np.zeros(3 * nodes, dtype=np.complex128)
    v[held] = model.slack_vm_pu.ravel()
    pull = y[free][:, held] @ v[held]
    v[free] = factor.solve(-pull)
    for _ in range(iterations):
        phase = v.reshape(-1, 3)
        current = np.zeros_like(phase)
        drawn = star != 0
        current[drawn] = np.conj(star[drawn] / base / phase[drawn])
        between = phase @ STAR_TO_DELTA.T
        loop = np.zeros_like(phase)
        joined = delta != 0
        loop[joined] = np.conj(delta[joined] / base / between[joined])
        current += loop @ STAR_TO_DELTA
        after = factor.solve(-current.ravel()[free] - pull)
        step = np.abs(after - v[free]).max()
        v[free] = after
        if step < tolerance:
            return v.reshape(-1, 3)
    message = f"no convergence, last step {step:.1e}"
    raise RuntimeError(message)


def branch_currents(model: PhaseModel, voltage: ComplexArray) -> ComplexArray:
    """Return currents into both ends of every branch (branch, 2, 3) [kA]."""
    ends = np.concatenate([voltage[model.branch_from], voltage[model.branch_to]], axis=1)
    pu = np.einsum("bij,bj->bi", model.y, ends).reshape(-1, 2, 3)
    base = np.stack(
        [
            model.s_base_kva / np.sqrt(3) / 1e3 / model.node_vn_kv[end]
            for end in (model.branch_from, model.branch_to)
        ],
        axis=1,
    )
    return pu * base[:, :, None]
