"""Branches of a network in phase coordinates, laid out for the compiled kernels.

Series branches without shunts that follow one another past nodes at which nothing draws carry one
current; they become one chain whose impedance is the sum of theirs. All others stay six-ports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gridimpact.network.phase_ports import TO_PHASES, TO_SEQUENCES
from gridimpact.powerflow.three_phase_factor import flat, vanishing
from gridimpact.powerflow.three_phase_layout import (
    LINE,
    TRANSFORMER,
    WINDING,
    Branches,
    Chains,
    Checks,
)
from gridimpact.records import BoolArray, ComplexArray, FloatArray, Grid, IntArray, PhaseModel


@dataclass(frozen=True)
class Meaning:
    """What each branch of the model stands for in the results."""

    kind: IntArray
    place: IntArray
    scale: FloatArray
    """(branch, 2) percent of rating per unit of current at either end."""
    base_ka: FloatArray
    """(branch, 2)"""


@dataclass(frozen=True)
class _Chain:
    f: int
    """Node, -1 where no current can flow."""
    t: int
    branches: tuple[int, ...]


def lay_out(
    grid: Grid, model: PhaseModel, loaded: BoolArray, place: IntArray
) -> tuple[Chains, Branches, Checks]:
    """Return chains, other branches and where their currents meet.

    Parameters
    ----------
    grid : Grid
        For ratings.
    model : PhaseModel
        Never written to.
    loaded : numpy.ndarray
        (node,) whether an element may draw there.
    place : numpy.ndarray
        (node,) place in the order of elimination, sources last, that of its neighbour where a node is
        the same; -1 without supply.
    """
    meaning = _meaning(grid, model)
    series = _series(model)
    source = np.zeros(len(loaded), dtype=bool)
    source[model.slack_node] = True
    through = ~loaded & ~source & (np.abs(model.y_shunt).max(axis=(1, 2), initial=0.0) == 0)
    rest = np.flatnonzero(~series)
    through[model.branch_from[rest]] = through[model.branch_to[rest]] = False
    behind = model.branch_from >= len(grid.admittance.node_vn_kv)
    # The impedance of a source stays a chain of its own, as its losses are not the network's.
    through[model.branch_to[behind]] = False
    found = _chains(model, series, through)
    chains = _pack_chains(model, meaning, found, place)
    counted = [not behind[list(chain.branches)].any() for chain in found]
    chains = chains._replace(counted=np.array(counted, dtype=bool))
    six = model.y[rest]
    y = np.stack([six[:, :3, :3], six[:, :3, 3:], six[:, 3:, :3], six[:, 3:, 3:]], axis=1)
    branches = Branches(
        f=place[model.branch_from[rest]],
        t=place[model.branch_to[rest]],
        y=flat(y),
        kind=meaning.kind[rest],
        place=meaning.place[rest],
        scale=meaning.scale[rest],
        base_ka=meaning.base_ka[rest],
    )
    stiff = _stiffness(model, found, behind, chains.y)
    checks = _checks(model, (found, stiff), rest, place)
    eased = _ease(model.y[behind, 3:, 3:])
    held = place[model.branch_to[behind]]
    return chains, branches, checks._replace(held=held, ease=flat(eased))


def _meaning(grid: Grid, model: PhaseModel) -> Meaning:
    count = len(model.branch_from)
    kind, place = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    scale = np.zeros((count, 2))
    ends = np.stack([model.branch_from, model.branch_to], axis=1)
    base_ka = model.s_base_kva / (np.sqrt(3.0) * model.node_vn_kv[ends]) / 1e3
    windings, star = grid.transformer3w_i_rated_ka, np.full(len(grid.transformer3w_index), np.inf)
    # The star point is no terminal: it is the second end of the first winding, the first of the others.
    for code, branch, rated_ka in (
        (LINE, model.line_branch, np.stack([grid.line_i_max_ka] * 2, axis=1)),
        (TRANSFORMER, model.transformer_branch, grid.transformer_i_rated_ka),
        *(
            (WINDING, model.transformer3w_branch[:, side], np.stack(rated, axis=1))
            for side, rated in enumerate(
                ((windings[:, 0], star), (star, windings[:, 1]), (star, windings[:, 2]))
            )
        ),
    ):
        there = np.flatnonzero(branch >= 0)
        kind[branch[there]], place[branch[there]] = code, there
        scale[branch[there]] = 100.0 * base_ka[branch[there]] / rated_ka[there]
    return Meaning(kind, place, scale, base_ka)


def _series(model: PhaseModel) -> BoolArray:
    """Return which branches carry one current from end to end that their voltage difference drives."""
    own, mutual = model.y[:, :3, :3], model.y[:, :3, 3:]
    back, far = model.y[:, 3:, :3], model.y[:, 3:, 3:]
    found = [
        vanishing(own[b] + mutual[b], own[b])
        and vanishing(own[b] + back[b], own[b])
        and vanishing(own[b] - far[b], own[b])
        for b in range(len(model.y))
    ]
    kind_transformer = np.zeros(len(model.y), dtype=bool)
    for branch in (model.transformer_branch, model.transformer3w_branch.ravel()):
        kind_transformer[branch[branch >= 0]] = True
    return np.array(found, dtype=bool).reshape(len(model.y)) & ~kind_transformer


def _chains(model: PhaseModel, series: BoolArray, through: BoolArray) -> list[_Chain]:
    """Return all series branches by chains; what leads nowhere is one chain without ends."""
    ends = np.stack([model.branch_from, model.branch_to], axis=1).tolist()
    touching: dict[int, set[int]] = {}
    for b in np.flatnonzero(series).tolist():
        for node in ends[b]:
            touching.setdefault(node, set()).add(b)
    dead = _dead_ends(ends, touching, through)
    passing = {k for k, around in touching.items() if through[k] and len(around) == 2}
    left = {b for around in touching.values() for b in around}
    found = [_Chain(-1, -1, tuple(dead))] if dead else []
    for b in sorted(left):
        if b not in left:
            continue
        line, tips = [b], list[int]()
        for node in ends[b]:
            here, last = node, line[-1] if tips else b
            while here in passing:
                following = next(iter(touching[here] - {last}), None)
                if following is None or following in line:
                    break
                line = [*line, following] if tips else [following, *line]
                here, last = _other(ends[following], here), following
            tips.append(here)
        left -= set(line)
        found.append(_Chain(tips[0], tips[1], tuple(line)))
    return found


def _dead_ends(
    ends: list[list[int]], touching: dict[int, set[int]], through: BoolArray
) -> list[int]:
    """Take out and return the branches beyond which nothing draws."""
    dead: list[int] = []
    queue = sorted(k for k, around in touching.items() if through[k] and len(around) == 1)
    while queue:
        k = queue.pop()
        if len(touching[k]) != 1:
            continue
        b = touching[k].pop()
        dead.append(b)
        far = _other(ends[b], k)
        touching[far].discard(b)
        if through[far] and len(touching[far]) == 1:
            queue.append(far)
    return sorted(dead)


def _other(ends: Iterable[int], node: int) -> int:
    first, second = ends
    return second if first == node else first


def _pack_chains(
    model: PhaseModel, meaning: Meaning, found: list[_Chain], place: IntArray
) -> Chains:
    y = np.zeros((len(found), 3, 3), dtype=np.complex128)
    start, lines = [0], []
    for c, chain in enumerate(found):
        if chain.f >= 0:
            own = model.y[list(chain.branches), :3, :3]
            y[c] = own[0] if len(own) == 1 else _in_series(own)
        lines += [b for b in chain.branches if meaning.kind[b] == LINE]
        start.append(len(lines))
    at = np.array(lines, dtype=np.int64)
    ends = np.array([(chain.f, chain.t) for chain in found], dtype=np.int64).reshape(-1, 2)
    return Chains(
        f=np.where(ends[:, 0] >= 0, place[ends[:, 0]], -1),
        t=np.where(ends[:, 1] >= 0, place[ends[:, 1]], -1),
        y=flat(y),
        counted=np.ones(len(found), dtype=bool),
        start=np.array(start, dtype=np.int64),
        line=meaning.place[at],
        scale=meaning.scale[at, 0].copy(),
        base_ka=meaning.base_ka[at, 0].copy(),
    )


def _in_series(own: ComplexArray) -> ComplexArray:
    return np.asarray(np.linalg.inv(np.linalg.inv(own).sum(axis=0)))


def _stiffness(
    model: PhaseModel, found: list[_Chain], behind: BoolArray, y: FloatArray
) -> FloatArray:
    """Return the largest admittance of each chain; of a source's impedance, as it is eased."""
    stiff = np.hypot(y[:, :9], y[:, 9:]).max(axis=1, initial=0.0)
    # Voltage there is sure to the tolerance, not the current that a stiff source turns it into.
    for number, chain in enumerate(found):
        if behind[list(chain.branches)].any():
            own = model.y[chain.branches[0], 3:, 3:]
            stiff[number] = np.abs(_ease(own[None])[0] @ own).max()
    return np.asarray(stiff)


def _checks(
    model: PhaseModel,
    chains: tuple[list[_Chain], FloatArray],
    rest: IntArray,
    place: IntArray,
) -> Checks:
    """Return the places at which chains, other branches and shunts meet, and how stiff they are."""
    stiff = np.zeros(len(place))
    ends = np.array([(chain.f, chain.t) for chain in chains[0] if chain.f >= 0], dtype=np.int64)
    flowing = np.array([chain.f >= 0 for chain in chains[0]], dtype=bool)
    met = [place[ends.reshape(-1, 2)].ravel()]
    np.add.at(stiff, met[0], np.repeat(chains[1][flowing], 2))
    for nodes, side in (
        (model.branch_from[rest], slice(0, 3)),
        (model.branch_to[rest], slice(3, 6)),
    ):
        met.append(place[nodes])
        size = np.abs(model.y[rest, side, side]).max(axis=(1, 2), initial=0.0)
        np.add.at(stiff, met[-1], size)
    shunt = np.flatnonzero(np.abs(model.y_shunt).max(axis=(1, 2), initial=0.0) > 0)
    shunt = shunt[place[shunt] >= 0]
    met.append(place[shunt])
    np.add.at(stiff, met[-1], np.abs(model.y_shunt[shunt]).max(axis=(1, 2), initial=0.0))
    # Places are those of nodes that are the same; a node that is the same as a source balances itself.
    sources = place[model.slack_node]
    unknown = np.setdiff1d(np.concatenate(met), sources)
    order = np.concatenate([unknown, sources])
    return Checks(
        place=order,
        unknown=len(unknown),
        stiffness=stiff[order],
        shunt=place[shunt],
        y=flat(model.y_shunt[shunt]),
        held=np.zeros(0, dtype=np.int64),
        ease=np.zeros((0, 18)),
    )


def _ease(sources: ComplexArray) -> ComplexArray:
    """Return what scales the sequences of a current to the stiffness of the source's negative one.

    A source that holds its voltage in positive sequence is so stiff there that rounding of a voltage
    looks like power.
    """
    sequences = np.abs(np.einsum("ki,nij,jk->nk", TO_SEQUENCES, sources, TO_PHASES))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.minimum(1.0, sequences[:, 2:] / sequences)
    scale = np.where(np.isfinite(scale), scale, 1.0)
    return np.asarray(np.einsum("ik,nk,kj->nij", TO_PHASES, scale, TO_SEQUENCES))
