"""Many cars as one plant: what a fleet can offer, and who delivers it."""

from __future__ import annotations

__all__: list[str] = []
