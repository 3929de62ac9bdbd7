"""Which signals to chargers do not arrive."""

from __future__ import annotations

import hashlib

import numpy as np

from gridimpact.records import BoolArray, PlanRequest


def lost_signals(request: PlanRequest, share: float) -> BoolArray:
    """Return which signals do not arrive, (time, charger), each charger drawn by its id and the first step."""
    count = request.timeline.count
    lost = np.zeros((count, len(request.charger_id)), dtype=np.bool_)
    if share <= 0.0:
        return lost
    for k, name in enumerate(request.charger_id):
        text = f"lost signals|{request.timeline.start}|{name}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        rng = np.random.default_rng(np.random.SeedSequence([request.seed, number]))
        lost[:, k] = rng.random(count) < share
    return lost
