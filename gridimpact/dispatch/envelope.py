"""How early and how late each stay can charge: the room in which a flexible plan may move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.battery.storage import mean_charge_limit_kw, soc_needed_before
from gridimpact.dispatch.execute import full_power
from gridimpact.records import FloatArray, PlanRequest


@dataclass(frozen=True)
class Envelope:
    """Bounds of the state of charge at the end of each step, (time, vehicle); NaN outside stays.

    Both assume that each stay begins as uncontrolled charging would have it.
    """

    earliest: FloatArray
    """Full power from arrival, ending at the ceiling."""
    latest: FloatArray
    """Least state of charge from which full power still reaches what the stay can reach of its target."""
    soc_arrival: FloatArray
    """(stay,)"""
    soc_reachable: FloatArray
    """(stay,) the target, or what full power from arrival reaches of it."""
    energy_kwh: FloatArray
    """(stay,) energy at the meter from arrival to `soc_reachable` at full power, zero where exceeded."""


def envelope(request: PlanRequest, *, ceiling: str = "target") -> Envelope:
    """Return the earliest and the latest trajectory of every stay.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    ceiling : str
        "target": the earliest trajectory ends at the stay's target; "max": at the battery's maximum.

    Returns
    -------
    Envelope
        Earliest and latest state of charge [1] at the end of each step.

    Notes
    -----
    Charging at full power is a flow in time, so both bounds follow in closed form for every step:
    forward from arrival, backward from departure.
    """
    p_kw, _, states = full_power(request)
    shape = (request.timeline.count, len(request.vehicle_id))
    earliest, latest = np.full(shape, np.nan), np.full(shape, np.nan)
    dt_h, stays, held = request.timeline.dt_h, request.stays, request.batteries
    idle = held.idle_kw[stays.vehicle]
    lost = np.zeros(stays.vehicle.size)
    # A battery above its target may stay there: nothing has to be charged.
    reachable = np.minimum(states.soc_full_power, np.maximum(stays.soc_target, states.soc_arrival))
    for i in range(stays.vehicle.size):
        v, first, last = stays.vehicle[i], stays.start[i], stays.end[i]
        if first >= last:
            continue
        begin = states.soc_arrival[i]
        top = held.soc_max[v] if ceiling == "max" else min(stays.soc_target[i], held.soc_max[v])
        passed = np.arange(1, last - first + 1) * dt_h
        net_kw = max(stays.p_charge_kw[i] - idle[i], 0.0)
        limits = (net_kw, held.capacity_kwh[v], held.eta_charge[v])
        taper = (held.soc_knee[v], held.taper_fraction[v])
        mean = mean_charge_limit_kw(begin, passed, *limits, *taper, max(top, begin))
        earliest[first:last, v] = begin + mean * passed * limits[2] / limits[1]
        latest[first:last, v] = soc_needed_before(
            min(reachable[i], top), passed[-1] - passed, *limits, *taper
        )
        lost[i] = idle[i] * dt_h * np.count_nonzero(p_kw[first:last, v])
    capacity = held.capacity_kwh[stays.vehicle] / held.eta_charge[stays.vehicle]
    energy = np.maximum(reachable - states.soc_arrival, 0.0) * capacity + lost
    return Envelope(earliest, latest, states.soc_arrival, reachable, energy)
