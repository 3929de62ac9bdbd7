"""Vehicles, chargers and sessions: packaged data, synthesis from a travel survey, logs and own tables."""

from gridimpact.fleet.catalogue import charger_catalogue, consumption_factor, vehicle_catalogue
from gridimpact.fleet.join import join_fleets
from gridimpact.fleet.presets import Preset, list_presets, preset
from gridimpact.fleet.readers import read_sessions
from gridimpact.fleet.synthesis import synthesize_fleet
from gridimpact.fleet.tables import make_fleet, read_fleet
from gridimpact.fleet.vehicle import Charger, Vehicle

__all__ = [
    "Charger",
    "Preset",
    "Vehicle",
    "charger_catalogue",
    "consumption_factor",
    "join_fleets",
    "list_presets",
    "make_fleet",
    "preset",
    "read_fleet",
    "read_sessions",
    "synthesize_fleet",
    "vehicle_catalogue",
]
