"""The voltage steps of a row put into its assessment: figure, verdict, violations, column, basis."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridimpact.assess.basis import OWN
from gridimpact.assess.limits import LV_MAX_KV, LimitProfile
from gridimpact.assess.period_events import phase_names
from gridimpact.assess.unbalance import FAIL, NOT_ASSESSED, PASS, Verdict
from gridimpact.assess.violations import COLUMNS
from gridimpact.records import Assessment, FloatArray, Grid, IntArray, Note

SUBJECT = "voltage_step"
METRIC = "voltage_step_max_percent"
_HELD = (
    "the voltage step is that of one charger switched at the step of the lowest voltage, taps and reactive "
    "power that answers to voltage held; flicker of repeated steps is not assessed"
)


@dataclass(frozen=True)
class FoundSteps:
    """Voltage steps, arrays over (connection,)."""

    bus: IntArray
    step_pu: FloatArray
    """NaN where a power flow failed."""
    phase: IntArray
    """0, 1 or 2; -1 where the three are one."""
    from_kw: FloatArray
    to_kw: FloatArray
    car: tuple[str, ...]
    moment: np.datetime64
    """Begin of the study's step at which the chargers switch."""
    dt_h: float
    one_phase_as_three: bool
    """A balanced flow spread a charger of one phase over three: its step is larger than told."""


def with_steps(
    assessment: Assessment,
    limits: LimitProfile,
    grid: Grid,
    found: FoundSteps | None,
    reason: str = "",
) -> Assessment:
    """Return an assessment with what is known of the voltage steps.

    Parameters
    ----------
    assessment : Assessment
        Not yet compared with the case without added cars.
    limits : LimitProfile
        Judges steps only where it has a limit for them.
    grid : Grid
        Of the network.
    found : FoundSteps or None
        None where nothing switches.
    reason : str
        Why nothing was found, or which connections were left out.
    """
    tables = dict(assessment.tables)
    bound = bounds(limits, grid)
    verdict = _verdict(limits, bound, found, reason)
    row = pd.DataFrame([dataclasses.astuple(verdict)], columns=["subject", "verdict", "reason"])
    tables["verdicts"] = pd.concat([tables["verdicts"], row], ignore_index=True)
    percent = np.full(len(grid.bus_index), np.nan)
    summary, notes = dict(assessment.summary), assessment.notes
    violations = assessment.violations
    if found is not None:
        np.fmax.at(percent, found.bus, 100.0 * found.step_pu)
        known = found.step_pu[~np.isnan(found.step_pu)]
        summary[METRIC] = 100.0 * float(known.max()) if known.size else None
        tables["basis"] = _basis(tables["basis"], summary[METRIC], found)
        events = violations_of(bound, grid, found)
        if len(events):
            violations = events if violations.empty else pd.concat([violations, events])
            violations = violations.reset_index(drop=True)
            summary["violations"] = float(len(violations))
        notes = (*notes, Note("info", "voltage step", _HELD))
    tables["buses"] = tables["buses"].assign(voltage_step_percent=percent)
    return dataclasses.replace(
        assessment,
        summary=MappingProxyType(summary),
        tables=MappingProxyType(tables),
        violations=violations,
        notes=notes,
    )


def bounds(limits: LimitProfile, grid: Grid) -> FloatArray:
    """Return the largest step allowed at each bus [pu], (bus,), inf where the profile asks nothing."""
    low, medium = (
        np.inf if limit is None else limit
        for limit in (limits.step_change_pu, limits.step_change_mv_pu)
    )
    return np.where(np.asarray(grid.bus_vn_kv) <= LV_MAX_KV, low, medium)


def _over(bound: FloatArray, found: FoundSteps) -> np.ndarray:
    return np.asarray(np.greater(found.step_pu, bound[found.bus]))


def _verdict(
    limits: LimitProfile, bound: FloatArray, found: FoundSteps | None, reason: str
) -> Verdict:
    """Return whether any connection steps too far; without a limit nothing is judged."""
    if found is None:
        return Verdict(SUBJECT, NOT_ASSESSED, reason)
    known = ~np.isnan(found.step_pu)
    if not known.any():
        return Verdict(SUBJECT, NOT_ASSESSED, "no switch has a sound power flow")
    failed = int((~known).sum())
    highest = f"highest {100.0 * np.nanmax(found.step_pu):.2f} %"
    tail = "".join(
        f"; {text}"
        for text in (reason, f"{failed} of {len(known)} connections failed" if failed else "")
        if text
    )
    asked = np.isfinite(bound[found.bus])
    if not (asked & known).any():
        text = f"{limits.name} has no limit for it, {highest}{tail}"
        return Verdict(SUBJECT, NOT_ASSESSED, text)
    over = int(_over(bound, found).sum())
    if over:
        return Verdict(SUBJECT, FAIL, f"{over} of {len(known)} connections, {highest}{tail}")
    if found.one_phase_as_three:
        text = f"balanced power flow with chargers on fewer than three phases, {highest}{tail}"
        return Verdict(SUBJECT, NOT_ASSESSED, text)
    if failed or reason:
        return Verdict(SUBJECT, NOT_ASSESSED, f"{highest}{tail}")
    return Verdict(SUBJECT, PASS, f"{int(known.sum())} connections, {highest}")


def violations_of(bound: FloatArray, grid: Grid, found: FoundSteps) -> pd.DataFrame:
    """Return the worst switch of each bus that steps too far, as violations of the step it happens in."""
    rows: dict[int, int] = {}
    for k in np.flatnonzero(_over(bound, found)):
        place = int(found.bus[k])
        if place not in rows or found.step_pu[k] > found.step_pu[rows[place]]:
            rows[place] = int(k)
    chosen = np.array([rows[place] for place in sorted(rows)], dtype=np.int64)
    bus = found.bus[chosen]
    moment = found.moment.astype("datetime64[s]")
    return pd.DataFrame(
        {
            "kind": SUBJECT,
            "element": np.asarray(grid.bus_index)[bus],
            "name": [str(grid.bus_name[k]) for k in bus],
            "phase": phase_names(found.phase[chosen]),
            "start": moment,
            "end": moment + np.timedelta64(round(found.dt_h * 3600.0), "s"),
            "duration_h": found.dt_h,
            "worst": 100.0 * found.step_pu[chosen],
            "limit": 100.0 * bound[bus],
            "unit": "%",
            "caused_by": [_cause(found, int(k)) for k in chosen],
            "origin": "",
        }
    )[COLUMNS]


def _cause(found: FoundSteps, k: int) -> str:
    """Return the car that switches and how far."""
    if found.from_kw[k] < 0.0:
        return f"{found.car[k]} {found.from_kw[k]:.1f} to {found.to_kw[k]:.1f} kW"
    return f"{found.car[k]} {found.to_kw[k]:.1f} kW"


def _basis(table: pd.DataFrame, value: float | None, found: FoundSteps) -> pd.DataFrame:
    """Return the basis of all figures with that of the voltage step."""
    if value is None:
        return table
    count, failed = len(found.step_pu), int(np.isnan(found.step_pu).sum())
    words = f"{failed} of {count} switches failed" if failed else f"all {count} switches"
    row = pd.DataFrame(
        [(METRIC, value, OWN, count - failed, failed, count, words)], columns=table.columns
    )
    return pd.concat([table, row], ignore_index=True)
