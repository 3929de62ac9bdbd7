"""Figures of many scenarios gathered part by part: highest values, moving means, bands and whole weeks.

Each keeps arrays whose first axis is the scenario, and takes in parts of some or all scenarios.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gridimpact.assess import LoadingReducer
from gridimpact.assess.moving import window_steps
from gridimpact.assess.weeks import WEEK_S, week_of_step
from gridimpact.assess.weeks import window_steps as mean_steps
from gridimpact.hosting.kernels_judge import (
    GAP,
    OUTSIDE,
    SOUND,
    Band,
    BandState,
    MeanState,
    follow_band,
    follow_highest,
    follow_means,
)
from gridimpact.hosting.kernels_weeks import (
    WeekRule,
    WeekState,
    close_weeks,
    follow_weeks,
    means_kept,
)
from gridimpact.hosting.readings import Beyond
from gridimpact.records import BoolArray, FloatArray, IntArray
from gridimpact.timeline import Timeline


def plain(values: NDArray[Any]) -> FloatArray:
    """Return values as the kernels read them: float64, one row after the other, phases beside one another."""
    flat = values.reshape(*values.shape[:2], -1)
    return np.ascontiguousarray(flat, dtype=np.float64)


def known(values: FloatArray) -> FloatArray:
    """Return values with NaN for those that never were known."""
    return np.where(np.isinf(values), np.nan, values)


def lanes_beyond(steps: IntArray, dt_h: float) -> Beyond:
    """Return power flows that failed, (scenario,), as beyond their limit for as long as they last."""
    count = steps[:, None].astype(np.float64)
    return Beyond(count, count * dt_h)


def spread(steps: BoolArray, scenarios: int) -> BoolArray:
    """Return (time,) marks for every scenario."""
    return np.repeat(steps[None], scenarios, axis=0)


class HighestPart:
    """Highest value of each element and the steps over a limit."""

    def __init__(
        self, scenarios: int, judged: BoolArray, limit: float | None, leeway: float = 0.0
    ) -> None:
        self.judged, self.limit, self.leeway = judged, limit, leeway
        self.worst = np.full((scenarios, len(judged)), -np.inf)
        self.over = np.zeros((scenarios, len(judged)), dtype=np.int64)

    def take(self, values: NDArray[Any], usable: BoolArray, scenario: slice = slice(None)) -> None:
        """Take in (scenario, time, element) values of the steps that are usable, (scenario, time)."""
        if values.shape[2]:
            limit = np.inf if self.limit is None else self.limit + self.leeway
            follow_highest(plain(values), usable, limit, self.worst[scenario], self.over[scenario])

    @property
    def judges(self) -> bool:
        """Whether any value was held against a limit."""
        return self.limit is not None and bool(np.isfinite(self.value).any())

    @property
    def value(self) -> FloatArray:
        """(scenario, element) highest value, NaN where not judged or never known."""
        return np.where(self.judged, known(self.worst), np.nan)

    def beyond(self, dt_h: float) -> Beyond | None:
        """Return how far and how long elements were beyond the limit, None without one."""
        if self.limit is None:
            return None
        return over_limit(self.worst, np.where(self.judged, self.over, 0), self.limit, dt_h)


def over_limit(worst: FloatArray, steps: IntArray, limit: float, dt_h: float) -> Beyond:
    """Return how far and how long values were beyond a limit that does not move."""
    with np.errstate(invalid="ignore"):
        depth = np.where(steps > 0, worst - limit, 0.0)
    return Beyond(depth, np.asarray(steps * dt_h, dtype=np.float64))


class MeansPart:
    """Means over hours on end, as `gridimpact.assess.moving.MovingMean` follows them for a study."""

    def __init__(self, scenarios: int, rated: BoolArray, hours: float, limit: float | None) -> None:
        self.count, self.hours, self.limit = len(rated), hours, limit
        self.columns = np.flatnonzero(rated)
        shape = (scenarios, len(self.columns))
        self.worst = np.full(shape, -np.inf)
        self.over = np.zeros(shape, dtype=np.int64)
        self.state: MeanState | None = None

    def begin(self, timeline: Timeline) -> None:
        """Open a segment; no window reaches into it from the one before."""
        head = window_steps(self.hours, timeline.dt_h) - 1
        scenarios, elements = self.worst.shape
        self.state = MeanState(
            rest=np.zeros((scenarios, head, elements)),
            rest_kind=np.full((scenarios, head), OUTSIDE, dtype=np.int64),
            covered=np.zeros((scenarios, elements), dtype=np.int64),
            worst=self.worst,
            over=self.over,
        )

    def take(
        self,
        values: NDArray[Any],
        usable: BoolArray,
        counted: BoolArray,
        first: int,
        scenario: slice,
    ) -> None:
        """Take in (scenario, time, element) values that begin with step `first` of the segment."""
        if self.state is None or not values.shape[2] or not len(self.columns):
            return
        kind = np.where(counted, np.where(usable, SOUND, GAP), OUTSIDE).astype(np.int64)
        own = MeanState._make(array[scenario] for array in self.state)
        limit = np.inf if self.limit is None else self.limit
        follow_means(plain(values), kind, first, self.columns, limit, own)

    @property
    def judges(self) -> bool:
        """Whether any mean was held against a limit."""
        return self.limit is not None and bool(np.isfinite(self.worst).any())

    @property
    def value(self) -> FloatArray:
        """(scenario, element) highest mean, NaN where no window was assessed."""
        return self._spread(known(self.worst), np.nan)

    def beyond(self, dt_h: float) -> Beyond | None:
        """Return how far means were beyond the limit and how long such windows last together."""
        if self.limit is None:
            return None
        found = over_limit(self.worst, self.over, self.limit, dt_h)
        return Beyond(self._spread(found.depth, 0.0), self._spread(found.hours, 0.0))

    def _spread(self, values: FloatArray, other: float) -> FloatArray:
        """Return values of the rated elements on the axis of all."""
        found = np.full((len(values), self.count), other)
        found[:, self.columns] = values
        return found


class LoadingPart:
    """Instants and means of one kind of element, by the definitions of a fresh reducer of a study."""

    def __init__(self, part: LoadingReducer, scenarios: int) -> None:
        self.highest = HighestPart(scenarios, part.rated, part.limit)
        self.mean = None
        if part.mean is not None:
            self.mean = MeansPart(scenarios, part.rated, part.mean.hours, part.mean.limit)

    @property
    def mean_value(self) -> FloatArray:
        """(scenario, element) highest mean, NaN where the profile gives no length."""
        return np.full_like(self.highest.worst, np.nan) if self.mean is None else self.mean.value


class BandPart:
    """Voltages against the bounds of every step."""

    def __init__(self, scenarios: int, buses: int, band: Band) -> None:
        self.band, self.buses = band, buses
        shape = (scenarios, len(band.floor))
        steps = [np.zeros((scenarios, buses), dtype=np.int64) for _ in range(2)]
        self.state = BandState(
            np.full(shape, np.inf), np.full(shape, -np.inf),
            np.full(shape, -np.inf), np.full(shape, -np.inf), *steps,
        )  # fmt: skip

    def take(self, voltage: NDArray[Any], usable: BoolArray, scenario: slice) -> None:
        """Take in voltages (scenario, time, bus[, phase])."""
        own = BandState._make(array[scenario] for array in self.state)
        follow_band(plain(voltage), usable, self.band, own)

    def by_bus(self, values: FloatArray, worst: np.ufunc) -> FloatArray:
        """Return the worst phase's value, (scenario, bus)."""
        split = values.reshape(len(values), self.buses, -1)
        return cast("FloatArray", worst.reduce(split, axis=2))

    @property
    def margin(self) -> FloatArray:
        """(scenario, bus) least distance to the nearer bound, infinite where nothing is known."""
        return -self.by_bus(np.maximum(self.state.below, self.state.above), np.maximum)

    def beyond(self, dt_h: float) -> tuple[Beyond, Beyond]:
        """Return how far and how long buses were below and above their bounds."""
        state = self.state
        low, high = (self.by_bus(part, np.maximum) for part in (state.below, state.above))
        return (
            over_limit(low, state.steps_below, 0.0, dt_h),
            over_limit(high, state.steps_above, 0.0, dt_h),
        )


class WeeksPart:
    """Share of ten-minute means inside a band by whole weeks, as `gridimpact.assess.weeks.WeekBand`."""

    def __init__(
        self,
        scenarios: int,
        judged: BoolArray,
        elements: int,
        band: tuple[float, float, float],
        *,
        margins: bool,
    ) -> None:
        self.scenarios, self.judged, self.elements = scenarios, judged, elements
        self.band, self.margins = band, margins
        self.rule: WeekRule | None = None
        self.state: WeekState | None = None
        self.week: IntArray = np.zeros(0, dtype=np.int64)
        self.seen = False

    def begin(self, timeline: Timeline, counted: BoolArray) -> None:
        """Open a segment and tell its whole weeks."""
        self.week = week_of_step(counted, timeline.step_s)
        if self.state is not None:
            return
        width = mean_steps(timeline.step_s)
        self.rule = WeekRule(*self.band, width)
        means = -(-WEEK_S // (timeline.step_s * width))
        kept = means_kept(means, self.band[2]) if self.margins else 0
        shape, buses = (self.scenarios, self.elements), (self.scenarios, len(self.judged))
        numbers = [np.zeros(shape, dtype=np.int64) for _ in range(4)]
        self.state = WeekState(
            total=np.zeros(shape),
            taken=numbers[0],
            week=np.full(self.scenarios, -1, dtype=np.int64),
            inside=numbers[1],
            known=numbers[2],
            least=np.zeros((*shape, kept)),
            size=numbers[3],
            weeks=np.zeros(buses, dtype=np.int64),
            depth=np.zeros(buses),
            margin=np.full(buses, np.inf),
        )

    def take(self, values: NDArray[Any], usable: BoolArray, first: int, scenario: slice) -> None:
        """Take in (scenario, time, bus[, phase]) values that begin with step `first` of the segment."""
        if self.state is None or self.rule is None or (self.week < 0).all():
            return
        self.seen = True
        own = WeekState._make(array[scenario] for array in self.state)
        follow_weeks(plain(values), usable, self.week, first, self.rule, own)

    def end(self) -> None:
        """Close the segment."""
        if self.state is not None and self.rule is not None:
            close_weeks(self.rule, self.state)

    @property
    def margin(self) -> FloatArray:
        """(scenario, bus) least distance kept as often as asked, infinite where nothing is known."""
        if self.state is None:
            return np.full((self.scenarios, len(self.judged)), np.inf)
        return np.where(self.judged, self.state.margin, np.inf)

    def beyond(self) -> Beyond:
        """Return percent missing to the share asked for, and hours of broken weeks."""
        if self.state is None:
            none = np.zeros((self.scenarios, len(self.judged)))
            return Beyond(none, none)
        weeks = np.where(self.judged, self.state.weeks, 0)
        return Beyond(np.where(weeks > 0, self.state.depth, 0.0), weeks * (WEEK_S / 3600.0))
