"""Charging that answers to what the grid measures: voltage, loading, temperature."""

from __future__ import annotations

from gridimpact.dispatch.grid_aware.envelope import OperatingEnvelope
from gridimpact.dispatch.grid_aware.transformer import HotSpotLimit, MeasuredLimit
from gridimpact.dispatch.grid_aware.trips import must_trip, trip_time_s
from gridimpact.dispatch.grid_aware.voltage import ChargingDroop, VoltWatt

__all__ = [
    "ChargingDroop",
    "HotSpotLimit",
    "MeasuredLimit",
    "OperatingEnvelope",
    "VoltWatt",
    "must_trip",
    "trip_time_s",
]
