"""Stays of cold batteries: less power, and the energy a cold battery holds back added to the reserve."""

from __future__ import annotations

import dataclasses

import numpy as np

from gridimpact.battery.temperature import charge_limit_kw, discharge_limit_kw, usable_share
from gridimpact.records import Batteries, FloatArray, Note, Stays

COLD = Note(
    "assumption",
    "batteries",
    "batteries are as cold as the air, mean of each stay: power is limited and the energy they hold back"
    " is added to the reserve by tables of own choice; none is heated",
)


def cold_stays(stays: Stays, batteries: Batteries, temp_air_c: FloatArray) -> Stays:
    """Return the stays with what batteries as cold as the air can do.

    Parameters
    ----------
    stays : Stays
        Plugged-in windows.
    batteries : Batteries
        Of their vehicles.
    temp_air_c : ndarray
        (time,) air temperature of the request's steps [degC].

    Returns
    -------
    Stays
        Powers no higher and reserves no lower than before. The reserve rises by the share of the usable
        energy that the mean temperature of the stay holds back, at most to 1; energy stays where it is.
    """
    total = np.concatenate([[0.0], np.cumsum(temp_air_c)])
    steps = np.maximum(stays.end - stays.start, 1)
    mean = (total[np.minimum(stays.start + steps, total.size - 1)] - total[stays.start]) / steps
    own = stays.vehicle
    capacity, idle = batteries.capacity_kwh[own], batteries.idle_kw[own]
    draw = charge_limit_kw(mean, capacity) / batteries.eta_charge[own] + idle
    feed = discharge_limit_kw(mean, capacity) * batteries.eta_discharge[own] - idle
    held_back = 1.0 - usable_share(mean)
    floor = np.maximum(stays.soc_reserve, batteries.soc_min[own])
    raised = np.where(held_back > 0.0, np.minimum(floor + held_back, 1.0), stays.soc_reserve)
    return dataclasses.replace(
        stays,
        p_charge_kw=np.minimum(stays.p_charge_kw, draw),
        p_discharge_kw=np.minimum(stays.p_discharge_kw, np.maximum(feed, 0.0)),
        soc_reserve=raised,
    )
