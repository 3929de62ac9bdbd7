"""The rule by which tap changers move: arrays over (lane, control), no power flow here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.records import BoolArray, FloatArray, IntArray, TapControl

_CAREFUL = 0.7
"""Part of the steps to the near edge of the band, by the estimate without load, taken at once."""


@dataclass(frozen=True)
class Taps:
    """Where the tap changers of every lane stand and how they came there, arrays (lane, control)."""

    index: IntArray
    """Index into `TapControl.tap_pos`."""
    last: IntArray
    """Direction of the last move, 0 before the first and after a control upstream moved."""
    before: FloatArray
    """Distance from the middle of the band before the last move [pu]."""
    jumped_from: IntArray
    """Index before a move of several steps that is not yet checked, -1 for none."""
    one_by_one: BoolArray
    """A move of several steps went too far: single ones from here on."""
    settled: BoolArray
    """Stands at the better of two positions, because none lies within the band."""
    at_end: BoolArray
    """Outside its band at the end of its range."""


def start_taps(controls: Sequence[TapControl], lanes: int) -> Taps:
    """Return the tap changers of some lanes where every step begins."""
    shape = (lanes, len(controls))
    start = np.array([control.start for control in controls], dtype=np.int64)
    return Taps(
        index=np.broadcast_to(start, shape).copy(),
        last=np.zeros(shape, dtype=np.int64),
        before=np.full(shape, np.nan),
        jumped_from=np.full(shape, -1, dtype=np.int64),
        one_by_one=np.zeros(shape, dtype=bool),
        settled=np.zeros(shape, dtype=bool),
        at_end=np.zeros(shape, dtype=bool),
    )


def move_taps(
    controls: Sequence[TapControl],
    plan: tuple[FloatArray, IntArray],
    taps: Taps,
    lanes: IntArray,
    held: FloatArray,
) -> BoolArray:
    """Move the tap changers of some lanes once, in place; return which lanes moved.

    Parameters
    ----------
    controls : sequence of TapControl
    plan : tuple
        Change of each held voltage by one position up [pu], and each control's level: in a lane
        only those of the lowest level that want to move do.
    taps : Taps
        Of all lanes; rows `lanes` are changed.
    lanes : ndarray, shape (moving,)
    held : ndarray, shape (moving, control)
        Voltage each control sees [pu]; NaN where the lane failed, which rests then.
    """
    effect, level = plan
    low = np.array([control.vm_low_pu for control in controls])
    high = np.array([control.vm_high_pu for control in controls])
    last_index = np.array([len(control.tap_pos) - 1 for control in controls])
    index, jumped = taps.index[lanes], taps.jumped_from[lanes]
    want = np.where(held < low, 1, np.where(held > high, -1, 0)) * np.sign(effect).astype(np.int64)
    ended = (want != 0) & ((index + want < 0) | (index + want > last_index))
    taps.at_end[lanes] = ended
    way = np.where(ended | taps.settled[lanes], 0, want)
    back = (jumped >= 0) & (want != taps.last[lanes])
    turns = (way != 0) & (way == -taps.last[lanes]) & ~back
    acts = back | (way != 0)
    rank = np.where(acts, level, len(controls) + 1)
    acts &= rank == rank.min(axis=1, keepdims=True, initial=len(controls) + 1)
    gap = np.where(held < low, low - held, held - high)
    distance = np.abs(held - (low + high) / 2)
    steps = _steps(gap, effect, taps.one_by_one[lanes], (way, index, last_index))
    # A control that would turn back keeps the better of the two positions it swings between.
    better = turns & (taps.before[lanes] < distance)
    change = np.where(turns, np.where(better, way, 0), way * steps)
    target = np.where(back, jumped, index + change)
    moved = acts & (target != index)
    _write(taps, lanes, acts, (target, way, distance, back, turns))
    _forget_downstream(taps, lanes, moved, level)
    # Once a lane settles without a move, controls further down may still want to.
    return np.asarray((moved | (acts & turns)).any(axis=1))


def _steps(
    gap: FloatArray,
    effect: FloatArray,
    one_by_one: BoolArray,
    place: tuple[IntArray, IntArray, IntArray],
) -> IntArray:
    """Return by how many positions each control may move at once."""
    way, index, last_index = place
    size = np.where(effect != 0, np.abs(effect), np.inf)
    estimate = np.floor(_CAREFUL * np.nan_to_num(gap) / size)
    room = np.where(way > 0, last_index - index, index)
    several = np.clip(estimate, 1, np.maximum(room, 1)).astype(np.int64)
    return np.where(one_by_one, 1, several)


def _write(
    taps: Taps,
    lanes: IntArray,
    acts: BoolArray,
    found: tuple[IntArray, IntArray, FloatArray, BoolArray, BoolArray],
) -> None:
    """Note the new positions of the controls that act, and how they came there."""
    target, way, distance, back, turns = found
    size = np.abs(target - taps.index[lanes])
    jump = acts & ~back & (size > 1)
    stepped = acts & ~back & ~turns

    def put(values: Any, where: BoolArray, new: Any) -> None:
        values[lanes] = np.where(where, new, values[lanes])

    put(taps.jumped_from, acts, np.where(jump, taps.index[lanes], -1))
    put(taps.one_by_one, acts & back, True)
    put(taps.settled, acts & turns, True)
    put(taps.before, stepped, distance)
    put(taps.last, stepped, way)
    put(taps.last, acts & back, 0)
    put(taps.index, acts, target)


def _forget_downstream(taps: Taps, lanes: IntArray, moved: BoolArray, level: IntArray) -> None:
    """Let the controls below one that moved begin anew: what they saw no longer holds."""
    top = np.where(moved, level, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    below = level > top
    forgotten: tuple[tuple[Any, Any], ...] = (
        (taps.last, 0),
        (taps.before, np.nan),
        (taps.jumped_from, -1),
        (taps.settled, False),
    )
    for values, new in forgotten:
        values[lanes] = np.where(below, new, values[lanes])
