"""What a study starts from beside the network: demand, tariffs, weather and the fleet."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gridimpact.records.base import FloatArray, Note, Shown
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class Profiles(Shown):
    """Load and generation of every site on one timeline.

    ``load_p_kw`` holds everything but cars; ``heat_pump_p_kw`` is a part of it, kept for reports.
    """

    timeline: Timeline
    site_id: tuple[str, ...]
    load_p_kw: FloatArray
    """(time, site)"""
    pv_p_kw: FloatArray
    """(time, site), never above zero."""
    load_q_kvar: FloatArray | None = None
    """(time, site); None asks for the network's own Q/P or the default power factor."""
    heat_pump_p_kw: FloatArray | None = None
    source: str = ""
    calibrated: str = "uncalibrated"
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Tariff:
    """What a meter pays, on the timeline of the study."""

    name: str
    import_price: FloatArray
    """(time,) [currency/kWh]"""
    export_price: FloatArray
    """(time,) [currency/kWh] paid for export."""
    demand_charge_per_kw_month: float = 0.0
    subscribed_kw: float | None = None
    subscribed_per_kw_month: float = 0.0
    excess_per_kw_month: float = 0.0
    """Penalty on the month's highest draw above `subscribed_kw`."""
    currency: str = "EUR"
    source: str = ""


@dataclass(frozen=True)
class Ambient:
    """Outdoor air temperature on the timeline of the study."""

    name: str
    temp_air_c: FloatArray
    source: str = ""


@dataclass(frozen=True)
class Fleet(Shown):
    """Vehicles, chargers and sessions.

    ``vehicles`` (index ``vehicle_id``): ``model capacity_kwh p_charge_max_kw p_discharge_max_kw phases
    eta_charge eta_discharge soc_min soc_max soc_knee taper_fraction soc_target soc_reserve
    kwh_per_km wear_eur_per_kwh``, and where given ``soc_knee_discharge taper_fraction_discharge`` (power
    that falls near empty) ``idle_kw`` (constant loss of the conversion) ``gross_kwh`` (energy of the cells).
    ``chargers`` (index ``charger_id``): ``site_id`` ("" until placed) ``p_max_kw p_discharge_max_kw
    s_max_kva phases`` ("abc", "a", "b", "c") ``bidirectional kind`` ("home", "work", "fleet", "public").
    ``sessions`` (index ``session_id``): ``vehicle_id charger_id plug_in plug_out`` (naive UTC)
    ``trip_kwh`` (battery energy driven since the previous departure) ``soc_arrival`` (NaN where it
    follows from the previous stay) ``soc_target``.
    ``rejected``: the source's rows that were refused, with ``row`` and ``reason``.
    """

    vehicles: pd.DataFrame
    chargers: pd.DataFrame
    sessions: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[Note, ...] = ()
