"""Controlled charging: cars that never discharge."""

from __future__ import annotations

from gridimpact.dispatch.g2v.price import PriceCharging
from gridimpact.dispatch.g2v.transformer_limit import TransformerLimit
from gridimpact.dispatch.g2v.valley_filling import ValleyFilling

__all__ = ["PriceCharging", "TransformerLimit", "ValleyFilling"]
