"""Departures that missed their target: whose, how much, why, and what would have met it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridimpact.battery.arrival import needs
from gridimpact.records import Dispatch, PlanRequest

COLUMNS = [
    "session_id",
    "vehicle_id",
    "site_id",
    "departure",
    "soc",
    "soc_target",
    "unmet_kwh",
    "unmet_cause",
    "plugged_h",
    "hours_needed",
    "p_charge_kw",
    "power_needed_kw",
    "remedy",
]

_REMEDIES = {
    "too_short": "stay {hours:.1f} h instead of {plugged:.1f} h, or charge with {needed:.1f} kW instead of {power:.1f} kW",
    "soc_floor": "the trip took more than the battery held: charge {missing:.1f} kWh more before it",
    "limit": "a limit of fuse or group left {missing:.1f} kWh too little in {plugged:.1f} h; full power takes {hours:.1f} h",
    "too_little_power": "the plan gave {missing:.1f} kWh too little; full power takes {hours:.1f} h of {plugged:.1f} h",
}
_NO_WAY = "no time and power are enough: the target lies above what the battery takes"


def shortfalls(request: PlanRequest, dispatch: Dispatch) -> pd.DataFrame:
    """Return the departures with energy missing, one row each, the largest first.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    dispatch : Dispatch
        Of that request.

    Returns
    -------
    DataFrame
        ``session_id vehicle_id site_id``, ``departure`` (naive UTC), state of charge at departure and its
        target, ``unmet_kwh`` and ``unmet_cause`` ("too_short", "too_little_power", "limit" or
        "soc_floor"), hours plugged in and hours that full power would have taken, the stay's full power and
        the power that would have reached the target in the stay [kW], and a ``remedy`` in words. Stays that
        go on beyond the last step are left out.

    Examples
    --------
    >>> shortfalls(request, dispatch)[["vehicle_id", "unmet_kwh", "unmet_cause"]]  # doctest: +SKIP
    """
    stays, time = request.stays, request.timeline
    found = needs(request, dispatch)
    k = np.flatnonzero((dispatch.unmet_kwh > 0.0) & ~np.asarray(stays.cut, dtype=np.bool_))
    k = k[np.lexsort((stays.end[k], -dispatch.unmet_kwh[k]))]
    v, missing = stays.vehicle[k], dispatch.unmet_kwh[k]
    ends = (stays.end[k] * time.step_s).astype("timedelta64[s]")
    table = pd.DataFrame(
        {
            "session_id": [stays.session_id[i] for i in k],
            "vehicle_id": [request.vehicle_id[i] for i in v],
            "site_id": [request.site_id[i] for i in stays.site[k]],
            "departure": time.start + ends,
            "soc": stays.soc_target[k] - missing / request.batteries.capacity_kwh[v],
            "soc_target": stays.soc_target[k],
            "unmet_kwh": missing,
            "unmet_cause": [dispatch.unmet_cause[i] for i in k],
            "plugged_h": found.plugged_h[k],
            "hours_needed": found.hours_needed[k],
            "p_charge_kw": stays.p_charge_kw[k],
            "power_needed_kw": found.power_needed_kw[k],
        }
    )
    return with_remedies(table)


def missed(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return the departures of a study with energy missing, the largest of each strategy first.

    Parameters
    ----------
    tables : mapping
        Tables of the assessment of each strategy, "departures" among them where cars drive.

    Returns
    -------
    DataFrame
        ``strategy segment`` and the columns of `shortfalls`.
    """
    parts = []
    for label, found in tables.items():
        rows = found.get("departures")
        if rows is not None and len(rows):
            rows = rows[rows["unmet_kwh"] > 0.0].assign(strategy=label)
            order = ["unmet_kwh", "departure"]
            parts.append(rows.sort_values(order, ascending=[False, True], kind="stable"))
    names = ["strategy", "segment", *COLUMNS]
    if not parts:
        return pd.DataFrame(columns=names)
    return with_remedies(pd.concat(parts, ignore_index=True))[names]


def with_remedies(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of missed departures with what would have met each of them, in words.

    Parameters
    ----------
    table : DataFrame
        With the columns of `shortfalls` but the remedy.
    """
    words = []
    for row in table.to_dict("records"):
        cause = str(row["unmet_cause"])
        never = (
            cause != "soc_floor"
            and not np.isfinite(row["power_needed_kw"])
            and row["plugged_h"] > 0.0
        )
        text = _NO_WAY if never else _REMEDIES.get(cause, "")
        words.append(
            text.format(
                hours=row["hours_needed"],
                plugged=row["plugged_h"],
                needed=row["power_needed_kw"],
                power=row["p_charge_kw"],
                missing=row["unmet_kwh"],
            )
        )
    return table.assign(remedy=pd.Series(words, index=table.index, dtype=object))
