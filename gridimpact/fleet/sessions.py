"""The sessions table: when which vehicle is plugged in where, and every check a row must pass."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gridimpact.fleet.findings import Finding
from gridimpact.records import BoolArray, IntArray, Note

SESSION_COLUMNS = (
    "vehicle_id",
    "charger_id",
    "plug_in",
    "plug_out",
    "trip_kwh",
    "soc_arrival",
    "soc_target",
)


def session_findings(
    sessions: pd.DataFrame, vehicles: pd.DataFrame, chargers: pd.DataFrame
) -> list[Finding]:
    """Return every rule the sessions break; the table itself is not changed.

    Parameters
    ----------
    sessions : pandas.DataFrame
        Columns of `SESSION_COLUMNS`, times as naive UTC.
    vehicles, chargers : pandas.DataFrame
        Tables of a `gridimpact.records.Fleet`.

    Returns
    -------
    list of Finding
        Empty when the table is sound. Overlaps are looked for among rows with sound times and keys.

    Notes
    -----
    Of two overlapping rows the later one is named. Touching stays do not overlap.
    """
    # An id given twice is the vehicle table's own problem.
    vehicles = vehicles[~vehicles.index.duplicated()]
    findings = [*_key_findings(sessions, vehicles, chargers), *_time_findings(sessions)]
    sound = ~np.any([finding.bad for finding in findings], axis=0)
    findings += _soc_findings(sessions, vehicles)
    findings += _repeat_findings(sessions, sound)
    return [finding for finding in findings if finding.bad.any()]


def _key_findings(
    sessions: pd.DataFrame, vehicles: pd.DataFrame, chargers: pd.DataFrame
) -> list[Finding]:
    findings = []
    for column, table in (("vehicle_id", vehicles), ("charger_id", chargers)):
        values = sessions[column].to_numpy(object)
        bad = ~sessions[column].isin(table.index).to_numpy(bool)
        remedy = f"add it to the {column.removesuffix('_id')}s table"
        if bad.any():
            known = [str(name) for name in table.index]
            first = str(values[np.flatnonzero(bad)[0]])
            near = difflib.get_close_matches(first, known, n=1, cutoff=0.0)
            remedy += f" or write {near[0]!r}" if near else ""
        findings.append(Finding(bad, column, "is unknown", remedy, values))
    twice = sessions.index.duplicated()
    findings.append(
        Finding(
            np.asarray(twice),
            "session_id",
            "occurs twice",
            "give each session its own id",
            list(sessions.index),
        )
    )
    return findings


def _time_findings(sessions: pd.DataFrame) -> list[Finding]:
    plug_in, plug_out = sessions["plug_in"], sessions["plug_out"]
    stay = (plug_out - plug_in).dt.total_seconds().to_numpy(np.float64)
    seen = [
        f"{begin} to {end}"
        for begin, end in zip(plug_in.astype(str), plug_out.astype(str), strict=True)
    ]
    return [
        Finding(
            plug_in.isna().to_numpy(bool), "plug_in", "is missing", "give the time of arrival", seen
        ),
        Finding(
            plug_out.isna().to_numpy(bool),
            "plug_out",
            "is missing",
            "give the time of departure",
            seen,
        ),
        Finding(stay < 0, "plug_out", "lies before plug_in", "check order, zone and clock", seen),
        Finding(stay == 0, "plug_out", "equals plug_in, a stay of no length", "leave it out", seen),
    ]


def _soc_findings(sessions: pd.DataFrame, vehicles: pd.DataFrame) -> list[Finding]:
    arrival = sessions["soc_arrival"].to_numpy(np.float64)
    target = sessions["soc_target"].to_numpy(np.float64)
    trip = sessions["trip_kwh"].to_numpy(np.float64)
    lowest = sessions["vehicle_id"].map(vehicles["soc_min"]).to_numpy(np.float64)
    highest = sessions["vehicle_id"].map(vehicles["soc_max"]).to_numpy(np.float64)
    given = ~np.isnan(arrival)
    inside = (target >= 0) & (target <= 1)
    percent = "looks like percent, divide by 100"
    return [
        Finding(target > 1.5, "soc_target", "must be 0 to 1", percent, target),
        Finding(given & (arrival > 1.5), "soc_arrival", "must be 0 to 1", percent, arrival),
        Finding(
            given & ((arrival < 0) | ((arrival > 1) & (arrival <= 1.5))),
            "soc_arrival",
            "must be 0 to 1",
            "give a share of capacity",
            arrival,
        ),
        Finding(
            ~inside & ~(target > 1.5),
            "soc_target",
            "must be 0 to 1",
            "give a share of capacity",
            target,
        ),
        Finding(
            inside & (target < lowest),
            "soc_target",
            "lies below the vehicle's soc_min",
            "raise the target or lower soc_min",
            target,
        ),
        Finding(
            inside & (target > highest + 1e-9),
            "soc_target",
            "lies above the vehicle's soc_max",
            "lower the target",
            target,
        ),
        Finding(
            ~(trip >= 0),
            "trip_kwh",
            "must be 0 or more",
            "give battery energy driven since the previous departure",
            trip,
        ),
        Finding(np.isinf(trip), "trip_kwh", "is infinite", "give kWh", trip),
    ]


def _repeat_findings(sessions: pd.DataFrame, sound: BoolArray) -> list[Finding]:
    keys = ["vehicle_id", "charger_id", "plug_in", "plug_out"]
    same = sessions.duplicated(subset=keys).to_numpy(bool) & sound
    start = sessions["plug_in"].to_numpy("datetime64[s]").astype(np.int64)
    end = sessions["plug_out"].to_numpy("datetime64[s]").astype(np.int64)
    names = list(sessions.index)
    findings = [
        Finding(same, "session", "repeats an earlier row", "remove the duplicate", names),
    ]
    for column, reason in (
        ("charger_id", "overlaps another session at the same charger"),
        ("vehicle_id", "has the vehicle in two places"),
    ):
        codes, _ = pd.factorize(sessions[column])
        rival = overlapped(np.asarray(codes, dtype=np.int64), start, end, sound & ~same)
        values = [
            f"{sessions[column].iloc[row]} also in {names[other]}" if other >= 0 else ""
            for row, other in enumerate(rival)
        ]
        remedy = "shorten or remove one of the two"
        findings.append(Finding(rival >= 0, column, reason, remedy, values))
    return findings


def overlapped(key: IntArray, start: IntArray, end: IntArray, counted: BoolArray) -> IntArray:
    """Return for each row the earlier kept row of the same key it overlaps, -1 for none.

    Parameters
    ----------
    key : numpy.ndarray of int
        (row,) charger or vehicle.
    start, end : numpy.ndarray of int
        (row,) times in seconds.
    counted : numpy.ndarray of bool
        (row,) rows to look at; the others get -1.

    Notes
    -----
    Rows are taken by start, then by end; a row that overlaps a kept one is not kept itself, so one
    faulty long stay does not hide behind the rows it was compared with.

    Examples
    --------
    >>> times = np.array([0, 5, 10]), np.array([6, 10, 12])
    >>> overlapped(np.zeros(3, dtype=int), *times, np.ones(3, dtype=bool)).tolist()
    [-1, 0, -1]
    """
    rival = np.full(key.size, -1, dtype=np.int64)
    rows = np.flatnonzero(counted)
    rows = rows[np.lexsort((rows, end[rows], start[rows], key[rows]))]
    last_key, last_end, last_row = None, 0, -1
    keys, starts, ends = key.tolist(), start.tolist(), end.tolist()
    for row in rows.tolist():
        if keys[row] == last_key and starts[row] < last_end:
            rival[row] = last_row
            continue
        last_key, last_end, last_row = keys[row], ends[row], row
    return rival


def session_notes(
    sessions: pd.DataFrame, vehicles: pd.DataFrame, chargers: pd.DataFrame
) -> list[Note]:
    """Return what is allowed but worth knowing: needs that cannot be met, targets already reached.

    Only sessions that state their arrival can be judged here; the others follow from driving.
    """
    if sessions.empty:
        return [Note("info", "sessions", "No session: the study equals the base case.")]
    hours = (sessions["plug_out"] - sessions["plug_in"]).dt.total_seconds().to_numpy() / 3600.0
    car = vehicles.reindex(sessions["vehicle_id"])
    station = chargers.reindex(sessions["charger_id"])
    power = np.minimum(car["p_charge_max_kw"].to_numpy(), station["p_max_kw"].to_numpy())
    rise = (sessions["soc_target"] - sessions["soc_arrival"]).to_numpy(np.float64)
    need = rise * car["capacity_kwh"].to_numpy()
    reach = power * hours * car["eta_charge"].to_numpy()
    notes = []
    short = need > reach + 1e-9
    if short.any():
        missing = float((need - reach)[short].sum())
        text = (
            f"{int(short.sum())} of {len(sessions)} sessions need more energy than power times time "
            f"gives; {missing:.1f} kWh stay unmet at best."
        )
        notes.append(Note("warning", "sessions, infeasible_need", text))
    full = rise < -1e-9
    if full.any():
        text = f"{int(full.sum())} sessions arrive above their target and are not charged."
        notes.append(Note("warning", "sessions, soc_target", text))
    long = hours > 24 * 14
    if long.any():
        text = f"{int(long.sum())} stays last longer than 14 days; check the clock if unexpected."
        notes.append(Note("info", "sessions, plug_out", text))
    return notes


def unique_suffixes(names: Sequence[str]) -> list[str]:
    """Return the names with ``-2``, ``-3`` added to repeated ones.

    Examples
    --------
    >>> unique_suffixes(["a", "b", "a"])
    ['a', 'b', 'a-2']
    """
    seen: set[str] = set()
    count: dict[str, int] = {}
    found = []
    for name in names:
        new = name
        while new in seen:
            count[name] = count.get(name, 1) + 1
            new = f"{name}-{count[name]}"
        seen.add(new)
        found.append(new)
    return found
