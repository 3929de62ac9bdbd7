"""Controlled charging: cars that never discharge."""

from __future__ import annotations

from gridimpact.dispatch.g2v.average_rate import AverageRate
from gridimpact.dispatch.g2v.decentralised import DecentralisedValleyFilling
from gridimpact.dispatch.g2v.delayed_start import DelayedStart
from gridimpact.dispatch.g2v.dimming import Dimming
from gridimpact.dispatch.g2v.last_minute import LastMinute
from gridimpact.dispatch.g2v.load_control import LoadControl
from gridimpact.dispatch.g2v.overnight_window import OvernightWindow
from gridimpact.dispatch.g2v.price import PriceCharging
from gridimpact.dispatch.g2v.pv_following import PvFollowing
from gridimpact.dispatch.g2v.regulation import Regulation
from gridimpact.dispatch.g2v.spinning_reserve import SpinningReserve
from gridimpact.dispatch.g2v.time_of_use import TimeOfUse
from gridimpact.dispatch.g2v.transformer_limit import TransformerLimit
from gridimpact.dispatch.g2v.valley_filling import ValleyFilling

__all__ = [
    "AverageRate",
    "DecentralisedValleyFilling",
    "DelayedStart",
    "Dimming",
    "LastMinute",
    "LoadControl",
    "OvernightWindow",
    "PriceCharging",
    "PvFollowing",
    "Regulation",
    "SpinningReserve",
    "TimeOfUse",
    "TransformerLimit",
    "ValleyFilling",
]
