"""The arrays that the compiled kernels of the three-phase engine work on; no arithmetic lives here.

A place is a node of the phase model in the engine's order: places below ``kept`` are iterated, in
elimination order; then come those that follow from them, in reverse elimination order; then the
sources. A row is ``3 * place + phase``. A block is a 3x3 matrix of 18 numbers: nine real parts,
then nine imaginary parts. A slot is one terminal at which power is drawn: a row to neutral, or a
row against another one in delta.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gridimpact.powerflow.layout import Batch, Rules

__all__ = [
    "Batch",
    "Blocks",
    "Branches",
    "Chains",
    "Checks",
    "Factors",
    "Free",
    "Results",
    "Rules",
    "Slots",
    "System",
    "Verdicts",
]

SAME, BETWEEN, TURNED, FREE = 0, 1, 2, 3
"""How a place that is not iterated follows from its neighbours: it is the same as the first
one, which is then meant wherever it is named; lies between the two by a real share or by a block; or follows from
one block for each of them."""

LINE, TRANSFORMER, WINDING = 1, 2, 3
"""What a branch stands for; 0 is nothing that a result speaks of."""


class Blocks(NamedTuple):
    """A sparse matrix of blocks, rows compressed."""

    start: Any
    place: Any
    y: Any
    """(entry, 18)"""
    plain: Any
    """(entry,) whether the block is minus the identity, so that nothing needs multiplying."""


class Free(NamedTuple):
    """Places that are not iterated, each from at most two that are known before it."""

    kind: Any
    """SAME, BETWEEN, TURNED or FREE."""
    first: Any
    second: Any
    """-1 where there is one neighbour only."""
    share: Any
    """Of the way from the first to the second."""
    y: Any
    """(place, 2, 18) block of the way, or one block a neighbour."""


class Factors(NamedTuple):
    """Block factors of the admittance; the lower one has identities on its diagonal."""

    lower: Blocks
    """Below the diagonal, places that are iterated."""
    upper: Blocks
    """Beyond the diagonal, already multiplied by the inverse pivot; refers to places known before."""
    pivot: Any
    """(kept, 18) inverse pivots."""
    free: Free
    kept: int


class Slots(NamedTuple):
    """What draws where and how it answers to voltage."""

    row: Any
    """(slot,)"""
    other: Any
    """(slot,) the row it is drawn against, -1 for neutral."""
    fixed: Any
    """(slot, 2) power drawn by the network itself [pu]."""
    element: Any
    """(entry,) column of the batch."""
    slot: Any
    """(entry,) slot that a share of the element goes to."""
    share_p: Any
    """(entry, 3) constant-power, constant-current and constant-impedance power per kW [pu]."""
    share_q: Any
    parts: int
    """2 where all power is constant, else 6: three of P, then three of Q."""


class Chains(NamedTuple):
    """Series branches without shunts that carry one current, as if each chain were one branch."""

    f: Any
    """(chain,) place, -1 where no current can flow."""
    t: Any
    y: Any
    """(chain, 18) admittance of the whole chain."""
    counted: Any
    """(chain,) whether what it loses counts: not in the impedance of a source."""
    start: Any
    """(chain + 1,) where its lines begin in ``line``."""
    line: Any
    scale: Any
    """Percent of rating per unit of current."""
    base_ka: Any
    """Current of one per unit, by line."""


class Branches(NamedTuple):
    """Six-ports between places and the results they feed."""

    f: Any
    t: Any
    y: Any
    """(branch, 4, 18) blocks y_ff, y_ft, y_tf, y_tt."""
    kind: Any
    """LINE, TRANSFORMER, WINDING or 0."""
    place: Any
    """Position in the result array."""
    scale: Any
    """(branch, 2) percent of rating per unit of current at either end."""
    base_ka: Any
    """(branch, 2) current of one per unit at either end."""


class Checks(NamedTuple):
    """Where the power balance is taken and how much may be missing."""

    place: Any
    """Places at which currents meet, sources last."""
    unknown: int
    """How many of them are not sources."""
    stiffness: Any
    """Largest diagonal admittance of each."""
    shunt: Any
    """(shunt,) places with admittance to earth."""
    y: Any
    """(shunt, 18)"""
    held: Any
    """(held,) places whose positive-sequence voltage a source holds."""
    ease: Any
    """(held, 18) what turns the current missing there into one that a source of even stiffness would leave."""


class System(NamedTuple):
    """A network with the slots of its elements, ready to be solved."""

    factors: Factors
    slots: Slots
    chains: Chains
    branches: Branches
    checks: Checks
    response: Any
    """What answers to voltage; `gridimpact.powerflow.kernels_response.Response`."""
    bus_place: Any
    """(bus,) -1 without supply."""
    start: Any
    """(2, row) voltage to begin with, real and imaginary, sources last."""


class Results(NamedTuple):
    """Arrays (lane, element...) to write to; those without lanes are not wanted."""

    vm: Any
    line: Any
    transformer: Any
    transformer_p: Any
    transformer_q: Any
    losses: Any
    line_i: Any
    winding: Any
    unbalance: Any
    nema: Any
    phase_loading: Any
    phase_p: Any
    phase_q: Any


class Verdicts(NamedTuple):
    """What is found out about every lane."""

    residual: Any
    excess: Any
    """Largest power missing over what may be missing; above 1 the lane is refused."""
    vm_low: Any
    vm_high: Any
    iterations: Any
    """Fixed-point iterations taken, -1 where they did not suffice."""
    answers: Any
    """(lane, answering) reactive power that answers to voltage [kvar]."""
