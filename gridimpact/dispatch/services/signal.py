"""A signal that a fleet follows: one number per few seconds, between full regulation down and full up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError
from gridimpact.records import FloatArray
from gridimpact.timeline import Timeline


@dataclass(frozen=True, eq=False)
class Signal:
    """A regular series of what is asked of every vehicle alike.

    Parameters
    ----------
    name : str
        Named in labels and reports.
    start : numpy.datetime64
        Begin of the first value, naive UTC.
    step_s : int
        Time of one value [s].
    values : array_like
        (tick,) share of the offered band, -1..1; positive is regulation up: less is drawn or more fed.

    Raises
    ------
    InputError
        If there are no values, or one is not finite or outside -1..1.

    Notes
    -----
    Two signals are equal where all of this is; asked beyond its end, a signal begins again, so that a day
    of record may serve a year.

    Examples
    --------
    >>> Signal("test", np.datetime64("2016-01-01"), 4, np.array([0.0, 0.5, -1.0]))
    Signal('test', 3 values of 4 s from 2016-01-01T00:00:00)
    """

    name: str
    start: np.datetime64
    step_s: int
    values: FloatArray

    def __post_init__(self) -> None:
        """Check the values and keep them so that nobody can change them."""
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 1 or values.size == 0:
            message = f"signal {self.name!r} has shape {values.shape}; give one value per tick"
            raise InputError(message)
        wrong = np.flatnonzero(~(np.abs(values) <= 1.0 + 1e-12))
        if wrong.size:
            message = (
                f"signal {self.name!r}: {wrong.size} values are not between -1 and 1, the first is "
                f"{values[wrong[0]]} at tick {wrong[0]}; divide by the capacity that was dispatched"
            )
            raise InputError(message)
        if int(self.step_s) != self.step_s or self.step_s < 1:
            message = f"signal {self.name!r}: step_s is {self.step_s}, give whole seconds from 1 on"
            raise InputError(message)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "start", np.datetime64(self.start).astype("datetime64[s]"))

    @cached_property
    def _content(self) -> str:
        head = f"{self.name}|{self.start}|{self.step_s}|".encode()
        return hashlib.sha256(head + self.values.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        """Return whether both ask the same at the same time."""
        return isinstance(other, Signal) and self._content == other._content

    def __hash__(self) -> int:
        """Return a number that equal signals share."""
        return int(self._content[:15], 16)

    def __repr__(self) -> str:
        """Return name, length and begin."""
        return (
            f"Signal({self.name!r}, {self.values.size} values of {self.step_s} s from {self.start})"
        )

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def ticks_of(self, timeline: Timeline) -> FloatArray:
        """Return the values of each step of a timeline, (time, tick).

        Raises
        ------
        InputError
            If the signal's step does not divide that of the timeline, or the two do not begin a whole
            number of ticks apart.
        """
        offset = int((timeline.start - self.start).astype(np.int64))
        if timeline.step_s % self.step_s or offset % self.step_s:
            message = (
                f"signal {self.name!r} has a value every {self.step_s} s from {self.start}: its ticks do not "
                f"fill the steps of {timeline.step_s} s from {timeline.start}; use a step that divides them"
            )
            raise InputError(message)
        per_step = timeline.step_s // self.step_s
        place = np.arange(timeline.count * per_step, dtype=np.int64) + offset // self.step_s
        return self.values[place % self.values.size].reshape(timeline.count, per_step)

    @property
    def mileage_per_h(self) -> float:
        """Sum of the absolute changes in an hour, in units of the band."""
        hours = (self.values.size - 1) * self.step_s / 3600.0
        return float(np.abs(np.diff(self.values)).sum() / hours) if hours > 0.0 else 0.0


def read_signal(
    source: str | Path,
    *,
    column: str | None = None,
    capacity: float = 1.0,
    start: Any = None,
    step_s: int | None = None,
    up: str = "positive",
) -> Signal:
    """Read a signal from a CSV file.

    Parameters
    ----------
    source : str or Path
        Table with a header; its first column is the time, in seconds or as naive UTC moments.
    column : str, optional
        Column with the values; by default the second.
    capacity : float
        What a value is divided by, the dispatched capacity in the file's unit.
    start : datetime-like, optional
        Begin of the first value, naive UTC; by default the first moment of the file, or 1970 where it
        counts seconds.
    step_s : int, optional
        Time of one value; by default the distance of the file's moments.
    up : str
        "positive" where a positive value of the file feeds the grid, "negative" where it draws from it.

    Returns
    -------
    Signal
        Named after file and column.

    Raises
    ------
    InputError
        If file, column or moments cannot be used; gaps are not filled.
    """
    path = Path(source)
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        message = f"cannot read the signal {str(path)!r}: {error}"
        raise InputError(message) from error
    if table.shape[1] < 2 or (column is not None and column not in table.columns):
        known = ", ".join(map(str, table.columns))
        message = f"signal {str(path)!r} has no column {column or 'with values'!r}; it has {known}"
        raise InputError(message)
    if up not in ("positive", "negative") or not capacity > 0.0:
        message = (
            f"up is {up!r} and capacity {capacity}; use 'positive' or 'negative', and more than 0"
        )
        raise InputError(message)
    name = str(table.columns[1]) if column is None else column
    first, step = _clock(table.iloc[:, 0], str(path))
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64) / capacity
    begin = first if start is None else np.datetime64(pd.Timestamp(start))
    sign = 1.0 if up == "positive" else -1.0
    return Signal(f"{path.stem}:{name}", begin, step_s or step, sign * values)


def _clock(column: pd.Series[Any], where: str) -> tuple[np.datetime64, int]:
    """Return the first moment and the step of a time column in seconds or moments."""
    seconds = pd.to_numeric(column, errors="coerce")
    if seconds.isna().any():
        try:
            moments = pd.DatetimeIndex(pd.to_datetime(column))
        except ValueError as error:
            message = f"signal {where!r}: first column holds neither seconds nor moments ({error})"
            raise InputError(message) from error
        first = np.datetime64(moments[0], "s")
        ticks = np.asarray(moments, dtype="datetime64[s]").astype(np.int64)
    else:
        first, ticks = np.datetime64(0, "s"), seconds.to_numpy(dtype=np.float64).astype(np.int64)
    steps = np.unique(np.diff(ticks))
    if steps.size != 1 or steps[0] <= 0:
        message = f"signal {where!r} is not regular: steps of {steps[:5].tolist()} s; fill its gaps"
        raise InputError(message)
    return first, int(steps[0])
