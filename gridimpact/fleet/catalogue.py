"""Vehicle and charger data as tables: the packaged models, presets, taper and cold factors.

Numbers live in CSV and JSON files with a source for each row; this module only reads and joins them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from gridimpact.paths import data_folder
from gridimpact.records import FloatArray

_SPECS = ("vehicle_specs_nl", "ev_specs.json")
_EFFICIENCIES = ("vehicle_specs_nl", "ev_specs_v2g_enabled2024.json")


def _file(*parts: str) -> Path:
    return data_folder("profiles").joinpath(*parts)


@cache
def _defaults() -> dict[str, float]:
    table = pd.read_csv(_file("vehicles", "defaults.csv"), index_col="name")
    return {str(name): float(value) for name, value in table["value"].items()}


def default(name: str) -> float:
    """Return a default of the vehicle table, e.g. ``default("soc_target")``.

    Examples
    --------
    >>> default("soc_target")
    0.9
    """
    return _defaults()[name]


def default_wear_eur_per_kwh() -> float:
    """Return the cost of one kWh taken from the battery [EUR/kWh]: pack price over full cycles.

    Examples
    --------
    >>> default_wear_eur_per_kwh()
    0.03
    """
    return default("pack_eur_per_kwh") / default("full_cycles")


@cache
def _chargers() -> pd.DataFrame:
    return pd.read_csv(_file("chargers", "chargers.csv"), index_col="name")


def charger_catalogue() -> pd.DataFrame:
    """Return the charger presets, one row per name, powers in kW at the meter with their source.

    Examples
    --------
    >>> float(charger_catalogue().loc["j1772_level1", "p_max_kw"])
    1.44
    """
    return _chargers().copy()


@cache
def _vehicles() -> pd.DataFrame:
    table = pd.read_csv(_file("vehicles", "models.csv"), index_col="model")
    with _file(*_SPECS).open(encoding="utf-8") as stream:
        specs = pd.DataFrame.from_dict(json.load(stream), orient="index")
    names = {
        "capacity_kwh": "battery_capacity",
        "p_ac_max_kw": "max_ac_charge_power",
        "p_dc_max_kw": "max_dc_charge_power",
    }
    for ours, theirs in names.items():
        table[ours] = table[ours].fillna(specs[theirs].reindex(table.index).astype(float))
    counted = specs["number_of_registrations"].reindex(table.index)
    table["registrations"] = counted.fillna(0).astype(np.int64)
    table["phases"] = np.where(table["p_ac_max_kw"] > 7.5, 3, 1)
    # The Mini E's 18 kW charger is single-phase.
    table.loc[table["p_single_phase_max_kw"] >= table["p_ac_max_kw"], "phases"] = 1
    return table


def vehicle_catalogue() -> pd.DataFrame:
    """Return the vehicle models: usable kWh, AC, DC and single-phase kW, kWh/km at 20 degC, registrations.

    Examples
    --------
    >>> float(vehicle_catalogue().loc["Renault Zoe", "p_ac_max_kw"])
    22.0
    """
    return _vehicles().copy()


@cache
def _efficiencies() -> dict[str, dict[str, list[float]]]:
    with _file(*_EFFICIENCIES).open(encoding="utf-8") as stream:
        found: dict[str, dict[str, list[float]]] = json.load(stream)
    return found


def charging_efficiency(model: str, phases: int, ampere: float) -> float:
    """Return battery energy gained per energy drawn, measured by current where the model is listed.

    Parameters
    ----------
    model : str
        Name in `vehicle_catalogue`; others get the default.
    phases : int
        Phases in use, 1 or 3.
    ampere : float
        Current per phase [A]; the nearest measured current at or below counts.

    Returns
    -------
    float
        0..1.

    Examples
    --------
    >>> charging_efficiency("Hyundai Kona", 3, 16)
    0.93
    """
    row = _efficiencies().get(model)
    if row is None:
        return default("eta_charge")
    currents = np.asarray(row["ch_current"], dtype=np.float64)
    percent = np.asarray(row[f"{phases}ph_ch_efficiency"], dtype=np.float64)
    measured = (percent > 0) & (currents <= ampere + 1e-6)
    if not measured.any():
        return default("eta_charge")
    return float(percent[np.flatnonzero(measured)[-1]]) / 100.0


@cache
def _taper() -> pd.DataFrame:
    return pd.read_csv(_file("vehicles", "taper.csv")).sort_values("c_rate_min_per_h")


def charging_taper(p_kw: float, capacity_kwh: float) -> tuple[float, float]:
    """Return knee and remaining fraction of the charging curve by full power over capacity.

    Parameters
    ----------
    p_kw : float
        Full charging power [kW].
    capacity_kwh : float
        Usable capacity [kWh].

    Returns
    -------
    tuple of float
        State of charge up to which power is constant, and the share of it left at 1.

    Notes
    -----
    A battery charged slowly keeps its power almost to the end; at fast chargers the power falls
    from half full on, and further above 0.8.

    Examples
    --------
    >>> charging_taper(50.0, 24.0)
    (0.5, 0.1)
    """
    table = _taper()
    row = table[table["c_rate_min_per_h"] <= p_kw / capacity_kwh].iloc[-1]
    return float(row["soc_knee"]), float(row["taper_fraction"])


@cache
def _cold() -> tuple[FloatArray, FloatArray]:
    table = pd.read_csv(_file("vehicles", "cold.csv")).sort_values("temp_air_c")
    return table["temp_air_c"].to_numpy(np.float64), table["consumption_factor"].to_numpy(
        np.float64
    )


def consumption_factor(temp_air_c: FloatArray | float) -> FloatArray:
    """Return the factor on kWh/km by air temperature, 1 at 20 degC.

    Parameters
    ----------
    temp_air_c : array_like
        Daily mean air temperature [degC]; held flat below -30 and above 40.

    Returns
    -------
    numpy.ndarray
        Shape of the input.

    Examples
    --------
    >>> float(consumption_factor(-10.0))
    1.4
    """
    temperatures, factors = _cold()
    return np.asarray(np.interp(temp_air_c, temperatures, factors), dtype=np.float64)
