"""What tables, figures and words look up in a study result: steps, names, limits, worst moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.conventions import VARIABLES
from gridimpact.records import BoolArray, FloatArray, Note, StudyResult
from gridimpact.report.style import NO_EV, UNCONTROLLED, is_number, strategy_colours

YEAR_H = 364 * 24.0
DATES_NAMED = 5
"""Runs of days named one by one; the others are counted."""


def strategies(result: StudyResult) -> list[str]:
    """Return the strategy labels, no added EV and uncontrolled first."""
    labels = [str(label) for label in comparison(result).index]
    first = [label for label in (NO_EV, UNCONTROLLED) if label in labels]
    return first + [label for label in labels if label not in first]


def comparison(result: StudyResult) -> pd.DataFrame:
    """Return the comparison indexed by strategy label."""
    frame = result.comparison
    return frame.set_index("strategy") if "strategy" in frame.columns else frame


def figure(result: StudyResult, strategy: str, metric: str) -> float:
    """Return one figure of the comparison, NaN where it was not assessed."""
    frame = comparison(result)
    if metric not in frame.columns or strategy not in frame.index:
        return float("nan")
    value = frame.at[strategy, metric]
    return float(str(value)) if is_number(value) else float("nan")


def colours(result: StudyResult) -> dict[str, str]:
    """Return the colour of each strategy of the result."""
    return strategy_colours(strategies(result))


def zone(result: StudyResult) -> str:
    """Return the local zone of the study."""
    return str(result.dataset.attrs.get("zone", "UTC"))


def counted(result: StudyResult) -> BoolArray:
    """Return which steps count, shape (time,); all where the result does not say."""
    data = result.dataset
    if "counted" in data.coords:
        return np.asarray(data["counted"].values, dtype=np.bool_)
    return np.ones(data.sizes["time"], dtype=np.bool_)


def step_h(result: StudyResult) -> float:
    """Return the step [h]."""
    return float(result.dataset.attrs.get("step_s", 900)) / 3600.0


def local_times(result: StudyResult) -> pd.DatetimeIndex:
    """Return the begin of every step in the local zone."""
    index = pd.DatetimeIndex(result.dataset["time"].values)
    return index.tz_localize("UTC").tz_convert(zone(result))


def moment(stamp: Any, name_of_zone: str) -> str:
    """Return a naive UTC moment as local weekday, date and clock.

    Examples
    --------
    >>> moment("2024-01-16T18:15", "Europe/Berlin")
    'Tue 16 Jan 19:15'
    """
    local = pd.Timestamp(stamp).tz_localize("UTC").tz_convert(name_of_zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def values(result: StudyResult, name: str, strategy: str, steps: slice = slice(None)) -> FloatArray:
    """Return a variable of one strategy over all steps, or some; NaN where it is not stored."""
    data = result.dataset
    if name not in data or strategy not in data["strategy"].values:
        element = VARIABLES[name].dims[-1]
        count = len(range(data.sizes["time"])[steps])
        return np.full((count, data.sizes.get(element, 1)), np.nan)
    array = data[name].sel(strategy=strategy).isel(time=steps)
    return np.asarray(array.values, dtype=np.float64)


def counted_values(result: StudyResult, name: str, strategy: str) -> FloatArray:
    """Return a variable of one strategy with steps that do not count set to NaN."""
    array = values(result, name, strategy).copy()
    array[~counted(result)] = np.nan
    return array


def three_phase(result: StudyResult) -> bool:
    """Return whether voltages are those of each phase."""
    return "vm_pu" in result.dataset and "phase" in result.dataset["vm_pu"].dims


def phase_words(phase: int) -> str:
    """Return a phase as the end of a name, "" where all three are one.

    Examples
    --------
    >>> phase_words(1), phase_words(-1)
    (', phase b', '')
    """
    return f", phase {'abc'[phase]}" if phase >= 0 else ""


def limits(result: StudyResult) -> Mapping[str, Any]:
    """Return the limit profile as stored in the manifest."""
    found = result.manifest.get("limits", {})
    return found if isinstance(found, Mapping) else {"name": str(found)}


_LIMIT_KEYS: Mapping[str, tuple[str, ...]] = {
    "transformer_loading_max_percent": (
        "transformer_loading_max_percent",
        "transformer_loading_percent",
        "transformer_max_percent",
    ),
    "line_loading_max_percent": (
        "line_loading_max_percent",
        "line_loading_percent",
        "line_max_percent",
    ),
    "hot_spot_max_c": ("hot_spot_max_c", "hot_spot_c", "hot_spot_limit_c"),
    "top_oil_max_c": ("top_oil_max_c", "top_oil_c"),
    "ageing_equivalent": ("ageing_equivalent", "ageing_equivalent_max", "ageing_max"),
}


def limit(result: StudyResult, metric: str) -> float:
    """Return the limit of a metric, NaN where the profile sets none."""
    profile = limits(result)
    for key in _LIMIT_KEYS.get(metric, (metric,)):
        if is_number(profile.get(key)):
            return float(profile[key])
    return float("nan")


def over_limit(result: StudyResult, metric: str, value: float) -> bool:
    """Return whether a figure lies outside its limit."""
    bound = limit(result, metric)
    if not (is_number(value) and is_number(bound)):
        return False
    return value > bound


def cars_controlled(result: StudyResult, strategy: str) -> str:
    """Return how many cars a strategy controls of how many, or "-" without cars."""
    cars = figure(result, strategy, "cars")
    if not is_number(cars) or cars <= 0 or strategy == NO_EV:
        return "-"
    own = figure(result, strategy, "cars_controlled")
    if not is_number(own):
        own = float(_settings(result, strategy).get("cars_controlled", 0) or 0)
    return f"{int(own)} of {int(cars)}"


def _settings(result: StudyResult, strategy: str) -> Mapping[str, Any]:
    all_settings = result.manifest.get("strategies", {})
    found = all_settings.get(strategy, {}) if isinstance(all_settings, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def foresight(result: StudyResult, strategy: str) -> str:
    """Return what a strategy knows of the future, as the manifest says it."""
    return str(_settings(result, strategy).get("foresight", ""))


def is_year(result: StudyResult) -> bool:
    """Return whether the assessed time covers a year, so that annual figures may be given."""
    hours = [figure(result, label, "hours_assessed") for label in strategies(result)]
    known = [hour for hour in hours if is_number(hour)]
    return bool(known) and min(known) >= YEAR_H


def period(result: StudyResult) -> str:
    """Return the assessed time in words: "a year", "14 days" or "6 h"."""
    if is_year(result):
        return "a year"
    days = float(counted(result).sum()) * step_h(result) / 24.0
    return f"{days:.0f} days" if days >= 1.5 else f"{days * 24:.0f} h"


def within(result: StudyResult) -> str:
    """Return the assessed time as the end of a phrase: "a year" or "in 14 days"."""
    return period(result) if is_year(result) else f"in {period(result)}"


def dates(result: StudyResult) -> str:
    """Return the assessed days in words, each run of days by itself.

    "18-24 Jan and 18-24 Jul 2016 (14 days)" is two weeks, not the half year they span.
    """
    days = local_times(result)[counted(result)].normalize().tz_localize(None).unique()
    if not len(days):
        return "nothing"
    breaks = np.flatnonzero(np.diff(days.to_numpy()) > np.timedelta64(1, "D")) + 1
    runs = [(run[0], run[-1]) for run in np.split(np.asarray(days), breaks)]
    ends = [(pd.Timestamp(first), pd.Timestamp(last)) for first, last in runs]
    one_year = days[0].year == days[-1].year
    told = [_run_words(first, last, year=not one_year) for first, last in ends[:DATES_NAMED]]
    if len(ends) > DATES_NAMED:
        told.append(f"{len(ends) - DATES_NAMED} more")
    words = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    count = f"{len(days)} day{'s' if len(days) != 1 else ''}"
    return f"{words}{f' {days[0].year}' if one_year else ''} ({count})"


def _run_words(first: pd.Timestamp, last: pd.Timestamp, *, year: bool) -> str:
    """Return a run of days: "18-24 Jan", "28 Jan - 3 Feb", with the year where asked."""
    end = f"{last.day} {last:%b}{f' {last.year}' if year else ''}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}-{end}"
    own = f" {first.year}" if year and first.year != last.year else ""
    return f"{first.day} {first:%b}{own} - {end}"


@dataclass(frozen=True, slots=True)
class Worst:
    """The highest value of a variable: where on its element axis, when and how much."""

    value: float
    step: int
    position: int


def worst(result: StudyResult, name: str, strategy: str) -> Worst | None:
    """Return the highest counted value of a variable, or None where nothing was assessed."""
    array = counted_values(result, name, strategy)
    if not np.isfinite(array).any():
        return None
    step, position = np.unravel_index(np.nanargmax(array), array.shape)
    return Worst(float(array[step, position]), int(step), int(position))


def hours_beyond(result: StudyResult, name: str, strategy: str, bound: float) -> float:
    """Return the counted time [h] with any element above a bound."""
    # NaN, a failed or uncounted step, is above nothing.
    beyond = counted_values(result, name, strategy) > bound
    return float(beyond.any(axis=1).sum()) * step_h(result)


def network_buses(result: StudyResult) -> BoolArray:
    """Return the buses whose voltage is shown: of low voltage, else of medium voltage, else all."""
    grid = result.network.grid
    shown = np.asarray(grid.bus_supplied, dtype=np.bool_)
    for highest_kv in (1.0, 36.0):
        part = shown & (np.asarray(grid.bus_vn_kv) <= highest_kv)
        if part.any():
            return part
    return shown


def element_names(result: StudyResult, kind: str) -> list[str]:
    """Return the names of ``bus``, ``line`` or ``transformer``, the index where a name is empty."""
    grid = result.network.grid
    names = getattr(grid, f"{kind}_name")
    index = getattr(grid, f"{kind}_index")
    return [
        str(n) if str(n).strip() and str(n) != "None" else f"{kind} {i}"
        for n, i in zip(names, index, strict=True)
    ]


def all_notes(result: StudyResult) -> list[Note]:
    """Return every note of network, fleet, assessments and study once, in that order."""
    sources = [result.network.notes, result.fleet.notes, result.notes]
    sources += [assessment.notes for assessment in result.assessments.values()]
    return list(dict.fromkeys(note for notes in sources for note in notes))


def lanes(result: StudyResult) -> tuple[int, int]:
    """Return failed and all lanes of the study."""
    failed = total = 0.0
    for label in strategies(result):
        total += np.nan_to_num(figure(result, label, "lanes"))
        failed += np.nan_to_num(figure(result, label, "lanes_failed"))
    if total == 0:
        total = float(result.manifest.get("steps", 0) or 0)
        failed = float(result.manifest.get("steps_failed", 0) or 0)
    return int(failed), int(total)
