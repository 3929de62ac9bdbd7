"""Regular series of a source, brought onto the timeline of a study."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from gridimpact.errors import Problem, raise_problems
from gridimpact.profiles.calendar import Mapping, map_times
from gridimpact.timeline import Timeline

_FINEST_S = 60


@dataclass(frozen=True)
class Series:
    """Values of a source at a constant step.

    Attributes
    ----------
    start : numpy.datetime64
        Begin of the first step, naive UTC.
    step_s : int
        Step in seconds.
    values : numpy.ndarray
        (time,) or (time, column).
    name : str
        Shown in messages and in the report.
    """

    start: np.datetime64
    step_s: int
    values: NDArray[np.float64]
    name: str

    @property
    def end(self) -> np.datetime64:
        """End of the last step."""
        return self.start + np.timedelta64(self.step_s * len(self.values), "s")

    @property
    def years(self) -> str:
        """Calendar years the series lies in, by its middle for a year and an hour."""
        middle = self.start + (self.end - self.start) // 2
        return f"{self.name} ({middle.astype('datetime64[Y]')})"


def held(series: Series, timeline: Timeline) -> tuple[NDArray[np.float64], bool]:
    """Return the mean over each step of the timeline of a series that holds over its own steps.

    Energy is conserved: a coarser step gets the time mean, a finer one repeats the value.

    Returns
    -------
    numpy.ndarray
        (time,) or (time, column).
    bool
        Whether days were taken from another year.

    Raises
    ------
    InputError
        If the series neither covers the timeline nor a year, or lies off its grid.
    """
    shift = int((timeline.start - series.start) / np.timedelta64(1, "s"))
    fine_s = gcd(gcd(timeline.step_s, series.step_s), shift)
    if fine_s < _FINEST_S:
        raise_problems(
            [
                Problem(
                    series.name,
                    f"its steps of {series.step_s} s do not meet those of the study"
                    f" ({timeline.step_s} s); they are {fine_s} s apart",
                    "bring the stamps onto whole minutes",
                )
            ],
            "profiles",
        )
    mapping = _mapped(series, timeline, fine_s, 0)
    place = (mapping.times - series.start).astype(np.int64) // series.step_s
    return _mean(series.values[place], timeline), mapping.foreign


def interpolated(
    series: Series, timeline: Timeline, *, by_weekday: bool = True
) -> tuple[NDArray[np.float64], bool]:
    """Return the mean over each step of a series of moments joined by straight lines.

    Parameters and errors are those of `held`; values stand at the begin of the series' steps and
    the last one holds on.
    """
    fine_s = gcd(timeline.step_s, 900)
    mapping = _mapped(series, timeline, fine_s, fine_s // 2, by_weekday=by_weekday)
    offset = (mapping.times - series.start).astype(np.float64)
    stamps = np.arange(len(series.values), dtype=np.float64) * series.step_s
    return _mean(np.interp(offset, stamps, series.values), timeline), mapping.foreign


def _mapped(
    series: Series, timeline: Timeline, fine_s: int, offset_s: int, *, by_weekday: bool = True
) -> Mapping:
    """Return source moments of sub-steps of the timeline, or refuse a series that is too short."""
    count = timeline.count * (timeline.step_s // fine_s)
    seconds = np.arange(count, dtype=np.int64) * fine_s + offset_s
    times = timeline.start + seconds.astype("timedelta64[s]")
    mapping = map_times(times, timeline.zone, series.start, series.end, by_weekday=by_weekday)
    if mapping is None:
        problem = Problem(
            series.name,
            f"covers {series.start} to {series.end} UTC, the study needs {timeline.start} to"
            f" {timeline.end} UTC",
            "give the whole period, or a whole year that can be mapped by weekday and season",
        )
        raise_problems([problem], "a series is too short")
        raise AssertionError(problem)
    return mapping


def _mean(fine: NDArray[np.float64], timeline: Timeline) -> NDArray[np.float64]:
    """Return means over the sub-steps of each step."""
    parts = len(fine) // timeline.count
    if parts == 1:
        return np.ascontiguousarray(fine)
    mean: NDArray[np.float64] = fine.reshape(timeline.count, parts, *fine.shape[1:]).mean(axis=1)
    return mean
