"""What fleets sell and save: regulation, reserve, backup, and how markets score and pay them."""

from __future__ import annotations

__all__: list[str] = []
