"""The arrays that the compiled kernels of the batched engine work on; no arithmetic lives here.

A row is one unknown or source of the linear system (a node here, a node and phase where there are
three). Rows below ``kept`` are iterated, in elimination order; then come the rows that follow from
them, in reverse elimination order; then the sources.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Rows(NamedTuple):
    """A sparse matrix, rows compressed."""

    start: Any
    row: Any
    re: Any
    im: Any


class Triangles(NamedTuple):
    """Sparse factors of the admittance; the lower one has ones on its diagonal."""

    lower: Rows
    """Below the diagonal, rows that are iterated."""
    upper: Rows
    """Beyond the diagonal, all unknown rows; refers to rows that are known before."""
    d_re: Any
    """(row,) inverse pivots."""
    d_im: Any
    c_re: Any
    """(row,) constant current of the sources; of rows not iterated, after elimination."""
    c_im: Any
    kept: int
    """Rows that are iterated."""


class Loads(NamedTuple):
    """Which element draws at which row and how it answers to voltage."""

    row: Any
    """(element,) row, -1 where it changes nothing (at a source or without supply)."""
    scale: float
    """Per unit per kW."""
    share_p: Any
    """(element, 3) constant-power, constant-current and constant-impedance share of P."""
    share_q: Any
    fixed_re: Any
    """(row,) power drawn by the network itself [pu]."""
    fixed_im: Any
    loaded: Any
    """(row,) whether anything can draw there."""
    voltage_dependent: bool


class Branches(NamedTuple):
    """Two-ports between rows and the results they feed."""

    f: Any
    t: Any
    y: Any
    """(branch, 8) real and imaginary parts of y_ff, y_ft, y_tf, y_tt."""
    kind: Any
    """0 nothing, 1 line, 2 transformer."""
    place: Any
    """Position in the result array."""
    scale_f: Any
    """Percent of rating per unit of current at the from-end."""
    scale_t: Any
    shunt_re: Any
    """(row,) admittance to ground beside the branches."""
    shunt_im: Any
    stiffness: Any
    """(row,) magnitude of the diagonal admittance."""


class Results(NamedTuple):
    """Arrays (lane, element) to write to; those without rows are not wanted."""

    vm: Any
    line: Any
    transformer: Any
    transformer_p: Any
    transformer_q: Any
    losses: Any
    residual: Any
    excess: Any
    """(lane,) largest power missing over what may be missing; above 1 the lane is refused."""
    vm_low: Any
    vm_high: Any
    iterations: Any
    """(lane,) fixed-point iterations taken, -1 where they did not suffice."""


class Rules(NamedTuple):
    """Numbers that steer the iteration."""

    tolerance: float
    max_iterations: int
    """0 takes the start as the solution."""
    residual: float
    """Power that may be missing at a node [pu]."""
    base_kva: float


class System(NamedTuple):
    """A network with the places of its elements, ready to be solved."""

    tri: Triangles
    loads: Loads
    lines: Branches
    bus_row: Any
    """(bus,) row, -1 without supply."""
    start: Any
    """(2, row) voltage to begin with, real and imaginary, sources last."""
    unknown: int
    """Rows that are not sources."""


class Batch(NamedTuple):
    """Lanes to solve."""

    p: Any
    """(lane, element) [kW]"""
    q: Any
