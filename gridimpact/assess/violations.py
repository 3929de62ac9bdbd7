"""Violations as a table of events, and whose doing they are beside the case without added cars."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridimpact.assess.basis import basis_table
from gridimpact.assess.causes import Causes
from gridimpact.assess.findings import Findings
from gridimpact.assess.period_events import (
    ageing_events,
    phase_names,
    unbalance_weeks,
    voltage_weeks,
)
from gridimpact.records import Assessment, FloatArray, IntArray, Note

COLUMNS = [
    "kind",
    "element",
    "name",
    "phase",
    "start",
    "end",
    "duration_h",
    "worst",
    "limit",
    "unit",
    "caused_by",
    "origin",
]

CAUSES_NAMED = 20_000
"""Events whose cars are looked up, the worst of each kind first."""

TOLERANCE: Mapping[str, float] = MappingProxyType(
    {"pu": 0.001, "%": 1.0, "degC": 1.0, "kVA": 0.1, "1": 0.01, "lanes": np.inf}
)
"""How much deeper beyond its limit a violation must be to count as worse, by unit."""
KIND_TOLERANCE: Mapping[str, float] = MappingProxyType({"unbalance": 0.1})
"""The same by kind, where percent are of something small."""
TOLERANCE_H = 1.0
"""How much longer it must last to count as worse [h]."""


@dataclass(frozen=True)
class _Source:
    """Runs of one kind and the axis their elements lie on."""

    kind: str
    axis: str
    unit: str
    runs: pd.DataFrame
    index: IntArray
    names: Sequence[str]
    feeding: bool | None = None
    steps: int = 1
    """Cars are named by their mean power over this many steps."""


def violations_table(found: Findings) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the violations of scenario 0 as events, and notes on them.

    Parameters
    ----------
    found : Findings
        All figures of one strategy.

    Returns
    -------
    tuple
        Table with the columns of `Assessment.violations`, sorted by kind in the order of judging,
        element and start; `origin` is empty until compared, ``"preexisting"`` without cars.
        Times are naive UTC, `end` is the end of the last step.
    """
    causes = Causes.start(found.context, found.cars)
    parts, notes = [], []
    for source in _sources(found):
        runs = source.runs[source.runs["scenario"] == 0]
        if len(runs):
            parts.append(_events(source, runs, found, causes))
            if found.cars and len(runs) > CAUSES_NAMED:
                text = f"cars are named at the {CAUSES_NAMED} worst of {len(runs)} events"
                notes.append(Note("info", source.kind, text))
    weekly = (make(found, causes) for make in (voltage_weeks, unbalance_weeks, ageing_events))
    parts += [part for part in weekly if len(part)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS}), tuple(notes)
    table = pd.concat(parts, ignore_index=True)
    table["origin"] = "" if found.cars else "preexisting"
    return table[COLUMNS], tuple(notes)


def _sources(found: Findings) -> Iterator[_Source]:
    """Yield what was tracked step by step."""
    grid = found.context.grid
    buses = (grid.bus_index, grid.bus_name)
    lines = (grid.line_index, grid.line_name)
    transformers = (grid.transformer_index, grid.transformer_name)
    yield _Source("voltage_low", "bus", "pu", found.voltage.low, *buses, feeding=False)
    yield _Source("voltage_high", "bus", "pu", found.voltage.high, *buses, feeding=True)
    yield _Source("line_loading", "line", "%", found.lines.runs, *lines)
    yield _Source("transformer_loading", "transformer", "%", found.transformers.runs, *transformers)
    grid3 = (grid.transformer3w_index, grid.transformer3w_name)
    yield _Source("transformer3w_loading", "network", "%", found.transformers3w.runs, *grid3)
    for axis, part, ends in (
        ("line", found.lines, lines),
        ("transformer", found.transformers, transformers),
        ("transformer3w", found.transformers3w, grid3),
    ):
        if part.mean is not None:
            where = "network" if axis == "transformer3w" else axis
            kind, mean = f"{axis}_loading_mean", part.mean
            yield _Source(kind, where, "%", mean.runs, *ends, steps=mean.window_steps)
    if found.unbalance is not None:
        yield _Source("unbalance", "bus", "%", found.unbalance.runs, *buses)
    if found.thermal is not None:
        yield _Source("hot_spot", "transformer", "degC", found.thermal.runs, *transformers)
    names = [str(name) for name in found.context.sites.index]
    sites = (np.arange(len(names)), names)
    met = found.connections
    yield _Source("asymmetry", "site", "kVA", met.asymmetry_runs, *sites)
    yield _Source("fuse_loading", "site", "%", met.fuse_runs, *sites, feeding=False)
    network = (np.array([-1]), ("network",))
    yield _Source("not_converged", "network", "lanes", found.energy.failed, *network)


def _events(source: _Source, runs: pd.DataFrame, found: Findings, causes: Causes) -> pd.DataFrame:
    """Return the runs of one kind as events."""
    runs = runs.sort_values(["element", "segment", "start"], kind="stable")
    element = runs["element"].to_numpy(dtype=np.int64)
    segment = runs["segment"].to_numpy(dtype=np.int64)
    origin = np.array([found.timelines[k].start for k in segment], dtype="datetime64[s]")
    step_s = round(found.dt_h * 3600.0)
    start, end = (runs[name].to_numpy(dtype=np.int64) for name in ("start", "end"))
    order = np.argsort(-runs["excess"].to_numpy(), kind="stable")[:CAUSES_NAMED]
    caused = [""] * len(runs)
    step = runs["step"].to_numpy(dtype=np.int64)
    for k in order if found.cars else ():
        caused[k] = causes.text(
            source.axis,
            int(element[k]),
            int(segment[k]),
            int(step[k]),
            source.feeding,
            source.steps,
        )
    duration = (end - start) * found.dt_h
    lanes = source.unit == "lanes"
    return pd.DataFrame(
        {
            "kind": source.kind,
            "element": source.index[element],
            "name": [str(source.names[k]) for k in element],
            "phase": phase_names(runs["phase"].to_numpy(dtype=np.int64)),
            "start": origin + (start * step_s).astype("timedelta64[s]"),
            "end": origin + (end * step_s).astype("timedelta64[s]"),
            "duration_h": duration,
            "worst": (end - start).astype(np.float64) if lanes else runs["worst"].to_numpy(),
            "limit": runs["limit"].to_numpy(),
            "unit": source.unit,
            "caused_by": caused,
        }
    )


def compare_with_base(assessment: Assessment, base: Assessment) -> Assessment:
    """Tell whose doing each violation is, and price the cars against the case without them.

    Parameters
    ----------
    assessment : Assessment
        A strategy.
    base : Assessment
        The same network, homes and days without added cars.

    Returns
    -------
    Assessment
        The strategy with `origin` of every violation and the figures that need a base:
        ``violations_ev_caused violations_aggravated violations_relieved ev_cost_per_car_eur``.

    Notes
    -----
    Violations are paired by kind and element over all assessed time. ``ev_caused``: the element
    kept this limit in the base case. ``aggravated``: it did not, and its worst value lies further
    beyond the limit by more than 0.001 pu, 1 point (% or degC), 0.1 kVA or 0.01 of normal ageing,
    or it lasts more than 1 h longer. ``preexisting``: otherwise. Relieved are violations of the base case
    on elements that have none now, or milder ones by the same measures.
    """
    own, before = _by_element(assessment.violations), _by_element(base.violations)
    both = own.join(before, how="outer", lsuffix="_now", rsuffix="_base")
    units = both["unit_now"].fillna(both["unit_base"])
    kinds = both.index.get_level_values("kind")
    tolerance = np.array([tolerance_of(k, unit) for k, unit in zip(kinds, units, strict=True)])
    deeper = _difference(both, "depth")
    longer = _difference(both, "hours")
    worse = (deeper > tolerance) | (longer > TOLERANCE_H)
    milder = ((deeper < -tolerance) | (longer < -TOLERANCE_H)) & ~worse
    now = both["hours_now"].notna().to_numpy()
    then = both["hours_base"].notna().to_numpy()
    origin = np.where(~then, "ev_caused", np.where(worse, "aggravated", "preexisting"))
    names = pd.Series(origin, index=both.index)[now]
    table = assessment.violations.copy()
    keys = pd.MultiIndex.from_frame(table[["kind", "element"]])
    table["origin"] = names.reindex(keys).to_numpy(dtype=object)
    relieved = then & (~now | milder)
    counts = {
        "violations_ev_caused": float((table["origin"] == "ev_caused").sum()),
        "violations_aggravated": float((table["origin"] == "aggravated").sum()),
        "violations_relieved": float(both.loc[relieved, "events_base"].sum()),
    }
    summary = dict(assessment.summary) | counts
    summary["ev_cost_per_car_eur"] = _ev_cost_per_car(assessment, base)
    basis = basis_table(summary, assessment.tables.get("basis"))
    return dataclasses.replace(
        assessment,
        summary=MappingProxyType(summary),
        violations=table,
        tables=MappingProxyType({**assessment.tables, "basis": basis}),
    )


def tolerance_of(kind: str, unit: str) -> float:
    """Return how much deeper beyond its limit a violation must be to count as worse, in its unit.

    Examples
    --------
    >>> tolerance_of("voltage_low", "pu"), tolerance_of("unbalance", "%")
    (0.001, 0.1)
    """
    return KIND_TOLERANCE.get(kind, TOLERANCE[unit])


def _by_element(violations: pd.DataFrame) -> pd.DataFrame:
    """Return depth beyond the limit, hours and number of events by kind and element."""
    keys = [violations["kind"], violations["element"]]
    depth = (violations["worst"].astype(float) - violations["limit"].astype(float)).abs()
    frame = pd.DataFrame(
        {
            "depth": depth.groupby(keys).max(),
            "hours": violations["duration_h"].astype(float).groupby(keys).sum(),
            "events": violations["kind"].groupby(keys).size(),
            "unit": violations["unit"].groupby(keys).first(),
        }
    )
    frame.index.names = ["kind", "element"]
    return frame


def _difference(both: pd.DataFrame, what: str) -> FloatArray:
    """Return now less base, zero where either is missing; rounded against noise."""
    now, base = (both[f"{what}_{when}"].astype(float) for when in ("now", "base"))
    return np.asarray((now - base).fillna(0.0).round(9), dtype=np.float64)


def _ev_cost_per_car(assessment: Assessment, base: Assessment) -> float | None:
    """Return the bill over that of the same sites without cars, per car."""
    cars, cost = assessment.summary.get("cars"), assessment.summary.get("cost_eur")
    sites, before = assessment.tables.get("sites"), base.tables.get("sites")
    if not cars or cost is None or sites is None or before is None:
        return None
    with_cars = sites.loc[sites["chargers"] > 0, "site_id"]
    bills = before.set_index("site_id")["cost"].reindex(with_cars)
    if bills.isna().any():
        return None
    return (cost - float(bills.sum())) / cars
