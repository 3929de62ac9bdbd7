"""What a vehicle table may tell of a battery beyond its needed columns, and the rules it keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.fleet.findings import Finding
from gridimpact.records import BoolArray, FloatArray

OPTIONAL_VEHICLE_COLUMNS = (
    "soc_knee_discharge",
    "taper_fraction_discharge",
    "idle_kw",
    "gross_kwh",
)
"""Kept where a table gives them, cells may be empty. Without them power does not fall near empty, the
conversion has no constant loss, and the cells hold no more than the usable energy."""


def battery_findings(vehicles: pd.DataFrame, column: dict[str, FloatArray]) -> list[Finding]:
    """Return the rules broken by the optional columns of a vehicle table.

    Parameters
    ----------
    vehicles : pandas.DataFrame
        Vehicles, with or without `OPTIONAL_VEHICLE_COLUMNS`.
    column : dict
        Needed columns ``p_charge_max_kw capacity_kwh`` as arrays [kW, kWh].

    Returns
    -------
    list of Finding
        One for each column given; `bad` marks the rows that break its rule.
    """
    given = {
        name: vehicles[name].to_numpy(np.float64)
        for name in OPTIONAL_VEHICLE_COLUMNS
        if name in vehicles.columns
    }
    found = []
    for name, values in given.items():
        good, reason, remedy = _rule(name, values, column)
        found.append(Finding(~good, name, reason, remedy, values))
    return found


def _rule(
    name: str, values: FloatArray, column: dict[str, FloatArray]
) -> tuple[BoolArray, str, str]:
    """Return which values are good, what the others break, and the remedy."""
    empty = np.isnan(values)
    if name == "idle_kw":
        good = empty | ((values >= 0) & (values < column["p_charge_max_kw"]))
        return good, "must be 0 or more and below p_charge_max_kw", "give the loss in kW"
    if name == "gross_kwh":
        good = empty | (values >= column["capacity_kwh"])
        return (
            good,
            "lies below the usable capacity_kwh",
            "give the cells' energy or leave it empty",
        )
    return empty | ((values >= 0) & (values <= 1)), "must be 0 to 1", "give a share"
