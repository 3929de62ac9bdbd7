"""With what each stay began, told by a dispatch, and what its target would have taken."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.records import Dispatch, FloatArray, PlanRequest


def arrival_states(request: PlanRequest, found: Dispatch) -> FloatArray:
    """Return the state of charge at the begin of every stay, (stay,).

    Parameters
    ----------
    request : PlanRequest
        Stays sorted by vehicle and start.
    found : Dispatch
        Of that request.

    Returns
    -------
    ndarray
        The given state of charge, or that of the departure before less the trip, what was charged
        elsewhere added [1].
    """
    stays = request.stays
    owner, capacity = stays.vehicle, request.batteries.capacity_kwh[stays.vehicle]
    driven = (stays.trip_kwh - found.away_kwh) / capacity
    arrival = np.clip(stays.soc_arrival, 0.0, 1.0)
    open_ = np.isnan(stays.soc_arrival)
    before = found.soc_initial[owner].astype(np.float64)
    went = stays.start > 0
    before[went] = found.soc[stays.start[went] - 1, owner[went]]
    arrival[open_] = (before - driven)[open_]
    # A stay without a step leaves no trace in the series; the next one at that moment begins with it.
    same = np.concatenate([owner[1:] == owner[:-1], [False]])[: owner.size]
    touch = same & (stays.end <= stays.start) & (np.roll(stays.start, -1) == stays.start)
    for k in np.flatnonzero(touch & np.roll(open_, -1)):
        arrival[k + 1] = arrival[k] - driven[k + 1]
    return np.asarray(arrival)


class Needs(NamedTuple):
    """What the target of each stay takes, (stay,)."""

    soc_arrival: FloatArray
    plugged_h: FloatArray
    hours_needed: FloatArray
    """At the stay's full power; infinite where no time is enough."""
    power_needed_kw: FloatArray
    """At the meter, for all of the stay; infinite where no power is enough."""


def needs(request: PlanRequest, found: Dispatch) -> Needs:
    """Return what each stay would have had to last, or be charged with, to reach its target.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    found : Dispatch
        Of that request; tells with what each stay began.

    Returns
    -------
    Needs
        Times [h] and powers [kW], zero where the target was reached on arrival.

    Notes
    -----
    With a taper that scales with power, charging twice as fast takes half the time, so the power that fits
    into the stay follows from the time at full power.
    """
    stays, held, v = request.stays, request.batteries, request.stays.vehicle
    soc, net = arrival_states(request, found), stays.p_charge_kw - held.idle_kw[v]
    hours_at_1_kw = hours_to_charge(
        soc,
        stays.soc_target,
        held.eta_charge[v] / held.capacity_kwh[v],
        held.soc_knee[v],
        held.taper_fraction[v],
    )
    hours_at_1_kw = np.where(
        (stays.soc_target > held.soc_max[v]) & (hours_at_1_kw > 0.0), np.inf, hours_at_1_kw
    )
    plugged = (stays.end - stays.start) * request.timeline.dt_h
    with np.errstate(divide="ignore", invalid="ignore"):
        hours = np.where(hours_at_1_kw > 0.0, hours_at_1_kw / np.maximum(net, 0.0), 0.0)
        power = np.where(hours_at_1_kw > 0.0, hours_at_1_kw / plugged + held.idle_kw[v], 0.0)
    return Needs(soc, np.asarray(plugged, dtype=np.float64), hours, power)


def hours_to_charge(
    soc: ArrayLike,
    soc_target: ArrayLike,
    rate_per_h: ArrayLike,
    soc_knee: ArrayLike,
    taper_fraction: ArrayLike,
) -> FloatArray:
    """Return the time from one state of charge to another at full power [h].

    Parameters
    ----------
    soc, soc_target : array_like
        State of charge at begin and end [1].
    rate_per_h : array_like
        State of charge gained per hour below the knee [1/h], above zero.
    soc_knee, taper_fraction : array_like
        As in `gridimpact.battery.mean_charge_limit_kw`.

    Returns
    -------
    ndarray
        Hours, zero where the target is reached already, infinite where power falls to nothing before it.

    Notes
    -----
    Above the knee ``ds/dt = r (1 - a (s - knee))`` is solved by an exponential, so the time is a logarithm.

    Examples
    --------
    >>> float(hours_to_charge(0.2, 0.7, 0.1, 0.8, 0.0).round(9))
    5.0
    >>> hours_to_charge(0.5, [0.9, 1.0], 0.1, 0.8, 0.0).round(6).tolist()
    [4.386294, inf]
    """
    begin, end = np.asarray(soc, dtype=np.float64), np.asarray(soc_target, dtype=np.float64)
    rate, knee = np.asarray(rate_per_h, dtype=np.float64), np.asarray(soc_knee, dtype=np.float64)
    room = np.where(knee < 1.0, 1.0 - knee, 1.0)
    slope = np.where(knee < 1.0, (1.0 - np.asarray(taper_fraction)) / room, 0.0)
    tapers = slope > 1e-12
    below = np.where(tapers, np.minimum(end, knee), end) - begin
    left = [1.0 - slope * (np.maximum(at, knee) - knee) for at in (begin, end)]
    with np.errstate(divide="ignore", invalid="ignore"):
        falls = np.log(left[0] / np.maximum(left[1], 0.0)) / np.where(tapers, slope, 1.0)
    above = np.where(tapers & (end > knee), falls, 0.0)
    return np.asarray(np.where(end > begin, (np.maximum(below, 0.0) + above) / rate, 0.0))
