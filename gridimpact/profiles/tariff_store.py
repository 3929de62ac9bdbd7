"""A tariff as laid on a timeline, written so that it is read back bit by bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from gridimpact.errors import InputError
from gridimpact.profiles.sampling import Series, held
from gridimpact.profiles.stamped import regular_series
from gridimpact.profiles.tariff_file import TariffPlan
from gridimpact.records import FloatArray, Tariff
from gridimpact.timeline import Timeline


def store_tariff(tariff: Tariff, timeline: Timeline, path: Path) -> Path:
    """Write a tariff as a tariff file with its prices in a CSV file beside it.

    Parameters
    ----------
    tariff : Tariff
        On `timeline`.
    timeline : Timeline
        Steps the prices hold over.
    path : pathlib.Path
        Ends in ``.json``; the prices get the same name with ``.csv``.

    Returns
    -------
    pathlib.Path
        `path`, which `load_tariff` reads.
    """
    beside = path.with_suffix(".csv")
    table = pd.DataFrame(
        {
            "time_utc": timeline.times,
            "import_price_per_kwh": tariff.import_price,
            "export_price_per_kwh": tariff.export_price,
        }
    )
    table.to_csv(beside, index=False, date_format="%Y-%m-%dT%H:%M:%S")
    entry = {
        "name": tariff.name,
        "origin": tariff.source,
        "currency": tariff.currency,
        "prices": beside.name,
        "demand_charge_per_kw_month": tariff.demand_charge_per_kw_month,
        "subscribed_kw": tariff.subscribed_kw,
        "subscribed_per_kw_month": tariff.subscribed_per_kw_month,
        "excess_per_kw_month": tariff.excess_per_kw_month,
    }
    path.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def stored_prices(plan: TariffPlan, timeline: Timeline) -> tuple[FloatArray, FloatArray, bool]:
    """Return import and export prices of a tariff file's price table, and whether days are foreign.

    Raises
    ------
    InputError
        If the table is unreadable, lies outside the tariff's folder or is too short.
    """
    folder = (plan.folder or Path()).resolve()
    path = (folder / (plan.prices or "")).resolve()
    if not path.is_relative_to(folder):
        message = f"prices {plan.prices!r} lie outside the folder of the tariff"
        raise InputError(message)
    try:
        table = pd.read_csv(path, float_precision="round_trip", encoding="utf-8-sig")
        columns = [table[f"{side}_price_per_kwh"] for side in ("import", "export")]
        index = table["time_utc"]
    except (OSError, ValueError, KeyError) as error:
        message = f"cannot read the prices {path.name} of the tariff: {error}"
        raise InputError(message) from error
    if len(table) == 1 and timeline.count == 1:
        return (*(np.array(column, dtype=np.float64) for column in columns), False)  # type: ignore[return-value]
    sampled, foreign = [], False
    for column in columns:
        series: Series = regular_series(pd.Series(column.to_numpy(), index=index), path.name)
        values, foreign = held(series, timeline)
        sampled.append(values)
    return sampled[0], sampled[1], foreign
