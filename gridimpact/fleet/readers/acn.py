"""ACN-Data sessions of workplaces: the JSON of its interface and the CSV of its public excerpts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gridimpact.fleet.readers.raw import Columns, RawLog, mapped

_CSV = {
    "plug_in": "arrival",
    "plug_out": "departure",
    "energy_kwh": "delivered_energy (kWh)",
    "session_id": "session_id",
    "charger_id": "station_id",
}
_JSON = {
    "plug_in": "connectionTime",
    "plug_out": "disconnectTime",
    "energy_kwh": "kWhDelivered",
    "session_id": "sessionID",
    "charger_id": "stationID",
    "vehicle_id": "userID",
}


def is_csv(table: pd.DataFrame) -> bool:
    """Return whether the table has the excerpts' headers."""
    return set(_CSV.values()) <= set(table.columns)


def is_json(records: list[dict[str, Any]]) -> bool:
    """Return whether the records look like sessions of the interface."""
    return bool(records) and {"connectionTime", "kWhDelivered"} <= set(records[0])


def read_csv(table: pd.DataFrame, columns: Columns | None) -> RawLog:
    """Return the log of an excerpt; drivers are not named there, each station stands for a car.

    Parameters
    ----------
    table : pandas.DataFrame
        As read; times carry an offset.
    columns : Mapping or None
        Changes to the usual mapping, e.g. ``{"energy_kwh": "requested_energy (kWh)"}``.
    """
    return RawLog(mapped(table, {**_CSV, **(columns or {})}), "work")


def read_json(records: list[dict[str, Any]], columns: Columns | None) -> RawLog:
    """Return the log of the interface; drivers who gave no id are told apart by station.

    Parameters
    ----------
    records : list of dict
        Sessions.
    columns : Mapping or None
        Changes to the usual mapping.
    """
    names = dict.fromkeys([*_JSON.values(), *(key for record in records for key in record)])
    rows = [
        {name: "" if record.get(name) is None else str(record[name]) for name in names}
        for record in records
    ]
    table = pd.DataFrame(rows, columns=list(names), dtype=object)
    return RawLog(mapped(table, {**_JSON, **(columns or {})}), "work")
