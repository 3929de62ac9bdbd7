"""One series of moments and values (prices, temperature, CO2) from a file, a pandas series or an array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.profiles.sampling import Series
from gridimpact.timeline import Timeline


def stamped_csv(path: Path, columns: Sequence[str]) -> tuple[pd.Series, str]:
    """Return the value column of a CSV file, indexed by its first column, and the column's name.

    Parameters
    ----------
    path : pathlib.Path
        Comma-separated, first column ISO stamps (begin of the step), naive ones in UTC.
    columns : sequence of str
        Names the value column may have; a file that has none of them is refused.

    Raises
    ------
    InputError
        If the file cannot be read or does not say what it holds.
    """
    try:
        table = pd.read_csv(path, encoding="utf-8-sig", float_precision="round_trip")
    except (OSError, ValueError) as error:
        message = f"cannot read {path}: {error}"
        raise InputError(message) from error
    found = [column for column in columns if column in table.columns]
    if len(found) != 1 or len(table.columns) < 2:
        wanted = ", ".join(columns)
        message = (
            f"{path} has the columns {', '.join(map(str, table.columns))}; it needs stamps in the"
            f" first column and exactly one of {wanted}, so that the unit is known"
        )
        raise InputError(message)
    return pd.Series(table[found[0]].to_numpy(), index=table.iloc[:, 0], name=path.name), found[0]


def regular_series(values: pd.Series, name: str) -> Series:
    """Return a pandas series indexed by time as a regular series in naive UTC.

    Parameters
    ----------
    values : pandas.Series
        Indexed by stamps; naive ones count as UTC.
    name : str
        Shown in messages.

    Raises
    ------
    InputError
        Lists unreadable, repeated, unsorted and missing stamps and missing values, all at once.
    """
    problems: list[Problem] = []
    try:
        index = pd.DatetimeIndex(pd.to_datetime(values.index, utc=True)).tz_localize(None)
    except (ValueError, TypeError) as error:
        raise_problems(
            [Problem(name, f"stamps cannot be read: {error}", "write 2019-01-31T13:00")], name
        )
        raise
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    if len(index) < 2:
        problems.append(Problem(name, f"has {len(index)} rows, needs at least 2"))
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = index[int(np.argmax(bad))]
        problems.append(
            Problem(name, f"{int(bad.sum())} values are missing or not finite, first at {first}")
        )
    steps = np.diff(index.to_numpy(dtype="datetime64[s]")).astype(np.int64)
    if len(steps) and steps.min() <= 0:
        place = int(np.argmax(steps <= 0)) + 1
        what = "repeated" if steps[place - 1] == 0 else "not in order"
        problems.append(Problem(f"{name} row {place + 1}", f"stamp {index[place]} is {what}"))
    elif len(steps) and steps.min() != steps.max():
        step = int(np.median(steps))
        place = int(np.argmax(steps != step)) + 1
        text = f"step before {index[place]} is {steps[place - 1]} s, the others are {step} s"
        problems.append(Problem(f"{name} row {place + 1}", text, "fill the gap"))
    raise_problems(problems, name)
    return Series(np.datetime64(index[0], "s"), int(steps[0]), numbers, name)


def array_values(
    source: Any, timeline: Timeline, name: str
) -> tuple[NDArray[np.float64] | None, Series | None]:
    """Return an array as values on the timeline, or as hours of the study's year from 00:00 UTC.

    Parameters
    ----------
    source : array_like
        (time,) of the timeline, or the 8,760 or 8,784 hours of the timeline's local year.
    timeline : Timeline
        Steps of the study.
    name : str
        Shown in messages.

    Returns
    -------
    numpy.ndarray or None
        Values on the timeline.
    Series or None
        Hours of the year, where the length says so.

    Raises
    ------
    InputError
        If the length fits neither or a value is not finite.
    """
    try:
        values = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = f"{name}: {type(source).__name__} cannot be read as numbers: {error}"
        raise InputError(message) from error
    year = int(timeline.local[0].year)
    hours = len(Timeline.year(year, step="60min").times)
    problems = []
    if values.ndim != 1 or len(values) not in (timeline.count, hours):
        text = f"has shape {values.shape}, needs {timeline.count} steps or {hours} hours of {year}"
        problems.append(Problem(name, text, "give one value per step, or a series with stamps"))
    if not np.isfinite(values).all():
        bad = int(np.argmax(~np.isfinite(values.ravel())))
        problems.append(Problem(f"{name} step {bad}", "is missing or not finite"))
    raise_problems(problems, name)
    if len(values) == timeline.count:
        return values, None
    return None, Series(np.datetime64(f"{year}-01-01T00:00:00", "s"), 3600, values, name)
