"""Logged sessions from files, one module per format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet.readers import acn, elaad, generic_csv, ocpi
from gridimpact.fleet.readers.assemble import Assumed, fleet_of
from gridimpact.fleet.readers.raw import Columns, RawLog, read_bytes, read_json, read_table
from gridimpact.fleet.tables import CHARGER_KINDS
from gridimpact.fleet.vehicle import Charger, Vehicle, as_charger, as_vehicle, known_name
from gridimpact.records import Fleet

FORMATS = ("csv", "acn_csv", "acn_json", "elaad", "ocpi")
__all__ = ["FORMATS", "read_sessions"]


def read_sessions(
    source: str | Path | pd.DataFrame,
    *,
    zone: str | None,
    columns: Columns | None = None,
    format: str | None = None,
    charger: str | Charger = "ac_11kw",
    vehicle: str | Vehicle = "Tesla Model 3",
    kind: str | None = None,
    date_format: str | None = None,
) -> Fleet:
    """Return a fleet from a log of charging sessions.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        CSV (comma, semicolon, tab; gzip, any byte-order mark) or JSON file, or a table of text.
    zone : str or None
        IANA zone of times without offset; None where every time carries one.
    columns : Mapping or None
        Our name (`gridimpact.fleet.readers.raw.TARGETS`) to the source's column, or several columns to
        join (``"Start Date + Start Time"``). Usual headers are recognised without it.
    format : str or None
        One of `FORMATS`; None recognises it.
    charger : str or Charger
        Hardware where the log states no ``p_max_kw``.
    vehicle : str or Vehicle
        Car where the log states no ``capacity_kwh``.
    kind : str or None
        Kind of the chargers: ``"home" "work" "fleet" "public"``; None takes the format's.
    date_format : str or None
        ``"day_first"`` or ``"month_first"`` where the dates leave it open.

    Returns
    -------
    Fleet
        Sessions that stand alone (``soc_arrival`` given, ``trip_kwh`` 0), sorted as in the log. Faulty rows
        are in ``rejected`` with ``row`` (1 is the first data row) and ``reason``.

    Raises
    ------
    InputError
        If the file, the zone, the columns or the order of day and month cannot be made out.

    Notes
    -----
    Rejected: unreadable, missing, non-existent or ambiguous times; departures at or before arrival;
    repeated rows; overlaps at a charger or of a vehicle; missing or negative energy; energy beyond the
    battery; states of charge outside 0..1. Energy beyond power times time is kept and noted.
    """
    if kind is not None:
        known_name(kind, pd.Index(CHARGER_KINDS), "kind of charger")
    if format is not None:
        known_name(format, pd.Index(FORMATS), "format of a session log")
    log = _raw(source, format, columns)
    needed = [name for name in ("plug_in", "plug_out") if name not in log.table]
    if not {"energy_kwh", "energy_wh", "soc_arrival"} & set(log.table.columns):
        needed.append("energy_kwh")
    if not {"charger_id", "vehicle_id"} & set(log.table.columns):
        needed.append("charger_id or vehicle_id")
    raise_problems(
        [
            Problem("session log", f"no column for {name}", f"columns={{'{name.split()[0]}': ...}}")
            for name in needed
        ],
        "session log",
    )
    if log.table.empty:
        message = "session log: holds no row; check the file"
        raise InputError(message)
    assumed = Assumed(as_charger(charger), as_vehicle(vehicle), kind or log.kind, zone, date_format)
    return fleet_of(log, assumed)


def _raw(source: str | Path | pd.DataFrame, kind: str | None, columns: Columns | None) -> RawLog:
    """Return the rows of a source by its format."""
    if isinstance(source, pd.DataFrame):
        table = source.astype(object).where(source.notna(), "").astype(str)
        return _from_table(table, ",", kind, columns)
    path = Path(source)
    text = read_bytes(path)
    if kind in ("acn_json", "ocpi") or (kind is None and text.lstrip()[:1] in ("[", "{")):
        records = read_json(text, path.name)
        if kind == "acn_json" or (kind is None and acn.is_json(records)):
            return acn.read_json(records, columns)
        if kind == "ocpi" or (kind is None and ocpi.is_ocpi(records)):
            return ocpi.read(records)
        message = f"log {path.name!r}: JSON of no known form; give format='acn_json' or 'ocpi'"
        raise InputError(message)
    table, delimiter = read_table(text, path.name)
    return _from_table(table, delimiter, kind, columns)


def _from_table(
    table: pd.DataFrame, delimiter: str, kind: str | None, columns: Columns | None
) -> RawLog:
    if kind == "acn_csv" or (kind is None and acn.is_csv(table)):
        return acn.read_csv(table, columns)
    if kind == "elaad" or (kind is None and elaad.is_elaad(table)):
        return elaad.read(table, delimiter, columns)
    return generic_csv.read(table, delimiter, columns)
