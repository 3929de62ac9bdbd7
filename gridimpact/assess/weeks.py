"""Voltage by whole weeks: the share of ten-minute means inside a band, as EN 50160 asks.

A week is seven days of counted time without a gap; what is left over is not assessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridimpact.assess.context import AssessContext, Chunk
from gridimpact.assess.limits import EN_50160, LimitProfile
from gridimpact.records import BoolArray, FloatArray, IntArray

WINDOW_S = 600
WEEK_S = 7 * 86_400


@dataclass(frozen=True)
class WeekFindings:
    """Shares by week; empty where no whole week was counted.

    Attributes
    ----------
    profile : LimitProfile
        Band and share asked for.
    begin : numpy.ndarray
        (week,) first moment of each week.
    inside : numpy.ndarray
        (week, scenario, bus) means inside the band; of the phase that keeps it least.
    known : numpy.ndarray
        (week, scenario, bus) means with a sound power flow, of the same phase.
    reason : str
        Why nothing is assessed, "" where something is.
    """

    profile: LimitProfile
    begin: np.ndarray
    inside: IntArray
    known: IntArray
    reason: str = ""

    @property
    def share(self) -> FloatArray:
        """(week, scenario, bus) share inside the band, NaN where nothing is known."""
        return np.where(self.known > 0, self.inside / np.maximum(self.known, 1), np.nan)


@dataclass
class WeekBand:
    """Counts, for every whole week, the ten-minute means inside the band."""

    profile: LimitProfile
    low: float
    high: float
    buses: BoolArray
    begin: list[np.datetime64] = field(default_factory=list)
    inside: list[IntArray] = field(default_factory=list)
    known: list[IntArray] = field(default_factory=list)
    segment: int = -1
    week: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    rest: FloatArray | None = None
    step_s: int = 0
    phases: int = 1

    @classmethod
    def start(cls, context: AssessContext) -> WeekBand:
        """Return an empty counter, with EN 50160's band where the profile has no weekly one."""
        profile = context.limits if context.limits.week is not None else EN_50160
        low, high, _ = profile.week or (0.0, np.inf, 0.0)
        return cls(profile, low, high, context.lv | context.mv)

    def update(self, chunk: Chunk, voltage: FloatArray) -> None:
        """Take in voltages (scenario, time, bus[, phase]), NaN where not sound or not counted."""
        self.phases = voltage.shape[3] if voltage.ndim == 4 else 1
        voltage = voltage.reshape(*voltage.shape[:2], -1)
        if chunk.segment != self.segment:
            self._begin_segment(chunk)
        width = window_steps(self.step_s)
        first = chunk.first
        if self.rest is not None and self.rest.shape[1]:
            voltage = np.concatenate([self.rest, voltage], axis=1)
            first -= self.rest.shape[1]
        whole = voltage.shape[1] - voltage.shape[1] % width
        self.rest = voltage[:, whole:].copy()
        number = self.week[first : first + whole : width]
        if not whole or number.max() < 0:
            return
        mean = _means(voltage[:, :whole], width)
        inside = (mean >= self.low) & (mean <= self.high)
        known = ~np.isnan(mean)
        for week in np.unique(number[number >= 0]):
            steps = number == week
            self.inside[week] = self.inside[week] + np.count_nonzero(inside[:, steps], axis=1)
            self.known[week] = self.known[week] + np.count_nonzero(known[:, steps], axis=1)

    def finish(self) -> WeekFindings:
        """Return the shares."""
        begin = np.array(self.begin, dtype="datetime64[s]")
        if not self.begin:
            empty = np.zeros((0, 1, len(self.buses)), dtype=np.int64)
            reason = "no whole week of counted time without a gap"
            return WeekFindings(self.profile, begin, empty, empty, reason)
        inside, known = np.stack(self.inside), np.stack(self.known)
        if self.phases == 1:
            return WeekFindings(self.profile, begin, inside, known)
        shape = (*inside.shape[:2], -1, self.phases)
        inside, known = inside.reshape(shape), known.reshape(shape)
        # A phase that was never known does not speak for its bus.
        share = np.where(known > 0, inside / np.maximum(known, 1), np.inf)
        worst = share.argmin(axis=3)[..., None]
        inside = np.take_along_axis(inside, worst, axis=3)[..., 0]
        known = np.take_along_axis(known, worst, axis=3)[..., 0]
        return WeekFindings(self.profile, begin, inside, known)

    def _begin_segment(self, chunk: Chunk) -> None:
        """Give the whole weeks of a new segment their numbers."""
        self.segment, self.rest = chunk.segment, None
        self.step_s = chunk.timeline.step_s
        self.week = week_of_step(chunk.segment_counted, self.step_s)
        for number in range(int(self.week.max(initial=-1)) + 1):
            self.begin.append(chunk.timeline.times[np.flatnonzero(self.week == number)[0]])
            shape = (chunk.flow.status.shape[0], len(self.buses) * self.phases)
            self.inside.append(np.zeros(shape, dtype=np.int64))
            self.known.append(np.zeros(shape, dtype=np.int64))
        self.week[self.week >= 0] += len(self.begin) - int(self.week.max(initial=-1)) - 1


def window_steps(step_s: int) -> int:
    """Return how many steps make one mean; one where a step is longer or does not divide it."""
    return WINDOW_S // step_s if step_s < WINDOW_S and WINDOW_S % step_s == 0 else 1


def week_of_step(counted: BoolArray, step_s: int) -> IntArray:
    """Return the number of the whole week each step belongs to, -1 for none.

    Examples
    --------
    >>> week_of_step(np.array([False] + [True] * 16), 43_200)
    array([-1,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, -1, -1])
    """
    week = np.full(len(counted), -1, dtype=np.int64)
    length = WEEK_S // step_s
    edges = np.flatnonzero(np.diff(np.r_[False, counted, False].astype(np.int8)))
    number = 0
    for start, end in edges.reshape(-1, 2):
        whole = (end - start) // length
        for k in range(whole):
            week[start + k * length : start + (k + 1) * length] = number
            number += 1
    return week


def _means(voltage: FloatArray, width: int) -> FloatArray:
    """Return root-mean-square voltages of windows; unsound steps are left out of their window."""
    if width == 1:
        return voltage
    shape = (voltage.shape[0], voltage.shape[1] // width, width, voltage.shape[2])
    squares = (voltage * voltage).reshape(shape)
    known = ~np.isnan(squares)
    count = known.sum(axis=2)
    total = np.where(known, squares, 0.0).sum(axis=2)
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)
