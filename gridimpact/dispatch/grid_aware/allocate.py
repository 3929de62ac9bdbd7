"""Power that does not suffice for all, shared: equally, in proportion to what is wanted, or by urgency."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.errors import Problem
from gridimpact.records import FloatArray, IntArray

ALLOCATIONS = {"equal": 0, "proportional": 1, "laxity": 2}
"""Ways to share by name: the same to all as far as they want it, the same share of what each wants, or
those that can wait least first."""


def allocation_problems(
    allocation: str, known: tuple[str, ...] = tuple(ALLOCATIONS)
) -> list[Problem]:
    """Return what is wrong with the name of a way to share."""
    if allocation in known:
        return []
    remedy = f"use one of {', '.join(known)}"
    return [Problem("allocation", f"{allocation!r} is unknown", remedy)]


@compiled
def fill(cap: FloatArray, urgency: FloatArray, budget: float, rule: int, out: FloatArray) -> None:
    """Write how a budget is shared among members with caps; `out` begins as the caps."""
    total = 0.0
    for k in range(cap.size):
        out[k] = cap[k]
        total += cap[k]
    if total <= budget:
        return
    if rule == 1:
        scale = max(budget, 0.0) / total
        for k in range(cap.size):
            out[k] = cap[k] * scale
        return
    left = max(budget, 0.0)
    order = np.argsort(cap if rule == 0 else urgency, kind="mergesort")
    for n in range(cap.size):
        k = order[n]
        out[k] = min(cap[k], left / (cap.size - n) if rule == 0 else left)
        left -= out[k]


@compiled
def _shared(
    cap: FloatArray,
    least: FloatArray,
    urgency: FloatArray,
    group: IntArray,
    budget: FloatArray,
    rule: int,
    out: FloatArray,
) -> None:
    """Write what each member of each group gets; members without a group get what they want."""
    order = np.argsort(group, kind="mergesort")
    first = 0
    while first < order.size:
        number = group[order[first]]
        last = first
        while last < order.size and group[order[last]] == number:
            last += 1
        place = order[first:last]
        if number < 0:
            for k in place:
                out[k] = max(cap[k], least[k])
        else:
            room, kept = np.empty(place.size), np.empty(place.size)
            left = budget[number]
            for n in range(place.size):
                k = place[n]
                left -= least[k]
                room[n] = max(cap[k] - least[k], 0.0)
            fill(room, urgency[place], left, rule, kept)
            for n in range(place.size):
                out[place[n]] = least[place[n]] + kept[n]
        first = last


def share_budget(
    size_kw: FloatArray,
    group: IntArray,
    budget_kw: FloatArray,
    rule: str,
    *,
    least_kw: FloatArray | None = None,
    laxity_h: FloatArray | None = None,
) -> FloatArray:
    """Return what each gets of the budget of its group.

    Parameters
    ----------
    size_kw : ndarray
        (member,) power wanted, a magnitude [kW].
    group : ndarray of int
        (member,) group, -1 for none: no limit.
    budget_kw : ndarray
        (group,) power to share [kW]; below zero counts as zero.
    rule : str
        A name of `ALLOCATIONS`.
    least_kw : ndarray, optional
        (member,) power that is given first, whatever the budget [kW].
    laxity_h : ndarray, optional
        (member,) time each can wait, for the rule "laxity" [h]; ties go in order of members.

    Returns
    -------
    ndarray
        (member,) [kW], summing to the budget of each group or to what is wanted, whichever is less.

    Examples
    --------
    >>> size, group = np.array([2.0, 11.0, 11.0]), np.zeros(3, dtype=np.int64)
    >>> share_budget(size, group, np.array([12.0]), "equal").tolist()
    [2.0, 5.0, 5.0]
    >>> share_budget(size, group, np.array([12.0]), "proportional").tolist()
    [1.0, 5.5, 5.5]
    """
    out = np.empty(size_kw.size)
    _shared(
        np.ascontiguousarray(size_kw, dtype=np.float64),
        np.zeros(size_kw.size) if least_kw is None else np.ascontiguousarray(least_kw),
        np.zeros(size_kw.size) if laxity_h is None else np.ascontiguousarray(laxity_h),
        np.ascontiguousarray(group, dtype=np.int64),
        np.ascontiguousarray(budget_kw, dtype=np.float64),
        ALLOCATIONS[rule],
        out,
    )
    return out
