"""Whether measured values can be what they are said to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridimpact.errors import Problem
from gridimpact.profiles.time_axis import Axis
from gridimpact.records import BoolArray, FloatArray, Note

_LISTED = 3
_SPIKE = 10.0
_SMALLEST_KW = 1e-3

Findings = tuple[list[Problem], list[Note]]


def filled(
    power: FloatArray, axis: Axis, heading: tuple[str, ...], fill: str | None, findings: Findings
) -> FloatArray:
    """Return values without gaps: filled as asked and noted, otherwise every gap is a problem.

    Parameters
    ----------
    power : numpy.ndarray
        (time, column), NaN where missing.
    axis : Axis
        Step and missing rows.
    heading : tuple of str
        Columns.
    fill : str or None
        "interpolate", "previous_week" or None.
    findings : tuple
        Problems and notes, which grow.
    """
    problems, notes = findings
    infinite = np.isinf(power)
    for column in np.flatnonzero(infinite.any(axis=0)):
        row = int(np.argmax(infinite[:, column]))
        problems.append(Problem(f"{heading[column]} step {row + 1}", "is infinite"))
    empty = np.isnan(power)
    if not empty.any():
        return power
    if fill is None:
        if axis.missing:
            count = int((axis.row < 0).sum())
            what = f"{count} rows are missing: {axis.missing}"
            problems.append(Problem("time", what, "give fill='interpolate' or 'previous_week'"))
        for column in np.flatnonzero(empty[axis.row >= 0].any(axis=0)):
            text = _ranges(empty[:, column] & (axis.row >= 0), axis)
            remedy = "give fill='interpolate' or 'previous_week'"
            problems.append(Problem(str(heading[column]), f"values are missing: {text}", remedy))
        return np.where(empty, 0.0, power)
    done = _interpolated(power, empty) if fill == "interpolate" else _repeated(power, axis)
    left = np.isnan(done)
    for column in np.flatnonzero(left.any(axis=0)):
        text = _ranges(left[:, column], axis)
        problems.append(Problem(str(heading[column]), f"cannot be filled by {fill!r}: {text}"))
    for column in np.flatnonzero(empty.any(axis=0)):
        count = int(empty[:, column].sum())
        share = 100.0 * count / len(power)
        text = f"{count} missing values ({share:.2f} %) filled by {fill}"
        notes.append(Note("assumption", str(heading[column]), text))
    return np.where(left, 0.0, done)


def _ranges(empty: BoolArray, axis: Axis) -> str:
    """Return runs of missing values as moments."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if np.isnat(axis.start):
        return f"{int(empty.sum())} rows, first {int(starts[0]) + 1}"
    step = np.timedelta64(axis.step_s, "s")
    listed = [
        f"{axis.start + int(first) * step} to {axis.start + int(last) * step} UTC"
        for first, last in zip(starts[:_LISTED], ends[:_LISTED], strict=True)
    ]
    more = f" and {len(starts) - _LISTED} more" if len(starts) > _LISTED else ""
    return ", ".join(listed) + more


def _interpolated(power: FloatArray, empty: BoolArray) -> FloatArray:
    """Return gaps joined by straight lines; a column without any value stays empty."""
    done = power.copy()
    place = np.arange(len(power))
    for column in np.flatnonzero(empty.any(axis=0)):
        known = ~empty[:, column]
        if known.any():
            done[:, column] = np.interp(place, place[known], power[known, column])
    return done


def _repeated(power: FloatArray, axis: Axis) -> FloatArray:
    """Return gaps filled with the values a week before, or a week after where there are none."""
    week = 7 * 86_400 // axis.step_s
    done = power.copy()
    for step in range(week, len(done)):
        hole = np.isnan(done[step])
        if hole.any():
            done[step, hole] = done[step - week, hole]
    for step in range(len(done) - week - 1, -1, -1):
        hole = np.isnan(done[step])
        if hole.any():
            done[step, hole] = done[step + week, hole]
    return done


def without_feed(
    load: FloatArray, site_id: tuple[str, ...], negative: str, findings: Findings
) -> tuple[FloatArray, FloatArray]:
    """Return loads of zero or above and what lay below zero as PV.

    Values below zero are a problem unless they are said to be PV.
    """
    problems, notes = findings
    below = load < 0.0
    if not below.any():
        return load, np.zeros_like(load)
    for column in np.flatnonzero(below.any(axis=0)):
        count, lowest = int(below[:, column].sum()), float(load[:, column].min())
        text = f"{count} values lie below zero, lowest {lowest:.3g} kW"
        if negative == "pv":
            notes.append(
                Note("assumption", site_id[column], f"{text}; taken as PV beyond the home's use")
            )
        else:
            problems.append(
                Problem(
                    site_id[column],
                    text,
                    "give negative='pv' for a meter that nets PV, or a column 'site.pv'",
                )
            )
    return np.maximum(load, 0.0), np.minimum(load, 0.0)


def checked_values(
    load: FloatArray, site_id: tuple[str, ...], largest_kw: float, findings: Findings
) -> None:
    """Note values that look like another unit, dead meters and spikes.

    Parameters
    ----------
    load : numpy.ndarray
        (time, site) [kW].
    site_id : tuple of str
        Sites.
    largest_kw : float
        A median over sites of their medians above it is taken for a wrong unit.
    findings : tuple
        Problems and notes, which grow.
    """
    problems, notes = findings
    if load.size == 0:
        problems.append(Problem("columns", "no load column"))
        return
    middle = np.median(load, axis=0)
    typical = float(np.median(middle))
    if typical > largest_kw:
        problems.append(
            Problem(
                "quantity",
                f"the median site draws {typical:.0f} kW, above {largest_kw:g} kW",
                "W or Wh were meant? Large sites: raise largest_kw",
            )
        )
    if 0.0 < float(load.max()) < _SMALLEST_KW * 100.0 and typical < _SMALLEST_KW:
        notes.append(
            Note("warning", "quantity", f"highest load is {load.max():.2g} kW; MW were meant?")
        )
    dead: NDArray[np.intp] = np.flatnonzero(load.max(axis=0) == 0.0)
    for column in dead:
        notes.append(Note("warning", site_id[column], "is zero throughout"))
    if len(load) < 1000:
        return
    usual = np.quantile(load, 0.999, axis=0)
    spikes = load > _SPIKE * np.where(usual > 0.0, usual, np.inf)
    for column in np.flatnonzero(spikes.any(axis=0)):
        row = int(np.argmax(load[:, column]))
        text = (
            f"{load[row, column]:.3g} kW at step {row + 1} is over 10 times the 99.9 % value"
            f" of {usual[column]:.3g} kW"
        )
        notes.append(Note("warning", site_id[column], text))
