"""How far each solved lane is beyond what counts, beside what was so without added power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gridimpact.assess.violations import TOLERANCE_H
from gridimpact.hosting.lane_rules import Lanes, Rule
from gridimpact.hosting.readings import KINDS
from gridimpact.records import FloatArray, IntArray

FAILED = 1.0
"""Excess of a lane without a solution; such a lane is a violation, however far it is from one."""


@dataclass(frozen=True)
class Excess:
    """How far lanes are beyond what counts, over the scale of each kind; above 0 is a violation.

    Attributes
    ----------
    worst : numpy.ndarray
        (lane, rule + 1) worst element of each rule; the last is `FAILED` where there is no solution.
    longer : numpy.ndarray
        (lane, ranked) depth of elements that were beyond their limit without added power: these must not be
        so at more steps than `LaneLimits.needed` allows.
    element : numpy.ndarray or None
        (lane, rule + 1) position of the worst element, -1 where none, if asked for.
    """

    worst: FloatArray
    longer: FloatArray
    element: IntArray | None = None


@dataclass(frozen=True)
class LaneLimits:
    """Rules and what each element may do under each.

    Attributes
    ----------
    rules : tuple of Rule
    allowed : tuple of numpy.ndarray
        By rule, (element of the axis,) depth that is not yet a violation; infinite where never one.
    ranked : numpy.ndarray
        (ranked, 2) rule and element that are followed by the number of their steps.
    needed : numpy.ndarray
        (ranked,) number of steps beyond the limit from which on it counts as worse.
    """

    rules: tuple[Rule, ...]
    allowed: tuple[FloatArray, ...]
    ranked: IntArray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    needed: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def excess(self, lanes: Lanes, *, where: bool = False) -> Excess:
        """Return how far lanes are beyond what counts; `where` asks for the elements."""
        count, failed = len(lanes.site), ~lanes.sound
        worst = np.full((count, len(self.rules) + 1), -np.inf)
        element = np.full(worst.shape, -1, dtype=np.int64) if where else None
        longer = np.full((count, len(self.ranked)), -np.inf)
        for k, rule in enumerate(self.rules):
            depth, place = rule.depth(lanes), rule.element(lanes)
            followed = np.flatnonzero(self.ranked[:, 0] == k)
            if len(followed):
                longer[:, followed] = _of(self.ranked[followed, 1], depth, place) / rule.scale
            depth = (depth - self.allowed[k][place]) / rule.scale
            if depth.shape[1]:
                worst[:, k] = np.fmax.reduce(depth, axis=1)
            if element is not None and depth.shape[1]:
                at = np.where(np.isnan(depth), -np.inf, depth).argmax(axis=1)
                full = np.broadcast_to(place, depth.shape)
                element[:, k] = full[np.arange(count), at]
        worst[np.isnan(worst)] = -np.inf
        longer[np.isnan(longer)] = -np.inf
        worst[failed, :-1] = -np.inf
        longer[failed] = -np.inf
        worst[failed, -1] = FAILED
        return Excess(worst, longer, element)


def _of(element: IntArray, depth: FloatArray, place: IntArray) -> FloatArray:
    """Return the depth of some elements, (lane, element); -inf at meters that carry no case's power."""
    if place.ndim == 1:
        order = np.argsort(place)
        return depth[:, order[np.searchsorted(place, element, sorter=order)]]
    found = [np.fmax.reduce(np.where(place == e, depth, -np.inf), axis=1) for e in element]
    return np.stack(found, axis=1)


@dataclass
class BaseDepths:
    """How deep and at how many steps each element is beyond its limit without added power."""

    rules: tuple[Rule, ...]
    sizes: Sequence[int]
    """Elements on the axis of each rule."""

    def __post_init__(self) -> None:
        """Begin with nothing beyond any limit."""
        self.depth = [np.zeros(size) for size in self.sizes]
        self.steps = [np.zeros(size, dtype=np.int64) for size in self.sizes]

    def take(self, lanes: Lanes) -> None:
        """Take in lanes of one case in which every connection is a member."""
        sound = lanes.sound
        for k, rule in enumerate(self.rules):
            place = rule.element(lanes)
            place = place[0] if place.ndim == 2 else place
            depth = np.nan_to_num(rule.depth(lanes)[sound], nan=0.0)
            deepest = np.maximum(depth.max(axis=0, initial=0.0), self.depth[k][place])
            self.depth[k][place] = deepest
            self.steps[k][place] += np.count_nonzero(depth > 0.0, axis=0)

    def limits(self, preexisting: str, dt_h: float) -> LaneLimits:
        """Return what counts from now on; `preexisting` as in `gridimpact.records.ScanSettings`."""
        if preexisting == "count":
            return LaneLimits(self.rules, tuple(np.zeros(size) for size in self.sizes))
        allowed, ranked, needed = [], [], []
        for k, rule in enumerate(self.rules):
            before = self.steps[k] > 0
            if preexisting == "ignore":
                allowed.append(np.where(before, np.inf, 0.0))
                continue
            # Rounded as the comparison of a study with its base case is.
            slack = KINDS[rule.kind].tolerance + 1e-9
            allowed.append(np.where(before, self.depth[k] + slack, 0.0))
            ranked += [(k, int(e)) for e in np.flatnonzero(before)]
            more = int(np.floor(TOLERANCE_H / dt_h + 1e-9)) + 1
            needed += [int(n) + more for n in self.steps[k][before]]
        pairs = np.array(ranked, dtype=np.int64).reshape(-1, 2)
        return LaneLimits(self.rules, tuple(allowed), pairs, np.array(needed, dtype=np.int64))

    def violated(self) -> dict[str, int]:
        """Return the number of elements beyond a limit, by kind of limit."""
        found: dict[str, int] = {}
        for rule, steps in zip(self.rules, self.steps, strict=True):
            if (steps > 0).any():
                name = KINDS[rule.kind].limit
                found[name] = found.get(name, 0) + int((steps > 0).sum())
        return found
