"""What fleets sell and save: regulation, reserve, backup, and how markets score and pay them."""

from __future__ import annotations

from gridimpact.dispatch.services.backup import backup, outage
from gridimpact.dispatch.services.backup_records import Backup, Island, Outage

__all__ = ["Backup", "Island", "Outage", "backup", "outage"]
