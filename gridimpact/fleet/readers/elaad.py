"""Transactions in the form of ElaadNL: semicolons, day first, decimal comma."""

from __future__ import annotations

import pandas as pd

from gridimpact.fleet.readers.raw import Columns, RawLog, mapped, plain
from gridimpact.records import Note

_HEADERS = {
    "plug_in": "utctransactionstart",
    "plug_out": "utctransactionstop",
    "energy_kwh": "totalenergy",
    "session_id": "transactionid",
    "charger_id": "chargepoint",
    "connector": "connector",
    "vehicle_id": "startcard",
}


def is_elaad(table: pd.DataFrame) -> bool:
    """Return whether the table has this form's headers."""
    return {"utctransactionstart", "utctransactionstop"} <= {plain(c) for c in table.columns}


def read(table: pd.DataFrame, delimiter: str, columns: Columns | None) -> RawLog:
    """Return the log.

    Parameters
    ----------
    table : pandas.DataFrame
        As read, all text.
    delimiter : str
        Between fields.
    columns : Mapping or None
        Changes to the usual mapping.

    Notes
    -----
    The headers say UTC, descriptions of the data say local time: the zone given by the user counts.
    """
    by_plain = {plain(column): str(column) for column in table.columns}
    usual = {ours: by_plain[name] for ours, name in _HEADERS.items() if name in by_plain}
    text = "Headers say UTC, the data set's description says local time; the zone given counts."
    note = Note("assumption", "session log, UTCTransactionStart", text)
    raw = mapped(table, {**usual, **(columns or {})})
    return RawLog(raw, "public", decimal_comma=delimiter != ",", notes=(note,))
