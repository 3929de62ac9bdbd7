"""The largest power of many cases at once: brackets narrowed on the steps that bind, proved on all of them.

A case fails at a power if any step fails, so failing on some steps proves that it fails; that it passes is
proved on every step. Brackets end with a lower end that passes at every step and an upper end that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gridimpact.hosting.lane_limits import Excess
from gridimpact.records import BoolArray, FloatArray, IntArray

_WORST_STEPS = 6
"""Steps of each kind of limit that join those a bracket is narrowed on; an own choice."""
_ROUNDS = 12
"""Rounds after which a case is narrowed on all steps."""

Judge = Callable[[IntArray, IntArray, FloatArray], Excess]
"""From case, step and power [kW] of each lane to what is beyond its limit there."""


@dataclass
class Brackets:
    """What is known of each case, arrays (case,)."""

    low: FloatArray
    """Passes at every step [kW]."""
    high: FloatArray
    """Fails, or the highest power that was asked about [kW]."""
    fails: BoolArray
    """Whether `high` fails; else `low` is the highest power asked about."""
    steps: list[IntArray]
    """By case, steps that it was narrowed on."""


@dataclass(frozen=True)
class Search:
    """How cases are searched.

    Attributes
    ----------
    judge : callable
        From case, step and power of each lane to its excess.
    steps : numpy.ndarray
        Counted steps.
    needed : numpy.ndarray
        (ranked,) as `gridimpact.hosting.lane_limits.LaneLimits`.
    tolerance_kw : float
        Width of a bracket at the end.
    """

    judge: Judge
    steps: IntArray
    needed: IntArray
    tolerance_kw: float

    def run(self, first_kw: float, most_kw: FloatArray, begin: list[IntArray]) -> Brackets:
        """Return the brackets of cases that pass without power.

        Parameters
        ----------
        first_kw : float
            Power the search begins with; it doubles until a case fails.
        most_kw : numpy.ndarray
            (case,) highest power asked about.
        begin : list of numpy.ndarray
            By case, steps it is narrowed on at first.
        """
        count = len(most_kw)
        state = Brackets(np.zeros(count), most_kw.copy(), np.zeros(count, dtype=np.bool_), begin)
        open_ = np.arange(count)
        rounds = 0
        while len(open_):
            rounds += 1
            if rounds == _ROUNDS:
                for case in open_:
                    state.steps[case] = self.steps
            self._reach(state, open_, first_kw)
            candidate = self._narrow(state, open_)
            open_ = self._prove(state, open_, candidate)
        return state

    def _reach(self, state: Brackets, cases: IntArray, first_kw: float) -> None:
        """Find a power at which each case fails, by doubling; `high` stays the most where none does."""
        at = np.minimum(np.maximum(first_kw, 2.0 * state.low), state.high)
        seek = cases[~state.fails[cases]]
        while len(seek):
            fails = self._margin(state, seek, at[seek]) > 0.0
            state.high[seek[fails]] = at[seek[fails]]
            state.fails[seek[fails]] = True
            seek = seek[~fails & (at[seek] < state.high[seek])]
            at[seek] = np.minimum(2.0 * at[seek], state.high[seek])

    def _narrow(self, state: Brackets, cases: IntArray) -> FloatArray:
        """Return the highest power each case may bear by the steps it is narrowed on, (open case,) [kW].

        Notes
        -----
        Interpolate, truncate, project: as quick as the secant method on smooth margins, never worse than
        one step more than bisection. I. F. D. Oliveira and R. H. C. Takahashi, ACM Trans. Math. Softw. 47
        (2020), doi 10.1145/3423597, with the parameters 0.2, 2 and 1.
        """
        candidate = state.high[cases].copy()
        at = np.flatnonzero(state.fails[cases])
        if not len(at):
            return candidate
        own = cases[at]
        low, high = state.low[own].copy(), state.high[own].copy()
        # Wherever a margin is unknown the middle is taken.
        f_low, f_high = (self._margin(state, own, x) for x in (low, high))
        span, half = high - low, 0.5 * self.tolerance_kw
        left = np.maximum(np.frexp(span / self.tolerance_kw)[1], 0) + 1
        turn = 0
        while True:
            wide = np.flatnonzero(high - low > self.tolerance_kw)
            if not len(wide):
                break
            ends = (low[wide], high[wide], f_low[wide], f_high[wide])
            reach = np.ldexp(half, left[wide] - turn) - 0.5 * (ends[1] - ends[0])
            x = _between(ends, np.maximum(reach, 0.0), span[wide])
            f = self._margin(state, own[wide], x)
            passes = f <= 0.0
            low[wide] = np.where(passes, x, ends[0])
            high[wide] = np.where(passes, ends[1], x)
            f_low[wide] = np.where(passes, f, ends[2])
            f_high[wide] = np.where(passes, ends[3], f)
            turn += 1
        state.high[own] = high
        candidate[at] = low
        return candidate

    def _prove(self, state: Brackets, cases: IntArray, candidate: FloatArray) -> IntArray:
        """Judge candidates at every step; return the cases that failed there and stay open."""
        fresh = candidate > state.low[cases]
        seek, power = cases[fresh], candidate[fresh]
        if not len(seek):
            return seek
        total = len(self.steps)
        found = self.judge(
            np.repeat(seek, total), np.tile(self.steps, len(seek)), np.repeat(power, total)
        )
        edges = np.arange(len(seek) + 1) * total
        fails = self._worst(found, edges) > 0.0
        state.low[seek[~fails]] = power[~fails]
        state.high[seek[fails]] = power[fails]
        state.fails[seek[fails]] = True
        for k in np.flatnonzero(fails):
            own = slice(edges[k], edges[k + 1])
            more = self.steps[worst_steps(found, own, self.needed)]
            case = int(seek[k])
            state.steps[case] = np.union1d(state.steps[case], more)
        return seek[fails]

    def _margin(self, state: Brackets, cases: IntArray, power: FloatArray) -> FloatArray:
        """Return the worst excess of each case over the steps it is narrowed on."""
        if not len(cases):
            return np.zeros(0)
        sizes = np.array([len(state.steps[c]) for c in cases])
        step = np.concatenate([state.steps[c] for c in cases])
        found = self.judge(np.repeat(cases, sizes), step, np.repeat(power, sizes))
        return self._worst(found, np.r_[0, np.cumsum(sizes)])

    def _worst(self, found: Excess, edges: IntArray) -> FloatArray:
        """Return the worst excess of each run of lanes, by depth and by number of steps."""
        worst = np.maximum.reduceat(found.worst.max(axis=1), edges[:-1])
        if not len(self.needed):
            return worst
        for k, (first, last) in enumerate(pairwise(edges)):
            longer = nth_largest(found.longer[first:last], self.needed)
            worst[k] = max(worst[k], longer.max())
        return worst


def nth_largest(values: FloatArray, place: IntArray) -> FloatArray:
    """Return of each column the value that as many are at least as large as `place` says; -inf where fewer are.

    Examples
    --------
    >>> nth_largest(np.array([[1.0, 5.0], [3.0, 4.0]]), np.array([2, 3]))
    array([  1., -inf])
    """
    rising = np.sort(values, axis=0)
    row = len(values) - place
    return np.where(row >= 0, rising[np.maximum(row, 0), np.arange(len(place))], -np.inf)


def worst_steps(found: Excess, lanes: slice, needed: IntArray) -> IntArray:
    """Return which of some lanes are the worst of each kind, positions in `lanes`."""
    chosen = []
    for values, count in (
        *((found.worst[lanes, k], _WORST_STEPS) for k in range(found.worst.shape[1])),
        *((found.longer[lanes, k], int(n) + _WORST_STEPS) for k, n in enumerate(needed)),
    ):
        order = np.argsort(-values, kind="stable")[:count]
        chosen.append(order[np.isfinite(values[order])])
    return np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.int64)


def _between(
    ends: tuple[FloatArray, FloatArray, FloatArray, FloatArray], reach: FloatArray, span: FloatArray
) -> FloatArray:
    """Return the next power inside each bracket (low, high and the margins there)."""
    low, high, f_low, f_high = ends
    middle, width = 0.5 * (low + high), high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        secant = (f_high * low - f_low * high) / (f_high - f_low)
    secant = np.where(np.isfinite(secant), secant, middle)
    side = np.sign(middle - secant)
    nudge = 0.2 / span * width * width
    near = np.where(nudge <= np.abs(middle - secant), secant + side * nudge, middle)
    return np.where(np.abs(near - middle) <= reach, near, middle - side * reach)
