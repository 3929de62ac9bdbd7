"""A fleet from the user's own vehicle, charger and session tables, checked whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet import catalogue
from gridimpact.fleet.battery_columns import OPTIONAL_VEHICLE_COLUMNS, battery_findings
from gridimpact.fleet.findings import Finding, as_problems, no_rejects
from gridimpact.fleet.sessions import SESSION_COLUMNS, session_findings, session_notes
from gridimpact.fleet.vehicle import CHARGER_COLUMNS, VEHICLE_COLUMNS
from gridimpact.records import BoolArray, Fleet, FloatArray, Note

CHARGER_KINDS = ("home", "work", "fleet", "public")
_NEEDED = {
    "vehicles": ("capacity_kwh", "p_charge_max_kw"),
    "chargers": ("p_max_kw",),
    "sessions": ("vehicle_id", "charger_id", "plug_in", "plug_out"),
}


def make_fleet(
    vehicles: pd.DataFrame,
    chargers: pd.DataFrame,
    sessions: pd.DataFrame,
    *,
    notes: Sequence[Note] = (),
) -> Fleet:
    """Return a fleet from own tables, or refuse with every problem at once.

    Parameters
    ----------
    vehicles : pandas.DataFrame
        Indexed by ``vehicle_id``; needs ``capacity_kwh p_charge_max_kw`` [kWh, kW], the other columns
        of `gridimpact.records.Fleet` get packaged defaults. ``soc_knee_discharge
        taper_fraction_discharge idle_kw gross_kwh`` are kept where given.
    chargers : pandas.DataFrame
        Indexed by ``charger_id``; needs ``p_max_kw`` [kW].
    sessions : pandas.DataFrame
        Indexed by ``session_id``; needs ``vehicle_id charger_id plug_in plug_out``. Times are UTC, naive
        or with an offset; ``trip_kwh`` defaults to 0, ``soc_arrival`` to NaN, ``soc_target`` to the
        vehicle's.
    notes : sequence of Note
        Notes to carry along.

    Returns
    -------
    Fleet
        Sorted by nothing: rows keep the user's order.

    Raises
    ------
    InputError
        If a column is missing or a row breaks a rule: unknown keys, times, overlaps, states of charge
        outside 0..1, efficiencies outside 0..1, powers that look like W, capacities of 0.
    """
    given = {"vehicles": vehicles, "chargers": chargers, "sessions": sessions}
    problems = [
        Problem(name, f"column {column!r} is missing", "add it")
        for name, table in given.items()
        for column in _NEEDED[name]
        if column not in table.columns
    ]
    raise_problems(problems, "fleet")
    vehicles, filled = _fill_vehicles(vehicles)
    chargers = _fill_chargers(chargers)
    sessions = _fill_sessions(sessions, vehicles)
    problems = as_problems(vehicle_findings(vehicles), "vehicles", list(vehicles.index))
    problems += as_problems(charger_findings(chargers), "chargers", list(chargers.index))
    found = session_findings(sessions, vehicles, chargers)
    problems += as_problems(found, "sessions", list(sessions.index))
    raise_problems(problems, "fleet")
    told = (*notes, *filled, *session_notes(sessions, vehicles, chargers))
    return Fleet(vehicles, chargers, sessions, no_rejects(), told)


def read_fleet(folder: str | Path) -> Fleet:
    """Return a fleet from ``vehicles.csv``, ``chargers.csv`` and ``sessions.csv`` of a folder.

    The first column of each is the id; ids stay text, so leading zeros and a name like ``NA`` survive.
    """
    found = {}
    for name in ("vehicles", "chargers", "sessions"):
        path = Path(folder) / f"{name}.csv"
        if not path.is_file():
            message = f"fleet: {path} is missing; a fleet folder holds vehicles.csv, chargers.csv, sessions.csv"
            raise InputError(message)
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        table = table.set_index(table.columns[0])
        found[name] = _typed(table)
    return make_fleet(found["vehicles"], found["chargers"], found["sessions"])


_TEXT = {"model", "vehicle_id", "charger_id", "site_id", "kind", "plug_in", "plug_out"}


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.copy()
    for column in table.columns:
        if column in _TEXT:
            continue
        if column == "bidirectional":
            table[column] = table[column].str.strip().str.lower().isin({"true", "1", "yes"})
        elif column != "phases":
            table[column] = pd.to_numeric(table[column], errors="coerce")
    return table


def _fill_vehicles(vehicles: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    filled = vehicles.copy()
    filled.index = filled.index.astype(str).rename("vehicle_id")
    knees = [
        catalogue.charging_taper(p, c) if c > 0 and p >= 0 else (1.0, 1.0)
        for p, c in zip(filled["p_charge_max_kw"], filled["capacity_kwh"], strict=True)
    ]
    defaults: dict[str, Any] = {
        "model": "",
        "p_discharge_max_kw": 0.0,
        "phases": 3,
        "soc_knee": [knee for knee, _ in knees],
        "taper_fraction": [fraction for _, fraction in knees],
        "kwh_per_km": 0.17,
        "wear_eur_per_kwh": catalogue.default_wear_eur_per_kwh(),
    }
    for name in ("eta_charge", "eta_discharge", "soc_min", "soc_max", "soc_target", "soc_reserve"):
        defaults[name] = catalogue.default(name)
    missing = [column for column in VEHICLE_COLUMNS if column not in filled.columns]
    for column in missing:
        filled[column] = defaults[column]
    filled["phases"] = pd.to_numeric(filled["phases"], errors="coerce").fillna(0).astype(np.int64)
    text = f"Not given, packaged defaults taken: {', '.join(missing)}."
    notes = [Note("assumption", "vehicles", text)] if missing else []
    more = [column for column in OPTIONAL_VEHICLE_COLUMNS if column in filled.columns]
    return filled[[*VEHICLE_COLUMNS, *more]], notes


def _fill_chargers(chargers: pd.DataFrame) -> pd.DataFrame:
    filled = chargers.copy()
    filled.index = filled.index.astype(str).rename("charger_id")
    feed = filled.get("p_discharge_max_kw", pd.Series(0.0, index=filled.index))
    highest = np.maximum(filled["p_max_kw"].to_numpy(np.float64), feed.to_numpy(np.float64))
    defaults: dict[str, Any] = {
        "site_id": "",
        "p_discharge_max_kw": 0.0,
        "s_max_kva": highest / catalogue.default("power_factor"),
        "phases": "abc",
        "bidirectional": feed.to_numpy(np.float64) > 0,
        "kind": "home",
    }
    for column in CHARGER_COLUMNS:
        if column not in filled.columns:
            filled[column] = defaults[column]
    filled["site_id"] = filled["site_id"].fillna("").astype(str)
    return filled[list(CHARGER_COLUMNS)]


def _fill_sessions(sessions: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    filled = sessions.copy()
    filled.index = filled.index.astype(str).rename("session_id")
    for column in ("vehicle_id", "charger_id"):
        filled[column] = filled[column].astype(str)
    for column in ("plug_in", "plug_out"):
        times = pd.to_datetime(filled[column], utc=True, errors="coerce", format="ISO8601")
        filled[column] = times.dt.tz_localize(None)
    if "trip_kwh" not in filled.columns:
        filled["trip_kwh"] = 0.0
    if "soc_arrival" not in filled.columns:
        filled["soc_arrival"] = np.nan
    own = filled["vehicle_id"].map(vehicles["soc_target"][~vehicles.index.duplicated()])
    given = filled["soc_target"] if "soc_target" in filled.columns else own
    # A session of an unknown vehicle is reported for its vehicle, not for its target.
    filled["soc_target"] = given.fillna(own).fillna(catalogue.default("soc_target"))
    numbers = ["trip_kwh", "soc_arrival", "soc_target"]
    filled[numbers] = filled[numbers].astype(np.float64)
    return filled[list(SESSION_COLUMNS)]


def vehicle_findings(vehicles: pd.DataFrame) -> list[Finding]:
    """Return every rule the vehicles break: capacity, power, efficiency, order of the SOC limits."""
    column = {name: vehicles[name].to_numpy(np.float64) for name in VEHICLE_COLUMNS[1:]}
    findings = [
        _repeated(vehicles, "vehicle_id"),
        _outside(column, "capacity_kwh", column["capacity_kwh"] > 0, "must be above 0", "give kWh"),
        *_power_findings(column, ("p_charge_max_kw", "p_discharge_max_kw")),
        _outside(
            column, "phases", np.isin(column["phases"], (1.0, 3.0)), "must be 1 or 3", "give 1 or 3"
        ),
    ]
    for name in ("eta_charge", "eta_discharge"):
        good = (column[name] > 0) & (column[name] <= 1)
        findings.append(
            _outside(column, name, good, "must be above 0 and at most 1", _share(column[name]))
        )
    for name in ("soc_min", "soc_max", "soc_knee", "taper_fraction", "soc_target", "soc_reserve"):
        good = (column[name] >= 0) & (column[name] <= 1)
        findings.append(_outside(column, name, good, "must be 0 to 1", _share(column[name])))
    for name in ("kwh_per_km", "wear_eur_per_kwh"):
        findings.append(_outside(column, name, column[name] >= 0, "must be 0 or more", "mend it"))
    findings += battery_findings(vehicles, column)
    ordered = (
        ("soc_min", column["soc_min"] < column["soc_max"], "must lie below soc_max"),
        ("soc_target", column["soc_target"] >= column["soc_min"], "lies below soc_min"),
        ("soc_target", column["soc_target"] <= column["soc_max"], "lies above soc_max"),
        ("soc_reserve", column["soc_reserve"] >= column["soc_min"], "lies below soc_min"),
    )
    findings += [
        _outside(column, name, good, why, "put the limits in order") for name, good, why in ordered
    ]
    return [finding for finding in findings if finding.bad.any()]


def charger_findings(chargers: pd.DataFrame) -> list[Finding]:
    """Return every rule the chargers break: power, phases, kind, feed without the hardware for it."""
    names = ("p_max_kw", "p_discharge_max_kw", "s_max_kva")
    column = {name: chargers[name].to_numpy(np.float64) for name in names}
    feed = column["p_discharge_max_kw"] > 0
    one_way = feed & ~chargers["bidirectional"].to_numpy(bool)
    dead = (column["p_max_kw"] == 0) & ~feed
    findings = [
        _repeated(chargers, "charger_id"),
        *_power_findings(column, names),
        Finding(dead, "p_max_kw", "has no power at all", "give kW", column["p_max_kw"]),
        Finding(
            one_way,
            "p_discharge_max_kw",
            "feeds back though the charger is not bidirectional",
            "set bidirectional or 0 kW",
            column["p_discharge_max_kw"],
        ),
        Finding(
            ~chargers["phases"].isin(["abc", "a", "b", "c", "ab", "bc", "ac"]).to_numpy(bool),
            "phases",
            "must be abc, ab, bc, ac, a, b or c",
            "name the phases",
            list(chargers["phases"]),
        ),
        Finding(
            ~chargers["kind"].isin(CHARGER_KINDS).to_numpy(bool),
            "kind",
            f"must be one of {', '.join(CHARGER_KINDS)}",
            "name the kind",
            list(chargers["kind"]),
        ),
    ]
    return [finding for finding in findings if finding.bad.any()]


def _repeated(table: pd.DataFrame, name: str) -> Finding:
    bad = np.asarray(table.index.duplicated(), dtype=bool)
    return Finding(bad, name, "occurs twice", "give each its own id", list(table.index))


def _outside(
    column: dict[str, FloatArray], name: str, good: BoolArray, reason: str, remedy: str
) -> Finding:
    # NaN passes no comparison, so a missing number is always found.
    return Finding(~good, name, reason, remedy, column[name])


def _power_findings(column: dict[str, FloatArray], names: Sequence[str]) -> list[Finding]:
    remedy = "give kW; a value in W is a thousand times too high"
    return [
        _outside(
            column,
            name,
            (column[name] >= 0) & (column[name] <= 1000),
            "must be 0 to 1000 kW",
            remedy,
        )
        for name in names
    ]


def _share(values: FloatArray) -> str:
    percent = bool(np.any(values > 1.5))
    return "looks like percent, divide by 100" if percent else "give a share"
