"""From a log's rows to a fleet: vehicles and chargers as far as the log knows them, sound sessions, rejects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.fleet import catalogue
from gridimpact.fleet.findings import Finding, as_rejects, no_rejects
from gridimpact.fleet.readers.raw import RawLog, numbers
from gridimpact.fleet.readers.times import day_first, to_utc
from gridimpact.fleet.sessions import (
    SESSION_COLUMNS,
    session_findings,
    session_notes,
    unique_suffixes,
)
from gridimpact.fleet.vehicle import CHARGER_COLUMNS, VEHICLE_COLUMNS, Charger, Vehicle
from gridimpact.records import Fleet, FloatArray, Note

LARGEST_KW = 1000.0
"""No charger of a car gives more [kW]."""


@dataclass(frozen=True)
class Assumed:
    """What stands in where a log is silent."""

    charger: Charger
    vehicle: Vehicle
    kind: str
    zone: str | None
    date_format: str | None


def fleet_of(log: RawLog, assumed: Assumed) -> Fleet:
    """Return the fleet of a log: sound rows as sessions that stand alone, the others with a reason.

    Parameters
    ----------
    log : RawLog
        Rows as text.
    assumed : Assumed
        Charger, vehicle, kind, zone and order of dates.

    Notes
    -----
    ``soc_arrival`` is the target less energy times efficiency over capacity. Where that falls below the
    vehicle's ``soc_min`` the target is raised, to ``soc_max`` at most; where it still does, the row is
    rejected, for the log's car is not the assumed one.
    """
    rows, timing = _parsed(log, assumed)
    rows = _identified(rows)
    vehicles = _vehicles(rows, assumed)
    chargers = _chargers(rows, assumed)
    sessions = _sessions(rows, vehicles)
    findings = [*timing, *_energy_findings(rows, sessions, vehicles)]
    bad = _any(findings, len(rows))
    # Rows that are out anyway must not push out the sound ones they overlap.
    kept = sessions[~bad]
    later = [_widened(f, ~bad, len(rows)) for f in session_findings(kept, vehicles, chargers)]
    findings += later
    rejected = as_rejects(findings, rows["row"].to_list()) if findings else no_rejects()
    sessions = sessions[~_any(findings, len(rows))]
    vehicles = vehicles[vehicles.index.isin(sessions["vehicle_id"])]
    chargers = chargers[chargers.index.isin(sessions["charger_id"])]
    notes = (
        *log.notes,
        *_notes(rows, rejected, assumed),
        *session_notes(sessions, vehicles, chargers),
    )
    return Fleet(vehicles, chargers, sessions, rejected, notes)


def _any(findings: list[Finding], count: int) -> np.ndarray:
    bad = np.zeros(count, dtype=bool)
    for finding in findings:
        bad |= finding.bad
    return bad


def _widened(finding: Finding, places: np.ndarray, count: int) -> Finding:
    """Return a finding over the kept rows as one over all rows."""
    bad = np.zeros(count, dtype=bool)
    bad[places] = finding.bad
    values = np.full(count, "", dtype=object)
    values[places] = np.asarray(list(finding.values), dtype=object)
    return Finding(bad, finding.column, finding.reason, finding.remedy, values)


def _parsed(log: RawLog, assumed: Assumed) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the rows with numbers and times, and what could not be read."""
    text = log.table.reset_index(drop=True)
    rows = pd.DataFrame({"row": np.arange(1, len(text) + 1)})
    for name in ("session_id", "vehicle_id", "charger_id", "connector"):
        if name in text:
            rows[name] = text[name]
    for name in (
        "energy_kwh",
        "energy_wh",
        "soc_arrival",
        "soc_target",
        "capacity_kwh",
        "p_max_kw",
    ):
        if name in text:
            rows[name] = numbers(text[name], log.decimal_comma)
    if "energy_wh" in rows:
        rows["energy_kwh"] = rows["energy_wh"] / 1000.0
    zone = "UTC" if log.utc else assumed.zone
    both = pd.concat([text["plug_in"], text["plug_out"]], ignore_index=True)
    first = day_first(both, assumed.date_format)
    findings = []
    if log.refused:
        bad = np.isin(np.arange(len(text)), list(log.refused))
        why = [log.refused.get(n, "") for n in range(len(text))]
        findings.append(Finding(bad, "record", "is refused", "", why))
    if "p_max_kw" in rows:
        watts = (rows["p_max_kw"] > LARGEST_KW).to_numpy()
        what = f"is no power of a charger, at most {LARGEST_KW:g} kW"
        findings.append(
            Finding(watts, "p_max_kw", what, "divide watts by 1000", rows["p_max_kw"].to_list())
        )
        rows.loc[watts, "p_max_kw"] = np.nan
    for name in ("plug_in", "plug_out"):
        rows[name], reasons = to_utc(text[name], zone, first)
        for reason in sorted(set(reasons) - {""}):
            bad = (reasons == reason).to_numpy(bool)
            findings.append(Finding(bad, name, reason, "", text[name].to_list()))
    return rows, findings


def _identified(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill the ids: a log without drivers has a car per charger, one without chargers a charger per car."""
    rows = rows.copy()
    if "charger_id" in rows and "connector" in rows:
        outlet = rows["connector"].where(rows["connector"] == "", "/" + rows["connector"])
        rows["charger_id"] = rows["charger_id"].where(
            rows["charger_id"] == "", rows["charger_id"] + outlet
        )
    if "vehicle_id" not in rows:
        rows["vehicle_id"] = ""
    if "charger_id" not in rows:
        rows["charger_id"] = "charger of " + rows["vehicle_id"].where(rows["vehicle_id"] != "", "?")
    silent = rows["vehicle_id"] == ""
    rows["vehicle_id"] = rows["vehicle_id"].where(~silent, "car at " + rows["charger_id"])
    names = rows["session_id"] if "session_id" in rows else pd.Series("", index=rows.index)
    names = names.where(names != "", "row " + rows["row"].astype(str))
    rows["session_id"] = unique_suffixes(names.to_list())
    if "energy_kwh" not in rows:
        rows["energy_kwh"] = np.nan
    return rows


def _vehicles(rows: pd.DataFrame, assumed: Assumed) -> pd.DataFrame:
    names = pd.unique(rows["vehicle_id"])
    common = assumed.vehicle.row(assumed.charger)
    table = pd.DataFrame([common] * len(names), index=names, columns=list(VEHICLE_COLUMNS))
    table.index = table.index.rename("vehicle_id")
    grouped = rows.groupby("vehicle_id")
    if "capacity_kwh" in rows:
        stated = grouped["capacity_kwh"].median().reindex(names)
        good = stated > 0
        table.loc[good.to_numpy(), "capacity_kwh"] = stated[good].to_numpy()
        table.loc[good.to_numpy(), "model"] = "stated in the log"
    if "p_max_kw" in rows:
        proven = grouped["p_max_kw"].max().reindex(names).to_numpy()
        own = table["p_charge_max_kw"].to_numpy(np.float64)
        table["p_charge_max_kw"] = np.fmax(own, np.where(proven > 0, proven, np.nan))
    knees = [
        catalogue.charging_taper(p, c)
        for p, c in zip(table["p_charge_max_kw"], table["capacity_kwh"], strict=True)
    ]
    table["soc_knee"] = [knee for knee, _ in knees]
    table["taper_fraction"] = [fraction for _, fraction in knees]
    return table


def _chargers(rows: pd.DataFrame, assumed: Assumed) -> pd.DataFrame:
    names = pd.unique(rows["charger_id"])
    common = assumed.charger.row(assumed.kind)
    table = pd.DataFrame([common] * len(names), index=names, columns=list(CHARGER_COLUMNS))
    table.index = table.index.rename("charger_id")
    if "p_max_kw" in rows:
        stated = rows.groupby("charger_id")["p_max_kw"].max().reindex(names)
        good = (stated > 0).to_numpy()
        table.loc[good, "p_max_kw"] = stated[good].to_numpy()
        table["p_discharge_max_kw"] = table[["p_discharge_max_kw", "p_max_kw"]].min(axis=1)
        highest = np.maximum(table["p_max_kw"], table["p_discharge_max_kw"])
        table["s_max_kva"] = highest / catalogue.default("power_factor")
    return table


def _need(rows: pd.DataFrame, vehicles: pd.DataFrame) -> FloatArray:
    """Return the rise of the state of charge that the metered energy gave."""
    car = vehicles.loc[rows["vehicle_id"]]
    gained = rows["energy_kwh"].to_numpy(np.float64) * car["eta_charge"].to_numpy(np.float64)
    return np.asarray(gained / car["capacity_kwh"].to_numpy(np.float64), dtype=np.float64)


def _sessions(rows: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    car = vehicles.loc[rows["vehicle_id"]]
    rise = _need(rows, vehicles)
    lowest, highest = car["soc_min"].to_numpy(), car["soc_max"].to_numpy()
    usual = car["soc_target"].to_numpy(np.float64)
    if "soc_target" in rows:
        usual = rows["soc_target"].fillna(pd.Series(usual)).to_numpy()
    target = np.where(usual - rise < lowest, np.minimum(highest, lowest + rise), usual)
    arrival = target - rise
    if "soc_arrival" in rows:
        stated = rows["soc_arrival"].to_numpy(np.float64)
        given = ~np.isnan(stated)
        arrival = np.where(given, stated, arrival)
        wanted = usual if "soc_target" in rows else np.minimum(highest, stated + rise)
        target = np.where(given, np.where(np.isnan(rise), usual, wanted), target)
    return pd.DataFrame(
        {
            "vehicle_id": rows["vehicle_id"].to_numpy(object),
            "charger_id": rows["charger_id"].to_numpy(object),
            "plug_in": rows["plug_in"].to_numpy(),
            "plug_out": rows["plug_out"].to_numpy(),
            "trip_kwh": 0.0,
            "soc_arrival": arrival,
            "soc_target": target,
        },
        index=pd.Index(rows["session_id"], name="session_id"),
        columns=list(SESSION_COLUMNS),
    )


def _energy_findings(
    rows: pd.DataFrame, sessions: pd.DataFrame, vehicles: pd.DataFrame
) -> list[Finding]:
    energy = rows["energy_kwh"].to_numpy(np.float64)
    known = ~np.isnan(sessions["soc_arrival"].to_numpy(np.float64))
    car = vehicles.loc[rows["vehicle_id"]]
    offered = (car["soc_max"] - car["soc_min"]).to_numpy() + 1e-9
    too_much = _need(rows, vehicles) > offered
    nobody = (rows["vehicle_id"] == "car at charger of ?").to_numpy(bool)
    nowhere = (rows["charger_id"] == "").to_numpy(bool)
    return [
        Finding(
            nobody | nowhere,
            "charger_id",
            "the row names neither charger nor vehicle",
            "name one",
            rows["row"].to_list(),
        ),
        Finding(
            np.isnan(energy) & ~known, "energy_kwh", "is missing or no number", "give kWh", energy
        ),
        Finding(
            energy < 0, "energy_kwh", "is negative", "net export is not read from logs", energy
        ),
        Finding(
            too_much,
            "energy_kwh",
            "is more than the vehicle's battery takes",
            "name a larger vehicle or map capacity_kwh",
            energy,
        ),
    ]


def _notes(rows: pd.DataFrame, rejected: pd.DataFrame, assumed: Assumed) -> list[Note]:
    notes = []
    if len(rejected):
        kinds = rejected["reason"].str.split(", found", n=1).str[0].value_counts()
        text = "; ".join(f"{count} x {reason}" for reason, count in kinds.items())
        notes.append(
            Note("dropped", "session log", f"{len(rejected)} of {len(rows)} rows: {text}.")
        )
    if "capacity_kwh" not in rows:
        text = (
            f"Every car is taken for a {assumed.vehicle.model} of "
            f"{assumed.vehicle.capacity_kwh:g} kWh; the log names no battery."
        )
        notes.append(Note("assumption", "session log, capacity_kwh", text))
    if "p_max_kw" not in rows:
        text = f"Every charger is taken for {assumed.charger.name!r} of {assumed.charger.p_max_kw:g} kW."
        notes.append(Note("assumption", "session log, p_max_kw", text))
    text = "Each logged session stands alone: it ends at its target and arrives with what it then charged less."
    notes.append(Note("assumption", "session log, soc_arrival", text))
    today = pd.Timestamp.now(tz="UTC").tz_localize(None)
    future = int((rows["plug_out"] > today).sum())
    if future:
        text = f"{future} sessions end in the future; check the clock."
        notes.append(Note("warning", "session log, plug_out", text))
    return notes
