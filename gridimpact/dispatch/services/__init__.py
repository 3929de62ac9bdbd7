"""What fleets sell and save: regulation, reserve, backup, and how markets score and pay them."""

from __future__ import annotations

from gridimpact.dispatch.services.backup import backup, outage
from gridimpact.dispatch.services.backup_records import Backup, Island, Outage
from gridimpact.dispatch.services.market import Bid, Clearing, clear_market
from gridimpact.dispatch.services.payment import (
    Payment,
    balances,
    capacity_payment,
    contract_payment,
    energy_payment,
    shared_payments,
)
from gridimpact.dispatch.services.score import (
    RegulationScore,
    regulation_score,
    settle_regulation,
)
from gridimpact.dispatch.services.signal import Signal, read_signal
from gridimpact.dispatch.services.signal_droop import droop_signal
from gridimpact.dispatch.services.signal_synthetic import synthetic_regulation

__all__ = [
    "Backup",
    "Bid",
    "Clearing",
    "Island",
    "Outage",
    "Payment",
    "RegulationScore",
    "Signal",
    "backup",
    "balances",
    "capacity_payment",
    "clear_market",
    "contract_payment",
    "droop_signal",
    "energy_payment",
    "outage",
    "read_signal",
    "regulation_score",
    "settle_regulation",
    "shared_payments",
    "synthetic_regulation",
]
