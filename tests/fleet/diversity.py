"""Uncontrolled charging of a fleet, computed apart from the package, for checks of diversity."""

from __future__ import annotations

import numpy as np

from gridimpact.records import Fleet, FloatArray
from gridimpact.timeline import Timeline


def uncontrolled_kw(fleet: Fleet, timeline: Timeline) -> FloatArray:
    """Return (time,) the fleet's sum when each car charges at once at constant power [kW]."""
    vehicles, sessions = fleet.vehicles, fleet.sessions
    car = vehicles.index.get_indexer(sessions["vehicle_id"])
    minutes = [
        (sessions[c].to_numpy("datetime64[s]") - timeline.start).astype(np.float64) / 60.0
        for c in ("plug_in", "plug_out")
    ]
    capacity = vehicles["capacity_kwh"].to_numpy(float)
    station = fleet.chargers["p_max_kw"].to_numpy(float)
    power = np.minimum(vehicles["p_charge_max_kw"].to_numpy(float), station)
    rate = power * vehicles["eta_charge"].to_numpy(float) / capacity
    given = sessions["soc_arrival"].to_numpy(float)
    trip = sessions["trip_kwh"].to_numpy(float)
    target = sessions["soc_target"].to_numpy(float)
    first = np.flatnonzero(np.r_[True, np.diff(car) != 0])
    number = np.arange(car.size) - np.repeat(first, np.diff(np.r_[first, car.size]))
    soc = vehicles["soc_target"].to_numpy(float).copy()
    stop = np.zeros(car.size)
    for stay in range(number.max() + 1):
        rows = np.flatnonzero(number == stay)
        who = car[rows]
        driven = np.maximum(soc[who] - trip[rows] / capacity[who], 0.05)
        arrived = np.where(np.isnan(given[rows]), driven, given[rows])
        need_h = np.maximum(target[rows] - arrived, 0.0) / rate[who]
        hours = np.minimum(need_h, (minutes[1] - minutes[0])[rows] / 60.0)
        stop[rows] = minutes[0][rows] + 60.0 * hours
        soc[who] = arrived + hours * rate[who]
    length = timeline.count * timeline.step_s // 60
    change = np.zeros(length + 1)
    np.add.at(change, np.clip(np.rint(minutes[0]).astype(int), 0, length), power[car])
    np.add.at(change, np.clip(np.rint(stop).astype(int), 0, length), -power[car])
    return np.cumsum(change)[:length].reshape(timeline.count, -1).mean(axis=1)
