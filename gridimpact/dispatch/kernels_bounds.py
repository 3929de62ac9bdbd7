"""Compiled look at a finished plan: whether power keeps to stays and chargers and batteries to 0..1."""

from __future__ import annotations

import math

from gridimpact.dispatch.kernels import FloatArray, StayArrays
from gridimpact.dispatch.kernels_graph import compiled


@compiled
def surely_sound(
    p_kw: FloatArray,
    soc: FloatArray,
    s: StayArrays,
    feeds: bool,
    tolerance_kw: float,
    tolerance_soc: float,
) -> bool:
    """Return whether a plan keeps every bound; False also where stays overlap and it cannot be told.

    `p_kw` and `soc` are (time, vehicle). Power is at most that of the stay, nothing while away, and fed only
    where `feeds`.
    """
    used = 0
    for t in range(p_kw.shape[0]):
        for v in range(p_kw.shape[1]):
            power, held = p_kw[t, v], soc[t, v]
            if not (math.isfinite(power) and -tolerance_soc <= held <= 1.0 + tolerance_soc):
                return False
            used += abs(power) > tolerance_kw
    for i in range(s.vehicle.size):
        v = s.vehicle[i]
        high = s.p_charge_kw[i] + tolerance_kw
        low = (-s.p_discharge_kw[i] if feeds else 0.0) - tolerance_kw
        for t in range(s.start[i], s.end[i]):
            power = p_kw[t, v]
            if not low <= power <= high:
                return False
            used -= abs(power) > tolerance_kw
    return used == 0
