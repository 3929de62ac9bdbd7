"""Any delimited log: columns named by the user, or recognised by the usual headers."""

from __future__ import annotations

import pandas as pd

from gridimpact.fleet.readers.raw import Columns, RawLog, mapped, plain
from gridimpact.records import Note

_HEADERS = {
    "plug_in": "plugin plugintime startdatetime starttime start arrival arrivaltime connectiontime begin",
    "plug_out": "plugout plugouttime enddatetime endtime stoptime end departure departuretime disconnecttime ended",
    "energy_kwh": "energykwh totalkwh kwh kwhdelivered deliveredenergykwh totalenergykwh energy",
    "energy_wh": "energywh",
    "session_id": "sessionid chargingevent transactionid id",
    "vehicle_id": "vehicleid userid evid user carid",
    "charger_id": "chargerid stationid cpid chargepointid chargepoint evseid stationname",
    "connector": "connector connectorid connectornumber port",
    "soc_arrival": "socarrival",
    "soc_target": "soctarget",
    "capacity_kwh": "capacitykwh batterykwh batterycapacitykwh",
    "p_max_kw": "pmaxkw chargerkw maxpowerkw",
}
_SPLIT = {"plug_in": ("startdate", "starttime"), "plug_out": ("enddate", "endtime")}


def recognised(table: pd.DataFrame) -> dict[str, str | list[str]]:
    """Return our names and the source's columns that stand for them by their headers."""
    by_plain = {plain(column): str(column) for column in reversed(table.columns.to_list())}
    found: dict[str, str | list[str]] = {}
    for target, names in _HEADERS.items():
        hit = next((by_plain[name] for name in names.split() if name in by_plain), None)
        if hit is not None:
            found[target] = hit
    for target, pair in _SPLIT.items():
        if all(part in by_plain for part in pair):
            found[target] = [by_plain[part] for part in pair]
    return found


def read(table: pd.DataFrame, delimiter: str, columns: Columns | None) -> RawLog:
    """Return the log; the user's mapping goes before recognised headers.

    Parameters
    ----------
    table : pandas.DataFrame
        As read, all text.
    delimiter : str
        Between fields; any but a comma makes a comma in a number a decimal mark.
    columns : Mapping or None
        Our name to the source's column.
    """
    known = recognised(table)
    guessed = {name: source for name, source in known.items() if name not in (columns or {})}
    raw = mapped(table, {**guessed, **(columns or {})})
    text = ", ".join(f"{name} from {source!r}" for name, source in guessed.items())
    notes = (Note("info", "session log", f"Columns recognised: {text}."),) if guessed else ()
    kind = "public" if "charger_id" in raw.columns else "home"
    return RawLog(raw, kind, decimal_comma=delimiter != ",", notes=notes)
