"""Vehicles, chargers and sessions: packaged data, synthesis from a travel survey, logs and own tables."""

from gridimpact.fleet.catalogue import charger_catalogue, consumption_factor, vehicle_catalogue
from gridimpact.fleet.synthesis import synthesize_fleet
from gridimpact.fleet.tables import make_fleet, read_fleet
from gridimpact.fleet.vehicle import Charger, Vehicle

__all__ = [
    "Charger",
    "Vehicle",
    "charger_catalogue",
    "consumption_factor",
    "make_fleet",
    "read_fleet",
    "synthesize_fleet",
    "vehicle_catalogue",
]
