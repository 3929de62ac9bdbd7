"""Violations that only a longer time shows: weeks outside a band, a year of fast ageing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.assess.causes import Causes
from gridimpact.assess.findings import Findings
from gridimpact.assess.unbalance import out_of_share
from gridimpact.assess.weeks import WeekFindings
from gridimpact.records import BoolArray, IntArray

WEEKS_NAMED = 2_000
"""Weeks whose cars are looked up, the worst first."""


def phase_names(phase: IntArray) -> list[str]:
    """Return a, b or c, "" for what belongs to all phases.

    Examples
    --------
    >>> phase_names(np.array([1, -1]))
    ['b', '']
    """
    return ["" if k < 0 else "abc"[k] for k in phase]


def voltage_weeks(found: Findings, causes: Causes) -> pd.DataFrame:
    """Return the weeks in which a judged bus kept its band too seldom."""
    limits, weeks = found.context.limits, found.voltage.weeks
    if limits.week is None or not len(weeks.begin):
        return pd.DataFrame()
    broken = (weeks.share[:, 0] < limits.week[2]) & found.voltage.judged
    events = _week_events(found, "voltage_week", weeks, broken, limits.week[2])
    return _with_cars(events, found, causes)


def unbalance_weeks(found: Findings, causes: Causes) -> pd.DataFrame:
    """Return the weeks in which a bus was too unbalanced for too long."""
    unbalance = found.unbalance
    if unbalance is None or unbalance.share is None or not len(unbalance.weeks.begin):
        return pd.DataFrame()
    broken = out_of_share(unbalance)
    events = _week_events(found, "unbalance_week", unbalance.weeks, broken, unbalance.share)
    return _with_cars(events, found, causes)


def _with_cars(events: pd.DataFrame, found: Findings, causes: Causes) -> pd.DataFrame:
    """Name the cars behind each bus by their mean power over its week, the worst weeks first."""
    if not len(events) or not found.cars:
        return events
    buses = pd.Index(found.context.grid.bus_index).get_indexer(pd.Index(events["element"]))
    begin = events["start"].to_numpy().astype("datetime64[s]")
    step_s = round(found.dt_h * 3600.0)
    length = 7 * 86_400 // step_s
    texts = [""] * len(events)
    for k in np.argsort(events["worst"].to_numpy(), kind="stable")[:WEEKS_NAMED]:
        for number, line in found.timelines.items():
            first = int((begin[k] - line.times[0]) / np.timedelta64(step_s, "s"))
            if 0 <= first < line.count:
                last = first + length - 1
                texts[k] = causes.text("bus", int(buses[k]), number, last, steps=length)
    return events.assign(caused_by=texts)


def _week_events(
    found: Findings, kind: str, weeks: WeekFindings, broken: BoolArray, asked: float
) -> pd.DataFrame:
    """Return the marked weeks, (week, bus), as events."""
    grid = found.context.grid
    week, bus = np.nonzero(broken)
    order = np.lexsort((week, bus))
    week, bus = week[order], bus[order]
    return pd.DataFrame(
        {
            "kind": kind,
            "element": grid.bus_index[bus],
            "name": [str(grid.bus_name[k]) for k in bus],
            "phase": "",
            "start": weeks.begin[week],
            "end": weeks.begin[week] + np.timedelta64(7 * 86_400, "s"),
            "duration_h": 168.0,
            "worst": 100.0 * weeks.share[:, 0][week, bus],
            "limit": 100.0 * asked,
            "unit": "%",
            "caused_by": "",
        }
    )


def ageing_events(found: Findings, causes: Causes) -> pd.DataFrame:
    """Return the transformers that age faster than allowed; judged over a year only."""
    limit, thermal = found.context.limits.ageing_equivalent, found.thermal
    if limit is None or thermal is None or not found.is_year:
        return pd.DataFrame()
    grid = found.context.grid
    over = np.flatnonzero(thermal.equivalent[0] > limit)
    number, line = max(found.timelines.items(), key=lambda each: each[1].count)
    cars = [
        causes.text("transformer", int(k), number, line.count - 1, steps=line.count) for k in over
    ]
    return pd.DataFrame(
        {
            "kind": "ageing",
            "element": grid.transformer_index[over],
            "name": [str(grid.transformer_name[k]) for k in over],
            "phase": "",
            "start": line.start,
            "end": line.end,
            "duration_h": found.hours,
            "worst": thermal.equivalent[0][over],
            "limit": limit,
            "unit": "1",
            "caused_by": cars,
        }
    )
