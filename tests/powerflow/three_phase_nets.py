"""Small grids in phase coordinates, built by hand, and a check of results against a plain nodal matrix."""

from __future__ import annotations

import numpy as np

from gridimpact.powerflow import FlowOptions
from gridimpact.powerflow.three_phase import solve_three_phase
from gridimpact.records import Admittance, Grid, Injections, PhaseModel
from gridimpact.timeline import Timeline

TURN = np.exp(2j * np.pi / 3)
SOURCE = np.array([1.0, TURN**2, TURN])
BASE_KVA = 300.0
VN_KV = 0.4


def series(z_pu) -> np.ndarray:
    """Return the six-port of a series impedance, a number or a 3x3 matrix [pu]."""
    z = np.asarray(z_pu) * np.eye(3) if np.ndim(z_pu) == 0 else np.asarray(z_pu)
    y = np.linalg.inv(z)
    return np.block([[y, -y], [-y, y]])


def model_of(ends, six_ports, nodes, *, shunt=None, earthed=None, slack=(0,), **more) -> PhaseModel:
    ends = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
    branches = len(ends)
    return PhaseModel(
        s_base_kva=BASE_KVA,
        node_vn_kv=np.full(nodes, VN_KV),
        bus_node=more.pop("bus_node", np.arange(nodes)),
        slack_node=np.array(slack, dtype=np.int64),
        slack_vm_pu=np.tile(SOURCE, (len(slack), 1)),
        branch_from=ends[:, 0].copy(),
        branch_to=ends[:, 1].copy(),
        y=np.asarray(six_ports, dtype=np.complex128).reshape(-1, 6, 6),
        y_shunt=np.zeros((nodes, 3, 3), dtype=np.complex128) if shunt is None else shunt,
        earthed=np.ones(nodes, dtype=bool) if earthed is None else np.asarray(earthed),
        line_branch=more.pop("line_branch", np.arange(branches)),
        transformer_branch=more.pop("transformer_branch", np.zeros(0, dtype=np.int64)),
        transformer3w_branch=np.zeros((0, 3), dtype=np.int64),
        **more,
    )


def grid_with(model: PhaseModel, *, i_max_ka=0.3, line_ends=None, transformers=()) -> Grid:
    """Return a grid of a model whose buses are its nodes; transformers are (hv, lv) with 0.5 kA rating."""
    buses, none = len(model.bus_node), np.zeros(0, dtype=np.int64)
    lines = len(model.line_branch)
    if line_ends is None:
        branch = np.clip(model.line_branch, 0, None)
        line_ends = np.stack([model.branch_from[branch], model.branch_to[branch]], axis=1)
    hv_lv = np.asarray(transformers, dtype=np.int64).reshape(-1, 2)
    supplied = model.bus_node >= 0
    empty = np.zeros(0, dtype=np.complex128)
    admittance = Admittance(
        model.s_base_kva, model.node_vn_kv, None, model.slack_node, model.slack_vm_pu[:, 0],
        np.ones(len(model.node_vn_kv), dtype=bool), none, none, empty, empty, empty, empty,
    )  # fmt: skip
    return Grid(
        bus_index=np.arange(buses), bus_name=tuple(f"bus {k}" for k in range(buses)),
        bus_vn_kv=np.full(buses, VN_KV), bus_xy=np.zeros((buses, 2)), bus_geographic=False,
        bus_node=model.bus_node, bus_supplied=supplied, bus_distance_m=np.zeros(buses),
        bus_feeder=np.zeros(buses, dtype=np.int64), bus_transformer=np.full(buses, -1),
        bus_phases=np.ones((buses, 3), dtype=bool), line_index=np.arange(lines),
        line_name=tuple(f"line {k}" for k in range(lines)), line_from=line_ends[:, 0],
        line_to=line_ends[:, 1], line_length_m=np.ones(lines),
        line_i_max_ka=np.full(lines, i_max_ka) * np.ones(lines), line_branch=model.line_branch,
        transformer_index=np.arange(len(hv_lv)), transformer_name=("t",) * len(hv_lv),
        transformer_hv=hv_lv[:, 0], transformer_lv=hv_lv[:, 1],
        transformer_sn_kva=np.full(len(hv_lv), 346.0),
        transformer_i_rated_ka=np.full((len(hv_lv), 2), 0.5),
        transformer_loss_ratio=np.full(len(hv_lv), np.nan),
        transformer_branch=model.transformer_branch, admittance=admittance, phase_model=model,
    )  # fmt: skip


def two_node(z_pu=0.05 + 0.05j, **more) -> Grid:
    return grid_with(model_of([(0, 1)], [series(z_pu)], 2, **more))


def draws(
    bus, p_kw, q_kvar=None, share=None, *, connection=None, zip_p=None, zip_q=None, volt_var=None
):
    """Return injections; powers are (lane, element), or one number for each element."""
    bus = np.atleast_1d(np.asarray(bus, dtype=np.int64))
    p_kw = np.atleast_2d(np.asarray(p_kw, dtype=np.float64))
    q_kvar = np.zeros_like(p_kw) if q_kvar is None else np.atleast_2d(q_kvar).astype(float)
    share = np.full((len(bus), 3), 1 / 3) if share is None else np.atleast_2d(share).astype(float)
    none = np.zeros((len(bus), 2))
    return Injections(
        timeline=Timeline(np.datetime64("2021-01-01"), 900, len(p_kw)),
        bus=bus, p_kw=p_kw[None], q_kvar=q_kvar[None], phase_share=share,
        zip_p=none if zip_p is None else np.asarray(zip_p, dtype=float),
        zip_q=none if zip_q is None else np.asarray(zip_q, dtype=float),
        connection=None if connection is None else np.atleast_1d(connection), volt_var=volt_var,
    )  # fmt: skip


def solved(grid, injections, *keep, **options):
    """Return the flow with every standard array and those named."""
    from gridimpact.powerflow.engine import KEPT

    wanted = FlowOptions(phases=3, keep=(*KEPT, *keep), **options)
    return solve_three_phase(grid, injections, wanted)


def branching(seed=0, nodes=30, *, shunts=False, meshed=False) -> PhaseModel:
    """Return a random network of a source and many lines, most nodes in chains, some in forks."""
    rng = np.random.default_rng(seed)
    ends = [
        (max(0, k - 1 - int(rng.integers(0, 3) == 0) * int(rng.integers(0, 4))), k)
        for k in range(1, nodes)
    ]
    if meshed:
        ends += [(nodes // 3, nodes - 1), (2, nodes // 2)]
    ports = []
    for _ in ends:
        own = rng.uniform(0.002, 0.01) * (1 + 0.6j)
        z = own * (np.eye(3) + rng.uniform(0.1, 0.4) * (np.ones((3, 3)) - np.eye(3)))
        port = series(z)
        if shunts:
            port = port + 1j * rng.uniform(0, 1e-3) * np.kron(np.eye(2), np.eye(3))
        ports.append(port)
    return model_of(ends, ports, nodes)
