"""The figures of one strategy by the names of `gridimpact.conventions.METRICS`, and why some are missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridimpact.assess.findings import Findings
from gridimpact.assess.loading import MARKS
from gridimpact.conventions import METRICS
from gridimpact.records import FloatArray, Note

Figures = dict[str, float | None]


def summary_of(
    found: Findings, violations: pd.DataFrame
) -> tuple[Mapping[str, float | None], list[Note]]:
    """Return every metric, None where it was not assessed, and a note for each reason.

    Figures of the case without added cars that tell their doing are zero; those of a strategy wait
    for `compare_with_base`.
    """
    notes: list[Note] = []
    figures: Figures = dict.fromkeys(METRICS)
    figures["hours_assessed"] = found.hours
    figures |= _flow(found, notes)
    figures |= _thermal(found, notes)
    figures |= _service(found, notes)
    figures |= _wear(found, notes)
    figures |= _money(found, notes)
    figures["violations"] = float(len(violations))
    if not found.cars:
        doing = ("violations_ev_caused", "violations_aggravated", "violations_relieved")
        figures |= dict.fromkeys(doing, 0.0)
    if not found.is_year:
        text = f"{found.hours / 24.0:.3g} days are assessed: no annual figures, no end of life"
        notes.append(Note("info", "period", text))
    return MappingProxyType(figures), notes


def _highest(values: FloatArray) -> float | None:
    """Return the highest known value, None without any."""
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else None


def _flow(found: Findings, notes: list[Note]) -> Figures:
    """Return what follows from the power flow."""
    voltage, lines, energy = found.voltage, found.lines, found.energy
    grid, hours = found.context.grid, found.dt_h
    judged = voltage.judged if voltage.judged.any() else grid.bus_supplied
    low = _highest(-voltage.vm_min_pu[0, judged])
    unrated = int((lines.in_service & ~lines.rated).sum())
    failed, lanes = int(energy.lanes_failed[0]), int(energy.lanes[0])
    any_over = {
        "transformer": found.transformers.steps_any_over[:, 0] * hours,
        "line": lines.steps_any_over[:, 0] * hours,
    }
    figures: Figures = {
        f"transformer_hours_over_{mark:g}": float(any_over["transformer"][k])
        for k, mark in enumerate(MARKS)
    }
    figures |= {
        "transformer_loading_max_percent": _highest(found.transformers.worst_percent[0]),
        "line_loading_max_percent": _highest(lines.worst_percent[0]),
        "line_hours_over_100": float(any_over["line"][MARKS.index(100.0)]),
        "lines_unrated": float(unrated),
        "vm_min_pu": None if low is None else -low,
        "vm_max_pu": _highest(voltage.vm_max_pu[0, judged]),
        "losses_kwh": float(energy.losses_kwh[0]),
        "lanes": float(lanes),
        "lanes_failed": float(failed),
        "energy_import_kwh": None if energy.import_kwh is None else float(energy.import_kwh[0]),
        "energy_export_kwh": None if energy.export_kwh is None else float(energy.export_kwh[0]),
    }
    if voltage.judged.any():
        figures["voltage_hours_outside"] = float(voltage.steps_any_outside[0] * hours)
        figures["voltage_buses_outside"] = float((voltage.steps_outside[0] > 0).sum())
    figures |= _unbalance(found, notes)
    notes += _flow_notes(found, unrated, failed, lanes)
    return figures


def _unbalance(found: Findings, notes: list[Note]) -> Figures:
    """Return what only a three-phase power flow knows."""
    unbalance = found.unbalance
    if unbalance is None:
        text = "unbalance and neutral current are not assessed: the power flow is balanced"
        notes.append(Note("info", "unbalance", text))
        return {}
    text = f"unbalance is the {unbalance.measure}, voltages are phase to neutral"
    notes.append(Note("info", "unbalance", text))
    return {
        "unbalance_max_percent": _highest(unbalance.worst_percent[0]),
        "neutral_current_max_a": _highest(unbalance.neutral_a[0]),
    }


def _flow_notes(found: Findings, unrated: int, failed: int, lanes: int) -> list[Note]:
    """Return what the reader must know of the power-flow figures."""
    notes, context = [], found.context
    if unrated:
        text = f"{unrated} lines have no ampacity and are not assessed"
        notes.append(Note("warning", "lines", text))
    if failed:
        text = f"{failed} of {lanes} power flows failed; voltages, loadings, losses and exchange "
        notes.append(Note("warning", "power flow", text + f"stand on the other {lanes - failed}"))
    dark = int(found.energy.lanes_unsupplied[0])
    if dark:
        text = f"{dark} of {lanes} power flows leave demand at buses without supply"
        notes.append(Note("warning", "power flow", text))
    if not found.voltage.judged.any():
        text = f"{context.limits.name} has no limits for the voltage levels of this network"
        notes.append(Note("warning", "voltage", text + "; extremes are over all buses"))
    elif context.mv.any() and not context.limits.judges_mv:
        text = f"{int(context.mv.sum())} medium-voltage buses are not judged by low-voltage limits"
        notes.append(Note("info", "voltage", text))
    if found.voltage.weeks.reason:
        text = f"EN 50160 by weeks is not assessed: {found.voltage.weeks.reason}"
        notes.append(Note("info", "voltage", text))
    elif found.dt_h > 1.0 / 6.0 + 1e-9:
        text = f"EN 50160 means of 10 min are taken from steps of {60 * found.dt_h:g} min"
        notes.append(Note("info", "voltage", text))
    if found.energy.metered_at == "balance":
        text = "exchange with upstream is the sum of meters and losses: lines leave the source"
        notes.append(Note("info", "energy", text))
    elif not found.energy.metered_at:
        text = "exchange with upstream is not assessed: lines leave the source, no meters given"
        notes.append(Note("warning", "energy", text))
    return notes


def _thermal(found: Findings, notes: list[Note]) -> Figures:
    """Return what follows from the temperatures."""
    thermal = found.thermal
    if thermal is None or not thermal.known_any:
        text = "temperature and life are not assessed: no ambient temperature or no transformer"
        notes.append(Note("warning", "transformers", text))
        return {}
    equivalent = _highest(thermal.equivalent[0])
    hours = thermal.steps_known[0] * found.dt_h
    outside = thermal.guide.steps_outside[0]
    if outside.any():
        names = [str(found.context.grid.transformer_name[k]) for k in np.flatnonzero(outside)]
        text = (
            f"loads beyond the range of the thermal model for up to {outside.max() * found.dt_h:g} h at "
            f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}: their temperatures are not to "
            "be trusted"
        )
        notes.append(Note("warning", "transformers", text))
    loss = _highest(thermal.equivalent[0] * hours * 100.0 / found.context.life_h)
    over = float(thermal.steps_any_over[0] * found.dt_h)
    limit = found.context.limits
    if not found.is_year and limit.ageing_equivalent is not None:
        text = "equivalent ageing is given but not judged: its limit is for a year"
        notes.append(Note("info", "transformers", text))
    return {
        "top_oil_max_c": _highest(thermal.top_oil_c[0]),
        "hot_spot_max_c": _highest(thermal.hot_spot_c[0]),
        "hot_spot_hours_over_limit": None if limit.hot_spot_c is None else over,
        "ageing_equivalent": equivalent,
        "loss_of_life_percent": loss,
    }


def _service(found: Findings, notes: list[Note]) -> Figures:
    """Return what drivers get and batteries give."""
    service = found.service
    if service is None:
        notes.append(Note("info", "cars", "no added cars in this case"))
        zero = [
            "cars",
            "cars_controlled",
            "ev_energy_kwh",
            "ev_discharge_kwh",
            "departures",
            "unmet_kwh",
        ]
        return dict.fromkeys([*zero, "battery_throughput_kwh"], 0.0)
    rows, cars = service.departures, len(service.vehicle_id)
    below = float(rows["below_target"].astype(bool).sum())
    if not len(rows):
        text = "no departure lies inside the counted time"
        notes.append(Note("info", "cars", text))
    return {
        "cars": float(cars),
        "cars_controlled": float(service.controlled.sum()),
        "ev_energy_kwh": float(service.charge_kwh.sum() - service.discharge_kwh.sum()),
        "ev_discharge_kwh": float(service.discharge_kwh.sum()),
        "departures": float(len(rows)),
        "departures_below_target_percent": 100.0 * below / len(rows) if len(rows) else None,
        "unmet_kwh": float(rows["unmet_kwh"].astype(float).sum()),
        "battery_throughput_kwh": float(service.throughput_kwh.sum()),
        "equivalent_full_cycles": float(service.full_cycles.mean()) if cars else None,
        "wear_cost_per_car_eur": float(service.wear_cost.mean()) if cars else None,
    }


def _wear(found: Findings, notes: list[Note]) -> Figures:
    """Return what the batteries lose: means over cars, least and most over the tested cells."""
    if found.wear is None:
        return {}
    notes += found.wear.notes()
    if found.wear.wear is None:
        return {}
    loss, cost = found.wear.loss_percent.mean(axis=1), found.wear.cost.mean(axis=1)
    figures: Figures = {
        "battery_loss_low_percent": float(loss.min()),
        "battery_loss_high_percent": float(loss.max()),
        "battery_cost_low_eur": float(cost.min()),
        "battery_cost_high_eur": float(cost.max()),
    }
    if found.is_year:
        years = found.wear.years.mean(axis=1)
        figures["battery_years_low"] = float(years.min())
        figures["battery_years_high"] = float(years.max())
    return figures


def _money(found: Findings, notes: list[Note]) -> Figures:
    """Return bills and peaks; none without meters, no bills without prices."""
    cost, request = found.cost, found.request
    if cost is None or request is None:
        text = "money and meter peaks are not assessed: no site demand given"
        notes.append(Note("warning", "money", text))
        return {}
    kind = np.array(cost.site_kind)
    building = cost.peak_kw[kind == "building"]
    figures: Figures = {"building_peak_kw": _highest(building)}
    fused = int((cost.steps_over_fuse > 0).sum())
    if fused:
        hours = float(cost.steps_over_fuse.max() * found.dt_h)
        text = f"{fused} sites draw more than their main fuse, the worst for {hours:g} h"
        notes.append(Note("warning", "sites", text))
    if not cost.priced:
        notes.append(Note("warning", "money", "bills are not assessed: no tariff has a price"))
        return figures
    with_cars = np.zeros(len(kind), dtype=np.bool_)
    with_cars[request.charger_site] = True
    homes = with_cars & (kind == "home")
    if with_cars.any():
        figures["cost_eur"] = float(cost.cost[with_cars].sum())
    if homes.any():
        figures["cost_per_home_eur"] = float(cost.cost[homes].mean())
    notes += _money_notes(found)
    return figures


def _money_notes(found: Findings) -> list[Note]:
    """Return what the reader must know of the bills."""
    cost, notes = found.cost, []
    if cost is None:
        return []
    if cost.prorated:
        text = "months assessed in part pay their demand charge in proportion to the time"
        notes.append(Note("info", "money", text))
    if cost.currency not in ("EUR", ""):
        text = f"amounts are in {cost.currency}, whatever the column says"
        notes.append(Note("warning", "money", text))
    if np.any(cost.demand_cost != 0.0) and abs(found.dt_h - 0.25) > 1e-9:
        text = f"demand charges take the highest step of {60 * found.dt_h:g} min"
        notes.append(Note("info", "money", text))
    return notes
