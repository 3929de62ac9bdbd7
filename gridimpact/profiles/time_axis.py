"""Stamps of a measured table as one regular axis in UTC, with everything wrong in them listed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import Problem
from gridimpact.profiles.text_table import Dialect

_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?"
_OFFSET = r".*(Z|[+-]\d{2}:?\d{2})$"
_LISTED = 4
# A step that makes up this share of the rows is a resolution of its own, not a fault.
_SECOND_STEP = 0.05


@dataclass(frozen=True)
class Axis:
    """A regular axis and the row of the table at each of its steps, -1 where rows are missing."""

    start: np.datetime64
    step_s: int
    row: NDArray[np.int64]
    missing: str
    """Gaps in words, "" where there are none."""


def row_axis(rows: int) -> Axis:
    """Return the axis of a table whose stamps are wrong, so that its values can be checked too."""
    return Axis(np.datetime64("NaT", "s"), 900, np.arange(rows, dtype=np.int64), "")


def regular_axis(
    stamps: pd.Series | pd.DatetimeIndex,
    stamp: str,
    zone: str | None,
    dialect: Dialect,
    problems: list[Problem],
) -> Axis | None:
    """Return the begin of each step in naive UTC, or None after noting what is wrong.

    Parameters
    ----------
    stamps : pandas.Series or pandas.DatetimeIndex
        Text or moments, naive local or with an offset.
    stamp : str
        "start" or "end" of the interval.
    zone : str or None
        Zone of naive stamps.
    dialect : Dialect
        ``date_format`` and ``fold``.
    problems : list of Problem
        Grows.
    """
    moments = _parsed(stamps, dialect, problems)
    if moments is None:
        return None
    utc = _in_utc(moments, zone, dialect, problems)
    if utc is None:
        return None
    return _regular(utc, stamp, problems)


def _parsed(
    stamps: pd.Series | pd.DatetimeIndex, dialect: Dialect, problems: list[Problem]
) -> pd.DatetimeIndex | None:
    """Return stamps as moments."""
    if isinstance(stamps, pd.DatetimeIndex) or pd.api.types.is_datetime64_any_dtype(stamps):
        return pd.DatetimeIndex(stamps)
    if pd.api.types.is_numeric_dtype(stamps):
        problems.append(Problem("time", "holds numbers, not stamps", "write 2016-01-31T13:00"))
        return None
    text = stamps.astype(str).str.strip()
    if not dialect.date_format:
        iso = text.str.fullmatch(_ISO)
        if not iso.all():
            row = int(np.argmax(~iso.to_numpy()))
            problems.append(
                Problem(
                    f"time row {row + 1}",
                    f"{text.iloc[row]!r} is not ISO; day and month could be mistaken",
                    "give date_format, for example '%d.%m.%Y %H:%M'",
                )
            )
            return None
    offset = bool(text.str.fullmatch(_OFFSET).all()) or "%z" in dialect.date_format
    layout = dialect.date_format or "ISO8601"
    moments = pd.to_datetime(text, format=layout, errors="coerce", utc=offset)
    wrong = moments.isna().to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        text_of = f"{int(wrong.sum())} stamps cannot be read, first {text.iloc[row]!r}"
        problems.append(Problem(f"time row {row + 1}", text_of, "24:00 is 00:00 of the next day"))
        return None
    return pd.DatetimeIndex(moments)


def _in_utc(
    moments: pd.DatetimeIndex, zone: str | None, dialect: Dialect, problems: list[Problem]
) -> NDArray[np.datetime64] | None:
    """Return moments in naive UTC; local times that do not exist or exist twice are noted."""
    if moments.tz is not None:
        return np.asarray(moments.tz_convert("UTC").tz_localize(None), dtype="datetime64[s]")
    if zone is None:
        problems.append(
            Problem("zone", "is not declared", "give zone='Europe/Berlin', 'UTC' or the like")
        )
        return None
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        problems.append(Problem("zone", f"{zone!r} is unknown", "use an IANA name"))
        return None
    summer = np.ones(len(moments), dtype=bool)
    real = moments.tz_localize(zone, ambiguous=summer, nonexistent="NaT")
    once = moments.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    twice, skipped = np.asarray(once.isna()), np.asarray(real.isna())
    found = len(problems)
    if skipped.any():
        row = int(np.argmax(skipped))
        problems.append(
            Problem(
                f"time row {row + 1}",
                f"{moments[row]} does not exist in {zone} (clocks go forward)",
                "if the meter keeps winter time give its fixed zone, such as 'Etc/GMT-1', or 'UTC'",
            )
        )
    if twice.any() and not dialect.fold:
        row = int(np.argmax(twice))
        problems.append(
            Problem(
                f"time row {row + 1}",
                f"{moments[row]} exists twice in {zone} (clocks go back)",
                "give fold='infer' if both hours are there in order, or a fixed zone or 'UTC'",
            )
        )
    if len(problems) > found:
        return None
    in_summer = summer == (dialect.fold != "second")
    if dialect.fold == "infer":
        in_summer = _first_of_two(moments, twice)
        for day in np.unique(moments[twice].normalize()):
            rows = twice & np.asarray(moments.normalize() == day)
            if in_summer[rows].all():
                text = f"'infer' finds the repeated hour of {np.datetime64(day, 'D')} only once"
                problems.append(Problem("fold", text, "say 'first' or 'second', or a fixed zone"))
                return None
    local = moments.tz_localize(zone, ambiguous=in_summer)
    return np.asarray(local.tz_convert("UTC").tz_localize(None), dtype="datetime64[s]")


def _first_of_two(moments: pd.DatetimeIndex, twice: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which stamps lie before the clock goes back: until it does, among those that exist twice."""
    wall = moments.to_numpy(dtype="datetime64[s]")
    days = wall.astype("datetime64[D]")
    first = np.ones(len(wall), dtype=bool)
    places = [int(place) for place in np.flatnonzero(twice)]
    for before, place in pairwise(places):
        if days[before] == days[place]:
            first[place] = first[before] and wall[place] > wall[before]
    return first


def _regular(utc: NDArray[np.datetime64], stamp: str, problems: list[Problem]) -> Axis | None:
    """Return the regular axis of moments; repeated, unsorted and mixed steps are noted."""
    if len(utc) < 2:
        problems.append(Problem("time", f"has {len(utc)} rows, needs at least 2"))
        return None
    steps = np.diff(utc).astype(np.int64)
    found = len(problems)
    for wrong, what, remedy in (
        (steps == 0, "repeats the row before", "drop the repeated rows"),
        (steps < 0, "is earlier than the row before", "sort the rows by time"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong)) + 1
            text = f"{utc[row]} UTC {what}; {int(wrong.sum())} such rows"
            problems.append(Problem(f"time row {row + 1}", text, remedy))
    ahead = steps[steps > 0]
    if len(ahead) == 0:
        return None
    sizes, counts = np.unique(ahead, return_counts=True)
    step = int(sizes[np.argmax(counts)])
    frequent = sizes[counts > _SECOND_STEP * len(ahead)]
    if len(frequent) > 1 or bool((ahead % step != 0).any()):
        minutes = ", ".join(f"{size / 60:g}" for size in sizes[np.argsort(-counts)][:_LISTED])
        problems.append(
            Problem("time", f"steps are mixed: {minutes} min", "bring the table to one step first")
        )
    if 86_400 % step:
        problems.append(Problem("time", f"step of {step} s does not divide a day"))
    if len(problems) > found:
        return None
    place = np.concatenate([[0], np.cumsum(steps // step)])
    rows = np.full(int(place[-1]) + 1, -1, dtype=np.int64)
    rows[place] = np.arange(len(utc))
    gaps = np.flatnonzero(steps > step)
    listed = [f"{utc[gap]} to {utc[gap + 1]} UTC" for gap in gaps[:_LISTED]]
    more = f" and {len(gaps) - _LISTED} more" if len(gaps) > _LISTED else ""
    start = utc[0] - (np.timedelta64(step, "s") if stamp == "end" else np.timedelta64(0, "s"))
    return Axis(start, step, rows, ", ".join(listed) + more)
