"""Transformer temperature and insulation life."""

from gridimpact.ageing.annex_g_plate import COOLINGS, AnnexGPlate
from gridimpact.ageing.drive import Harmonics, loss_ratio_at_tap, thermal_loadings
from gridimpact.ageing.iec_60076_7 import (
    IecSeries,
    IecState,
    iec_cold_state,
    iec_series,
    iec_steady_state,
    iec_step,
)
from gridimpact.ageing.iec_plate import COOLING_CLASSES, IecPlate, iec_plate_of
from gridimpact.ageing.ieee_annex_g import (
    AnnexGSeries,
    AnnexGState,
    annex_g_cold_state,
    annex_g_series,
    annex_g_steady_state,
    annex_g_step,
)
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
from gridimpact.ageing.life import (
    Deferral,
    Replacement,
    deferral,
    end_of_life_year,
    present_cost,
    remaining_years,
    replaced_after_years,
    yearly_cost_of_life,
)
from gridimpact.ageing.limits import (
    FREE_BUBBLE_C,
    LOADING_GUIDES,
    LoadingGuide,
    LoadingLimit,
    loading_guide,
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
from gridimpact.ageing.sensitivity import ageing_sensitivity
from gridimpact.ageing.service_transformers import age_service_transformers
from gridimpact.ageing.step_size import coarse_step_note, largest_jump_pu
from gridimpact.ageing.summary import AgeingSummary, age
from gridimpact.ageing.thermal_state import (
    Clause7,
    ThermalSeries,
    ThermalState,
    bridge_failed,
    cold_state,
    steady_state,
    ultimate_top_oil_rise_k,
)
from gridimpact.ageing.unequal import unequal_series

__all__ = [
    "ASSUMED_LOSS_RATIO",
    "COOLINGS",
    "COOLING_CLASSES",
    "ENCLOSURE_RISE_K",
    "FREE_BUBBLE_C",
    "INSULATIONS",
    "LIFE_DEFINITIONS",
    "LOADING_GUIDES",
    "NORMAL_LIFE_H",
    "NOT_LIMITING_BELOW",
    "PRESETS",
    "AgeingSummary",
    "AnnexGPlate",
    "AnnexGSeries",
    "AnnexGState",
    "Clause7",
    "Deferral",
    "Harmonics",
    "IecPlate",
    "IecSeries",
    "IecState",
    "Insulation",
    "LoadingGuide",
    "LoadingLimit",
    "Nameplate",
    "Preset",
    "Replacement",
    "ThermalSeries",
    "ThermalState",
    "age",
    "age_service_transformers",
    "ageing_rate",
    "ageing_rates",
    "ageing_sensitivity",
    "annex_g_cold_state",
    "annex_g_series",
    "annex_g_steady_state",
    "annex_g_step",
    "bridge_failed",
    "coarse_step_note",
    "cold_state",
    "deferral",
    "end_of_life_year",
    "end_of_life_years",
    "equivalent_ageing",
    "iec_cold_state",
    "iec_plate_of",
    "iec_series",
    "iec_steady_state",
    "iec_step",
    "insulation_named",
    "largest_jump_pu",
    "loading_guide",
    "loss_of_life_percent",
    "loss_ratio_at_tap",
    "nameplates_for",
    "oil_time_constant_between",
    "oil_time_constant_h",
    "present_cost",
    "preset_named",
    "remaining_years",
    "replaced_after_years",
    "steady_state",
    "thermal_capacity_wh_per_k",
    "thermal_loadings",
    "thermal_series",
    "thermal_step",
    "ultimate_top_oil_rise_k",
    "unequal_series",
    "yearly_cost_of_life",
]
