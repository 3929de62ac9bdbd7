"""Energy that batteries hold more or less at the end of the assessed time, and what it is worth.

Without it, a strategy that leaves cars emptier on the last evening would look cheaper than it is.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridimpact.assess.basis import basis_table
from gridimpact.records import Assessment, BoolArray, Dispatch, FloatArray, Note, PlanRequest
from gridimpact.study.segments import Segment

VALUED = Note(
    "info",
    "money",
    "bills are the meters', less the value at the mean import price of what batteries hold more at "
    "the end of the assessed time than under uncontrolled charging",
)


def stored_change_kwh(segment: Segment, request: PlanRequest, dispatch: Dispatch) -> FloatArray:
    """Return battery energy at the end of each counted run less at its begin, (vehicle,) [kWh]."""
    edges = np.diff(np.concatenate([[0], segment.counted.astype(np.int8), [0]]))
    soc = np.concatenate([dispatch.soc_initial[None], dispatch.soc])
    # Row t of `soc` is the state before step t, so both edges read it directly.
    change = soc[np.flatnonzero(edges == -1)] - soc[np.flatnonzero(edges == 1)]
    stored: FloatArray = change.sum(axis=0) * request.batteries.capacity_kwh
    return stored


def worth_per_kwh(segment: Segment, request: PlanRequest) -> FloatArray:
    """Return what one kWh in each battery would cost to draw, (vehicle,) [currency/kWh]."""
    means = np.array(
        [
            t.import_price[segment.counted].mean() if segment.counted.any() else 0.0
            for t in request.tariffs
        ]
    )
    site = np.zeros(len(request.vehicle_id), dtype=np.int64)
    site[request.stays.vehicle] = request.stays.site
    worth: FloatArray = means[request.site_tariff[site]] / request.batteries.eta_charge
    return worth


def at_homes(request: PlanRequest) -> BoolArray:
    """Return which vehicles charge at a home, (vehicle,)."""
    home = np.array([kind == "home" for kind in request.site_kind])
    mask = np.zeros(len(request.vehicle_id), dtype=np.bool_)
    mask[request.stays.vehicle] = home[request.stays.site]
    return mask


def with_stored_energy(
    assessment: Assessment,
    change_kwh: FloatArray,
    reference_kwh: FloatArray,
    worth: FloatArray,
    home: BoolArray,
) -> Assessment:
    """Return the assessment with the stored energy told and, where money is studied, valued.

    Parameters
    ----------
    change_kwh, reference_kwh : (vehicle,) arrays
        Stored energy of this row and of uncontrolled charging [kWh].
    worth : (vehicle,) array
        Value of one kWh in each battery.
    home : (vehicle,) array
        Cars that charge at homes.
    """
    summary = dict(assessment.summary) | {"stored_change_kwh": float(change_kwh.sum())}
    credit = (change_kwh - reference_kwh) * worth
    shares = {
        "cost_eur": float(credit.sum()),
        "cost_per_home_eur": float(credit[home].sum()) / max(_homes_with_cars(assessment), 1),
        "ev_cost_per_car_eur": float(credit.sum()) / max(len(credit), 1),
    }
    for name, share in shares.items():
        value = summary.get(name)
        if value is not None and not np.isnan(value):
            summary[name] = value - share
    basis = basis_table(summary, assessment.tables.get("basis"))
    return dataclasses.replace(
        assessment,
        summary=MappingProxyType(summary),
        tables=MappingProxyType({**assessment.tables, "basis": basis}),
    )


def _homes_with_cars(assessment: Assessment) -> int:
    """Return over how many homes the bill per home is a mean."""
    sites: pd.DataFrame = assessment.tables["sites"]
    return int(((sites["kind"] == "home") & (sites["chargers"] > 0)).sum())
