"""Where cars and network come to rest within one step: voltage answers and shared limits.

Both searches solve the real power flow in every round, all scenarios at once; a scenario that has come to
rest is not moved again, so that no scenario depends on the others beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridimpact.dispatch.grid_aware.protocol import AnswersLoading, AnswersVoltage, Measured, Wanted
from gridimpact.dispatch.grid_aware.transformer import shared_by_transformer
from gridimpact.records import BoolArray, FloatArray
from gridimpact.study.closed_loop_kernels import relax

Solve = Callable[[FloatArray], Measured]
"""From the magnitudes of the answering cars, (scenario, vehicle) [kW], to what is then measured."""

AT_REST_KW = 1e-3
"""A charger that moves less than this in a round has come to rest [kW]."""
AT_REST_PU = 1e-4
"""A transformer this near below its limit is at it [pu of its rated current]."""
_ROUNDS = 40
_PATIENCE = 6
"""Rounds before every further one moves only a part of the way."""


@dataclass(frozen=True)
class Rest:
    """Where one step came to rest.

    Attributes
    ----------
    size_kw : ndarray
        (scenario, vehicle) magnitudes of the answering cars [kW].
    measured : Measured
        What is measured there.
    restless : ndarray of bool
        (scenario,) where the search ended before it came to rest.
    passed : ndarray of bool
        (scenario,) where a limit is passed although no answering car is left to lower.
    """

    size_kw: FloatArray
    measured: Measured
    restless: BoolArray
    passed: BoolArray


def settle_voltage(
    strategy: AnswersVoltage, wanted: Wanted, sensitivity: Callable[[], FloatArray], solve: Solve
) -> Rest:
    """Return where chargers that answer to their own voltage come to rest.

    Parameters
    ----------
    strategy : AnswersVoltage
        Its curve and side.
    wanted : Wanted
        What the answering cars want.
    sensitivity : callable
        Gives (charger, charger) [pu/kW], asked for only where a charger has to answer.
    solve : callable
        The power flow.

    Notes
    -----
    Power falls as voltage moves the way power moves it, so there is one point of rest. Each round solves the
    power flow, then brings all chargers to rest on voltages that move linearly from there: steep curves
    need no damping, since what one charger does to all others is in the linear part.
    """
    sign = -1.0 if strategy.side == "charging" else 1.0
    v, share = np.array(strategy.points, dtype=np.float64).T
    curve = (np.ascontiguousarray(v), np.ascontiguousarray(share))
    size = wanted.size_kw.copy()
    measured = solve(size)
    open_ = np.asarray((strategy.respond(measured, wanted) < size - AT_REST_KW).any(axis=1))
    if not open_.any():
        return Rest(size, measured, open_, np.zeros_like(open_))
    slope, held = sensitivity(), np.zeros_like(size)
    for number in range(_ROUNDS):
        volts = measured.vm_low_pu if sign < 0.0 else measured.vm_high_pu
        collapsed = np.asarray(np.isnan(volts).all(axis=1))
        # Without a solution nothing is known but that it lies further back.
        goal = np.where(collapsed[:, None], 0.5 * (size + held), size)
        held = np.where(collapsed[:, None], held, size)
        volts = np.nan_to_num(volts, nan=0.0)
        for s in np.flatnonzero(open_ & ~collapsed):
            cars = tuple(np.ascontiguousarray(part[s]) for part in wanted[:3])
            relax(goal[s], cars, wanted.charger[s], volts[s], (slope, sign), curve)
        if number >= _PATIENCE:
            part = np.where(collapsed, 1.0, 1.0 / (number - _PATIENCE + 2.0))
            goal = size + (goal - size) * part[:, None]
        moved = np.abs(goal - size).max(axis=1, initial=0.0)
        open_ = np.asarray(open_ & (collapsed | (moved > AT_REST_KW)))
        if not open_.any():
            break
        size = np.where(open_[:, None], goal, size)
        measured = solve(size)
    return Rest(size, measured, open_, np.zeros_like(open_))


class _Search:
    """The largest budget of every transformer that keeps its limit, bracketed and halved in."""

    def __init__(self, least: FloatArray, most: FloatArray, rated_kw: FloatArray) -> None:
        self.low, self.high, self.least = least.copy(), most.copy(), least
        self.low_gap, self.high_gap = np.full(most.shape, np.nan), np.full(most.shape, np.nan)
        self.budget = most.copy()
        self._slope = np.broadcast_to(1.0 / np.maximum(rated_kw, 1e-9), most.shape).copy()
        self._round = 0

    def tell(self, gap: FloatArray, open_: BoolArray) -> BoolArray:
        """Take in how far loading is above its limit [pu]; return which transformers go on searching."""
        over = gap > 0.0
        on_floor = over & (self.budget <= self.least)
        done = (~over & (gap >= -AT_REST_PU)) | on_floor | (~over & (self.budget >= self.high))
        done |= (self.high - self.low) < AT_REST_KW * 1e-3
        going = open_ & ~done
        change = going & over
        moved = self.high - self.budget
        with np.errstate(divide="ignore", invalid="ignore"):
            steep = (self.high_gap - gap) / moved
        known = change & (moved > 0.0) & np.isfinite(steep) & (steep > 0.0)
        self._slope = np.where(known, steep, self._slope)
        self.high = np.where(change, self.budget, self.high)
        self.high_gap = np.where(change, gap, self.high_gap)
        change = going & ~over
        self.low = np.where(change, self.budget, self.low)
        self.low_gap = np.where(change, gap, self.low_gap)
        self.budget = np.where(going, self._next(), self.budget)
        self._round += 1
        return going

    def _next(self) -> FloatArray:
        """Return the next budget to try: along a straight line, every third time half way."""
        goal = -0.5 * AT_REST_PU
        bracketed = np.isfinite(self.low_gap) & np.isfinite(self.high_gap)
        with np.errstate(divide="ignore", invalid="ignore"):
            down = self.high - (self.high_gap - goal) / self._slope
            between = self.low + (self.high - self.low) * (goal - self.low_gap) / (
                self.high_gap - self.low_gap
            )
        half = 0.5 * (self.low + self.high)
        between = np.where((self._round % 3 == 2) | ~np.isfinite(between), half, between)
        tried = np.where(bracketed, between, np.where(np.isfinite(down), down, half))
        return np.clip(tried, self.low, self.high)


def settle_loading(strategy: AnswersLoading, wanted: Wanted, first: Measured, solve: Solve) -> Rest:
    """Return where cars come to rest that share what the limit of their transformer leaves.

    Parameters
    ----------
    strategy : AnswersLoading
        Its limit and its way to share.
    wanted : Wanted
        What the answering cars want.
    first : Measured
        Measured with all of them at what they want.
    solve : callable
        The power flow.

    Notes
    -----
    The loading of each transformer is a convex function of the power of its cars, so the largest power that
    keeps the limit is found from above; at rest the loading is at the limit or at most `AT_REST_PU` below it.
    """
    shape = first.loading_pu.shape
    most, least = (_summed(part, wanted, shape) for part in (wanted.size_kw, wanted.least_kw))
    size, measured = wanted.size_kw.copy(), first
    gap = _gap(strategy, measured)
    open_ = (gap > 0.0) & (most > least)
    search = _Search(least, most, first.rated_kw)
    for _ in range(_ROUNDS):
        open_ = search.tell(gap, open_)
        if not open_.any():
            break
        budget = np.where(search.budget >= most, np.inf, search.budget)
        size = shared_by_transformer(wanted, budget, strategy.allocation)
        measured = solve(size)
        gap = _gap(strategy, measured)
    restless, passed = (np.asarray(m.any(axis=1)) for m in (open_, gap > AT_REST_PU))
    return Rest(size, measured, restless, passed)


def _gap(strategy: AnswersLoading, measured: Measured) -> FloatArray:
    """Return loading above its limit [pu]; a flow without a solution counts as twice the rating above."""
    gap = measured.loading_pu - strategy.loading_limit_pu(measured)
    return np.nan_to_num(gap, nan=2.0)


def _summed(values: FloatArray, wanted: Wanted, shape: tuple[int, ...]) -> FloatArray:
    """Return values of cars added up by transformer, (scenario, transformer)."""
    total = np.zeros(shape)
    scenario, car = np.nonzero(wanted.transformer >= 0)
    np.add.at(total, (scenario, wanted.transformer[scenario, car]), values[scenario, car])
    return total


def placed(power: FloatArray, chosen: BoolArray, size: FloatArray) -> FloatArray:
    """Return power with the chosen cars at new magnitudes."""
    return np.where(chosen, np.sign(power) * np.minimum(size, np.abs(power)), power)


def at_rest(power: FloatArray, measured: Measured) -> Rest:
    """Return a step that nothing was searched for."""
    still = np.zeros(len(power), dtype=np.bool_)
    return Rest(np.abs(power), measured, still, still)
