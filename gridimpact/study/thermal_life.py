"""What a result says of transformers' lives: years, money, and the batteries' wear beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.ageing import (
    Replacement,
    deferral,
    end_of_life_year,
    remaining_years,
    yearly_cost_of_life,
)
from gridimpact.assess.wear import CELL_PREFIX
from gridimpact.records import FloatArray, StudyResult
from gridimpact.study.spec import NO_EV
from gridimpact.study.thermal_options import TransformerOptions, transformer_options

UNCONTROLLED = "uncontrolled"
YEAR, PART = "a year", "assessed time"
LIFE_COLUMNS = (
    "strategy",
    "transformer",
    "name",
    "sn_kva",
    "cars",
    "period",
    "ageing_equivalent",
    "loss_of_life_percent",
    "used_percent",
    "remaining_years",
    "end_of_life_year",
    "life_cost_eur",
    "life_cost_per_year_eur",
    "caused_cost_per_car_eur",
    "deferral_years",
    "deferral_eur",
    "deferral_per_car_eur",
)
_LEDGERS = ("energy_eur", "transformer_eur", "battery_low_eur", "battery_high_eur")


def options_of(result: StudyResult) -> TransformerOptions:
    """Return the transformer options a result was made with."""
    return transformer_options(result.manifest.get("transformer", {}).get("given"))


def transformer_life(result: StudyResult) -> pd.DataFrame:
    """Return life and its money, one row per strategy and transformer.

    Parameters
    ----------
    result : StudyResult
        A finished study.

    Returns
    -------
    pandas.DataFrame
        ``strategy transformer name sn_kva cars period``; ``ageing_equivalent`` (1 is normal),
        ``loss_of_life_percent`` in the assessed time; ``used_percent`` before it, ``remaining_years`` and
        ``end_of_life_year`` if every year aged as the assessed one (NaN beyond a century);
        ``life_cost_eur`` of the assessed time, the same of a year, and what cars cause of it per car, over
        the case without cars; ``deferral_*`` of the replacement against uncontrolled charging. Years and
        deferral only from an assessed year; money only with a replacement cost; empty where temperature
        was not studied.
    """
    options, rows = options_of(result), list[dict[str, Any]]()
    year = _assessed_year(result)
    cars = cars_behind(result)
    tables = {
        label: assessment.tables["transformers"]
        for label, assessment in result.assessments.items()
        if "ageing_equivalent" in assessment.tables.get("transformers", pd.DataFrame())
    }
    for label, table in tables.items():
        by_index = {
            other: tables[other].set_index("transformer")
            for other in (NO_EV, UNCONTROLLED)
            if other in tables
        }
        is_year = bool((table["life"] != "needs a year").all())
        for record in table.to_dict("records"):
            row = {str(key): value for key, value in record.items()}
            behind = 0 if label == NO_EV else int(cars.get(int(row["transformer"]), 0))
            references = {other: each.loc[row["transformer"]] for other, each in by_index.items()}
            rows.append(
                {"strategy": label, "cars": behind}
                | _years(row, options, year if is_year else None)
                | _money(row, references, options, behind, is_year)
            )
    return pd.DataFrame(rows, columns=list(LIFE_COLUMNS))


def ledgers(result: StudyResult) -> pd.DataFrame:
    """Return energy, transformer life and battery wear in money beside one another.

    Parameters
    ----------
    result : StudyResult
        A finished study.

    Returns
    -------
    pandas.DataFrame
        Index strategy. ``period``; ``energy_eur`` the bill of all sites with cars, ``transformer_eur`` the
        price of all transformers times the share of life used, ``battery_low_eur battery_high_eur`` what
        all batteries lose, of the tested cell that loses least and most; each once more as ``extra_*``
        over uncontrolled charging, and ``extra_total_low_eur extra_total_high_eur``. A car keeps its cell
        whatever the strategy, so the extras of batteries are the least and most of the differences of each
        cell. All of the assessed time, nothing scaled up; NaN where a part was not studied.
    """
    life = transformer_life(result)
    table = result.comparison
    cars = table["cars"].fillna(0.0)
    found = pd.DataFrame(index=table.index.rename("strategy"))
    found["period"] = _period(life)
    found["energy_eur"] = table["cost_eur"]
    worn = life.groupby("strategy")["life_cost_eur"].sum(min_count=1)
    found["transformer_eur"] = worn.reindex(found.index)
    for end in ("low", "high"):
        wear = table[f"battery_cost_{end}_eur"] * cars
        found[f"battery_{end}_eur"] = wear.where(cars > 0, 0.0)
    numbers = found[list(_LEDGERS)].astype(float)
    over = numbers - numbers.loc[UNCONTROLLED]
    by_cell = _battery_by_cell(result)
    change = by_cell - by_cell.loc[UNCONTROLLED]
    over["battery_low_eur"], over["battery_high_eur"] = change.min(axis=1), change.max(axis=1)
    for name in _LEDGERS:
        found[f"extra_{name}"] = over[name]
    both = over["energy_eur"] + over["transformer_eur"]
    for end in ("low", "high"):
        found[f"extra_total_{end}_eur"] = both + over[f"battery_{end}_eur"]
    return found


def _battery_by_cell(result: StudyResult) -> pd.DataFrame:
    """Return what all batteries lose if they are of each tested cell [EUR], (strategy, cell)."""
    rows = {}
    for label, assessment in result.assessments.items():
        cars = assessment.tables.get("vehicles", pd.DataFrame())
        own = [str(name) for name in cars.columns if str(name).startswith(CELL_PREFIX)]
        rows[label] = cars[own].sum(min_count=1)
    found = pd.DataFrame(rows).T.reindex(result.comparison.index)
    without = ~(result.comparison["cars"].fillna(0.0) > 0)
    found.loc[without] = 0.0
    return found.astype(float)


def cars_behind(result: StudyResult) -> dict[int, int]:
    """Return how many cars ever charge behind each transformer, by its index.

    A car behind a transformer counts for those that feed it as well.
    """
    grid, sites, fleet = result.network.grid, result.network.sites, result.fleet
    sessions = fleet.sessions
    if not len(sessions):
        return {}
    site = fleet.chargers["site_id"].astype(str).reindex(sessions["charger_id"].astype(str))
    named = pd.Series(sites["bus"].to_numpy(), index=sites.index.astype(str))
    bus = named.reindex(site.to_numpy()).to_numpy(dtype=np.float64)
    place = pd.Index(grid.bus_index).get_indexer(pd.Index(bus))
    owner = np.where(place >= 0, grid.bus_transformer[place], -1)
    found: dict[int, set[str]] = {}
    for vehicle, k in zip(sessions["vehicle_id"].astype(str), owner.tolist(), strict=True):
        above: list[int] = []
        while k >= 0 and k not in above:
            above.append(k)
            found.setdefault(int(grid.transformer_index[k]), set()).add(vehicle)
            k = int(grid.bus_transformer[grid.transformer_hv[k]])
    return {index: len(vehicles) for index, vehicles in found.items()}


def _assessed_year(result: StudyResult) -> int:
    """Return the local calendar year in which most of the assessed time lies."""
    data = result.dataset
    counted = np.asarray(data["counted"].values, dtype=bool)
    times = pd.DatetimeIndex(data["time"].values[counted]).tz_localize("UTC")
    years = times.tz_convert(data.attrs.get("zone", "UTC")).year
    return int(np.bincount(years).argmax()) if len(years) else 0


def _years(row: dict[str, Any], options: TransformerOptions, year: int | None) -> dict[str, Any]:
    """Return what identifies a transformer and what is left of its life."""
    used = options.of(str(row["name"]), "used_percent")
    keys = ("transformer", "name", "sn_kva", "ageing_equivalent", "loss_of_life_percent")
    found = {key: row[key] for key in keys} | {"used_percent": used}
    if year is None:
        none = {"remaining_years": np.nan, "end_of_life_year": np.nan}
        return found | none | {"period": PART}
    left = remaining_years(row["ageing_equivalent"], used_percent=used, life_h=options.life_h)
    ends = end_of_life_year(year, left)
    return found | {
        "remaining_years": float(left),
        "end_of_life_year": float(ends),
        "period": YEAR,
    }


def _money(
    row: dict[str, Any],
    references: dict[str, Any],
    options: TransformerOptions,
    cars: int,
    is_year: bool,
) -> dict[str, Any]:
    """Return the money of a transformer's life under one strategy."""
    new = options.replacement
    if new is None:
        return {}
    found: dict[str, Any] = {"life_cost_eur": _used(row, new)}
    if cars and NO_EV in references:
        caused = found["life_cost_eur"] - _used(references[NO_EV], new)
        found["caused_cost_per_car_eur"] = caused / cars
    if not is_year:
        return found
    rate, name = row["ageing_equivalent"], str(row["name"])
    found["life_cost_per_year_eur"] = float(yearly_cost_of_life(rate, new, life_h=options.life_h))
    if UNCONTROLLED in references:
        gained = deferral(
            rate,
            references[UNCONTROLLED]["ageing_equivalent"],
            new,
            age_years=options.of(name, "age_years"),
            used_percent=options.of(name, "used_percent"),
            cars=cars or None,
            life_h=options.life_h,
        )
        found["deferral_years"] = float(gained.years)
        found["deferral_eur"] = float(gained.worth)
        found["deferral_per_car_eur"] = _number(gained.per_ev)
    return found


def _used(row: Any, new: Replacement) -> float:
    """Return the price of the life used in the assessed time [EUR]."""
    return float(row["loss_of_life_percent"]) / 100.0 * new.cost


def _number(value: FloatArray | None) -> float:
    return float("nan") if value is None else float(value)


def _period(life: pd.DataFrame) -> str:
    return str(life["period"].iloc[0]) if len(life) else PART
