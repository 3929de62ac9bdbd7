"""The largest constant power of cases, and the limit that breaks first just above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.hosting.bracket import Search, nth_largest, worst_steps
from gridimpact.hosting.constant_power import ConstantPower
from gridimpact.hosting.lane_limits import Excess
from gridimpact.hosting.power_elements import Charge
from gridimpact.hosting.readings import KINDS
from gridimpact.records import FloatArray, IntArray

TOLERANCE_KW = 0.005
"""Width of the bracket of each capacity [kW]."""
MOST_PER_RATING = 4.0
"""Power asked about at most over the rating of the supplying transformer; an own choice, far beyond any limit."""
MOST_WITHOUT_TRANSFORMER_KW = 1000.0
"""The same where no transformer supplies a connection [kW]; an own choice."""


@dataclass(frozen=True)
class Found:
    """What was found of each case, arrays (case,)."""

    capacity_kw: FloatArray
    reached: np.ndarray[Any, np.dtype[np.bool_]]
    kind: list[str]
    """Kind of limit that breaks first just above, "" where none."""
    axis: list[str]
    element: IntArray
    """Its element's position on its axis, -1 where none."""


def most_power(base: ConstantPower, p_max_kw: float | None) -> FloatArray:
    """Return the highest power asked about at each site [kW], (site,)."""
    if p_max_kw is not None:
        return np.full(len(base.given.site_bus), float(p_max_kw))
    grid = base.network.grid
    transformer = grid.bus_transformer[base.given.site_bus]
    rating = np.append(grid.transformer_sn_kva, np.nan)[transformer]
    return np.where(
        np.isfinite(rating), MOST_PER_RATING * rating, MOST_WITHOUT_TRANSFORMER_KW
    ).astype(np.float64)


def search_cases(
    base: ConstantPower,
    charge: Charge,
    cases: IntArray,
    first_kw: float,
    most_kw: FloatArray,
    tolerance_kw: float,
) -> Found:
    """Return what was found of cases (case, member), each by itself.

    A case whose members were beyond what counts before any power was added has no capacity.
    """

    def judge(case: IntArray, step: IntArray, kw: FloatArray) -> Excess:
        return base.excess(charge, cases[case], step, kw)

    search = Search(judge, base.steps, base.limits.needed, tolerance_kw)
    count = len(cases)
    if base.base.worst.max(initial=-np.inf) > 0.0:
        idle = np.zeros(count)
        return _binding(base, charge, cases, idle, idle, [base.steps] * count, np.ones(count, bool))
    begin = [_first_steps(base, charge, members) for members in cases]
    state = search.run(first_kw, most_kw, begin)
    return _binding(base, charge, cases, state.low, state.high, state.steps, state.fails)


def _first_steps(base: ConstantPower, charge: Charge, members: IntArray) -> IntArray:
    """Return the steps a case is narrowed on at first: worst of the network and of its own meters."""
    chosen = base.steps[worst_steps(base.base, slice(None), base.limits.needed)]
    own = charge.sign * base.meter_kw[base.steps][:, members].sum(axis=1)
    return np.union1d(chosen, base.steps[np.argsort(-own, kind="stable")[:4]])


def _binding(
    base: ConstantPower,
    charge: Charge,
    cases: IntArray,
    low: FloatArray,
    high: FloatArray,
    steps: list[IntArray],
    fails: Any,
) -> Found:
    """Return capacities with the limit that breaks first just above."""
    kind, axis = [""] * len(cases), [""] * len(cases)
    element = np.full(len(cases), -1, dtype=np.int64)
    for case in np.flatnonzero(fails):
        own = steps[case]
        site = np.repeat(cases[case][None, :], len(own), axis=0)
        found = base.excess(charge, site, own, np.full(len(own), high[case]), where=True)
        name, place = _first_broken(base, found)
        kind[case], axis[case] = KINDS[name].limit, KINDS[name].axis
        element[case] = place
        if name == "transformer3w_loading":
            axis[case] = "transformer"
            element[case] = len(base.network.grid.transformer_index) + place
    return Found(low, np.asarray(fails), kind, axis, element)


def _first_broken(base: ConstantPower, found: Excess) -> tuple[str, int]:
    """Return kind and element that are furthest beyond what counts."""
    lane, rule = np.unravel_index(int(found.worst.argmax()), found.worst.shape)
    if found.worst[lane, rule] > 0.0 or not len(base.limits.needed):
        place = -1 if found.element is None else int(found.element[lane, rule])
        return base.kinds[rule], place
    longest = int(nth_largest(found.longer, base.limits.needed).argmax())
    broken = base.limits.ranked[longest]
    return base.kinds[int(broken[0])], int(broken[1])
