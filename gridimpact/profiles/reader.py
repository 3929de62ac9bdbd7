"""Measured loads of a planner's own sites, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.profiles.calendar import mapping_text
from gridimpact.profiles.plausibility import checked_values, filled, without_feed
from gridimpact.profiles.sampling import Series, held
from gridimpact.profiles.text_table import (
    Dialect,
    TextFormat,
    dialect_of,
    numbers,
    text_table,
    time_column,
)
from gridimpact.profiles.time_axis import Axis, regular_axis, row_axis
from gridimpact.records import FloatArray, Note, Profiles
from gridimpact.timeline import Timeline

_TO_KW = {"p_kw": 1.0, "p_w": 1e-3, "p_mw": 1e3}
_TO_KWH = {"energy_kwh": 1.0, "energy_wh": 1e-3, "energy_mwh": 1e3}
_FILLS = ("interpolate", "previous_week")
_PV, _Q = ".pv", ".q_kvar"


@dataclass(frozen=True)
class _Table:
    """What was read: values as in the source, one column per heading."""

    axis: Axis
    heading: tuple[str, ...]
    values: FloatArray


def read_profiles(
    source: Any,
    *,
    quantity: str | None = None,
    stamp: str | None = None,
    zone: str | None = None,
    columns: Mapping[str, str] | None = None,
    timeline: Timeline | None = None,
    fill: str | None = None,
    **text: Unpack[TextFormat],
) -> Profiles:
    """Return measured profiles of sites from a CSV file or a frame.

    Parameters
    ----------
    source : path or pandas.DataFrame
        One row per interval and one column per site; headings are site ids and stay text, so that
        leading zeros are kept. A heading ``site.pv`` is that site's PV (either sign), ``site.q_kvar``
        its reactive power. A frame may carry its stamps as index.
    quantity : str
        What a value is: ``"energy_kwh"`` (or ``energy_wh``, ``energy_mwh``) per interval, or
        ``"p_kw"`` (``p_w``, ``p_mw``), the mean over it. Must be given.
    stamp : str
        Whether stamps name the ``"start"`` or the ``"end"`` of the interval. Must be given.
    zone : str, optional
        IANA zone of stamps that carry no offset; must be given for those.
    columns : mapping, optional
        ``{"time": heading, site: heading}``; with a site in it, only the columns named are read.
    timeline : Timeline, optional
        Steps of the study; energy is conserved. A foreign year is mapped by weekday and season, 29
        February dropped. Without it the data's own steps.
    fill : str, optional
        What to do with missing values: ``"interpolate"`` or ``"previous_week"``. Otherwise refused.
    **text : TextFormat
        ``decimal separator encoding date_format fold negative largest_kw``.

    Returns
    -------
    Profiles
        Loads positive, PV never above zero; every assumption and doubt is in ``notes``.

    Raises
    ------
    InputError
        Lists everything wrong at once.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"0017": [0.5, 1.0]},
    ...     index=pd.to_datetime(["2016-01-01 00:15", "2016-01-01 00:30"]),
    ... )
    >>> loads = read_profiles(frame, quantity="energy_kwh", stamp="end", zone="UTC")
    >>> loads.site_id, loads.load_p_kw.ravel().tolist(), str(loads.timeline.start)
    (('0017',), [2.0, 4.0], '2016-01-01T00:00:00')
    """
    title = Path(source).name if isinstance(source, str | Path) else "profiles"
    problems = _declared(quantity, stamp, fill)
    dialect = dialect_of(text, problems)
    notes: list[Note] = []
    table = _read(source, stamp or "start", zone, columns or {}, (dialect, problems))
    if table is None:
        raise_problems(problems, title)
        raise AssertionError(title)
    scale = _TO_KW.get(quantity or "", 0.0) or _TO_KWH.get(quantity or "", 1.0) * (
        3600.0 / table.axis.step_s
    )
    power = table.values * scale
    power = filled(power, table.axis, table.heading, fill, (problems, notes))
    kind = np.array([_kind(name) for name in table.heading])
    load = power[:, kind == ""]
    site_id = tuple(np.array(table.heading, dtype=object)[kind == ""])
    beside, reactive = (
        _beside(power, table.heading, mark, site_id, problems) for mark in (_PV, _Q)
    )
    load, feed = without_feed(load, site_id, dialect.negative, (problems, notes))
    checked_values(load, site_id, dialect.largest_kw, (problems, notes))
    raise_problems(problems, title)
    parts = [load, feed if beside is None else feed - np.abs(beside)]
    if reactive is not None:
        parts.append(reactive)
    return _profiles(_own(table.axis, zone), timeline, site_id, parts, (title, notes))


def _declared(quantity: str | None, stamp: str | None, fill: str | None) -> list[Problem]:
    """Return what the caller did not declare."""
    problems = []
    known = [*_TO_KW, *_TO_KWH]
    if quantity not in known:
        what = "is not declared" if quantity is None else f"is {quantity!r}"
        problems.append(
            Problem("quantity", what, f"kWh per interval and kW differ: one of {', '.join(known)}")
        )
    if stamp not in ("start", "end"):
        what = "is not declared" if stamp is None else f"is {stamp!r}"
        problems.append(
            Problem("stamp", what, "say 'start' or 'end' of the interval the stamp names")
        )
    if fill is not None and fill not in _FILLS:
        problems.append(Problem("fill", f"is {fill!r}", f"one of {', '.join(_FILLS)}"))
    return problems


def _read(
    source: Any,
    stamp: str,
    zone: str | None,
    columns: Mapping[str, str],
    context: tuple[Dialect, list[Problem]],
) -> _Table | None:
    """Return the table of a file or a frame, or None after noting why not."""
    dialect, problems = context
    frame: pd.DataFrame | None
    if isinstance(source, pd.DataFrame):
        frame = source.copy()
        frame.columns = pd.Index([str(name) for name in frame.columns])
    else:
        frame = text_table(Path(source), dialect, problems)
    if frame is None:
        return None
    stamps: pd.Series | pd.DatetimeIndex
    if isinstance(frame.index, pd.DatetimeIndex) and "time" not in columns:
        stamps = frame.index
    else:
        name = time_column(frame, columns.get("time"), problems)
        if name is None:
            return None
        stamps = frame.pop(name)
        if name == "time_utc" and zone is None:
            zone = "UTC"
    axis = regular_axis(stamps, stamp, zone, dialect, problems)
    headings = {site: name for site, name in columns.items() if site != "time"}
    headings = headings or {str(name): str(name) for name in frame.columns}
    for site, name in headings.items():
        if name not in frame.columns:
            problems.append(Problem(f"columns, {site}: {name!r}", "is no heading of the table"))
        elif not site.strip():
            problems.append(Problem("heading", "a column has no name", "give it its site id"))
    known = {site: name for site, name in headings.items() if name in frame.columns}
    if not known:
        problems.append(Problem("columns", "the table has no column of a site"))
        return None
    values = [numbers(frame[name], site, dialect, problems) for site, name in known.items()]
    if axis is None:
        axis = row_axis(len(frame))
    spread = np.full((len(axis.row), len(values)), np.nan)
    present = axis.row >= 0
    spread[present] = np.column_stack(values)[axis.row[present]]
    return _Table(axis, tuple(known), spread)


def _kind(heading: str) -> str:
    """Return the mark of a heading that is not a load."""
    return next((mark for mark in (_PV, _Q) if heading.endswith(mark)), "")


def _beside(
    power: FloatArray,
    heading: tuple[str, ...],
    mark: str,
    site_id: tuple[str, ...],
    problems: list[Problem],
) -> FloatArray | None:
    """Return the columns with a mark in the order of the sites, zero where a site has none."""
    columns = {
        name.removesuffix(mark): place for place, name in enumerate(heading) if _kind(name) == mark
    }
    if not columns:
        return None
    for site in columns:
        if site not in site_id:
            problems.append(
                Problem(f"heading {site}{mark}", f"has no load column {site!r} beside it")
            )
    found = np.zeros((len(power), len(site_id)))
    for place, site in enumerate(site_id):
        if site in columns:
            found[:, place] = power[:, columns[site]]
    return found


def _own(axis: Axis, zone: str | None) -> Timeline:
    """Return the data's own timeline."""
    return Timeline(axis.start, axis.step_s, len(axis.row), zone or "UTC")


def _profiles(
    own: Timeline,
    timeline: Timeline | None,
    site_id: tuple[str, ...],
    parts: list[FloatArray],
    about: tuple[str, list[Note]],
) -> Profiles:
    """Return the record on the study's timeline."""
    title, notes = about
    if timeline is not None:
        sampled = []
        for part in parts:
            series = Series(own.start, own.step_s, part, title)
            values, foreign = held(series, timeline)
            sampled.append(values)
        if foreign:
            notes.append(
                Note("assumption", title, mapping_text("loads", series.years, timeline.zone))
            )
        if own.step_s != timeline.step_s:
            text = f"steps of {own.step_s} s brought to {timeline.step_s} s, energy conserved"
            notes.append(Note("info", title, text))
        parts = sampled
    for part in parts:
        part.flags.writeable = False
    return Profiles(
        timeline=own if timeline is None else timeline,
        site_id=site_id,
        load_p_kw=parts[0],
        pv_p_kw=parts[1],
        load_q_kvar=parts[2] if len(parts) > 2 else None,
        source=f"measured, {title}",
        calibrated="measured",
        notes=tuple(notes),
    )
