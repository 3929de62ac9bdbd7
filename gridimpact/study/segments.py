"""Which days of the timeline are solved: design days, named days or all, with uncounted margins.

A day before lets states of charge and oil settle, a day after lets charging that was put off past
midnight still happen; both are solved, neither is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.records import BoolArray, FloatArray, IntArray
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class Segment:
    """A run of consecutive steps, some of which are counted."""

    name: str
    first: int
    timeline: Timeline
    counted: BoolArray
    """(time,) False in the margins."""

    @property
    def steps(self) -> slice:
        """Steps of the study's timeline."""
        return slice(self.first, self.first + self.timeline.count)


_Span = tuple[str, int, int]
"""Name, first and last local day."""


def choose_segments(
    timeline: Timeline, days: str | Sequence[str], net_load_kw: FloatArray, pv_kw: FloatArray
) -> tuple[Segment, ...]:
    """Return the segments a run solves.

    Parameters
    ----------
    timeline : Timeline
        Of the study.
    days : str or sequence of str
        ``"design"``: winter peak, summer peak, the day of most PV and an ordinary week.
        ``"all"``: every step. Otherwise local dates ``"2016-01-18"`` or ranges
        ``"2016-01-18/2016-01-24"``, both ends included.
    net_load_kw, pv_kw : (time,) arrays
        Sum over sites [kW]; they decide what the design days are.

    Raises
    ------
    InputError
        If a date cannot be read or lies outside the timeline.
    """
    if isinstance(days, str) and days == "all":
        warmup = timeline.steps_per_day if timeline.count >= 3 * timeline.steps_per_day else 0
        return (Segment("all", 0, timeline, np.arange(timeline.count) >= warmup),)
    if isinstance(days, str) and days == "design":
        wanted = _design_days(timeline, net_load_kw, pv_kw)
    else:
        wanted = _named_days(timeline, (days,) if isinstance(days, str) else tuple(days))
    return tuple(_segment(timeline, group) for group in _grouped(wanted))


def _day_bounds(timeline: Timeline) -> IntArray:
    """Return the first step of each local day and, last, the number of steps."""
    starts = np.flatnonzero(np.diff(timeline.local_day, prepend=-1))
    return np.append(starts, timeline.count)


def _design_days(timeline: Timeline, net_load_kw: FloatArray, pv_kw: FloatArray) -> list[_Span]:
    """Return (name, first day, last day) of the design days, inside what the timeline holds."""
    bounds = _day_bounds(timeline)
    whole = np.diff(bounds) * timeline.step_s >= 23 * 3600
    peak = np.where(whole, np.maximum.reduceat(net_load_kw, bounds[:-1]), -np.inf)
    energy = np.where(whole, np.add.reduceat(net_load_kw, bounds[:-1]), np.nan)
    sun = np.where(whole, np.add.reduceat(pv_kw, bounds[:-1]), 0.0)
    month = np.asarray(timeline.local[bounds[:-1]].month)
    winter, summer = np.isin(month, (11, 12, 1, 2, 3)), np.isin(month, (5, 6, 7, 8, 9))
    found = []
    for name, season in (("winter peak", winter), ("summer peak", summer)):
        # Day 0 has no day before it to warm up on.
        usable = np.flatnonzero(season & whole)
        if usable.size:
            day = int(usable[np.argmax(peak[usable])])
            found.append((name, day, day))
    if sun.min() < 0.0:
        day = int(np.argmin(sun))
        found.append(("most PV", day, day))
    weeks = [d for d in range(len(energy) - 6) if timeline.weekday[bounds[d]] == 0]
    if weeks:
        weekly = np.array([np.mean(energy[d : d + 7]) for d in weeks])
        usual = int(np.nanargmin(np.abs(weekly - np.nanmedian(weekly))))
        found.append(("ordinary week", weeks[usual], weeks[usual] + 6))
    return found or [("all days", 0, len(energy) - 1)]


def _named_days(timeline: Timeline, days: tuple[str, ...]) -> list[_Span]:
    """Return (name, first day, last day) of dates and ranges, all problems at once."""
    first_date = timeline.local[0].tz_localize(None).normalize()
    last_day = int(timeline.local_day[-1])
    found, problems = [], []
    for text in days:
        parts = str(text).split("/")
        try:
            begin, end = (pd.Timestamp(p.strip()) for p in (parts[0], parts[-1]))
        except ValueError:
            problems.append(
                Problem(
                    "days",
                    f"{text!r} is no ISO date or range",
                    "write 'design', 'all', '2016-01-18' or '2016-01-18/2016-01-24'",
                )
            )
            continue
        low, high = (begin - first_date).days, (end - first_date).days
        if low < 0 or high > last_day or high < low:
            last_date = (first_date + pd.Timedelta(days=last_day)).date()
            problems.append(
                Problem(
                    "days",
                    f"{text} lies outside the timeline {first_date.date()} to {last_date}",
                    "choose days inside it, first before last",
                )
            )
            continue
        found.append((str(text), low, high))
    raise_problems(problems, "days to run")
    return found


def _grouped(wanted: list[_Span]) -> list[list[_Span]]:
    """Return spans in groups; those whose margins meet are solved in one piece."""
    groups: list[list[_Span]] = []
    reach = -1
    for span in sorted(wanted, key=lambda entry: (entry[1], entry[2])):
        if groups and span[1] - 1 <= reach:
            groups[-1].append(span)
        else:
            groups.append([span])
        reach = max(reach, span[2] + 1)
    return groups


def _segment(timeline: Timeline, spans: list[_Span]) -> Segment:
    """Return the segment that holds `spans`, with a day before and after where there is one."""
    bounds = _day_bounds(timeline)
    low, high = spans[0][1], max(span[2] for span in spans)
    first, last = int(bounds[max(low - 1, 0)]), int(bounds[min(high + 2, len(bounds) - 1)])
    counted = np.zeros(last - first, dtype=np.bool_)
    for _, begin, end in spans:
        counted[bounds[begin] - first : bounds[end + 1] - first] = True
    names = ", ".join(dict.fromkeys(name for name, _, _ in spans))
    return Segment(names, first, timeline.part(first, last - first), counted)
