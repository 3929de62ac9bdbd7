"""Charging that answers to what the grid measures: voltage, loading, temperature."""

from __future__ import annotations

__all__: list[str] = []
