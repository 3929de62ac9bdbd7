"""A network opened for study, its immutable extract and its pi-model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.records.base import (
    BoolArray,
    ComplexArray,
    FloatArray,
    IntArray,
    Note,
    Shown,
)
from gridimpact.records.inputs import Profiles


@dataclass(frozen=True)
class Admittance:
    """Pi-model of a network on its nodes, per unit on `s_base_kva`.

    Nodes are buses with closed bus-bus switches fused. Branches are lines, transformers,
    three-winding windings and impedances, each a two-port ``[i_f, i_t] = [[y_ff, y_ft], [y_tf, y_tt]] [v_f, v_t]``.
    """

    s_base_kva: float
    node_vn_kv: FloatArray
    """(node,) nominal voltage [kV]."""
    y_bus: Any
    """(node, node) scipy.sparse CSC, complex; shunts and constant branch admittances included."""
    slack_node: IntArray
    """(slack,)"""
    slack_vm_pu: ComplexArray
    """(slack,) complex set-point."""
    supplied: BoolArray
    """(node,) connected to a slack."""
    branch_from: IntArray
    branch_to: IntArray
    y_ff: ComplexArray
    y_ft: ComplexArray
    y_tf: ComplexArray
    y_tt: ComplexArray
    fixed_s_kva: ComplexArray | None = None
    """(node,) constant power of motors and wards, drawn by the network itself [kVA]; None for none."""


@dataclass(frozen=True)
class PhaseModel:
    """Pi-model of a network in phase coordinates, per unit of phase-to-earth voltage.

    A row is ``3 * node + phase`` with phases a, b, c = 0, 1, 2. Base voltage is ``node_vn_kv / sqrt(3)``, base
    power `s_base_kva` / 3 a phase, so that base currents equal those of `Admittance`. Each branch is a
    six-port ``[i_f; i_t] = y [v_f; v_t]``, currents into the branch.
    """

    s_base_kva: float
    """Of all three phases."""
    node_vn_kv: FloatArray
    """(node,) nominal phase-to-phase voltage [kV]."""
    bus_node: IntArray
    """(bus,) node, -1 without supply."""
    slack_node: IntArray
    """(slack,) nodes of stiff voltage; a source impedance is a branch behind them."""
    slack_vm_pu: ComplexArray
    """(slack, 3)"""
    branch_from: IntArray
    branch_to: IntArray
    y: ComplexArray
    """(branch, 6, 6) from-end phases a, b, c, then to-end."""
    y_shunt: ComplexArray
    """(node, 3, 3) admittance to earth beside the branches."""
    earthed: BoolArray
    """(node,) whether zero-sequence current finds a way back, so that a load to neutral may stand there."""
    line_branch: IntArray
    """(line,) branch, -1 where out of service or without supply."""
    transformer_branch: IntArray
    transformer3w_branch: IntArray
    """(three-winding transformer, 3) branches of its windings."""
    fixed_s_kva: ComplexArray | None = None
    """(node, 3) constant power drawn by the network itself [kVA]."""
    notes: tuple[Note, ...] = ()
    """Every zero-sequence value that was assumed, with its source."""


@dataclass(frozen=True)
class TapControl:
    """A transformer whose tap changer holds a voltage, step by step."""

    transformer: int
    """Position in the grid's transformer axis."""
    bus: int
    """Position of the bus held."""
    vm_low_pu: float
    vm_high_pu: float
    tap_pos: IntArray
    """(position,) rising."""
    start: int
    """Index in `tap_pos` at which every step begins."""
    two_port: ComplexArray
    """(position, 4) y_ff, y_ft, y_tf, y_tt of the transformer's branch."""
    six_port: ComplexArray | None = None
    """(position, 6, 6) the same in phase coordinates."""
    drop_r_pu: float = 0.0
    """Line-drop compensation: the voltage held is that of `bus` less this times the transformer's current
    on the low-voltage side, per unit of its rated current."""
    drop_x_pu: float = 0.0


@dataclass(frozen=True)
class Grid:
    """Immutable extract of a network: what assessment, placement and power flow need.

    ``*_from``, ``*_to``, ``*_hv``, ``*_lv`` are positions in the bus axis; ``*_index`` are the
    user's pandapower indices, kept as coordinates.
    """

    bus_index: IntArray
    bus_name: tuple[str, ...]
    bus_vn_kv: FloatArray
    bus_xy: FloatArray
    """(bus, 2) longitude and latitude, or metres of a layout of our own."""
    bus_geographic: bool
    bus_node: IntArray
    """(bus,) node of `admittance`, -1 where out of service."""
    bus_supplied: BoolArray
    bus_distance_m: FloatArray
    """(bus,) metres of line from the low-voltage busbar of the supplying transformer; NaN unsupplied."""
    bus_feeder: IntArray
    """(bus,) number of the feeder (outgoing line of a busbar), 0 for busbars and upstream, -1 unsupplied."""
    bus_transformer: IntArray
    """(bus,) position of the supplying transformer, -1 where there is none."""
    bus_phases: BoolArray
    """(bus, 3)"""
    line_index: IntArray
    line_name: tuple[str, ...]
    line_from: IntArray
    line_to: IntArray
    line_length_m: FloatArray
    line_i_max_ka: FloatArray
    """(line,) ampacity with parallels and derating [kA]; NaN unrated."""
    line_branch: IntArray
    """(line,) branch of `admittance`, -1 where out of service."""
    transformer_index: IntArray
    transformer_name: tuple[str, ...]
    transformer_hv: IntArray
    transformer_lv: IntArray
    transformer_sn_kva: FloatArray
    """(transformer,) rating with parallels [kVA]."""
    transformer_i_rated_ka: FloatArray
    """(transformer, 2) rated current of the high- and low-voltage side [kA]."""
    transformer_loss_ratio: FloatArray
    """(transformer,) load loss over no-load loss at rating; NaN where the data hold no iron loss."""
    transformer_branch: IntArray
    admittance: Admittance
    line_z_abc_ohm: ComplexArray | None = None
    """(line, 3, 3) series impedance where given; NaN where not."""
    transformer3w_index: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    transformer3w_name: tuple[str, ...] = ()
    transformer3w_branch: IntArray = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    """(three-winding transformer, 3) branches of the high, middle and low-voltage winding."""
    transformer3w_i_rated_ka: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    tap_controls: tuple[TapControl, ...] = ()
    phase_model: PhaseModel | None = None
    """Model in phase coordinates; None until it was asked for."""
    beyond_batched: tuple[str, ...] = ()
    """What of the network the batched engine cannot follow, in words; such a network goes to pandapower."""


@dataclass(frozen=True)
class Network(Shown):
    """A network opened for study.

    ``sites`` has one row per meter, indexed by ``site_id`` (str), with columns ``bus`` (pandapower
    index), ``phases`` (those of "abc" in use), ``connection`` ("star" or "delta"), ``kind`` ("home", "building", "public"), ``fuse_a``
    [A per phase], ``load_p_kw`` and ``load_q_kvar`` (the network's own demand), ``z_p z_i q_z q_i``
    (constant-impedance and constant-current shares of P and Q, 0..1), ``name``.
    """

    name: str
    source: str
    licence: str
    net: Any
    """Own cleaned copy of the pandapower net; never written to."""
    grid: Grid
    sites: pd.DataFrame
    notes: tuple[Note, ...] = ()
    profiles: Profiles | None = None
    """Profiles that came with the network, if any."""
