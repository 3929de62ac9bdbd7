"""Transformer temperature and insulation life."""

from gridimpact.ageing.ieee_clause7 import (
    oil_time_constant_between,
    thermal_series,
    thermal_step,
)
from gridimpact.ageing.insulation import (
    INSULATIONS,
    LIFE_DEFINITIONS,
    NORMAL_LIFE_H,
    NOT_LIMITING_BELOW,
    Insulation,
    ageing_rate,
    ageing_rates,
    end_of_life_years,
    equivalent_ageing,
    insulation_named,
    loss_of_life_percent,
)
from gridimpact.ageing.nameplate import (
    Nameplate,
    nameplates_for,
)
from gridimpact.ageing.presets import (
    ASSUMED_LOSS_RATIO,
    ENCLOSURE_RISE_K,
    PRESETS,
    Preset,
    oil_time_constant_h,
    preset_named,
    thermal_capacity_wh_per_k,
)
from gridimpact.ageing.thermal_state import (
    Clause7,
    ThermalSeries,
    ThermalState,
    bridge_failed,
    cold_state,
    steady_state,
    ultimate_top_oil_rise_k,
)

__all__ = [
    "ASSUMED_LOSS_RATIO",
    "ENCLOSURE_RISE_K",
    "INSULATIONS",
    "LIFE_DEFINITIONS",
    "NORMAL_LIFE_H",
    "NOT_LIMITING_BELOW",
    "PRESETS",
    "Clause7",
    "Insulation",
    "Nameplate",
    "Preset",
    "ThermalSeries",
    "ThermalState",
    "ageing_rate",
    "ageing_rates",
    "bridge_failed",
    "cold_state",
    "end_of_life_years",
    "equivalent_ageing",
    "insulation_named",
    "loss_of_life_percent",
    "nameplates_for",
    "oil_time_constant_between",
    "oil_time_constant_h",
    "preset_named",
    "steady_state",
    "thermal_capacity_wh_per_k",
    "thermal_series",
    "thermal_step",
    "ultimate_top_oil_rise_k",
]
