"""One table for each kind of element, and the worst moments; times are naive UTC, hours are counted.

Columns: ``buses`` bus name vn_kv feeder distance_m judged vm_min_pu vm_min_time vm_max_pu
vm_max_time hours_outside hours_known week_share_min en_50160; lines and transformers as in
`gridimpact.assess.branch_tables`; ``departures`` one row each; ``sites``
site_id kind chargers energy, peak, money, and the worst asymmetry where phases are known; ``vehicles``
energy, cycles, wear, service and what ageing takes of each battery by the tested cells that lose least
and most; ``worst`` metric element name phase time value. A three-phase power flow adds the phase of the
worst values, unbalance and neutral current.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.assess.findings import Findings
from gridimpact.assess.loading import LoadingFindings
from gridimpact.assess.period_events import phase_names
from gridimpact.assess.service import DEPARTURE_COLUMNS
from gridimpact.assess.verdicts import en_50160_by_bus, en_50160_share
from gridimpact.records import FloatArray, IntArray


def buses_table(found: Findings) -> pd.DataFrame:
    """Return one row per bus."""
    grid, voltage = found.context.grid, found.voltage
    table = pd.DataFrame(
        {
            "bus": grid.bus_index,
            "name": list(grid.bus_name),
            "vn_kv": grid.bus_vn_kv,
            "feeder": grid.bus_feeder,
            "distance_m": grid.bus_distance_m,
            "judged": voltage.judged,
            "vm_min_pu": voltage.vm_min_pu[0],
            "vm_min_time": voltage.vm_min_time[0],
            "vm_max_pu": voltage.vm_max_pu[0],
            "vm_max_time": voltage.vm_max_time[0],
            "hours_outside": voltage.steps_outside[0] * found.dt_h,
            "hours_known": voltage.steps_known[0] * found.dt_h,
            "week_share_min": en_50160_share(found),
            "en_50160": en_50160_by_bus(found),
        }
    )
    return table.assign(**_phase_columns(found)) if found.phases == 3 else table


def _phase_columns(found: Findings) -> dict[str, Any]:
    """Return what a three-phase flow adds to each bus."""
    voltage, unbalance = found.voltage, found.unbalance
    columns: dict[str, Any] = {
        "vm_min_phase": phase_names(voltage.vm_min_phase[0]),
        "vm_max_phase": phase_names(voltage.vm_max_phase[0]),
    }
    if unbalance is None:
        return columns
    columns["unbalance_max_percent"] = unbalance.worst_percent[0]
    columns["unbalance_max_time"] = unbalance.worst_time[0]
    if len(unbalance.weeks.begin):
        shares = np.fmin.reduce(unbalance.weeks.share[:, 0], axis=0)
        columns["unbalance_week_share_min"] = shares
    return columns


def departures_table(found: Findings) -> pd.DataFrame:
    """Return one row per counted departure."""
    if found.service is None:
        return pd.DataFrame({name: [] for name in DEPARTURE_COLUMNS})
    return found.service.departures


def sites_table(found: Findings) -> pd.DataFrame:
    """Return one row per site: energy through the meter, peak and money (naming the currency)."""
    cost, request = found.cost, found.request
    if cost is None or request is None:
        columns = [
            "site_id",
            "kind",
            "chargers",
            "import_kwh",
            "export_kwh",
            "peak_kw",
            "hours_over_fuse",
            "fuse_max_percent",
            "cost",
        ]
        return pd.DataFrame({name: [] for name in columns})
    chargers = np.bincount(request.charger_site, minlength=len(cost.site_id))
    money = np.ones(len(cost.site_id)) if cost.priced else np.full(len(cost.site_id), np.nan)
    met, uneven = found.connections, {}
    if met.phases_known:
        uneven = {
            "asymmetry_max_kva": met.asymmetry_kva[0],
            "asymmetry_max_time": met.asymmetry_time[0],
        }
    return pd.DataFrame(
        {
            "site_id": list(cost.site_id),
            "kind": list(cost.site_kind),
            "chargers": chargers,
            "import_kwh": cost.import_kwh,
            "export_kwh": cost.export_kwh,
            "peak_kw": cost.peak_kw,
            "hours_over_fuse": cost.steps_over_fuse * found.dt_h,
            "fuse_max_percent": met.fuse_percent[0],
            **uneven,
            "energy_cost": cost.energy_cost * money,
            "demand_cost": cost.demand_cost * money,
            "cost": cost.cost * money,
            "currency": cost.currency,
        }
    )


def vehicles_table(found: Findings) -> pd.DataFrame:
    """Return one row per vehicle: energy, cycles, wear and service."""
    service = found.service
    if service is None:
        return pd.DataFrame({"vehicle_id": []})
    rows = service.departures
    by_car = rows.groupby("vehicle_id") if len(rows) else None

    def total(column: str | None) -> FloatArray:
        if by_car is None:
            return np.zeros(len(service.vehicle_id))
        sums = by_car.size() if column is None else by_car[column].sum()
        ordered = sums.reindex(list(service.vehicle_id), fill_value=0)
        return np.asarray(ordered.to_numpy(), dtype=np.float64)

    return pd.DataFrame(
        {
            "vehicle_id": list(service.vehicle_id),
            "controlled": service.controlled,
            "capacity_kwh": service.capacity_kwh,
            "charge_kwh": service.charge_kwh,
            "discharge_kwh": service.discharge_kwh,
            "throughput_kwh": service.throughput_kwh,
            "equivalent_full_cycles": service.full_cycles,
            "wear_cost": service.wear_cost,
            "departures": total(None),
            "departures_below_target": total("below_target"),
            "unmet_kwh": total("unmet_kwh"),
            **({} if found.wear is None else found.wear.columns(found.is_year)),
        }
    )


def worst_table(found: Findings) -> pd.DataFrame:
    """Return element, time and value of the worst moments, by metric."""
    grid, voltage = found.context.grid, found.voltage
    judged = voltage.judged if voltage.judged.any() else grid.bus_supplied
    buses = (grid.bus_index, grid.bus_name)
    lines = (grid.line_index, grid.line_name)
    transformers = (grid.transformer_index, grid.transformer_name)
    low = np.where(judged, -voltage.vm_min_pu[0], np.nan)
    high = np.where(judged, voltage.vm_max_pu[0], np.nan)
    nowhere = np.full(0, -1, dtype=np.int64)
    rows = [
        ("vm_min_pu", low, voltage.vm_min_time[0], buses, -1.0, voltage.vm_min_phase[0]),
        ("vm_max_pu", high, voltage.vm_max_time[0], buses, 1.0, voltage.vm_max_phase[0]),
        _loading_row("line", found.lines, lines),
        _loading_row("transformer", found.transformers, transformers),
    ]
    unbalance = found.unbalance
    if unbalance is not None:
        asymmetry = (unbalance.worst_percent[0], unbalance.worst_time[0])
        neutral = (unbalance.neutral_a[0], unbalance.neutral_time[0])
        rows += [
            ("unbalance_max_percent", *asymmetry, buses, 1.0, nowhere),
            ("neutral_current_max_a", *neutral, lines, 1.0, nowhere),
        ]
    thermal = found.thermal
    if thermal is not None:
        oil = (thermal.top_oil_c[0], thermal.top_oil_time[0])
        hot = (thermal.hot_spot_c[0], thermal.hot_spot_time[0])
        rows += [
            ("top_oil_max_c", *oil, transformers, 1.0, nowhere),
            ("hot_spot_max_c", *hot, transformers, 1.0, nowhere),
        ]
    return pd.DataFrame(
        [_worst_row(*row) for row in rows if len(row[1]) and not np.all(np.isnan(row[1]))],
        columns=["metric", "element", "name", "phase", "time", "value"],
    )


def _loading_row(what: str, part: LoadingFindings, axis: Any) -> tuple[Any, ...]:
    metric = f"{what}_loading_max_percent"
    return metric, part.worst_percent[0], part.worst_time[0], axis, 1.0, part.worst_phase[0]


def _worst_row(
    metric: str, values: FloatArray, times: Any, axis: Any, sign: float, phase: IntArray
) -> dict[str, Any]:
    place = int(np.nanargmax(values))
    return {
        "metric": metric,
        "element": int(axis[0][place]),
        "name": str(axis[1][place]),
        "phase": phase_names(phase[place : place + 1])[0] if len(phase) else "",
        "time": times[place],
        "value": sign * float(values[place]),
    }
