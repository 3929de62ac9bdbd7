"""The arrays that the compiled kernels of the batched engine work on; no arithmetic lives here.

A row is one unknown or source of the linear system. Rows below ``kept`` are iterated, children
before their parents; then come the rows that follow from them, then the sources, then one row that
stays zero. Voltages are counted in each row's voltage without load and currents in each row's own
unit, so chosen that the factors of a radial network are all one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

WIDTH = 32
"""Lanes of a block: enough independent work to fill the vector unit, few enough for the cache."""

CONSTANT_POWER, VOLTAGE_DEPENDENT = 2, 6
"""Parts of the power of a row: P, Q; or P of constant power, current, impedance, then the same of Q."""


class Rows(NamedTuple):
    """A sparse matrix, rows compressed."""

    start: Any
    row: Any
    re: Any
    im: Any


class Factors(NamedTuple):
    """Sparse factors of the admittance, each row in its own units of voltage and current."""

    kept: int
    """Rows that are iterated."""
    child: Any
    """(kept,) first row whose current this row takes on as it is, else the row that stays zero."""
    more: Rows
    """(kept,) all further rows of that kind."""
    lower: Rows
    """(kept,) rows whose current is subtracted times a factor."""
    parent: Any
    """(kept,) row whose voltage this row starts from, else the row that stays zero."""
    upper: Rows
    """(kept,) rows whose voltage is subtracted times a factor."""
    gain_re: Any
    """(kept,) voltage per current."""
    gain_im: Any
    first: Any
    """(free,) first row that a row beyond ``kept`` follows from."""
    second: Any
    share: Any
    """(free, 4) factors of the first and the second row, each real and imaginary."""


class Units(NamedTuple):
    """What the units of each row are worth, arrays over (row,)."""

    v_re: Any
    """Voltage [pu] of the unit."""
    v_im: Any
    v_square: Any
    power_re: Any
    """Power in the row's units per power [pu]."""
    power_im: Any
    power_square: Any
    """Square of power [pu] per square of power in the row's units."""
    largest: float
    """Largest unit of voltage [pu]."""
    idle: bool
    """Whether every unit is the voltage without load, so that each lane starts from ones."""


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
    """(row,) whether anything can draw there; only at rows that are iterated."""
    parts: int
    """`CONSTANT_POWER`, or `VOLTAGE_DEPENDENT` where any element answers to voltage."""


class Branches(NamedTuple):
    """Two-ports between rows, in the units of the rows, and the results they feed."""

    f: Any
    t: Any
    y: Any
    """(branch, 8) real and imaginary parts of y_ff, y_ft, y_tf, y_tt."""
    kind: Any
    """0 nothing, 1 line, 2 transformer, 3 first winding of a three-winding transformer, 4 another."""
    place: Any
    """Position in the result array."""
    percent: Any
    """(branch, 2) square of percent of rating per square of current, at both ends."""
    ka: Any
    """(branch, 2) square of current [kA] per square of current, at both ends."""
    watt: Any
    """(branch, 4) factor from power in the rows' units to [pu], real and imaginary, at both ends."""
    shunt_row: Any
    """(shunt,) rows with an admittance to ground beside the branches."""
    shunt_re: Any
    shunt_im: Any
    stiffness: Any
    """(row,) magnitude of the diagonal admittance [pu]."""


class Results(NamedTuple):
    """Arrays (lane, element) to write to; those without rows are not wanted."""

    vm: Any
    line: Any
    transformer: Any
    transformer_p: Any
    transformer_q: Any
    losses: Any
    line_i: Any
    transformer3w: Any
    answer: Any
    """(lane, answering) reactive power that answers to voltage [kvar]."""
    residual: Any
    """(lane,) largest power missing [kVA]."""
    excess: Any
    """(lane,) largest power missing over what may be missing; above 1 the lane is refused."""
    vm_low: Any
    vm_high: Any
    iterations: Any
    """(lane,) fixed-point iterations taken, -1 where they did not suffice."""


class Work(NamedTuple):
    """Working memory of one thread, for one block of lanes at a time; all flat, lanes innermost."""

    s: Any
    """Power drawn, `Loads.parts` a row, and one row more."""
    v: Any
    """Voltages, real and imaginary, and a row that stays zero."""
    z: Any
    """Currents and, as they become known, the voltages that follow; and a row that stays zero."""
    q: Any
    """Memory of the reactive power that answers to voltage."""
    tiles: Any
    """Power of some elements in some lanes."""
    active: Any
    """(lane,) 1 while a lane is iterated, then 0."""
    step: Any
    """(lane,) square of the largest change of voltage."""
    before: Any
    """(lane,) the same of the iteration before, 0 at first."""
    taken: Any
    """(lane,) iterations taken, -1 where they did not suffice."""
    end: Any
    """Loading, current, P and Q of one branch, and the losses of all."""
    worst: Any
    """Largest gap, gap over the allowed one, lowest and highest voltage, sum of gaps, all squared."""


class Rules(NamedTuple):
    """Numbers that steer the iteration."""

    tolerance: float
    max_iterations: int
    """0 takes the start as the solution."""
    residual: float
    """Power that may be missing at a node, or in a phase of one [pu]."""
    base_kva: float
    """Of three phases, or of one in phase coordinates."""


class System(NamedTuple):
    """A network with the places of its elements, ready to be solved."""

    factors: Factors
    units: Units
    loads: Loads
    branches: Branches
    bus_row: Any
    """(bus,) row, -1 without supply."""
    start: Any
    """(1 or lane, 2, row) voltage to begin with in the rows' units, real and imaginary, sources last."""
    unknown: int
    """Rows that are not sources."""


class Batch(NamedTuple):
    """Lanes to solve."""

    p: Any
    """(lane, element) [kW]"""
    q: Any
