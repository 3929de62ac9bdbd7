"""Charge detail records of OCPI 2.2.1 and 2.3.0 (module CDRs)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gridimpact.fleet.readers.raw import RawLog
from gridimpact.records import Note

_ENERGY_SLACK = 0.05
"""Share by which the sum of the charging periods may differ from the total."""


def is_ocpi(records: list[dict[str, Any]]) -> bool:
    """Return whether the records look like charge detail records."""
    return bool(records) and {"start_date_time", "total_energy"} <= set(records[0])


def read(records: list[dict[str, Any]]) -> RawLog:
    """Return the log; credit records and the records they cancel are refused.

    Parameters
    ----------
    records : list of dict
        Charge detail records; times are UTC also without a mark (OCPI 2.2.1, section 16.5).

    Notes
    -----
    ``total_energy`` counts. Where the charging periods add up to something else the log says so; some
    operators send Wh there.
    """
    cancelled = {str(r.get("credit_reference_id")) for r in records if r.get("credit")}
    rows, refused, differing = [], {}, 0
    for number, record in enumerate(records):
        location = record.get("cdr_location") or {}
        token = record.get("cdr_token") or {}
        rows.append(
            {
                "plug_in": str(record.get("start_date_time") or ""),
                "plug_out": str(record.get("end_date_time") or ""),
                "energy_kwh": str(record.get("total_energy", "")),
                "session_id": str(record.get("id") or record.get("session_id") or number),
                "vehicle_id": str(token.get("uid") or ""),
                "charger_id": str(location.get("evse_uid") or location.get("id") or ""),
                "connector": str(location.get("connector_id") or ""),
            }
        )
        if record.get("credit"):
            refused[number] = "credit: takes back an earlier record"
        elif str(record.get("id")) in cancelled:
            refused[number] = "credit: taken back by a later record"
        differing += _differs(record)
    notes: tuple[Note, ...] = ()
    if differing:
        text = f"In {differing} records the charging periods do not add up to total_energy, which counts."
        notes = (Note("warning", "session log, total_energy", text),)
    table = pd.DataFrame(rows, dtype=object)
    return RawLog(table, "public", utc=True, refused=refused, notes=notes)


def _differs(record: dict[str, Any]) -> bool:
    volumes = [
        float(dimension.get("volume") or 0.0)
        for period in record.get("charging_periods") or []
        for dimension in period.get("dimensions") or []
        if dimension.get("type") == "ENERGY"
    ]
    total = float(record.get("total_energy") or 0.0)
    return bool(volumes) and abs(sum(volumes) - total) > _ENERGY_SLACK * max(abs(total), 0.1)
