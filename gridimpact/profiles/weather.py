"""Outdoor air temperature on the timeline of a study."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.profiles.calendar import mapping_text, wall_clock
from gridimpact.profiles.catalogue import hourly, is_typical, names_of, path_of, typical_year
from gridimpact.profiles.sampling import Series, held, interpolated
from gridimpact.profiles.stamped import array_values, regular_series, stamped_csv
from gridimpact.records import Ambient, FloatArray
from gridimpact.timeline import Timeline

_MOMENTS = ("air_temp_c", "temperature_c")
_MEANS = ("temp_air_c",)
_IMPOSSIBLE_BELOW_C, _IMPOSSIBLE_ABOVE_C = -95.0, 65.0
_COLDEST_C, _HOTTEST_C = -50.0, 60.0
_EPW_HEADER, _EPW_DRY_BULB, _EPW_MISSING = 8, 6, 99.9


def load_ambient(source: Any, timeline: Timeline) -> Ambient:
    """Return the outdoor air temperature of a study.

    Parameters
    ----------
    source : str, path, array_like, pandas.Series or Ambient
        A packaged name (``germany_2016``, ``tucson``, ``chicago``, ``tampa``, ``seattle``,
        ``fairbanks``), an EnergyPlus weather file (``.epw``), a CSV file (stamps in UTC unless they
        carry an offset; column ``air_temp_c`` for the temperature at the stamp, ``temp_air_c`` for
        the mean over the step it begins), a series with stamps, or one value per step [degC].
    timeline : Timeline
        Steps of the study.

    Returns
    -------
    Ambient
        Mean temperature of each step [degC], values joined by straight lines. A foreign year is
        mapped by weekday and season, a typical year (EPW, TMY3) by date and standard time; `source`
        says so.

    Raises
    ------
    InputError
        If the name is unknown, the file unreadable, the series too short or a value missing.

    Warns
    -----
    UserWarning
        Where the temperature leaves -50 to 60 degC.
    """
    if isinstance(source, Ambient):
        values, text = array_values(source.temp_air_c, timeline, "ambient")[0], source.source
        if values is None:
            message = f"ambient {source.name!r} does not have {timeline.count} steps"
            raise InputError(message)
        name = source.name
    elif isinstance(source, str | Path):
        name, values, text = _named(source, timeline)
    else:
        name, values, text = _given(source, timeline)
    text = _plausible(values, name, text)
    values = np.array(values, dtype=np.float64)
    values.flags.writeable = False
    return Ambient(name, values, text)


def _named(source: str | Path, timeline: Timeline) -> tuple[str, FloatArray, str]:
    """Return temperature of a packaged name or of a file."""
    text = str(source)
    suffix = Path(text).suffix.lower()
    if suffix == ".epw":
        return (Path(text).name, *_typical(read_epw(Path(text)), timeline))
    if suffix == ".csv":
        column, heading = stamped_csv(Path(text), _MOMENTS + _MEANS)
        series = regular_series(column, Path(text).name)
        return (series.name, *_dated(series, timeline, means=heading in _MEANS))
    if text not in names_of("temperature"):
        path_of(text, "temperature")
    if is_typical(text):
        return (text, *_typical(typical_year(text), timeline))
    return (text, *_dated(hourly(text, "temperature"), timeline))


def _given(source: Any, timeline: Timeline) -> tuple[str, FloatArray, str]:
    """Return temperature of a series or an array."""
    if isinstance(source, pd.Series) and isinstance(source.index, pd.DatetimeIndex):
        return ("user series", *_dated(regular_series(source, "ambient"), timeline))
    values, hours = array_values(source, timeline, "ambient")
    if hours is not None:
        return ("user series", *_dated(hours, timeline))
    assert values is not None
    return "user series", values, "given by the user, one value per step"


def _dated(series: Series, timeline: Timeline, *, means: bool = False) -> tuple[FloatArray, str]:
    """Return step means of a series of real days, of moments or of means over its own steps."""
    values, foreign = (held if means else interpolated)(series, timeline)
    text = series.years if means else f"{series.years}, joined by straight lines"
    if foreign:
        text += "; " + mapping_text("temperatures", series.years, timeline.zone)
    return values, text


def _typical(series: Series, timeline: Timeline) -> tuple[FloatArray, str]:
    """Return step means of a typical year, whose clock is local standard time."""
    year = int(timeline.local[0].year)
    probes = np.array([f"{year}-01-01T12:00:00", f"{year}-07-01T12:00:00"], "datetime64[s]")
    # Summer time adds to the standard offset on either hemisphere.
    offset = np.min((wall_clock(probes, timeline.zone) - probes).astype(np.int64))
    start = timeline.start + np.timedelta64(int(offset), "s")
    axis = Timeline(start, timeline.step_s, timeline.count, "UTC")
    values, _ = interpolated(series, axis, by_weekday=False)
    text = f"{series.name}: a typical year mapped by date on the standard time of {timeline.zone}"
    return values, text


def read_epw(path: Path) -> Series:
    """Return the dry-bulb temperature of an EnergyPlus weather file, written as the year 2001.

    Parameters
    ----------
    path : pathlib.Path
        Eight header lines, then 8,760 hourly rows whose stamp is the end of the hour, in local
        standard time; column 7 is the dry-bulb temperature [degC], 99.9 is missing.

    Returns
    -------
    Series
        29 February is dropped.

    Raises
    ------
    InputError
        If the file is no EPW file or misses hours.
    """
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        message = f"cannot read {path}: {error}"
        raise InputError(message) from error
    if not rows or not rows[0] or rows[0][0].strip().upper() != "LOCATION":
        message = f"{path} is no EPW file: its first line does not begin with LOCATION"
        raise InputError(message)
    problems, values = [], []
    for number, row in enumerate(rows[_EPW_HEADER:], start=_EPW_HEADER + 1):
        if len(row) <= _EPW_DRY_BULB or (int(row[1]), int(row[2])) == (2, 29):
            continue
        values.append(float(row[_EPW_DRY_BULB]))
        if values[-1] >= _EPW_MISSING:
            problems.append(Problem(f"{path.name} line {number}", "dry-bulb temperature missing"))
    if len(values) != 8760:
        problems.append(
            Problem(path.name, f"has {len(values)} hours without 29 February, needs 8760")
        )
    raise_problems(problems, str(path))
    ending = np.array(values)
    start = np.datetime64("2001-01-01T00:00:00", "s")
    return Series(start, 3600, np.concatenate([ending[-1:], ending[:-1]]), path.name)


def _plausible(values: FloatArray, name: str, text: str) -> str:
    """Warn of temperatures that no place on earth shows, and return the source's text with it."""
    lowest, highest = float(values.min()), float(values.max())
    if lowest >= _COLDEST_C and highest <= _HOTTEST_C:
        return text
    if lowest < _IMPOSSIBLE_BELOW_C or highest > _IMPOSSIBLE_ABOVE_C:
        message = (
            f"ambient {name!r} reaches from {lowest:.1f} to {highest:.1f}, no air temperature in degrees "
            "Celsius; subtract 273.15 from kelvin, turn Fahrenheit to Celsius"
        )
        raise InputError(message)
    warning = (
        f"ambient {name!r} reaches from {lowest:.1f} to {highest:.1f} degC, outside"
        f" {_COLDEST_C:.0f} to {_HOTTEST_C:.0f}; is it in degrees Celsius?"
    )
    warnings.warn(warning, UserWarning, stacklevel=3)
    return f"{text}; {warning}"
